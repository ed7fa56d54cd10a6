// What the muxer decides when its first samples are there: the file's shape, its tracks, their keys.

#include "gst/isobmff/file/progressive.h"
#include "plugins/mp4/mux.h"
#include "plugins/mp4/tags.h"

#include <algorithm>
#include <limits>

namespace hull {

using namespace isobmff;
using namespace mux;

Result<Variant> Mp4Mux::choose_variant() {
  GstPad *source = GST_AGGREGATOR_SRC_PAD(self_);
  const auto allowed = CapsRef::adopt(gst_pad_get_allowed_caps(source));
  if (!allowed || gst_caps_is_empty(allowed.get()))
    return fail(ErrorCode::unsupported,
                "What follows the muxer takes none of video/quicktime with variant iso, "
                "iso-fragmented, cmaf or apple.");
  auto query = QueryRef::adopt(gst_query_new_seeking(GST_FORMAT_BYTES));
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(source, query.get()))
    gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
  for (guint i = 0; i < gst_caps_get_size(allowed.get()); ++i) {
    const auto caps = CapsRef::adopt(gst_caps_copy_nth(allowed.get(), i));
    for (const auto &[name, variant] : {std::pair{"iso", Variant::iso},
                                        {"iso-fragmented", Variant::iso_fragmented},
                                        {"cmaf", Variant::cmaf},
                                        {"apple", Variant::apple}}) {
      const auto wanted =
          CapsRef::adopt(gst_caps_new_simple("video/quicktime", "variant", G_TYPE_STRING, name, nullptr));
      if (!gst_caps_can_intersect(caps.get(), wanted.get())) continue;
      if (is_whole(variant) && !seekable) continue;
      return variant;
    }
  }
  return fail(ErrorCode::settings,
              "A whole file (variant=iso or apple) is completed where it began, and what follows the muxer "
              "cannot go back. "
              "Put hullmp4sink or filesink behind it, or let it take variant=iso-fragmented or cmaf.");
}

namespace {

// What QuickTime and AVFoundation read, in the form they read it; everything else is refused.
Result<void> make_quicktime(const std::vector<MuxInput *> &tracks) {
  constexpr FourCC kEntries[] = {"avc1", "hvc1", "mp4a", "ac-3", "ec-3"};
  for (MuxInput *input : tracks) {
    input->config.quicktime = true;
    SampleFormat &format = input->config.formats.front();
    if (std::ranges::find(kEntries, format.entry) == std::end(kEntries))
      return fail(ErrorCode::unsupported, std::string(GST_PAD_NAME(input->pad.get())) +
                                              ": variant=apple takes avc1, hvc1, AAC, MP3, "
                                              "AC-3 and E-AC-3, not " +
                                              format.entry.text() +
                                              ". Let the parser convert (h265parse ! "
                                              "video/x-h265,stream-format=hvc1), or write variant=iso.");
    adapt_to_quicktime(*input->caps, format);
  }
  return {};
}

} // namespace

Result<void> Mp4Mux::begin_timecode(const std::vector<MuxInput *> &tracks, Variant variant) {
  const auto pictures =
      std::ranges::find_if(tracks, [](const MuxInput *t) { return t->config.media == Media::video; });
  if (pictures == tracks.end() || variant == Variant::cmaf || running_.timecode == "none") return {};
  const auto id = static_cast<std::uint32_t>(tracks.size() + 1);
  auto track = TimecodeTrack::create(**pictures, running_.timecode, id);
  if (!track) return tl::unexpected(track.error());
  timecode_ = std::move(*track);
  if (!timecode_) return {};
  timecode_->config.quicktime = variant == Variant::apple;
  (*pictures)->config.chapter_or_timecode = id;
  return {};
}

