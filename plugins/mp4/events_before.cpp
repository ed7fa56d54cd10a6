#include "plugins/mp4/events_before.h"

#include <string_view>

namespace hull {

namespace {

gboolean keep(GstPad *, GstEvent **event, gpointer data) {
  const GstEventType type = GST_EVENT_TYPE(*event);
  if (type == GST_EVENT_TOC || type == GST_EVENT_TAG)
    static_cast<std::vector<EventRef> *>(data)->push_back(EventRef::retain(*event));
  return TRUE;
}

std::string_view media_of(GstPad *pad) {
  const auto caps = CapsRef::adopt(gst_pad_get_current_caps(pad));
  // Names of structures are interned.
  return caps ? gst_structure_get_name(gst_caps_get_structure(caps.get(), 0)) : "";
}

// The pad of an element that feeds `sink`, through the walls of bins.
PadRef source_of(GstPad *sink) {
  auto pad = PadRef::adopt(gst_pad_get_peer(sink));
  while (pad && GST_IS_PROXY_PAD(pad.get())) {
    if (GST_IS_GHOST_PAD(pad.get())) {
      pad = PadRef::adopt(gst_ghost_pad_get_target(GST_GHOST_PAD(pad.get())));
    } else { // inside a bin: its ghost pad outside has the peer
      const auto ghost = ObjectRef<GstObject>::adopt(gst_pad_get_parent(pad.get()));
      pad =
          ghost && GST_IS_PAD(ghost.get()) ? PadRef::adopt(gst_pad_get_peer(GST_PAD(ghost.get()))) : PadRef();
    }
  }
  return pad;
}

// The sink pad of an element with one input and one output of the same media; null: it has others.
PadRef input_behind(GstPad *source) {
  const auto element = ElementRef::adopt(gst_pad_get_parent_element(source));
  if (!element) return {};
  PadRef sink;
  GST_OBJECT_LOCK(element.get());
  if (element->numsinkpads == 1 && element->numsrcpads == 1)
    sink = PadRef::retain(GST_PAD(element->sinkpads->data));
  GST_OBJECT_UNLOCK(element.get());
  return sink && media_of(sink.get()) == media_of(source) ? std::move(sink) : PadRef();
}

} // namespace

std::vector<EventRef> events_before(GstPad *pad) {
  std::vector<EventRef> events;
  for (PadRef at = PadRef::retain(pad); at;) {
    gst_pad_sticky_events_foreach(at.get(), keep, &events);
    const PadRef source = source_of(at.get());
    at = source ? input_behind(source.get()) : PadRef();
  }
  return events;
}

} // namespace hull
