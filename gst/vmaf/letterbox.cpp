#include "gst/vmaf/letterbox.h"

#include <algorithm>

namespace hull::vmaf {
namespace {

constexpr int kBlack = 28; ///< of 255: black of limited range is 16, and coding adds a little

bool black_row(const Plane &plane, int y, int limit) {
  for (int x = 0; x < plane.width; ++x)
    if (plane.sample(x, y) > limit) return false;
  return true;
}

bool black_column(const Plane &plane, int x, int top, int bottom, int limit) {
  for (int y = top; y < bottom; ++y)
    if (plane.sample(x, y) > limit) return false;
  return true;
}

} // namespace

void LetterboxDetector::look(const Plane &plane) {
  if (seen_ && !bars_.any()) return;
  const int limit = kBlack << (plane.bits - 8);
  // Bars only ever shrink, so no line beyond the known ones is looked at.
  const int most_rows = seen_ ? std::max(bars_.top, bars_.bottom) : plane.height,
            most_columns = seen_ ? std::max(bars_.left, bars_.right) : plane.width;
  Letterbox now;
  while (now.top < std::min(most_rows, plane.height) && black_row(plane, now.top, limit))
    ++now.top;
  if (now.top == plane.height) return;
  while (now.bottom < most_rows && black_row(plane, plane.height - 1 - now.bottom, limit))
    ++now.bottom;
  const int bottom = plane.height - now.bottom;
  while (now.left < most_columns && black_column(plane, now.left, now.top, bottom, limit))
    ++now.left;
  while (now.right < most_columns && black_column(plane, plane.width - 1 - now.right, now.top, bottom, limit))
    ++now.right;
  if (now.left + now.right >= plane.width || now.top + now.bottom >= plane.height) return;
  bars_ = seen_ ? Letterbox{std::min(bars_.left, now.left), std::min(bars_.right, now.right),
                            std::min(bars_.top, now.top), std::min(bars_.bottom, now.bottom)}
                : now;
  seen_ = true;
}

Letterbox LetterboxDetector::bars() const {
  const auto counted = [](int lines) { return lines < 2 ? 0 : lines; };
  return {counted(bars_.left), counted(bars_.right), counted(bars_.top), counted(bars_.bottom)};
}

} // namespace hull::vmaf
