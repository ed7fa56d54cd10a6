#pragma once

#include "gst/glue/raise.h"
#include "gst/glue/shell.h"
#include "plugins/mp4/mux_output.h"
#include "plugins/mp4/mux_wishes.h"

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
  gboolean src_query(GstQuery *query);
  GstClockTime get_next_time() { return position_; }

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
  bool fill(MuxInput &input);
  bool fill_text(MuxInput &input);
  bool hear(MuxInput &input);
  std::int64_t listen(const MuxInput &next, bool timeout);
  void hear_all();
  void begin_text(const std::vector<MuxInput *> &tracks, Variant variant);
  Result<void> begin_timecode(const std::vector<MuxInput *> &tracks, Variant variant);
  bool end_gaps(std::int64_t time);
  void order_picture(MuxInput &input, GstBuffer *buffer, bool sync, mux::Stamp &stamp);
  bool complete_format(MuxInput &input, GstBuffer *buffer);
  bool place(MuxInput &input, Arrival arrival);
  bool done(const MuxInput &input) const;
  bool ready_to_start(bool timeout);
  GstFlowReturn begin();
  Result<Variant> choose_variant();
  Result<void> protect(MuxInput &input);
  GstFlowReturn advance(MuxInput &input);
  GstFlowReturn finish();
  void count();
  void warn_of_repairs();

  GstAggregator *self_;
  std::atomic<bool> hurry_{true}; // no batching at the doors: the sources are live, or not known yet
  std::vector<std::unique_ptr<MuxInput>> inputs_;
  guint32 pads_cookie_ = 0;
  bool pads_known_ = false;
  MuxSettings running_; // as they were when the output began
  std::unique_ptr<TimecodeTrack> timecode_;
  std::unique_ptr<MuxOutput> output_;
  std::int64_t held_back_ =
      MuxInput::kNotIdle; // decode time of the last sample that had to wait for a gap's end
  GstClockTime position_ = GST_CLOCK_TIME_NONE; // running time up to which samples were muxed
  MuxWishes wishes_;
  TagListRef tags_; // of all pads, for the movie
  bool failed_ = false;
  bool finished_ = false;
  guint key_unit_count_ = 0;

  struct Counted {
    mux::Repairs repairs;
    std::uint64_t dropped = 0, empty = 0, samples = 0;
  };
  mutable std::mutex stats_mutex_; // leaf: held only to copy
  Counted counted_;
};

} // namespace hull
