#include "gst/tools/media/decoded_source.h"

#include "gst/core/time.h"
#include "gst/tools/support/command.h"

#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

namespace hull::tools {
namespace {

// Two minutes at ten ticks a second. Ticks and not time: a machine that slept is no decoder that hangs.
constexpr unsigned kMostQuietTicks = 1200;

} // namespace

DecodedSource::DecodedSource(Pipeline &pipeline, const Source &source, Window window, bool seek)
    : pipeline_(pipeline), source_(source), window_(window) {
  entry_ =
      pipeline.add("queue", {{"max-size-buffers", "4"}, {"max-size-bytes", "0"}, {"max-size-time", "0"}});
  if (source.y4m) {
    seen_ = seek && source.seekable() ? window.first : 0;
    pipeline.link({add_y4m_source(pipeline, source.path, *source.y4m, seen_), entry_});
  } else {
    if (seek && source.seekable() && window.first > 0) seeking_ = Seeking::waiting;
    read_file();
  }
  GstElement *last = entry_;
  const auto append = [&](GstElement *next) {
    pipeline.link({last, next});
    last = next;
  };
  if (source.interlaced) append(pipeline.add("deinterlace", {{"fields", "all"}}));
  append(pipeline.add("videoconvert"));
  if (!source.turn.empty()) append(pipeline.add("videoflip", {{"video-direction", source.turn.c_str()}}));
  const bool square = source.par_n == source.par_d;
  if (square && (source.width % 2 || source.height % 2))
    append(pipeline.add(
        "videocrop", {{"right", source.width % 2 ? "1" : "0"}, {"bottom", source.height % 2 ? "1" : "0"}}));
  if (!square) append(pipeline.add("hullscale"));
  append(pipeline.filter(fmt::format("video/x-raw,format=I420,width={},height={},pixel-aspect-ratio=1/1",
                                     source.display.width, source.display.height)));
  out = last;
  if (!out) return;
  const auto pad = PadRef::adopt(gst_element_get_static_pad(out, "src"));
  gst_pad_add_probe(
      pad.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      on_picture, this, nullptr);
}

void DecodedSource::read_file() {
  GstElement *file = pipeline_.add("filesrc", {{"location", source_.path}});
  GstElement *decoder = pipeline_.add("decodebin");
  pipeline_.link({file, decoder});
  if (!decoder) return;
  g_signal_connect(decoder, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(decoder, "autoplug-continue", G_CALLBACK(on_continue), this);
}

// Audio leaves decodebin as it is: nobody links it, so nobody decodes it.
gboolean DecodedSource::on_continue(GstElement *, GstPad *, GstCaps *caps, gpointer) {
  const char *name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return !g_str_has_prefix(name, "audio/") && !g_str_has_prefix(name, "text/") &&
         !g_str_has_prefix(name, "subpicture/");
}

void DecodedSource::on_pad(GstElement *, GstPad *pad, gpointer data) {
  auto &self = *static_cast<DecodedSource *>(data);
  const auto caps = CapsRef::adopt(gst_pad_get_current_caps(pad));
  if (!caps || !gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), "video/x-raw")) return;
  const auto sink = PadRef::adopt(gst_element_get_static_pad(self.entry_, "sink"));
  if (gst_pad_is_linked(sink.get())) return;
  if (self.seeking_.load() == Seeking::waiting) {
    self.decoded_ = PadRef::retain(pad);
    gst_pad_add_probe(pad,
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
                      on_decoder, data, nullptr);
    self.seeking_ = Seeking::decoder_ready;
  }
  gst_pad_link(pad, sink.get());
  if (self.seeking_.load() == Seeking::decoder_ready) self.pipeline_.wake();
}

// Until the seek is through nothing may reach the graph: encoders would start with the wrong pictures.
GstPadProbeReturn DecodedSource::on_decoder(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &self = *static_cast<DecodedSource *>(data);
  const Seeking now = self.seeking_.load();
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER)
    return now == Seeking::done ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  const GstEventType type = GST_EVENT_TYPE(gst_pad_probe_info_get_event(info));
  if (type == GST_EVENT_FLUSH_STOP && now == Seeking::sent) self.seeking_ = Seeking::done;
  if (type == GST_EVENT_FLUSH_START || type == GST_EVENT_FLUSH_STOP) return GST_PAD_PROBE_DROP;
  return type == GST_EVENT_EOS && now != Seeking::done ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

