#include "gst/tools/title/work_units.h"

#include <algorithm>

namespace hull::tools {
namespace {

constexpr double kPartSeconds = 12;
constexpr std::uint64_t kPartsWithoutSeeking = 8;
constexpr double kLongTitle = 600; // seconds
constexpr std::uint64_t kSamples = 16, kSampleGroups = 3;

// Groups [from, to) as a unit.
WorkUnit unit_of(const Source &source, const std::vector<std::uint64_t> &groups, std::size_t from,
                 std::size_t to, unsigned step) {
  WorkUnit unit;
  const std::uint64_t first = groups[from], end = to < groups.size() ? groups[to] : source.frames;
  unit.window = {first, end - first};
  for (std::size_t g = from; g < to; ++g)
    unit.keys.push_back(groups[g] - first);
  unit.lead = first >= step ? step : 0;
  unit.tail = end < source.frames ? 1 : 0;
  return unit;
}

} // namespace

std::vector<WorkUnit> work_units(const Source &source, const std::vector<std::uint64_t> &groups,
                                 unsigned step) {
  std::vector<WorkUnit> units;
  auto length = static_cast<std::uint64_t>(kPartSeconds * source.fps());
  if (!source.seekable()) length = std::max(length, source.frames / kPartsWithoutSeeking);
  for (std::size_t from = 0; from < groups.size();) {
    std::size_t to = from + 1;
    while (to < groups.size() && groups[to] - groups[from] < length)
      ++to;
    // A short rest belongs to the part before it.
    if (to < groups.size() && source.frames - groups[to] < length / 2) to = groups.size();
    units.push_back(unit_of(source, groups, from, to, step));
    from = to;
  }
  return units;
}

std::vector<WorkUnit> sample_units(const Source &source, const std::vector<std::uint64_t> &groups,
                                   unsigned step) {
  if (source.seconds < kLongTitle || groups.size() < 2 * kSamples * kSampleGroups)
    return work_units(source, groups, step);
  std::vector<WorkUnit> units;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const auto from = static_cast<std::size_t>(groups.size() * (2 * i + 1) / (2 * kSamples));
    units.push_back(unit_of(source, groups, from, from + kSampleGroups, step));
  }
  return units;
}

} // namespace hull::tools
