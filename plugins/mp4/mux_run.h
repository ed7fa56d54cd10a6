#pragma once

#include "gst/glue/properties.h"
#include "gst/mux/output.h"
#include "plugins/mp4/mux_preroll.h"
#include "plugins/mp4/mux_requests.h"
#include "plugins/mp4/mux_source.h"
#include "plugins/mp4/mux_waiting.h"
#include "plugins/mp4/payloads.h"

#include <memory>
#include <vector>

namespace hull {

/// Repaired and dropped samples of all tracks, as the property `stats` shows them.
struct MuxCounts {
  mux::Repairs repairs;
  std::uint64_t dropped = 0, empty = 0, samples = 0;
};

/// Counts that one thread changes and any thread reads.
class MuxCounter {
 public:
  void set(const MuxCounts &counts) {
    const Lock lock(mutex_);
    counts_ = counts;
  }
  MuxCounts get() const {
    const Lock lock(mutex_);
    return counts_;
  }

 private:
  mutable Mutex mutex_; // leaf: held only to copy
  MuxCounts counts_ HULL_GUARDED_BY(mutex_);
};

/// One file or stream, from its first input to its end: which sample is next, and when the header can be
/// written. Who is waited for is MuxWaiting's, what becomes of the samples mux::Output's. Muxing thread.
class MuxRun final : public mux::OutputHost, public MuxInputEvents {
 public:
  struct Parts {
    GstElement *element;
    const Configured<mux::MuxSettings> &settings;
    InputQueues &queues;
    MuxSource &source;
    MuxRequests &requests;
    MuxCounter &counter;
  };
  /// `before`: the run whose inputs go on, as after a flush; their caps are not sent again.
  explicit MuxRun(const Parts &parts, const MuxRun *before = nullptr);
  ~MuxRun() override;

  /// Does all it can with what has come. OK: it waits for more, until limit() at latest. EOS: all is written.
  GstFlowReturn step(InputQueues::Woken why);
  InputQueues::Limit limit() const;
  /// Upstream or its latency has changed.
  void refresh_latency() { waiting_.refresh_latency(); }

 private:
  // mux::OutputHost
  bool push(std::vector<mux::Piece> pieces) override;
  void seek(std::uint64_t offset) override { parts_.source.seek(offset); }
  void set_header(mux::Variant variant, Bytes header) override;
  void report(const Error &error) override;
  void caution(const Error &error) override;
  void want_key_unit(mux::Track &track, std::int64_t running_time) override;
  void complete_movie(isobmff::Node &moov, mux::Variant variant) override;
  const mux::TimecodeTrack *timecode() const override { return timecode_.get(); }
  std::uint64_t movie_room() override;
  isobmff::Chapters chapters() const override { return parts_.requests.chapters(); }
  unsigned chapters_version() const override { return parts_.requests.chapters_version(); }
  bool replaces_header() const override { return parts_.source.replaces_header(); }
  std::vector<ByteVector> take_fragment_boxes() override { return parts_.requests.take_fragment_boxes(); }
  const mux::PayloadKeeper &payloads() const override { return payloads_; }
  const LogSink &log() const override { return log_; }

  // MuxInputEvents
  void handle_event(MuxInput &input, EventRef event) override;
  void refuse(const MuxInput &input) override;
  void take_caps(MuxInput &input, const GstCaps *caps);
  void take_tags(MuxInput &input, const GstTagList *tags);
  void take_toc(MuxInput &input, EventRef event);
  void place_toc(const MuxInput &input);
  void take_lost_events();

  GstFlowReturn flow_after(bool went_on) const;
  void hold_back(mux::Variant variant);
  bool sync_inputs();
  bool fill(MuxInput &input) { return input.fill(output_ != nullptr); }
  bool all_done() const;

  // The stream.
  GstFlowReturn mux_what_came();
  void preroll();
  bool ready_to_start();
  GstFlowReturn begin();
  void number_tracks(mux::Variant variant);
  bool add_late(MuxInput &input);
  Result<void> prepare(mux::Variant variant);
  MuxInput *earliest();
  GstFlowReturn advance(MuxInput &input);
  GstFlowReturn finish();
  TagListRef all_tags() const;
  void count();
  void warn_of_repairs();

  Parts parts_;
  BufferPayloads payloads_;
  LogSink log_;
  mux::MuxSettings running_; // as they were when the output began
  std::shared_ptr<mux::SharedMoves> moves_ = std::make_shared<mux::SharedMoves>();
  MuxWaiting::Inputs inputs_;
  MuxWaiting waiting_;
  MuxPreroll preroll_;
  guint32 pads_cookie_ = 0;
  bool pads_known_ = false;
  std::unique_ptr<mux::TimecodeTrack> timecode_;
  std::vector<MuxInput *> tracks_; // of the header
  std::unique_ptr<mux::Output> output_;
  GstFlowReturn flow_ = GST_FLOW_OK; // of the last push
  TocRef toc_;                       // the last that came, and its pad
  PadRef toc_pad_;
  bool has_own_toc_ = false;            // the application's
  TagListRef tags_;                     // of all pads, for the movie
  std::optional<mux::Variant> variant_; // since the header
  std::uint32_t track_count_ = 0;       // with the track of timecodes
  guint key_unit_count_ = 0;
  bool failed_ = false, finished_ = false;
  std::int64_t counted_at_ = 0; // running time of the sample that was counted last
};

} // namespace hull
