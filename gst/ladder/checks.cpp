#include "gst/ladder/checks.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>

namespace hull::ladder {
namespace {

// A rule each rung keeps by itself: the first that does not is named.
Check each(std::span<const RungFacts> rungs, std::string rule, bool must,
           const std::function<std::string(const RungFacts &)> &problem) {
  for (const RungFacts &rung : rungs)
    if (std::string text = problem(rung); !text.empty())
      return {std::move(rule), must, false,
              fmt::format("{} at {:.0f} kb/s: {}", name_of(rung.res), rung.average_bps / 1000, text)};
  return {std::move(rule), must, true, fmt::format("all {} rungs", rungs.size())};
}

std::string within(double declared, double measured) {
  if (std::abs(declared / measured - 1) <= 0.10) return {};
  return fmt::format("{:.0f} declared, {:.0f} measured kb/s", declared / 1000, measured / 1000);
}

Check ratios(std::span<const RungFacts> rungs) {
  Check check{"neighbouring rates are 1.5 to 2 times apart", false, true, "all pairs"};
  for (std::size_t k = 1; k < rungs.size() && check.passed; ++k) {
    const double ratio = rungs[k - 1].average_bps / rungs[k].average_bps;
    if (ratio >= 1.45 && ratio <= 2.05) continue; // the rule of the choice, before rounding of quantizers
    check.passed = false;
    check.detail = fmt::format("{:.0f} to {:.0f} kb/s is {:.2f}", rungs[k].average_bps / 1000,
                               rungs[k - 1].average_bps / 1000, ratio);
  }
  return check;
}

Check same_shape(std::span<const RungFacts> rungs) {
  Check check{"all rungs have one aspect ratio", true, true, ""};
  const auto ratio = [](const RungFacts &r) { return static_cast<double>(r.res.width) / r.res.height; };
  for (const RungFacts &rung : rungs)
    // One pixel pair of rounding is what even widths cost.
    if (std::abs(ratio(rung) - ratio(rungs.front())) * rung.res.height > 2.0) {
      check.passed = false;
      check.detail = fmt::format("{}x{} differs", rung.res.width, rung.res.height);
    }
  return check;
}

Check aligned(std::span<const RungFacts> rungs) {
  Check check{"segments of all rungs start together", true, true, ""};
  for (const RungFacts &rung : rungs) {
    const auto &a = rungs.front().segment_starts, &b = rung.segment_starts;
    bool same = a.size() == b.size();
    for (std::size_t i = 0; same && i < a.size(); ++i)
      same = std::abs(a[i] - b[i]) < 0.001;
    if (same) continue;
    check.passed = false;
    check.detail = name_of(rung.res) + " differs from the top rung";
  }
  return check;
}

} // namespace

std::vector<Check> authoring_checks(std::span<const RungFacts> rungs) {
  std::vector<Check> checks;
  if (rungs.empty()) return checks;
  checks.push_back(each(rungs, "BANDWIDTH within 10 % of the measured peak", true,
                        [](const RungFacts &r) { return within(r.declared_bandwidth, r.peak_bps); }));
  checks.push_back(each(rungs, "AVERAGE-BANDWIDTH within 10 % of the measured average", true,
                        [](const RungFacts &r) { return within(r.declared_average, r.average_bps); }));
  checks.push_back(each(rungs, "peak at most twice the average", false, [](const RungFacts &r) {
    return r.peak_bps <= 2 * r.average_bps
               ? std::string()
               : fmt::format("peak is {:.2f} times the average", r.peak_bps / r.average_bps);
  }));
  checks.push_back(each(rungs, "H.264 level 4.2 or lower", true, [](const RungFacts &r) {
    return r.level <= 42 ? std::string() : fmt::format("level {:.1f}", r.level / 10.0);
  }));
  checks.push_back(each(rungs, "High profile", false, [](const RungFacts &r) {
    return r.high_profile ? std::string() : std::string("another profile");
  }));
  checks.push_back(each(rungs, "a keyframe at least every 2 s", false, [](const RungFacts &r) {
    return r.longest_gop <= 2.05 ? std::string() : fmt::format("{:.2f} s", r.longest_gop);
  }));
  checks.push_back(ratios(rungs));
  checks.push_back(same_shape(rungs));
  checks.push_back(aligned(rungs));
  return checks;
}

} // namespace hull::ladder
