// What reaches the muxer and what leaves it besides samples: events, queries, signals, caps.

#include "plugins/mp4/mux.h"
#include "plugins/mp4/tags.h"

#include <algorithm>

#include <gst/video/video.h>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

bool is_serialized(GstEvent *event) { // the macro mixes enumerations, which C++20 deprecates
  return static_cast<int>(GST_EVENT_TYPE(event)) & static_cast<int>(GST_EVENT_TYPE_SERIALIZED);
}

} // namespace

// Events and queries

// Serialized events wait in the pad's queue, between the buffers they came between.
GstFlowReturn Mp4Mux::sink_event_pre_queue(GstAggregatorPad *pad, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START) MuxPad::of(pad).begin_flush();
  if (!is_serialized(event) || GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
    return Shell<Mp4Mux>::parent_class()->sink_event_pre_queue(self_, pad, event);
  return MuxPad::of(pad).arrive({{}, EventRef::adopt(event)});
}

// A query that waits for the samples in front of it would stop a demuxer whose other streams those wait for.
gboolean Mp4Mux::sink_query_pre_queue(GstAggregatorPad *pad, GstQuery *query) {
  if (static_cast<int>(GST_QUERY_TYPE(query)) & static_cast<int>(GST_QUERY_TYPE_SERIALIZED)) return FALSE;
  return Shell<Mp4Mux>::parent_class()->sink_query_pre_queue(self_, pad, query);
}

void Mp4Mux::handle_event(MuxInput &input, EventRef event) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_GAP) return note_gap(input, event.get());
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS) input.ended = true;
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_STREAM_START) input.ended = false;
  sink_event(input.aggregator_pad(), event.release());
}

// The sample before a gap lasts until the next one, and nobody waits for this track meanwhile.
void Mp4Mux::note_gap(MuxInput &input, GstEvent *event) {
  GstClockTime time = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
  gst_event_parse_gap(event, &time, &duration);
  const GstSegment &segment = input.aggregator_pad()->segment;
  auto start = running_time(segment, time);
  if (input.text && segment.format != GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(time))
    start = static_cast<std::int64_t>(time); // a file's text counts from 0 itself
  if (!start) return;
  input.heard = true;
  const std::int64_t end =
      *start + (GST_CLOCK_TIME_IS_VALID(duration) ? static_cast<std::int64_t>(duration) : 0);
  if (input.text) input.text->reach(end);
  input.idle_until = std::max(input.idle_until, end);
}

gboolean Mp4Mux::sink_event(GstAggregatorPad *pad, GstEvent *event) {
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_CAPS: {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event, &caps);
    MuxInput *input = input_of(pad);
    const bool ok = input && set_track_caps(*input, caps);
    gst_event_unref(event);
    return ok;
  }
  case GST_EVENT_TAG: {
    GstTagList *tags = nullptr;
    gst_event_parse_tag(event, &tags);
    if (MuxInput *input = input_of(pad)) take_tags(*input, tags);
    gst_event_unref(event);
    return TRUE;
  }
  case GST_EVENT_CUSTOM_DOWNSTREAM:
    if (MuxWishes::is_wish(event)) {
      if (auto taken = wishes_.take(event); !taken) caution(taken.error());
      gst_event_unref(event);
      return TRUE;
    }
    return Shell<Mp4Mux>::parent_class()->sink_event(self_, pad, event);
  default:
    return Shell<Mp4Mux>::parent_class()->sink_event(self_, pad, event);
  }
}

// Fields: pssh, tags, then what the application said, which may refer to them.
void Mp4Mux::complete_movie(Node &moov, Variant variant) {
  std::vector<Uuid> kids;
  for (const auto &input : inputs_)
    if (input->in_file && input->protector)
      if (const Uuid &kid = input->protector->settings().key.kid; std::ranges::find(kids, kid) == kids.end())
        kids.push_back(kid);
  if (running_.pssh && !kids.empty()) moov.add(make_common_pssh(kids));
  if (variant != Variant::cmaf) // validators of CMAF warn of udta
    if (auto box = !tags_                      ? std::nullopt
                   : variant == Variant::apple ? quicktime_tags(tags_.get())
                                               : movie_tags(tags_.get()))
      moov.add(std::move(*box));
  for (const Error &refused : wishes_.additions().apply(moov, variant == Variant::cmaf))
    caution(refused);
  wishes_.close_movie();
}

gboolean Mp4Mux::src_query(GstQuery *query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_SEEKING) {
    GstFormat format;
    gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
    gst_query_set_seeking(query, format, FALSE, 0, -1); // a muxer's output exists once
    return TRUE;
  }
  return Shell<Mp4Mux>::parent_class()->src_query(self_, query);
}

BufferRef buffer_of(ByteVector bytes) {
  auto *kept = new ByteVector(std::move(bytes));
  return BufferRef::adopt(
      gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, kept->data(), kept->size(), 0, kept->size(), kept,
                                  [](gpointer data) { delete static_cast<ByteVector *>(data); }));
}

// MuxHost

void Mp4Mux::seek(std::uint64_t offset) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = segment.time = offset;
  gst_aggregator_update_segment(self_, &segment);
}

GstFlowReturn Mp4Mux::push(BufferListRef list) {
  return gst_aggregator_finish_buffer_list(self_, list.release());
}

void Mp4Mux::set_caps(Variant variant, BufferRef header) {
  const char *names[] = {"iso", "iso-fragmented", "cmaf", "apple"};
  const auto caps = CapsRef::adopt(gst_caps_new_simple("video/quicktime", "variant", G_TYPE_STRING,
                                                       names[static_cast<int>(variant)], nullptr));
  if (header) {
    GValue array = G_VALUE_INIT, value = G_VALUE_INIT;
    g_value_init(&array, GST_TYPE_ARRAY);
    g_value_init(&value, GST_TYPE_BUFFER);
    gst_value_set_buffer(&value, header.get());
    gst_value_array_append_and_take_value(&array, &value);
    gst_caps_set_value(caps.get(), "streamheader", &array);
    g_value_unset(&array);
  }
  gst_aggregator_set_src_caps(self_, caps.get());
  GstSegment segment;
  gst_segment_init(&segment, is_whole(variant) ? GST_FORMAT_BYTES : GST_FORMAT_TIME);
  gst_aggregator_update_segment(self_, &segment);
  if (!is_whole(variant)) {
    const GstClockTime held = running_.chunk_duration ? running_.chunk_duration : running_.fragment_duration;
    gst_aggregator_set_latency(self_, held, held);
  }
}

void Mp4Mux::report(const Error &error) {
  failed_ = true;
  raise(GST_ELEMENT(self_), error);
}

void Mp4Mux::want_key_unit(MuxInput &input, std::int64_t running_time) {
  if (running_time < 0 || input.released) return;
  gst_pad_push_event(input.pad.get(), gst_video_event_new_upstream_force_key_unit(
                                          static_cast<GstClockTime>(running_time), TRUE, key_unit_count_++));
}

} // namespace hull
