#include "gst/vmaf/log.h"

#include "gst/core/json.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace hull::vmaf {
namespace {

using Names = std::vector<std::string>;
using Out = std::back_insert_iterator<std::string>;

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.17g}", value) : "null";
}

std::vector<std::pair<const char *, double>> pooled_pairs(const Pooled &p) {
  return {{"min", p.min},       {"max", p.max}, {"mean", p.mean}, {"harmonic_mean", p.harmonic_mean},
          {"stddev", p.stddev}, {"p1", p.p1},   {"p5", p.p5},     {"p10", p.p10},
          {"p25", p.p25},       {"p50", p.p50}};
}

std::string row_json(const Names &names, std::uint64_t frame, const double *values, bool first) {
  std::string text =
      fmt::format("{}    {{\n      \"frameNum\": {},\n      \"metrics\": {{", first ? "\n" : ",\n", frame);
  const char *separator = "\n";
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (std::isnan(values[c])) continue;
    fmt::format_to(Out(text), "{}        \"{}\": {}", separator, names[c], number(values[c]));
    separator = ",\n";
  }
  return text + "\n      }\n    }";
}

std::string row_csv(const Names &names, std::uint64_t frame, const double *values) {
  std::string text = fmt::format("{},", frame);
  for (std::size_t c = 0; c < names.size(); ++c)
    text += (std::isnan(values[c]) ? std::string() : number(values[c])) + ",";
  return text + "\n";
}

std::string row_xml(const Names &names, std::uint64_t frame, const double *values) {
  std::string text = fmt::format("    <frame frameNum=\"{}\" ", frame);
  for (std::size_t c = 0; c < names.size(); ++c)
    if (!std::isnan(values[c])) fmt::format_to(Out(text), "{}=\"{}\" ", names[c], number(values[c]));
  return text + "/>\n";
}

void pooled_json(std::string &text, const ScoreLog &log) {
  const Out out(text);
  fmt::format_to(out, "  \"pooled_metrics\": {{");
  const char *metric = "\n";
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    const Pooled pooled = log.pooled(c);
    if (std::isnan(pooled.mean)) continue;
    fmt::format_to(out, "{}    \"{}\": {{", metric, log.names()[c]);
    metric = ",\n";
    const char *entry = "\n";
    for (const auto &[name, value] : pooled_pairs(pooled)) {
      fmt::format_to(out, "{}      \"{}\": {}", entry, name, number(value));
      entry = ",\n";
    }
    fmt::format_to(out, "\n    }}");
  }
  fmt::format_to(out, "\n  }},\n");
}

std::string end_json(const ScoreLog &log, const ReportHead &head) {
  std::string text = "\n  ],\n";
  pooled_json(text, log);
  const Out out(text);
  fmt::format_to(out, "  \"aggregate_metrics\": {{\n  }},\n");
  for (const auto &[name, json] : head.notes)
    fmt::format_to(out, "  {}: {},\n", json_text(name), json);
  fmt::format_to(out, "  \"fps\": {}\n}}\n",
                 std::isfinite(head.fps) ? fmt::format("{:.2f}", head.fps) : "null");
  return text;
}

std::string end_xml(const ScoreLog &log, const ReportHead &head) {
  std::string text = "  </frames>\n  <pooled_metrics>\n";
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    const Pooled pooled = log.pooled(c);
    if (std::isnan(pooled.mean)) continue;
    fmt::format_to(Out(text), "    <metric name=\"{}\" ", log.names()[c]);
    for (const auto &[name, value] : pooled_pairs(pooled))
      fmt::format_to(Out(text), "{}=\"{}\" ", name, number(value));
    text += "/>\n";
  }
  fmt::format_to(Out(text),
                 "  </pooled_metrics>\n  <aggregate_metrics />\n  <fyi fps=\"{:.2f}\" />\n</VMAF>\n",
                 std::isfinite(head.fps) ? head.fps : 0.0);
  return text;
}

} // namespace

void ScoreLog::pool_row(const double *values) {
  for (std::size_t c = 0; c < names_.size(); ++c)
    if (!std::isnan(values[c])) pools_[c].add(values[c]);
}

void ScoreLog::add(std::uint64_t frame, const std::vector<double> &values) {
  ++total_;
  if (frames_.size() < capacity_) {
    frames_.push_back(frame);
    values_.insert(values_.end(), values.begin(), values.end());
    return;
  }
  if (pools_.empty()) {
    pools_.resize(names_.size());
    for (std::size_t row = 0; row < frames_.size(); ++row)
      pool_row(&values_[slot(row) * names_.size()]);
  }
  pool_row(values.data());
  if (capacity_ == 0) return;
  frames_[oldest_] = frame;
  std::copy(values.begin(), values.end(),
            values_.begin() + static_cast<std::ptrdiff_t>(oldest_ * names_.size()));
  oldest_ = (oldest_ + 1) % capacity_;
}

std::vector<double> ScoreLog::column(std::size_t index) const {
  std::vector<double> values;
  values.reserve(size());
  for (std::size_t row = 0; row < size(); ++row)
    if (const double value = at(row, index); !std::isnan(value)) values.push_back(value);
  return values;
}

Pooled ScoreLog::pooled(std::size_t column) const {
  return pools_.empty() ? pool(this->column(column)) : pools_[column].pooled();
}

std::string log_begin(LogLayout layout, const Names &names, int width, int height) {
  if (layout == LogLayout::csv) {
    std::string text = "Frame,";
    for (const std::string &name : names)
      text += name + ",";
    return text + "\n";
  }
  if (layout == LogLayout::xml)
    return fmt::format(
        "<VMAF version=\"gst-plugins-hull {}\">\n  <params qualityWidth=\"{}\" qualityHeight=\"{}\" "
        "/>\n  <frames>\n",
        HULL_VERSION, width, height);
  return fmt::format(
      "{{\n  \"version\": \"gst-plugins-hull {}\",\n  \"params\": {{\n    \"qualityWidth\": {},\n    "
      "\"qualityHeight\": {}\n  }},\n  \"frames\": [",
      HULL_VERSION, width, height);
}

std::string log_row(LogLayout layout, const Names &names, std::uint64_t frame, const double *values,
                    bool first) {
  if (layout == LogLayout::csv) return row_csv(names, frame, values);
  if (layout == LogLayout::xml) return row_xml(names, frame, values);
  return row_json(names, frame, values, first);
}

std::string log_end(LogLayout layout, const ScoreLog &log, const ReportHead &head) {
  if (layout == LogLayout::csv) return {};
  return layout == LogLayout::xml ? end_xml(log, head) : end_json(log, head);
}

std::string to_text(LogLayout layout, const ScoreLog &log, const ReportHead &head) {
  std::string text = log_begin(layout, log.names(), head.width, head.height);
  std::vector<double> values(log.names().size());
  for (std::size_t row = 0; row < log.size(); ++row) {
    for (std::size_t c = 0; c < values.size(); ++c)
      values[c] = log.at(row, c);
    text += log_row(layout, log.names(), log.frame(row), values.data(), row == 0);
  }
  return text + log_end(layout, log, head);
}

std::string json_text(const std::string &text) {
  return Json(text).dump();
}

} // namespace hull::vmaf
