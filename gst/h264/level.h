#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace hull::h264 {

/// One row of H.264 table A-1.
struct Level {
  std::uint8_t level_idc; ///< ten times the number; 9 stands for level 1b
  std::uint32_t max_mbps; ///< macroblocks per second
  std::uint32_t max_fs;   ///< macroblocks per frame
  std::uint32_t max_dpb_mbs;
  std::uint32_t max_br;  ///< 1000 bit/s (VCL, Baseline and Main); High has 1.25 times as much
  std::uint32_t max_cpb; ///< 1000 bits, as max_br
  const char *name;      ///< as in caps and RFC text: "3.1", "1b"
};

/// The row of a level_idc; `constraint_set3` with 11 means 1b in the profiles below High. Null when unknown.
const Level *level_of(std::uint8_t level_idc, bool constraint_set3 = false);

/// The whole table, lowest first.
std::span<const Level> all_levels();

/// The row with this name, null when there is none.
const Level *level_named(const std::string &name);

/// What a stream asks of its level. Rates are ceilings; bitrate 0 means unknown.
struct Demand {
  std::uint32_t width = 0, height = 0; ///< pixels
  std::uint32_t fps_num = 30, fps_den = 1;
  std::uint64_t bitrate_kbps = 0;
  std::uint64_t buffer_kbits = 0; ///< of the coded picture buffer; 0 means unknown
  unsigned ref_frames = 1;
  bool high_profile = false;
};

/// Whether a decoder of `level` must be able to decode such a stream, A.3.1.
bool fits(const Demand &demand, const Level &level);

/// The lowest level that fits; the highest one when none does.
const Level &lowest_level(const Demand &demand);

} // namespace hull::h264
