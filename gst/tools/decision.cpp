#include "gst/tools/decision.h"

#include "gst/ladder/hull.h"
#include "gst/tools/csv.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::tools {

Result<Decision> decide(const std::vector<Record> &records, Pool pool, const ladder::Rules &rules,
                        std::span<const ladder::FixedRow> rows) {
  Decision d;
  for (const Record &record : records)
    d.points.push_back(record.point(pool));
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
