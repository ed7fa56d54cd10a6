#pragma once

namespace hull {

/// A place in our source, as std::source_location; that one cannot be used with Debian 12's clang.
struct Place {
  const char *file;
  const char *function;
  int line;

  /// As the default of a parameter: the place of the call.
  static constexpr Place here(const char *file = __builtin_FILE(),
                              const char *function = __builtin_FUNCTION(), int line = __builtin_LINE()) {
    return {file, function, line};
  }
};

} // namespace hull
