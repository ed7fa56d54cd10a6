#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <type_traits>

namespace hull {

/// The number that `text` begins with, which is cut off it; nothing where there is none or it does not fit.
/// As std::from_chars reads it, so the same in every locale: no blanks before it, no plus sign.
template <class Number> std::optional<Number> take_number(std::string_view &text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>)
    if (!std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// The number that `text` is, all of it.
template <class Number> std::optional<Number> to_number(std::string_view text) {
  const auto value = take_number<Number>(text);
  return text.empty() ? value : std::nullopt;
}

} // namespace hull
