#include "gst/ladder/fixed.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace hull::ladder {
namespace {

constexpr FixedRow kApple[] = {{145'000, 234},   {365'000, 360},    {730'000, 432},
                               {1'100'000, 432}, {2'000'000, 540},  {3'000'000, 720},
                               {4'500'000, 720}, {6'000'000, 1080}, {7'800'000, 1080}};

const Curve &nearest(std::span<const Curve> curves, unsigned height) {
  const auto distance = [height](const Curve &c) {
    return std::abs(std::log2(static_cast<double>(c.res().height) / height));
  };
  return *std::min_element(curves.begin(), curves.end(),
                           [&](const Curve &a, const Curve &b) { return distance(a) < distance(b); });
}

double cheapest(std::span<const Curve> curves, double quality) {
  double best = 0;
  for (const Curve &curve : curves) {
    const Point poorest = curve.at(curve.qp_max());
    const double bps = quality <= poorest.quality ? poorest.bps : curve.bps_for(quality).value_or(0);
    if (bps > 0 && (best == 0 || bps < best)) best = bps;
  }
  return best;
}

} // namespace

std::span<const FixedRow> apple_rows() {
  return kApple;
}

double apple_top_bps(unsigned height) {
  if (height > 1080) return kApple[8].bps * std::pow(height / 1080.0, 1.5);
  for (auto row = std::rbegin(kApple); row != std::rend(kApple); ++row)
    if (row->height <= height) return row->bps;
  return kApple[0].bps;
}

std::vector<FixedResult> compare_fixed(std::span<const Curve> curves, std::span<const FixedRow> rows) {
  std::vector<FixedResult> results;
  if (curves.empty()) return results;
  const unsigned tallest = curves.back().res().height;
  for (const FixedRow &row : rows) {
    if (row.height > tallest) continue; // a row larger than the source would be compared with another picture
    const Curve &curve = nearest(curves, row.height);
    FixedResult result{row, curve.res()};
    if (row.bps > curve.bps_max()) {
      result.reachable = result.past_range = true;
      result.quality = curve.at(curve.qp_min()).quality;
    } else if (const auto q = curve.quality_at(row.bps)) {
      result.reachable = true;
      result.quality = *q;
    }
    if (result.reachable) result.needed_bps = std::min(row.bps, cheapest(curves, result.quality));
    results.push_back(result);
  }
  return results;
}

Saving savings(std::span<const FixedResult> fixed, std::span<const Point> frontier,
               std::span<const Point> ladder) {
  Saving saving;
  std::vector<RateQuality> anchor, test;
  unsigned rows = 0;
  if (fixed.empty()) saving.note = "none of its rows is as small as the source";
  for (const FixedResult &f : fixed) {
    saving.fixed_bps += f.row.bps;
    if (!f.reachable) continue;
    ++rows;
    saving.rate_percent += (f.needed_bps / f.row.bps - 1) * 100;
    anchor.push_back({f.row.bps, f.quality});
  }
  if (rows)
    saving.rate_percent /= rows;
  else if (saving.note.empty())
    saving.note = "this title cannot be coded in as few bits as its rows have";
  for (const Point &p : ladder)
    saving.ladder_bps += p.bps;
  if (saving.fixed_bps > 0) saving.storage_percent = (saving.ladder_bps / saving.fixed_bps - 1) * 100;
  for (const Point &p : frontier)
    test.push_back({p.bps, p.quality});
  if (auto bd = bd_rate(anchor, test))
    saving.bd = *bd;
  else
    saving.bd_note = bd.error().text;
  return saving;
}

} // namespace hull::ladder
