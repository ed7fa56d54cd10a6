#pragma once

#include <string_view>

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

  /// The file as seen from the root of the tree: meson names it from the build folder.
  constexpr const char *from_root() const {
    std::string_view path = file;
    while (path.substr(0, 3) == "../")
      path.remove_prefix(3);
    return path.data();
  }
};

} // namespace hull
