#include "plugins/cmaf/sink.h"

#include "gst/glue/log.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string_view>

#define GST_CAT_DEFAULT hull::category<CmafSink>()

namespace hull::cmaf {

using namespace origin;
namespace {

const GEnumValue kProtocolValues[] = {{1, "LL-DASH", "dash"}, {2, "LL-HLS", "hls"}, {0, nullptr, nullptr}};
const EnumTable kProtocols{"HullCmafSinkProtocols", kProtocolValues};
const GEnumValue kTypeValues[] = {{0, "A window that slides", "live"},
                                  {1, "Grows while it is live, nothing is removed", "event"},
                                  {2, "Manifests appear at the end", "vod"},
                                  {0, nullptr, nullptr}};
const EnumTable kTypes{"HullCmafSinkPlaylistType", kTypeValues};
const GEnumValue kIngestValues[] = {{0, "DASH-IF interface 1: CMAF segments and the MPD", "cmaf"},
                                    {1, "DASH-IF interface 2: every object a player needs", "objects"},
                                    {0, nullptr, nullptr}};
const EnumTable kIngest{"HullCmafSinkIngestMode", kIngestValues};

using S = SinkSettings;
const Property<S> kProperties[] = {
    property<&S::segment_duration>("segment-duration",
                                   "Nanoseconds a segment lasts; key units are asked for there",
                                   Mutable::ready, 100e6, 60e9),
    property<&S::chunk_duration>("chunk-duration",
                                 "Nanoseconds a chunk lasts, in whole pictures: what a player waits for",
                                 Mutable::ready, 1e6, 60e9),
    property<&S::part_duration>("part-duration",
                                "Nanoseconds of an LL-HLS part (PART-TARGET), in whole chunks",
                                Mutable::ready, 1e6, 60e9),
    property<&S::part_hold_back>("part-hold-back", "Nanoseconds LL-HLS players stay behind; 0 = 3 parts",
                                 Mutable::ready, 0, 60e9),
    property<&S::dvr_window>("dvr-window", "Nanoseconds that stay listed behind the live edge",
                             Mutable::ready, 0, 86400e9),
    property<&S::target_latency>("target-latency", "Nanoseconds DASH players are told to stay behind",
                                 Mutable::ready, 1e6, 60e9),
    property<&S::playback_rate_min>("playback-rate-min",
                                    "Slowest rate a DASH player may fall back with; no unit", Mutable::ready,
                                    0.5, 1),
    property<&S::playback_rate_max>(
        "playback-rate-max", "Fastest rate a DASH player may catch up with; no unit", Mutable::ready, 1, 2),
    flags_property<&S::protocols>("protocols", "Which manifests are published", Mutable::ready, kProtocols),
    property<&S::playlist_type>("playlist-type", "What happens to old segments", Mutable::ready, kTypes),
    property<&S::enable_endlist>("enable-endlist", "Close the manifests at the end of the stream"),
    property<&S::epoch_lock>("epoch-lock",
                             "Number segments by UTC since 1970, so that a second or restarted encoder "
                             "continues the same names"),
    property<&S::serve>("serve", "Run the embedded HTTP origin"),
    property<&S::bind_address>("bind-address", "IP address the origin listens on; 0.0.0.0 or :: for all"),
    property<&S::port>("port", "TCP port of the origin; 0 = any free one, see actual-port", Mutable::ready, 0,
                       65535),
    property<&S::tls_certificate>("tls-certificate",
                                  "PEM file with certificate and key; empty = HTTP without TLS"),
    property<&S::cors_origin>("cors-origin", "Access-Control-Allow-Origin of every reply; empty = none"),
    property<&S::max_clients>("max-clients", "Connections the origin holds in total", Mutable::ready, 1, 1e6),
    property<&S::max_clients_per_address>("max-clients-per-address",
                                          "Connections of one address; 0 = as many as in total",
                                          Mutable::ready, 0, 1e6),
    property<&S::player_dir>("player-dir",
                             "node_modules folder with dashjs, hls.js, shaka-player for the page at /; "
                             "empty = the HULL_PLAYER_DIR environment variable"),
    property<&S::location>("location", "Folder to write the stream to as well; empty = none"),
    property<&S::ingest_url>("ingest-url", "HTTP URL to push the stream to as well; empty = none"),
    property<&S::ingest_mode>("ingest-mode", "What is pushed", Mutable::ready, kIngest),
    property<&S::ingest_post>("ingest-post", "Push with POST instead of PUT"),
    property<&S::ingest_queue>("ingest-queue",
                               "Segments of each track that wait while the ingest server is away",
                               Mutable::ready, 1, 1000),
    property<&S::utc_timing_url>("utc-timing-url",
                                 "URL of UTCTiming, relative to the MPD; the origin serves time"),
    property<&S::leap_offset>("leap-offset",
                              "Seconds TAI is ahead of UTC, for LeapSecondInformation; 0 = leave it out",
                              Mutable::ready, 0, 1000),
    computed<&CmafSink::actual_port>("actual-port", "TCP port the origin listens on; 0 = it does not run"),
    computed<&CmafSink::url>("url", "Address of the page the origin serves; empty = it does not run"),
    computed<&CmafSink::stats>("stats", "Counters since the start: chunks, segments, clients, bytes"),
};

GstStaticPadTemplate kVideo = GST_STATIC_PAD_TEMPLATE(
    "video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS("video/x-h264, stream-format=(string){ avc, avc3 }, alignment=au; "
                    "video/x-h265, stream-format=(string){ hvc1, hev1 }, alignment=au; "
                    "video/x-av1, stream-format=obu-stream, alignment=tu; video/x-vp9; "
                    "video/quicktime, variant=(string)cmaf"));
GstStaticPadTemplate kAudio = GST_STATIC_PAD_TEMPLATE(
    "audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS("audio/mpeg, mpegversion=4, stream-format=raw; audio/x-opus; audio/x-flac, framed=true; "
                    "audio/x-ac3, framed=true, alignment=frame; audio/x-eac3, framed=true; "
                    "video/quicktime, variant=(string)cmaf"));
