#include "plugins/mp4/mux_start.h"

#include "gst/glue/map.h"
#include "gst/isobmff/file/progressive.h"
#include "gst/isobmff/formats/opus.h"
#include "plugins/mp4/mux_requests.h"
#include "plugins/mp4/payloads.h"
#include "plugins/mp4/tags.h"

#include <algorithm>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

// Packets of a decoder's run-up, as the group "roll" counts them; 0: the codec needs none.
std::int16_t roll_distance(const MuxInput &input) {
  const FourCC entry = input.config.formats.front().entry;
  if (entry == FourCC("mp4a") && !input.caps->is_mp3)
    return -1; // ISO/IEC 14496-3 1.4: one frame overlaps the next
  if (entry != FourCC("Opus")) return 0;
  std::uint32_t samples = input.caps->nominal_duration;
  if (input.head)
    if (const MappedBuffer map(buffer_of(input.head->payload), GST_MAP_READ); map)
      samples = opus_packet_samples(map.bytes());
  return opus_roll_distance(samples);
}

} // namespace

void begin_track(MuxInput &input, std::size_t index, std::uint32_t id, Variant variant) {
  input.in_file = true;
  input.index = index;
  input.config.id = id;
  const std::int64_t before_zero = input.timeline->origin();
  if (input.config.media == Media::audio) {
    input.config.priming = std::max<std::int64_t>(input.caps->priming, before_zero);
    input.config.roll_distance = roll_distance(input);
  }
  if (input.config.media != Media::video) return;
  input.config.priming = before_zero;
  if (input.orientation.empty() || variant == Variant::cmaf) return; // CMF-03 wants the unity matrix
  const SampleFormat &format = input.config.formats.front();
  input.config.matrix = orientation_matrix(input.orientation, format.width, format.height);
}

void group_alternatives(const std::vector<MuxInput *> &tracks) {
  std::int16_t group = 0;
  for (const bool of_sound : {true, false}) {
    ++group;
    std::vector<MuxInput *> same;
    for (MuxInput *input : tracks)
      if (of_sound ? input->config.media == Media::audio : bool(input->text)) same.push_back(input);
    if (same.size() < 2) continue;
    for (MuxInput *input : same) {
      input->config.alternate_group = group;
      input->config.enabled = input == same.front();
    }
  }
}

// What QuickTime and AVFoundation read, in the form they read it; everything else is refused.
Result<void> make_quicktime(const std::vector<MuxInput *> &tracks) {
  constexpr FourCC kEntries[] = {"avc1", "hvc1", "mp4a", "ac-3", "ec-3", "ipcm", "fpcm", "alaw", "ulaw"};
  for (MuxInput *input : tracks) {
    input->config.quicktime = true;
    SampleFormat &format = input->config.formats.front();
    if (std::ranges::find(kEntries, format.entry) == std::end(kEntries))
      return fail(ErrorCode::unsupported, std::string(input->name()) +
                                              ": variant=apple takes avc1, hvc1, AAC, MP3, "
                                              "AC-3, E-AC-3, PCM, A-law and mu-law, not " +
                                              format.entry.text() +
                                              ". Let the parser convert (h265parse ! "
                                              "video/x-h265,stream-format=hvc1), or write variant=iso.");
    adapt_to_quicktime(*input->caps, format);
  }
  return {};
}

Result<std::unique_ptr<TimecodeTrack>> make_timecode(const std::vector<MuxInput *> &tracks,
                                                     const std::string &label, std::uint32_t id) {
  const auto pictures = std::ranges::find_if(
      tracks, [](const MuxInput *t) { return t->config.media == Media::video && t->head; });
  if (pictures == tracks.end() || label == "none") return nullptr;
  auto track = make_timecode_track(**pictures, label, id);
  if (track && *track) (*pictures)->config.chapter_or_timecode = id;
  return track;
}

std::uint64_t upstream_duration(const std::vector<MuxInput *> &inputs) {
  std::uint64_t duration = 0;
  for (const MuxInput *input : inputs) {
    gint64 length = 0;
    if (gst_pad_peer_query_duration(input->pad.get(), GST_FORMAT_TIME, &length) && length > 0)
      duration = std::max(duration, static_cast<std::uint64_t>(length));
  }
  return duration;
}

std::uint64_t movie_size(const std::vector<MuxInput *> &inputs, std::uint64_t duration,
                         std::uint64_t interleave_time) {
  std::vector<ExpectedTrack> tracks;
  for (const MuxInput *input : inputs) {
    const TrackCaps &caps = *input->caps;
    const bool pictures = input->config.media == Media::video;
    const double known = caps.nominal_duration ? static_cast<double>(caps.timescale) / caps.nominal_duration
                         : pictures            ? 60
                                               : 50;
    tracks.push_back({input->text ? 1 : known, pictures});
  }
  return expected_movie_size(tracks, duration, interleave_time);
}

namespace {

struct KeyAndId {
  std::optional<Uuid> key, id;
};

KeyAndId key_of(GstElement *element, const MuxInput &input, const MuxSettings &settings) {
  std::string key = settings.key, id = settings.key_id;
  if (const auto given = StructureRef::adopt(ask_for_key(element, input.pad.get()))) {
    const char *text = gst_structure_get_string(given.get(), "key");
    key = text ? text : "";
    text = gst_structure_get_string(given.get(), "key-id");
    id = text ? text : "";
  }
  const auto bytes = parse_hex_16(key), kid = parse_hex_16(id);
  return {bytes ? std::optional(*bytes) : std::nullopt, kid ? std::optional(*kid) : std::nullopt};
}

Result<Uuid> initialization_vector(const MuxInput &input, const MuxSettings &settings) {
  Uuid iv{};
  for (std::size_t i = 0; i < iv.size(); i += 4)
    store_be(iv.data() + i, 4, g_random_int());
  if (settings.iv.empty()) return iv;
  const auto wanted = parse_hex_16(settings.iv);
  if (!wanted) return fail(ErrorCode::settings, "iv: " + wanted.error().text + ".");
  iv = *wanted;
  iv[0] ^= static_cast<std::uint8_t>(input.index); // no two tracks of a key may share a counter
  return iv;
}

} // namespace

Result<void> protect(GstElement *element, MuxInput &input, const MuxSettings &settings) {
  if (input.config.media != Media::video && input.config.media != Media::audio) return {};
  const auto [key, id] = key_of(element, input, settings);
  if (!key || !id)
    return fail(ErrorCode::settings,
                std::string("Encryption of ") + input.name() +
                    " needs a key and a key-id of 32 hex digits each, by property or by the signal "
                    "encryption-key.");
  const auto iv = initialization_vector(input, settings);
  if (!iv) return tl::unexpected(iv.error());
  const Scheme scheme = settings.encryption == Encryption::cbcs ? Scheme::cbcs : Scheme::cenc;
  auto made = Protector::create(scheme, {*id, *key}, *iv, input.config.formats.front());
  if (!made) return tl::unexpected(made.error());
  input.protector = std::move(*made);
  for (SampleFormat &format : input.config.formats)
    format.protection = input.protector->settings();
  return {};
}

} // namespace hull
