#include "plugins/mp4/mux.h"

#include "gst/glue/map.h"
#include "plugins/mp4/tags.h"

#include <algorithm>
#include <limits>

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC(hull_mp4_mux_debug);
#define GST_CAT_DEFAULT hull_mp4_mux_debug

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

const GEnumValue kEncryptionValues[] = {{0, "Clear samples", "none"},
                                        {1, "AES-128 in counter mode", "cenc"},
                                        {2, "AES-128 in CBC mode, one block in ten of pictures", "cbcs"},
                                        {0, nullptr, nullptr}};
const EnumTable kEncryptions{"HullMp4MuxEncryption", kEncryptionValues};

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
    property<&MuxSettings::styp>(
        "styp", "Put a segment type box in front of each fragment, with lmsg on the last one"),
    property<&MuxSettings::prft>(
        "prft", "Write the wall clock of reference timestamp metas in front of each fragment"),
    property<&MuxSettings::mfra>("mfra", "End fragments with a random access index of the first track"),
    property<&MuxSettings::encryption>("encryption", "Common encryption of pictures and sound",
                                       Mutable::ready, kEncryptions),
    property<&MuxSettings::key>("key", "Key of 16 bytes as hex, unless encryption-key says another"),
    property<&MuxSettings::key_id>("key-id", "Id of that key, 16 bytes as hex"),
    property<&MuxSettings::iv>("iv", "Initialization vector of 16 bytes as hex; none = random"),
    property<&MuxSettings::pssh>("pssh", "Name the keys in a pssh box of the common system"),
    property<&MuxSettings::timecode>("timecode",
                                     "Label of the first picture, hh:mm:ss:ff or hh:mm:ss;ff, for a timecode "
                                     "track; empty = what the pictures say, none = no such track"),
    property<&MuxSettings::expected_duration>(
        "expected-duration",
        "Nanoseconds a whole file will last: room for its movie box is kept in front of the media; 0 = what "
        "upstream says where hullmp4sink layout=reserve asks, else no room",
        Mutable::ready, 0, 1.8e19),
    computed<&Mp4Mux::stats>("stats", "Repaired and dropped samples since the start"),
};

constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

bool has_head(const std::unique_ptr<MuxInput> &input) {
  return bool(input->head);
}

constexpr char kSourceCaps[] = "video/quicktime, variant=(string){ iso, iso-fragmented, cmaf, apple }";

Mp4Mux &impl(GstAggregator *self) {
  return Shell<Mp4Mux>::of(self);
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
  install_mux_signals(G_OBJECT_CLASS(klass),
                      [](gpointer self) -> MuxWishes & { return Shell<Mp4Mux>::of(self).wishes(); });
  klass->create_new_pad = [](GstAggregator *self, GstPadTemplate *templ, const gchar *name,
                             const GstCaps *caps) { return impl(self).create_new_pad(templ, name, caps); };
  element->release_pad = [](GstElement *self, GstPad *pad) {
    MuxPad::of(pad).release();
    GST_ELEMENT_CLASS(Shell<Mp4Mux>::parent_class())->release_pad(self, pad);
  };
  klass->start = thunk<&Mp4Mux::start>;
  klass->stop = thunk<&Mp4Mux::stop>;
  klass->flush = thunk<&Mp4Mux::flush>;
  klass->negotiate = thunk<&Mp4Mux::negotiate>;
  klass->aggregate = thunk<&Mp4Mux::aggregate>;
  klass->sink_event = thunk<&Mp4Mux::sink_event>;
  klass->sink_event_pre_queue = thunk<&Mp4Mux::sink_event_pre_queue>;
  klass->sink_query_pre_queue = thunk<&Mp4Mux::sink_query_pre_queue>;
  klass->src_query = thunk<&Mp4Mux::src_query>;
  klass->get_next_time = thunk<&Mp4Mux::get_next_time>;
}

Mp4Mux::Mp4Mux(GstAggregator *self) : self_(self) {}

gboolean Mp4Mux::start() {
  reset();
  return TRUE;
}

gboolean Mp4Mux::stop() {
  reset();
  wishes_.reset();
  return TRUE;
}

