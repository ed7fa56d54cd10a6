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
  inputs_.clear();
  tags_ = {};
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

// The main loop

bool Mp4Mux::ready_to_start(bool timeout) {
  bool any = false;
  const bool only_text =
      std::all_of(inputs_.begin(), inputs_.end(), [](const auto &input) { return bool(input->text); });
  const bool live = gst_aggregator_get_latency(self_) != GST_CLOCK_TIME_NONE;
  for (auto &input : inputs_) {
    if (input->text) { // its header needs the first cue; live ones may take their time
      while (!input->text->heard() && hear(*input)) {
      }
      any |= only_text && (input->text->any() || (input->text->heard() && !input->text->over()));
      if (!input->text->heard() && !timeout && !live) return false;
      continue;
    }
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
  for (const std::int64_t time : wishes_.take_splits())
    output_->split(time);
  for (;;) {
    MuxInput *next = nullptr;
    std::int64_t patience = std::numeric_limits<std::int64_t>::max(); // until when no track may have more
    for (auto &input : inputs_) {
      if (input->text && input->text->joins) continue;
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
    patience = std::min(patience, listen(*next, timeout));
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

GstFlowReturn Mp4Mux::finish() {
  if (finished_) return GST_FLOW_EOS;
  finished_ = true;
  hear_all();
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