// Room is kept where the property says how long the file gets, or where the sink asks and upstream knows.
std::uint64_t Mp4Mux::movie_room(const std::vector<MuxInput *> &inputs) {
  std::uint64_t duration = running_.expected_duration;
  if (duration == 0) {
    const auto query = QueryRef::adopt(
        gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("hull-mp4-keeps-room")));
    if (!gst_pad_peer_query(GST_AGGREGATOR_SRC_PAD(self_), query.get())) return 0;
    for (const MuxInput *input : inputs) {
      gint64 length = 0;
      if (gst_pad_peer_query_duration(input->pad.get(), GST_FORMAT_TIME, &length) && length > 0)
        duration = std::max(duration, static_cast<std::uint64_t>(length));
    }
    if (duration == 0) {
      caution({ErrorCode::settings,
               "Nobody knows how long the file will get, so no room is kept for its movie "
               "box: set expected-duration."});
      return 0;
    }
  }
  std::vector<ExpectedTrack> tracks;
  for (const MuxInput *input : inputs) {
    const TrackCaps &caps = *input->caps;
    const bool pictures = input->config.media == Media::video;
    const double known = caps.nominal_duration ? static_cast<double>(caps.timescale) / caps.nominal_duration
                         : pictures            ? 60
                                               : 50;
    tracks.push_back({input->text ? 1 : known, pictures});
  }
  return expected_movie_size(tracks, duration, running_.interleave_time);
}

GstFlowReturn Mp4Mux::begin() {
  running_ = snapshot();
  auto variant = choose_variant();
  std::vector<MuxInput *> tracks;
  for (auto &input : inputs_) {
    if (!input->timeline || (!input->text && !input->head)) continue; // no data came in time
    if (input->text && input->text->over() && !input->text->any()) continue;
    input->in_file = true;
    input->index = tracks.size();
    input->config.id = static_cast<std::uint32_t>(tracks.size() + 1);
    if (input->config.media == Media::audio) {
      const std::int64_t before_zero = input->timeline->origin();
      input->config.priming = std::max<std::int64_t>(input->caps->priming, before_zero);
    }
    if (input->config.media == Media::video) input->config.priming = input->timeline->origin();
    if (input->config.media == Media::video && !input->orientation.empty()) {
      const SampleFormat &format = input->config.formats.front();
      if (variant && *variant != Variant::cmaf) // CMF-03 wants the unity matrix
        input->config.matrix = orientation_matrix(input->orientation, format.width, format.height);
    }
    tracks.push_back(input.get());
  }
  Result<void> started;
  if (variant) {
    begin_text(tracks, *variant);
    started = begin_timecode(tracks, *variant);
    if (started && *variant == Variant::apple) started = make_quicktime(tracks);
  }
  for (MuxInput *input : tracks)
    if (started && running_.encryption != Encryption::none) started = protect(*input);
  if (started && running_.encryption != Encryption::none && variant && is_whole(*variant))
    started = fail(ErrorCode::settings, "Encrypted samples are written in fragments: let what follows the "
                                        "muxer take variant=cmaf or iso-fragmented.");
  if (!started) {
  } else if (!variant) {
    started = tl::unexpected(variant.error());
  } else {
    output_ = is_whole(*variant) ? make_progressive_output(*this, running_, *variant)
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

// The key comes from who answers the signal, else from the properties.
Result<void> Mp4Mux::protect(MuxInput &input) {
  if (input.config.media != Media::video && input.config.media != Media::audio) return {};
  std::string key = running_.key, id = running_.key_id;
  if (const auto given = StructureRef::adopt(ask_for_key(GST_ELEMENT(self_), input.pad.get()))) {
    const char *text = gst_structure_get_string(given.get(), "key");
    key = text ? text : "";
    text = gst_structure_get_string(given.get(), "key-id");
    id = text ? text : "";
  }
  const auto bytes = parse_hex_16(key), kid = parse_hex_16(id);
  if (!bytes || !kid)
    return fail(ErrorCode::settings,
                std::string("Encryption of ") + GST_PAD_NAME(input.pad.get()) +
                    " needs a key and a key-id of 32 hex digits each, by property or by the signal "
                    "encryption-key.");
  Uuid iv{};
  for (std::size_t i = 0; i < iv.size(); i += 4)
    store_be(iv.data() + i, 4, g_random_int());
  if (!running_.iv.empty()) {
    const auto wanted = parse_hex_16(running_.iv);
    if (!wanted) return fail(ErrorCode::settings, "iv: " + wanted.error().text + ".");
    iv = *wanted;
    iv[0] ^= static_cast<std::uint8_t>(input.index); // no two tracks of a key may share a counter
  }
  const Scheme scheme = running_.encryption == Encryption::cbcs ? Scheme::cbcs : Scheme::cenc;
  auto made = Protector::create(scheme, {*kid, *bytes}, iv, input.config.formats.front());
  if (!made) return tl::unexpected(made.error());
  input.protector = std::move(*made);
  for (SampleFormat &format : input.config.formats)
    format.protection = input.protector->settings();
  return {};
}

} // namespace hull
