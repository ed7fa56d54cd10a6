#include "gst/tools/title/work_estimate.h"

#include <algorithm>

namespace hull::tools {
namespace {

constexpr double kLongTitle = 600;            // seconds; longer ones are sampled
constexpr std::uint64_t kSampledSeconds = 96; // of those

std::vector<Rendition> every_size(const Source &source, const TitleOptions &options, std::size_t encodes) {
  std::vector<Rendition> renditions;
  for (const ladder::Resolution &res : rung_sizes(source.display, options.heights))
    renditions.insert(renditions.end(), encodes, {res, 0, {}, true, {}});
  return renditions;
}

} // namespace

double WorkEstimate::search(const Source &source, std::size_t encodes) const {
  std::uint64_t pictures = source.frames;
  if (source.seconds > kLongTitle && !options.shots)
    pictures = std::min<std::uint64_t>(pictures, kSampledSeconds * static_cast<std::uint64_t>(source.fps()));
  return work_of(source, pictures, every_size(source, options, encodes), 1, probe.costs);
}

double WorkEstimate::search(const CutTitle &title, std::size_t encodes) const {
  std::uint64_t pictures = 0;
  for (const WorkUnit &unit : title.samples)
    pictures += unit.lead + unit.window.count + unit.tail;
  return work_of(title.source, pictures, every_size(title.source, options, encodes), title.subsample,
                 probe.costs);
}

double WorkEstimate::rungs(const Source &source) const {
  std::vector<Rendition> renditions;
  for (const ladder::Resolution &res : probe.rungs)
    renditions.push_back({res, 0, {}, true, {}});
  const auto sizes = rung_sizes(source.display, options.heights);
  for (std::size_t i = 0; probe.rungs.empty() && i < sizes.size(); ++i)
    for (std::size_t n = 0; n < (i % 2 ? 2u : 1u); ++n)
      renditions.push_back({sizes[i], 0, {}, true, {}});
  return work_of(source, source.frames, renditions, 1, probe.costs);
}

} // namespace hull::tools
