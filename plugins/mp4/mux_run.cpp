#include "plugins/mp4/mux_run.h"

#include "gst/glue/raise.h"
#include "plugins/mp4/mux_log.h"
#include "plugins/mp4/mux_start.h"
#include "plugins/mp4/tags.h"

#include <algorithm>
#include <limits>

#include <gst/video/video.h>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

constexpr gint64 kLookAhead = G_TIME_SPAN_SECOND / 10;  // microseconds that an encoder is waited for
constexpr std::int64_t kStartPatience = 2 * GST_SECOND; // with live inputs that have nothing yet
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

bool has_head(const std::unique_ptr<MuxInput> &input) {
  return bool(input->head);
}

std::vector<PadRef> sink_pads(GstElement *element, guint32 *cookie = nullptr) {
  std::vector<PadRef> pads;
  GST_OBJECT_LOCK(element);
  if (cookie) *cookie = element->pads_cookie;
  for (GList *l = element->sinkpads; l; l = l->next)
    pads.push_back(PadRef::retain(GST_PAD(l->data)));
  GST_OBJECT_UNLOCK(element);
  return pads;
}

// Whether everything in front of `pad` is linked and has changed its state.
bool is_complete_before(GstPad *pad) {
  const auto peer = PadRef::adopt(gst_pad_get_peer(pad));
  if (!peer) return false;
  const auto element = ElementRef::adopt(gst_pad_get_parent_element(peer.get()));
  if (!element) return true; // the edge of a bin
  GST_OBJECT_LOCK(element.get());
  const bool done = GST_STATE(element.get()) >= GST_STATE_PAUSED &&
                    GST_STATE_PENDING(element.get()) == GST_STATE_VOID_PENDING;
  GST_OBJECT_UNLOCK(element.get());
  return done && std::ranges::all_of(sink_pads(element.get()),
                                     [](const PadRef &before) { return is_complete_before(before.get()); });
}

} // namespace

std::optional<GstClockTime> upstream_latency(GstElement *element) {
  std::optional<GstClockTime> most;
  for (const PadRef &pad : sink_pads(element)) {
    const auto query = QueryRef::adopt(gst_query_new_latency());
    if (!gst_pad_peer_query(pad.get(), query.get())) continue;
    gboolean live = FALSE;
    GstClockTime least = 0;
    gst_query_parse_latency(query.get(), &live, &least, nullptr);
    if (live) most = std::max(most.value_or(0), least);
  }
  return most;
}

void MuxRun::refresh_latency() {
  upstream_latency_ = upstream_latency(parts_.element);
  parts_.queues.set_live(upstream_latency_.has_value());
}

MuxRun::MuxRun(const Parts &parts, const MuxRun *before) : parts_(parts) {
  if (!before) return;
  sync_inputs();
  for (const auto &input : inputs_)
    for (const auto &known : before->inputs_)
      if (known->pad.get() == input->pad.get() && known->last_caps) take_caps(*input, known->last_caps.get());
}

MuxRun::~MuxRun() = default;

GstFlowReturn MuxRun::step(InputQueues::Woken why) {
  sync_inputs();
  look_at_clock(why == InputQueues::Woken::time);
  const GstFlowReturn flow = failed_ ? GST_FLOW_ERROR : mux_what_came();
  return failed_ ? GST_FLOW_ERROR : flow;
}

// Who is there

// Keeps inputs_ in step with the element's pads, and says whether they have changed. A pad that has left
// keeps its track until the end.
bool MuxRun::sync_inputs() {
  GST_OBJECT_LOCK(parts_.element);
  const bool same = pads_known_ && parts_.element->pads_cookie == pads_cookie_;
  GST_OBJECT_UNLOCK(parts_.element);
  if (same) return false;
  const auto present = sink_pads(parts_.element, &pads_cookie_);
  pads_known_ = true;
  for (auto &input : inputs_)
    input->released =
        std::ranges::none_of(present, [&](const PadRef &pad) { return pad.get() == input->pad.get(); });
  const auto max_gap =
      static_cast<std::int64_t>(std::min<std::uint64_t>(parts_.settings.snapshot().max_gap, G_MAXINT64 / 2));
  for (const PadRef &pad : present)
    if (std::ranges::none_of(inputs_, [&](const auto &input) { return input->pad.get() == pad.get(); }))
      inputs_.push_back(std::make_unique<MuxInput>(pad.get(), *this, moves_, max_gap));
  for (auto &input : inputs_)
    input->has_siblings = inputs_.size() > 1;
  return true;
}