GstClockTime DecodedSource::running_time(const GstBuffer *buffer) const {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (segment_.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(pts)) return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
}

void DecodedSource::miss() {
  seeking_ = Seeking::missed;
  pipeline_.finish();
}

void DecodedSource::tick() {
  const std::uint64_t arrived = arrived_.load();
  quiet_ticks_ = arrived == seen_by_tick_ ? quiet_ticks_ + 1 : 0;
  seen_by_tick_ = arrived;
  if (quiet_ticks_ == kMostQuietTicks && !ended_.load()) {
    if (on_hang) return on_hang();
    report({ErrorCode::bad_data,
            fmt::format(
                "{} gave no further picture after number {} for two minutes: its decoder hangs, or the disk "
                "does. Convert it, for instance with ffmpeg -i FILE -pix_fmt yuv420p -crf 10 OTHER.mp4, "
                "and take that",
                source_.path, arrived)});
    std::_Exit(kFailed); // threads that hang cannot be stopped in order
  }
  if (seeking_.load() != Seeking::decoder_ready) return;
  seeking_ = Seeking::sent;
  // A quarter into the picture: the one before has ended by then, whatever the container rounds.
  const auto target = static_cast<gint64>(source_.start_ns + time_of(window_.first) +
                                          (time_of(window_.first + 1) - time_of(window_.first)) / 4);
  GstEvent *seek = gst_event_new_seek(1.0, GST_FORMAT_TIME,
                                      static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                                      GST_SEEK_TYPE_SET, target, GST_SEEK_TYPE_NONE, 0);
  if (!gst_pad_send_event(decoded_.get(), seek)) miss();
}

GstClockTime DecodedSource::time_of(std::uint64_t picture) const {
  return static_cast<GstClockTime>(
      rescale(static_cast<std::int64_t>(picture) * source_.fps_d, kNanoseconds, source_.fps_n));
}

// Everything downstream counts from the start of the title, wherever reading began.
GstPadProbeReturn DecodedSource::on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto &self = *static_cast<DecodedSource *>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) return self.take(pad, info);
  GstEvent *event = gst_pad_probe_info_get_event(info);
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) self.ended_ = true;
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEGMENT) return GST_PAD_PROBE_OK;
  gst_event_copy_segment(event, &self.segment_);
  if (!self.source_.counted()) return GST_PAD_PROBE_OK;
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  GstEvent *plain = gst_event_new_segment(&segment);
  gst_event_set_seqnum(plain, gst_event_get_seqnum(event));
  gst_event_unref(event);
  info->data = plain;
  return GST_PAD_PROBE_OK;
}

// What is downstream ends with an event. A flow return of EOS would leave that to what is upstream, where a
// queue that has seen it answers no query any more (GStreamer 1.22), and a decoder waits for ever.
void DecodedSource::end_window(GstPad *pad) {
  if (!ended_.exchange(true)) gst_pad_push_event(pad, gst_event_new_eos());
}

GstPadProbeReturn DecodedSource::take(GstPad *pad, GstPadProbeInfo *info) {
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  ++arrived_;
  const Seeking state = seeking_.load();
  if (state == Seeking::missed) return GST_PAD_PROBE_DROP;
  if (state == Seeking::done && seen_ == 0) {
    // The first picture after the seek says by its time which one it is.
    const double since = static_cast<double>(GST_BUFFER_PTS(buffer)) - static_cast<double>(source_.start_ns);
    const long long number = std::llround(since * 1e-9 * source_.fps());
    if (!GST_BUFFER_PTS_IS_VALID(buffer) || number != static_cast<long long>(window_.first)) {
      miss();
      return GST_PAD_PROBE_DROP;
    }
    seen_ = window_.first;
  }
  const std::uint64_t number = seen_++;
  if (number < window_.first) return GST_PAD_PROBE_DROP;
  if (window_.count && number >= window_.first + window_.count) {
    end_window(pad);
    gst_buffer_unref(buffer);
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_FLUSHING;
    info->data = nullptr;
    return GST_PAD_PROBE_HANDLED;
  }
  if (on_time) on_time(buffer);
  if (source_.counted()) {
    // Parsers of raw streams guess times, and wrongly where pictures are reordered; containers round.
    buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_PTS(buffer) = time_of(number);
    GST_BUFFER_DURATION(buffer) = time_of(number + 1) - time_of(number);
    info->data = buffer;
  }
  ++pictures_;
  return GST_PAD_PROBE_OK;
}

} // namespace hull::tools
