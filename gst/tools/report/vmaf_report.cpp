#include "gst/tools/report/vmaf_report.h"

#include "gst/glue/ref.h"
#include "gst/publish/presentation.h"
#include "gst/tools/report/chart.h"
#include "gst/tools/report/style.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

namespace hull::tools {
namespace {

constexpr std::size_t kWorst = 3;

double pooled(const ScoredFile &file, const char *name) {
  const Json &value = file.result["pooled_metrics"]["vmaf"][name];
  return value.is_number() ? value.get<double>() : std::nan("");
}

std::vector<std::pair<std::uint64_t, double>> scores(const ScoredFile &file) {
  std::vector<std::pair<std::uint64_t, double>> found;
  for (const Json &frame : file.result["frames"])
    found.emplace_back(frame["frameNum"].get<std::uint64_t>(), frame["metrics"]["vmaf"].get<double>());
  return found;
}

/// Frame numbers with the lowest scores, at least a dozen frames apart so that they show different moments.
std::vector<std::uint64_t> worst(const ScoredFile &file) {
  auto all = scores(file);
  std::stable_sort(all.begin(), all.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
  std::vector<std::uint64_t> chosen;
  for (const auto &[frame, score] : all) {
    const bool near = std::any_of(chosen.begin(), chosen.end(), [n = frame](std::uint64_t other) {
      return (n > other ? n - other : other - n) < 12;
    });
    if (!near) chosen.push_back(frame);
    if (chosen.size() == kWorst) break;
  }
  return chosen;
}

std::string as_jpeg(GstSample *sample) {
  const auto caps = CapsRef::adopt(gst_caps_from_string("image/jpeg,width=640,pixel-aspect-ratio=1/1"));
  const auto image = SampleRef::adopt(gst_video_convert_sample(sample, caps.get(), 5 * GST_SECOND, nullptr));
  GstMapInfo map;
  if (!image || !gst_buffer_map(gst_sample_get_buffer(image.get()), &map, GST_MAP_READ)) return {};
  const OwnedText base64(g_base64_encode(map.data, map.size));
  gst_buffer_unmap(gst_sample_get_buffer(image.get()), &map);
  return std::string("data:image/jpeg;base64,") + base64.c_str();
}

/// Pictures of the wanted frames, found by time where there is one, else by counting.
std::map<std::uint64_t, std::string> pictures(const std::string &path, const std::vector<FrameTime> &wanted) {
  std::map<std::uint64_t, std::string> found;
  const auto pipeline = ElementRef::retain(gst_parse_launch(
      "filesrc name=f ! decodebin ! appsink name=s caps=video/x-raw sync=false max-buffers=2", nullptr));
  if (!pipeline) return found;
  const auto file = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "f"));
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s"));
  g_object_set(file.get(), "location", path.c_str(), nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (std::uint64_t n = 0; found.size() < wanted.size(); ++n) {
    const auto sample =
        SampleRef::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 10 * GST_SECOND));
    if (!sample) break;
    const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()));
    for (const FrameTime &want : wanted) {
      const bool timed = GST_CLOCK_TIME_IS_VALID(want.pts) && GST_CLOCK_TIME_IS_VALID(pts);
      const bool here =
          timed ? std::llabs(static_cast<long long>(pts) - static_cast<long long>(want.pts)) < 5'000'000
                : n == want.index;
      if (here && !found.contains(want.index)) found[want.index] = as_jpeg(sample.get());
    }
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return found;
}

std::string curve(const std::vector<ScoredFile> &files) {
  constexpr double kWidth = 960, kHeight = 300, kLeft = 34, kTop = 8;
  std::uint64_t last = 1;
  double most = 100;
  for (const ScoredFile &file : files)
    for (const auto &[frame, score] : scores(file)) {
      last = std::max(last, frame);
      if (score > most) most = 110; // where vmaf_v1.0.16_3d0h_2160 ends
    }
  const auto x = [&](double frame) {
    return kLeft + frame / static_cast<double>(last) * (kWidth - kLeft - 8);
  };
  const auto y = [&](double score) { return kTop + (most - score) / most * (kHeight - 2 * kTop - 16); };
  std::string svg =
      fmt::format("<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"VMAF over time\">",
                  kWidth, kHeight);
  for (int line = 0; line <= 100; line += 20)
    svg += fmt::format("<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"2\" y=\"{3:.1f}\">{4}</text>",
                       kLeft, y(line), kWidth - 8, y(line) + 4, line);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto all = scores(files[i]);
    const std::size_t step = std::max<std::size_t>(1, all.size() / 600);
    std::string line, marks;
    for (std::size_t at = 0; at < all.size(); at += step) {
      const auto low =
          std::min_element(all.begin() + static_cast<std::ptrdiff_t>(at),
                           all.begin() + static_cast<std::ptrdiff_t>(std::min(at + step, all.size())),
                           [](const auto &a, const auto &b) { return a.second < b.second; });
      const double px = x(static_cast<double>(low->first)), py = y(low->second);
      line += fmt::format("{:.1f},{:.1f} ", px, py);
      marks += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"transparent\" data-tip=\"{}: "
                           "frame {}, VMAF {:.2f}\"/>",
                           px, py, publish::escape_xml(files[i].path), low->first, low->second);
    }
    svg +=
        fmt::format("<polyline class=\"curve\" stroke=\"{}\" points=\"{}\"/>{}", colour_of(i), line, marks);
  }
  return svg + "</svg>";
}