bool MuxRun::all_done() const {
  return std::ranges::all_of(inputs_, [](const auto &input) { return input->done(); });
}

// Who is waited for

// Live inputs are waited for until the latency has passed; files as long as it takes.
void MuxRun::look_at_clock(bool time_passed) {
  late_ = MuxInput::kNotIdle;
  const auto upstream = upstream_latency_;
  latency_ =
      upstream ? *upstream + parts_.source.held() + parts_.settings.snapshot().latency : GST_CLOCK_TIME_NONE;
  if (!upstream) return;
  const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(parts_.element));
  if (!clock) return;
  late_ = static_cast<std::int64_t>(gst_clock_get_time(clock.get())) -
          static_cast<std::int64_t>(gst_element_get_base_time(parts_.element)) -
          static_cast<std::int64_t>(latency_);
  if (time_passed) late_ = std::max(late_, next_deadline());
}

// Until when the sample that waits does so. Before the header more is at stake: an input that comes after it
// is lost, so microphones and cameras that start slowly have more time.
std::int64_t MuxRun::next_deadline() const {
  return next_time_ == MuxInput::kNotIdle || output_ ? next_time_ : next_time_ + kStartPatience;
}

InputQueues::Limit MuxRun::limit() const {
  InputQueues::Limit limit;
  limit.monotonic_time = preroll_at_ ? preroll_at_ : silent_until_;
  if (!is_live() || next_time_ == MuxInput::kNotIdle) return limit;
  limit.clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(parts_.element));
  limit.time =
      gst_element_get_base_time(parts_.element) + static_cast<GstClockTime>(next_deadline()) + latency_;
  return limit;
}

bool MuxRun::is_late(const MuxInput &input) const {
  return input.head && input.head->running_time <= late_;
}

// Whether the file's header must wait for this input.
bool MuxRun::is_missing(const MuxInput &input) const {
  if (input.done()) return false;
  if (input.text) return !input.text->heard() && !is_live(); // live text may take its time
  return !input.timeline || (!input.head && input.idle_until == MuxInput::kNotIdle);
}

// Whether a sample of that decode time must wait for what this input may still have.
bool MuxRun::holds_up(const MuxInput &input, std::int64_t time) const {
  if (input.done()) return false;
  if (input.text && input.text->joins) return !is_live() && input.text->horizon() <= time;
  return !input.head && input.idle_until <= time;
}

template <class Predicate> void MuxRun::wait_where(Predicate waits) {
  next_time_ = MuxInput::kNotIdle;
  for (auto &input : inputs_) {
    input->queue->wait_for(waits(*input));
    if (!input->head) continue;
    const std::int64_t time = std::max<std::int64_t>(input->head->running_time, 0);
    if (next_time_ == MuxInput::kNotIdle || time < next_time_) next_time_ = time;
  }
}

void MuxRun::wait_to_start() {
  const auto missing = [this](const MuxInput &input) { return is_missing(input); };
  const auto any_missing = [&](const auto &input) { return missing(*input); };
  if (std::ranges::any_of(inputs_, any_missing) && std::ranges::any_of(inputs_, has_head))
    wait_where(missing);
  else // whatever comes first
    wait_where([this](const MuxInput &input) { return holds_up(input, kEver); });
}

// Inputs that never had anything are not waited for when all others have ended, or can hold no more.
void MuxRun::give_up_silent_inputs() {
  if (parts_.queues.take_overfull()) {
    for (auto &input : inputs_)
      if (!input->done() && input->queue->starves()) give_up(*input, "the other inputs can hold no more");
    return;
  }
  std::vector<MuxInput *> silent;
  bool others = false;
  for (auto &input : inputs_) {
    // Its end may still wait behind samples that wait for the silent ones.
    const bool over = input->done() || input->queue->has_ended();
    if (!over && input->heard) return silent_until_.reset();
    others |= over && input->heard;
    if (!over) silent.push_back(input.get());
  }
  if (!others || silent.empty()) return silent_until_.reset();
  constexpr gint64 kPatience = 5 * G_TIME_SPAN_SECOND;
  const gint64 now = g_get_monotonic_time();
  if (!silent_until_) silent_until_ = now + kPatience;
  for (MuxInput *input : silent)
    if (now >= *silent_until_ || !gst_pad_is_linked(input->pad.get()))
      give_up(*input, "all other inputs have ended");
}

