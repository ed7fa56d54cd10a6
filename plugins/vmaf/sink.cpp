#include "plugins/vmaf/sink.h"

#include "gst/glue/raise.h"
#include "plugins/vmaf/sink_log.h"

#include <utility>

namespace hull {
namespace {

GstFlowReturn chain_thunk(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  try {
    return Shell<VmafSink>::of(parent).chain(Shell<VmafPad>::of(pad), BufferRef::adopt(buffer));
  } catch (const std::exception &error) {
    GST_ELEMENT_ERROR(parent, RESOURCE, FAILED, ("Scoring stopped: %s.", error.what()), (nullptr));
    return GST_FLOW_ERROR;
  }
}

gboolean event_thunk(GstPad *pad, GstObject *parent, GstEvent *event) {
  try {
    return Shell<VmafSink>::of(parent).event(Shell<VmafPad>::of(pad), EventRef::adopt(event));
  } catch (const std::exception &error) {
    GST_ELEMENT_ERROR(parent, RESOURCE, FAILED, ("Scoring stopped: %s.", error.what()), (nullptr));
    return FALSE;
  }
}

VmafPad *make_reference(GstElement *element) {
  GstPadTemplate *templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element), "reference");
  auto *pad = GST_PAD(g_object_new(shell_type<VmafPad>(), "name", "reference", "direction", GST_PAD_SINK,
                                   "template", templ, nullptr));
  return &Shell<VmafPad>::of(pad);
}

} // namespace

void VmafSink::class_init(GstElementClass *klass) {
  gst_element_class_set_static_metadata(klass, "VMAF measurement", "Sink/Analyzer/Video",
                                        "Scores distorted videos against a reference, equal to libvmaf",
                                        "gst-plugins-hull developers");
  const auto caps = CapsRef::adopt(gst_caps_from_string(kVmafCaps));
  gst_element_class_add_pad_template(klass, gst_pad_template_new_with_gtype("reference", GST_PAD_SINK,
                                                                            GST_PAD_ALWAYS, caps.get(),
                                                                            shell_type<VmafPad>()));
  gst_element_class_add_pad_template(klass, gst_pad_template_new_with_gtype("distorted_%u", GST_PAD_SINK,
                                                                            GST_PAD_REQUEST, caps.get(),
                                                                            shell_type<VmafPad>()));
  klass->request_new_pad = thunk<&VmafSink::request_new_pad>;
  klass->release_pad = thunk<&VmafSink::release_pad>;
  klass->change_state = thunk<&VmafSink::change_state>;
  klass->send_event = thunk<&VmafSink::send_event>;
}

/// Pads are children, so that gst-launch-1.0 can set distorted_0::offset.
void VmafSink::add_interfaces(GType type) {
  static const GInterfaceInfo info{[](gpointer table, gpointer) {
                                     auto *proxy = static_cast<GstChildProxyInterface *>(table);
                                     proxy->get_children_count = [](GstChildProxy *parent) -> guint {
                                       const ObjectLock lock(parent);
                                       return GST_ELEMENT(parent)->numsinkpads;
                                     };
                                     proxy->get_child_by_index = [](GstChildProxy *parent,
                                                                    guint index) -> GObject * {
                                       const ObjectLock lock(parent);
                                       gpointer pad = g_list_nth_data(GST_ELEMENT(parent)->sinkpads, index);
                                       return pad ? G_OBJECT(gst_object_ref(pad)) : nullptr;
                                     };
                                   },
                                   nullptr, nullptr};
  g_type_add_interface_static(type, GST_TYPE_CHILD_PROXY, &info);
}

VmafSink::VmafSink(GstElement *self)
    : self_(self),
      inputs_(self, make_reference(self)),
      results_(inputs_),
      scoring_(inputs_, results_, *this),
      watch_(inputs_) {
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
  add_pad(inputs_.reference->self());
}

void VmafSink::add_pad(GstPad *pad) {
  gst_pad_set_chain_function(pad, chain_thunk);
  gst_pad_set_event_function(pad, event_thunk);
  gst_element_add_pad(self_, pad);
}

