#pragma once

#include "gst/h264/slice.h"

#include <vector>

namespace hull::h264 {

/// How far a picture can be trusted. A picture is at most as good as what it refers to.
enum class Trust : std::uint8_t {
  exact,   ///< as the standard says
  inexact, ///< whole, but decoded by means that differ from the standard a little
  damaged, ///< something of it, or of what it refers to, was lost
};

/// Follows which frames a decoder of progressive pictures keeps for reference (8.2.4, 8.2.5), and what became
/// of them.
class References {
 public:
  /// What the pictures that this slice may refer to are worth: exact when it refers to none. B slices, whose
  /// lists follow the picture order, are held to all references there are.
  Trust of(const SliceHeader &slice) const;
  /// A picture begins: reference pictures that are missing before it, by frame_num, take their places as
  /// damaged ones (8.2.5.2). True when there are such. Before of() and add().
  bool begin(const SliceHeader &picture);

  /// A long-term picture that one picture marked, as frame_num of the time it was coded.
  struct Marked {
    std::uint32_t frame_num;
    Trust trust;
  };
  /// A picture was decoded. Returns what it marked as long-term references.
  std::vector<Marked> add(const SliceHeader &picture, Trust trust);
  /// What was damaged has been repaired, by intra refresh.
  void heal();
  void reset() { *this = References(); }

 private:
  struct Frame {
    std::uint32_t frame_num;
    bool long_term;
    std::uint32_t long_term_frame_idx;
    Trust trust;
  };
  static constexpr std::int64_t kNone = -1;

  std::int64_t pic_num(const Frame &frame, const SliceHeader &now) const;
  std::vector<const Frame *> initial_list(const SliceHeader &slice) const;
  const Frame *find_short(std::int64_t pic_num, const SliceHeader &now) const;
  const Frame *find_long(std::uint32_t index) const;
  void slide(const SliceHeader &now);
  void apply(const SliceHeader::Marking &marking, const SliceHeader &picture, Frame &current,
             std::vector<Marked> &marked);

  std::vector<Frame> frames_;
  bool begun_ = false;
  std::uint32_t previous_frame_num_ = 0; // of the last reference picture
};

} // namespace hull::h264
