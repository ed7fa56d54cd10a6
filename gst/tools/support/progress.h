#pragma once

#include <chrono>
#include <string>

namespace hull::tools {

/// Tells how far a run is, on standard error: one line redrawn at most five times a second on a terminal,
/// otherwise a line for each phase, each tenth of it, and each minute (five seconds as JSON).
class Progress {
 public:
  enum class Style { automatic, plain, json, quiet };

  explicit Progress(Style style);
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  ~Progress();

  /// Work from here on, in any unit: said again whenever it becomes better known.
  void remaining(double work) { total_ = before_ + work; }
  /// Seconds a unit of work takes outside of phases that read, until such a phase shows it.
  void expect(double seconds_per_unit) { expected_ = seconds_per_unit; }
  /// Since the start.
  double seconds() const;
  /// Starts a phase of `work` units; one that only reads the source says nothing about the speed of others.
  void phase(const std::string &name, double work, bool reads = false);
  /// The phase has done this share of its work, 0 … 1.
  void share(double done);
  void end_phase();
  /// A line of its own that stays.
  void say(const std::string &text);

 private:
  void draw(bool final);
  double fraction() const;
  double seconds_left() const;

  using Clock = std::chrono::steady_clock;
  Style style_;
  bool terminal_ = false;
  bool line_open_ = false, reads_ = false;
  double total_ = 0, before_ = 0, work_ = 0, done_ = 0, expected_ = 0;
  int tenth_ = -1;
  std::string name_;
  Clock::time_point start_ = Clock::now(), phase_start_ = start_, drawn_{};
};

/// "4 s", "2 min 10 s", "1 h 5 min".
std::string duration_text(double seconds);

} // namespace hull::tools
