#include "plugins/mp4/picture_order.h"

#include "gst/h264/avcc.h"
#include "gst/h264/slice.h"

namespace hull {

using namespace h264;

bool PictureOrder::configure(Bytes record) {
  auto configuration = parse_decoder_configuration(record);
  if (!configuration) return false;
  length_size_ = configuration->length_size();
  for (const auto &unit : configuration->sequence_parameter_sets)
    if (!unit.data.empty())
      if (auto sps = parse_sps(Nal{unit.data})) sps_[sps->seq_parameter_set_id] = *sps;
  for (const auto &unit : configuration->picture_parameter_sets)
    if (!unit.data.empty())
      if (auto pps = parse_pps(Nal{unit.data})) pps_[pps->pic_parameter_set_id] = *pps;
  return true;
}

std::optional<std::int64_t> PictureOrder::frames_after_idr(Bytes access_unit) {
  auto units = split_length_prefixed(access_unit, length_size_);
  if (!units) return std::nullopt;
  for (const Nal &nal : *units) {
    if (nal.type() == NalType::sps) {
      if (auto sps = parse_sps(nal)) sps_[sps->seq_parameter_set_id] = *sps;
    } else if (nal.type() == NalType::pps) {
      if (auto pps = parse_pps(nal)) pps_[pps->pic_parameter_set_id] = *pps;
    }
    if (!nal.is_slice()) continue;
    const auto pps = pps_.find(slice_pps_id(nal));
    if (pps == pps_.end()) return std::nullopt;
    const auto sps = sps_.find(pps->second.seq_parameter_set_id);
    if (sps == sps_.end() || sps->second.pic_order_cnt_type != 0) return std::nullopt;
    auto slice = parse_slice_header(nal, sps->second, pps->second);
    if (!slice) return std::nullopt;
    // 8.2.1.1
    if (slice->is_idr()) previous_msb_ = previous_lsb_ = 0;
    const std::int64_t lsb = slice->pic_order_cnt_lsb;
    const std::int64_t range = std::int64_t{1} << (sps->second.log2_max_pic_order_cnt_lsb_minus4 + 4);
    std::int64_t msb = previous_msb_;
    if (lsb < previous_lsb_ && previous_lsb_ - lsb >= range / 2)
      msb += range;
    else if (lsb > previous_lsb_ && lsb - previous_lsb_ > range / 2)
      msb -= range;
    if (nal.ref_idc() != 0) {
      previous_msb_ = msb;
      previous_lsb_ = lsb;
    }
    return (msb + lsb) / 2;
  }
  return std::nullopt;
}

} // namespace hull
