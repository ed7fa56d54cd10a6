// Pads of the muxer, and how their buffers become samples of tracks.

#include "gst/glue/map.h"
#include "plugins/mp4/mux.h"

#include <algorithm>

namespace hull {

using namespace isobmff;
using namespace mux;

std::optional<std::int64_t> running_time(const GstSegment &segment, GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time) || segment.format != GST_FORMAT_TIME) return std::nullopt;
  guint64 result = 0;
  const int sign = gst_segment_to_running_time_full(&segment, GST_FORMAT_TIME, time, &result);
  if (sign == 0) return std::nullopt;
  return sign > 0 ? static_cast<std::int64_t>(result) : -static_cast<std::int64_t>(result);
}

// Pads

GstAggregatorPad *Mp4Mux::create_new_pad(GstPadTemplate *templ, const gchar *wanted, const GstCaps *) {
  const std::string pattern = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  const std::string stem = pattern.substr(0, pattern.find('%'));
  std::string name = wanted ? wanted : "";
  GST_OBJECT_LOCK(self_);
  const auto taken = [this](const std::string &text) {
    for (GList *l = GST_ELEMENT(self_)->sinkpads; l; l = l->next)
      if (text == GST_PAD_NAME(l->data)) return true;
    return false;
  };
  if (name.find('%') != std::string::npos || !name.starts_with(stem)) name.clear();
  for (unsigned n = 0; name.empty(); ++n)
    if (!taken(stem + std::to_string(n))) name = stem + std::to_string(n);
  const bool clash = taken(name);
  GST_OBJECT_UNLOCK(self_);
  if (clash) {
    GST_WARNING_OBJECT(self_, "pad %s exists", name.c_str());
    return nullptr;
  }
  auto *pad = GST_AGGREGATOR_PAD(g_object_new(GST_PAD_TEMPLATE_GTYPE(templ), "name", name.c_str(),
                                              "direction", GST_PAD_SINK, "template", templ, nullptr));
  MuxPad::of(pad).install(queues_);
  return pad;
}

// Keeps inputs_ in step with the element's pads; a pad that has left keeps its track until the end.
void Mp4Mux::sync_inputs() {
  GST_OBJECT_LOCK(self_);
  const guint32 cookie = GST_ELEMENT(self_)->pads_cookie;
  if (pads_known_ && cookie == pads_cookie_) {
    GST_OBJECT_UNLOCK(self_);
    return;
  }
  pads_cookie_ = cookie;
  pads_known_ = true;
  std::vector<GstAggregatorPad *> present;
  for (GList *l = GST_ELEMENT(self_)->sinkpads; l; l = l->next)
    present.push_back(GST_AGGREGATOR_PAD(l->data));
  for (auto &input : inputs_)
    input->released = std::find(present.begin(), present.end(), input->aggregator_pad()) == present.end();
  for (GstAggregatorPad *pad : present) {
    const auto known = std::any_of(inputs_.begin(), inputs_.end(),
                                   [pad](const auto &input) { return input->aggregator_pad() == pad; });
    if (!known) inputs_.push_back(std::make_unique<MuxInput>(pad));
  }
  GST_OBJECT_UNLOCK(self_);
}

MuxInput *Mp4Mux::input_of(GstAggregatorPad *pad) {
  sync_inputs();
  for (auto &input : inputs_)
    if (input->aggregator_pad() == pad) return input.get();
  return nullptr;
}

// Tracks

bool Mp4Mux::set_track_caps(MuxInput &input, const GstCaps *caps) {
  auto track = track_from_caps(caps);
  if (!track) {
    raise(GST_ELEMENT(self_), track.error(), std::string("on pad ") + GST_PAD_NAME(input.pad.get()));
    return false;
  }
  const std::uint32_t wanted = MuxPad::of(input.pad.get()).snapshot().timescale;
  if (wanted && track->timescale) {
    track->nominal_duration =
        static_cast<std::uint32_t>(rescale(track->nominal_duration, wanted, track->timescale));
    track->timescale = wanted;
  }
  if (input.text && track->text && track->media == input.config.media) {
    input.text->set_form(*track->text);
    return true;
  }
  const ByteVector entry = write_tree(track->format.entry_box()).value_or(ByteVector());
  const bool goes_on = input.timeline && (input.timeline->started() || input.in_file);
  input.caps = std::move(*track);
  // Parsers repeat their caps, and a tee or a concat may bring back earlier ones.
  if (goes_on && input.described.at(input.format_index - 1) == entry) return true;
  if (input.caps->is_h264) input.order.configure(input.caps->format.codec_boxes.front().data);
  if (input.config.quicktime) adapt_to_quicktime(*input.caps, input.caps->format);
  if (goes_on) { // the track goes on with another sample entry
    const auto known = std::ranges::find(input.described, entry) - input.described.begin();
    if (static_cast<std::size_t>(known) == input.described.size()) {
      input.described.push_back(entry);
      input.config.formats.push_back(input.caps->format);
      if (input.protector) input.config.formats.back().protection = input.protector->settings();
    }
    if (input.protector) input.protector->change_format(input.caps->format);
    input.format_index = static_cast<std::uint32_t>(known + 1);
    if (output_ && input.in_file && output_->format_changed(input) != GST_FLOW_OK) return false;
    return true;
  }
  input.config.media = input.caps->media;
  input.config.timescale = input.caps->timescale;
  input.config.formats = {input.caps->format};
  input.described = {entry};
  input.timeline.emplace(input.caps->timescale, input.caps->pacing, input.caps->nominal_duration);
  if (input.caps->text)
    input.text =
        std::make_unique<TextInput>(*input.caps->text, input.caps->timescale, GST_PAD_NAME(input.pad.get()));
  return true;
}

