#include "gst/tools/report/title_report.h"

#include "gst/publish/presentation.h"
#include "gst/tools/report/chart.h"
#include "gst/tools/report/style.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

namespace hull::tools {
namespace {

using publish::escape_xml;

std::string tiles(const TitleResult &r, const TitleOptions &options) {
  const ladder::Saving &s = r.decision.saving;
  const auto tile = [](const std::string &figure, const std::string &text) {
    return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>", figure, escape_xml(text));
  };
  std::string html = "<div class=\"tiles\">";
  html += tile(fmt::format("{}", r.decision.ladder.size()), "rungs");
  if (!s.note.empty()) return html + tile("&ndash;", options.against_name + ": " + s.note) + "</div>\n";
  html +=
      tile(fmt::format("{:+.1f} %", s.rate_percent), "bits at equal VMAF against " + options.against_name);
  if (s.bd_note.empty())
    html += tile(fmt::format("{:+.1f} %", s.bd.percent), "BD-rate against " + options.against_name);
  html += tile(fmt::format("{:.1f} Mb/s", s.ladder_bps / 1e6),
               fmt::format("all rungs together, instead of {:.1f}", s.fixed_bps / 1e6));
  return html + "</div>\n";
}

std::string legend(const TitleResult &r) {
  std::string html = "<p class=\"legend\">";
  for (std::size_t i = 0; i < r.decision.curves.size(); ++i)
    html += fmt::format("<span><i style=\"background:{}\"></i>{}</span> ", colour_of(i),
                        name_of(r.decision.curves[i].res()));
  return html + "<span><i class=\"front\"></i>frontier</span> <span><i class=\"band\"></i>convex hull</span> "
                "<span><i class=\"ring\"></i>chosen rung</span> "
                "<span>&#10005; fixed ladder</span> <span>&#9482; cross-over</span></p>\n";
}

std::string chart(const TitleResult &r) {
  return "<section><h2>Rate and quality</h2>\n<div class=\"charts\">"
         "<input type=\"radio\" name=\"axis\" id=\"log\" checked><label for=\"log\">logarithmic</label>"
         "<input type=\"radio\" name=\"axis\" id=\"linear\"><label for=\"linear\">linear</label>\n"
         "<div class=\"log\">" +
         chart_svg(r, true) + "</div><div class=\"linear\">" + chart_svg(r, false) + "</div></div>\n" +
         legend(r) + "<ul>" +
         [&] {
           std::string list;
           for (const ladder::CrossOver &c : r.decision.crosses)
             list += "<li>" + escape_xml(text_of(c)) + "</li>";
           return list;
         }() +
         "</ul></section>\n";
}

std::string ladder_table(const TitleResult &r) {
  std::string html =
      "<section><h2>Ladder</h2><div class=\"scroll\"><table class=\"rungs\"><tr><th>rung</th><th>picture</th>"
      "<th>QP</th><th>kb/s</th><th>peak</th><th>VMAF</th><th>worst 5 %</th><th>why</th></tr>\n";
  for (std::size_t i = 0; i < r.rungs.size(); ++i) {
    const FinalRung &f = r.rungs[i];
    html +=
        fmt::format("<tr><td>{}</td><td>{}x{}</td><td>{}</td><td>{:.0f}</td><td>{:.0f}</td><td>{:.1f}</td>"
                    "<td>{:.1f}</td><td class=\"why\">{}</td></tr>\n",
                    i + 1, f.result.res.width, f.result.res.height, qp_text(f.result.qp),
                    f.rung.point.bps / 1000, f.facts.peak_bps / 1000, f.rung.point.quality,
                    pooled(f.result.vmaf, Pool::p5), escape_xml(f.rung.why));
  }
  return html + "</table></div></section>\n";
}

std::string fixed_table(const TitleResult &r, const TitleOptions &options) {
  if (r.decision.fixed.empty()) return {};
  std::string html = fmt::format("<section><h2>Against {}</h2><div class=\"scroll\"><table><tr><th>kb/s</th>"
                                 "<th>lines</th><th>VMAF</th><th>needed kb/s</th><th>saving</th></tr>\n",
                                 escape_xml(options.against_name));
  for (const ladder::FixedResult &f : r.decision.fixed) {
    if (!f.reachable) {
      html += fmt::format(
          "<tr><td>{:.0f}</td><td>{}</td><td colspan=\"3\" class=\"why\">this title cannot be coded "
          "in so few bits at {}</td></tr>\n",
          f.row.bps / 1000, f.row.height, name_of(f.res));
      continue;
    }
    html +=
        fmt::format("<tr><td>{:.0f}</td><td>{}</td><td>{}{:.1f}</td><td>{:.0f}</td><td>{:+.0f} %</td></tr>\n",
                    f.row.bps / 1000, f.row.height, f.past_range ? "&ge; " : "", f.quality,
                    f.needed_bps / 1000, (f.needed_bps / f.row.bps - 1) * 100);
  }
  html += "</table></div>";
  if (!r.decision.saving.bd_note.empty())
    html += "<p>No BD-rate: " + escape_xml(r.decision.saving.bd_note) + ".</p>";
  return html + "</section>\n";
}

std::string timelines(const TitleResult &r) {
  double lowest = 100;
  for (const FinalRung &f : r.rungs)
    lowest = std::min(lowest, percentile(f.result.vmaf, 0));
  const double floor = std::clamp(std::floor(lowest / 10) * 10, 0.0, 90.0);
  std::string html =
      fmt::format("<section><h2>VMAF over time</h2><p class=\"why\">From {:g} to 100; the lowest score of "
                  "each stretch, dashed where a shot begins.</p>\n",
                  floor);
  for (std::size_t i = 0; i < r.rungs.size(); ++i) {
    const FinalRung &f = r.rungs[i];
    html +=
        fmt::format("<figure><figcaption>rung {}: {} at {:.0f} kb/s, lowest {:.1f}</figcaption>{}</figure>\n",
                    i + 1, name_of(f.result.res), f.rung.point.bps / 1000, percentile(f.result.vmaf, 0),
                    timeline_svg(f, r.scan.shots, floor));
  }
  return html + "</section>\n";
}

std::string shots(const TitleResult &r) {
  if (r.scan.shots.size() < 2 || r.rungs.empty()) return {};
  return fmt::format(
      "<section><h2>Shots</h2><p class=\"why\">{} shots; a row per rung, the darker the higher "
      "VMAF.</p>{}</section>\n",
      r.scan.shots.size(), shots_svg(r));
}

std::string worst_pictures(const TitleResult &r, const WorstPictures &pictures) {
  std::string html;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto &worst = pictures[i];
    if (!worst) continue;
    html += fmt::format(
        "<figure><figcaption>rung {}, {}: picture {} at {:.2f} s, VMAF {:.1f}</figcaption><div "
        "class=\"pair\">"
        "<img alt=\"source\" src=\"data:image/jpeg;base64,{}\">"
        "<img alt=\"rung {}\" src=\"data:image/jpeg;base64,{}\"></div></figure>\n",
        i + 1, name_of(r.rungs[i].result.res), worst->number,
        static_cast<double>(worst->number) / r.source.fps(), worst->vmaf, worst->source, i + 1, worst->rung);
  }
  if (html.empty()) return {};
  return "<section><h2>Worst pictures</h2><p class=\"why\">Source on the left, the rung scaled to the same "
         "size on "
         "the right.</p>" +
         html + "</section>\n";
}

std::string keys(const TitleResult &r) {
  std::string html = "<details><summary>Keys</summary><table>\n";
  for (std::size_t i = 0; i < r.rungs.size(); ++i)
    html += fmt::format("<tr><td>rung {}</td><td class=\"key\">{}</td><td class=\"key\">{}</td></tr>\n",
                        i + 1, escape_xml(r.rungs[i].result.media), r.rungs[i].result.key);
  for (const RenditionResult &point : r.measured)
    html += fmt::format("<tr><td>{} QP {}</td><td></td><td class=\"key\">{}</td></tr>\n", name_of(point.res),
                        point.qp, point.key);
  return html + "</table></details>\n";
}

std::string checks(const TitleResult &r) {
  std::string html = "<section><h2>Authoring rules</h2><table class=\"rules\">\n";
  for (const ladder::Check &c : r.checks)
    html +=
        fmt::format("<tr class=\"{}\"><td>{}</td><td>{}</td><td class=\"why\">{}</td></tr>\n",
                    c.passed ? "pass" : (c.must ? "fail" : "note"),
                    c.passed ? "pass" : (c.must ? "fail" : "note"), escape_xml(c.rule), escape_xml(c.detail));
  return html + "</table></section>\n";
}

std::string facts(const TitleResult &r, const TitleOptions &options) {
  const Source &s = r.source;
  const bool small = s.display.height < 1080;
  return fmt::format(
      "<section><h2>How it was made</h2><p class=\"why\">Source: {}, {}x{}, {:.3f} pictures per second{}, "
      "{:.1f} s, "
      "{}. SHA-256 {}.</p><p class=\"why\">Every point is an encode by hullh264enc at a constant quantizer "
      "with an IDR "
      "picture every 2 s, decoded, scaled to {}x{} and scored by {} ({}; bicubic down and up). {} "
      "encodes were "
      "measured to choose the ladder. Rates are bytes over duration.{} gst-plugins-hull {}, "
      "{}.</p>{}</section>\n",
      escape_xml(std::filesystem::path(s.path).filename().string()), s.width, s.height, s.fps(),
      s.variable_rate ? " on average" : "", s.seconds, escape_xml(s.video_codec), s.identity, s.display.width,
      s.display.height, escape_xml(options.model), "pooled per title", r.encodes,
      small ? fmt::format(" Scores of a {}-line source are not comparable with those of 1080-line ones.",
                          s.display.height)
            : std::string(),
      HULL_VERSION, OwnedText(gst_version_string()).c_str(), keys(r));
}

} // namespace

std::string report_html(const TitleResult &r, const TitleOptions &options, const WorstPictures &pictures) {
  const std::string name = escape_xml(std::filesystem::path(r.source.path).filename().string());
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         name + ": ladder</title>\n<style>" + report_style() + "</style></head>\n<body><main>\n<h1>" + name +
         "</h1>\n" + tiles(r, options) + chart(r) + ladder_table(r) + timelines(r) + shots(r) +
         worst_pictures(r, pictures) + fixed_table(r, options) + checks(r) + facts(r, options) +
         "</main><div id=\"tip\" hidden></div>\n<script>" + report_script() + "</script></body></html>\n";
}

Result<void> write_report(const TitleResult &r, const TitleOptions &options, const WorstPictures &pictures) {
  return write_file(options.out + "/report.html", report_html(r, options, pictures));
}

} // namespace hull::tools
