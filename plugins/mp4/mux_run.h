#pragma once

#include "gst/glue/properties.h"
#include "plugins/mp4/mux_requests.h"
#include "plugins/mp4/mux_source.h"

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

/// The nanoseconds that live inputs of `element` need at least; none where no input is live.
std::optional<GstClockTime> upstream_latency(GstElement *element);

/// One file or stream, from its first input to its end: which sample is next, who is waited for, when the
/// header can be written. What becomes of the samples is MuxOutput's. Muxing thread.
class MuxRun final : public MuxHost, public MuxInputEvents {
 public:
  struct Parts {
    GstElement *element;
    const Configured<MuxSettings> &settings;
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
  void refresh_latency();

 private:
  // MuxHost
  GstFlowReturn push(BufferListRef list) override { return parts_.source.push(std::move(list)); }
  void seek(std::uint64_t offset) override { parts_.source.seek(offset); }
  void set_caps(Variant variant, BufferRef header) override;
  void hold_back(Variant variant);
  void report(const Error &error) override;
  void caution(const Error &error) override;
  void want_key_unit(MuxInput &input, std::int64_t running_time) override;
  void complete_movie(isobmff::Node &moov, Variant variant) override;
  const TimecodeTrack *timecode() const override { return timecode_.get(); }
  std::uint64_t movie_room(const std::vector<MuxInput *> &inputs) override;
  std::vector<ByteVector> take_fragment_boxes() override { return parts_.requests.take_fragment_boxes(); }

  // MuxInputEvents
  void handle_event(MuxInput &input, EventRef event) override;
  void refuse(const MuxInput &input) override;
  void take_caps(MuxInput &input, const GstCaps *caps);
  void take_tags(MuxInput &input, const GstTagList *tags);

  // Who is there, and who is waited for.
  bool sync_inputs();
  bool fill(MuxInput &input) { return input.fill(output_ != nullptr); }
  bool all_done() const;
  bool is_missing(const MuxInput &input) const;
  bool holds_up(const MuxInput &input, std::int64_t time) const;
  bool is_late(const MuxInput &input) const;
  bool is_live() const { return GST_CLOCK_TIME_IS_VALID(latency_); }
  void look_at_clock(bool time_passed);
  std::int64_t next_deadline() const;
  template <class Predicate> void wait_where(Predicate waits);
  void wait_to_start();
  void give_up_silent_inputs();
  void give_up(MuxInput &input, const char *why);

  // The stream.
  GstFlowReturn mux_what_came();
  bool may_preroll();
  void preroll();
  bool ready_to_start();
  GstFlowReturn begin();
  std::vector<MuxInput *> number_tracks(Variant variant);
  void begin_track(MuxInput &input, std::size_t index, Variant variant);
  bool add_late(MuxInput &input);
  Result<void> prepare(const std::vector<MuxInput *> &tracks, Variant variant);
  void begin_text(const std::vector<MuxInput *> &tracks, Variant variant);
  MuxInput *earliest();
  void join_text(const MuxInput &next, bool late);
  void pump_all_text();
  GstFlowReturn advance(MuxInput &input);
  GstFlowReturn finish();
  void count();
  void warn_of_repairs();

  Parts parts_;
  MuxSettings running_; // as they were when the output began
  std::shared_ptr<mux::SharedMoves> moves_ = std::make_shared<mux::SharedMoves>();
  std::vector<std::unique_ptr<MuxInput>> inputs_;
  guint32 pads_cookie_ = 0;
  bool pads_known_ = false;
  std::unique_ptr<TimecodeTrack> timecode_;
  std::unique_ptr<MuxOutput> output_;
  TagListRef tags_;                // of all pads, for the movie
  std::optional<Variant> variant_; // since the header
  std::uint32_t track_count_ = 0;  // with the track of timecodes
  guint key_unit_count_ = 0;
  bool failed_ = false, finished_ = false, prerolled_ = false;

  // Waiting.
  std::optional<GstClockTime> upstream_latency_;
  GstClockTime latency_ = GST_CLOCK_TIME_NONE;  // of a live pipeline, with what is held back here
  std::int64_t late_ = MuxInput::kNotIdle;      // samples up to this running time wait for nobody
  std::int64_t next_time_ = MuxInput::kNotIdle; // running time of the sample that waits
  std::optional<gint64> preroll_at_;            // monotonic: when to look whether what follows may preroll
  std::optional<gint64> silent_until_;          // monotonic: then inputs that never had data are given up
};

} // namespace hull
