#pragma once

// An upstream that goes on whatever it is told: one element between two bare pads and a bus of its own.

#include "gst/glue/ref.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull::h264 {

class Feeder {
 public:
  /// `element` as for gst-launch-1.0; `downstream` is what may follow its source pad.
  Feeder(const std::string &element, const std::string &downstream) {
    const auto caps = CapsRef::adopt(gst_caps_from_string(downstream.c_str()));
    GstPadTemplate *template_ = gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get());
    sink_ = ObjectRef<GstPad>::retain(gst_pad_new_from_template(template_, "sink"));
    gst_object_unref(template_);
    source_ = ObjectRef<GstPad>::retain(gst_pad_new("src", GST_PAD_SRC));
    gst_pad_set_chain_function(sink_.get(), [](GstPad *, GstObject *, GstBuffer *buffer) {
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    element_ = ElementRef::retain(gst_parse_launch(element.c_str(), nullptr));
    gst_element_set_bus(element_.get(), bus_.get());
    link(source_.get(), "sink");
    link(sink_.get(), "src");
    gst_pad_set_active(sink_.get(), TRUE);
    gst_element_set_state(element_.get(), GST_STATE_PLAYING);
    gst_pad_set_active(source_.get(), TRUE);
    push_event(gst_event_new_stream_start("test"));
  }
  ~Feeder() {
    stop();
    gst_element_set_bus(element_.get(), nullptr);
  }
  Feeder(const Feeder &) = delete;
  Feeder &operator=(const Feeder &) = delete;

  GstElement *element() const { return element_.get(); }
  void caps(GstCaps *caps) {
    push_event(gst_event_new_caps(caps));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    push_event(gst_event_new_segment(&segment));
  }
  void caps(const std::string &text) { caps(CapsRef::adopt(gst_caps_from_string(text.c_str())).get()); }
  GstFlowReturn push(BufferRef buffer) { return gst_pad_push(source_.get(), buffer.release()); }
  bool push_event(GstEvent *event) { return gst_pad_push_event(source_.get(), event); }
  bool send_upstream(GstEvent *event) { return gst_pad_push_event(sink_.get(), event); }
  void end() { push_event(gst_event_new_eos()); }
  void stop() {
    gst_pad_set_active(source_.get(), FALSE);
    gst_element_set_state(element_.get(), GST_STATE_NULL);
  }

  struct Said {
    int times = 0;
    std::string debug;
  };
  /// Errors and warnings so far, by their words.
  std::map<std::string, Said> messages() {
    std::map<std::string, Said> all;
    const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    while (const auto message = MessageRef::adopt(gst_bus_pop_filtered(bus_.get(), wanted))) {
      GError *error = nullptr;
      gchar *debug = nullptr;
      if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message.get(), &error, &debug);
      else
        gst_message_parse_warning(message.get(), &error, &debug);
      Said &said = all[error->message];
      ++said.times;
      said.debug = debug ? debug : "";
      g_clear_error(&error);
      g_free(debug);
    }
    return all;
  }

 private:
  void link(GstPad *pad, const char *name) {
    const auto other = ObjectRef<GstPad>::adopt(gst_element_get_static_pad(element_.get(), name));
    GST_PAD_IS_SRC(pad) ? gst_pad_link(pad, other.get()) : gst_pad_link(other.get(), pad);
  }

  ElementRef element_;
  ObjectRef<GstPad> source_, sink_;
  ObjectRef<GstBus> bus_ = ObjectRef<GstBus>::adopt(gst_bus_new());
};

/// Frame `number` of 25 in a second; `fill` writes its samples.
template <class Fill> BufferRef frame_of(std::size_t size, int number, Fill fill) {
  std::vector<std::uint8_t> samples(size);
  fill(samples);
  const auto buffer = BufferRef::adopt(gst_buffer_new_memdup(samples.data(), size));
  GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(number) * 40 * GST_MSECOND;
  GST_BUFFER_DURATION(buffer.get()) = 40 * GST_MSECOND;
  return buffer;
}

inline BufferRef grey_frame(std::size_t size, int number) {
  return frame_of(size, number, [&](auto &samples) {
    std::fill(samples.begin(), samples.end(), static_cast<std::uint8_t>(16 + number % 200));
  });
}

inline BufferRef noise_frame(std::size_t size, int number) {
  return frame_of(size, number, [&](auto &samples) {
    auto state = static_cast<std::uint32_t>(number) * 2654435761u + 1;
    for (auto &sample : samples) {
      state = state * 1664525u + 1013904223u;
      sample = static_cast<std::uint8_t>(state >> 24);
    }
  });
}

} // namespace hull::h264
