#pragma once

#include "gst/core/fields.h"
#include "gst/core/result.h"
#include "gst/h264/nal.h"

#include <array>
#include <optional>

namespace hull::h264 {

/// scaling_list(), 7.3.2.1.1.1, as its deltas stand in the stream.
struct ScalingList {
  bool present = false;
  std::vector<std::int16_t> delta_scale;
  void fields(Fields &f, unsigned size);
};

/// hrd_parameters(), E.1.2.
struct Hrd {
  struct SchedSel {
    std::uint32_t bit_rate_value_minus1 = 0;
    std::uint32_t cpb_size_value_minus1 = 0;
    bool cbr_flag = false;
    void fields(Fields &f);
  };
  std::vector<SchedSel> sched_sel = std::vector<SchedSel>(1);
  std::uint8_t bit_rate_scale = 0;
  std::uint8_t cpb_size_scale = 0;
  std::uint8_t initial_cpb_removal_delay_length_minus1 = 23;
  std::uint8_t cpb_removal_delay_length_minus1 = 23;
  std::uint8_t dpb_output_delay_length_minus1 = 23;
  std::uint8_t time_offset_length = 24;
  void fields(Fields &f);
};

/// vui_parameters(), E.1.1; the initial values are the inferred ones.
struct Vui {
  bool aspect_ratio_info_present_flag = false;
  std::uint8_t aspect_ratio_idc = 0;
  std::uint16_t sar_width = 0;
  std::uint16_t sar_height = 0;
  bool overscan_info_present_flag = false;
  bool overscan_appropriate_flag = false;
  bool video_signal_type_present_flag = false;
  std::uint8_t video_format = 5;
  bool video_full_range_flag = false;
  bool colour_description_present_flag = false;
  std::uint8_t colour_primaries = 2;
  std::uint8_t transfer_characteristics = 2;
  std::uint8_t matrix_coefficients = 2;
  bool chroma_loc_info_present_flag = false;
  std::uint8_t chroma_sample_loc_type_top_field = 0;
  std::uint8_t chroma_sample_loc_type_bottom_field = 0;
  bool timing_info_present_flag = false;
  std::uint32_t num_units_in_tick = 0;
  std::uint32_t time_scale = 0;
  bool fixed_frame_rate_flag = false;
  bool nal_hrd_parameters_present_flag = false;
  Hrd nal_hrd;
  bool vcl_hrd_parameters_present_flag = false;
  Hrd vcl_hrd;
  bool low_delay_hrd_flag = false;
  bool pic_struct_present_flag = false;
  bool bitstream_restriction_flag = false;
  bool motion_vectors_over_pic_boundaries_flag = true;
  std::uint8_t max_bytes_per_pic_denom = 2;
  std::uint8_t max_bits_per_mb_denom = 1;
  std::uint8_t log2_max_mv_length_horizontal = 16;
  std::uint8_t log2_max_mv_length_vertical = 16;
  std::uint8_t max_num_reorder_frames = 0;
  std::uint8_t max_dec_frame_buffering = 0;
  void fields(Fields &f);
};

/// A ratio; {0, 0} means unspecified.
struct Ratio {
  std::uint32_t num = 0, den = 0;
  bool operator==(const Ratio &) const = default;
};

/// seq_parameter_set_data(), 7.3.2.1.1.
struct Sps {
  std::uint8_t profile_idc = 66;
  std::uint8_t constraint_flags = 0; ///< constraint_set0_flag is bit 7 … constraint_set5_flag bit 2
  std::uint8_t level_idc = 10;
  std::uint8_t seq_parameter_set_id = 0;
  std::uint8_t chroma_format_idc = 1;
  bool separate_colour_plane_flag = false;
  std::uint8_t bit_depth_luma_minus8 = 0;
  std::uint8_t bit_depth_chroma_minus8 = 0;
  bool qpprime_y_zero_transform_bypass_flag = false;
  bool seq_scaling_matrix_present_flag = false;
  std::array<ScalingList, 12> scaling_list;
  std::uint8_t log2_max_frame_num_minus4 = 0;
  std::uint8_t pic_order_cnt_type = 0;
  std::uint8_t log2_max_pic_order_cnt_lsb_minus4 = 0;
  bool delta_pic_order_always_zero_flag = false;
  std::int32_t offset_for_non_ref_pic = 0;
  std::int32_t offset_for_top_to_bottom_field = 0;
  std::vector<std::int32_t> offset_for_ref_frame;
  std::uint8_t max_num_ref_frames = 0;
  bool gaps_in_frame_num_value_allowed_flag = false;
  std::uint16_t pic_width_in_mbs_minus1 = 0;
  std::uint16_t pic_height_in_map_units_minus1 = 0;
  bool frame_mbs_only_flag = true;
  bool mb_adaptive_frame_field_flag = false;
  bool direct_8x8_inference_flag = false;
  bool frame_cropping_flag = false;
  std::uint16_t frame_crop_left_offset = 0;
  std::uint16_t frame_crop_right_offset = 0;
  std::uint16_t frame_crop_top_offset = 0;
  std::uint16_t frame_crop_bottom_offset = 0;
  bool vui_parameters_present_flag = false;
  Vui vui;
  void fields(Fields &f);

