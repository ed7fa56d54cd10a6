#include "plugins/h264/stream_input.h"

#include <algorithm>

namespace hull::h264 {
namespace {

// Interleaved (0) and dispersed (1) slice groups; the library refuses parameter sets with others.
constexpr unsigned kLastKnownMapType = 1;

// As split_length_prefixed, but what comes before the damage is kept.
std::vector<Nal> split_leniently(Bytes sample, unsigned length_size, bool &damaged) {
  std::vector<Nal> nals;
  std::size_t at = 0;
  while (at < sample.size()) {
    if (sample.size() - at < length_size) {
      damaged = true;
      break;
    }
    std::uint64_t length = load_be(sample.data() + at, length_size);
    at += length_size;
    if (length > sample.size() - at) {
      damaged = true;
      length = sample.size() - at;
    }
    if (length > 0) nals.push_back({sample.subspan(at, length)});
    at += length;
  }
  return nals;
}

} // namespace

Result<void> StreamInput::use_avc(Bytes codec_data) {
  auto record = parse_decoder_configuration(codec_data);
  if (!record) return tl::unexpected(record.error());
  length_size_ = record->length_size();
  for (const auto *units : {&record->sequence_parameter_sets, &record->picture_parameter_sets})
    for (const auto &unit : *units)
      if (!unit.data.empty()) learn({unit.data});
  restate_ = true;
  return {};
}

std::optional<std::string> StreamInput::refusal() const {
  const auto beyond = sps_ ? beyond_progressive_420_8bit(*sps_) : std::nullopt;
  if (beyond) return "OpenH264 cannot decode " + *beyond + ". Use avdec_h264 for this stream.";
  if (strange_map_type_)
    return "OpenH264 cannot decode slice groups of map type " + std::to_string(*strange_map_type_) +
           " (it knows 0 and 1), and neither can avdec_h264. Encode the stream without flexible macroblock "
           "ordering.";
  return std::nullopt;
}

void StreamInput::forget() {
  sps_.reset();
  strange_map_type_.reset();
  sps_nals_.clear();
  pps_nals_.clear();
}

void StreamInput::learn(const Nal &nal) {
  if (nal.type() == NalType::sps) {
    auto sps = parse_sps(nal);
    if (!sps) return;
    ByteVector &known = sps_nals_[sps->seq_parameter_set_id];
    sps_changed_ |= !std::ranges::equal(known, nal.data);
    known.assign(nal.data.begin(), nal.data.end());
    sps_ = std::move(*sps);
  } else if (nal.type() == NalType::pps) {
    const auto pps = parse_pps(nal);
    if (!pps) return;
    pps_nals_[pps->pic_parameter_set_id].assign(nal.data.begin(), nal.data.end());
    if (pps->num_slice_groups_minus1 > 0 && pps->slice_group_map_type > kLastKnownMapType)
      strange_map_type_ = pps->slice_group_map_type;
  }
}

StreamInput::AccessUnit StreamInput::read(Bytes sample, bool &damaged) {
  damaged = sps_changed_ = false;
  const auto nals = is_avc() ? split_leniently(sample, length_size_, damaged) : split_annexb(sample);
  AccessUnit unit;
  annexb_.clear();
  if (restate_)
    for (const auto *sets : {&sps_nals_, &pps_nals_})
      for (const auto &[id, nal] : *sets)
        append_annexb(annexb_, nal);
  const bool as_is = !is_avc() && !restate_;
  restate_ = false;
  for (const Nal &nal : nals) {
    learn(nal);
    if (nal.is_slice()) {
      unit.has_slice = true;
      unit.has_idr |= nal.type() == NalType::idr_slice;
      unit.is_reference |= nal.ref_idc() != 0;
    }
    if (!as_is) append_annexb(annexb_, nal.data);
  }
  unit.data = as_is ? sample : Bytes(annexb_);
  return unit;
}

} // namespace hull::h264
