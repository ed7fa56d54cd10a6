#pragma once

// What an element writes into its debug category while a test runs.

#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull::test {

class DebugLines {
 public:
  /// Of one category, up to `level`. GStreamer's own log is silent meanwhile.
  DebugLines(const char *category, GstDebugLevel level) : category_(category) {
    gst_debug_set_threshold_for_name(category, level);
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_add_log_function(&write, this, nullptr);
  }
  ~DebugLines() {
    gst_debug_remove_log_function_by_data(this);
    gst_debug_unset_threshold_for_name(category_.c_str());
    gst_debug_add_log_function(gst_debug_log_default, nullptr, nullptr);
  }
  DebugLines(const DebugLines &) = delete;
  DebugLines &operator=(const DebugLines &) = delete;

  /// How many lines of a level contain a text.
  long count(GstDebugLevel level, const std::string &part) const {
    const std::lock_guard lock(mutex_);
    return std::count_if(lines_.begin(), lines_.end(), [&](const Line &line) {
      return line.level == level && line.text.find(part) != std::string::npos;
    });
  }
  /// All lines, for a failure's text.
  std::string all() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const Line &line : lines_)
      text += std::string(gst_debug_level_get_name(line.level)) + " " + line.text + "\n";
    return text;
  }

 private:
  struct Line {
    GstDebugLevel level;
    std::string text;
  };
  static void write(GstDebugCategory *category, GstDebugLevel level, const gchar *, const gchar *, gint,
                    GObject *object, GstDebugMessage *message, gpointer self) {
    auto *lines = static_cast<DebugLines *>(self);
    if (lines->category_ != gst_debug_category_get_name(category)) return;
    const std::string name = GST_IS_OBJECT(object) ? GST_OBJECT_NAME(object) : "";
    const std::lock_guard lock(lines->mutex_);
    lines->lines_.push_back({level, name + ": " + gst_debug_message_get(message)});
  }

  const std::string category_;
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

/// A line that a person would look for, and how often it comes at least.
struct ExpectedLine {
  GstDebugLevel level;
  std::string part;
  long least = 1;
};

inline void expect_lines(const DebugLines &lines, const std::vector<ExpectedLine> &expected) {
  for (const ExpectedLine &line : expected)
    EXPECT_GE(lines.count(line.level, line.part), line.least) << line.part << " is not among\n"
                                                              << lines.all();
}

} // namespace hull::test
