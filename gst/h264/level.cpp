#include "gst/h264/level.h"

#include <algorithm>

namespace hull::h264 {
namespace {

// H.264 (08/2021) table A-1.
constexpr Level kLevels[] = {
    {10, 1485, 99, 396, 64, 175, "1"},
    {9, 1485, 99, 396, 128, 350, "1b"},
    {11, 3000, 396, 900, 192, 500, "1.1"},
    {12, 6000, 396, 2376, 384, 1000, "1.2"},
    {13, 11880, 396, 2376, 768, 2000, "1.3"},
    {20, 11880, 396, 2376, 2000, 2000, "2"},
    {21, 19800, 792, 4752, 4000, 4000, "2.1"},
    {22, 20250, 1620, 8100, 4000, 4000, "2.2"},
    {30, 40500, 1620, 8100, 10000, 10000, "3"},
    {31, 108000, 3600, 18000, 14000, 14000, "3.1"},
    {32, 216000, 5120, 20480, 20000, 20000, "3.2"},
    {40, 245760, 8192, 32768, 20000, 25000, "4"},
    {41, 245760, 8192, 32768, 50000, 62500, "4.1"},
    {42, 522240, 8704, 34816, 50000, 62500, "4.2"},
    {50, 589824, 22080, 110400, 135000, 135000, "5"},
    {51, 983040, 36864, 184320, 240000, 240000, "5.1"},
    {52, 2073600, 36864, 184320, 240000, 240000, "5.2"},
    {60, 4177920, 139264, 696320, 240000, 240000, "6"},
    {61, 8355840, 139264, 696320, 480000, 480000, "6.1"},
    {62, 16711680, 139264, 696320, 800000, 800000, "6.2"},
};

} // namespace

const Level *level_of(std::uint8_t level_idc, bool constraint_set3) {
  if (level_idc == 11 && constraint_set3) level_idc = 9;
  const auto *found =
      std::ranges::find_if(kLevels, [level_idc](const Level &level) { return level.level_idc == level_idc; });
  return found == std::end(kLevels) ? nullptr : found;
}

std::span<const Level> all_levels() {
  return kLevels;
}

const Level *level_named(const std::string &name) {
  const auto *found =
      std::ranges::find_if(kLevels, [&name](const Level &level) { return name == level.name; });
  return found == std::end(kLevels) ? nullptr : found;
}

bool fits(const Demand &demand, const Level &level) {
  const std::uint64_t across = (demand.width + 15) / 16, down = (demand.height + 15) / 16;
  const std::uint64_t size = across * down;
  // A.3.1 f: neither side may exceed Sqrt(MaxFS * 8).
  const bool shape = across * across <= level.max_fs * 8ull && down * down <= level.max_fs * 8ull;
  const bool rate = size * demand.fps_num <= std::uint64_t{level.max_mbps} * demand.fps_den;
  const std::uint64_t factor = demand.high_profile ? 1250 : 1000;
  return shape && rate && size <= level.max_fs && size * demand.ref_frames <= level.max_dpb_mbs &&
         demand.bitrate_kbps * 1000 <= level.max_br * factor &&
         demand.buffer_kbits * 1000 <= level.max_cpb * factor;
}

const Level &lowest_level(const Demand &demand) {
  for (const Level &level : kLevels)
    if (level.level_idc != 9 && fits(demand, level)) return level;
  return std::span(kLevels).back();
}

} // namespace hull::h264
