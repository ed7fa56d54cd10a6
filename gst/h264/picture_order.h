#pragma once

#include "gst/h264/slice.h"

#include <optional>
#include <vector>

namespace hull::h264 {

/// Picture order counts of frames, 8.2.1.
class PictureOrder {
 public:
  /// PicOrderCnt of the picture that `header` begins. Once for each picture, in decoding order.
  std::int32_t count(const SliceHeader &header);
  void reset() { *this = PictureOrder(); }

 private:
  std::int64_t of_type_0(const SliceHeader &header);
  std::int64_t of_type_1(const SliceHeader &header) const;
  void follow_frame_num(const SliceHeader &header);

  std::int64_t previous_msb_ = 0, previous_lsb_ = 0; // of the last reference picture
  std::int64_t frame_num_offset_ = 0;
  std::uint32_t previous_frame_num_ = 0;
  bool cleared_ = false; // the picture before had memory_management_control_operation 5
};

/// Puts pictures that were decoded into output order, as C.4.5.3 does, and lets each go as early as the
/// stream allows.
class OutputOrder {
 public:
  /// Another sequence parameter set is active: it says how many pictures may wait. All must have been taken.
  void begin(const Sps &sps);
  /// Counting begins anew, with an IDR picture. All pictures must have been taken.
  void restart();
  /// A picture was decoded; `bidirectional` when it has B slices.
  void add(std::uint64_t id, std::int32_t count, bool bidirectional);
  /// The next picture that may go; nullopt while none may.
  std::optional<std::uint64_t> ready();
  /// The next picture whatever may still come; nullopt when none waits.
  std::optional<std::uint64_t> next();

  /// The most pictures that wait at a time: as the sequence says, or else as seen so far.
  unsigned delay() const;

 private:
  struct Picture {
    std::uint64_t id;
    std::int32_t count;
  };
  std::vector<Picture>::iterator first();
  bool follows_closely(std::int32_t count) const;
  std::uint64_t take(std::vector<Picture>::iterator picture);

  std::vector<Picture> waiting_;
  unsigned limit_ = 0;  // pictures that may wait
  bool certain_ = true; // the stream says so; else it is what its level allows
  bool bidirectional_ = false, odd_ = false;
  unsigned pictures_ = 0; // since begin()
  unsigned waited_ = 0;   // the most at a time, where nothing is certain
  std::optional<std::int32_t> last_;
};

} // namespace hull::h264