GstPad *VmafSink::request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *) {
  const std::string chosen = name ? name : inputs_.free_name();
  const auto pad = PadRef::retain(GST_PAD(g_object_new(
      shell_type<VmafPad>(), "name", chosen.c_str(), "direction", GST_PAD_SINK, "template", templ, nullptr)));
  VmafPad &made = Shell<VmafPad>::of(pad.get());
  if (const auto known = inputs_.add(made); !known) {
    GST_WARNING_OBJECT(self_, "%s", known.error().text.c_str());
    return nullptr;
  }
  add_pad(pad.get());
  gst_child_proxy_child_added(GST_CHILD_PROXY(self_), G_OBJECT(pad.get()), chosen.c_str());
  const std::int32_t offset = made.snapshot().offset; // gst-launch has set the pad's properties by now
  const Lock lock(inputs_.mutex);
  inputs_.matcher.set_offset(inputs_.of(made).id, offset);
  return pad.get();
}

void VmafSink::release_pad(GstPad *pad) {
  VmafPad &leaving = Shell<VmafPad>::of(pad);
  const bool running = inputs_.close(leaving);
  gst_pad_set_active(pad, FALSE); // its thread has left us afterwards
  inputs_.remove(leaving);
  gst_child_proxy_child_removed(GST_CHILD_PROXY(self_), G_OBJECT(pad), leaving.name());
  gst_element_remove_pad(self_, pad);
  if (running) scoring_.advance(); // the others may have waited for this one
}

GstStateChangeReturn VmafSink::change_state(GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open()) return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) close();
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) set_paused(true);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) set_paused(false);
  const GstStateChangeReturn changed = Shell<VmafSink>::parent_class()->change_state(self_, transition);
  // No thread brings frames any more: lets the buffers go. Results stay.
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    scoring_.release();
    inputs_.flush();
  }
  return changed;
}

bool VmafSink::open() {
  const VmafSinkSettings settings = snapshot();
  // A wrong model name or file must not wait for the first frame.
  if (auto models = vmaf::choose_models(models_of(settings), settings.model_location, 0); !models) {
    raise(self_, models.error());
    return false;
  }
  results_.reset(settings);
  scoring_.reset(settings);
  inputs_.reset(settings); // frames may come from here on
  ticker_.start(self_, StallWatch::kTick,
                [](GstClock *, GstClockTime, GstClockID, gpointer self) -> gboolean {
                  Shell<VmafSink>::of(self).watch_.tick();
                  return TRUE;
                });
  return true;
}

void VmafSink::close() {
  ticker_.stop();
  const Lock lock(inputs_.mutex);
  inputs_.flushing = true;
  inputs_.changed.notify_all();
}

void VmafSink::set_paused(bool paused) {
  const Lock lock(inputs_.mutex);
  inputs_.paused = paused;
  ++inputs_.progress;
}

bool VmafSink::event(VmafPad &pad, EventRef event) {
  switch (GST_EVENT_TYPE(event.get())) {
  case GST_EVENT_CAPS: {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event.get(), &caps);
    update_caps(pad, caps);
    return true;
  }
  case GST_EVENT_SEGMENT:
    update_segment(pad, event.get());
    return true;
  case GST_EVENT_EOS:
    return end(pad, event.get());
  case GST_EVENT_FLUSH_START: {
    const Lock lock(inputs_.mutex);
    inputs_.of(pad).flushing = true;
    inputs_.of(pad).flush_seqnum = gst_event_get_seqnum(event.get());
    inputs_.changed.notify_all();
    return true;
  }
  case GST_EVENT_FLUSH_STOP: {
    restart();
    const auto flushed = inputs_.flush(pad);
    GST_DEBUG_OBJECT(pad.self(), "flushed: %zu waiting frames let go", flushed.size());
    return true;
  }
  default:
    return true;
  }
}

gboolean VmafSink::send_event(GstEvent *event) {
  auto sent = EventRef::adopt(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) return seek(std::move(sent));
  return Shell<VmafSink>::parent_class()->send_event(self_, sent.release());
}

