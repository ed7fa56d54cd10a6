#include "gst/vmaf/log.h"

#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>

namespace hull::vmaf {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.17g}", value) : "null";
}

std::vector<std::pair<const char *, double>> pooled_pairs(const Pooled &p) {
  return {{"min", p.min},       {"max", p.max}, {"mean", p.mean}, {"harmonic_mean", p.harmonic_mean},
          {"stddev", p.stddev}, {"p1", p.p1},   {"p5", p.p5},     {"p10", p.p10},
          {"p25", p.p25},       {"p50", p.p50}};
}

void frame_json(Out out, const ScoreLog &log, std::size_t row) {
  fmt::format_to(out, "{}    {{\n      \"frameNum\": {},\n      \"metrics\": {{", row ? ",\n" : "\n",
                 log.frame(row));
  const char *separator = "\n";
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    if (std::isnan(log.at(row, c))) continue;
    fmt::format_to(out, "{}        \"{}\": {}", separator, log.names()[c], number(log.at(row, c)));
    separator = ",\n";
  }
  fmt::format_to(out, "\n      }}\n    }}");
}

void pooled_json(Out out, const ScoreLog &log) {
  fmt::format_to(out, "  \"pooled_metrics\": {{");
  const char *metric = "\n";
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    const auto values = log.column(c);
    if (values.empty()) continue;
    fmt::format_to(out, "{}    \"{}\": {{", metric, log.names()[c]);
    metric = ",\n";
    const char *entry = "\n";
    for (const auto &[name, value] : pooled_pairs(pool(values))) {
      fmt::format_to(out, "{}      \"{}\": {}", entry, name, number(value));
      entry = ",\n";
    }
    fmt::format_to(out, "\n    }}");
  }
  fmt::format_to(out, "\n  }},\n");
}

} // namespace

void ScoreLog::add(std::uint64_t frame, const std::vector<double> &values) {
  frames_.push_back(frame);
  values_.insert(values_.end(), values.begin(), values.end());
  values_.resize(frames_.size() * names_.size(), std::nan(""));
}

std::vector<double> ScoreLog::column(std::size_t index) const {
  std::vector<double> values;
  values.reserve(size());
  for (std::size_t row = 0; row < size(); ++row)
    if (const double value = at(row, index); !std::isnan(value)) values.push_back(value);
  return values;
}

std::string to_json(const ScoreLog &log, const ReportHead &head) {
  std::string text;
  const Out out(text);
  fmt::format_to(out, "{{\n  \"version\": \"gst-plugins-hull {}\",\n", HULL_VERSION);
  fmt::format_to(out, "  \"params\": {{\n    \"qualityWidth\": {},\n    \"qualityHeight\": {}\n  }},\n",
                 head.width, head.height);
  fmt::format_to(out, "  \"fps\": {},\n", std::isfinite(head.fps) ? fmt::format("{:.2f}", head.fps) : "null");
  for (const auto &[name, json] : head.notes)
    fmt::format_to(out, "  {}: {},\n", json_text(name), json);
  fmt::format_to(out, "  \"frames\": [");
  for (std::size_t row = 0; row < log.size(); ++row)
    frame_json(out, log, row);
  fmt::format_to(out, "\n  ],\n");
  pooled_json(out, log);
  fmt::format_to(out, "  \"aggregate_metrics\": {{\n  }}\n}}\n");
  return text;
}

std::string to_csv(const ScoreLog &log) {
  std::string text = "Frame,";
  const Out out(text);
  for (const std::string &name : log.names())
    fmt::format_to(out, "{},", name);
  text += '\n';
  for (std::size_t row = 0; row < log.size(); ++row) {
    fmt::format_to(out, "{},", log.frame(row));
    for (std::size_t c = 0; c < log.names().size(); ++c)
      fmt::format_to(out, "{},", std::isnan(log.at(row, c)) ? std::string() : number(log.at(row, c)));
    text += '\n';
  }
  return text;
}

std::string to_xml(const ScoreLog &log, const ReportHead &head) {
  std::string text;
  const Out out(text);
  fmt::format_to(out, "<VMAF version=\"gst-plugins-hull {}\">\n", HULL_VERSION);
  fmt::format_to(out, "  <params qualityWidth=\"{}\" qualityHeight=\"{}\" />\n", head.width, head.height);
  fmt::format_to(out, "  <fyi fps=\"{:.2f}\" />\n  <frames>\n", std::isfinite(head.fps) ? head.fps : 0.0);
  for (std::size_t row = 0; row < log.size(); ++row) {
    fmt::format_to(out, "    <frame frameNum=\"{}\" ", log.frame(row));
    for (std::size_t c = 0; c < log.names().size(); ++c)
      if (!std::isnan(log.at(row, c)))
        fmt::format_to(out, "{}=\"{}\" ", log.names()[c], number(log.at(row, c)));
    text += "/>\n";
  }
  text += "  </frames>\n  <pooled_metrics>\n";
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    const auto values = log.column(c);
    if (values.empty()) continue;
    fmt::format_to(out, "    <metric name=\"{}\" ", log.names()[c]);
    for (const auto &[name, value] : pooled_pairs(pool(values)))
      fmt::format_to(out, "{}=\"{}\" ", name, number(value));
    text += "/>\n";
  }
  text += "  </pooled_metrics>\n  <aggregate_metrics />\n</VMAF>\n";
  return text;
}

std::string json_text(const std::string &text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace hull::vmaf
