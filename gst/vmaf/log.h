#pragma once

#include "gst/core/result.h"
#include "gst/vmaf/pool.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hull::vmaf {

/// Per-frame numbers of one distorted stream: named columns, one row per scored frame.
class ScoreLog {
 public:
  ScoreLog() = default;
  explicit ScoreLog(std::vector<std::string> names) : names_(std::move(names)) {}

  /// One value per name; NaN = not measured.
  void add(std::uint64_t frame, const std::vector<double> &values);
  const std::vector<std::string> &names() const { return names_; }
  std::size_t size() const { return frames_.size(); }
  std::uint64_t frame(std::size_t row) const { return frames_[row]; }
  double at(std::size_t row, std::size_t column) const { return values_[row * names_.size() + column]; }
  std::vector<double> column(std::size_t index) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::uint64_t> frames_;
  std::vector<double> values_;
};

/// What a report says besides the scores. `notes` are ready JSON texts by name, in their order.
struct ReportHead {
  int width = 0, height = 0;
  double fps = 0; ///< frames scored per second
  std::vector<std::pair<std::string, std::string>> notes;
};

/// The log in the layouts of libvmaf's tools, numbers with 17 digits. JSON adds stddev and percentiles to
/// pooled_metrics, and the notes at the top level.
std::string to_json(const ScoreLog &log, const ReportHead &head);
std::string to_csv(const ScoreLog &log);
std::string to_xml(const ScoreLog &log, const ReportHead &head);

/// `text` as a JSON string, quotes included; what is no UTF-8 becomes U+FFFD.
std::string json_text(const std::string &text);

} // namespace hull::vmaf