void MuxRun::give_up(MuxInput &input, const char *why) {
  input.given_up = true;
  GST_DEBUG_OBJECT(input.pad.get(), "waited for no longer: %s", why);
  if (!gst_pad_is_linked(input.pad.get())) return;
  caution({ErrorCode::state, std::string(input.name()) + (input.heard ? " has stopped" : " has had no data") +
                                 " and is waited for no longer, since " + why +
                                 ". Send gap events or EOS where an input has nothing."});
}

// The stream

GstFlowReturn MuxRun::mux_what_came() {
  give_up_silent_inputs();
  if (!output_) {
    const bool ready = ready_to_start();
    preroll();
    if (!ready) {
      if (!inputs_.empty() && all_done()) return finish();
      wait_to_start();
      return GST_FLOW_OK;
    }
    const GstFlowReturn flow = begin();
    if (flow != GST_FLOW_OK) return flow;
  }
  for (const std::int64_t time : parts_.requests.take_splits())
    output_->split(time);
  while (MuxInput *next = earliest()) {
    const bool late = is_late(*next);
    join_text(*next, late);
    const auto holds_up_next = [&](const auto &input) { return holds_up(*input, next->head_time); };
    if (!late && std::ranges::any_of(inputs_, holds_up_next)) {
      wait_where([&](const MuxInput &input) { return holds_up(input, next->head_time); });
      return GST_FLOW_OK;
    }
    const GstFlowReturn flow = advance(*next);
    if (flow != GST_FLOW_OK) return flow;
  }
  pump_all_text();
  give_up_silent_inputs();
  if (all_done()) return finish();
  wait_where([this](const MuxInput &input) { return holds_up(input, kEver); });
  return GST_FLOW_OK;
}

// What follows may preroll as soon as all inputs have told their caps, or a while after the run began where
// an encoder looks ahead. Not before what stands in front is complete: the element that completes a
// pipeline's PAUSED last should be its sink. A demuxing bin that is last may make the pipeline miss its EOS
// (GstBin forgets that it plays when PAUSED is said in one thread while another one goes on to PLAYING, which
// a sink's lock prevents).
bool MuxRun::may_preroll() {
  if (inputs_.empty()) return false;
  if (std::ranges::all_of(inputs_, [](const auto &input) { return input->caps.has_value(); })) return true;
  const gint64 now = g_get_monotonic_time();
  if (preroll_at_ && now < *preroll_at_) return false;
  const bool waited = preroll_at_.has_value();
  preroll_at_ = now + kLookAhead;
  return waited &&
         std::ranges::all_of(inputs_, [](const auto &input) { return is_complete_before(input->pad.get()); });
}

void MuxRun::preroll() {
  if (prerolled_) return;
  GST_OBJECT_LOCK(parts_.element);
  const bool plays = GST_STATE(parts_.element) == GST_STATE_PLAYING;
  GST_OBJECT_UNLOCK(parts_.element);
  if (!plays && !may_preroll()) return;
  prerolled_ = true;
  preroll_at_.reset();
  running_ = parts_.settings.snapshot();
  const auto variant = parts_.source.choose_variant();
  if (!variant) return;
  hold_back(*variant);
  if (!plays) parts_.source.preroll(*variant);
}

bool MuxRun::ready_to_start() {
  bool any = false, complete = true, late = false;
  do { // a pad that came before a sample which is there now belongs to the header
    for (auto &input : inputs_)
      fill(*input);
  } while (sync_inputs());
  const bool only_text = std::ranges::all_of(
      inputs_, [](const auto &input) { return input->text || (input->done() && !input->head); });
  for (auto &input : inputs_) {
    while (input->text && !input->text->heard() && input->pump_text()) {
    }
    if (input->text) // its header needs the first cue
      any |= only_text && (input->text->any() || (input->text->heard() && !input->text->over()));
    else
      any |= bool(input->head);
    late |= input->head && input->head->running_time + kStartPatience <= late_;
    complete &= !is_missing(*input);
  }
  return any && (complete || late);
}

