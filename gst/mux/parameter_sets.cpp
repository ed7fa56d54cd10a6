#include "gst/mux/parameter_sets.h"

#include "gst/h264/avcc.h"

#include <algorithm>

namespace hull::mux {

using namespace h264;

bool ParameterSets::configure(Bytes record) {
  auto configuration = parse_decoder_configuration(record);
  if (!configuration) return false;
  length_size_ = configuration->length_size();
  for (const auto *units : {&configuration->sequence_parameter_sets, &configuration->picture_parameter_sets})
    for (const auto &unit : *units)
      if (!unit.data.empty()) take(Nal{unit.data});
  return true;
}

void ParameterSets::take(const Nal &nal) {
  if (nal.type() == NalType::sps) {
    if (auto sps = parse_sps(nal)) sps_[sps->seq_parameter_set_id] = *sps;
  } else if (nal.type() == NalType::pps) {
    if (auto pps = parse_pps(nal)) pps_[pps->pic_parameter_set_id] = *pps;
  }
}

ByteVector whole_record(ByteVector record) {
  auto configuration = parse_decoder_configuration(record);
  if (!configuration || configuration->has_high_fields || configuration->sequence_parameter_sets.empty())
    return record;
  const ByteVector &unit = configuration->sequence_parameter_sets.front().data;
  const auto sps = unit.empty() ? Result<Sps>() : parse_sps(Nal{unit});
  if (unit.empty() || !sps || !sps->has_chroma_format()) return record;
  configuration->chroma_format = sps->chroma_format_idc;
  configuration->bit_depth_luma_minus8 = sps->bit_depth_luma_minus8;
  configuration->bit_depth_chroma_minus8 = sps->bit_depth_chroma_minus8;
  configuration->has_high_fields = true;
  Writer writer;
  configuration->fields(writer);
  return writer.ok() ? writer.out().take() : record;
}

std::optional<ParameterSets::Active> ParameterSets::of_slice(const Nal &slice) const {
  const auto pps = pps_.find(slice_pps_id(slice));
  if (pps == pps_.end()) return std::nullopt;
  const auto sps = sps_.find(pps->second.seq_parameter_set_id);
  if (sps == sps_.end()) return std::nullopt;
  return Active{sps->second, pps->second};
}

unsigned ParameterSets::reorder_frames() const {
  unsigned most = 0;
  for (const auto &[id, sps] : sps_)
    most = std::max(most, sps.reorder_frames());
  return most;
}

} // namespace hull::mux
