#include "gst/h264/params.h"

#include "gst/h264/level.h"

#include <algorithm>
#include <numeric>

namespace hull::h264 {
namespace {

// H.264 table E-1, sample aspect ratios by aspect_ratio_idc.
constexpr Ratio kAspectRatios[] = {{0, 0},   {1, 1},    {12, 11}, {10, 11}, {16, 11}, {40, 33},
                                   {24, 11}, {20, 11},  {32, 11}, {80, 33}, {18, 11}, {15, 11},
                                   {64, 33}, {160, 99}, {4, 3},   {3, 2},   {2, 1}};
constexpr std::uint8_t kExtendedSar = 255;

template <class T> Result<T> read_rbsp(const Nal &nal, T value, const char *what) {
  const ByteVector rbsp = unescape(nal.data.subspan(1));
  if constexpr (requires { value.rbsp_bits; }) value.rbsp_bits = payload_bits(rbsp);
  Reader reader(rbsp);
  value.fields(reader);
  if (!reader.ok()) {
    Error error = reader.error();
    error.text = std::string("The ") + what + " is damaged: " + error.text + ".";
    return tl::unexpected(std::move(error));
  }
  return value;
}

template <class T> Result<ByteVector> write_rbsp(std::uint8_t header, T &value) {
  Writer writer;
  value.fields(writer);
  if (!writer.ok()) return tl::unexpected(writer.error());
  writer.out().rbsp_trailing();
  return escape(header, writer.out().data());
}

} // namespace

void ScalingList::fields(Fields &f, unsigned size) {
  f.flag("scaling_list_present_flag", present);
  if (!present) return;
  int last = 8, next = 8;
  std::size_t used = 0;
  for (unsigned j = 0; j < size && next != 0; ++j) {
    if (used == delta_scale.size()) delta_scale.push_back(0);
    f.se("delta_scale", delta_scale[used], -128, 127);
    next = (last + delta_scale[used++] + 256) % 256;
    if (next != 0) last = next;
  }
  delta_scale.resize(used);
}

void Hrd::SchedSel::fields(Fields &f) {
  f.ue("bit_rate_value_minus1", bit_rate_value_minus1);
  f.ue("cpb_size_value_minus1", cpb_size_value_minus1);
  f.flag("cbr_flag", cbr_flag);
}

void Hrd::fields(Fields &f) {
  auto cpb_cnt_minus1 = static_cast<std::uint8_t>(std::max<std::size_t>(sched_sel.size(), 1) - 1);
  f.ue("cpb_cnt_minus1", cpb_cnt_minus1, 31);
  f.u("bit_rate_scale", 4, bit_rate_scale);
  f.u("cpb_size_scale", 4, cpb_size_scale);
  sched_sel.resize(cpb_cnt_minus1 + 1u);
  for (SchedSel &entry : sched_sel)
    f.group("sched_sel", entry);
  f.u("initial_cpb_removal_delay_length_minus1", 5, initial_cpb_removal_delay_length_minus1);
  f.u("cpb_removal_delay_length_minus1", 5, cpb_removal_delay_length_minus1);
  f.u("dpb_output_delay_length_minus1", 5, dpb_output_delay_length_minus1);
  f.u("time_offset_length", 5, time_offset_length);
}

void Vui::fields(Fields &f) {
  f.flag("aspect_ratio_info_present_flag", aspect_ratio_info_present_flag);
  if (aspect_ratio_info_present_flag) {
    f.u("aspect_ratio_idc", 8, aspect_ratio_idc);
    if (aspect_ratio_idc == kExtendedSar) {
      f.u("sar_width", 16, sar_width);
      f.u("sar_height", 16, sar_height);
    }
  }
  f.flag("overscan_info_present_flag", overscan_info_present_flag);
  if (overscan_info_present_flag) f.flag("overscan_appropriate_flag", overscan_appropriate_flag);
  f.flag("video_signal_type_present_flag", video_signal_type_present_flag);
  if (video_signal_type_present_flag) {
    f.u("video_format", 3, video_format);
    f.flag("video_full_range_flag", video_full_range_flag);
    f.flag("colour_description_present_flag", colour_description_present_flag);
    if (colour_description_present_flag) {
      f.u("colour_primaries", 8, colour_primaries);
      f.u("transfer_characteristics", 8, transfer_characteristics);
      f.u("matrix_coefficients", 8, matrix_coefficients);
    }
  }
  f.flag("chroma_loc_info_present_flag", chroma_loc_info_present_flag);
  if (chroma_loc_info_present_flag) {
    f.ue("chroma_sample_loc_type_top_field", chroma_sample_loc_type_top_field, 5);
    f.ue("chroma_sample_loc_type_bottom_field", chroma_sample_loc_type_bottom_field, 5);
  }
  f.flag("timing_info_present_flag", timing_info_present_flag);
  if (timing_info_present_flag) {
    f.u("num_units_in_tick", 32, num_units_in_tick);
    f.u("time_scale", 32, time_scale);
    f.flag("fixed_frame_rate_flag", fixed_frame_rate_flag);
  }
  f.flag("nal_hrd_parameters_present_flag", nal_hrd_parameters_present_flag);
  if (nal_hrd_parameters_present_flag) f.group("nal_hrd_parameters", nal_hrd);
  f.flag("vcl_hrd_parameters_present_flag", vcl_hrd_parameters_present_flag);
  if (vcl_hrd_parameters_present_flag) f.group("vcl_hrd_parameters", vcl_hrd);
  if (nal_hrd_parameters_present_flag || vcl_hrd_parameters_present_flag)
    f.flag("low_delay_hrd_flag", low_delay_hrd_flag);
  f.flag("pic_struct_present_flag", pic_struct_present_flag);
  f.flag("bitstream_restriction_flag", bitstream_restriction_flag);
  if (bitstream_restriction_flag) {
    f.flag("motion_vectors_over_pic_boundaries_flag", motion_vectors_over_pic_boundaries_flag);
    f.ue("max_bytes_per_pic_denom", max_bytes_per_pic_denom, 16);
    f.ue("max_bits_per_mb_denom", max_bits_per_mb_denom, 16);
    // The standard says at most 15 for the two; streams with 16 are common and mean the same.
    f.ue("log2_max_mv_length_horizontal", log2_max_mv_length_horizontal, 16);
    f.ue("log2_max_mv_length_vertical", log2_max_mv_length_vertical, 16);
    f.ue("max_num_reorder_frames", max_num_reorder_frames, 16);
    f.ue("max_dec_frame_buffering", max_dec_frame_buffering, 16);
  }
}

bool Sps::has_chroma_format() const {
  switch (profile_idc) {
  case 44:
  case 83:
  case 86:
  case 100:
  case 110:
  case 118:
  case 122:
  case 128:
  case 134:
  case 135:
  case 138:
  case 139:
  case 244:
    return true;
  default:
    return false;
  }
}

void Sps::fields(Fields &f) {
  f.u("profile_idc", 8, profile_idc);
  f.u("constraint_set_flags", 8, constraint_flags);
  f.u("level_idc", 8, level_idc);
  f.ue("seq_parameter_set_id", seq_parameter_set_id, 31);
  if (has_chroma_format()) {
    f.ue("chroma_format_idc", chroma_format_idc, 3);
    if (chroma_format_idc == 3) f.flag("separate_colour_plane_flag", separate_colour_plane_flag);
    f.ue("bit_depth_luma_minus8", bit_depth_luma_minus8, 6);
    f.ue("bit_depth_chroma_minus8", bit_depth_chroma_minus8, 6);
    f.flag("qpprime_y_zero_transform_bypass_flag", qpprime_y_zero_transform_bypass_flag);
    f.flag("seq_scaling_matrix_present_flag", seq_scaling_matrix_present_flag);
    if (seq_scaling_matrix_present_flag) {
      for (unsigned i = 0; i < (chroma_format_idc == 3 ? 12u : 8u); ++i)
        scaling_list[i].fields(f, i < 6 ? 16 : 64);
    }
  }
  f.ue("log2_max_frame_num_minus4", log2_max_frame_num_minus4, 12);
  f.ue("pic_order_cnt_type", pic_order_cnt_type, 2);
  if (pic_order_cnt_type == 0) {
    f.ue("log2_max_pic_order_cnt_lsb_minus4", log2_max_pic_order_cnt_lsb_minus4, 12);
  } else if (pic_order_cnt_type == 1) {
    f.flag("delta_pic_order_always_zero_flag", delta_pic_order_always_zero_flag);
    f.se("offset_for_non_ref_pic", offset_for_non_ref_pic);
    f.se("offset_for_top_to_bottom_field", offset_for_top_to_bottom_field);
    auto cycle = static_cast<std::uint32_t>(offset_for_ref_frame.size());
    f.ue("num_ref_frames_in_pic_order_cnt_cycle", cycle, 255);
    offset_for_ref_frame.resize(cycle);
    for (std::int32_t &offset : offset_for_ref_frame)
      f.se("offset_for_ref_frame", offset);
  }
  f.ue("max_num_ref_frames", max_num_ref_frames, 16);
  f.flag("gaps_in_frame_num_value_allowed_flag", gaps_in_frame_num_value_allowed_flag);
  // 1055 macroblocks: the square root of eight times the frame size of level 6.2.
  f.ue("pic_width_in_mbs_minus1", pic_width_in_mbs_minus1, 1055);
  f.ue("pic_height_in_map_units_minus1", pic_height_in_map_units_minus1, 1055);
  f.flag("frame_mbs_only_flag", frame_mbs_only_flag);
  if (!frame_mbs_only_flag) f.flag("mb_adaptive_frame_field_flag", mb_adaptive_frame_field_flag);
  f.flag("direct_8x8_inference_flag", direct_8x8_inference_flag);
  f.flag("frame_cropping_flag", frame_cropping_flag);
  if (frame_cropping_flag) {
    f.ue("frame_crop_left_offset", frame_crop_left_offset);
    f.ue("frame_crop_right_offset", frame_crop_right_offset);
    f.ue("frame_crop_top_offset", frame_crop_top_offset);
    f.ue("frame_crop_bottom_offset", frame_crop_bottom_offset);
  }
  f.flag("vui_parameters_present_flag", vui_parameters_present_flag);
  if (ignores_vui) vui_parameters_present_flag = false;
  if (vui_parameters_present_flag) f.group("vui_parameters", vui);
}

std::uint32_t Sps::width() const {
  const unsigned unit = chroma_array_type() == 1 || chroma_array_type() == 2 ? 2 : 1;
  const std::uint32_t crop = unit * (frame_crop_left_offset + std::uint32_t{frame_crop_right_offset});
  return crop < coded_width() ? coded_width() - crop : 0;
}

std::uint32_t Sps::height() const {
  const unsigned unit = (chroma_array_type() == 1 ? 2 : 1) * (frame_mbs_only_flag ? 1 : 2);
  const std::uint32_t crop = unit * (frame_crop_top_offset + std::uint32_t{frame_crop_bottom_offset});
  return crop < coded_height() ? coded_height() - crop : 0;
}

Ratio Sps::sample_aspect_ratio() const {
  if (!vui_parameters_present_flag || !vui.aspect_ratio_info_present_flag) return {};
  if (vui.aspect_ratio_idc == kExtendedSar) {
    if (vui.sar_width == 0 || vui.sar_height == 0) return {};
    return {vui.sar_width, vui.sar_height};
  }
  return vui.aspect_ratio_idc < std::size(kAspectRatios) ? kAspectRatios[vui.aspect_ratio_idc] : Ratio{};
}

Ratio Sps::frame_rate() const {
  if (!vui_parameters_present_flag || !vui.timing_info_present_flag) return {};
  if (vui.num_units_in_tick == 0 || vui.time_scale == 0) return {};
  const std::uint64_t num = vui.time_scale, den = std::uint64_t{vui.num_units_in_tick} * 2;
  const std::uint64_t common = std::gcd(num, den);
  if (den / common > 0xffffffffu) return {};
  return {static_cast<std::uint32_t>(num / common), static_cast<std::uint32_t>(den / common)};
}

unsigned Sps::max_dpb_frames() const {
  const Level *level = level_of(level_idc, profile_idc < 100 && constraint_set(3));
  if (!level) return 16;
  return std::min(16u, level->max_dpb_mbs / std::max(1u, frame_size_in_mbs()));
}

bool Sps::order_is_known() const {
  if (pic_order_cnt_type == 2) return true;
  if (vui_parameters_present_flag && vui.bitstream_restriction_flag) return true;
  // No B slices, and order changes are of no use without them; constraint_set0_flag promises the same.
  if (profile_idc == 66 || (profile_idc < 100 && constraint_set(0))) return true;
  const bool intra_only = profile_idc == 44 || profile_idc == 86 || profile_idc == 100 ||
                          profile_idc == 110 || profile_idc == 122 || profile_idc == 244;
  return intra_only && constraint_set(3);
}

unsigned Sps::reorder_frames() const {
  if (pic_order_cnt_type == 2) return 0;
  if (vui_parameters_present_flag && vui.bitstream_restriction_flag) return vui.max_num_reorder_frames;
  return order_is_known() ? 0 : max_dpb_frames();
}

void Pps::slice_groups(Fields &f) {
  if (num_slice_groups_minus1 >= slice_group.size()) return f.fail("more than 8 slice groups");
  f.ue("slice_group_map_type", slice_group_map_type, 6);
  if (slice_group_map_type == 0) {
    for (unsigned i = 0; i <= num_slice_groups_minus1; ++i)
      f.ue("run_length_minus1", slice_group[i].run_length_minus1);
  } else if (slice_group_map_type == 2) {
    for (unsigned i = 0; i < num_slice_groups_minus1; ++i) {
      f.ue("top_left", slice_group[i].top_left);
      f.ue("bottom_right", slice_group[i].bottom_right);
    }
  } else if (slice_group_map_type >= 3 && slice_group_map_type <= 5) {
    f.flag("slice_group_change_direction_flag", slice_group_change_direction_flag);
    f.ue("slice_group_change_rate_minus1", slice_group_change_rate_minus1);
  } else if (slice_group_map_type == 6) {
    auto units = static_cast<std::uint32_t>(std::max<std::size_t>(slice_group_id.size(), 1) - 1);
    f.ue("pic_size_in_map_units_minus1", units, 139263);
    const unsigned width = num_slice_groups_minus1 > 3 ? 3 : num_slice_groups_minus1 > 1 ? 2 : 1;
    if (f.remaining() > 0 && (units + 1ull) * width > f.remaining())
      return f.fail("slice_group_id runs past the end of the picture parameter set");
    slice_group_id.resize(units + 1);
    for (std::uint8_t &id : slice_group_id)
      f.u("slice_group_id", width, id);
  }
}

void Pps::fields(Fields &f) {
  f.ue("pic_parameter_set_id", pic_parameter_set_id, 255);
  f.ue("seq_parameter_set_id", seq_parameter_set_id, 31);
  f.flag("entropy_coding_mode_flag", entropy_coding_mode_flag);
  f.flag("bottom_field_pic_order_in_frame_present_flag", bottom_field_pic_order_in_frame_present_flag);
  f.ue("num_slice_groups_minus1", num_slice_groups_minus1, 7);
  if (num_slice_groups_minus1 > 0) slice_groups(f);
  f.ue("num_ref_idx_l0_default_active_minus1", num_ref_idx_l0_default_active_minus1, 31);
  f.ue("num_ref_idx_l1_default_active_minus1", num_ref_idx_l1_default_active_minus1, 31);
  f.flag("weighted_pred_flag", weighted_pred_flag);
  f.u("weighted_bipred_idc", 2, weighted_bipred_idc);
  f.se("pic_init_qp_minus26", pic_init_qp_minus26, -62, 25);
  f.se("pic_init_qs_minus26", pic_init_qs_minus26, -26, 25);
  f.se("chroma_qp_index_offset", chroma_qp_index_offset, -12, 12);
  f.flag("deblocking_filter_control_present_flag", deblocking_filter_control_present_flag);
  f.flag("constrained_intra_pred_flag", constrained_intra_pred_flag);
  f.flag("redundant_pic_cnt_present_flag", redundant_pic_cnt_present_flag);
  if (f.reading()) has_extension = f.position() < rbsp_bits;
  if (!has_extension) return f.infer(second_chroma_qp_index_offset, chroma_qp_index_offset);
  f.flag("transform_8x8_mode_flag", transform_8x8_mode_flag);
  f.flag("pic_scaling_matrix_present_flag", pic_scaling_matrix_present_flag);
  if (pic_scaling_matrix_present_flag) {
    const unsigned large = !transform_8x8_mode_flag ? 0 : chroma_format_idc == 3 ? 6 : 2;
    for (unsigned i = 0; i < 6 + large; ++i)
      scaling_list[i].fields(f, i < 6 ? 16 : 64);
  }
  f.se("second_chroma_qp_index_offset", second_chroma_qp_index_offset, -12, 12);
}

Result<Sps> parse_sps(const Nal &nal) {
  return read_rbsp(nal, Sps{}, "sequence parameter set");
}

Result<Sps> parse_sps_to_decode(const Nal &nal) {
  auto whole = parse_sps(nal);
  if (whole) return whole;
  Sps without;
  without.ignores_vui = true;
  auto read = read_rbsp(nal, std::move(without), "sequence parameter set");
  return read ? read : whole;
}

Result<Pps> parse_pps(const Nal &nal, const Sps *sps) {
  Pps pps;
  if (sps) pps.chroma_format_idc = sps->chroma_format_idc;
  return read_rbsp(nal, std::move(pps), "picture parameter set");
}

Result<ByteVector> write_sps(Sps sps) {
  return write_rbsp(0x67, sps);
}

Result<ByteVector> write_pps(Pps pps) {
  return write_rbsp(0x68, pps);
}

std::uint8_t aspect_ratio_idc_of(Ratio ratio) {
  for (std::size_t i = 1; i < std::size(kAspectRatios); ++i)
    if (std::uint64_t{kAspectRatios[i].num} * ratio.den == std::uint64_t{ratio.num} * kAspectRatios[i].den)
      return static_cast<std::uint8_t>(i);
  return kExtendedSar;
}

std::optional<std::string> beyond_progressive_420_8bit(const Sps &sps) {
  if (!sps.frame_mbs_only_flag) return "interlaced coding tools (frame_mbs_only_flag = 0)";
  if (sps.bit_depth_luma_minus8 > 0 || sps.bit_depth_chroma_minus8 > 0)
    return std::to_string(8 + std::max(sps.bit_depth_luma_minus8, sps.bit_depth_chroma_minus8)) +
           "-bit samples";
  if (sps.chroma_format_idc == 2) return "4:2:2 chroma";
  if (sps.chroma_format_idc == 3) return "4:4:4 chroma";
  if (sps.qpprime_y_zero_transform_bypass_flag) return "lossless coding (transform bypass)";
  if (sps.profile_idc == 88) return "the Extended profile";
  return std::nullopt;
}

} // namespace hull::h264
