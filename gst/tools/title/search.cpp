#include "gst/tools/title/search.h"

#include "gst/ladder/search.h"
#include "gst/tools/title/decision.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::tools {
namespace {

using Sizes = std::vector<ladder::Resolution>;

Step<void> measure_points(TaskRunner &runner, const CutTitle &title, const std::vector<ladder::Probe> &wanted,
                          const std::string &name, SearchResult &found) {
  std::vector<Rendition> renditions;
  for (const auto &[res, qp] : wanted)
    if (!find(found.points, res, qp)) renditions.push_back({res, qp, {}, true, {}});
  found.encodes += static_cast<unsigned>(renditions.size());
  auto collected = runner.collect(title.source, title.samples, title.subsample, renditions, name);
  if (!collected) return tl::unexpected(collected.error());
  std::move(collected->results.begin(), collected->results.end(), std::back_inserter(found.points));
  sort(found.points);
  return {};
}

std::vector<ladder::Probe> grid(const Sizes &sizes, const std::vector<int> &qps) {
  std::vector<ladder::Probe> probes;
  for (const ladder::Resolution &res : sizes)
    for (const int qp : qps)
      probes.push_back({res, qp});
  return probes;
}

// How many encodes the second round may make, which began when the first had taken so many seconds.
std::size_t second_round_size(const TitleContext &context, const CutTitle &title,
                              const WorkEstimate &estimate, std::size_t sizes, double seconds_spent) {
  const TitleOptions &options = context.options;
  std::size_t most = options.quick ? (sizes + 1) / 2 : sizes;
  if (options.budget_seconds <= 0) return most;
  // The first round tells what a unit of work takes here; the rungs are not negotiable.
  const double per_unit = seconds_spent / estimate.search(title, 2);
  const double left =
      options.budget_seconds - context.progress.seconds() - estimate.rungs(title.source) * per_unit;
  const double an_encode = estimate.search(title, 1) / static_cast<double>(sizes) * per_unit;
  while (most > 0 && left < an_encode * static_cast<double>(most))
    --most;
  return most;
}

Step<void> search_in_rounds(const TitleContext &context, TaskRunner &runner, const CutTitle &title,
                            const WorkEstimate &estimate, const Sizes &sizes, SearchResult &found) {
  const TitleOptions &options = context.options;
  const double before = context.progress.seconds();
  if (auto ok = measure_points(runner, title, ladder::first_round(sizes), "measuring, round 1", found); !ok)
    return ok;
  const std::size_t most =
      second_round_size(context, title, estimate, sizes.size(), context.progress.seconds() - before);
  std::vector<ladder::Point> points;
  for (const RenditionResult &result : found.points)
    points.push_back(result.point(options.pool));
  const ladder::Rules rules = with_usual_cap(options.rules, title.source.display.height, {});
  return measure_points(runner, title, ladder::second_round(sizes, points, rules, most), "measuring, round 2",
                        found);
}

} // namespace

const RenditionResult *find(const Points &points, const ladder::Resolution &res, int qp) {
  const auto at = std::find_if(points.begin(), points.end(),
                               [&](const RenditionResult &r) { return r.res == res && r.qp == qp; });
  return at == points.end() ? nullptr : &*at;
}

void sort(Points &points) {
  std::sort(points.begin(), points.end(), [](const RenditionResult &a, const RenditionResult &b) {
    return a.res == b.res ? a.qp < b.qp : a.res < b.res;
  });
}

Step<SearchResult> search(const TitleContext &context, TaskRunner &runner, const CutTitle &title,
                          const WorkEstimate &estimate) {
  const TitleOptions &options = context.options;
  const Sizes sizes = rung_sizes(title.source.display, options.heights);
  if (sizes.empty())
    return halt({ErrorCode::settings,
                 fmt::format("no size of --res fits the source of {} lines", title.source.display.height)});
  const std::size_t encodes = options.qps.empty() ? 3 : options.qps.size();
  context.progress.remaining(estimate.search(title, encodes) + estimate.rungs(title.source));
  SearchResult found;
  const Step<void> done = options.qps.empty()
                              ? search_in_rounds(context, runner, title, estimate, sizes, found)
                              : measure_points(runner, title, grid(sizes, options.qps), "measuring", found);
  if (!done) return tl::unexpected(done.error());
  return found;
}

} // namespace hull::tools
