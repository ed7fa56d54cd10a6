#pragma once

#include "gst/core/number.h"

#include <limits>
#include <string_view>
#include <vector>

namespace hull {

/// All decimal numbers that stand in `text`, in their order: "12:30 and 1.5" holds 12, 30 and 1.5. Read the
/// same in every locale.
inline std::vector<double> numbers_in(std::string_view text) {
  std::vector<double> numbers;
  while (!text.empty()) {
    const auto number = take_number<double>(text);
    if (number)
      numbers.push_back(*number);
    else
      text.remove_prefix(1);
  }
  return numbers;
}

/// The first of them; NaN, which compares with nothing, where there is none.
inline double number_in(std::string_view text) {
  const std::vector<double> numbers = numbers_in(text);
  return numbers.empty() ? std::numeric_limits<double>::quiet_NaN() : numbers.front();
}

} // namespace hull
