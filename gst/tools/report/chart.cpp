#include "gst/tools/report/chart.h"

#include "gst/publish/presentation.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::tools {
namespace {

constexpr double kWidth = 900, kHeight = 480, kLeft = 52, kRight = 16, kTop = 20, kBottom = 44;
constexpr const char *kColours[] = {"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"};

// Rates and qualities to places in the drawing.
struct Scale {
  bool log;
  double low, high;      // bit/s
  double floor, ceiling; // VMAF

  double x(double bps) const {
    const double t = log ? std::log(bps / low) / std::log(high / low) : (bps - low) / (high - low);
    return kLeft + std::clamp(t, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }
  double y(double quality) const {
    const double t = (quality - floor) / (ceiling - floor);
    return kHeight - kBottom - std::clamp(t, 0.0, 1.0) * (kHeight - kTop - kBottom);
  }
};

Scale scale_for(const TitleResult &result, bool log) {
  double low = 1e12, high = 0, floor = 100;
  for (const ladder::Point &p : result.decision.points) {
    low = std::min(low, p.bps);
    high = std::max(high, p.bps);
    floor = std::min(floor, p.quality);
  }
  for (const ladder::FixedResult &f : result.decision.fixed) {
    if (!f.reachable) continue;
    low = std::min(low, f.row.bps);
    high = std::max(high, f.row.bps);
  }
  if (high <= 0) low = 1e5, high = 1e7;
  Scale s{log, log ? low / 1.1 : 0, log ? high * 1.1 : high * 1.03, 0, 100};
  s.floor = std::clamp(std::floor((floor - 3) / 10) * 10, 0.0, 90.0);
  return s;
}

std::string rate_text(double bps) {
  return bps >= 1e6 ? fmt::format("{:g} Mb/s", bps / 1e6) : fmt::format("{:g} kb/s", bps / 1e3);
}

// Whole steps of 1, 2 and 5.
std::vector<double> rate_ticks(const Scale &s) {
  std::vector<double> ticks;
  if (s.log) {
    for (double decade = 1e3; decade <= 1e10; decade *= 10)
      for (const double step : {1.0, 2.0, 5.0})
        if (decade * step >= s.low && decade * step <= s.high) ticks.push_back(decade * step);
    return ticks;
  }
  double step = std::pow(10, std::floor(std::log10(s.high / 5)));
  for (const double factor : {5.0, 2.0})
    if (s.high / (step * factor) >= 4) {
      step *= factor;
      break;
    }
  for (double tick = 0; tick <= s.high; tick += step)
    ticks.push_back(tick);
  return ticks;
}

std::string axes(const Scale &s) {
  std::string svg;
  for (double q = s.floor; q <= s.ceiling; q += 10)
    svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
                       "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n",
                       kLeft, kWidth - kRight, s.y(q), s.y(q), kLeft - 8, s.y(q) + 4, q);
  // Small screens have room for every other label.
  bool minor = false;
  for (const double tick : rate_ticks(s)) {
    svg += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
                       "<text{3} x=\"{0:.1f}\" y=\"{4:.1f}\" text-anchor=\"middle\">{5}</text>\n",
                       s.x(tick), kTop, kHeight - kBottom, minor ? " class=\"minor\"" : "",
                       kHeight - kBottom + 20, rate_text(tick));
    minor = !minor;
  }
  svg += fmt::format("<text class=\"minor\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">rate{}</text>"
                     "<text class=\"minor\" transform=\"translate(13 {:.1f}) rotate(-90)\" "
                     "text-anchor=\"middle\">VMAF</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 6, s.log ? ", logarithmic" : "",
                     (kTop + kHeight - kBottom) / 2);
  return svg;
}

std::string hull_band(const TitleResult &result, const Scale &s) {
  const Decision &d = result.decision;
  std::string points;
  for (const std::size_t i : s.log ? d.hull_log : d.hull_linear)
    points += fmt::format("{:.1f},{:.1f} ", s.x(d.points[i].bps), s.y(d.points[i].quality));
  return fmt::format("<polyline class=\"hull\" points=\"{}\"/>\n", points);
}

