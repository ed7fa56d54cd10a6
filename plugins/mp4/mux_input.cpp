#include "plugins/mp4/mux_input.h"

#include "gst/glue/map.h"
#include "gst/isobmff/formats/flac.h"
#include "gst/isobmff/formats/opus.h"
#include "plugins/mp4/mux_log.h"
#include "plugins/mp4/payloads.h"

#include <algorithm>

#include <gst/audio/audio.h>
#include <gst/tag/tag.h>

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

MuxInput::MuxInput(GstPad *from, MuxInputEvents &events, std::shared_ptr<SharedMoves> moves,
                   std::int64_t max_gap)
    : pad(PadRef::retain(from)),
      queue(MuxPad::of(from).queue()),
      events_(events),
      moves_(std::move(moves)),
      max_gap_(max_gap) {
  log = log_into(mux_category(), G_OBJECT(from));
  gst_segment_init(&segment, GST_FORMAT_TIME);
}

// What its events say

Result<MuxInput::Change> MuxInput::set_caps(const GstCaps *new_caps) {
  auto track = track_from_caps(new_caps);
  if (!track) return tl::unexpected(track.error());
  GST_INFO_OBJECT(pad.get(), "caps %" GST_PTR_FORMAT, new_caps);
  caps_error.reset();
  last_caps = CapsRef::retain(const_cast<GstCaps *>(new_caps));
  const std::uint32_t wanted = MuxPad::of(pad.get()).snapshot().timescale;
  if (wanted && track->timescale) {
    track->nominal_duration =
        static_cast<std::uint32_t>(rescale(track->nominal_duration, wanted, track->timescale));
    track->timescale = wanted;
  }
  if (text && track->text && track->media == config.media) {
    text->set_form(*track->text);
    return Change::none;
  }
  const ByteVector entry = write_tree(track->format.entry_box()).value_or(ByteVector());
  const bool goes_on = timeline && (timeline->started() || in_file);
  caps = std::move(*track);
  // Parsers repeat their caps, and a tee or a concat may bring back earlier ones.
  if (goes_on && described_.at(format_index - 1) == entry) return Change::none;
  if (caps->is_h264) order_.configure(caps->format.codec_boxes.front().data);
  if (config.quicktime) adapt_to_quicktime(*caps, caps->format);
  if (goes_on) {
    change_format(entry);
    return Change::format;
  }
  begin_track(entry);
  return Change::begun;
}

// The track goes on with another sample entry, which it may have had before.
void MuxInput::change_format(const ByteVector &entry) {
  const auto known = static_cast<std::size_t>(std::ranges::find(described_, entry) - described_.begin());
  if (known == described_.size()) {
    described_.push_back(entry);
    config.formats.push_back(caps->format);
    if (protector) config.formats.back().protection = protector->settings();
  }
  if (protector) protector->change_format(caps->format);
  format_index = static_cast<std::uint32_t>(known + 1);
  GST_DEBUG_OBJECT(pad.get(), "goes on with sample entry %u of %zu", format_index, described_.size());
}

void MuxInput::begin_track(const ByteVector &entry) {
  config.media = caps->media;
  config.timescale = caps->timescale;
  nominal_duration = caps->nominal_duration;
  config.formats = {caps->format};
  described_ = {entry};
  timeline.emplace(caps->timescale, caps->pacing, caps->nominal_duration);
  begin_stamps();
  if (caps->text) text = std::make_unique<TextInput>(*caps->text, caps->timescale, name());
}

// H.265 says in its sets how far it reorders, which nobody reads here: six is more than encoders use, and too
// much does no harm.
void MuxInput::begin_stamps() {
  constexpr unsigned kHevcReorder = 6;
  const FourCC entry = caps->format.entry;
  const unsigned reorder = caps->is_h264                                        ? order_.reorder_frames()
                           : entry == FourCC("hvc1") || entry == FourCC("hev1") ? kHevcReorder
                                                                                : 0;
  const std::int64_t nominal = in_nanoseconds(caps->nominal_duration);
  judge_.emplace(
      StampJudge::Settings{max_gap_, nominal, reorder * std::max<std::int64_t>(nominal, 40 * GST_MSECOND)},
      moves_);
  if (reorder > 0)
    decode_times_.emplace(reorder, caps->frame_rate_numerator, caps->frame_rate_denominator);
  else
    decode_times_.reset();
}

