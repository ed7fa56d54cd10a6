#include "gst/tools/front.h"

#include "gst/core/time.h"

#include <fmt/format.h>

namespace hull::tools {

Front::Front(Pipeline &pipeline, const Source &source, std::vector<Window> windows)
    : source_(source), windows_(std::move(windows)) {
  entry_ =
      pipeline.add("queue", {{"max-size-buffers", "4"}, {"max-size-bytes", "0"}, {"max-size-time", "0"}});
  if (source.y4m) {
    GstElement *reader = add_y4m_source(pipeline, source.path, *source.y4m, 0);
    pipeline.link({reader, entry_});
  } else {
    GstElement *file = pipeline.add("filesrc", {{"location", source.path}});
    GstElement *decoder = pipeline.add("decodebin");
    pipeline.link({file, decoder});
    if (decoder) {
      g_signal_connect(decoder, "pad-added", G_CALLBACK(on_pad), this);
      g_signal_connect(decoder, "autoplug-continue", G_CALLBACK(on_continue), this);
    }
  }
  GstElement *last = entry_;
  const auto append = [&](GstElement *next) {
    pipeline.link({last, next});
    last = next;
  };
  if (source.interlaced) append(pipeline.add("deinterlace", {{"fields", "all"}}));
  append(pipeline.add("videoconvert"));
  const bool square = source.par_n == source.par_d;
  if (square && (source.width % 2 || source.height % 2))
    append(pipeline.add(
        "videocrop", {{"right", source.width % 2 ? "1" : "0"}, {"bottom", source.height % 2 ? "1" : "0"}}));
  if (!square) append(pipeline.add("videoscale", {{"method", "catrom"}, {"add-borders", "false"}}));
  append(pipeline.filter(fmt::format("video/x-raw,format=I420,width={},height={},pixel-aspect-ratio=1/1",
                                     source.display.width, source.display.height)));
  out = last;
  if (!out) return;
  const auto pad = PadRef::adopt(gst_element_get_static_pad(out, "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
}

// Audio leaves decodebin as it is: nobody links it, so nobody decodes it.
gboolean Front::on_continue(GstElement *, GstPad *, GstCaps *caps, gpointer) {
  const char *name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return !g_str_has_prefix(name, "audio/") && !g_str_has_prefix(name, "text/") &&
         !g_str_has_prefix(name, "subpicture/");
}

void Front::on_pad(GstElement *, GstPad *pad, gpointer self) {
  const auto caps = CapsRef::adopt(gst_pad_get_current_caps(pad));
  if (!caps || !gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), "video/x-raw")) return;
  const auto sink = PadRef::adopt(gst_element_get_static_pad(static_cast<Front *>(self)->entry_, "sink"));
  if (!gst_pad_is_linked(sink.get())) gst_pad_link(pad, sink.get());
}

GstPadProbeReturn Front::on_buffer(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &self = *static_cast<Front *>(data);
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  const std::uint64_t number = self.seen_++;
  const auto &windows = self.windows_;
  while (self.window_ < windows.size() && number >= windows[self.window_].first + windows[self.window_].count)
    ++self.window_;
  if (!windows.empty() && self.window_ < windows.size() && number < windows[self.window_].first)
    return GST_PAD_PROBE_DROP;
  if (!windows.empty() && self.window_ == windows.size()) {
    gst_buffer_unref(buffer);
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
    info->data = nullptr;
    return GST_PAD_PROBE_HANDLED;
  }
  if (self.source_.elementary) {
    // Parsers of raw streams guess times, and wrongly where pictures are reordered.
    buffer = gst_buffer_make_writable(buffer);
    const auto time = [&self](std::uint64_t n) {
      return static_cast<GstClockTime>(
          rescale(static_cast<std::int64_t>(n) * self.source_.fps_d, kNanoseconds, self.source_.fps_n));
    };
    GST_BUFFER_PTS(buffer) = time(number);
    GST_BUFFER_DURATION(buffer) = time(number + 1) - time(number);
    info->data = buffer;
  }
  ++self.pictures_;
  return GST_PAD_PROBE_OK;
}

} // namespace hull::tools
