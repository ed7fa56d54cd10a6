#include "gst/tools/title/choose.h"

#include <fmt/format.h>

namespace hull::tools {
namespace {

constexpr std::size_t kPlans = 80; // per size

Result<Choice> choose_from_points(const CutTitle &title, const Points &points, const TitleOptions &options,
                                  const ladder::Rules &rules) {
  std::vector<ladder::Point> pooled_points;
  for (const RenditionResult &result : points)
    pooled_points.push_back(result.point(options.pool));
  const Source &source = title.source;
  const ladder::Rules capped =
      with_usual_cap(rules, source.display.height, ladder::fit_curves(pooled_points));
  const std::span<const ladder::FixedRow> rows =
      options.against.empty() ? ladder::apple_rows() : std::span<const ladder::FixedRow>(options.against);
  auto decision = decide(points, options.pool, capped, rows);
  if (decision) return Choice{std::move(*decision), capped.cap_bps, {}, {}};
  Error error = decision.error();
  if (error.code == ErrorCode::settings && source.frames < source.gop())
    error.text +=
        fmt::format("; or name a longer clip: {} of {} pictures is hardly more than its key picture, "
                    "and nothing evens out what that costs",
                    source.path, source.frames);
  return tl::unexpected(error);
}

Result<Choice> choose_from_plans(Choice choice, const CutTitle &title, const ladder::Rules &rules) {
  const ladder::Rules capped = with_usual_cap(rules, title.source.display.height, choice.plan_curves);
  auto chosen = ladder::choose(choice.plan_curves, capped);
  if (!chosen) return tl::unexpected(chosen.error());
  for (ladder::Rung &rung : *chosen)
    rung.why += fmt::format("; {} shots, each at its own quantizer", title.scan.shots.size());
  choice.cap_bps = capped.cap_bps;
  choice.decision.ladder = std::move(*chosen);
  choice.decision.frontier = ladder::frontier(choice.plan_curves);
  choice.decision.curves = choice.plan_curves;
  return choice;
}

void plan_shots(Choice &choice, const CutTitle &title, const Points &measured) {
  const auto shots = points_of_shots(measured, title.scan.shots, title.source.frames, title.source.fps());
  std::vector<ladder::Point> points;
  for (const ladder::Curve &curve : choice.decision.curves) {
    auto plans = ladder::thinned(ladder::shot_plans(shots, curve.res()), kPlans);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      plans[i].point.qp = kFirstPlan + static_cast<int>(plans.size() - 1 - i); // rising as the rate falls
      points.push_back(plans[i].point);
      choice.plans.push_back(plans[i]);
    }
  }
  choice.plan_curves = ladder::fit_curves(points);
}

} // namespace

Result<Choice> choose(const CutTitle &title, const Points &points, const TitleOptions &options) {
  auto choice = choose_from_points(title, points, options, options.rules);
  if (!choice || !options.shots) return choice;
  plan_shots(*choice, title, points);
  return choose_again(*choice, title, points, options, options.rules);
}

Result<Choice> choose_again(const Choice &before, const CutTitle &title, const Points &points,
                            const TitleOptions &options, const ladder::Rules &rules) {
  return before.plans.empty() ? choose_from_points(title, points, options, rules)
                              : choose_from_plans(before, title, rules);
}

} // namespace hull::tools
