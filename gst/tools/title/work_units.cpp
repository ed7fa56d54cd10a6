#include "gst/tools/title/parts.h"

#include <algorithm>

namespace hull::tools {
namespace {

constexpr double kPartSeconds = 12;
constexpr std::uint64_t kPartsWithoutSeeking = 8;
constexpr double kLongTitle = 600; // seconds
constexpr std::uint64_t kSamples = 16, kSampleGroups = 3;

// Groups [from, to) as a part.
Part part_of(const Source &source, const std::vector<std::uint64_t> &groups, std::size_t from, std::size_t to,
             unsigned step) {
  Part part;
  const std::uint64_t first = groups[from], end = to < groups.size() ? groups[to] : source.frames;
  part.window = {first, end - first};
  for (std::size_t g = from; g < to; ++g)
    part.keys.push_back(groups[g] - first);
  part.lead = first >= step ? step : 0;
  part.tail = end < source.frames ? 1 : 0;
  return part;
}

} // namespace

std::vector<Part> parts_of(const Source &source, const std::vector<std::uint64_t> &groups, unsigned step) {
  std::vector<Part> parts;
  auto length = static_cast<std::uint64_t>(kPartSeconds * source.fps());
  if (!source.seekable()) length = std::max(length, source.frames / kPartsWithoutSeeking);
  for (std::size_t from = 0; from < groups.size();) {
    std::size_t to = from + 1;
    while (to < groups.size() && groups[to] - groups[from] < length)
      ++to;
    // A short rest belongs to the part before it.
    if (to < groups.size() && source.frames - groups[to] < length / 2) to = groups.size();
    parts.push_back(part_of(source, groups, from, to, step));
    from = to;
  }
  return parts;
}

std::vector<Part> sample_parts(const Source &source, const std::vector<std::uint64_t> &groups,
                               unsigned step) {
  if (source.seconds < kLongTitle || groups.size() < 2 * kSamples * kSampleGroups)
    return parts_of(source, groups, step);
  std::vector<Part> parts;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const auto from = static_cast<std::size_t>(groups.size() * (2 * i + 1) / (2 * kSamples));
    parts.push_back(part_of(source, groups, from, from + kSampleGroups, step));
  }
  return parts;
}

} // namespace hull::tools
