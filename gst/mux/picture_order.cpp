#include "gst/mux/picture_order.h"

namespace hull::mux {

using namespace h264;

std::optional<std::int64_t> PictureOrder::frames_after_idr(Bytes access_unit) {
  auto units = split_length_prefixed(access_unit, sets_.length_size());
  if (!units) return std::nullopt;
  for (const Nal &nal : *units) {
    sets_.take(nal);
    if (!nal.is_slice()) continue;
    const auto active = sets_.of_slice(nal);
    if (!active || active->sps.pic_order_cnt_type != 0) return std::nullopt;
    auto slice = parse_slice_header(nal, active->sps, active->pps);
    if (!slice) return std::nullopt;
    // 8.2.1.1
    if (slice->is_idr()) previous_msb_ = previous_lsb_ = 0;
    const std::int64_t lsb = slice->pic_order_cnt_lsb;
    const std::int64_t range = std::int64_t{1} << (active->sps.log2_max_pic_order_cnt_lsb_minus4 + 4);
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

} // namespace hull::mux