// Tracks of the header, in the order of the pads.
std::vector<MuxInput *> MuxRun::number_tracks(Variant variant) {
  std::vector<MuxInput *> tracks;
  for (auto &input : inputs_) {
    if (!input->can_be_track()) {
      GST_WARNING_OBJECT(input->pad.get(), "has told nothing yet, so the header does not name it");
      continue;
    }
    if (input->text && input->text->over() && !input->text->any()) continue;
    begin_track(*input, tracks.size(), variant);
    tracks.push_back(input.get());
  }
  return tracks;
}

void MuxRun::begin_track(MuxInput &input, std::size_t index, Variant variant) {
  input.in_file = true;
  input.index = index;
  input.config.id = ++track_count_;
  const std::int64_t before_zero = input.timeline->origin();
  if (input.config.media == Media::audio)
    input.config.priming = std::max<std::int64_t>(input.caps->priming, before_zero);
  if (input.config.media != Media::video) return;
  input.config.priming = before_zero;
  if (input.orientation.empty() || variant == Variant::cmaf) return; // CMF-03 wants the unity matrix
  const SampleFormat &format = input.config.formats.front();
  input.config.matrix = orientation_matrix(input.orientation, format.width, format.height);
}

// One that came after the header was written; false: it cannot be a track any more.
bool MuxRun::add_late(MuxInput &input) {
  if (input.dropped_late || input.text || !output_->add_track(input)) {
    if (!input.dropped_late)
      GST_WARNING_OBJECT(input.pad.get(), "came after the header was written: its samples are dropped");
    input.dropped_late = true;
    ++input.dropped;
    return false;
  }
  begin_track(input, input.index, *variant_);
  GST_DEBUG_OBJECT(input.pad.get(), "track %u came late", input.config.id);
  return true;
}

Result<void> MuxRun::prepare(const std::vector<MuxInput *> &tracks, Variant variant) {
  begin_text(tracks, variant);
  if (variant != Variant::cmaf) {
    auto timecode = make_timecode(tracks, running_.timecode, track_count_ + 1);
    if (!timecode) return tl::unexpected(timecode.error());
    timecode_ = std::move(*timecode);
    if (timecode_) {
      timecode_->config.quicktime = variant == Variant::apple;
      ++track_count_;
    }
  }
  if (variant == Variant::apple)
    if (auto made = make_quicktime(tracks); !made) return made;
  if (running_.encryption == Encryption::none) return {};
  for (MuxInput *input : tracks)
    if (auto done = protect(parts_.element, *input, running_); !done) return done;
  if (is_whole(variant))
    return fail(ErrorCode::settings, "Encrypted samples are written in fragments: let what follows the "
                                     "muxer take variant=cmaf or iso-fragmented.");
  return {};
}

GstFlowReturn MuxRun::begin() {
  running_ = parts_.settings.snapshot();
  const auto variant = parts_.source.choose_variant();
  if (!variant) {
    report(variant.error());
    return GST_FLOW_ERROR;
  }
  variant_ = *variant;
  const auto tracks = number_tracks(*variant);
  if (auto ready = prepare(tracks, *variant); !ready) {
    report(ready.error());
    return GST_FLOW_ERROR;
  }
  GST_INFO_OBJECT(parts_.element, "%zu of %zu inputs are tracks of the header", tracks.size(),
                  inputs_.size());
  output_ = is_whole(*variant) ? make_progressive_output(*this, running_, *variant)
                               : make_fragmented_output(*this, running_, *variant);
  return output_->start(tracks);
}

// The input whose sample is next in decode order, null where there is none.
MuxInput *MuxRun::earliest() {
  MuxInput *next = nullptr;
  for (auto &input : inputs_) {
    if (input->text && input->text->joins) continue;
    while (fill(*input) && !input->in_file && !add_late(*input))
      input->head.reset();
    if (input->head && (!next || input->head_time < next->head_time)) next = input.get();
  }
  return next;
}