GstStaticPadTemplate kText = GST_STATIC_PAD_TEMPLATE(
    "text_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS("application/x-subtitle-vtt; text/x-raw, format=(string){ utf8, pango-markup }; "
                    "application/ttml+xml; "
                    "video/quicktime, variant=(string)cmaf"));

std::int64_t ns(std::uint64_t time) {
  return static_cast<std::int64_t>(time);
}

/// Of hlscmafsink's names and meaning, so that its applications find them.
struct Signals {
  guint init = 0, fragment = 0, playlist = 0, remove = 0;
} kSignals;

void install_signals(GObjectClass *klass) {
  const auto add = [klass](const char *name, GType returns) {
    return g_signal_new(name, G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                        returns, 1, G_TYPE_STRING);
  };
  kSignals.init = add("get-init-stream", G_TYPE_OUTPUT_STREAM);
  kSignals.fragment = add("get-fragment-stream", G_TYPE_OUTPUT_STREAM);
  kSignals.playlist = add("get-playlist-stream", G_TYPE_OUTPUT_STREAM);
  kSignals.remove = add("delete-fragment", G_TYPE_BOOLEAN);
}

publish::LiveConfig live_config(const SinkSettings &s) {
  publish::LiveConfig config;
  config.segment_duration = ns(s.segment_duration);
  config.chunk_duration = ns(s.chunk_duration);
  config.part_duration = ns(s.part_duration);
  config.part_hold_back = ns(s.part_hold_back);
  config.dvr_window = ns(s.dvr_window);
  config.target_latency = ns(s.target_latency);
  config.playback_rate_min = s.playback_rate_min;
  config.playback_rate_max = s.playback_rate_max;
  config.playlist_type = s.playlist_type;
  config.enable_endlist = s.enable_endlist;
  config.dash = static_cast<unsigned>(s.protocols) & static_cast<unsigned>(Protocols::dash);
  config.hls = static_cast<unsigned>(s.protocols) & static_cast<unsigned>(Protocols::hls);
  config.utc_timing_url = s.utc_timing_url;
  config.leap_offset = s.leap_offset;
  return config;
}

} // namespace

std::span<const Property<SinkSettings>> CmafSink::properties() {
  return kProperties;
}