// What the ladder is chosen from: the best of all curves at each rate.
std::string frontier_line(const TitleResult &result, const Scale &s) {
  std::string points;
  for (const ladder::Point &p : result.decision.frontier)
    points += fmt::format("{:.1f},{:.1f} ", s.x(p.bps), s.y(p.quality));
  return fmt::format("<polyline class=\"frontier\" points=\"{}\"/>\n", points);
}

std::string curve_lines(const TitleResult &result, const Scale &s) {
  std::string svg;
  std::size_t n = 0;
  for (const ladder::Curve &curve : result.decision.curves) {
    std::string path;
    const double span = curve.qp_max() - curve.qp_min();
    constexpr int kSteps = 60;
    for (int i = 0; i <= kSteps; ++i) {
      const ladder::Point p = curve.at(curve.qp_max() - span * i / kSteps);
      path += fmt::format("{:.1f},{:.1f} ", s.x(p.bps), s.y(p.quality));
    }
    svg += fmt::format("<polyline class=\"curve\" stroke=\"{}\" points=\"{}\"/>\n", colour_of(n++), path);
  }
  return svg;
}

std::size_t number_of(const TitleResult &result, const ladder::Resolution &res) {
  for (std::size_t n = 0; n < result.decision.curves.size(); ++n)
    if (result.decision.curves[n].res() == res) return n;
  return 0;
}

std::string marked(const std::string &shape, const std::string &tip) {
  return fmt::format("<g data-tip=\"{0}\"><title>{0}</title>{1}</g>\n", publish::escape_xml(tip), shape);
}

std::string point_marks(const TitleResult &result, const Scale &s) {
  std::string svg;
  for (const ladder::Point &p : result.decision.points)
    svg += marked(
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>", s.x(p.bps), s.y(p.quality),
                    colour_of(number_of(result, p.res))),
        fmt::format("{} at QP {}: {:.0f} kb/s, VMAF {:.1f}", name_of(p.res), p.qp, p.bps / 1000, p.quality));
  return svg;
}

std::string fixed_marks(const TitleResult &result, const Scale &s) {
  std::string svg;
  for (const ladder::FixedResult &f : result.decision.fixed) {
    if (!f.reachable) continue;
    const double x = s.x(f.row.bps), y = s.y(f.quality);
    svg += marked(
        fmt::format("<path class=\"fixed\" d=\"M{:.1f} {:.1f}l10 10m0 -10l-10 10\"/>", x - 5, y - 5),
        fmt::format("fixed ladder: {:.0f} kb/s at {} lines gives VMAF {:.1f}; the hull needs {:.0f} kb/s",
                    f.row.bps / 1000, f.row.height, f.quality, f.needed_bps / 1000));
  }
  return svg;
}

std::string cross_marks(const TitleResult &result, const Scale &s) {
  std::string svg;
  for (const ladder::CrossOver &c : result.decision.crosses) {
    if (c.kind != ladder::CrossKind::found) continue;
    svg += marked(
        fmt::format("<line class=\"cross\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
                    s.x(c.use.bps), s.y(c.use.quality) - 26, s.y(c.use.quality) + 26),
        "cross-over " + text_of(c));
  }
  return svg;
}

std::string rung_marks(const TitleResult &result, const Scale &s) {
  std::string svg;
  int number = 0;
  for (const ladder::Rung &rung : result.decision.ladder) {
    const double x = s.x(rung.point.bps), y = s.y(rung.point.quality);
    svg += marked(fmt::format("<circle class=\"rung\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"8\" stroke=\"{}\"/>"
                              "<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                              x, y, colour_of(number_of(result, rung.point.res)), x + 11, y + 14, number + 1),
                  fmt::format("rung {}: {} at {:.0f} kb/s, VMAF {:.1f}; {}", number + 1,
                              name_of(rung.point.res), rung.point.bps / 1000, rung.point.quality, rung.why));
    ++number;
  }
  return svg;
}

} // namespace

const char *colour_of(std::size_t n) {
  return kColours[n % std::size(kColours)];
}