Repairs MuxInput::repairs() const {
  Repairs all = timeline ? timeline->repairs() : Repairs{};
  if (judge_) {
    all.jumps += judge_->restarts();
    all.strays += judge_->strays();
    all.missing_pts += judge_->leading();
  }
  return all;
}

void MuxInput::set_tags(const GstTagList *tags) {
  char *value = nullptr;
  if (gst_tag_list_get_string(tags, GST_TAG_LANGUAGE_CODE, &value)) {
    const char *three = gst_tag_get_language_code_iso_639_2T(value); // of "en", too
    config.language = three ? three : value;
    g_free(value);
  }
  if (gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &value)) {
    orientation = value;
    g_free(value);
  }
}

void MuxInput::begin_segment(GstEvent *event) {
  gst_event_copy_segment(event, &segment);
  has_segment = true;
  if (judge_) judge_->begin_segment();
}

void MuxInput::note_gap(GstClockTime time, GstClockTime duration) {
  auto start = running_time(segment, time);
  if (text && segment.format != GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(time))
    start = static_cast<std::int64_t>(time); // a file's text counts from 0 itself
  if (!start) return;
  has_begun = true;
  const std::int64_t end =
      *start + (GST_CLOCK_TIME_IS_VALID(duration) ? static_cast<std::int64_t>(duration) : 0);
  GST_DEBUG_OBJECT(pad.get(), "gap until %" GST_STIME_FORMAT, GST_STIME_ARGS(end));
  if (text) text->reach(end);
  if (judge_) judge_->begin_segment();
  idle_until = std::max(idle_until, end);
}

// Samples

bool MuxInput::can_be_track() const {
  return timeline && (text || head || (!done() && !config.formats.front().codec_boxes.empty()));
}

bool MuxInput::done() const {
  if (released || ended || given_up) return true;
  // Without a peer nothing comes; one that was never linked may still be.
  return has_begun && has_siblings && !gst_pad_is_linked(pad.get());
}

// The next of what has come, which may be an event that has been handled then; false when there is nothing.
bool MuxInput::take_arrival(Arrival &arrival) {
  if (arrivals_.empty() && !queue->take(arrivals_)) return false;
  arrival = std::move(arrivals_.front());
  arrivals_.pop_front();
  given_up = false;
  if (arrival.event)
    events_.handle_event(*this, std::move(arrival.event));
  else
    has_begun = true;
  return true;
}

// Another format belongs to what comes behind it, so what waits for a judgement goes first.
bool MuxInput::caps_are_next() {
  if (arrivals_.empty() && !queue->take(arrivals_)) return false;
  const GstEvent *event = arrivals_.front().event.get();
  return event && GST_EVENT_TYPE(event) == GST_EVENT_CAPS;
}

bool MuxInput::fill(bool started) {
  while (!head) {
    if (text) return fill_text(started); // which its caps say
    if (settle_next()) return true;
    Arrival arrival;
    const bool stop = !unsettled_.empty() && caps_are_next();
    if (!stop && take_arrival(arrival)) {
      if (arrival.buffer) take(std::move(arrival));
    } else if (!unsettled_.empty() && (stop || done())) {
      judge_->end();
    } else {
      return false;
    }
  }
  return true;
}

// Elementary streams have decode times only; when a picture is shown stands in its slice header.
void MuxInput::order_picture(GstBuffer *buffer, bool sync, Stamp &stamp) {
  if (!caps || !caps->is_h264 || !stamp.duration) return;
  const MappedBuffer map(buffer, GST_MAP_READ);
  if (!map) return;
  const auto frames = order_.frames_after_idr(map.bytes());
  if (!frames) return;
  if (sync && *frames == 0) idr_time_ = *stamp.dts;
  stamp.pts = idr_time_ + *frames * *stamp.duration;
}

// A codec whose record is in its first sample; one that is broken waits for the next.
bool MuxInput::complete_format(GstBuffer *buffer) {
  const MappedBuffer map(buffer, GST_MAP_READ);
  return map && complete_from_sample(config.formats[format_index - 1], map.bytes());
}

namespace {

// Ogg's mappings of Opus and FLAC begin with packets that are no samples; their flags do not always say so. flacenc writes its
// header once more at the end, where a file would have it at its start.
bool is_header_packet(FourCC entry, std::uint64_t placed, GstBuffer *buffer) {
  constexpr std::uint64_t kHeadersAtMost = 8;
  if (entry == FourCC("fLaC")) placed = 0;
  if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) && placed >= kHeadersAtMost) return false;
  std::uint8_t start[4] = {};
  if (gst_buffer_extract(buffer, 0, start, sizeof start) < sizeof start) return false;
  if (entry == FourCC("Opus")) return std::equal(start, start + 4, "Opus");
  return entry == FourCC("fLaC") && !(start[0] == 0xff && (start[1] & 0xfc) == 0xf8);
}

} // namespace

