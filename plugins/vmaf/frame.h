#pragma once

#include "gst/core/result.h"
#include "gst/glue/map.h"
#include "gst/vmaf/frame_matcher.h"
#include "plugins/vmaf/pad.h"

#include <memory>
#include <vector>

namespace hull {

/// Formats read in place, one caps string.
extern const char *const kVmafCaps;

/// A buffer with what was known about it when it came.
struct VmafFrame {
  BufferRef buffer;
  GstVideoInfo info{};
  VmafPadSettings crop;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  GstClockTime stream_time = GST_CLOCK_TIME_NONE;
};
using VmafFrameRef = std::shared_ptr<const VmafFrame>;

/// The frame that a matcher carried along.
VmafFrameRef frame_of(const vmaf::TimedFrame &frame);

/// ns of one frame at the caps' rate; 0 where they have none.
std::int64_t frame_duration(const GstVideoInfo &info);

/// A frame kept mapped, and its planes after cropping; chroma only where the format keeps it in planes of its
/// own.
class MappedPicture {
 public:
  /// Fails when the buffer cannot be read or the crop leaves nothing; `pad` is named then.
  static Result<std::unique_ptr<MappedPicture>> map(VmafFrameRef frame, const std::string &pad);
  const VmafFrame &frame() const { return *frame_; }
  MappedFrame &map() { return map_; }

  vmaf::Picture picture;

 private:
  explicit MappedPicture(VmafFrameRef frame)
      : frame_(std::move(frame)), map_(frame_->info, frame_->buffer.get(), GST_MAP_READ) {}
  VmafFrameRef frame_;
  MappedFrame map_;
};

/// Chroma of formats that interleave Cb and Cr (NV12, NV21, P010, P012), taken apart into planes of its own;
/// PSNR reads them.
class VmafChroma {
 public:
  /// Fills in the picture's chroma where its format keeps both in one plane; others stay as they are.
  void separate(MappedPicture &mapped);

 private:
  std::vector<std::uint16_t> words_[2];
  std::vector<std::uint8_t> bytes_[2];
};

} // namespace hull
