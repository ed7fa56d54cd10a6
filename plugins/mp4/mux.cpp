#include "plugins/mp4/mux.h"

#include "gst/glue/raise.h"
#include "plugins/mp4/mux_log.h"

#include <string>

namespace hull {

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
        "interleave-time", "Nanoseconds of one track that follow each other in a file of several",
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
    property<&MuxSettings::extra_brands>("extra-brands",
                                         "Brands that ftyp names too, between commas, as in iso9,dash"),
    property<&MuxSettings::reserved_max_duration>(
        "reserved-max-duration",
        "Nanoseconds a whole file will last: room for its movie box is kept in front of the media; 0 = what "
        "upstream says where hullmp4sink layout=reserve asks, else no room",
        Mutable::ready, 0, 1.8e19),
    property<&MuxSettings::reserved_max_duration>("expected-duration", "Former name of reserved-max-duration",
                                                  Mutable::ready, 0, 1.8e19),
    property<&MuxSettings::latency>("latency", "Nanoseconds that live inputs may come later than they say",
                                    Mutable::playing, 0, 1.8e19),
    property<&MuxSettings::max_gap>(
        "max-gap",
        "Nanoseconds that a gap in timestamps may last; what leaps further, or back, begins "
        "a new timeline where the old one ended",
        Mutable::ready, 0, 1.8e19),
    computed<&Mp4Mux::stats>("stats", "Repaired and dropped samples since the start"),
};

constexpr char kSourceCaps[] = "video/quicktime, variant=(string){ iso, iso-fragmented, cmaf, apple }";

bool is_serialized(GstEvent *event) { // the macro mixes enumerations, which C++20 deprecates
  return static_cast<int>(GST_EVENT_TYPE(event)) & static_cast<int>(GST_EVENT_TYPE_SERIALIZED);
}

bool is_serialized(GstQuery *query) {
  return static_cast<int>(GST_QUERY_TYPE(query)) & static_cast<int>(GST_QUERY_TYPE_SERIALIZED);
}

// A pad's function in C, which its element's method answers.
template <auto Method, class... Args> auto pad_function(GstPad *pad, GstObject *parent, Args... args) {
  return detail::Thunk<Method>::call(GST_ELEMENT(parent), pad, args...);
}

GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  Arrival arrival{BufferRef::adopt(buffer), {}, {}};
  const auto &queue = MuxPad::of(pad).queue();
  if (queue->live()) {
    const GstClockTime now = gst_element_get_current_running_time(GST_ELEMENT(parent));
    if (GST_CLOCK_TIME_IS_VALID(now)) arrival.time = static_cast<std::int64_t>(now);
  }
  return queue->put(std::move(arrival));
}

gboolean activate_sink(GstPad *pad, GstObject *, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  MuxPad::of(pad).queue()->set_active(active);
  return TRUE;
}

// Every pad takes what any pad takes, its own kind first: `queue ! hullmp4mux` links to the first template,
// since nobody knows yet what comes out of a queue, and the sound behind it would find a pad of pictures.
gboolean answer_caps(GstPad *pad, GstQuery *query) {
  static GstCaps *const all =
      gst_caps_from_string((std::string(kVideoCaps) + "; " + kAudioCaps + "; " + kTextCaps).c_str());
  const auto own = CapsRef::adopt(gst_pad_get_pad_template_caps(pad));
  auto caps = CapsRef::adopt(gst_caps_merge(gst_caps_ref(own.get()), gst_caps_ref(all)));
  GstCaps *filter = nullptr;
  gst_query_parse_caps(query, &filter);
  if (filter) caps = CapsRef::adopt(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
  gst_query_set_caps_result(query, caps.get());
  return TRUE;
}

// Caps that lack fields which the templates ask for are taken: what is missing is said in words then, where the core
// would say "not negotiated" only.
gboolean answer_accept_caps(GstQuery *query) {
  GstCaps *caps = nullptr;
  gst_query_parse_accept_caps(query, &caps);
  gst_query_set_accept_caps_result(query, is_known_media(caps));
  return TRUE;
}

} // namespace

