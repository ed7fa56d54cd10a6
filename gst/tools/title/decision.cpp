#include "gst/tools/title/decision.h"

#include "gst/ladder/hull.h"
#include "gst/tools/support/csv.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace hull::tools {

Result<Decision> decide(const std::vector<RenditionResult> &measured, Pool pool, const ladder::Rules &rules,
                        std::span<const ladder::FixedRow> rows) {
  Decision d;
  for (const RenditionResult &result : measured)
    d.points.push_back(result.point(pool));
  d.hull_linear = upper_hull(d.points, ladder::Axis::linear);
  d.hull_log = upper_hull(d.points, ladder::Axis::log);
  d.curves = ladder::fit_curves(d.points);
  for (std::size_t i = 1; i < d.curves.size(); ++i)
    d.crosses.push_back(ladder::cross_over(d.curves[i - 1], d.curves[i], rules.tie));
  d.frontier = ladder::frontier(d.curves);
  auto chosen = ladder::choose(d.curves, rules);
  if (!chosen) return tl::unexpected(chosen.error());
  d.ladder = std::move(*chosen);
  d.fixed = ladder::compare_fixed(d.curves, rows);
  std::vector<ladder::Point> rungs;
  for (const ladder::Rung &rung : d.ladder)
    rungs.push_back(rung.point);
  d.saving = ladder::savings(d.fixed, d.frontier, rungs);
  return d;
}

double usual_cap(unsigned height, std::span<const ladder::Curve> curves, const ladder::Rules &rules) {
  constexpr double kRounding = 1.0001;
  const double usual = 1.5 * ladder::apple_top_bps(height);
  const auto choices = ladder::candidates(curves, rules.tie);
  return choices.empty() ? usual : std::max(usual, choices.front().point.bps * kRounding / rules.cap_share);
}

ladder::Rules with_usual_cap(ladder::Rules rules, unsigned height, std::span<const ladder::Curve> curves) {
  if (!std::isfinite(rules.cap_bps)) rules.cap_bps = usual_cap(height, curves, rules);
  return rules;
}

std::vector<ladder::Shot> points_of_shots(const std::vector<RenditionResult> &measured,
                                          const std::vector<std::uint64_t> &starts, std::uint64_t pictures,
                                          double fps) {
  std::vector<ladder::Shot> shots;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const std::uint64_t begin = starts[s], end = s + 1 < starts.size() ? starts[s + 1] : pictures;
    ladder::Shot shot{static_cast<double>(end - begin) / fps, {}};
    for (const RenditionResult &r : measured) {
      const std::vector<double> scores = r.scores();
      if (r.sizes.size() < end || scores.size() < end) continue;
      const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
      const double bytes = std::accumulate(r.sizes.begin() + from, r.sizes.begin() + to, 0.0);
      shot.points.push_back({r.res, r.qp, bytes * 8 / shot.seconds,
                             pooled({scores.begin() + from, scores.begin() + to}, Pool::mean)});
    }
    shots.push_back(std::move(shot));
  }
  return shots;
}

std::string text_of(const ladder::CrossOver &c) {
  const std::string pair = fmt::format("{} to {}", name_of(c.smaller), name_of(c.larger));
  switch (c.kind) {
  case ladder::CrossKind::found:
    return fmt::format("{} at {:.0f} kb/s, VMAF {:.1f}", pair, c.use.bps / 1000, c.use.quality);
  case ladder::CrossKind::above_range:
    return fmt::format("{}: above the measured rates", pair);
  case ladder::CrossKind::below_range:
    return fmt::format("{}: below the measured rates", pair);
  case ladder::CrossKind::tie:
    return fmt::format("{}: a tie, the smaller picture is taken", pair);
  case ladder::CrossKind::no_common_range:
    break;
  }
  return fmt::format("{}: no rate was measured at both", pair);
}

std::string table_of(const Decision &d) {
  std::string text =
      fmt::format("{:>4}  {:>10}  {:>5}  {:>8}  {:>5}  {}\n", "rung", "picture", "QP", "kb/s", "VMAF", "why");
  for (std::size_t i = 0; i < d.ladder.size(); ++i) {
    const ladder::Point &p = d.ladder[i].point;
    text += fmt::format("{:>4}  {:>10}  {:>5}  {:>8.0f}  {:>5.1f}  {}\n", i + 1,
                        fmt::format("{}x{}", p.res.width, p.res.height), qp_text(p.qp), p.bps / 1000,
                        p.quality, d.ladder[i].why);
  }
  return text;
}

std::string saving_of(const Decision &d, const std::string &against) {
  const ladder::Saving &s = d.saving;
  if (!s.note.empty()) return fmt::format("against {}: no comparison, {}\n", against, s.note);
  std::string text = fmt::format("against {}: {:+.1f} % bits at equal VMAF", against, s.rate_percent);
  text += s.bd_note.empty() ? fmt::format(", BD-rate {:+.1f} %", s.bd.percent) : ", no BD-rate: " + s.bd_note;
  return text + fmt::format("; all rungs {:.1f} Mb/s instead of {:.1f} ({:+.1f} %)\n", s.ladder_bps / 1e6,
                            s.fixed_bps / 1e6, s.storage_percent);
}

Result<std::vector<ladder::FixedRow>> parse_rows(std::string_view text, const std::string &name) {
  const auto pairs = parse_curve(text, name, {"height", "resolution", "lines"});
  if (!pairs) return tl::unexpected(pairs.error());
  std::vector<ladder::FixedRow> rows;
  for (const ladder::RateQuality &pair : *pairs) {
    if (!(pair.rate > 0) || !(pair.quality >= 2))
      return fail(ErrorCode::bad_data,
                  name + " has a row without a positive rate in kb/s and a height in lines");
    rows.push_back({pair.rate * 1000, static_cast<unsigned>(pair.quality)});
  }
  if (rows.empty()) return fail(ErrorCode::bad_data, name + " holds no rows kbps,height");
  std::sort(rows.begin(), rows.end(), [](const auto &a, const auto &b) { return a.bps < b.bps; });
  return rows;
}

} // namespace hull::tools
