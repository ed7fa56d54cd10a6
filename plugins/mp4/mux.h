#pragma once

#include "gst/glue/raise.h"
#include "gst/glue/shell.h"
#include "plugins/mp4/mux_output.h"
#include "plugins/mp4/mux_wishes.h"
#include "plugins/mp4/silence_timer.h"

#include <atomic>
#include <memory>

#include <gst/base/gstaggregator.h>

namespace hull {

/// hullmp4mux: pads, order between tracks, negotiation. What becomes of the samples is MuxOutput's.
class Mp4Mux : public Configured<MuxSettings>, private MuxHost {
 public:
  using Base = GstAggregator;
  using BaseClass = GstAggregatorClass;
  static constexpr char kTypeName[] = "HullMp4Mux";
  static GType parent_type() { return GST_TYPE_AGGREGATOR; }
  static std::span<const Property<MuxSettings>> properties();
  static void class_init(GstAggregatorClass *klass);
  explicit Mp4Mux(GstAggregator *self);

  StructureRef stats() const;
  MuxWishes &wishes() { return wishes_; }

 private:
  GstAggregatorPad *create_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
  gboolean start();
  gboolean stop();
  GstFlowReturn flush();
  gboolean negotiate() { return TRUE; }
  GstFlowReturn aggregate(gboolean timeout);
  gboolean sink_event(GstAggregatorPad *pad, GstEvent *event);
  GstFlowReturn sink_event_pre_queue(GstAggregatorPad *pad, GstEvent *event);
  gboolean sink_query_pre_queue(GstAggregatorPad *pad, GstQuery *query);
  gboolean src_query(GstQuery *query);
  GstClockTime get_next_time();

  // MuxHost
  GstFlowReturn push(BufferListRef list) override;
  void seek(std::uint64_t offset) override;
  void set_caps(Variant variant, BufferRef header) override;
  void report(const Error &error) override;
  void caution(const Error &error) override { warn(GST_ELEMENT(self_), error); }
  void want_key_unit(MuxInput &input, std::int64_t running_time) override;
  void complete_movie(isobmff::Node &moov, Variant variant) override;
  const TimecodeTrack *timecode() const override { return timecode_.get(); }
  std::uint64_t movie_room(const std::vector<MuxInput *> &inputs) override;
  std::vector<ByteVector> take_fragment_boxes() override { return wishes_.take_fragment_boxes(); }

  // Aggregating thread.
  void reset();
  void sync_inputs();
  MuxInput *input_of(GstAggregatorPad *pad);
  bool set_track_caps(MuxInput &input, const GstCaps *caps);
  void take_tags(MuxInput &input, const GstTagList *tags);
  bool take_arrival(MuxInput &input, Arrival &arrival);
  void handle_event(MuxInput &input, EventRef event);
  void note_gap(MuxInput &input, GstEvent *event);
  bool fill(MuxInput &input);
  bool fill_text(MuxInput &input);
  bool pump_text(MuxInput &input);
  void join_text(const MuxInput &next, bool late);
  void pump_all_text();
  void begin_text(const std::vector<MuxInput *> &tracks, Variant variant);
  Result<void> begin_timecode(const std::vector<MuxInput *> &tracks, Variant variant);
  void order_picture(MuxInput &input, GstBuffer *buffer, bool sync, mux::Stamp &stamp);
  bool complete_format(MuxInput &input, GstBuffer *buffer);
  bool place(MuxInput &input, BufferRef buffer);
  bool done(const MuxInput &input) const;
  bool all_done() const;
  bool ready_to_start();
  MuxInput *earliest();
  bool holds_up(const MuxInput &input, std::int64_t time) const;
  bool is_late(const MuxInput &input) const;
  bool is_missing(const MuxInput &input) const;
  template <class Predicate> void wait_where(Predicate waits);
  void wait_to_start();
  void look_at_clock(bool timeout);
  void give_up_silent_inputs();
  void give_up(MuxInput &input, const char *why);
  void preroll();
  GstFlowReturn mux_what_came();
  GstFlowReturn begin();
  Result<Variant> choose_variant();
  Result<void> protect(MuxInput &input);
  GstFlowReturn advance(MuxInput &input);
  GstFlowReturn finish();
  void count();
  void warn_of_repairs();

  GstAggregator *self_;
  std::shared_ptr<InputQueues> queues_ = std::make_shared<InputQueues>();
  std::vector<std::unique_ptr<MuxInput>> inputs_;
  guint32 pads_cookie_ = 0;
  bool pads_known_ = false;
  MuxSettings running_; // as they were when the output began
  std::unique_ptr<TimecodeTrack> timecode_;
  std::unique_ptr<MuxOutput> output_;
  bool live_ = false;
  std::int64_t late_ = MuxInput::kNotIdle;      // samples up to this running time wait for nobody
  std::int64_t next_time_ = MuxInput::kNotIdle; // running time of the sample that waits
  std::shared_ptr<SilenceTimer> silence_;       // runs while only inputs are missing that never had data
  MuxWishes wishes_;
  TagListRef tags_; // of all pads, for the movie
  bool failed_ = false;
  bool finished_ = false;
  bool prerolled_ = false;
  guint key_unit_count_ = 0;

  struct Counted {
    mux::Repairs repairs;
    std::uint64_t dropped = 0, empty = 0, samples = 0;
  };
  mutable std::mutex stats_mutex_; // leaf: held only to copy
  Counted counted_;
};

} // namespace hull
