#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hull::publish {

/// `ns` since 1970 as xs:dateTime and RFC 3339 in UTC with milliseconds, rounded down:
/// 2026-11-20T12:00:00.250Z.
std::string utc_text(std::int64_t ns);

/// The inverse, for any number of digits, with Z, an offset like +01:00, or nothing (UTC). Nanoseconds since
/// 1970.
std::optional<std::int64_t> parse_utc(std::string_view text);

/// The system's clock, ns since 1970.
std::int64_t utc_now();

} // namespace hull::publish
