#include "plugins/mp4/mux.h"

#include "gst/glue/map.h"

#include <algorithm>
#include <limits>

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC(hull_mp4_mux_debug);
#define GST_CAT_DEFAULT hull_mp4_mux_debug

namespace hull {

using namespace isobmff;

namespace {

const Property<MuxSettings> kProperties[] = {
    property<&MuxSettings::fragment_duration>(
        "fragment-duration", "Nanoseconds a fragment lasts; it ends at the first key unit after that",
        Mutable::ready, 1, 1.8e19),
    property<&MuxSettings::chunk_duration>(
        "chunk-duration", "Nanoseconds a chunk of a fragment lasts at most; 0 = one chunk per fragment",
        Mutable::ready, 0, 1.8e19),
    property<&MuxSettings::interleave_time>(
        "interleave-time", "Nanoseconds of one track that follow each other in an unfragmented file",
        Mutable::ready, 0, 1.8e19),
    property<&MuxSettings::send_force_keyunit>(
        "send-force-keyunit", "Ask the encoder for a key unit where the next fragment shall start"),
    property<&MuxSettings::manual_split>("manual-split",
                                         "Start fragments only where split-at-running-time says"),
    property<&MuxSettings::fragment_origin>(
        "fragment-origin",
        "Running time in nanoseconds that fragments count from, so that several muxers cut at "
        "the same times; -1 = the first sample"),
    property<&MuxSettings::start_sequence_number>("start-fragment-sequence-number",
                                                  "Sequence number of the first fragment"),
    computed<&Mp4Mux::stats>("stats", "Repaired and dropped samples since the start"),
};

constexpr char kSourceCaps[] = "video/quicktime, variant=(string){ iso, iso-fragmented, cmaf }";

bool is_serialized(GstEvent *event) { // the macro mixes enumerations, which C++20 deprecates
  return static_cast<int>(GST_EVENT_TYPE(event)) & static_cast<int>(GST_EVENT_TYPE_SERIALIZED);
}

Mp4Mux &impl(GstAggregator *self) {
  return Shell<Mp4Mux>::of(self);
}

std::optional<std::int64_t> running_time(const GstSegment &segment, GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time) || segment.format != GST_FORMAT_TIME) return std::nullopt;
  guint64 result = 0;
  const int sign = gst_segment_to_running_time_full(&segment, GST_FORMAT_TIME, time, &result);
  if (sign == 0) return std::nullopt;
  return sign > 0 ? static_cast<std::int64_t>(result) : -static_cast<std::int64_t>(result);
}

} // namespace

std::span<const Property<MuxSettings>> Mp4Mux::properties() {
  return kProperties;
}

void Mp4Mux::class_init(GstAggregatorClass *klass) {
  GST_DEBUG_CATEGORY_INIT(hull_mp4_mux_debug, "hullmp4mux", 0, "MP4 and CMAF muxer");
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "MP4 and CMAF muxer", "Codec/Muxer",
                                        "Writes ISO base media files, whole or in fragments",
                                        "gst-plugins-hull developers");
  const auto add_sink = [element](const char *name, const char *caps) {
    const auto list = CapsRef::adopt(gst_caps_from_string(caps));
    gst_element_class_add_pad_template(element,
                                       gst_pad_template_new_with_gtype(name, GST_PAD_SINK, GST_PAD_REQUEST,
                                                                       list.get(), shell_type<MuxPad>()));
  };
  add_sink("video_%u", kVideoCaps);
  add_sink("audio_%u", kAudioCaps);
  add_sink("text_%u", kTextCaps);
  const auto source = CapsRef::adopt(gst_caps_from_string(kSourceCaps));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new_with_gtype("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                                     source.get(), GST_TYPE_AGGREGATOR_PAD));
  klass->create_new_pad = [](GstAggregator *self, GstPadTemplate *templ, const gchar *name,
                             const GstCaps *caps) { return impl(self).create_new_pad(templ, name, caps); };
  klass->start = thunk<&Mp4Mux::start>;
  klass->stop = thunk<&Mp4Mux::stop>;
  klass->flush = thunk<&Mp4Mux::flush>;
  klass->negotiate = thunk<&Mp4Mux::negotiate>;
  klass->aggregate = thunk<&Mp4Mux::aggregate>;
  klass->sink_event = thunk<&Mp4Mux::sink_event>;
  klass->sink_event_pre_queue = thunk<&Mp4Mux::sink_event_pre_queue>;
  klass->src_query = thunk<&Mp4Mux::src_query>;
  klass->get_next_time = thunk<&Mp4Mux::get_next_time>;
}

