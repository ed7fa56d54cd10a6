#include "plugins/cmaf/stream.h"

#include "gst/glue/log.h"
#include "gst/glue/raise.h"
#include "gst/publish/live/parts.h"
#include "gst/publish/utc.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#define GST_CAT_DEFAULT hull::category_of(GST_ELEMENT(bin_))

namespace hull::cmaf {
namespace {

// What a pad takes is its template's caps, whichever way its data will go.
gboolean answer_caps(GstPad *pad, GstObject *parent, GstQuery *query) {
  const auto caps = CapsRef::adopt(gst_pad_get_pad_template_caps(pad));
  if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS) {
    GstCaps *filter = nullptr;
    gst_query_parse_caps(query, &filter);
    const auto result =
        filter ? CapsRef::adopt(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST)) : caps;
    gst_query_set_caps_result(query, result.get());
    return TRUE;
  }
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
    GstCaps *wanted = nullptr;
    gst_query_parse_accept_caps(query, &wanted);
    gst_query_set_accept_caps_result(query, gst_caps_can_intersect(wanted, caps.get()));
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

} // namespace

Result<std::unique_ptr<Stream>> Stream::make(GstBin *bin, GstPadTemplate *templ, const std::string &pad_name,
                                             const std::string &id, publish::Kind kind) {
  std::unique_ptr<Stream> stream(new Stream(bin, id, kind));
  stream->mux_ = ElementRef::retain(gst_element_factory_make("hullmp4mux", nullptr));
  stream->sink_ = ElementRef::retain(gst_element_factory_make("appsink", nullptr));
  if (!stream->mux_ || !stream->sink_)
    return fail(ErrorCode::not_found,
                "hullcmafsink needs the elements hullmp4mux (libgsthullmp4.so) and appsink; "
                "GST_PLUGIN_PATH must name their folders.");
  const CapsRef caps = CapsRef::adopt(gst_caps_from_string("video/quicktime, variant=(string)cmaf"));
  // async=FALSE: a live pipeline without prerolled audio must still go to PLAYING.
  g_object_set(stream->sink_.get(), "caps", caps.get(), "sync", FALSE, "async", FALSE, "buffer-list", TRUE,
               "enable-last-sample", FALSE, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = [](GstAppSink *, gpointer self) {
    return static_cast<Stream *>(self)->take_sample();
  };
  callbacks.eos = [](GstAppSink *, gpointer self) { static_cast<Stream *>(self)->close(); };
  gst_app_sink_set_callbacks(GST_APP_SINK(stream->sink_.get()), &callbacks, stream.get(), nullptr);
  gst_bin_add_many(bin, stream->mux_.get(), stream->sink_.get(), nullptr);
  gst_element_link(stream->mux_.get(), stream->sink_.get());
  const char *request = kind == publish::Kind::video   ? "video_%u"
                        : kind == publish::Kind::audio ? "audio_%u"
                                                       : "text_%u";
  stream->mux_pad_ = PadRef::adopt(gst_element_request_pad_simple(stream->mux_.get(), request));
  if (!stream->mux_pad_)
    return fail(ErrorCode::unsupported, std::string("hullmp4mux has no pad ") + request + ".");
  stream->pad_ =
      PadRef::retain(gst_ghost_pad_new_from_template(pad_name.c_str(), stream->mux_pad_.get(), templ));
  gst_pad_set_query_function(stream->pad_.get(), answer_caps);
  stream->probe_ = gst_pad_add_probe(
      stream->pad_.get(),
      static_cast<GstPadProbeType>(static_cast<int>(GST_PAD_PROBE_TYPE_BUFFER) |
                                   static_cast<int>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM)),
      [](GstPad *, GstPadProbeInfo *info, gpointer self) { return static_cast<Stream *>(self)->probe(info); },
      stream.get(), nullptr);
  return stream;
}

Stream::~Stream() {
  if (pad_ && probe_) gst_pad_remove_probe(pad_.get(), probe_);
  for (const ElementRef *element : {&mux_, &sink_}) {
    if (!*element) continue;
    gst_element_set_locked_state(element->get(), TRUE);
    gst_element_set_state(element->get(), GST_STATE_NULL);
    // A bin that is being disposed of has let its children go already.
    if (gst_object_has_as_parent(GST_OBJECT(element->get()), GST_OBJECT(bin_)))
      gst_bin_remove(bin_, element->get());
  }
}

