#include "plugins/mp4/mux_run.h"

#include "gst/glue/raise.h"
#include "plugins/mp4/events_before.h"
#include "plugins/mp4/mux_log.h"
#include "plugins/mp4/mux_start.h"
#include "plugins/mp4/mux_text.h"
#include "plugins/mp4/tags.h"
#include "plugins/mp4/toc.h"

#include <algorithm>
#include <cstdlib>

#include <gst/video/video.h>

namespace hull {

using namespace isobmff;
using namespace mux;

MuxRun::MuxRun(const Parts &parts, const MuxRun *before)
    : parts_(parts),
      log_(log_into(mux_category(), G_OBJECT(parts.element))),
      waiting_(parts.element, parts.queues, inputs_) {
  if (!before) return;
  toc_ = before->toc_;
  toc_pad_ = before->toc_pad_;
  sync_inputs();
  for (const auto &input : inputs_)
    for (const auto &known : before->inputs_)
      if (known->pad.get() == input->pad.get() && known->last_caps) take_caps(*input, known->last_caps.get());
}

MuxRun::~MuxRun() = default;

GstFlowReturn MuxRun::step(InputQueues::Woken why) {
  sync_inputs();
  waiting_.look_at_clock(parts_.source.held() + parts_.settings.read(&MuxSettings::latency),
                         why == InputQueues::Woken::time);
  const GstFlowReturn flow = failed_ ? GST_FLOW_ERROR : mux_what_came();
  return failed_ ? GST_FLOW_ERROR : flow;
}

InputQueues::Limit MuxRun::limit() const {
  InputQueues::Limit limit = waiting_.limit();
  if (preroll_.next_look()) limit.monotonic_time = preroll_.next_look();
  return limit;
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
  const auto max_gap = static_cast<std::int64_t>(
      std::min<std::uint64_t>(parts_.settings.read(&MuxSettings::max_gap), G_MAXINT64 / 2));
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

// The stream

GstFlowReturn MuxRun::mux_what_came() {
  waiting_.give_up_silent_inputs();
  if (!output_) {
    const bool ready = ready_to_start();
    preroll();
    if (!ready) {
      if (!inputs_.empty() && all_done()) return finish();
      waiting_.wait_to_start();
      return GST_FLOW_OK;
    }
    const GstFlowReturn flow = begin();
    if (flow != GST_FLOW_OK) return flow;
  }
  for (const std::int64_t time : parts_.requests.take_splits())
    output_->split(time);
  while (MuxInput *next = earliest()) {
    const bool late = waiting_.is_late(*next);
    join_text(inputs_, *next, late || waiting_.is_live());
    if (!late && waiting_.anything_before(next->head_time)) {
      waiting_.wait_for_samples_before(next->head_time);
      return GST_FLOW_OK;
    }
    const GstFlowReturn flow = advance(*next);
    if (flow != GST_FLOW_OK) return flow;
  }
  finish_joined_text(inputs_);
  waiting_.give_up_silent_inputs();
  if (all_done()) return finish();
  waiting_.wait_for_anything();
  return GST_FLOW_OK;
}

void MuxRun::preroll() {
  if (preroll_.done()) return;
  GST_OBJECT_LOCK(parts_.element);
  const bool plays = GST_STATE(parts_.element) == GST_STATE_PLAYING;
  GST_OBJECT_UNLOCK(parts_.element);
  if (!plays && !preroll_.is_time(inputs_)) return;
  preroll_.set_done();
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
    while (input->text && !input->text->has_begun() && input->pump_text()) {
    }
    if (input->text) // its header needs the first cue
      any |= only_text && (input->text->any() || (input->text->has_begun() && !input->text->over()));
    else
      any |= bool(input->head);
    late |= waiting_.header_is_late(*input);
    complete &= !waiting_.header_needs(*input);
  }
  return any && (complete || late);
}

// Tracks of the header, in the order of the pads.
void MuxRun::number_tracks(Variant variant) {
  for (auto &input : inputs_) {
    if (!input->can_be_track()) {
      GST_WARNING_OBJECT(input->pad.get(), "has told nothing yet, so the header does not name it");
      continue;
    }
    if (input->text && input->text->over() && !input->text->any()) continue;
    begin_track(*input, tracks_.size(), ++track_count_, variant);
    tracks_.push_back(input.get());
  }
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
  begin_track(input, input.index, ++track_count_, *variant_);
  tracks_.push_back(&input);
  group_alternatives(tracks_);
  if (*variant_ == Variant::apple)
    if (auto made = make_quicktime({&input}); !made) report(made.error());
  GST_DEBUG_OBJECT(input.pad.get(), "track %u came late", input.config.id);
  return true;
}

Result<void> MuxRun::prepare(Variant variant) {
  begin_text(tracks_, running_, variant);
  group_alternatives(tracks_);
  if (variant != Variant::cmaf) {
    auto timecode = make_timecode(tracks_, running_.timecode, track_count_ + 1);
    if (!timecode) return tl::unexpected(timecode.error());
    timecode_ = std::move(*timecode);
    if (timecode_) {
      timecode_->config.quicktime = variant == Variant::apple;
      ++track_count_;
    }
  }
  if (variant == Variant::apple)
    if (auto made = make_quicktime(tracks_); !made) return made;
  if (running_.encryption == Encryption::none) return {};
  for (MuxInput *input : tracks_)
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
  if (variant_ == Variant::cmaf) parts_.requests.close_chapters("CMAF has no chapters.");
  take_lost_events();
  number_tracks(*variant);
  if (auto ready = prepare(*variant); !ready) {
    report(ready.error());
    return GST_FLOW_ERROR;
  }
  GST_INFO_OBJECT(parts_.element, "%zu of %zu inputs are tracks of the header", tracks_.size(),
                  inputs_.size());
  waiting_.note_start();
  // What the application says wins over what upstream does.
  if (GstToc *toc = gst_toc_setter_get_toc(GST_TOC_SETTER(parts_.element))) {
    parts_.requests.set_toc(chapters_of(toc, nullptr));
    gst_toc_unref(toc);
    has_own_toc_ = true;
  }
  output_ = is_whole(*variant) ? make_progressive_output(*this, running_, *variant)
                               : make_fragmented_output(*this, running_, *variant);
  return flow_after(output_->start({tracks_.begin(), tracks_.end()}));
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
  parts_.requests.set_position(sample.running_time);
  input.last_time = sample.running_time;
  // Often enough for a person who watches, seldom enough for tracks of tiny samples.
  if (++input.samples % 256 == 0 || std::abs(input.last_time - counted_at_) >= GST_SECOND / 4) {
    counted_at_ = input.last_time;
    count();
  }
  return flow_after(output_->add(input, std::move(sample)));
}

GstFlowReturn MuxRun::finish() {
  if (finished_) return GST_FLOW_EOS;
  finished_ = true;
  parts_.requests.close_chapters("The file has ended.");
  finish_joined_text(inputs_);
  count();
  if (output_) {
    warn_of_repairs();
    const GstFlowReturn flow = flow_after(output_->finish());
    for (const auto &input : inputs_)
      GST_INFO_OBJECT(input->pad.get(),
                      "ended after %" G_GUINT64_FORMAT
                      " samples, the last at running time %" GST_STIME_FORMAT,
                      input->samples, GST_STIME_ARGS(input->last_time));
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
    place_toc(input);
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
  case GST_EVENT_TOC:
    take_toc(input, std::move(event));
    break;
  default:
    if (!MuxRequests::is_request(event.get())) break;
    if (auto taken = parts_.requests.take(event.get()); !taken) caution(taken.error());
  }
}

void MuxRun::take_toc(MuxInput &input, EventRef event) {
  GstToc *toc = nullptr;
  gst_event_parse_toc(event.get(), &toc, nullptr);
  toc_ = TocRef::adopt(toc);
  toc_pad_ = PadRef::retain(input.pad.get());
  place_toc(input);
}

// A parser holds events back until it knows its caps, and forgets them when a flush comes meanwhile; the demuxer does not
// send them again.
void MuxRun::take_lost_events() {
  const bool lacks_toc = !toc_;
  for (const auto &input : inputs_) {
    if (!input->queue->was_flushed()) continue;
    for (EventRef &event : events_before(input->pad.get())) {
      GstTagList *tags = nullptr;
      if (GST_EVENT_TYPE(event.get()) == GST_EVENT_TOC) {
        if (lacks_toc) take_toc(*input, std::move(event));
      } else {
        gst_event_parse_tag(event.get(), &tags);
        take_tags(*input, tags);
      }
    }
  }
}

// Chapters are named in stream time, so each segment of the pad that brought them gives them other running times.
void MuxRun::place_toc(const MuxInput &input) {
  if (!toc_ || has_own_toc_ || toc_pad_.get() != input.pad.get() || input.segment.format != GST_FORMAT_TIME)
    return;
  Chapters chapters = chapters_of(toc_.get(), &input.segment);
  for (const Chapter &chapter : chapters)
    GST_DEBUG_OBJECT(input.pad.get(), "chapter '%s' at running time %" GST_STIME_FORMAT,
                     chapter.title.c_str(), GST_STIME_ARGS(chapter.start));
  parts_.requests.set_toc(std::move(chapters));
}

void MuxRun::take_caps(MuxInput &input, const GstCaps *caps) {
  waiting_.refresh_latency();
  const auto change = input.set_caps(caps);
  if (!change) // a parser may know more when its data come, after a gap
    input.caps_error = Error{change.error().code, std::string(input.name()) + ": " + change.error().text,
                             Error::kNoOffset, change.error().at};
  else if (*change == MuxInput::Change::format && output_ && input.in_file &&
           flow_after(output_->format_changed(input)) == GST_FLOW_ERROR)
    failed_ = true;
}

void MuxRun::refuse(const MuxInput &input) {
  report(*input.caps_error);
}

void MuxRun::take_tags(MuxInput &input, const GstTagList *tags) {
  input.set_tags(tags);
  tags_ = TagListRef::adopt(gst_tag_list_merge(tags_.get(), tags, GST_TAG_MERGE_KEEP));
}

// mux::OutputHost

// What an output that went on, or did not, means for the element.
GstFlowReturn MuxRun::flow_after(bool went_on) const {
  return went_on ? GST_FLOW_OK : failed_ ? GST_FLOW_ERROR : flow_;
}

bool MuxRun::push(std::vector<Piece> pieces) {
  flow_ = parts_.source.push(std::move(pieces));
  return flow_ == GST_FLOW_OK;
}

void MuxRun::hold_back(Variant variant) {
  if (is_whole(variant)) return;
  parts_.source.hold(running_.chunk_duration ? running_.chunk_duration : running_.fragment_duration);
}

void MuxRun::set_header(Variant variant, Bytes header) {
  parts_.source.set_caps(variant, header);
  hold_back(variant);
}

void MuxRun::report(const Error &error) {
  if (!failed_) raise(parts_.element, error);
  failed_ = true;
}

void MuxRun::caution(const Error &error) {
  warn(parts_.element, error);
}

void MuxRun::want_key_unit(Track &track, std::int64_t running_time) {
  auto &input = static_cast<MuxInput &>(track); // all tracks that an output gets here are inputs
  if (running_time < 0 || input.released) return;
  GST_DEBUG_OBJECT(input.pad.get(), "asking for a key unit at %" GST_STIME_FORMAT,
                   GST_STIME_ARGS(running_time));
  gst_pad_push_event(input.pad.get(), gst_video_event_new_upstream_force_key_unit(
                                          static_cast<GstClockTime>(running_time), TRUE, key_unit_count_++));
}

// Room is kept where the property says how long the file gets, or where the sink asks and upstream knows.
std::uint64_t MuxRun::movie_room() {
  std::uint64_t duration = running_.reserved_max_duration;
  if (duration == 0 || !GST_CLOCK_TIME_IS_VALID(duration)) { // none is mp4mux's default
    if (!parts_.source.keeps_room()) return 0;
    duration = upstream_duration(tracks_);
  }
  if (duration > 0) return movie_size(tracks_, duration, running_.interleave_time);
  caution({ErrorCode::settings, "Nobody knows how long the file will get, so no room is kept for its movie "
                                "box: set reserved-max-duration."});
  return 0;
}

// The streams' tags and those that the application set, as it wants them merged.
TagListRef MuxRun::all_tags() const {
  auto *setter = GST_TAG_SETTER(parts_.element);
  return TagListRef::adopt(gst_tag_list_merge(gst_tag_setter_get_tag_list(setter), tags_.get(),
                                              gst_tag_setter_get_tag_merge_mode(setter)));
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
    if (const TagListRef tags = all_tags())
      if (auto box = variant == Variant::apple ? quicktime_tags(tags.get()) : movie_tags(tags.get()))
        moov.add(std::move(*box));
  for (const Error &refused : parts_.requests.additions().apply(moov, variant == Variant::cmaf))
    caution(refused);
  parts_.requests.close_movie();
}

} // namespace hull
