#pragma once

namespace hull::test {

/// Built with AddressSanitizer, whose shadow and quarantine make sizes of the process say nothing about our
/// code. GCC and clang tell it in different ways.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

} // namespace hull::test