Mp4Mux::Mp4Mux(GstAggregator *self) : self_(self) {}

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
  MuxPad::of(pad).install(&hurry_);
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

gboolean Mp4Mux::start() {
  reset();
  return TRUE;
}

gboolean Mp4Mux::stop() {
  reset();
  return TRUE;
}

void Mp4Mux::reset() {
  output_.reset();
  inputs_.clear();
  pads_known_ = false;
  failed_ = finished_ = false;
  key_unit_count_ = 0;
  position_ = GST_CLOCK_TIME_NONE;
  held_back_ = MuxInput::kNotIdle;
  hurry_ = true;
  GST_OBJECT_LOCK(self_);
  std::vector<PadRef> pads;
  for (GList *l = GST_ELEMENT(self_)->sinkpads; l; l = l->next)
    pads.push_back(PadRef::retain(GST_PAD(l->data)));
  GST_OBJECT_UNLOCK(self_);
  for (const PadRef &pad : pads)
    MuxPad::of(pad.get()).reset();
}

GstFlowReturn Mp4Mux::flush() {
  for (auto &input : inputs_) {
    input->arrivals.clear();
    input->head.reset();
  }
  return GST_FLOW_OK;
}

// Events and queries

GstFlowReturn Mp4Mux::sink_event_pre_queue(GstAggregatorPad *pad, GstEvent *event) {
  MuxPad &door = MuxPad::of(pad);
  if (GST_EVENT_TYPE(event) == GST_EVENT_GAP) {
    GstClockTime time = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
    gst_event_parse_gap(event, &time, &duration);
    gst_event_unref(event);
    Arrival gap; // running times are made where the segment is known: see place()
    if (GST_CLOCK_TIME_IS_VALID(time)) gap.stamp.pts = static_cast<std::int64_t>(time);
    if (GST_CLOCK_TIME_IS_VALID(duration)) gap.stamp.duration = static_cast<std::int64_t>(duration);
    return door.arrive(std::move(gap));
  }
  if (is_serialized(event) && GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP) {
    const GstFlowReturn flow = door.seal();
    if (flow != GST_FLOW_OK && GST_EVENT_TYPE(event) != GST_EVENT_EOS) {
      gst_event_unref(event);
      return flow;
    }
  }
  return Shell<Mp4Mux>::parent_class()->sink_event_pre_queue(self_, pad, event);
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
  default:
    return Shell<Mp4Mux>::parent_class()->sink_event(self_, pad, event);
  }
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
  input.caps = std::move(*track);
  if (input.caps->is_h264) input.order.configure(input.caps->format.codec_boxes.front().data);
  if (input.timeline) { // the track goes on with another sample entry
    input.config.formats.push_back(input.caps->format);
    input.format_index = static_cast<std::uint32_t>(input.config.formats.size());
    if (output_ && input.in_file && output_->format_changed(input) != GST_FLOW_OK) return false;
    return true;
  }
  input.config.media = input.caps->media;
  input.config.timescale = input.caps->timescale;
  input.config.formats = {input.caps->format};
  input.timeline.emplace(input.caps->timescale, input.caps->pacing, input.caps->nominal_duration);
  return true;
}

void Mp4Mux::take_tags(MuxInput &input, const GstTagList *tags) {
  char *text = nullptr;
  if (gst_tag_list_get_string(tags, GST_TAG_LANGUAGE_CODE, &text)) {
    input.config.language = text;
    g_free(text);
  }
}

bool Mp4Mux::done(const MuxInput &input) const {
  return input.released || gst_aggregator_pad_is_eos(input.aggregator_pad());
}

// Places the next sample of the track; false when there is none yet.
bool Mp4Mux::fill(MuxInput &input) {
  while (!input.head) {
    if (input.arrivals.empty() &&
        (input.released ||
         !MuxPad::of(input.pad.get()).collect(input.arrivals, input.idle_until > held_back_)))
      return false;
    Arrival next = std::move(input.arrivals.front());
    input.arrivals.pop_front();
    place(input, std::move(next));
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

bool Mp4Mux::place(MuxInput &input, Arrival arrival) {
  GstBuffer *buffer = arrival.buffer.get();
  const GstSegment &segment = input.aggregator_pad()->segment;
  if (!buffer) { // a gap: the sample before it lasts until the next one, and nobody waits for this track
    const std::int64_t length = arrival.stamp.duration.value_or(0);
    const auto start = running_time(segment, static_cast<GstClockTime>(arrival.stamp.pts.value_or(0)));
    if (start) input.idle_until = std::max(input.idle_until, *start + length);
    return false;
  }
  const gsize size = gst_buffer_get_size(buffer);
  if (size == 0 || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) || !input.timeline) {
    if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) ++input.empty;
    return false;
  }
  const bool picture = input.config.media == Media::video;
  const bool sync = !picture || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) && !picture) return false; // Ogg's codec headers
  if (picture && !sync && !input.timeline->started()) {
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
  sample.buffer = std::move(arrival.buffer);
  input.head_time = input.in_nanoseconds(placed.decode_time);
  input.head = std::move(sample);
  return true;
}