void Mp4Mux::reset() {
  output_.reset();
  timecode_.reset();
  silence_.reset();
  inputs_.clear();
  tags_ = {};
  pads_known_ = false;
  failed_ = finished_ = prerolled_ = false;
  key_unit_count_ = 0;
  live_ = false;
  late_ = next_time_ = MuxInput::kNotIdle;
  GST_OBJECT_LOCK(self_);
  std::vector<PadRef> pads;
  for (GList *l = GST_ELEMENT(self_)->sinkpads; l; l = l->next)
    pads.push_back(PadRef::retain(GST_PAD(l->data)));
  GST_OBJECT_UNLOCK(self_);
  for (const PadRef &pad : pads)
    MuxPad::of(pad.get()).reset();
  queues_->open();
}

GstFlowReturn Mp4Mux::flush() {
  for (auto &input : inputs_) {
    input->arrivals.clear();
    input->head.reset();
  }
  if (!failed_) queues_->open();
  return GST_FLOW_OK;
}

// The main loop

GstFlowReturn Mp4Mux::aggregate(gboolean timeout) {
  (void)queues_->look();
  sync_inputs();
  look_at_clock(timeout);
  const GstFlowReturn flow = failed_ ? GST_FLOW_ERROR : mux_what_came();
  if (flow != GST_FLOW_OK) queues_->close(flow);
  return flow;
}

// A sink prerolls with the first thing it gets, and other branches of the pipeline may need that to go on
// while an encoder of this one still looks ahead. The first real bytes name all tracks, so they cannot leave
// yet: a gap does, or in a whole file, which is counted in bytes, an empty buffer.
void Mp4Mux::preroll() {
  prerolled_ = true;
  running_ = snapshot();
  GST_OBJECT_LOCK(self_);
  const bool plays = GST_STATE(self_) == GST_STATE_PLAYING;
  GST_OBJECT_UNLOCK(self_);
  if (plays) return;
  const auto variant = choose_variant();
  if (!variant) return;
  GST_DEBUG_OBJECT(self_, "letting what follows preroll");
  set_caps(*variant, {});
  auto list = BufferListRef::adopt(gst_buffer_list_new());
  if (is_whole(*variant)) gst_buffer_list_add(list.get(), gst_buffer_new());
  // A sink that is not there yet, as in splitmuxsink, needs none.
  if (push(std::move(list)) == GST_FLOW_OK && !is_whole(*variant))
    gst_pad_push_event(GST_AGGREGATOR_SRC_PAD(self_), gst_event_new_gap(0, GST_CLOCK_TIME_NONE));
}

// Live inputs are waited for until the latency has passed; files as long as it takes.
void Mp4Mux::look_at_clock(bool timeout) {
  const GstClockTime latency = gst_aggregator_get_latency(self_);
  live_ = latency != GST_CLOCK_TIME_NONE;
  late_ = MuxInput::kNotIdle;
  if (!live_) return;
  const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(GST_ELEMENT(self_)));
  if (!clock) return;
  const GstClockTime now = gst_clock_get_time(clock.get()),
                     base = gst_element_get_base_time(GST_ELEMENT(self_));
  late_ =
      static_cast<std::int64_t>(now) - static_cast<std::int64_t>(base) - static_cast<std::int64_t>(latency);
  if (timeout) late_ = std::max(late_, next_time_);
}

bool Mp4Mux::is_late(const MuxInput &input) const {
  return input.head && input.head->running_time <= late_;
}

GstClockTime Mp4Mux::get_next_time() {
  if (queues_->news()) return 0;
  return next_time_ == MuxInput::kNotIdle ? GST_CLOCK_TIME_NONE
                                          : static_cast<GstClockTime>(std::max<std::int64_t>(next_time_, 0));
}

bool Mp4Mux::all_done() const {
  return std::all_of(inputs_.begin(), inputs_.end(), [this](const auto &input) { return done(*input); });
}

// Whether the file's header must wait for this input.
bool Mp4Mux::is_missing(const MuxInput &input) const {
  if (done(input)) return false;
  if (input.text) return !input.text->heard() && !live_; // live text may take its time
  return !input.head && input.idle_until == MuxInput::kNotIdle;
}

bool Mp4Mux::ready_to_start() {
  bool any = false, complete = true, late = false;
  for (auto &input : inputs_)
    fill(*input);
  const bool only_text = std::ranges::all_of(
      inputs_, [this](const auto &input) { return input->text || (done(*input) && !input->head); });
  for (auto &input : inputs_) {
    while (input->text && !input->text->heard() && pump_text(*input)) {
    }
    if (input->text) // its header needs the first cue
      any |= only_text && (input->text->any() || (input->text->heard() && !input->text->over()));
    else
      any |= bool(input->head);
    late |= is_late(*input);
    complete &= !is_missing(*input);
  }
  return any && (complete || late);
}

