#include "gst/tools/support/csv.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace hull::tools {
namespace {

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) || c == '"'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const std::size_t end = line.find_first_of(",;\t");
    cells.emplace_back(trim(line.substr(0, end)));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

std::optional<double> number(const std::vector<std::string> &cells, std::size_t column) {
  if (column >= cells.size()) return std::nullopt;
  const std::string &cell = cells[column];
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

std::optional<std::size_t> find_column(std::vector<std::string> header,
                                       const std::vector<std::string> &names) {
  for (std::string &cell : header)
    std::transform(cell.begin(), cell.end(), cell.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string &name : names)
    if (const auto at = std::find(header.begin(), header.end(), name); at != header.end())
      return static_cast<std::size_t>(at - header.begin());
  return std::nullopt;
}

} // namespace

Result<std::vector<ladder::RateQuality>> parse_curve(std::string_view text, const std::string &name,
                                                     const std::vector<std::string> &second) {
  std::vector<ladder::RateQuality> curve;
  std::size_t rate = 0, quality = 1, number_of_line = 0;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number_of_line;
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> cells = split(line);
    if (first && !number(cells, 0) && !number(cells, 1)) {
      const auto a = find_column(cells, {"kbps", "rate", "bitrate"});
      const auto b = find_column(cells, second);
      if (!a || !b)
        return fail(ErrorCode::bad_data, fmt::format("{}:{}: the header names no columns kbps and {}", name,
                                                     number_of_line, second.front()));
      rate = *a;
      quality = *b;
      first = false;
      continue;
    }
    first = false;
    const auto r = number(cells, rate), q = number(cells, quality);
    if (!r || !q)
      return fail(ErrorCode::bad_data, fmt::format("{}:{}: expected a rate and a quality, found \"{}\"", name,
                                                   number_of_line, line));
    curve.push_back({*r, *q});
  }
  return curve;
}

} // namespace hull::tools
