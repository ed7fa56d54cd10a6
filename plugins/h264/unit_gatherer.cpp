#include "plugins/h264/unit_gatherer.h"

#include <algorithm>

namespace hull::h264 {
namespace {

// Header and the first Exp-Golomb code of a slice: enough to tell whether a picture begins.
constexpr std::size_t kHead = 9;

} // namespace

bool UnitGatherer::look(const Nal &nal) {
  if (has_slice_ && starts_access_unit(nal)) return true;
  has_slice_ |= nal.is_slice();
  return false;
}

std::optional<std::size_t> UnitGatherer::by_start_codes(Bytes data, bool at_end) {
  for (;;) {
    const std::size_t code = find_start_code(data, at_);
    if (code + 3 >= data.size()) {
      // A start code may be cut in two: its first bytes are looked at again.
      at_ = std::max(at_, data.size() > 2 ? std::min(code, data.size() - 2) : 0);
      return std::nullopt;
    }
    const Bytes rest = data.subspan(code + 3);
    const bool whole = at_end || find_start_code(rest, 0) < rest.size();
    if (!whole && rest.size() < kHead) {
      at_ = code;
      return std::nullopt;
    }
    if (look({rest})) return code > 0 && data[code - 1] == 0 ? code - 1 : code;
    at_ = code + 3;
  }
}

std::optional<std::size_t> UnitGatherer::by_lengths(Bytes data, unsigned length_size) {
  while (data.size() - at_ >= length_size) {
    const std::uint64_t length = load_be(data.data() + at_, length_size);
    if (length > data.size() - at_ - length_size) return std::nullopt;
    if (length > 0 && look({data.subspan(at_ + length_size, length)})) return at_;
    at_ += length_size + length;
  }
  return std::nullopt;
}

std::optional<std::size_t> UnitGatherer::end_of_unit(Bytes data, unsigned length_size, bool at_end) {
  if (at_ > data.size()) reset();
  return length_size ? by_lengths(data, length_size) : by_start_codes(data, at_end);
}

} // namespace hull::h264
