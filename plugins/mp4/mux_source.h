#pragma once

#include "gst/core/result.h"
#include "gst/glue/ref.h"
#include "gst/mux/piece.h"
#include "gst/mux/settings.h"

#include <atomic>
#include <optional>
#include <vector>

#include <gst/gst.h>

namespace hull {

/// The muxer's source pad: what it tells and asks the element behind it. Muxing thread, unless said.
class MuxSource {
 public:
  explicit MuxSource(GstPad *pad) : pad_(pad) {}

  GstPad *pad() const { return pad_; }
  /// A new stream begins.
  void reset();
  /// The first variant that what follows takes, and can take: whole files are completed where they began.
  Result<mux::Variant> choose_variant() const;
  /// Whether what follows wants room kept in front of the media (hullmp4sink layout=reserve).
  bool keeps_room() const;
  /// Whether a header that comes later takes the first one's place (hullmp4sink).
  bool replaces_header() const;
  /// `header`: what fragments begin with, for those who come later; may be empty.
  void set_caps(mux::Variant variant, Bytes header);
  /// The next bytes go to this offset of the file.
  void seek(std::uint64_t offset);
  GstFlowReturn push(std::vector<mux::Piece> pieces);
  /// What follows prerolls with the first thing it gets, and other branches of the pipeline may need that to
  /// go on while an encoder of this one still looks ahead. The first real bytes name all tracks, so they
  /// cannot leave yet: a gap does, or in a whole file, which is counted in bytes, an empty buffer.
  void preroll(mux::Variant variant);
  void end();

  /// Nanoseconds that samples are held back in a live pipeline; a change is told to the pipeline.
  void hold(GstClockTime held);
  GstClockTime held() const { return held_; } ///< from any thread

 private:
  bool asks_yes(const char *question) const;
  void push_event(GstEvent *event);
  void begin();

  GstPad *pad_; // of the element, which owns this
  std::atomic<GstClockTime> held_{0};
  bool begun_ = false;
  std::optional<GstFormat> format_; // of the segment that has been sent
};

} // namespace hull
