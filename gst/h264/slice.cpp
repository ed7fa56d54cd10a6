#include "gst/h264/slice.h"

#include <algorithm>
#include <bit>

namespace hull::h264 {
namespace {

// A slice header with every list full is a little above 500 bytes; slice data behind it need not be read.
constexpr std::size_t kHeaderBytes = 1024;
constexpr std::size_t kMaxOperations = 66; // two per frame or field of a full picture buffer

bool inter(SliceType type) {
  return type == SliceType::p || type == SliceType::sp || type == SliceType::b;
}

} // namespace

void SliceHeader::fields(Fields &f) {
  f.ue("first_mb_in_slice", first_mb_in_slice, 139263);
  f.ue("slice_type", slice_type, 9);
  f.ue("pic_parameter_set_id", pic_parameter_set_id, 255);
  if (sps_->separate_colour_plane_flag) f.u("colour_plane_id", 2, colour_plane_id);
  f.u("frame_num", sps_->log2_max_frame_num_minus4 + 4u, frame_num);
  if (!sps_->frame_mbs_only_flag) {
    f.flag("field_pic_flag", field_pic_flag);
    if (field_pic_flag) f.flag("bottom_field_flag", bottom_field_flag);
  }
  if (is_idr()) {
    idr_pic_id_position = f.position();
    f.ue("idr_pic_id", idr_pic_id, 65535);
  }
  picture_order(f);
  if (pps_->redundant_pic_cnt_present_flag) f.ue("redundant_pic_cnt", redundant_pic_cnt, 127);
  if (type() == SliceType::b) f.flag("direct_spatial_mv_pred_flag", direct_spatial_mv_pred_flag);
  if (inter(type())) {
    f.infer(num_ref_idx_active_minus1[0], pps_->num_ref_idx_l0_default_active_minus1);
    f.infer(num_ref_idx_active_minus1[1], pps_->num_ref_idx_l1_default_active_minus1);
    f.flag("num_ref_idx_active_override_flag", num_ref_idx_active_override_flag);
    if (num_ref_idx_active_override_flag) {
      f.ue("num_ref_idx_l0_active_minus1", num_ref_idx_active_minus1[0], 31);
      if (type() == SliceType::b) f.ue("num_ref_idx_l1_active_minus1", num_ref_idx_active_minus1[1], 31);
    }
    list_modification(f, 0);
    if (type() == SliceType::b) list_modification(f, 1);
    const bool weighted = type() == SliceType::b ? pps_->weighted_bipred_idc == 1 : pps_->weighted_pred_flag;
    if (weighted) pred_weight_table(f);
  }
  if (nal_ref_idc != 0) reference_marking(f);
  if (pps_->entropy_coding_mode_flag && inter(type())) f.ue("cabac_init_idc", cabac_init_idc, 2);
  f.se("slice_qp_delta", slice_qp_delta, -87, 77);
  if (type() == SliceType::sp || type() == SliceType::si) {
    if (type() == SliceType::sp) f.flag("sp_for_switch_flag", sp_for_switch_flag);
    f.se("slice_qs_delta", slice_qs_delta, -51, 51);
  }
  if (pps_->deblocking_filter_control_present_flag) {
    f.ue("disable_deblocking_filter_idc", disable_deblocking_filter_idc, 2);
    if (disable_deblocking_filter_idc != 1) {
      f.se("slice_alpha_c0_offset_div2", slice_alpha_c0_offset_div2, -6, 6);
      f.se("slice_beta_offset_div2", slice_beta_offset_div2, -6, 6);
    }
  }
  if (pps_->num_slice_groups_minus1 > 0 && pps_->slice_group_map_type >= 3 &&
      pps_->slice_group_map_type <= 5) {
    // 7-35: Ceil(Log2(PicSizeInMapUnits / SliceGroupChangeRate + 1)) bits, the division rounded up.
    const std::uint64_t units =
        (sps_->pic_width_in_mbs_minus1 + 1ull) * (sps_->pic_height_in_map_units_minus1 + 1ull);
    const std::uint64_t rate = pps_->slice_group_change_rate_minus1 + 1ull;
    f.u("slice_group_change_cycle", static_cast<unsigned>(std::bit_width((units + rate - 1) / rate)),
        slice_group_change_cycle);
  }
}

bool SliceHeader::clears_references() const {
  return std::ranges::any_of(
      markings, [](const Marking &marking) { return marking.memory_management_control_operation == 5; });
}

void SliceHeader::picture_order(Fields &f) {
  const bool both = pps_->bottom_field_pic_order_in_frame_present_flag && !field_pic_flag;
  if (sps_->pic_order_cnt_type == 0) {
    f.u("pic_order_cnt_lsb", sps_->log2_max_pic_order_cnt_lsb_minus4 + 4u, pic_order_cnt_lsb);
    if (both) f.se("delta_pic_order_cnt_bottom", delta_pic_order_cnt_bottom);
  } else if (sps_->pic_order_cnt_type == 1 && !sps_->delta_pic_order_always_zero_flag) {
    f.se("delta_pic_order_cnt[0]", delta_pic_order_cnt[0]);
    if (both) f.se("delta_pic_order_cnt[1]", delta_pic_order_cnt[1]);
  }
}

void SliceHeader::list_modification(Fields &f, unsigned list) {
  bool flag = ref_pic_list_modification_flag[list];
  f.flag(list == 0 ? "ref_pic_list_modification_flag_l0" : "ref_pic_list_modification_flag_l1", flag);
  ref_pic_list_modification_flag[list] = flag;
  auto &entries = modifications[list];
  if (!flag) return entries.clear();
  if (f.reading()) entries.clear();
  for (std::size_t i = 0; f.ok(); ++i) {
    if (i == kMaxOperations) return f.fail("ref_pic_list_modification does not end");
    if (i == entries.size()) entries.push_back({3, 0});
    f.ue("modification_of_pic_nums_idc", entries[i].modification_of_pic_nums_idc, 5);
    if (entries[i].modification_of_pic_nums_idc == 3) return;
    f.ue(entries[i].modification_of_pic_nums_idc == 2 ? "long_term_pic_num" : "abs_diff_pic_num_minus1",
         entries[i].value);
  }
}

void SliceHeader::pred_weight_table(Fields &f) {
  f.ue("luma_log2_weight_denom", luma_log2_weight_denom, 7);
  const bool chroma = sps_->chroma_array_type() != 0;
  if (chroma) f.ue("chroma_log2_weight_denom", chroma_log2_weight_denom, 7);
  for (unsigned list = 0; list < (type() == SliceType::b ? 2u : 1u); ++list) {
    weights[list].resize(num_ref_idx_active_minus1[list] + 1u);
    for (Weight &w : weights[list]) {
      f.flag("luma_weight_flag", w.luma_weight_flag);
      if (w.luma_weight_flag) {
        f.se("luma_weight", w.luma_weight, -128, 127);
        f.se("luma_offset", w.luma_offset, -128, 127);
      }
      if (chroma) f.flag("chroma_weight_flag", w.chroma_weight_flag);
      for (unsigned c = 0; w.chroma_weight_flag && c < 2; ++c) {
        f.se("chroma_weight", w.chroma_weight[c], -128, 127);
        f.se("chroma_offset", w.chroma_offset[c], -128, 127);
      }
    }
  }
}

void SliceHeader::reference_marking(Fields &f) {
  if (is_idr()) {
    f.flag("no_output_of_prior_pics_flag", no_output_of_prior_pics_flag);
    f.flag("long_term_reference_flag", long_term_reference_flag);
    return;
  }
  f.flag("adaptive_ref_pic_marking_mode_flag", adaptive_ref_pic_marking_mode_flag);
  if (!adaptive_ref_pic_marking_mode_flag) return markings.clear();
  if (f.reading()) markings.clear();
  for (std::size_t i = 0; f.ok(); ++i) {
    if (i == kMaxOperations) return f.fail("dec_ref_pic_marking does not end");
    if (i == markings.size()) markings.emplace_back();
    Marking &m = markings[i];
    f.ue("memory_management_control_operation", m.memory_management_control_operation, 6);
    const unsigned operation = m.memory_management_control_operation;
    if (operation == 0) return;
    if (operation == 1 || operation == 3)
      f.ue("difference_of_pic_nums_minus1", m.difference_of_pic_nums_minus1);
    if (operation == 2) f.ue("long_term_pic_num", m.long_term_pic_num);
    if (operation == 3 || operation == 6) f.ue("long_term_frame_idx", m.long_term_frame_idx);
    if (operation == 4) f.ue("max_long_term_frame_idx_plus1", m.max_long_term_frame_idx_plus1);
  }
}

Result<SliceHeader> parse_slice_header(const Nal &nal, const Sps &sps, const Pps &pps, std::uint64_t *bits) {
  SliceHeader header(sps, pps, nal.type(), nal.ref_idc());
  const ByteVector rbsp = unescape(nal.data.subspan(1, std::min(nal.data.size() - 1, kHeaderBytes)));
  Reader reader(rbsp);
  header.fields(reader);
  if (!reader.ok()) return tl::unexpected(reader.error());
  if (bits) *bits = reader.position();
  return header;
}

std::uint32_t slice_pps_id(const Nal &nal) {
  const ByteVector head = unescape(nal.data.subspan(1, std::min<std::size_t>(nal.data.size() - 1, 16)));
  BitReader in(head);
  in.ue();
  in.ue();
  const std::uint64_t id = in.ue();
  return in.ok() && id < 256 ? static_cast<std::uint32_t>(id) : ~0u;
}

bool is_intra_slice(const Nal &nal) {
  const ByteVector head = unescape(nal.data.subspan(1, std::min<std::size_t>(nal.data.size() - 1, 16)));
  BitReader in(head);
  in.ue();
  const std::uint64_t type = in.ue();
  return in.ok() && (type % 5 == 2 || type % 5 == 4) && type < 10;
}

Result<ByteVector> with_idr_pic_id(const Nal &nal, const Sps &sps, const Pps &pps, std::uint16_t idr_pic_id) {
  std::uint64_t header_bits = 0;
  auto header = parse_slice_header(nal, sps, pps, &header_bits);
  if (!header) return tl::unexpected(header.error());
  if (!header->is_idr()) return fail(ErrorCode::bad_data, "only slices of IDR pictures have an idr_pic_id");
  const ByteVector rbsp = unescape(nal.data.subspan(1));
  const std::uint64_t end = payload_bits(rbsp);
  if (end < header_bits) return fail(ErrorCode::bad_data, "the slice ends inside its header");
  header->idr_pic_id = idr_pic_id;
  Writer writer;
  header->fields(writer);
  if (!writer.ok()) return tl::unexpected(writer.error());
  BitWriter &out = writer.out();
  if (pps.entropy_coding_mode_flag) {
    while (out.position() % 8)
      out.u(1, 1); // cabac_alignment_one_bit
    out.bytes(Bytes(rbsp).subspan(std::min<std::size_t>((header_bits + 7) / 8, rbsp.size())));
  } else {
    BitReader in(rbsp);
    in.skip(header_bits);
    for (std::uint64_t left = end - header_bits; left > 0;) {
      const auto take = static_cast<unsigned>(std::min<std::uint64_t>(left, 56));
      out.u(take, in.u(take));
      left -= take;
    }
    out.rbsp_trailing();
  }
  return escape(nal.data[0], out.data());
}

} // namespace hull::h264