namespace {

constexpr std::size_t kMostLeading = 64; // packets of an encoder's delay

std::int64_t clipped_nanoseconds(const GstAudioClippingMeta &meta, guint64 clipped, std::uint32_t rate) {
  const auto value = static_cast<std::int64_t>(clipped);
  return meta.format == GST_FORMAT_TIME      ? value
         : meta.format == GST_FORMAT_DEFAULT ? rescale(value, kNanoseconds, rate)
                                             : 0;
}

} // namespace

// Samples that a decoder makes of the buffer, where it or the codec tells; else 0.
std::uint32_t MuxInput::decoded_samples(GstBuffer *buffer) const {
  const FourCC entry = config.formats[format_index - 1].entry;
  if (entry != FourCC("Opus") && entry != FourCC("fLaC")) return 0;
  const MappedBuffer map(buffer, GST_MAP_READ);
  if (!map) return 0;
  return entry == FourCC("Opus") ? opus_packet_samples(map.bytes()) : flac_frame_samples(map.bytes());
}

// What a decoder drops at the start of a buffer (an encoder's delay) lies in front of its timestamp, and what it drops at
// the end is not shown. Parsers and encoders do not agree on what the duration is then. False: nothing of the buffer is
// shown, so that its time follows from that of the next one.
bool MuxInput::clip_sound(GstBuffer *buffer, Stamp &stamp) const {
  const std::uint32_t rate = config.formats.front().sample_rate;
  if (rate == 0) return true;
  const std::int64_t told = rescale(decoded_samples(buffer), kNanoseconds, rate);
  const std::int64_t whole = told ? told : in_nanoseconds(nominal_duration);
  std::int64_t front = 0, back = 0;
  gpointer state = nullptr;
  while (const GstMeta *meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, gst_audio_clipping_meta_api_get_type())) {
    const auto &clipping = *reinterpret_cast<const GstAudioClippingMeta *>(meta);
    front += clipped_nanoseconds(clipping, clipping.start, rate);
    back += clipped_nanoseconds(clipping, clipping.end, rate);
  }
  if (stamp.pts) *stamp.pts -= front;
  if (stamp.dts) *stamp.dts -= front;
  if (back > 0 && whole > back)
    stamp.duration = whole - back;
  else if (front > 0)
    stamp.duration.reset(); // the next sample tells
  else if (told > 0)        // an encoder leaves padding out without a word
    stamp.duration = std::min(stamp.duration.value_or(told), told);
  return front == 0 || front < whole;
}

// Packets of nothing but an encoder's delay have the time of the first one that is shown.
void MuxInput::place_leading(const Stamp &next) {
  Stamp stamp = next;
  for (auto leading = leading_.rbegin(); leading != leading_.rend(); ++leading) {
    const std::uint32_t told = decoded_samples(leading->buffer.get());
    const std::int64_t duration = told ? rescale(told, kNanoseconds, config.formats.front().sample_rate)
                                       : in_nanoseconds(nominal_duration);
    if (stamp.pts) *stamp.pts -= duration;
    stamp.dts = stamp.pts;
    stamp.duration = duration;
    leading->stamp = stamp;
  }
  for (auto &leading : leading_) {
    judge_->add(leading.stamp, leading.time);
    unsettled_.push_back({std::move(leading.buffer), true});
  }
  leading_.clear();
}