GstFlowReturn MuxRun::advance(MuxInput &input) {
  MuxSample sample = std::move(*input.head);
  input.head.reset();
  if (++input.samples % 256 == 0) count();
  return output_->add(input, std::move(sample));
}

GstFlowReturn MuxRun::finish() {
  if (finished_) return GST_FLOW_EOS;
  finished_ = true;
  pump_all_text();
  count();
  warn_of_repairs();
  if (output_) {
    const GstFlowReturn flow = output_->finish();
    for (const auto &input : inputs_)
      GST_INFO_OBJECT(input->pad.get(), "ended after %" G_GUINT64_FORMAT " samples", input->samples);
    return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
  }
  std::uint64_t dropped = 0;
  for (const auto &input : inputs_)
    dropped += input->dropped + input->empty;
  if (dropped)
    warn(parts_.element,
         {ErrorCode::bad_data, "Nothing was written: no key unit came in " + std::to_string(dropped) +
                                   " samples. Let the encoder start with one."});
  return GST_FLOW_EOS;
}

// Text

// Lets the text tracks that join the others take in what concerns the time of `next`. Late text is cut off,
// not waited for.
void MuxRun::join_text(const MuxInput &next, bool late) {
  for (auto &input : inputs_) {
    if (!input->text || !input->text->joins || !input->in_file) continue;
    while (input->text->horizon() <= next.head_time && input->pump_text()) {
    }
    if (late || is_live())
      input->text->reach(next.in_nanoseconds(next.head->sample.decode_time + next.head->sample.duration));
  }
}

// What joined text still has, when all tracks have ended.
void MuxRun::pump_all_text() {
  for (auto &input : inputs_)
    while (input->text && input->text->joins && input->pump_text()) {
    }
}

// Text begins where the others do. Alone it begins with its segment, on the fragments' grid, so that muxers
// of several tracks cut alike.
void MuxRun::begin_text(const std::vector<MuxInput *> &tracks, Variant variant) {
  std::optional<std::int64_t> others;
  for (const MuxInput *input : tracks) {
    if (input->text || !input->head) continue;
    const std::int64_t first = is_whole(variant)
                                   ? std::max<std::int64_t>(input->timeline->first_presentation(), 0)
                                   : input->head->sample.decode_time;
    others = std::min(others.value_or(kEver), input->in_nanoseconds(first));
  }
  for (MuxInput *input : tracks) {
    if (!input->text) continue;
    TextInput &text = *input->text;
    std::int64_t start = others.value_or(0);
    text.joins = !is_whole(variant) && others;
    if (!is_whole(variant) && !others) {
      text.grid.origin = std::max<std::int64_t>(running_.fragment_origin, 0);
      text.grid.fragment = static_cast<std::int64_t>(running_.fragment_duration);
      text.grid.chunk = static_cast<std::int64_t>(running_.chunk_duration);
      start = running_time(input->segment, input->segment.start).value_or(0) - text.grid.origin;
      start = text.grid.origin + std::max<std::int64_t>(start, 0) / text.grid.fragment * text.grid.fragment;
    }
    text.track().begin(rescale(start, input->config.timescale, kNanoseconds));
    text.describe(input->config.formats.front());
    // Its samples have their places already; the track's start is all the timeline has to know.
    input->timeline->add({start, start, std::nullopt});
  }
}

// Counts

void MuxRun::warn_of_repairs() {
  for (const auto &input : inputs_) {
    const Repairs repairs = input->repairs();
    if (repairs.total() + input->dropped == 0) continue;
    warn(parts_.element,
         {ErrorCode::bad_data, std::string(input->name()) + ": " + std::to_string(repairs.total()) +
                                   " timestamps were repaired and " + std::to_string(input->dropped) +
                                   " samples dropped. The stats property says which kinds."});
  }
}

// Adds up what the tracks counted, for readers in other threads.
void MuxRun::count() {
  MuxCounts sum;
  for (const auto &input : inputs_) {
    sum.repairs += input->repairs();
    sum.dropped += input->dropped;
    sum.empty += input->empty;
    sum.samples += input->samples;
  }
  parts_.counter.set(sum);
}

