#pragma once

#include "gst/glue/ref.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull::vmaf_test {

using nlohmann::json;

struct Ended {
  bool ok = false;
  std::string error;
  std::vector<StructureRef> messages;
  std::vector<std::string> warnings;

  int count(const char *name) const {
    int found = 0;
    for (const auto &message : messages)
      found += gst_structure_has_name(message.get(), name);
    return found;
  }
};

/// A pipeline that runs to its end; `before` may touch it first.
class Playback {
 public:
  explicit Playback(const std::string &description) {
    gst_init(nullptr, nullptr);
    const auto factory = ObjectRef<GstElementFactory>::adopt(gst_element_factory_find("hullvmafsink"));
    if (!factory) throw std::runtime_error("hullvmafsink is not found: GST_PLUGIN_PATH must name its folder");
    GError *error = nullptr;
    pipeline_ = ElementRef::retain(gst_parse_launch(description.c_str(), &error));
    const std::string reason = error ? error->message : "";
    g_clear_error(&error);
    if (!pipeline_ || !reason.empty()) throw std::runtime_error(reason + " in: " + description);
  }
  ~Playback() {
    if (pipeline_) stop();
  }
  /// All threads have left the elements afterwards.
  void stop() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  /// To the end, or to the first warning.
  Ended play(bool stop_at_warning = false) {
    Ended ended;
    const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    while (true) {
      const auto message = MessageRef::adopt(
          gst_bus_timed_pop_filtered(bus.get(), 20 * GST_SECOND,
                                     static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR |
                                                                 GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT)));
      if (!message) {
        ended.error = "nothing happened for 20 s";
        return ended;
      }
      if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ELEMENT) {
        ended.messages.push_back(
            StructureRef::retain(const_cast<GstStructure *>(gst_message_get_structure(message.get()))));
      } else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_WARNING) {
        GError *warning = nullptr;
        gst_message_parse_warning(message.get(), &warning, nullptr);
        ended.warnings.push_back(warning->message);
        g_clear_error(&warning);
        if (stop_at_warning) return ended;
      } else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) {
        ended.ok = true;
        return ended;
      } else {
        GError *error = nullptr;
        gst_message_parse_error(message.get(), &error, nullptr);
        ended.error = error->message;
        g_clear_error(&error);
        return ended;
      }
    }
  }

  GstElement *pipeline() { return pipeline_.get(); }
  ElementRef element(const char *name) {
    return ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }

  PadRef pad(const char *name) { return PadRef::adopt(gst_element_get_static_pad(element("v").get(), name)); }

  json result(const char *pad_name = "distorted_0") {
    char *text = nullptr;
    g_object_get(pad(pad_name).get(), "result", &text, nullptr);
    const json parsed = json::parse(text ? text : "", nullptr, false);
    g_free(text);
    return parsed;
  }

 private:
  ElementRef pipeline_;
};

inline std::string source(int frames,
                          const std::string &caps = "format=I420,width=96,height=64,framerate=25/1",
                          const std::string &pattern = "ball") {
  return " videotestsrc num-buffers=" + std::to_string(frames) + " pattern=" + pattern + " ! video/x-raw," +
         caps + " ! ";
}

} // namespace hull::vmaf_test