std::span<const Property<MuxSettings>> Mp4Mux::properties() {
  return kProperties;
}

void Mp4Mux::add_interfaces(GType type) {
  const GInterfaceInfo plain{};
  g_type_add_interface_static(type, GST_TYPE_TAG_SETTER, &plain);
  g_type_add_interface_static(type, GST_TYPE_TOC_SETTER, &plain);
  g_type_add_interface_static(type, GST_TYPE_PRESET, &plain);
}

void Mp4Mux::class_init(GstElementClass *klass) {
  gst_element_class_set_static_metadata(klass, "MP4 and CMAF muxer", "Codec/Muxer",
                                        "Writes ISO base media files, whole or in fragments",
                                        "gst-plugins-hull developers");
  const auto add_sink = [klass](const char *name, const char *caps) {
    const auto list = CapsRef::adopt(gst_caps_from_string(caps));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new_with_gtype(name, GST_PAD_SINK, GST_PAD_REQUEST,
                                                                       list.get(), shell_type<MuxPad>()));
  };
  add_sink("video_%u", kVideoCaps);
  add_sink("audio_%u", kAudioCaps);
  add_sink("text_%u", kTextCaps);
  add_sink("subtitle_%u", kTextCaps); // mp4mux's name of it
  const auto source = CapsRef::adopt(gst_caps_from_string(kSourceCaps));
  gst_element_class_add_pad_template(klass,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, source.get()));
  install_mux_signals(G_OBJECT_CLASS(klass),
                      [](gpointer self) -> MuxRequests & { return Shell<Mp4Mux>::of(self).requests(); });
  klass->request_new_pad = thunk<&Mp4Mux::request_new_pad>;
  klass->release_pad = thunk<&Mp4Mux::release_pad>;
  klass->change_state = thunk<&Mp4Mux::change_state>;
}

Mp4Mux::Mp4Mux(GstElement *self)
    : self_(self),
      source_(gst_pad_new_from_template(
          gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "src"), "src")) {
  GstPad *source = source_.pad();
  gst_pad_set_event_function(source, (pad_function<&Mp4Mux::src_event, GstEvent *>));
  gst_pad_set_query_function(source, (pad_function<&Mp4Mux::src_query, GstQuery *>));
  gst_pad_set_activatemode_function(
      source, [](GstPad *, GstObject *parent, GstPadMode mode, gboolean active) -> gboolean {
        return mode == GST_PAD_MODE_PUSH && Shell<Mp4Mux>::of(parent).activate_source(active);
      });
  gst_pad_use_fixed_caps(source);
  gst_element_add_pad(self, source);
}

StructureRef Mp4Mux::stats() const {
  const MuxCounts counts = counter_.get();
  return StructureRef::adopt(gst_structure_new(
      "stats", "missing-pts", G_TYPE_UINT64, counts.repairs.missing_pts, "missing-dts", G_TYPE_UINT64,
      counts.repairs.missing_dts, "backward-dts", G_TYPE_UINT64, counts.repairs.backward_dts, "jumps",
      G_TYPE_UINT64, counts.repairs.jumps, "clamped-offsets", G_TYPE_UINT64, counts.repairs.clamped_offsets,
      "strays", G_TYPE_UINT64, counts.repairs.strays, "dropped", G_TYPE_UINT64, counts.dropped, "empty",
      G_TYPE_UINT64, counts.empty, "samples", G_TYPE_UINT64, counts.samples, nullptr));
}

// Pads