// A buffer that is a sample, and says when.
bool MuxInput::take(Arrival arrival) {
  GstBuffer *buffer = arrival.buffer.get();
  if (caps_error) {
    events_.refuse(*this);
    return false;
  }
  const gsize size = gst_buffer_get_size(buffer);
  if (size == 0 || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) || !timeline) {
    if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) ++empty;
    return false;
  }
  const bool picture = config.media == Media::video;
  const bool sync = !picture || !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (!picture && is_header_packet(config.formats.front().entry, placed_, buffer)) {
    GST_DEBUG_OBJECT(pad.get(), "left out a header packet of %" G_GSIZE_FORMAT " bytes", size);
    return false;
  }
  if (picture && !sync && !begun()) {
    ++dropped;
    GST_DEBUG_OBJECT(pad.get(), "dropped %" GST_PTR_FORMAT ": no key unit yet", buffer);
    return false;
  }
  if (config.formats[format_index - 1].codec_boxes.empty() && !complete_format(buffer)) {
    ++dropped;
    GST_DEBUG_OBJECT(pad.get(), "dropped %" GST_PTR_FORMAT ": its codec's record cannot be read from it",
                     buffer);
    return false;
  }
  Stamp stamp;
  stamp.pts = running_time(segment, GST_BUFFER_PTS(buffer));
  stamp.dts = running_time(segment, GST_BUFFER_DTS(buffer));
  if (GST_BUFFER_DURATION_IS_VALID(buffer))
    stamp.duration = static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer));
  const SampleFormat &format = config.formats[format_index - 1];
  if (format.frame_bytes > 0) // frames say themselves how long they last
    stamp.duration =
        rescale(static_cast<std::int64_t>(size / format.frame_bytes), kNanoseconds, format.sample_rate);
  if (picture && !stamp.pts && stamp.dts) order_picture(buffer, sync, stamp);
  if (!picture && !clip_sound(buffer, stamp) && leading_.size() < kMostLeading) {
    leading_.push_back({std::move(arrival.buffer), {}, arrival.time});
    return true;
  }
  if (!leading_.empty()) place_leading(stamp);
  judge_->add(stamp, arrival.time);
  unsettled_.push_back({std::move(arrival.buffer), sync});
  return true;
}

// The next sample whose time is settled.
bool MuxInput::settle_next() {
  if (unsettled_.empty()) return false;
  const std::uint64_t before = repairs().total();
  auto stamp = judge_->next();
  if (!stamp) return false;
  auto [buffer, sync] = std::move(unsettled_.front());
  unsettled_.pop_front();
  if (decode_times_) decode_times_->complete(*stamp);
  place(std::move(buffer), *stamp, sync);
  if (repairs().total() != before)
    GST_DEBUG_OBJECT(pad.get(),
                     "repaired the time of %" GST_PTR_FORMAT ": it is decoded at %" GST_STIME_FORMAT,
                     buffer_of(head->payload), GST_STIME_ARGS(head_time));
  return true;
}

void MuxInput::place(BufferRef taken, const Stamp &stamp, bool sync) {
  GstBuffer *buffer = taken.get();
  const Placed placed = timeline->add(stamp);
  if (placed_++ == 0) GST_INFO_OBJECT(pad.get(), "first sample: %" GST_PTR_FORMAT, buffer);
  MuxSample sample;
  sample.sample = {placed.decode_time,
                   placed.duration,
                   placed.composition_offset,
                   static_cast<std::uint32_t>(gst_buffer_get_size(buffer)),
                   sync,
                   GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DROPPABLE)};
  sample.duration_known = placed.duration_known;
  sample.early = placed.early;
  sample.running_time = in_nanoseconds(placed.decode_time + placed.composition_offset - timeline->origin());
  sample.payload = payload_of(std::move(taken));
  head_time = in_nanoseconds(placed.decode_time);
  head = std::move(sample);
  GST_LOG_OBJECT(pad.get(), "%" GST_PTR_FORMAT, buffer);
}

// Text: it holds nobody up for longer than it must

void MuxInput::take_text(GstBuffer *buffer) {
  GST_LOG_OBJECT(pad.get(), "%" GST_PTR_FORMAT, buffer);
  std::optional<std::int64_t> duration;
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) duration = static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer));
  const MappedBuffer map(buffer, GST_MAP_READ);
  if (map && !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP))
    text->take({reinterpret_cast<const char *>(map.bytes().data()), map.size()},
               hull::running_time(segment, GST_BUFFER_PTS(buffer)), duration);
}

bool MuxInput::pump_text() {
  Arrival arrival;
  if (!take_arrival(arrival)) {
    if (!done() || text->ended()) return false;
    text->end();
    dropped += text->refused();
    idle_until = std::numeric_limits<std::int64_t>::max();
    return true;
  }
  if (arrival.buffer) take_text(arrival.buffer.get());
  idle_until = std::max(idle_until, text->horizon());
  return true;
}

bool MuxInput::fill_text(bool started) {
  if (text->joins || !started) return false; // no sample of its own, or no start yet
  while (!head) {
    if (auto sample = text->next()) {
      head_time = in_nanoseconds(sample->start);
      head = sample_of(*this, std::move(*sample));
    } else if (!pump_text()) {
      return false;
    }
  }
  return true;
}

} // namespace hull
