#pragma once

// One request pad: ghost pad, its muxer, and the end where chunks come out. CMAF goes there without a muxer.

#include "gst/publish/live/live.h"
#include "plugins/cmaf/clock.h"
#include "plugins/cmaf/intake.h"
#include "plugins/cmaf/settings.h"
#include "plugins/cmaf/text_follower.h"

#include <functional>
#include <string>
#include <vector>

namespace hull::cmaf {

class Stream {
 public:
  /// Adds a hullmp4mux and an appsink to `bin` and makes the ghost pad; not_found when hullmp4mux is missing.
  static Result<std::unique_ptr<Stream>> make(GstBin *bin, GstPadTemplate *templ, const std::string &pad_name,
                                              const std::string &id, publish::Kind kind);
  ~Stream();

  GstPad *pad() const { return pad_.get(); }
  publish::Kind kind() const { return kind_; }
  /// Before data flows: the window to publish in, and how to cut.
  void open(std::shared_ptr<publish::Live> live, std::shared_ptr<WallClock> clock,
            const SinkSettings &settings);
  /// The track ends in the window.
  void close();
  /// These texts follow this stream's time, and end with it.
  void lead(std::vector<std::shared_ptr<TextFollower>> texts) { texts_ = std::move(texts); }
  std::shared_ptr<TextFollower> follower() const { return follower_; }

 private:
  Stream(GstBin *bin, std::string id, publish::Kind kind) : bin_(bin), id_(std::move(id)), kind_(kind) {}
  GstFlowReturn take_sample();
  void take(GstBuffer *buffer);
  void notice_late_segments();
  GstPadProbeReturn probe(GstPadProbeInfo *info);
  void on_segment(const GstSegment *segment);
  void on_caps(const GstCaps *caps);
  void route(bool through_mux);
  void cut_for(publish::FrameRate rate);
  void pace();
  void tell_texts(GstBuffer *buffer);

  GstBin *bin_;
  std::string id_;
  publish::Kind kind_;
  ElementRef mux_, sink_;
  PadRef mux_pad_, pad_;
  gulong probe_ = 0;
  std::shared_ptr<publish::Live> live_;
  std::shared_ptr<WallClock> clock_;
  std::unique_ptr<Intake> intake_;
  std::size_t track_ = 0;
  bool epoch_lock_ = false;
  // Streaming thread of the pad.
  bool through_mux_ = true;
  GstSegment segment_{};
  std::string language_;
  bool paced_ = false;
  bool seen_ = false;   // a buffer
  bool placed_ = false; // epoch-lock has moved the pad's running time
  std::uint64_t refused_ = 0;
  std::uint64_t late_ = 0;                 // segments that began without a key unit
  std::shared_ptr<TextFollower> follower_; // of a text
  std::vector<std::shared_ptr<TextFollower>> texts_;
  std::int64_t told_ = 0; // running time the texts know
};

} // namespace hull::cmaf
