// What a choice per shot saves against one constant quantizer at the source's own size, by BD-rate, from the
// points of `gst-hull-1.0 pertitle analyze FILE -o FOLDER --qp 20,26,32,38`: bench_shots FOLDER.

#include "gst/ladder/bdrate.h"
#include "gst/ladder/equal_slope.h"
#include "gst/ladder/hull.h"
#include "gst/tools/decision.h"
#include "gst/tools/ladder_json.h"

#include <cstdio>

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

void tell(const char *what, const Curve &anchor, const Curve &test) {
  const auto bd = ladder::bd_rate(anchor, test);
  std::printf("%-28s %s\n", what,
              bd ? (std::to_string(bd->percent) + " %").c_str() : bd.error().text.c_str());
}

} // namespace

int main(int argc, char **argv) {
  const auto title = tools::load_points(argc > 1 ? argv[1] : ".");
  if (!title) {
    std::fprintf(stderr, "%s\n", title.error().text.c_str());
    return 1;
  }
  const auto shots =
      tools::points_of_shots(title->records, title->scan.shots, title->source.frames, title->source.fps());
  Curve anchor, per_title, one_size;
  std::vector<ladder::Point> points;
  for (const tools::Record &record : title->records) {
    points.push_back(record.point(tools::Pool::mean));
    if (record.res == title->source.display) anchor.push_back({points.back().bps, points.back().quality});
  }
  for (const std::size_t i : ladder::pareto(points))
    per_title.push_back({points[i].bps, points[i].quality});
  for (const ladder::Curve &curve : ladder::fit_curves(points)) {
    const ladder::Resolution res = curve.res();
    for (const ladder::RateQuality &p : hull_of(shots, &res))
      one_size.push_back(p);
  }
  std::printf("%zu shots, %zu points\n", shots.size(), points.size());
  tell("per title", anchor, per_title);
  tell("per shot, one size a rung", anchor, one_size);
  tell("per shot, any size", anchor, hull_of(shots, nullptr));
  return 0;
}