void CmafSink::class_init(GstBinClass *klass) {
  auto *element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element_class, "LL-DASH and LL-HLS publisher", "Sink/Network",
                                        "Publishes encoded streams as low-latency DASH and HLS from an "
                                        "embedded origin, to a folder or by HTTP push",
                                        "gst-plugins-hull developers");
  for (GstStaticPadTemplate *templ : {&kVideo, &kAudio, &kText})
    gst_element_class_add_static_pad_template(element_class, templ);
  install_signals(G_OBJECT_CLASS(klass));
  element_class->request_new_pad = thunk<&CmafSink::request_new_pad>;
  element_class->release_pad = thunk<&CmafSink::release_pad>;
  element_class->change_state = thunk<&CmafSink::change_state>;
}

CmafSink::CmafSink(GstBin *self) : self_(self) {
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
  gst_bin_set_suppressed_flags(self, GST_ELEMENT_FLAG_SINK);
}

CmafSink::~CmafSink() = default;

CmafSink::OnAir CmafSink::on_air() const {
  const Lock lock(mutex_);
  return air_;
}

std::vector<std::shared_ptr<Stream>> CmafSink::streams() const {
  const Lock lock(mutex_);
  std::vector<std::shared_ptr<Stream>> all;
  for (const auto &[name, stream] : streams_)
    all.push_back(stream);
  return all;
}

std::optional<std::string> CmafSink::choose_name(const GstPadTemplate *templ, const gchar *name) {
  const std::string_view pattern = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
  const std::string_view front = pattern.substr(0, pattern.find('%'));
  const std::string_view wanted = name ? name : "";
  const Lock lock(mutex_);
  unsigned &next = next_numbers_[pattern.front()];
  unsigned number = next;
  if (wanted.starts_with(front))
    std::from_chars(wanted.data() + front.size(), wanted.data() + wanted.size(), number);
  next = std::max(next, number + 1);
  std::string chosen = fmt::format("{}{}", front, number);
  return streams_.contains(chosen) ? std::nullopt : std::optional(std::move(chosen));
}

// False when the stream has started or somebody took the name in the meantime.
bool CmafSink::keep(const std::string &name, std::shared_ptr<Stream> stream) {
  const Lock lock(mutex_);
  return !air_.live && streams_.emplace(name, std::move(stream)).second;
}

GstPad *CmafSink::request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *) {
  const char letter = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ)[0];
  const publish::Kind kind = letter == 'v'   ? publish::Kind::video
                             : letter == 'a' ? publish::Kind::audio
                                             : publish::Kind::text;
  if (on_air().live) {
    warn(element(),
         Error{ErrorCode::state, "Pads are requested before the stream starts: manifests may not change "
                                 "their tracks on air."});
    return nullptr;
  }
  const auto pad_name = choose_name(templ, name);
  if (!pad_name) {
    warn(element(), Error{ErrorCode::settings, fmt::format("There is a pad called {} already.", name)});
    return nullptr;
  }
  const auto number = std::string_view(*pad_name).substr(pad_name->find('_') + 1);
  unsigned counted = 0;
  std::from_chars(number.data(), number.data() + number.size(), counted);
  auto made = Stream::make(self_, templ, *pad_name, fmt::format("{}{}", letter, counted + 1), kind);
  if (!made) {
    raise(element(), made.error());
    return nullptr;
  }
  const std::shared_ptr<Stream> stream = std::move(*made);
  if (!keep(*pad_name, stream)) return nullptr;
  GstPad *pad = stream->pad();
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element(), pad);
  return pad;
}

void CmafSink::release_pad(GstPad *pad) {
  std::shared_ptr<Stream> gone;
  {
    const Lock lock(mutex_);
    const auto found = streams_.find(GST_PAD_NAME(pad));
    if (found == streams_.end()) return;
    gone = std::move(found->second);
    streams_.erase(found);
  }
  gone->close();
  const PadRef held = PadRef::retain(pad);
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(element(), pad);
}

GstStateChangeReturn CmafSink::change_state(GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_origin()) return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) go_on_air();
  const auto result = GST_ELEMENT_CLASS(Shell<CmafSink>::parent_class())->change_state(element(), transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) go_off_air();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) close_origin();
  return result;
}

// The origin's thread ends here, so not under the lock.
void CmafSink::close_origin() {
  std::shared_ptr<Origin> gone;
  const Lock lock(mutex_);
  gone.swap(air_.origin);
}

