#pragma once

#include "gst/glue/shell.h"
#include "plugins/mp4/mux_run.h"

#include <atomic>

namespace hull {

/// hullmp4mux: pads, states, queries, and the thread in which a MuxRun writes.
class Mp4Mux : public Configured<mux::MuxSettings> {
 public:
  using Base = GstElement;
  using BaseClass = GstElementClass;
  static constexpr char kTypeName[] = "HullMp4Mux";
  static constexpr char kCategory[] = "hullmp4mux", kDescription[] = "MP4 and CMAF muxer";
  static GType parent_type() { return GST_TYPE_ELEMENT; }
  static std::span<const Property<mux::MuxSettings>> properties();
  static void class_init(GstElementClass *klass);
  static void add_interfaces(GType type);
  explicit Mp4Mux(GstElement *self);

  StructureRef stats() const;
  MuxRequests &requests() { return requests_; }

 private:
  GstPad *request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
  void release_pad(GstPad *pad);
  GstStateChangeReturn change_state(GstStateChange change);
  GstFlowReturn sink_event(GstPad *pad, GstEvent *event);
  gboolean sink_query(GstPad *pad, GstQuery *query);
  gboolean src_event(GstPad *pad, GstEvent *event);
  gboolean src_query(GstPad *pad, GstQuery *query);
  gboolean activate_source(gboolean active);

  void set_up_sink(GstPad *pad);
  std::string free_name(GstPadTemplate *templ, const gchar *wanted) const;
  void begin_run(bool again);
  void end_run();
  void loop();
  void end_stream(GstFlowReturn flow);
  GstFlowReturn begin_flush(GstPad *pad, GstEvent *event);
  GstFlowReturn end_flush(GstPad *pad, GstEvent *event);
  void add_latency(GstQuery *query);

  GstElement *self_;
  InputQueues queues_;
  MuxSource source_;
  MuxRequests requests_;
  MuxCounter counter_;
  std::unique_ptr<MuxRun> run_; // of the muxing thread, while that runs
  InputQueues::Woken woken_ = InputQueues::Woken::news;
  Mutex flush_mutex_;                                     // leaf
  bool restarting_ HULL_GUARDED_BY(flush_mutex_) = false; // a flush has been passed on, and has not ended
  std::atomic<guint32> seek_number_{GST_SEQNUM_INVALID};  // of the seek that came from behind the muxer
  std::atomic<bool> latency_changed_{false};
};

} // namespace hull