  /// Whether the syntax elements of the High profiles are there, 7.3.2.1.1.
  bool has_chroma_format() const;
  bool constraint_set(unsigned n) const { return constraint_flags >> (7 - n) & 1; }
  unsigned chroma_array_type() const { return separate_colour_plane_flag ? 0 : chroma_format_idc; }
  std::uint32_t coded_width() const { return (pic_width_in_mbs_minus1 + 1u) * 16; }
  std::uint32_t coded_height() const {
    return (pic_height_in_map_units_minus1 + 1u) * (frame_mbs_only_flag ? 16 : 32);
  }
  std::uint32_t width() const;  ///< after cropping, 0 when the crop takes everything
  std::uint32_t height() const; ///< as width
  std::uint32_t frame_size_in_mbs() const { return coded_width() / 16 * (coded_height() / 16); }
  /// Pixel aspect ratio, table E-1.
  Ratio sample_aspect_ratio() const;
  /// Frames per second from timing_info (two ticks per frame).
  Ratio frame_rate() const;
  /// MaxDpbFrames, A.3.1 h.
  unsigned max_dpb_frames() const;
  /// Frames a conforming decoder may hold back before it must put one out: max_num_reorder_frames, or what is
  /// inferred for it (E.2.1); 0 when the picture order equals the decoding order by its type.
  unsigned reorder_frames() const;
  /// Whether reorder_frames() is what the stream says, and not just what its level allows.
  bool order_is_known() const;

  // Not syntax: the VUI is not read, for sets that are damaged only there.
  bool ignores_vui = false;
};

/// pic_parameter_set_rbsp(), 7.3.2.2.
struct Pps {
  struct Group { ///< one slice group of map type 0 or 2
    std::uint32_t run_length_minus1 = 0, top_left = 0, bottom_right = 0;
  };
  std::uint8_t pic_parameter_set_id = 0;
  std::uint8_t seq_parameter_set_id = 0;
  bool entropy_coding_mode_flag = false;
  bool bottom_field_pic_order_in_frame_present_flag = false;
  std::uint8_t num_slice_groups_minus1 = 0;
  std::uint8_t slice_group_map_type = 0;
  std::array<Group, 8> slice_group;
  bool slice_group_change_direction_flag = false;
  std::uint32_t slice_group_change_rate_minus1 = 0;
  std::vector<std::uint8_t> slice_group_id;
  std::uint8_t num_ref_idx_l0_default_active_minus1 = 0;
  std::uint8_t num_ref_idx_l1_default_active_minus1 = 0;
  bool weighted_pred_flag = false;
  std::uint8_t weighted_bipred_idc = 0;
  std::int8_t pic_init_qp_minus26 = 0;
  std::int8_t pic_init_qs_minus26 = 0;
  std::int8_t chroma_qp_index_offset = 0;
  bool deblocking_filter_control_present_flag = false;
  bool constrained_intra_pred_flag = false;
  bool redundant_pic_cnt_present_flag = false;
  bool has_extension = false; ///< more_rbsp_data() was true after the base part
  bool transform_8x8_mode_flag = false;
  bool pic_scaling_matrix_present_flag = false;
  std::array<ScalingList, 12> scaling_list;
  std::int8_t second_chroma_qp_index_offset = 0;
  void fields(Fields &f);

  // Not syntax: what a reader must know before it starts.
  std::uint64_t rbsp_bits = 0;        ///< bits before the trailing ones: more_rbsp_data() compares with it
  std::uint8_t chroma_format_idc = 1; ///< of the SPS: it sets the number of scaling lists

 private:
  void slice_groups(Fields &f);
};

/// Reads a whole NAL unit; the error says which element broke.
Result<Sps> parse_sps(const Nal &nal);
/// The same for a decoder: a VUI that cannot be read is left out.
Result<Sps> parse_sps_to_decode(const Nal &nal);
/// `sps` is the set the PPS refers to; without it 4:2:0 is assumed.
Result<Pps> parse_pps(const Nal &nal, const Sps *sps = nullptr);

/// A whole NAL unit (header byte, emulation prevention). Fails when a value does not fit its field.
Result<ByteVector> write_sps(Sps sps);
Result<ByteVector> write_pps(Pps pps);

/// aspect_ratio_idc of a pixel aspect ratio, table E-1; 255 (Extended_SAR) for all others.
std::uint8_t aspect_ratio_idc_of(Ratio ratio);

/// What in this sequence OpenH264-like decoders (progressive, 8-bit, 4:2:0 or grey, lossy) cannot decode, as
/// words for a message ("interlaced pictures"); nullopt when they can.
std::optional<std::string> beyond_progressive_420_8bit(const Sps &sps);

} // namespace hull::h264