std::string chart_svg(const TitleResult &result, bool log_rate) {
  const Scale s = scale_for(result, log_rate);
  return fmt::format("<svg class=\"chart\" viewBox=\"0 0 {:g} {:g}\" role=\"img\" "
                     "aria-label=\"VMAF over rate, {} axis\" xmlns=\"http://www.w3.org/2000/svg\">\n",
                     kWidth, kHeight, log_rate ? "logarithmic" : "linear") +
         axes(s) + hull_band(result, s) + curve_lines(result, s) + frontier_line(result, s) +
         cross_marks(result, s) + fixed_marks(result, s) + rung_marks(result, s) + point_marks(result, s) +
         "</svg>\n";
}

std::string timeline_svg(const FinalRung &rung, const std::vector<std::uint64_t> &shots, double floor) {
  constexpr double kWide = 900, kHigh = 70;
  const std::vector<double> &vmaf = rung.result.vmaf;
  const std::size_t spans = std::min<std::size_t>(600, vmaf.size());
  std::string line, marks;
  for (std::size_t i = 0; i < spans; ++i) {
    const auto from = vmaf.begin() + static_cast<std::ptrdiff_t>(i * vmaf.size() / spans);
    const auto to = vmaf.begin() + static_cast<std::ptrdiff_t>((i + 1) * vmaf.size() / spans);
    const double worst = *std::min_element(from, to);
    const double x0 = kWide * static_cast<double>(i) / static_cast<double>(spans);
    const double x1 = kWide * static_cast<double>(i + 1) / static_cast<double>(spans);
    const double y = kHigh * (1 - std::clamp((worst - floor) / (100 - floor), 0.0, 1.0));
    line += fmt::format("{:.1f},{:.1f} {:.1f},{:.1f} ", x0, y, x1, y);
  }
  for (const std::uint64_t shot : shots)
    if (shot && !vmaf.empty())
      marks += fmt::format("<line class=\"cross\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1:g}\"/>",
                           kWide * static_cast<double>(shot) / static_cast<double>(vmaf.size()), kHigh);
  return fmt::format(
      "<svg class=\"strip\" viewBox=\"0 0 {0:g} {1:g}\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"VMAF over time\" xmlns=\"http://www.w3.org/2000/svg\">{2}"
      "<polygon points=\"0,{1:g} {3}{0:g},{1:g}\"/></svg>",
      kWide, kHigh, marks, line);
}

std::string shots_svg(const TitleResult &result) {
  constexpr double kWide = 900, kRow = 22, kLabel = 52;
  const auto &starts = result.scan.shots;
  const auto frames = static_cast<double>(std::max<std::uint64_t>(1, result.source.frames));
  std::string cells;
  double y = 0;
  std::size_t number = 0;
  for (const FinalRung &f : result.rungs) {
    cells += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLabel - 8,
                         y + kRow * 0.7, ++number);
    for (std::size_t s = 0; s < starts.size(); ++s) {
      const std::uint64_t end = s + 1 < starts.size() ? starts[s + 1] : result.source.frames;
      double bytes = 0, score = 0, pictures = 0;
      for (std::uint64_t n = starts[s]; n < end && n < f.result.sizes.size() && n < f.result.vmaf.size();
           ++n) {
        bytes += f.result.sizes[n];
        score += f.result.vmaf[n];
        pictures += 1;
      }
      if (pictures == 0) continue;
      score /= pictures;
      const double x = kLabel + (kWide - kLabel) * static_cast<double>(starts[s]) / frames;
      const double width = (kWide - kLabel) * static_cast<double>(end - starts[s]) / frames;
      cells += marked(
          fmt::format("<rect class=\"shot\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                      "height=\"{:.1f}\" fill-opacity=\"{:.2f}\"/>",
                      x, y, std::max(1.0, width - 1), kRow - 2, std::clamp(score / 100, 0.05, 1.0)),
          fmt::format("shot {} from {:.1f} s, {:.1f} s long: {:.0f} kb/s, VMAF {:.1f}", s + 1,
                      static_cast<double>(starts[s]) / result.source.fps(), pictures / result.source.fps(),
                      bytes * 8 / 1000 / (pictures / result.source.fps()), score));
    }
    y += kRow;
  }
  return fmt::format(
      "<svg class=\"shots\" viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"VMAF of each shot "
      "in each rung\" xmlns=\"http://www.w3.org/2000/svg\">\n{}</svg>\n",
      kWide, std::max(kRow, y), cells);
}

} // namespace hull::tools
