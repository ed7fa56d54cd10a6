// What a choice per title and per shot saves against one constant quantizer at the source's own size, by
// BD-rate, from the points of `gst-hull-1.0 pertitle analyze FILE -o FOLDER --shots --qp 20,26,32,38,44`:
// bench_shots FOLDER. Once as the pilot reckoned, from measured encodes alone, and once as the tool chooses,
// with the quantizers between them.

#include "gst/ladder/bdrate.h"
#include "gst/ladder/equal_slope.h"
#include "gst/ladder/hull.h"
#include "gst/ladder/per_shot.h"
#include "gst/tools/title/decision.h"
#include "gst/tools/title/ladder_json.h"

#include <cstdio>
#include <fmt/format.h>

using namespace hull;

namespace {

using Curve = std::vector<ladder::RateQuality>;

// The hull of all combinations of measured encodes of the shots, at one size or, with none, at any.
Curve hull_of(const std::vector<ladder::Shot> &shots, const ladder::Resolution *only) {
  std::vector<std::vector<ladder::Choice>> choices;
  double seconds = 0;
  for (const ladder::Shot &shot : shots) {
    choices.emplace_back();
    seconds += shot.seconds;
    for (const ladder::Point &p : shot.points)
      if (!only || p.res == *only) choices.back().push_back({p.bps * shot.seconds, p.quality * shot.seconds});
  }
  Curve curve;
  for (const ladder::Combination &c : ladder::equal_slope(choices))
    curve.push_back({c.cost / seconds, c.value / seconds});
  return curve;
}

Curve curve_of(const std::vector<ladder::ShotPlan> &plans) {
  Curve curve;
  for (const ladder::ShotPlan &plan : plans)
    curve.push_back({plan.point.bps, plan.point.quality});
  return curve;
}

void tell(const char *what, const Curve &anchor, const Curve &measured, const Curve &chosen) {
  std::printf("%-26s", what);
  for (const Curve *test : {&measured, &chosen}) {
    const auto bd = ladder::bd_rate(anchor, *test);
    std::printf("  %s", bd ? fmt::format("{:+8.1f} %", bd->percent).c_str() : bd.error().text.c_str());
  }
  std::printf("\n");
}

} // namespace

int main(int argc, char **argv) {
  const auto title = tools::load_points(argc > 1 ? argv[1] : ".");
  if (!title) {
    std::fprintf(stderr, "%s\n", title.error().text.c_str());
    return 1;
  }
  const auto shots =
      tools::points_of_shots(title->measured, title->scan.shots, title->source.frames, title->source.fps());
  Curve anchor, per_title, front, one_size;
  std::vector<ladder::Point> points;
  for (const tools::RenditionResult &result : title->measured) {
    points.push_back(result.point(tools::Pool::mean));
    if (result.res == title->source.display) anchor.push_back({points.back().bps, points.back().quality});
  }
  for (const std::size_t i : ladder::pareto(points))
    per_title.push_back({points[i].bps, points[i].quality});
  const auto curves = ladder::fit_curves(points);
  for (const ladder::Point &p : ladder::frontier(curves))
    front.push_back({p.bps, p.quality});
  for (const ladder::Curve &curve : curves) {
    const ladder::Resolution res = curve.res();
    for (const ladder::RateQuality &p : hull_of(shots, &res))
      one_size.push_back(p);
  }
  std::printf("%zu shots, %zu points       measured    chosen\n", shots.size(), points.size());
  tell("per title", anchor, per_title, front);
  tell("per shot, one size a rung", anchor, one_size, curve_of(ladder::best_plans(shots)));
  tell("per shot, any size", anchor, hull_of(shots, nullptr), curve_of(ladder::free_shot_plans(shots)));
  return 0;
}