// The main loop

bool Mp4Mux::ready_to_start(bool timeout) {
  bool any = false;
  for (auto &input : inputs_) {
    if (fill(*input)) {
      any = true;
      continue;
    }
    if (!done(*input) && !timeout && input->idle_until == MuxInput::kNotIdle) return false;
  }
  return any;
}

GstFlowReturn Mp4Mux::aggregate(gboolean timeout) {
  if (failed_) return GST_FLOW_ERROR;
  sync_inputs();
  if (!output_) {
    if (!ready_to_start(timeout)) {
      const bool all_done =
          std::all_of(inputs_.begin(), inputs_.end(), [this](const auto &input) { return done(*input); });
      return all_done && !inputs_.empty() ? finish() : GST_FLOW_OK;
    }
    const GstFlowReturn flow = begin();
    if (flow != GST_FLOW_OK) return flow;
  }
  for (;;) {
    MuxInput *next = nullptr;
    std::int64_t patience = std::numeric_limits<std::int64_t>::max(); // until when no track may have more
    for (auto &input : inputs_) {
      if (!fill(*input)) {
        if (!timeout && !done(*input)) patience = std::min(patience, input->idle_until);
        continue;
      }
      if (!input->in_file) { // came after the header was written
        ++input->dropped;
        input->head.reset();
        patience = std::min(patience, input->head_time);
        continue;
      }
      if (!next || input->head_time < next->head_time) next = input.get();
    }
    if (!next) break;
    if (next->head_time >= patience) { // a gap has ended: its pad must have more before this sample may go
      if (end_gaps(next->head_time)) continue;
      return GST_FLOW_OK;
    }
    const GstFlowReturn flow = advance(*next);
    if (flow != GST_FLOW_OK) return flow;
  }
  bool all_done = true, only_gaps = true;
  for (const auto &input : inputs_) {
    all_done &= done(*input);
    only_gaps &= done(*input) || input->idle_until > held_back_;
  }
  if (all_done) return finish();
  if (only_gaps) end_gaps(std::numeric_limits<std::int64_t>::max());
  return GST_FLOW_OK;
}

// Pads whose gaps end at or before `time` are waited for again; true when one of them has a sample already.
bool Mp4Mux::end_gaps(std::int64_t time) {
  held_back_ = time;
  bool more = false;
  for (auto &input : inputs_)
    more |= !input->head && fill(*input);
  return more;
}

GstFlowReturn Mp4Mux::advance(MuxInput &input) {
  MuxSample sample = std::move(*input.head);
  input.head.reset();
  position_ = static_cast<GstClockTime>(std::max<std::int64_t>(sample.running_time, 0));
  if (++input.samples % 256 == 0) count();
  return output_->add(input, std::move(sample));
}

Result<Variant> Mp4Mux::choose_variant() {
  GstPad *source = GST_AGGREGATOR_SRC_PAD(self_);
  const auto allowed = CapsRef::adopt(gst_pad_get_allowed_caps(source));
  if (!allowed || gst_caps_is_empty(allowed.get()))
    return fail(ErrorCode::unsupported,
                "What follows the muxer takes none of video/quicktime with variant iso, "
                "iso-fragmented or cmaf.");
  auto query = QueryRef::adopt(gst_query_new_seeking(GST_FORMAT_BYTES));
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(source, query.get()))
    gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
  std::optional<Variant> first;
  for (guint i = 0; i < gst_caps_get_size(allowed.get()); ++i) {
    const auto caps = CapsRef::adopt(gst_caps_copy_nth(allowed.get(), i));
    for (const auto &[name, variant] : {std::pair{"iso", Variant::iso},
                                        {"iso-fragmented", Variant::iso_fragmented},
                                        {"cmaf", Variant::cmaf}}) {
      const auto wanted =
          CapsRef::adopt(gst_caps_new_simple("video/quicktime", "variant", G_TYPE_STRING, name, nullptr));
      if (!gst_caps_can_intersect(caps.get(), wanted.get())) continue;
      if (!first) first = variant;
      if (variant == Variant::iso && !seekable) continue;
      return variant;
    }
  }
  return *first;
}