/// Upstream of all inputs, once where one source feeds several: its flush reaches them all before the next one
/// is asked.
bool VmafSink::seek(EventRef event) {
  GstSeekFlags flags = GST_SEEK_FLAG_NONE;
  gst_event_parse_seek(event.get(), nullptr, nullptr, &flags, nullptr, nullptr, nullptr, nullptr);
  const bool flushes = flags & GST_SEEK_FLAG_FLUSH;
  const std::uint32_t seqnum = gst_event_get_seqnum(event.get());
  std::vector<PadRef> pads;
  {
    const Lock lock(inputs_.mutex);
    inputs_.seeking = flushes;
    for (VmafPad *pad : inputs_.pads()) {
      inputs_.of(*pad).stale = flushes;
      pads.push_back(PadRef::retain(pad->self()));
    }
  }
  bool moved = false;
  for (const PadRef &pad : pads) {
    VmafPad &input = Shell<VmafPad>::of(pad.get());
    const bool reached = [&] {
      const Lock lock(inputs_.mutex);
      return flushes && inputs_.of(input).flush_seqnum == seqnum;
    }();
    moved |= reached || gst_pad_push_event(pad.get(), gst_event_ref(event.get()));
  }
  const Lock lock(inputs_.mutex);
  inputs_.seeking = false;
  for (VmafPad *pad : inputs_.pads())
    inputs_.of(*pad).stale = false;
  return moved;
}

/// A flush that answers a seek: scores of what was before it say nothing about what is scored now.
void VmafSink::restart() {
  {
    Lock lock(inputs_.mutex);
    if (!std::exchange(inputs_.seeking, false)) return;
    while (inputs_.scoring)
      inputs_.changed.wait(lock);
    inputs_.scoring = true; // nobody else does
  }
  const VmafSinkSettings settings = snapshot();
  const auto flushed = inputs_.restart(settings);
  results_.reset(settings);
  scoring_.reset(settings);
  GST_INFO_OBJECT(self_, "a seek: scores begin anew");
  const Lock lock(inputs_.mutex);
  inputs_.scoring = false;
  inputs_.changed.notify_all();
}

void VmafSink::update_caps(VmafPad &pad, GstCaps *caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) {
    const OwnedText text(gst_caps_to_string(caps));
    raise(self_, Error{ErrorCode::unsupported, std::string("Caps on pad ") + pad.name() +
                                                   " describe no raw video: " + text.c_str() + "."});
    return;
  }
  GST_INFO_OBJECT(pad.self(), "%" GST_PTR_FORMAT, static_cast<void *>(caps));
  const Lock lock(inputs_.mutex);
  VmafInput &mine = inputs_.of(pad);
  if (mine.info && !gst_video_info_is_equal(&*mine.info, &info)) ++mine.caps_changes;
  mine.info = info;
}

void VmafSink::update_segment(VmafPad &pad, GstEvent *event) {
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  GST_INFO_OBJECT(pad.self(), "%" GST_SEGMENT_FORMAT, static_cast<void *>(&segment));
  const Lock lock(inputs_.mutex);
  inputs_.of(pad).segment = segment;
}

bool VmafSink::end(VmafPad &pad, GstEvent *event) {
  std::uint64_t frames = 0;
  GstClockTime last = GST_CLOCK_TIME_NONE;
  {
    const Lock lock(inputs_.mutex);
    if (inputs_.of(pad).stale) return true;
    inputs_.of(pad).eos = true;
    inputs_.seqnum = gst_event_get_seqnum(event);
    ++inputs_.progress;
    frames = inputs_.matched(pad).counts.received;
    last = inputs_.of(pad).last_time;
  }
  GST_INFO_OBJECT(pad.self(),
                  "ends after %" G_GUINT64_FORMAT " frames, the last at running time %" GST_TIME_FORMAT,
                  frames, GST_TIME_ARGS(last));
  return scoring_.advance() == GST_FLOW_OK;
}

GstFlowReturn VmafSink::chain(VmafPad &pad, BufferRef buffer) {
  const GstFlowReturn taken = inputs_.take(pad, std::move(buffer));
  return taken == GST_FLOW_OK ? scoring_.advance() : taken;
}

} // namespace hull
