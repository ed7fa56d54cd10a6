#pragma once

#include "gst/core/fields.h"
#include "gst/h264/params.h"

#include <vector>

namespace hull::h264 {

/// slice_type modulo 5, table 7-6.
enum class SliceType : std::uint8_t { p = 0, b = 1, i = 2, sp = 3, si = 4 };

/// slice_header(), 7.3.3, with what it needs from its NAL unit and parameter sets.
struct SliceHeader {
  struct Modification { ///< ref_pic_list_modification(), one entry
    std::uint8_t modification_of_pic_nums_idc = 0;
    std::uint32_t value = 0; ///< abs_diff_pic_num_minus1 or long_term_pic_num
  };
  struct Weight { ///< pred_weight_table(), one reference
    bool luma_weight_flag = false, chroma_weight_flag = false;
    std::int16_t luma_weight = 0, luma_offset = 0;
    std::array<std::int16_t, 2> chroma_weight{}, chroma_offset{};
  };
  struct Marking { ///< dec_ref_pic_marking(), one operation
    std::uint8_t memory_management_control_operation = 0;
    std::uint32_t difference_of_pic_nums_minus1 = 0;
    std::uint32_t long_term_pic_num = 0;
    std::uint32_t long_term_frame_idx = 0;
    std::uint32_t max_long_term_frame_idx_plus1 = 0;
  };

  SliceHeader(const Sps &sps, const Pps &pps, NalType type, unsigned ref_idc)
      : sps_(&sps), pps_(&pps), nal_unit_type(type), nal_ref_idc(ref_idc) {}

 private:
  const Sps *sps_;
  const Pps *pps_;

 public:
  NalType nal_unit_type;
  unsigned nal_ref_idc;

  std::uint32_t first_mb_in_slice = 0;
  std::uint8_t slice_type = 7;
  std::uint8_t pic_parameter_set_id = 0;
  std::uint8_t colour_plane_id = 0;
  std::uint32_t frame_num = 0;
  bool field_pic_flag = false;
  bool bottom_field_flag = false;
  std::uint16_t idr_pic_id = 0;
  std::uint32_t pic_order_cnt_lsb = 0;
  std::int32_t delta_pic_order_cnt_bottom = 0;
  std::array<std::int32_t, 2> delta_pic_order_cnt{};
  std::uint8_t redundant_pic_cnt = 0;
  bool direct_spatial_mv_pred_flag = false;
  bool num_ref_idx_active_override_flag = false;
  std::array<std::uint8_t, 2> num_ref_idx_active_minus1{};
  std::array<bool, 2> ref_pic_list_modification_flag{};
  std::array<std::vector<Modification>, 2> modifications;
  std::uint8_t luma_log2_weight_denom = 0;
  std::uint8_t chroma_log2_weight_denom = 0;
  std::array<std::vector<Weight>, 2> weights;
  bool no_output_of_prior_pics_flag = false;
  bool long_term_reference_flag = false;
  bool adaptive_ref_pic_marking_mode_flag = false;
  std::vector<Marking> markings;
  std::uint8_t cabac_init_idc = 0;
  std::int8_t slice_qp_delta = 0;
  bool sp_for_switch_flag = false;
  std::int8_t slice_qs_delta = 0;
  std::uint8_t disable_deblocking_filter_idc = 0;
  std::int8_t slice_alpha_c0_offset_div2 = 0;
  std::int8_t slice_beta_offset_div2 = 0;
  std::uint32_t slice_group_change_cycle = 0;

  // Not syntax, set while visiting: where idr_pic_id stands, in bits from the start of the header.
  std::uint64_t idr_pic_id_position = 0;

  SliceType type() const { return static_cast<SliceType>(slice_type % 5); }
  bool is_idr() const { return nal_unit_type == NalType::idr_slice; }
  const Sps &sps() const { return *sps_; }
  const Pps &pps() const { return *pps_; }
  /// memory_management_control_operation 5: the picture ends a sequence as an IDR picture would.
  bool clears_references() const;
  /// SliceQPY, 7-30: the luma quantizer the slice starts with.
  int qp() const { return 26 + pps_->pic_init_qp_minus26 + slice_qp_delta; }
  void fields(Fields &f);

 private:
  void picture_order(Fields &f);
  void list_modification(Fields &f, unsigned list);
  void pred_weight_table(Fields &f);
  void reference_marking(Fields &f);
};

/// Reads the header of a slice NAL unit; `bits` gets the header's length when it is not null.
Result<SliceHeader> parse_slice_header(const Nal &nal, const Sps &sps, const Pps &pps,
                                       std::uint64_t *bits = nullptr);

/// pic_parameter_set_id of a slice, to find its sets before the header can be read; ~0u when damaged.
std::uint32_t slice_pps_id(const Nal &nal);

/// Whether a slice is an I or SI slice, from the first bytes of its header; false when damaged.
bool is_intra_slice(const Nal &nal);

/// The same slice with another idr_pic_id. The slice data moves by whole bits (CAVLC) or is aligned anew
/// (CABAC) and stays what it was. For joining independently coded sequences: 7.4.3 wants two consecutive IDR
/// pictures to differ in idr_pic_id.
Result<ByteVector> with_idr_pic_id(const Nal &nal, const Sps &sps, const Pps &pps, std::uint16_t idr_pic_id);

} // namespace hull::h264
