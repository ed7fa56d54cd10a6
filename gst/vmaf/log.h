#pragma once

#include "gst/core/result.h"
#include "gst/vmaf/pool.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hull::vmaf {

/// Per-frame numbers of one distorted stream: named columns, one row per scored frame. Only the newest
/// `capacity` rows are kept, so an endless stream needs no more memory than a short one; pooled figures cover
/// all rows, exactly while all are kept, then as RunningPool says.
class ScoreLog {
 public:
  ScoreLog() = default;
  ScoreLog(std::vector<std::string> names, std::size_t capacity)
      : names_(std::move(names)), capacity_(capacity) {}

  /// One value per name; NaN = not measured.
  void add(std::uint64_t frame, const std::vector<double> &values);
  const std::vector<std::string> &names() const { return names_; }
  std::size_t size() const { return frames_.size(); } ///< rows kept
  std::uint64_t total() const { return total_; }      ///< rows ever
  std::uint64_t frame(std::size_t row) const { return frames_[slot(row)]; }
  double at(std::size_t row, std::size_t column) const { return values_[slot(row) * names_.size() + column]; }
  /// What was measured of a column, of the kept rows.
  std::vector<double> column(std::size_t index) const;
  /// NaN throughout where nothing was measured.
  Pooled pooled(std::size_t column) const;

 private:
  std::size_t slot(std::size_t row) const { return (oldest_ + row) % frames_.size(); }
  void pool_row(const double *values);

  std::vector<std::string> names_;
  std::size_t capacity_ = 0, oldest_ = 0;
  std::uint64_t total_ = 0;
  std::vector<std::uint64_t> frames_;
  std::vector<double> values_;
  std::vector<RunningPool> pools_; ///< by column, from the first row that is let go
};

enum class LogLayout { json, csv, xml };

/// What a report says besides the scores. `notes` are ready JSON texts by name, in their order.
struct ReportHead {
  int width = 0, height = 0;
  double fps = 0; ///< frames scored per second
  std::vector<std::pair<std::string, std::string>> notes;
};

// The log in the layouts of libvmaf's tools, numbers with 17 digits, in three parts so that a file can be
// written while the stream runs. JSON adds stddev and percentiles to pooled_metrics, and the notes, which are
// complete at the end only, behind the frames.
std::string log_begin(LogLayout layout, const std::vector<std::string> &names, int width, int height);
std::string log_row(LogLayout layout, const std::vector<std::string> &names, std::uint64_t frame,
                    const double *values, bool first);
std::string log_end(LogLayout layout, const ScoreLog &log, const ReportHead &head);

/// All three parts with the rows that are kept.
std::string to_text(LogLayout layout, const ScoreLog &log, const ReportHead &head);

/// `text` as a JSON string, quotes included; what is no UTF-8 becomes U+FFFD.
std::string json_text(const std::string &text);

} // namespace hull::vmaf
