#include "gst/isobmff/formats/brands.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

} // namespace

Result<void> add_brands(std::vector<FourCC> &brands, std::string_view list) {
  std::vector<FourCC> added = brands;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string_view name = trimmed(list.substr(at, end - at));
    const bool plain = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
    if (name.empty() || name.size() > 4 || !plain)
      return fail(ErrorCode::settings,
                  "'" + std::string(name) +
                      "' is no brand: that is one to four letters or digits, as in iso9,dash.");
    const FourCC brand = FourCC::from(name);
    if (std::ranges::find(added, brand) == added.end()) added.push_back(brand);
    at = end + 1;
  }
  brands = std::move(added);
  return {};
}

} // namespace hull::isobmff