// Events of the inputs

void MuxRun::handle_event(MuxInput &input, EventRef event) {
  GST_DEBUG_OBJECT(input.pad.get(), "%" GST_PTR_FORMAT, event.get());
  GstCaps *caps = nullptr;
  GstTagList *tags = nullptr;
  GstClockTime time = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
  switch (GST_EVENT_TYPE(event.get())) {
  case GST_EVENT_STREAM_START:
    input.ended = false;
    break;
  case GST_EVENT_EOS:
    input.ended = true;
    break;
  case GST_EVENT_SEGMENT:
    input.begin_segment(event.get());
    GST_INFO_OBJECT(input.pad.get(), "segment %" GST_SEGMENT_FORMAT, &input.segment);
    break;
  case GST_EVENT_GAP:
    gst_event_parse_gap(event.get(), &time, &duration);
    input.note_gap(time, duration);
    break;
  case GST_EVENT_CAPS:
    gst_event_parse_caps(event.get(), &caps);
    take_caps(input, caps);
    break;
  case GST_EVENT_TAG:
    gst_event_parse_tag(event.get(), &tags);
    take_tags(input, tags);
    break;
  default:
    if (!MuxRequests::is_request(event.get())) break;
    if (auto taken = parts_.requests.take(event.get()); !taken) caution(taken.error());
  }
}

void MuxRun::take_caps(MuxInput &input, const GstCaps *caps) {
  refresh_latency();
  const auto change = input.set_caps(caps);
  if (!change) // a parser may know more when its data come, after a gap
    input.caps_error = Error{change.error().code, std::string(input.name()) + ": " + change.error().text};
  else if (*change == MuxInput::Change::format && output_ && input.in_file &&
           output_->format_changed(input) == GST_FLOW_ERROR)
    failed_ = true;
}

void MuxRun::refuse(const MuxInput &input) {
  report(*input.caps_error);
}

void MuxRun::take_tags(MuxInput &input, const GstTagList *tags) {
  input.set_tags(tags);
  tags_ = TagListRef::adopt(gst_tag_list_merge(tags_.get(), tags, GST_TAG_MERGE_KEEP));
}

// MuxHost

void MuxRun::hold_back(Variant variant) {
  if (is_whole(variant)) return;
  parts_.source.hold(running_.chunk_duration ? running_.chunk_duration : running_.fragment_duration);
}

void MuxRun::set_caps(Variant variant, BufferRef header) {
  parts_.source.set_caps(variant, std::move(header));
  hold_back(variant);
}

void MuxRun::report(const Error &error) {
  if (!failed_) raise(parts_.element, error);
  failed_ = true;
}

void MuxRun::caution(const Error &error) {
  warn(parts_.element, error);
}

void MuxRun::want_key_unit(MuxInput &input, std::int64_t running_time) {
  if (running_time < 0 || input.released) return;
  GST_DEBUG_OBJECT(input.pad.get(), "asking for a key unit at %" GST_STIME_FORMAT,
                   GST_STIME_ARGS(running_time));
  gst_pad_push_event(input.pad.get(), gst_video_event_new_upstream_force_key_unit(
                                          static_cast<GstClockTime>(running_time), TRUE, key_unit_count_++));
}

// Room is kept where the property says how long the file gets, or where the sink asks and upstream knows.
std::uint64_t MuxRun::movie_room(const std::vector<MuxInput *> &inputs) {
  std::uint64_t duration = running_.expected_duration;
  if (duration == 0) {
    if (!parts_.source.keeps_room()) return 0;
    duration = upstream_duration(inputs);
  }
  if (duration > 0) return movie_size(inputs, duration, running_.interleave_time);
  caution({ErrorCode::settings, "Nobody knows how long the file will get, so no room is kept for its movie "
                                "box: set expected-duration."});
  return 0;
}

// Fields: pssh, tags, then what the application said, which may refer to them.
void MuxRun::complete_movie(Node &moov, Variant variant) {
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
  for (const Error &refused : parts_.requests.additions().apply(moov, variant == Variant::cmaf))
    caution(refused);
  parts_.requests.close_movie();
}

} // namespace hull
