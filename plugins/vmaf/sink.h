#pragma once

#include "plugins/vmaf/inputs.h"
#include "plugins/vmaf/results.h"
#include "plugins/vmaf/scoring_loop.h"
#include "plugins/vmaf/stall_watch.h"
#include "plugins/vmaf/ticker.h"

#include <string>

namespace hull {

/// hullvmafsink: one reference, any number of distorted inputs, scores out. The matcher holds one frame of
/// each input, more where a branch holds its own back. Here are pads, states and events.
class VmafSink : public Configured<VmafSinkSettings> {
 public:
  using Base = GstElement;
  using BaseClass = GstElementClass;
  static constexpr char kTypeName[] = "HullVmafSink";
  static constexpr char kCategory[] = "hullvmafsink", kDescription[] = "VMAF measurement";
  static GType parent_type() { return GST_TYPE_ELEMENT; }
  static std::span<const Property<VmafSinkSettings>> properties();
  static void class_init(GstElementClass *klass);
  static void add_interfaces(GType type);
  explicit VmafSink(GstElement *self);

  GstPad *request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
  void release_pad(GstPad *pad);
  GstStateChangeReturn change_state(GstStateChange transition);
  StructureRef stats() const { return results_.stats(); }
  const VmafResults &results() const { return results_; }

  gboolean send_event(GstEvent *event);
  GstFlowReturn chain(VmafPad &pad, BufferRef buffer);
  bool event(VmafPad &pad, EventRef event);

 private:
  void add_pad(GstPad *pad);
  bool open();
  void close();
  void set_paused(bool paused);
  void update_caps(VmafPad &pad, GstCaps *caps);
  void update_segment(VmafPad &pad, GstEvent *event);
  bool end(VmafPad &pad, GstEvent *event);
  bool seek(EventRef event);
  void restart();

  GstElement *self_;
  VmafInputs inputs_;
  VmafResults results_;
  ScoringLoop scoring_;
  StallWatch watch_;
  Ticker ticker_; ///< calls watch_
};

} // namespace hull
