#pragma once

// Reads every readable property of an element and of its pads from wherever an application may do so. A lock
// of ours held across one of these places never comes back, so the test's time limit is what fails.

#include "gst/glue/ref.h"

#include <array>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include <gst/gst.h>

namespace hull::test {

enum class Place {
  pad_added,
  element_added,
  deep_element_added,
  child_added,
  deep_notify,
  probe,
  bus,
  thread
};

class PropertyAccess {
 public:
  /// Before `element` has its request and sometimes pads; `pipeline` holds it.
  PropertyAccess(GstElement *pipeline, GstElement *element)
      : pipeline_(ElementRef::retain(pipeline)), element_(ElementRef::retain(element)) {
    listen<Place::deep_notify>(pipeline, "deep-notify");
    listen<Place::pad_added>(element, "pad-added");
    g_signal_connect(element, "pad-added", G_CALLBACK(&watch_pad), this);
    for_each_pad([](PropertyAccess *self, GstPad *pad) { watch_pad(nullptr, pad, self); });
    if (GST_IS_CHILD_PROXY(element)) listen<Place::child_added>(element, "child-added");
    if (GST_IS_BIN(element)) {
      listen<Place::element_added>(element, "element-added");
      listen<Place::deep_element_added>(element, "deep-element-added");
    }
    const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline));
    gst_bus_set_sync_handler(bus.get(), &on_message, this, nullptr);
    thread_ = std::thread([this] {
      for (; !stop_; g_usleep(200))
        read(Place::thread);
    });
  }
  /// The pipeline is in NULL by now.
  ~PropertyAccess() {
    stop_ = true;
    thread_.join();
    const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
    g_signal_handlers_disconnect_by_data(element_.get(), this);
    g_signal_handlers_disconnect_by_data(pipeline_.get(), this);
  }
  PropertyAccess(const PropertyAccess &) = delete;
  PropertyAccess &operator=(const PropertyAccess &) = delete;

  /// How often the properties were read there.
  unsigned reads(Place place) const { return reads_[static_cast<std::size_t>(place)]; }

 private:
  template <Place place> void listen(gpointer object, const char *signal) {
    // Swapped: whatever the signal's arguments are, `this` comes first.
    const auto handler = +[](PropertyAccess *self) { self->read(place); };
    g_signal_connect_swapped(object, signal, G_CALLBACK(handler), this);
  }
  static void watch_pad(GstElement *, GstPad *pad, gpointer self) {
    const auto type = static_cast<GstPadProbeType>(static_cast<int>(GST_PAD_PROBE_TYPE_DATA_BOTH) |
                                                   static_cast<int>(GST_PAD_PROBE_TYPE_QUERY_BOTH));
    gst_pad_add_probe(
        pad, type,
        [](GstPad *, GstPadProbeInfo *, gpointer access) {
          static_cast<PropertyAccess *>(access)->read(Place::probe);
          return GST_PAD_PROBE_OK;
        },
        self, nullptr);
  }
  static GstBusSyncReply on_message(GstBus *, GstMessage *, gpointer self) {
    static_cast<PropertyAccess *>(self)->read(Place::bus);
    return GST_BUS_PASS;
  }

  template <class Visit> void for_each_pad(Visit) {
    GstIterator *pads = gst_element_iterate_pads(element_.get());
    gst_iterator_foreach(
        pads,
        [](const GValue *pad, gpointer self) {
          Visit{}(static_cast<PropertyAccess *>(self), GST_PAD(g_value_get_object(pad)));
        },
        this);
    gst_iterator_free(pads);
  }
  void read(Place place) {
    static thread_local bool inside = false; // a property may itself cause a notification
    if (inside) return;
    inside = true;
    read_all(G_OBJECT(element_.get()));
    for_each_pad([](PropertyAccess *, GstPad *pad) { read_all(G_OBJECT(pad)); });
    ++reads_[static_cast<std::size_t>(place)];
    inside = false;
  }
  static void read_all(GObject *object) {
    guint count = 0;
    GParamSpec **all = g_object_class_list_properties(G_OBJECT_GET_CLASS(object), &count);
    for (guint i = 0; i < count; ++i) {
      if (!(all[i]->flags & G_PARAM_READABLE)) continue;
      GValue value = G_VALUE_INIT;
      g_value_init(&value, all[i]->value_type);
      g_object_get_property(object, all[i]->name, &value);
      g_value_unset(&value);
    }
    g_free(all);
  }

  ElementRef pipeline_, element_;
  std::array<std::atomic<unsigned>, 8> reads_{};
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// Plays a pipeline to its end twice: the second time everything was there before.
inline void run_twice(GstElement *pipeline) {
  constexpr auto kEnd =
      static_cast<GstMessageType>(static_cast<int>(GST_MESSAGE_EOS) | static_cast<int>(GST_MESSAGE_ERROR));
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline));
  for (int round = 0; round < 2; ++round) {
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE, kEnd));
    EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
  }
}

} // namespace hull::test
