#include "plugins/h264/library_sets.h"

namespace hull::h264 {
namespace {

constexpr std::uint8_t kBaseline = 66;
constexpr std::uint8_t kHighestLevel = 52; // that all versions of the library know

} // namespace

bool library_reorders(const Sps &sps) {
  return sps.chroma_format_idc == 0;
}

Sps sps_for_library(Sps sps) {
  sps.level_idc = kHighestLevel;
  sps.vui_parameters_present_flag = false;
  if (library_reorders(sps)) return sps;
  sps.profile_idc = kBaseline;
  sps.constraint_flags = 0;
  sps.seq_scaling_matrix_present_flag = false;
  return sps;
}

Pps pps_for_library(Pps pps, const Sps &sps) {
  if (!sps.seq_scaling_matrix_present_flag || library_reorders(sps)) return pps;
  if (!pps.has_extension) pps.second_chroma_qp_index_offset = pps.chroma_qp_index_offset;
  pps.has_extension = true;
  // An absent list of the picture stands for the sequence's where it is the first of its kind (7.4.2.2, rule
  // B), and else repeats the one before. An absent list of the sequence means the default, and so does one of
  // a picture whose sequence has none.
  for (std::size_t i = 0; i < pps.scaling_list.size(); ++i) {
    const bool first = i == 0 || i == 3 || i == 6 || i == 7;
    if (!pps.pic_scaling_matrix_present_flag || (first && !pps.scaling_list[i].present))
      pps.scaling_list[i] = sps.scaling_list[i];
  }
  pps.pic_scaling_matrix_present_flag = true;
  return pps;
}

} // namespace hull::h264
