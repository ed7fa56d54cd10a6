#include "plugins/h264/stream_input.h"

#include "gst/h264/avcc.h"
#include "plugins/h264/library_sets.h"

#include <algorithm>

namespace hull::h264 {
namespace {

// Limits of the library: slice groups interleaved (0) and dispersed (1), picture parameter sets, macroblocks
// of a picture (level 5.2).
constexpr unsigned kLastKnownMapType = 1, kMostPps = 57, kMostMacroblocks = 36864;

constexpr char kUseAvdec[] = ". Use avdec_h264 for this stream.";
constexpr char kNobody[] = ", and neither can avdec_h264. Encode the stream without ";

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

// The library refuses a whole buffer for one NAL unit that breaks 7.4.1: 00 00 00, 00 00 02, or 00 00 03
// before a byte above 3. What stands in front of that is kept.
Bytes up_to_forbidden_bytes(Bytes nal) {
  for (std::size_t i = 2; i < nal.size(); ++i) {
    if (nal[i] > 3 || nal[i - 1] != 0 || nal[i - 2] != 0) continue;
    const bool escapes = nal[i] == 3 && (i + 1 == nal.size() || nal[i + 1] <= 3);
    if (!escapes) return nal.first(i - 2);
  }
  return nal;
}

bool is_partition(const Nal &nal) {
  return nal.type() >= NalType::partition_a && nal.type() <= NalType::partition_c;
}

Error refused(const std::string &what, Place at = Place::here()) {
  return {ErrorCode::unsupported, "OpenH264 cannot decode " + what, Error::kNoOffset, at};
}

std::optional<Error> beyond(const Pps &pps) {
  if (pps.num_slice_groups_minus1 > 0 && pps.slice_group_map_type > kLastKnownMapType)
    return refused("slice groups of map type " + std::to_string(pps.slice_group_map_type) +
                   " (it knows 0 and 1)" + kNobody + "flexible macroblock ordering.");
  if (pps.pic_parameter_set_id >= kMostPps)
    return refused("pictures with pic_parameter_set_id " + std::to_string(pps.pic_parameter_set_id) +
                   " (it knows 0 to " + std::to_string(kMostPps - 1) + ")" + kUseAvdec);
  return std::nullopt;
}

std::optional<Error> beyond(const SliceHeader &header) {
  if (header.type() == SliceType::sp || header.type() == SliceType::si)
    return refused(std::string("switching slices (SP and SI)") + kNobody + "the Extended profile.");
  return std::nullopt;
}

} // namespace

std::optional<Error> StreamInput::refusal(const Sps &sps) {
  if (const auto strange = beyond_progressive_420_8bit(sps)) return refused(*strange + kUseAvdec);
  if (sps.frame_size_in_mbs() > kMostMacroblocks)
    return refused("pictures of " + std::to_string(sps.coded_width()) + "x" +
                   std::to_string(sps.coded_height()) + " (it takes 9437184 pixels)" + kUseAvdec);
  return std::nullopt;
}

Result<void> StreamInput::use_avc(Bytes codec_data) {
  auto record = parse_decoder_configuration(codec_data);
  if (!record) return tl::unexpected(record.error());
  length_size_ = record->length_size();
  for (const auto *units : {&record->sequence_parameter_sets, &record->picture_parameter_sets})
    for (const auto &unit : *units)
      if (!unit.data.empty()) learn({unit.data});
  return {};
}

void StreamInput::forget() {
  sps_.clear();
  pps_.clear();
  active_.reset();
  in_use_.clear();
  restate_parameter_sets();
}

void StreamInput::learn(const Nal &nal) {
  if (nal.type() == NalType::sps) {
    auto sps = parse_sps_to_decode(nal);
    if (!sps) return;
    auto &known = sps_[sps->seq_parameter_set_id];
    if (known && std::ranges::equal(known->nal, nal.data)) return;
    known = std::make_shared<Sequence>(Sequence{std::move(*sps), {nal.data.begin(), nal.data.end()}});
  } else if (nal.type() == NalType::pps) {
    auto pps = parse_pps(nal);
    if (!pps) return;
    auto &known = pps_[pps->pic_parameter_set_id];
    if (known && std::ranges::equal(known->nal, nal.data)) return;
    known = std::make_shared<PictureSets>(
        PictureSets{nullptr, std::move(*pps), {nal.data.begin(), nal.data.end()}});
  }
}

// The sets a slice names, as they are now: a set may be sent again with other content under the same id.
std::shared_ptr<const StreamInput::PictureSets> StreamInput::sets_of(const Nal &slice) {
  const auto pps = pps_.find(slice_pps_id(slice));
  if (pps == pps_.end()) return nullptr;
  const auto sps = sps_.find(pps->second->pps.seq_parameter_set_id);
  if (sps == sps_.end()) return nullptr;
  if (pps->second->sequence == sps->second) return pps->second;
  auto bound = std::make_shared<PictureSets>(*pps->second);
  bound->sequence = sps->second;
  pps->second = bound;
  return bound;
}

// A sequence parameter set becomes active with an IDR picture (7.4.1.2.1), or where a splice begins with
// another intra picture. One that changes before other pictures is damaged, or its IDR picture was lost.
void StreamInput::activate(AccessUnit &unit, const std::shared_ptr<const Sequence> &sequence,
                           bool may_change) {
  if (active_ != sequence &&
      (!active_ || may_change || active_->sps.seq_parameter_set_id != sequence->sps.seq_parameter_set_id)) {
    unit.new_sequence = true;
    const auto essence = [](const Sps &sps) {
      Sps same = sps_for_library(sps);
      same.seq_parameter_set_id = 0;
      same.seq_scaling_matrix_present_flag = false;
      return write_sps(same).value_or(ByteVector{});
    };
    unit.new_decoder = !active_ || essence(active_->sps) != essence(sequence->sps);
    if (unit.new_decoder) restate_parameter_sets();
    active_ = sequence;
  }
  unit.sequence = active_;
}

void StreamInput::restate_parameter_sets() {
  told_sps_.clear();
  told_pps_.clear();
}

void StreamInput::tell(const std::shared_ptr<const PictureSets> &sets) {
  const Sps &sps = active_->sps;
  if (auto &told = told_sps_[sps.seq_parameter_set_id]; told != active_) {
    append_annexb(sets_, write_sps(sps_for_library(sps)).value_or(active_->nal));
    told = active_;
  }
  if (auto &told = told_pps_[sets->pps.pic_parameter_set_id]; told != sets) {
    append_annexb(sets_, write_pps(pps_for_library(sets->pps, sps)).value_or(sets->nal));
    told = sets;
  }
}

void StreamInput::take_slices(AccessUnit &unit, const std::vector<Nal> &slices) {
  struct Slice {
    Nal nal;
    std::uint32_t first;
  };
  std::vector<Slice> list;
  const bool intra = std::ranges::all_of(slices, [](const Nal &nal) { return is_intra_slice(nal); });
  for (const Nal &nal : slices) {
    const auto sets = sets_of(nal);
    if (!sets) {
      unit.damaged = true;
      continue;
    }
    if (!unit.sequence) activate(unit, sets->sequence, intra);
    auto bound = sets;
    if (sets->sequence != active_) { // damage: the header is read by the set that is active
      auto other = std::make_shared<PictureSets>(*sets);
      other->sequence = active_;
      bound = other;
    }
    in_use_.push_back(bound);
    if (!unit.refusal) unit.refusal = beyond(bound->pps);
    auto header = parse_slice_header(nal, bound->sequence->sps, bound->pps);
    if (header && header->redundant_pic_cnt > 0) continue; // 8.1: the primary picture is decoded
    if (header && !unit.refusal) unit.refusal = beyond(*header);
    tell(bound);
    const Bytes clean = up_to_forbidden_bytes(nal.data);
    unit.damaged |= !header || clean.size() != nal.data.size();
    if (clean.size() > 1) list.push_back({{clean}, first_mb_in_slice(nal)});
    if (!header) continue;
    unit.bidirectional |= header->type() == SliceType::b;
    unit.headers.push_back(std::move(*header));
  }
  // Slices may come in any order (Baseline); one behind the other they make the same picture.
  std::ranges::stable_sort(list, {}, &Slice::first);
  for (const Slice &slice : list)
    append_annexb(slices_, slice.nal.data);
}

StreamInput::AccessUnit StreamInput::read(Bytes sample) {
  AccessUnit unit;
  sets_.clear();
  slices_.clear();
  in_use_.clear();
  const auto nals = is_avc() ? split_leniently(sample, length_size_, unit.damaged) : split_annexb(sample);
  std::vector<Nal> slices;
  for (const Nal &nal : nals) {
    learn(nal);
    if (nal.type() == NalType::sei)
      if (auto messages = parse_sei(nal); messages)
        unit.sei.insert(unit.sei.end(), messages->begin(), messages->end());
    if (!nal.is_slice()) continue;
    unit.has_slice = true;
    unit.has_idr |= nal.type() == NalType::idr_slice;
    unit.is_reference |= nal.ref_idc() != 0;
    if (is_partition(nal))
      unit.refusal = refused(std::string("data partitions") + kUseAvdec);
    else
      slices.push_back(nal);
  }
  take_slices(unit, slices);
  if (unit.sequence)
    if (const auto strange = refusal(unit.sequence->sps)) unit.refusal = strange;
  unit.sets = sets_;
  unit.slices = slices_;
  return unit;
}

} // namespace hull::h264
