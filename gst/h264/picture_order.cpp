#include "gst/h264/picture_order.h"

#include <algorithm>
#include <numeric>

namespace hull::h264 {
namespace {

constexpr unsigned kPicturesThatShow = 8;

} // namespace

void PictureOrder::follow_frame_num(const SliceHeader &header) {
  if (header.is_idr() || cleared_) {
    frame_num_offset_ = 0;
    if (header.is_idr()) previous_frame_num_ = 0;
  }
  if (!header.is_idr() && !cleared_ && header.frame_num < previous_frame_num_)
    frame_num_offset_ += std::int64_t{1} << (header.sps().log2_max_frame_num_minus4 + 4);
  previous_frame_num_ = header.frame_num;
}

std::int64_t PictureOrder::of_type_0(const SliceHeader &header) {
  const std::int64_t modulus = std::int64_t{1} << (header.sps().log2_max_pic_order_cnt_lsb_minus4 + 4);
  const std::int64_t lsb = header.pic_order_cnt_lsb;
  if (header.is_idr() || cleared_) previous_msb_ = 0;
  if (header.is_idr()) previous_lsb_ = 0;
  std::int64_t msb = previous_msb_;
  if (lsb < previous_lsb_ && previous_lsb_ - lsb >= modulus / 2)
    msb += modulus;
  else if (lsb > previous_lsb_ && lsb - previous_lsb_ > modulus / 2)
    msb -= modulus;
  const std::int64_t top = msb + lsb, bottom = top + header.delta_pic_order_cnt_bottom;
  if (header.nal_ref_idc != 0) {
    // After operation 5 the picture counts as if it stood at the beginning, 8.2.1.
    const bool clears = header.clears_references();
    previous_msb_ = clears ? 0 : msb;
    previous_lsb_ = clears ? top - std::min(top, bottom) : lsb;
  }
  return std::min(top, bottom);
}

std::int64_t PictureOrder::of_type_1(const SliceHeader &header) const {
  const Sps &sps = header.sps();
  const auto cycle = static_cast<std::int64_t>(sps.offset_for_ref_frame.size());
  const bool reference = header.nal_ref_idc != 0;
  std::int64_t number = cycle ? frame_num_offset_ + header.frame_num : 0;
  if (!reference && number > 0) --number;
  std::int64_t expected = 0;
  if (number > 0) {
    const auto &offsets = sps.offset_for_ref_frame;
    const auto sum = std::accumulate(offsets.begin(), offsets.end(), std::int64_t{0});
    const auto inside = static_cast<std::ptrdiff_t>((number - 1) % cycle);
    expected = (number - 1) / cycle * sum +
               std::accumulate(offsets.begin(), offsets.begin() + inside + 1, std::int64_t{0});
  }
  if (!reference) expected += sps.offset_for_non_ref_pic;
  const std::int64_t top = expected + header.delta_pic_order_cnt[0];
  const std::int64_t bottom = top + sps.offset_for_top_to_bottom_field + header.delta_pic_order_cnt[1];
  return std::min(top, bottom);
}

std::int32_t PictureOrder::count(const SliceHeader &header) {
  follow_frame_num(header);
  std::int64_t count = 0;
  switch (header.sps().pic_order_cnt_type) {
  case 0:
    count = of_type_0(header);
    break;
  case 1:
    count = of_type_1(header);
    break;
  default:
    count = 2 * (frame_num_offset_ + header.frame_num) - (header.nal_ref_idc == 0 ? 1 : 0);
  }
  cleared_ = header.clears_references();
  if (cleared_) {
    previous_frame_num_ = 0;
    count = 0;
  }
  return static_cast<std::int32_t>(count);
}

void OutputOrder::begin(const Sps &sps) {
  *this = OutputOrder();
  certain_ = sps.order_is_known();
  limit_ = certain_ ? sps.reorder_frames() : sps.max_dpb_frames();
}

void OutputOrder::restart() {
  waiting_.clear();
  last_.reset();
}

void OutputOrder::add(std::uint64_t id, std::int32_t count, bool bidirectional) {
  ++pictures_;
  bidirectional_ |= bidirectional;
  odd_ |= count % 2 != 0;
  // A stream that reorders more than it says: from now on more may wait.
  if (last_ && count < *last_ && certain_) limit_ = std::min(limit_ + 1, 16u);
  waiting_.push_back({id, count});
}

std::vector<OutputOrder::Picture>::iterator OutputOrder::first() {
  return std::ranges::min_element(waiting_, {}, &Picture::count);
}

std::uint64_t OutputOrder::take(std::vector<Picture>::iterator picture) {
  const std::uint64_t id = picture->id;
  last_ = picture->count;
  waiting_.erase(picture);
  return id;
}

// Nothing fits between the last picture and this one. Most streams count fields, two a frame: a few pictures
// show whether this one does.
bool OutputOrder::follows_closely(std::int32_t count) const {
  const bool counts_fields = !odd_ && bidirectional_ && pictures_ > kPicturesThatShow;
  return last_ && (count == *last_ + 1 || (counts_fields && count == *last_ + 2));
}

std::optional<std::uint64_t> OutputOrder::ready() {
  if (waiting_.empty()) return std::nullopt;
  const auto picture = first();
  // Without a word of the stream one picture waits until B slices show that more must.
  const std::size_t limit = certain_ || bidirectional_ ? limit_ : std::min(limit_, 1u);
  if (waiting_.size() > limit || (!certain_ && follows_closely(picture->count))) return take(picture);
  waited_ = std::max(waited_, static_cast<unsigned>(waiting_.size()));
  return std::nullopt;
}

std::optional<std::uint64_t> OutputOrder::next() {
  if (waiting_.empty()) return std::nullopt;
  return take(first());
}

unsigned OutputOrder::delay() const {
  return certain_ ? limit_ : std::max(waited_, std::min(limit_, 1u));
}

} // namespace hull::h264