bool CmafSink::open_origin() {
  const SinkSettings s = snapshot();
  if (!s.serve) return true;
  OriginSettings wanted;
  wanted.bind_address = s.bind_address;
  wanted.port = s.port;
  wanted.cors_origin = s.cors_origin;
  wanted.player_dir = s.player_dir;
  wanted.certificate = s.tls_certificate;
  wanted.log = log_into(GST_CAT_DEFAULT, G_OBJECT(self_));
  wanted.limits.connections = s.max_clients;
  wanted.limits.connections_per_address = s.max_clients_per_address;
  auto origin = Origin::start(std::move(wanted));
  if (!origin) {
    raise(element(), origin.error());
    return false;
  }
  {
    const Lock lock(mutex_);
    air_.origin = std::move(*origin);
  }
  GST_INFO_OBJECT(self_, "the origin listens at %s for at most %u connections", url().c_str(), s.max_clients);
  gst_element_post_message(
      element(),
      gst_message_new_element(GST_OBJECT(self_),
                              gst_structure_new("hull-origin-started", "url", G_TYPE_STRING, url().c_str(),
                                                "port", G_TYPE_UINT, actual_port(), nullptr)));
  return true;
}

void CmafSink::go_on_air() {
  const SinkSettings s = snapshot();
  const auto clock = std::make_shared<WallClock>();
  publish::LiveConfig config = live_config(s);
  config.clock = [clock, self = element()] { return clock->now(self); };
  config.log = log_into(GST_CAT_DEFAULT, G_OBJECT(self_));
  OnAir air = on_air();
  air.live = std::make_shared<publish::Live>(std::move(config));
  air.live->observe([this](const publish::LiveEvent &event) { on_event(event); });
  add_outputs(air, s);
  {
    const Lock lock(mutex_); // from here on no pad comes in
    air_ = air;
  }
  const auto all = streams();
  for (const auto &stream : all)
    stream->open(air.live, clock, s);
  follow_texts(all);
  GST_INFO_OBJECT(self_,
                  "on air with %zu tracks: segments of %" GST_TIME_FORMAT ", chunks of %" GST_TIME_FORMAT
                  ", parts of %" GST_TIME_FORMAT ", %zu outputs beside the origin",
                  all.size(), GST_TIME_ARGS(s.segment_duration), GST_TIME_ARGS(s.chunk_duration),
                  GST_TIME_ARGS(s.part_duration), air.outputs.size());
  if (air.origin) air.origin->publish(air.live);
}

void CmafSink::add_outputs(OnAir &air, const SinkSettings &s) {
  const Output::Report report = [this](const Error &error) { warn(element(), error); };
  const LogSink log = log_into(GST_CAT_DEFAULT, G_OBJECT(self_));
  if (!s.location.empty()) air.outputs.push_back(make_directory_output(s.location, air.live, report, log));
  if (!s.ingest_url.empty())
    air.outputs.push_back(
        make_push_output({s.ingest_url, s.ingest_mode == IngestMode::objects, s.ingest_post, s.ingest_queue},
                         air.live, report, log));
  if (application_wants_streams())
    air.outputs.push_back(make_app_output(application_hooks(), air.live, report, log));
}

// Pictures lead texts, sound does where there are none.
void CmafSink::follow_texts(const std::vector<std::shared_ptr<Stream>> &streams) {
  Stream *leader = nullptr;
  std::vector<std::shared_ptr<TextFollower>> texts;
  for (const auto &stream : streams) {
    if (const auto follower = stream->follower())
      texts.push_back(follower);
    else if (!leader || stream->kind() == publish::Kind::video)
      leader = stream.get();
  }
  if (leader) leader->lead(std::move(texts));
}

bool CmafSink::application_wants_streams() const {
  for (const guint signal : {kSignals.init, kSignals.fragment, kSignals.playlist, kSignals.remove})
    if (g_signal_has_handler_pending(self_, signal, 0, FALSE)) return true;
  return false;
}

