#include "gst/publish/utc.h"

#include "gst/core/number.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

namespace hull::publish {

namespace {

// `digits` digits at the start of `text`, which is then behind them.
std::optional<int> take_digits(std::string_view &text, std::size_t digits) {
  std::string_view own = text.substr(0, digits);
  const auto value = own.starts_with('-') ? std::nullopt : take_number<int>(own);
  if (value) text.remove_prefix(std::min(text.size(), digits) - own.size());
  return value;
}

bool take(std::string_view &text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// A number behind each mark: "T12:30" gives 12 and 30 for "T:". Fewer where the text ends or differs.
template <std::size_t count>
std::size_t take_fields(std::string_view &text, const std::pair<char, std::size_t> (&fields)[count],
                        int (&values)[count]) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto &[mark, digits] = fields[i];
    std::string_view rest = text;
    if (mark && !take(rest, mark)) return i;
    const auto value = take_digits(rest, digits);
    if (!value) return i;
    values[i] = *value;
    text = rest;
  }
  return count;
}

} // namespace

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
  int at[6] = {};
  if (take_fields(text, {{0, 4}, {'-', 2}, {'-', 2}, {'T', 2}, {':', 2}, {':', 2}}, at) != 6)
    return std::nullopt;
  const year_month_day date{year(at[0]), month(static_cast<unsigned>(at[1])),
                            day(static_cast<unsigned>(at[2]))};
  if (!date.ok() || at[3] > 24 || at[4] > 59 || at[5] > 60) return std::nullopt;
  std::int64_t ns = 0;
  if (take(text, '.') || take(text, ','))
    for (std::int64_t unit = 100'000'000; !text.empty() && text[0] >= '0' && text[0] <= '9'; unit /= 10) {
      ns += unit * (text[0] - '0');
      text.remove_prefix(1);
    }
  int offset = 0; // minutes east
  if (const bool west = text.starts_with('-'); west || text.starts_with('+')) {
    text.remove_prefix(1);
    int zone[2] = {};
    if (take_fields(text, {{0, 2}, {':', 2}}, zone) < 1) return std::nullopt;
    offset = (zone[0] * 60 + zone[1]) * (west ? -1 : 1);
  } else if (!text.empty() && text != "Z") {
    return std::nullopt;
  }
  const auto whole =
      duration_cast<seconds>(sys_days(date).time_since_epoch()).count() + at[3] * 3600 + at[4] * 60 + at[5];
  return (whole - offset * 60) * 1'000'000'000 + ns;
}

std::int64_t utc_now() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace hull::publish
