#include "plugins/h264/access_unit.h"

#include <cstring>

namespace hull::h264 {
namespace {

constexpr std::uint8_t kConstraintSet3 = 0x10;

// Level 1b is a number of its own in the High profiles, and 1.1 with a flag below them, 7.4.2.1.1.
void apply_level(std::uint8_t level_idc, Sps &sps) {
  if (level_idc == 0) return;
  sps.level_idc = level_idc;
  if (sps.profile_idc >= 100) return;
  sps.constraint_flags &= static_cast<std::uint8_t>(~kConstraintSet3);
  if (level_idc != 9) return;
  sps.level_idc = 11;
  sps.constraint_flags |= kConstraintSet3;
}

void apply(const VuiWishes &wishes, Sps &sps) {
  apply_level(wishes.level_idc, sps);
  if (wishes.constrained_high && sps.profile_idc == 100) sps.constraint_flags |= 0x0c;
  sps.vui_parameters_present_flag = true;
  Vui &vui = sps.vui;
  const Ratio par = wishes.pixel_aspect_ratio;
  vui.aspect_ratio_info_present_flag = par.num > 0 && par.den > 0;
  vui.aspect_ratio_idc = vui.aspect_ratio_info_present_flag ? aspect_ratio_idc_of(par) : 0;
  if (vui.aspect_ratio_idc == 255) {
    // Sides above 16 bits are halved together: the shape stays within a thousandth.
    Ratio small = par;
    for (; small.num > 0xffff || small.den > 0xffff; small.num /= 2, small.den /= 2) {
    }
    vui.sar_width = static_cast<std::uint16_t>(small.num);
    vui.sar_height = static_cast<std::uint16_t>(small.den);
  }
  vui.video_signal_type_present_flag = wishes.has_colour;
  vui.video_format = 5; // unspecified
  vui.video_full_range_flag = wishes.full_range;
  vui.colour_description_present_flag = wishes.has_colour;
  vui.colour_primaries = wishes.colour_primaries;
  vui.transfer_characteristics = wishes.transfer_characteristics;
  vui.matrix_coefficients = wishes.matrix_coefficients;
  vui.timing_info_present_flag = wishes.fps_num > 0 && wishes.fps_num <= 0x7fffffff;
  vui.num_units_in_tick = wishes.fps_den;
  vui.time_scale = wishes.fps_num * 2; // a tick is a field
  vui.fixed_frame_rate_flag = wishes.fixed_frame_rate;
  vui.nal_hrd_parameters_present_flag = wishes.hrd.has_value();
  if (wishes.hrd) vui.nal_hrd = *wishes.hrd;
  vui.pic_struct_present_flag = wishes.time_codes;
  // So that a decoder may give each picture out at once.
  vui.bitstream_restriction_flag = true;
  vui.max_num_reorder_frames = 0;
  vui.max_dec_frame_buffering = sps.max_num_ref_frames;
}

} // namespace

Result<void> AccessUnitWriter::configure(Bytes sps, Bytes pps, const VuiWishes &wishes, Format format) {
  auto parsed = parse_sps({sps});
  if (!parsed) return tl::unexpected(parsed.error());
  auto parsed_pps = parse_pps({pps}, &*parsed);
  if (!parsed_pps) return tl::unexpected(parsed_pps.error());
  apply(wishes, *parsed);
  auto written = write_sps(*parsed);
  if (!written) return tl::unexpected(written.error());
  format_ = format;
  parsed_sps_ = std::move(*parsed);
  parsed_pps_ = std::move(*parsed_pps);
  sps_ = std::move(*written);
  pps_.assign(pps.begin(), pps.end());
  return {};
}

Bytes AccessUnitWriter::keep(ByteVector bytes) {
  kept_.push_back(std::move(bytes));
  return kept_.back();
}

void AccessUnitWriter::look_at_slices(const std::vector<Nal> &nals, bool idr) {
  wanted_idr_pic_id_ = -1;
  int slices = 0, quantizers = 0;
  for (const Nal &nal : nals) {
    if (!nal.is_slice()) continue;
    const auto header = parse_slice_header(nal, parsed_sps_, parsed_pps_);
    if (!header) return;
    if (slices == 0) look_at_first(*header, idr);
    quantizers += header->qp();
    ++slices;
  }
  mean_qp_ = slices ? static_cast<double>(quantizers) / slices : 0;
}

void AccessUnitWriter::look_at_first(const SliceHeader &header, bool idr) {
  last_qp_ = header.qp();
  if (!idr) return;
  library_idr_pic_id_ = header.idr_pic_id;
  // An encoder that was opened anew or that takes turns with others starts counting again: 7.4.3 wants
  // neighbours to differ.
  if (header.idr_pic_id == last_idr_pic_id_) wanted_idr_pic_id_ = (last_idr_pic_id_ + 1) & 0xffff;
  last_idr_pic_id_ = wanted_idr_pic_id_ >= 0 ? wanted_idr_pic_id_ : header.idr_pic_id;
}

Bytes AccessUnitWriter::idr_slice(const Nal &nal) {
  if (wanted_idr_pic_id_ < 0) return nal.data;
  auto rewritten =
      with_idr_pic_id(nal, parsed_sps_, parsed_pps_, static_cast<std::uint16_t>(wanted_idr_pic_id_));
  return rewritten ? keep(std::move(*rewritten)) : nal.data;
}

std::vector<Bytes> AccessUnitWriter::assemble(const Input &input) {
  kept_.clear();
  look_at_slices(*input.nals, input.idr);
  std::vector<Bytes> units;
  if (format_.access_unit_delimiter) units.push_back(keep(write_access_unit_delimiter(input.idr)));
  if (input.idr && (!format_.avc || input.all_headers)) {
    units.push_back(sps_);
    units.push_back(pps_);
  }
  if (input.sei && !input.sei->empty()) units.push_back(keep(write_sei(*input.sei)));
  for (const Nal &nal : *input.nals) {
    if (nal.type() == NalType::sps || nal.type() == NalType::pps) continue;
    units.push_back(nal.type() == NalType::idr_slice ? idr_slice(nal) : nal.data);
  }
  return units;
}

std::size_t AccessUnitWriter::size_of(const std::vector<Bytes> &units) {
  std::size_t size = 0;
  for (const Bytes unit : units)
    size += 4 + unit.size(); // a start code is as long as a length
  return size;
}

void AccessUnitWriter::write(const std::vector<Bytes> &units, std::uint8_t *out) const {
  for (const Bytes unit : units) {
    store_be(out, 4, format_.avc ? unit.size() : 1);
    std::memcpy(out + 4, unit.data(), unit.size());
    out += 4 + unit.size();
  }
}

} // namespace hull::h264