std::string Mp4Mux::free_name(GstPadTemplate *templ, const gchar *wanted) const {
  const std::string pattern = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  const std::string stem = pattern.substr(0, pattern.find('%'));
  const auto taken = [this](const std::string &name) {
    const auto pad = PadRef::adopt(gst_element_get_static_pad(self_, name.c_str()));
    return bool(pad);
  };
  const std::string name = wanted ? wanted : "";
  if (name.find('%') == std::string::npos && name.starts_with(stem)) return taken(name) ? "" : name;
  for (unsigned n = 0;; ++n)
    if (!taken(stem + std::to_string(n))) return stem + std::to_string(n);
}

GstPad *Mp4Mux::request_new_pad(GstPadTemplate *templ, const gchar *wanted, const GstCaps *) {
  const std::string name = free_name(templ, wanted);
  if (name.empty()) {
    GST_WARNING_OBJECT(self_, "pad %s exists", wanted);
    return nullptr;
  }
  auto *pad = GST_PAD(g_object_new(GST_PAD_TEMPLATE_GTYPE(templ), "name", name.c_str(), "direction",
                                   GST_PAD_SINK, "template", templ, nullptr));
  set_up_sink(pad);
  if (gst_pad_is_active(source_.pad())) gst_pad_set_active(pad, TRUE);
  if (!gst_element_add_pad(self_, pad)) return nullptr;
  queues_.wake();
  return pad;
}

void Mp4Mux::set_up_sink(GstPad *pad) {
  MuxPad::of(pad).set_queue(queues_.add());
  gst_pad_set_chain_function(pad, chain);
  gst_pad_set_event_full_function(pad, (pad_function<&Mp4Mux::sink_event, GstEvent *>));
  gst_pad_set_query_function(pad, (pad_function<&Mp4Mux::sink_query, GstQuery *>));
  gst_pad_set_activatemode_function(pad, activate_sink);
  // Who waits for this pad shall see that it has a peer, or no peer any more.
  for (const char *change : {"linked", "unlinked"})
    g_signal_connect_object(pad, change, G_CALLBACK(+[](GstPad *, GstPad *, GstElement *self) {
                              Shell<Mp4Mux>::of(self).queues_.wake();
                            }),
                            self_, GConnectFlags(0));
}

void Mp4Mux::release_pad(GstPad *pad) {
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(self_, pad);
  queues_.wake();
}

// States

GstStateChangeReturn Mp4Mux::change_state(GstStateChange change) {
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED) begin_run(false);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) queues_.close(GST_FLOW_FLUSHING);
  const auto done = GST_ELEMENT_CLASS(Shell<Mp4Mux>::parent_class())->change_state(self_, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) {
    end_run();
    gst_tag_setter_reset_tags(GST_TAG_SETTER(self_));
  }
  return done;
}

void Mp4Mux::begin_run(bool again) {
  const std::unique_ptr<MuxRun> before = std::move(run_);
  counter_.set({});
  source_.reset();
  requests_.open_movie();
  woken_ = InputQueues::Woken::news;
  run_ = std::make_unique<MuxRun>(MuxRun::Parts{self_, *this, queues_, source_, requests_, counter_},
                                  again ? before.get() : nullptr);
  queues_.open();
}

void Mp4Mux::end_run() {
  run_.reset();
  requests_.reset();
  const Lock lock(flush_mutex_);
  restarting_ = false;
}

// The muxing thread

gboolean Mp4Mux::activate_source(gboolean active) {
  const auto run = [](gpointer self) { detail::Thunk<&Mp4Mux::loop>::call(static_cast<GstElement *>(self)); };
  if (active) return gst_pad_start_task(source_.pad(), run, self_, nullptr);
  queues_.close(GST_FLOW_FLUSHING);
  return gst_pad_stop_task(source_.pad());
}

void Mp4Mux::loop() {
  if (latency_changed_.exchange(false)) run_->refresh_latency();
  GST_TRACE_OBJECT(self_, "round");
  const GstFlowReturn flow = run_->step(woken_);
  if (flow != GST_FLOW_OK) return end_stream(flow);
  woken_ = queues_.wait(run_->limit());
  if (queues_.closed()) gst_pad_pause_task(source_.pad());
}