std::string table(const std::vector<ScoredFile> &files) {
  std::string html =
      "<div class=\"scroll\"><table><tr><th>file</th><th>mean</th><th>harmonic</th><th>min</th><th>1 %</th>"
      "<th>5 %</th><th>frames</th><th>notes</th></tr>";
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string notes;
    for (const Json &warning : files[i].result["warnings"])
      notes += publish::escape_xml(warning.get<std::string>()) + ". ";
    html += fmt::format("<tr><td><span style=\"color:{}\">&#9632;</span> {}</td>", colour_of(i),
                        publish::escape_xml(files[i].path));
    for (const char *name : {"mean", "harmonic_mean", "min", "p1", "p5"})
      html += fmt::format("<td>{:.2f}</td>", pooled(files[i], name));
    html += fmt::format("<td>{}</td><td class=\"why\">{}</td></tr>", files[i].result["frames"].size(), notes);
  }
  return html + "</table></div>";
}

} // namespace

std::string score_table(const std::vector<ScoredFile> &files) {
  std::size_t width = 4;
  for (const ScoredFile &file : files)
    width = std::max(width, file.path.size());
  std::string text = fmt::format("{:<{}}  {:>7} {:>9} {:>7} {:>7} {:>7} {:>7}\n", "file", width, "mean",
                                 "harmonic", "min", "1 %", "5 %", "frames");
  for (const ScoredFile &file : files)
    text += fmt::format("{:<{}}  {:>7.3f} {:>9.3f} {:>7.3f} {:>7.3f} {:>7.3f} {:>7}\n", file.path, width,
                        pooled(file, "mean"), pooled(file, "harmonic_mean"), pooled(file, "min"),
                        pooled(file, "p1"), pooled(file, "p5"), file.result["frames"].size());
  return text;
}

Result<std::string> score_html(const std::string &reference, const std::vector<ScoredFile> &files,
                               const std::vector<FrameTime> &times) {
  std::string html =
      fmt::format("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
                  "content=\"width=device-width\"><title>VMAF of {0}</title><style>{1}</style><main>"
                  "<h1>VMAF against {0}</h1><section>{2}</section><section><h2>Over time</h2>{3}</section>",
                  publish::escape_xml(reference), report_style(), table(files), curve(files));
  std::vector<FrameTime> all;
  std::vector<std::vector<FrameTime>> wanted;
  for (const ScoredFile &file : files) {
    auto &mine = wanted.emplace_back();
    for (const std::uint64_t frame : worst(file))
      mine.push_back(frame < times.size() ? times[frame] : FrameTime{frame, GST_CLOCK_TIME_NONE});
    for (const FrameTime &time : mine)
      if (std::none_of(all.begin(), all.end(),
                       [&](const FrameTime &other) { return other.index == time.index; }))
        all.push_back(time);
  }
  const auto originals = pictures(reference, all);
  for (std::size_t i = 0; i < files.size(); ++i) {
    html += fmt::format("<section><h2>Worst frames of {}</h2>", publish::escape_xml(files[i].path));
    const auto copies = pictures(files[i].path, wanted[i]);
    const auto all_scores = scores(files[i]);
    for (const FrameTime &time : wanted[i]) {
      const auto score = std::find_if(all_scores.begin(), all_scores.end(),
                                      [&](const auto &entry) { return entry.first == time.index; });
      const auto original = originals.find(time.index), copy = copies.find(time.index);
      html += fmt::format(
          "<figure><div class=\"pair\"><img alt=\"reference\" src=\"{}\"><img alt=\"distorted\" "
          "src=\"{}\"></div>"
          "<figcaption>frame {}, VMAF {:.2f}: reference left, distorted right</figcaption></figure>",
          original == originals.end() ? "" : original->second, copy == copies.end() ? "" : copy->second,
          time.index, score->second);
    }
    html += "</section>";
  }
  return html +
         fmt::format("</main><div id=\"tip\" hidden></div><script>{}</script></html>\n", report_script());
}

} // namespace hull::tools
