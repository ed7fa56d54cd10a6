#pragma once

// hullmp4mux on GstHarness: samples made by hand go in, boxes are read from what comes out.

#include "gst/glue/map.h"
#include "gst/isobmff/boxes/fragment.h"
#include "tests/plugins/mp4_support.h"

#include <algorithm>
#include <optional>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

namespace hull::mp4test {

using namespace isobmff;

// A muxer fed by hand through harnesses, one per pad.
class Mux {
 public:
  static constexpr char kAvc[] =
      "video/x-h264,stream-format=avc,alignment=au,width=64,height=64,framerate=30/1,"
      "codec_data=(buffer)0142c00affe1000867"
      "42c00ada0fe201000468ce3c80";
  static constexpr char kAac[] =
      "audio/mpeg,mpegversion=4,stream-format=raw,rate=48000,channels=2,codec_data=(buffer)1190";

  explicit Mux(const char *variant, const std::string &properties = {}) {
    mux_ = ElementRef::retain(gst_element_factory_make("hullmp4mux", nullptr));
    gst_util_set_object_arg(G_OBJECT(mux_.get()), "send-force-keyunit", "false");
    for (std::size_t at = 0; at < properties.size();) {
      const std::size_t end = std::min(properties.find(' ', at), properties.size());
      const std::string one = properties.substr(at, end - at);
      gst_util_set_object_arg(G_OBJECT(mux_.get()), one.substr(0, one.find('=')).c_str(),
                              one.substr(one.find('=') + 1).c_str());
      at = end + 1;
    }
    out_ = gst_harness_new_with_element(mux_.get(), nullptr, "src");
    gst_harness_set_sink_caps_str(out_, (std::string("video/quicktime,variant=(string)") + variant).c_str());
  }
  ~Mux() {
    for (GstHarness *input : inputs_)
      gst_harness_teardown(input);
    gst_harness_teardown(out_);
  }
  GstHarness *pad(const char *name, const char *caps) {
    GstHarness *input = gst_harness_new_with_element(mux_.get(), name, nullptr);
    gst_harness_use_testclock(input);
    inputs_.push_back(input);
    gst_harness_set_src_caps_str(input, caps);
    return input;
  }
  static BufferRef sample(GstClockTime pts, GstClockTime dts, GstClockTime duration, bool sync,
                          gsize size = 16) {
    auto buffer = BufferRef::adopt(gst_buffer_new_allocate(nullptr, size, nullptr));
    gst_buffer_memset(buffer.get(), 0, 0, size);
    GST_BUFFER_PTS(buffer.get()) = pts;
    GST_BUFFER_DTS(buffer.get()) = dts;
    GST_BUFFER_DURATION(buffer.get()) = duration;
    if (!sync) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    return buffer;
  }
  static GstClockTime frame(guint64 i) { return gst_util_uint64_scale(i, GST_SECOND, 30); }
  static void push_frame(GstHarness *to, guint64 i, bool sync) {
    gst_harness_push(to, sample(frame(i), frame(i), frame(i + 1) - frame(i), sync).release());
  }
  std::vector<BufferRef> take() {
    std::vector<BufferRef> all;
    while (GstBuffer *buffer = gst_harness_try_pull(out_))
      all.push_back(BufferRef::adopt(buffer));
    return all;
  }
  // After EOS on all pads.
  std::vector<BufferRef> finish() {
    for (GstHarness *input : inputs_)
      gst_harness_push_event(input, gst_event_new_eos());
    const gint64 patience = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    while (!ended() && g_get_monotonic_time() < patience)
      g_usleep(1000);
    return take();
  }
  bool ended() {
    while (GstEvent *event = gst_harness_try_pull_event(out_)) {
      ended_ |= GST_EVENT_TYPE(event) == GST_EVENT_EOS;
      gst_event_unref(event);
    }
    return ended_;
  }
  guint64 stat(const char *name) const {
    GstStructure *stats = nullptr;
    guint64 value = 0;
    g_object_get(mux_.get(), "stats", &stats, nullptr);
    gst_structure_get_uint64(stats, name, &value);
    gst_structure_free(stats);
    return value;
  }

  ElementRef mux_;
  GstHarness *out_ = nullptr;
  std::vector<GstHarness *> inputs_;
  bool ended_ = false;
};

inline ByteVector joined(const std::vector<BufferRef> &buffers) {
  ByteVector bytes;
  for (const BufferRef &buffer : buffers) {
    const MappedBuffer map(buffer.get(), GST_MAP_READ);
    append(bytes, map.bytes());
  }
  return bytes;
}

// tfdt and durations of all fragments of the track: true when each starts where the one before ended.
inline bool continuous(const std::vector<Node> &boxes, std::uint64_t *end = nullptr) {
  std::optional<std::uint64_t> expected;
  for (const Node &box : boxes) {
    const Node *traf = box.child("traf");
    if (!traf) continue;
    const auto *tfhd = traf->get<TrackFragmentHeader>();
    const auto *tfdt = traf->get<TrackFragmentDecodeTime>();
    if (!tfhd || !traf->get<TrackRun>() || !tfdt) return false;
    if (expected && *expected != tfdt->base_media_decode_time) return false;
    std::uint64_t time = tfdt->base_media_decode_time;
    for (const Node &child : traf->children)
      if (const auto *trun = child.as<TrackRun>())
        for (std::uint32_t i = 0; i < trun->sample_count; ++i)
          time +=
              trun->flags & TrackRun::kDuration ? trun->samples[i].duration : tfhd->default_sample_duration;
    expected = time;
  }
  if (end) *end = expected.value_or(0);
  return expected.has_value();
}

} // namespace hull::mp4test