void Stream::open(std::shared_ptr<publish::Live> live, std::shared_ptr<WallClock> clock,
                  const SinkSettings &settings) {
  live_ = std::move(live);
  clock_ = std::move(clock);
  publish::Track track;
  track.id = id_;
  track.kind = kind_;
  track_ = live_->add_track(track);
  intake_ = std::make_unique<Intake>(*live_, track_);
  texts_.clear();
  told_ = 0;
  late_ = 0;
  if (kind_ == publish::Kind::text) follower_ = std::make_shared<TextFollower>();
  if (follower_) follower_->start(mux_pad_);
  epoch_lock_ = settings.epoch_lock;
  paced_ = placed_ = seen_ = false;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  g_object_set(mux_.get(), "fragment-duration", settings.segment_duration, "fragment-origin", gint64{0},
               nullptr);
  cut_for({});
  // The clock in front of every segment is Intake's: CMAF that comes without a muxer needs it, too. lmsg
  // marks the last chunk of a stream (ING-09).
  g_object_set(mux_.get(), "prft", FALSE, "styp", TRUE, nullptr);
  g_object_set(sink_.get(), "sync", FALSE, "ts-offset", gint64{0}, nullptr);
}

void Stream::close() {
  if (live_) live_->end_track(track_);
}

GstPadProbeReturn Stream::probe(GstPadProbeInfo *info) {
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    if (!seen_) GST_INFO_OBJECT(pad_.get(), "first buffer: %" GST_PTR_FORMAT, static_cast<void *>(buffer));
    seen_ = true;
    tell_texts(buffer);
    if (!clock_ || placed_ || !GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
    if (const auto utc = reference_utc(buffer))
      clock_->reference(*utc, static_cast<std::int64_t>(gst_segment_to_running_time(
                                  &segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer))));
    return GST_PAD_PROBE_OK;
  }
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    GST_INFO_OBJECT(pad_.get(), "%" GST_SEGMENT_FORMAT, static_cast<const void *>(segment));
    on_segment(segment);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS && intake_) {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event, &caps);
    on_caps(caps);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_TAG && intake_) {
    GstTagList *tags = nullptr;
    gst_event_parse_tag(event, &tags);
    char *code = nullptr;
    if (gst_tag_list_get_string(tags, GST_TAG_LANGUAGE_CODE, &code)) language_ = OwnedText(code).c_str();
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    GST_INFO_OBJECT(pad_.get(), "end of stream");
    for (const auto &text : texts_)
      text->end();
    if (follower_ && follower_->hold_end()) return GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

void Stream::tell_texts(GstBuffer *buffer) {
  constexpr std::int64_t kOften = 40'000'000; // ns
  const GstClockTime time = GST_BUFFER_DTS_OR_PTS(buffer);
  if (texts_.empty() || !GST_CLOCK_TIME_IS_VALID(time)) return;
  const auto now = static_cast<std::int64_t>(gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, time));
  if (now < told_ + kOften) return;
  told_ = now;
  for (const auto &text : texts_)
    text->reach(now);
}

void Stream::on_caps(const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  GST_INFO_OBJECT(pad_.get(), "caps %" GST_PTR_FORMAT, static_cast<const void *>(caps));
  route(!gst_structure_has_name(structure, "video/quicktime"));
  int numerator = 0, denominator = 1;
  gst_structure_get_fraction(structure, "framerate", &numerator, &denominator);
  if (numerator <= 0 || denominator <= 0) return;
  const publish::FrameRate rate{static_cast<std::uint32_t>(numerator),
                                static_cast<std::uint32_t>(denominator)};
  intake_->describe(rate, language_);
  cut_for(rate);
}

// PART-TARGET counts on the muxer cutting like this; it reads its settings with the first data.
void Stream::cut_for(publish::FrameRate rate) {
  const std::int64_t longest = publish::longest_chunk(live_->config(), kind_, rate);
  GST_INFO_OBJECT(pad_.get(), "%u/%u per second: chunks last at most %" GST_TIME_FORMAT, rate.numerator,
                  rate.denominator, GST_TIME_ARGS(static_cast<GstClockTime>(longest)));
  g_object_set(mux_.get(), "chunk-duration", static_cast<guint64>(longest), nullptr);
}

