#include "gst/h264/references.h"

#include <algorithm>

namespace hull::h264 {
namespace {

std::uint32_t max_frame_num(const SliceHeader &slice) {
  return 1u << (slice.sps().log2_max_frame_num_minus4 + 4);
}

} // namespace

// FrameNumWrap, which is PicNum for frames: 8-27.
std::int64_t References::pic_num(const Frame &frame, const SliceHeader &now) const {
  const std::int64_t number = frame.frame_num;
  return frame.frame_num > now.frame_num ? number - max_frame_num(now) : number;
}

const References::Frame *References::find_short(std::int64_t number, const SliceHeader &now) const {
  const auto found = std::ranges::find_if(
      frames_, [&](const Frame &frame) { return !frame.long_term && pic_num(frame, now) == number; });
  return found == frames_.end() ? nullptr : &*found;
}

const References::Frame *References::find_long(std::uint32_t index) const {
  const auto found = std::ranges::find_if(
      frames_, [&](const Frame &frame) { return frame.long_term && frame.long_term_frame_idx == index; });
  return found == frames_.end() ? nullptr : &*found;
}

// RefPicList0 of a P slice, 8.2.4.2.1.
std::vector<const References::Frame *> References::initial_list(const SliceHeader &slice) const {
  std::vector<const Frame *> list;
  for (const Frame &frame : frames_)
    list.push_back(&frame);
  std::ranges::stable_sort(list, [&](const Frame *a, const Frame *b) {
    if (a->long_term != b->long_term) return b->long_term;
    return a->long_term ? a->long_term_frame_idx < b->long_term_frame_idx
                        : pic_num(*a, slice) > pic_num(*b, slice);
  });
  return list;
}

Trust References::of(const SliceHeader &slice) const {
  if (slice.type() == SliceType::i || slice.type() == SliceType::si) return Trust::exact;
  const auto worst = [](const auto &list) {
    Trust trust = list.empty() ? Trust::damaged : Trust::exact;
    for (const Frame *frame : list)
      trust = std::max(trust, frame ? frame->trust : Trust::damaged);
    return trust;
  };
  auto list = initial_list(slice);
  if (slice.type() == SliceType::b) return worst(list);
  const std::size_t active = slice.num_ref_idx_active_minus1[0] + 1u;
  if (list.size() > active) list.resize(active);
  std::int64_t predicted = slice.frame_num; // picNumLXPred, 8.2.4.3.1
  std::size_t index = 0;
  for (const auto &change : slice.modifications[0]) {
    if (change.modification_of_pic_nums_idc > 2) break;
    const Frame *frame = nullptr;
    if (change.modification_of_pic_nums_idc == 2) {
      frame = find_long(change.value);
    } else {
      const std::int64_t size = max_frame_num(slice), difference = std::int64_t{change.value} + 1;
      predicted += change.modification_of_pic_nums_idc == 0 ? -difference : difference;
      predicted = (predicted % size + size) % size;
      frame = find_short(predicted > slice.frame_num ? predicted - size : predicted, slice);
    }
    // What stood there moves back; the same picture further behind goes.
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(std::min(index, list.size())), frame);
    ++index;
    if (frame) {
      const auto again = std::find(list.begin() + static_cast<std::ptrdiff_t>(std::min(index, list.size())),
                                   list.end(), frame);
      if (again != list.end()) list.erase(again);
    }
    if (list.size() > active) list.resize(active);
  }
  return worst(list);
}

void References::slide(const SliceHeader &now) {
  const std::size_t most = std::max<std::size_t>(now.sps().max_num_ref_frames, 1);
  while (frames_.size() >= most) {
    auto oldest = frames_.end();
    for (auto frame = frames_.begin(); frame != frames_.end(); ++frame)
      if (!frame->long_term && (oldest == frames_.end() || pic_num(*frame, now) < pic_num(*oldest, now)))
        oldest = frame;
    if (oldest == frames_.end()) return;
    frames_.erase(oldest);
  }
}

bool References::begin(const SliceHeader &picture) {
  const std::uint32_t size = max_frame_num(picture);
  if (!begun_ || picture.is_idr() || picture.frame_num == previous_frame_num_) return false;
  const std::uint32_t missing = (picture.frame_num + size - previous_frame_num_ - 1) % size;
  for (std::uint32_t back = std::min(missing, 16u); back > 0; --back) {
    slide(picture);
    frames_.push_back({(picture.frame_num + size - back) % size, false, 0, Trust::damaged});
  }
  if (missing > 0) previous_frame_num_ = (picture.frame_num + size - 1) % size;
  return missing > 0;
}

void References::apply(const SliceHeader::Marking &marking, const SliceHeader &picture, Frame &current,
                       std::vector<Marked> &marked) {
  const auto drop_long = [this](std::uint32_t index) {
    std::erase_if(frames_, [index](const Frame &frame) {
      return frame.long_term && frame.long_term_frame_idx == index;
    });
  };
  const std::int64_t number = std::int64_t{picture.frame_num} - marking.difference_of_pic_nums_minus1 - 1;
  switch (marking.memory_management_control_operation) {
  case 1:
    std::erase_if(frames_,
                  [&](const Frame &frame) { return !frame.long_term && pic_num(frame, picture) == number; });
    break;
  case 2:
    drop_long(marking.long_term_pic_num);
    break;
  case 3:
    drop_long(marking.long_term_frame_idx);
    for (Frame &frame : frames_)
      if (!frame.long_term && pic_num(frame, picture) == number) {
        frame.long_term = true;
        frame.long_term_frame_idx = marking.long_term_frame_idx;
        marked.push_back({frame.frame_num, frame.trust});
      }
    break;
  case 4:
    std::erase_if(frames_, [&](const Frame &frame) {
      return frame.long_term && frame.long_term_frame_idx >= marking.max_long_term_frame_idx_plus1;
    });
    break;
  case 5:
    frames_.clear();
    current.frame_num = 0;
    break;
  case 6:
    drop_long(marking.long_term_frame_idx);
    current.long_term = true;
    current.long_term_frame_idx = marking.long_term_frame_idx;
    marked.push_back({current.frame_num, current.trust});
    break;
  default:
    break;
  }
}

std::vector<References::Marked> References::add(const SliceHeader &picture, Trust trust) {
  std::vector<Marked> marked;
  if (picture.nal_ref_idc == 0) return marked;
  Frame current{picture.frame_num, false, 0, trust};
  if (picture.is_idr()) {
    frames_.clear();
    current.long_term = picture.long_term_reference_flag;
    if (current.long_term) marked.push_back({current.frame_num, trust});
  } else if (picture.adaptive_ref_pic_marking_mode_flag) {
    for (const auto &marking : picture.markings)
      apply(marking, picture, current, marked);
    slide(picture); // a stream that keeps too many has lost something
  } else {
    slide(picture);
  }
  // A second picture with this frame_num replaces the first, which was a repetition or damage.
  std::erase_if(frames_, [&](const Frame &frame) {
    return !frame.long_term && !current.long_term && frame.frame_num == current.frame_num;
  });
  frames_.push_back(current);
  previous_frame_num_ = current.frame_num;
  begun_ = true;
  return marked;
}

void References::heal() {
  for (Frame &frame : frames_)
    if (frame.trust == Trust::damaged) frame.trust = Trust::exact;
}

} // namespace hull::h264