void Mp4Mux::end_stream(GstFlowReturn flow) {
  GST_INFO_OBJECT(self_, "the stream has ended: %s", gst_flow_get_name(flow));
  queues_.close(flow);
  if (flow == GST_FLOW_NOT_LINKED)
    raise(self_, {ErrorCode::state, "What followed the muxer is no longer linked to it."});
  if (flow != GST_FLOW_FLUSHING) source_.end();
  gst_pad_pause_task(source_.pad());
}

// Events and queries

// Serialized events wait in the pad's queue, between the buffers they came between.
GstFlowReturn Mp4Mux::sink_event(GstPad *pad, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START) return begin_flush(pad, event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) return end_flush(pad, event);
  if (is_serialized(event)) return MuxPad::of(pad).queue()->put({{}, EventRef::adopt(event), {}});
  return gst_pad_event_default(pad, GST_OBJECT(self_), event) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

// A query that waits for the samples in front of it would stop a demuxer whose other streams those wait for.
gboolean Mp4Mux::sink_query(GstPad *pad, GstQuery *query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS) return answer_caps(pad, query);
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) return answer_accept_caps(query);
  return !is_serialized(query) && gst_pad_query_default(pad, GST_OBJECT(self_), query);
}

// A flush that comes by itself takes away what waits in that input, and the recording goes on. One that
// answers a seek from behind the muxer, or comes when all has been written, begins everything anew.
GstFlowReturn Mp4Mux::begin_flush(GstPad *pad, GstEvent *event) {
  const auto taken = EventRef::adopt(event);
  MuxPad::of(pad).queue()->begin_flush();
  const bool all = gst_event_get_seqnum(event) == seek_number_ || queues_.flow() == GST_FLOW_EOS;
  GST_DEBUG_OBJECT(pad, "flush of %s", all ? "everything" : "this input");
  {
    const Lock lock(flush_mutex_);
    if (!all || restarting_) return GST_FLOW_OK;
    restarting_ = true;
  }
  queues_.close(GST_FLOW_FLUSHING);
  gst_pad_push_event(source_.pad(), gst_event_ref(event));
  gst_pad_pause_task(source_.pad());
  return GST_FLOW_OK;
}

GstFlowReturn Mp4Mux::end_flush(GstPad *pad, GstEvent *event) {
  const auto taken = EventRef::adopt(event);
  MuxPad::of(pad).queue()->end_flush();
  {
    const Lock lock(flush_mutex_);
    if (!restarting_ || queues_.any_flushes()) return GST_FLOW_OK;
    restarting_ = false;
  }
  GstPad *source = source_.pad();
  GST_PAD_STREAM_LOCK(source);
  gst_pad_push_event(source, gst_event_ref(event));
  begin_run(true);
  activate_source(TRUE);
  GST_PAD_STREAM_UNLOCK(source);
  return GST_FLOW_OK;
}

gboolean Mp4Mux::src_event(GstPad *pad, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) seek_number_ = gst_event_get_seqnum(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) { // a recording leaves nothing out
    gst_event_unref(event);
    return TRUE;
  }
  return gst_pad_event_default(pad, GST_OBJECT(self_), event);
}

gboolean Mp4Mux::src_query(GstPad *pad, GstQuery *query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_SEEKING) {
    GstFormat format;
    gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
    gst_query_set_seeking(query, format, FALSE, 0, -1); // a muxer's output exists once
    return TRUE;
  }
  if (!gst_pad_query_default(pad, GST_OBJECT(self_), query)) return FALSE;
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) add_latency(query);
  return TRUE;
}

void Mp4Mux::add_latency(GstQuery *query) {
  gboolean live = FALSE;
  GstClockTime least = 0, most = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &least, &most);
  if (live) {
    const GstClockTime own = source_.held() + snapshot().latency;
    gst_query_set_latency(query, TRUE, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
  }
  latency_changed_ = true;
  queues_.wake();
}

} // namespace hull
