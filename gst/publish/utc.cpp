#include "gst/publish/utc.h"

#include <chrono>
#include <cstdio>
#include <fmt/format.h>

namespace hull::publish {

std::string utc_text(std::int64_t ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(ns)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const auto ms = duration_cast<milliseconds>(time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), ms / 3'600'000,
                     ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

std::optional<std::int64_t> parse_utc(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6)
    return std::nullopt;
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  if (!date.ok() || h > 24 || mi > 59 || s > 60) return std::nullopt;
  std::int64_t ns = 0;
  std::size_t at = static_cast<std::size_t>(used);
  if (at < copy.size() && (copy[at] == '.' || copy[at] == ',')) {
    std::int64_t unit = 100'000'000;
    for (++at; at < copy.size() && copy[at] >= '0' && copy[at] <= '9'; ++at, unit /= 10)
      ns += unit * (copy[at] - '0');
  }
  int offset = 0; // minutes east
  if (at < copy.size() && (copy[at] == '+' || copy[at] == '-')) {
    int oh = 0, om = 0;
    if (std::sscanf(copy.c_str() + at + 1, "%2d:%2d", &oh, &om) < 1) return std::nullopt;
    offset = (oh * 60 + om) * (copy[at] == '-' ? -1 : 1);
  } else if (at < copy.size() && copy.substr(at) != "Z") {
    return std::nullopt;
  }
  const auto whole =
      duration_cast<seconds>(sys_days(date).time_since_epoch()).count() + h * 3600 + mi * 60 + s;
  return (whole - offset * 60) * 1'000'000'000 + ns;
}

std::int64_t utc_now() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace hull::publish