// Whether a sample of that decode time must wait for what this input may still have.
bool Mp4Mux::holds_up(const MuxInput &input, std::int64_t time) const {
  if (done(input)) return false;
  if (input.text && input.text->joins) return !live_ && input.text->horizon() <= time;
  return !input.head && input.idle_until <= time;
}

template <class Predicate> void Mp4Mux::wait_where(Predicate waits) {
  next_time_ = MuxInput::kNotIdle;
  for (auto &input : inputs_) {
    MuxPad::of(input->pad.get()).wait_for(waits(*input));
    if (!input->head) continue;
    const std::int64_t time = std::max<std::int64_t>(input->head->running_time, 0);
    if (next_time_ == MuxInput::kNotIdle || time < next_time_) next_time_ = time;
  }
}

void Mp4Mux::wait_to_start() {
  const auto missing = [this](const MuxInput &input) { return is_missing(input); };
  const auto any_missing = [&](const auto &input) { return missing(*input); };
  if (std::ranges::any_of(inputs_, any_missing) && std::ranges::any_of(inputs_, has_head))
    wait_where(missing);
  else // whatever comes first
    wait_where([this](const MuxInput &input) { return holds_up(input, kEver); });
}

// Inputs that never had anything are not waited for when all others have ended, or can hold no more.
void Mp4Mux::give_up_silent_inputs() {
  if (queues_->take_overfull()) {
    for (auto &input : inputs_)
      if (MuxPad::of(input->pad.get()).starves()) give_up(*input, "the other inputs can hold no more");
    return;
  }
  std::vector<MuxInput *> silent;
  bool others = false;
  for (auto &input : inputs_) {
    // Its end may still wait behind samples that wait for the silent ones.
    const bool over = done(*input) || MuxPad::of(input->pad.get()).has_ended();
    if (!over && input->heard) return silence_.reset();
    others |= over && input->heard;
    if (!over) silent.push_back(input.get());
  }
  if (!others || silent.empty()) return silence_.reset();
  constexpr GstClockTime kPatience = 5 * GST_SECOND;
  if (!silence_) silence_ = SilenceTimer::start(queues_, kPatience);
  for (MuxInput *input : silent)
    if (silence_->over() || !gst_pad_is_linked(input->pad.get()))
      give_up(*input, "all other inputs have ended");
}

void Mp4Mux::give_up(MuxInput &input, const char *why) {
  input.given_up = true;
  if (!gst_pad_is_linked(input.pad.get())) return;
  caution({ErrorCode::state, std::string(GST_PAD_NAME(input.pad.get())) +
                                 (input.heard ? " has stopped" : " has had no data") +
                                 " and is waited for no longer, since " + why +
                                 ". Send gap events or EOS where an input has nothing."});
}

// The input whose sample is next in decode order, null where there is none.
MuxInput *Mp4Mux::earliest() {
  MuxInput *next = nullptr;
  for (auto &input : inputs_) {
    if ((input->text && input->text->joins) || !fill(*input)) continue;
    if (!input->in_file) { // came after the header was written
      ++input->dropped;
      input->head.reset();
      return earliest();
    }
    if (!next || input->head_time < next->head_time) next = input.get();
  }
  return next;
}

GstFlowReturn Mp4Mux::mux_what_came() {
  if (!prerolled_) preroll();
  give_up_silent_inputs();
  if (!output_) {
    if (!ready_to_start()) {
      if (!inputs_.empty() && all_done()) return finish();
      wait_to_start();
      return GST_FLOW_OK;
    }
    const GstFlowReturn flow = begin();
    if (flow != GST_FLOW_OK) return flow;
  }
  for (const std::int64_t time : wishes_.take_splits())
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

GstFlowReturn Mp4Mux::advance(MuxInput &input) {
  MuxSample sample = std::move(*input.head);
  input.head.reset();
  if (++input.samples % 256 == 0) count();
  return output_->add(input, std::move(sample));
}

GstFlowReturn Mp4Mux::finish() {
  if (finished_) return GST_FLOW_EOS;
  finished_ = true;
  pump_all_text();
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

} // namespace hull