// The new target gets all sticky events again, with the caps that are on their way.
void Stream::route(bool through_mux) {
  if (through_mux == through_mux_) return;
  through_mux_ = through_mux;
  GST_INFO_OBJECT(pad_.get(), through_mux ? "packaged here" : "CMAF: published as it comes");
  if (through_mux) {
    gst_ghost_pad_set_target(GST_GHOST_PAD(pad_.get()), mux_pad_.get());
    gst_element_link(mux_.get(), sink_.get());
    return;
  }
  gst_element_unlink(mux_.get(), sink_.get());
  const auto end = PadRef::adopt(gst_element_get_static_pad(sink_.get(), "sink"));
  gst_ghost_pad_set_target(GST_GHOST_PAD(pad_.get()), end.get());
}

// With epoch-lock the muxer's running time becomes UTC, so that decode times and numbers are those of any
// other encoder with the same clock. A pad's offset does that before the muxer sees the segment.
void Stream::on_segment(const GstSegment *segment) {
  gst_segment_copy_into(segment, &segment_);
  if (follower_) follower_->open(through_mux_ ? segment : nullptr);
  if (!epoch_lock_ || placed_ || !clock_) return;
  placed_ = true;
  const std::int64_t epoch = clock_->epoch(GST_ELEMENT(bin_)) / 1'000'000 * 1'000'000;
  gst_pad_set_offset(mux_pad_.get(), epoch);
  g_object_set(sink_.get(), "ts-offset", -epoch, nullptr);
}

// Files come as fast as they are read: then the end of the branch keeps the clock's time. Live input is never
// held.
void Stream::pace() {
  paced_ = true;
  const auto query = QueryRef::adopt(gst_query_new_latency());
  gboolean live = TRUE;
  if (gst_pad_peer_query(pad_.get(), query.get()))
    gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  GST_INFO_OBJECT(pad_.get(), live ? "live: published as it comes" : "not live: held to the clock");
  if (!live) g_object_set(sink_.get(), "sync", TRUE, nullptr);
}

GstFlowReturn Stream::take_sample() {
  const auto sample = SampleRef::adopt(gst_app_sink_pull_sample(GST_APP_SINK(sink_.get())));
  if (!sample) return GST_FLOW_EOS;
  if (!paced_) {
    pace();
    live_->set_epoch(epoch_lock_ ? 0 : clock_->epoch(GST_ELEMENT(bin_)));
    GST_INFO_OBJECT(pad_.get(), "media time 0 is %s", publish::utc_text(live_->epoch()).c_str());
  }
  if (GstBufferList *list = gst_sample_get_buffer_list(sample.get())) {
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      take(gst_buffer_list_get(list, i));
  } else if (GstBuffer *buffer = gst_sample_get_buffer(sample.get())) {
    take(buffer);
  }
  return GST_FLOW_OK;
}

void Stream::take(GstBuffer *buffer) {
  const auto taken = intake_->push(buffer);
  // One bad chunk never ends the stream; the first and every hundredth are reported.
  if (!taken && refused_++ % 100 == 0)
    warn(GST_ELEMENT(bin_), taken.error(), id_ + ", chunk refused, " + std::to_string(refused_) + " so far");
  if (kind_ == publish::Kind::video) notice_late_segments();
}

// The key unit that was due may have come inside the segment before, as the first picture after a hole; the
// muxer asks for the next one only when its segment has begun. So one is wanted now.
void Stream::notice_late_segments() {
  const std::uint64_t late = live_->late_segments(track_);
  if (late == late_) return;
  late_ = late;
  GST_DEBUG_OBJECT(pad_.get(), "asking for a key unit at once");
  gst_pad_push_event(pad_.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  if (late != 2) return; // one may be a hole's
  warn(GST_ELEMENT(bin_),
       {ErrorCode::bad_data,
        "Segments of " + id_ +
            " begin without a key unit, so players cannot start or switch there. Let the "
            "encoder obey requests for key units, or make segment-duration a multiple of its key unit "
            "distance."});
}

} // namespace hull::cmaf
