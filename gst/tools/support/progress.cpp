#include "gst/tools/support/progress.h"

#include "gst/core/json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace hull::tools {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(200);
// Before this share of the work an estimate of the rest is a guess.
constexpr double kFirstEstimate = 0.02;

int terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

} // namespace

std::string duration_text(double seconds) {
  const long s = std::max(0L, std::lround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
}

Progress::Progress(Style style) : style_(style) {
  const char *term = std::getenv("TERM");
  terminal_ = style == Style::automatic && ::isatty(STDERR_FILENO) && (!term || std::string(term) != "dumb");
}

Progress::~Progress() {
  if (line_open_) std::fputs("\r\033[K", stderr);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

double Progress::fraction() const {
  return total_ > 0 ? std::min(1.0, (before_ + done_ * work_) / total_) : 0;
}

// This phase at its own speed once that is known, what follows at that of its kind. -1: not known yet.
double Progress::seconds_left() const {
  constexpr double kKnown = 5; // seconds
  const double done = before_ + done_ * work_, here = work_ * (1 - done_), later = total_ - before_ - work_;
  const double spent = std::chrono::duration<double>(Clock::now() - phase_start_).count();
  double own = 0; // seconds per unit
  if (spent > kKnown && done_ > kFirstEstimate)
    own = spent / (done_ * work_);
  else if (expected_ > 0 && !reads_)
    own = expected_;
  else if (done > kFirstEstimate * total_)
    own = seconds() / done;
  if (own <= 0) return -1;
  return here * own + later * (reads_ && expected_ > 0 ? expected_ : own);
}

void Progress::phase(const std::string &name, double work, bool reads) {
  name_ = name;
  reads_ = reads;
  phase_start_ = Clock::now();
  work_ = work;
  done_ = 0;
  tenth_ = -1;
  total_ = std::max(total_, before_ + work);
  draw(true);
}

void Progress::share(double done) {
  done_ = std::clamp(done, done_, 1.0);
  draw(false);
}

void Progress::end_phase() {
  done_ = 1;
  const double spent = std::chrono::duration<double>(Clock::now() - phase_start_).count();
  if (constexpr double kLong = 10; !reads_ && spent > kLong && work_ > 0) expected_ = spent / work_;
  draw(true);
  before_ += work_;
  work_ = done_ = 0;
}

void Progress::say(const std::string &text) {
  if (style_ == Style::quiet || style_ == Style::json) return;
  if (line_open_) std::fputs("\r\033[K", stderr);
  line_open_ = false;
  fmt::print(stderr, "{}\n", text);
}

void Progress::draw(bool final) {
  if (style_ == Style::quiet) return;
  const auto now = Clock::now();
  const double spent = seconds(), f = fraction();
  const double left = seconds_left();
  const int tenth = static_cast<int>(done_ * 10);
  if (terminal_) {
    if (!final && now - drawn_ < kRedraw) return;
    drawn_ = now;
    const int bar = 24, filled = static_cast<int>(f * bar);
    std::string line = "[" + std::string(filled, '#') + std::string(bar - filled, '.') + "] ";
    line += fmt::format("{:3.0f} %  {}{}", f * 100, name_,
                        left >= 0 ? ", " + duration_text(left) + " left" : std::string());
    if (const auto width = static_cast<std::size_t>(terminal_width()); line.size() >= width)
      line.resize(width - 1);
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    line_open_ = true;
    return;
  }
  const auto silence = style_ == Style::json ? std::chrono::seconds(5) : std::chrono::seconds(60);
  if (tenth == tenth_ && now - drawn_ < silence) return;
  // Short phases need no ten lines: their start says enough.
  if (tenth > 0 && tenth < 10 && now - drawn_ < std::chrono::seconds(2)) return;
  tenth_ = tenth;
  drawn_ = now;
  if (style_ == Style::json) {
    Json line = {{"phase", name_}, {"share", done_}, {"total", f}, {"seconds", spent}};
    if (left >= 0) line["seconds_left"] = left;
    fmt::print(stderr, "{}\n", line.dump());
  } else if (done_ < 1) {
    fmt::print(stderr, "{}: {:.0f} %{}\n", name_, done_ * 100,
               left >= 0 ? ", about " + duration_text(left) + " left" : std::string());
  }
}

} // namespace hull::tools