GstFlowReturn Mp4Mux::begin() {
  hurry_ = gst_aggregator_get_latency(self_) != GST_CLOCK_TIME_NONE;
  running_ = snapshot();
  auto variant = choose_variant();
  std::vector<MuxInput *> tracks;
  for (auto &input : inputs_) {
    if (!input->timeline || !input->head) continue; // no data came in time
    input->in_file = true;
    input->index = tracks.size();
    input->config.id = static_cast<std::uint32_t>(tracks.size() + 1);
    if (input->config.media == Media::audio) {
      const std::int64_t before_zero = input->timeline->origin();
      input->config.priming = std::max<std::int64_t>(input->caps->priming, before_zero);
    }
    tracks.push_back(input.get());
  }
  Result<void> started;
  if (!variant) {
    started = tl::unexpected(variant.error());
  } else {
    output_ = *variant == Variant::iso ? make_progressive_output(*this, running_)
                                       : make_fragmented_output(*this, running_, *variant);
    started = output_->start(tracks);
  }
  if (!started) {
    failed_ = true;
    raise(GST_ELEMENT(self_), started.error());
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

GstFlowReturn Mp4Mux::finish() {
  if (finished_) return GST_FLOW_EOS;
  finished_ = true;
  count();
  warn_of_repairs();
  if (!output_) {
    std::uint64_t dropped = 0;
    for (const auto &input : inputs_)
      dropped += input->dropped + input->empty;
    if (dropped)
      warn(GST_ELEMENT(self_),
           {ErrorCode::bad_data, "Nothing was written: no key unit came in " + std::to_string(dropped) +
                                     " samples. Let the encoder start with one."});
    return GST_FLOW_EOS;
  }
  const GstFlowReturn flow = output_->finish();
  return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
}

void Mp4Mux::warn_of_repairs() {
  for (const auto &input : inputs_) {
    const Repairs repairs = input->timeline ? input->timeline->repairs() : Repairs{};
    if (repairs.total() + input->dropped == 0) continue;
    warn(GST_ELEMENT(self_),
         {ErrorCode::bad_data, std::string(GST_PAD_NAME(input->pad.get())) + ": " +
                                   std::to_string(repairs.total()) + " timestamps were repaired and " +
                                   std::to_string(input->dropped) +
                                   " samples dropped. The stats property says which kinds."});
  }
}

StructureRef Mp4Mux::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return StructureRef::adopt(gst_structure_new(
      "stats", "missing-pts", G_TYPE_UINT64, counted_.repairs.missing_pts, "missing-dts", G_TYPE_UINT64,
      counted_.repairs.missing_dts, "backward-dts", G_TYPE_UINT64, counted_.repairs.backward_dts, "jumps",
      G_TYPE_UINT64, counted_.repairs.jumps, "clamped-offsets", G_TYPE_UINT64,
      counted_.repairs.clamped_offsets, "dropped", G_TYPE_UINT64, counted_.dropped, "empty", G_TYPE_UINT64,
      counted_.empty, "samples", G_TYPE_UINT64, counted_.samples, nullptr));
}

// Adds up what the tracks counted, for who asks from another thread.
void Mp4Mux::count() {
  Counted sum;
  for (const auto &input : inputs_) {
    const Repairs repairs = input->timeline ? input->timeline->repairs() : Repairs{};
    sum.repairs.missing_pts += repairs.missing_pts;
    sum.repairs.missing_dts += repairs.missing_dts;
    sum.repairs.backward_dts += repairs.backward_dts;
    sum.repairs.jumps += repairs.jumps;
    sum.repairs.clamped_offsets += repairs.clamped_offsets;
    sum.dropped += input->dropped;
    sum.empty += input->empty;
    sum.samples += input->samples;
  }
  const std::lock_guard lock(stats_mutex_);
  counted_ = sum;
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
  const char *names[] = {"iso", "iso-fragmented", "cmaf"};
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
  gst_segment_init(&segment, variant == Variant::iso ? GST_FORMAT_BYTES : GST_FORMAT_TIME);
  gst_aggregator_update_segment(self_, &segment);
  if (variant != Variant::iso) {
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
