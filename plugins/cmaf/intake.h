#pragma once

// From a muxer's buffers to chunks of the live window.

#include "gst/glue/ref.h"
#include "gst/publish/live/live.h"
#include "gst/publish/media_facts.h"

namespace hull::cmaf {

/// Assembles the chunks of one track. All calls come from its streaming thread.
class Intake {
 public:
  Intake(publish::Live &live, std::size_t track) : live_(live), track_(track) {}

  /// What the element knows of the track and the boxes don't say: frame rate, language.
  void describe(publish::FrameRate frame_rate, std::string language);
  /// A buffer with fmp4mux's flags: DISCONT | HEADER is the initialisation segment, HEADER a moof (DELTA_UNIT
  /// unless it begins a segment), MARKER the last buffer of a chunk. Errors concern this buffer only.
  Result<void> push(GstBuffer *buffer);

 private:
  Result<void> take_init(Bytes bytes);
  Result<void> finish_chunk();

  publish::Live &live_;
  std::size_t track_;
  publish::FrameRate frame_rate_;
  std::string language_;
  publish::SampleDefaults defaults_;
  std::uint32_t track_id_ = 1;
  std::uint32_t timescale_ = 1;
  ByteVector chunk_;
  bool open_ = false;
  bool starts_segment_ = false;
};

} // namespace hull::cmaf