AppHooks CmafSink::application_hooks() {
  AppHooks hooks;
  hooks.open = [this](AppStream kind, const std::string &location) {
    GOutputStream *stream = nullptr;
    const guint signal = kind == AppStream::init       ? kSignals.init
                         : kind == AppStream::fragment ? kSignals.fragment
                                                       : kSignals.playlist;
    g_signal_emit(self_, signal, 0, location.c_str(), &stream);
    return GRef<GOutputStream>::adopt(stream);
  };
  hooks.remove = [this](const std::string &location) {
    gboolean done = FALSE;
    g_signal_emit(self_, kSignals.remove, 0, location.c_str(), &done);
  };
  return hooks;
}

// Data has stopped.
void CmafSink::go_off_air() {
  for (const auto &stream : streams())
    stream->close();
  OnAir gone;
  {
    const Lock lock(mutex_);
    gone.outputs.swap(air_.outputs);
    gone.live.swap(air_.live);
  }
  for (const auto &output : gone.outputs)
    output->finish(2);
  GST_INFO_OBJECT(self_, "off air");
}

// Streaming threads. The origin is only told to look; outputs queue.
void CmafSink::on_event(const publish::LiveEvent &event) {
  using Kind = publish::LiveEvent::Kind;
  const OnAir air = on_air();
  if (air.origin) air.origin->kick();
  for (const auto &output : air.outputs)
    output->on_event(event);
  const char *name = event.kind == Kind::chunk     ? "cmaf-chunk-published"
                     : event.kind == Kind::segment ? "hls-segment-added"
                     : event.kind == Kind::removed ? "cmaf-segment-removed"
                                                   : nullptr;
  if (!name) return;
  gst_element_post_message(
      element(), gst_message_new_element(
                     GST_OBJECT(self_),
                     gst_structure_new(name, "location", G_TYPE_STRING, event.name.c_str(), "number",
                                       G_TYPE_UINT64, static_cast<guint64>(event.number), "duration",
                                       G_TYPE_UINT64, static_cast<guint64>(event.seconds * 1e9), "start-utc",
                                       G_TYPE_INT64, static_cast<gint64>(event.start_utc), nullptr)));
}

void CmafSink::property_changed(const char *) {}

std::uint32_t CmafSink::actual_port() const {
  const OnAir air = on_air();
  return air.origin ? air.origin->port() : 0;
}

std::string CmafSink::url() const {
  const std::string address = snapshot().bind_address;
  const OnAir air = on_air();
  if (!air.origin) return {};
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("http{}://{}{}{}:{}/", air.origin->secure() ? "s" : "", v6 ? "[" : "", address,
                     v6 ? "]" : "", air.origin->port());
}

StructureRef CmafSink::stats() const {
  const OnAir air = on_air();
  const publish::Live::Stats window = air.live ? air.live->stats() : publish::Live::Stats{};
  const OriginStats http = air.origin ? air.origin->stats() : OriginStats{};
  OutputStats out;
  for (const auto &output : air.outputs) {
    const OutputStats one = output->stats();
    out.objects += one.objects;
    out.bytes += one.bytes;
    out.failures += one.failures;
    out.dropped_segments += one.dropped_segments;
  }
  return StructureRef::adopt(gst_structure_new(
      "hull-cmaf-sink-stats", "chunks", G_TYPE_UINT64, window.chunks, "segments", G_TYPE_UINT64,
      window.segments, "late-segments", G_TYPE_UINT64, window.late_segments, "gap-segments", G_TYPE_UINT64,
      window.gaps, "window-bytes", G_TYPE_UINT64, window.bytes_held, "clients", G_TYPE_UINT, http.connections,
      "requests", G_TYPE_UINT64, http.requests(), "bytes-sent", G_TYPE_UINT64, http.bytes, "http-errors",
      G_TYPE_UINT64, http.errors, "waiting-requests", G_TYPE_UINT, http.waiting, "streaming-requests",
      G_TYPE_UINT, http.streaming, "dropped-clients", G_TYPE_UINT64, http.dropped_clients,
      "refused-connections", G_TYPE_UINT64, http.refused, "output-objects", G_TYPE_UINT64, out.objects,
      "output-bytes", G_TYPE_UINT64, out.bytes, "output-failures", G_TYPE_UINT64, out.failures,
      "dropped-segments", G_TYPE_UINT64, out.dropped_segments, nullptr));
}

} // namespace hull::cmaf