void Mp4Mux::take_tags(MuxInput &input, const GstTagList *tags) {
  char *text = nullptr;
  if (gst_tag_list_get_string(tags, GST_TAG_LANGUAGE_CODE, &text)) {
    input.config.language = text;
    g_free(text);
  }
  if (gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &text)) {
    input.orientation = text;
    g_free(text);
  }
  tags_ = TagListRef::adopt(gst_tag_list_merge(tags_.get(), tags, GST_TAG_MERGE_KEEP));
}

bool Mp4Mux::done(const MuxInput &input) const {
  if (input.released || input.ended || input.given_up) return true;
  // Without a peer nothing comes; one that was never linked may still be.
  return input.heard && inputs_.size() > 1 && !gst_pad_is_linked(input.pad.get());
}

// The next of what has come, which may be an event that has been handled then; false when there is nothing.
bool Mp4Mux::take_arrival(MuxInput &input, Arrival &arrival) {
  if (input.arrivals.empty() && !MuxPad::of(input.pad.get()).take(input.arrivals)) return false;
  arrival = std::move(input.arrivals.front());
  input.arrivals.pop_front();
  input.given_up = false;
  if (arrival.event)
    handle_event(input, std::move(arrival.event));
  else
    input.heard = true;
  return true;
}

// Places the next sample of the track; false when there is none yet.
bool Mp4Mux::fill(MuxInput &input) {
  while (!input.head) {
    if (input.text) return fill_text(input); // which its caps say
    Arrival arrival;
    if (!take_arrival(input, arrival)) return false;
    if (arrival.buffer) place(input, std::move(arrival.buffer));
  }
  return true;
}

// Elementary streams have decode times only; when a picture is shown stands in its slice header.
void Mp4Mux::order_picture(MuxInput &input, GstBuffer *buffer, bool sync, Stamp &stamp) {
  if (!input.caps || !input.caps->is_h264 || !stamp.duration) return;
  const MappedBuffer map(buffer, GST_MAP_READ);
  if (!map) return;
  const auto frames = input.order.frames_after_idr(map.bytes());
  if (!frames) return;
  if (sync && *frames == 0) input.idr_time = *stamp.dts;
  stamp.pts = input.idr_time + *frames * *stamp.duration;
}

// A codec whose record is in its first sample; one that is broken waits for the next.
bool Mp4Mux::complete_format(MuxInput &input, GstBuffer *buffer) {
  const MappedBuffer map(buffer, GST_MAP_READ);
  return map && complete_from_sample(input.config.formats[input.format_index - 1], map.bytes());
}

namespace {

// Ogg's mappings of Opus and FLAC begin with packets that are no samples; their flags do not always say so.
bool is_header_packet(const MuxInput &input, GstBuffer *buffer) {
  constexpr std::uint64_t kHeadersAtMost = 8;
  if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) && input.placed >= kHeadersAtMost) return false;
  std::uint8_t start[4] = {};
  if (gst_buffer_extract(buffer, 0, start, sizeof start) < sizeof start) return false;
  const FourCC entry = input.config.formats.front().entry;
  if (entry == FourCC("Opus")) return std::equal(start, start + 4, "Opus");
  return entry == FourCC("fLaC") && !(start[0] == 0xff && (start[1] & 0xfc) == 0xf8);
}

} // namespace

bool Mp4Mux::place(MuxInput &input, BufferRef taken) {
  GstBuffer *buffer = taken.get();
  const GstSegment &segment = input.aggregator_pad()->segment;
  const gsize size = gst_buffer_get_size(buffer);
  if (size == 0 || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) || !input.timeline) {
    if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) ++input.empty;
    return false;
  }
  const bool picture = input.config.media == Media::video;
  const bool sync = !picture || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (!picture && is_header_packet(input, buffer)) return false;
  if (picture && !sync && !input.timeline->started()) {
    ++input.dropped;
    return false;
  }
  if (input.config.formats[input.format_index - 1].codec_boxes.empty() && !complete_format(input, buffer)) {
    ++input.dropped;
    return false;
  }
  Stamp stamp;
  stamp.pts = running_time(segment, GST_BUFFER_PTS(buffer));
  stamp.dts = running_time(segment, GST_BUFFER_DTS(buffer));
  if (GST_BUFFER_DURATION_IS_VALID(buffer))
    stamp.duration = static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer));
  if (picture && !stamp.pts && stamp.dts) order_picture(input, buffer, sync, stamp);
  const Placed placed = input.timeline->add(stamp);
  ++input.placed;
  MuxSample sample;
  sample.sample = {placed.decode_time,
                   placed.duration,
                   placed.composition_offset,
                   static_cast<std::uint32_t>(size),
                   sync,
                   GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DROPPABLE)};
  sample.duration_known = placed.duration_known;
  sample.running_time =
      input.in_nanoseconds(placed.decode_time + placed.composition_offset - input.timeline->origin());
  sample.buffer = std::move(taken);
  input.head_time = input.in_nanoseconds(placed.decode_time);
  input.head = std::move(sample);
  return true;
}

} // namespace hull
