#include "gst/publish/media_facts.h"

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace hull::publish {
namespace {

using namespace isobmff;

/// ISO 639-2 codes of mdhd as the shortest BCP 47 tags, which manifests ask for.
std::string shortest_language(const std::string &code) {
  static constexpr std::array<std::pair<const char *, const char *>, 30> kShort = {{
      {"eng", "en"}, {"deu", "de"}, {"ger", "de"}, {"fra", "fr"}, {"fre", "fr"}, {"spa", "es"},
      {"ita", "it"}, {"por", "pt"}, {"nld", "nl"}, {"dut", "nl"}, {"swe", "sv"}, {"nor", "no"},
      {"dan", "da"}, {"fin", "fi"}, {"pol", "pl"}, {"ces", "cs"}, {"cze", "cs"}, {"hun", "hu"},
      {"tur", "tr"}, {"rus", "ru"}, {"ukr", "uk"}, {"ell", "el"}, {"gre", "el"}, {"ara", "ar"},
      {"heb", "he"}, {"hin", "hi"}, {"jpn", "ja"}, {"kor", "ko"}, {"zho", "zh"}, {"chi", "zh"},
  }};
  for (const auto &[three, two] : kShort)
    if (code == three) return two;
  return code == "und" ? "" : code;
}

Result<void> describe_entry(const Node &entry, Track &track) {
  track.codecs = codec_string(entry);
  if (track.codecs.empty())
    return fail(ErrorCode::bad_data,
                "The codec configuration of " + entry.type().text() + " is missing or broken.");
  if (const auto *visual = entry.as<VisualSampleEntry>()) {
    track.width = visual->width;
    track.height = visual->height;
    if (const auto *pasp = entry.get<PixelAspectRatio>(); pasp && pasp->h_spacing && pasp->v_spacing) {
      track.sar_width = pasp->h_spacing;
      track.sar_height = pasp->v_spacing;
    }
  }
  if (const auto *audio = entry.as<AudioSampleEntry>()) {
    track.sample_rate = audio->samplerate >> 16;
    track.channels = audio->channelcount;
  }
  return {};
}

} // namespace

Result<InitFacts> read_movie(const Node &moov) {
  const auto traks = std::count_if(moov.children.begin(), moov.children.end(),
                                   [](const Node &child) { return child.type() == FourCC("trak"); });
  if (traks != 1)
    return fail(ErrorCode::unsupported,
                "The moov has " + std::to_string(traks) + " tracks; a CMAF track file has one.");
  InitFacts facts;
  Track &track = facts.track;
  const Node &trak = *moov.child("trak");
  const auto *tkhd = trak.get<TrackHeader>();
  const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd");
  const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr");
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  if (!tkhd || !mdhd || !hdlr || !stsd || stsd->children.empty() || mdhd->timescale == 0)
    return fail(ErrorCode::bad_data, "The moov lacks one of tkhd, mdhd, hdlr, stsd, or its timescale is 0.");
  const std::string handler = hdlr->handler_type.text();
  if (handler == "vide")
    track.kind = Kind::video;
  else if (handler == "soun")
    track.kind = Kind::audio;
  else if (handler == "text" || handler == "subt")
    track.kind = Kind::text;
  else
    return fail(ErrorCode::unsupported, "A track of type " + handler + " cannot be published.");
  track.track_id = tkhd->track_id;
  track.timescale = mdhd->timescale;
  track.language = shortest_language(unpack_language(mdhd->language));
  if (const auto *elng = find_box<ExtendedLanguage>(trak, "mdia/elng"))
    track.language = elng->extended_language;
  if (auto described = describe_entry(stsd->children.front(), track); !described)
    return tl::unexpected(described.error());
  if (const auto *trex = find_box<TrackExtends>(moov, "mvex/trex"))
    facts.defaults = {trex->default_sample_duration, trex->default_sample_flags};
  else
    return fail(ErrorCode::unsupported, "The file is not fragmented: its moov has no mvex and trex.");
  return facts;
}

Result<InitFacts> read_init(Bytes init) {
  auto nodes = parse_boxes(init);
  if (!nodes) return tl::unexpected(nodes.error());
  for (const Node &node : *nodes)
    if (node.type() == FourCC("moov")) return read_movie(node);
  return fail(ErrorCode::bad_data, "The initialisation segment has no moov.");
}

Result<FragmentFacts> read_fragment(const Node &moof, const SampleDefaults &defaults) {
  const Node *traf = moof.child("traf");
  const auto *tfhd = traf ? traf->get<TrackFragmentHeader>() : nullptr;
  const auto *tfdt = traf ? traf->get<TrackFragmentDecodeTime>() : nullptr;
  constexpr auto kLatest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 4);
  if (!tfhd || !tfdt || tfdt->base_media_decode_time > kLatest)
    return fail(ErrorCode::bad_data, "The moof lacks a tfhd or a tfdt, or its time overflows.", moof.offset);
  FragmentFacts facts;
  facts.decode_time = static_cast<std::int64_t>(tfdt->base_media_decode_time);
  facts.first_presentation = std::numeric_limits<std::int64_t>::max();
  facts.end_presentation = std::numeric_limits<std::int64_t>::min();
  const std::uint32_t duration0 =
      tfhd->flags & TrackFragmentHeader::kDefaultDuration ? tfhd->default_sample_duration : defaults.duration;
  const std::uint32_t flags0 =
      tfhd->flags & TrackFragmentHeader::kDefaultFlags ? tfhd->default_sample_flags : defaults.flags;
  for (const Node &child : traf->children) {
    const auto *trun = child.as<TrackRun>();
    if (!trun) continue;
    for (std::uint32_t i = 0; i < trun->sample_count; ++i) {
      TrackRun::Sample sample = trun->has_samples() ? trun->samples[i] : TrackRun::Sample{};
      if (!(trun->flags & TrackRun::kDuration)) sample.duration = duration0;
      if (!(trun->flags & TrackRun::kFlags))
        sample.flags =
            i == 0 && (trun->flags & TrackRun::kFirstSampleFlags) ? trun->first_sample_flags : flags0;
      const std::int64_t shown = facts.decode_time + facts.duration + trun->offset_of(sample);
      facts.first_presentation = std::min(facts.first_presentation, shown);
      facts.end_presentation = std::max(facts.end_presentation, shown + sample.duration);
      const bool sync = SampleFlags::is_sync(sample.flags);
      if (facts.samples == 0) {
        facts.starts_with_sync = sync;
        facts.first_sample_duration = sample.duration;
      }
      facts.constant_duration = facts.constant_duration && sample.duration == facts.first_sample_duration;
      facts.last_sample_duration = sample.duration;
      facts.has_sync = facts.has_sync || sync;
      facts.duration += sample.duration;
      ++facts.samples;
      // Runs without fields per sample can claim 2^32 samples: what follows cannot change the facts, only
      // cost time.
      if (!trun->has_samples() && i >= 1) {
        const std::uint64_t left = trun->sample_count - i - 1;
        facts.samples += left;
        facts.duration += static_cast<std::int64_t>(left) * duration0;
        facts.end_presentation = facts.decode_time + facts.duration;
        break;
      }
    }
  }
  if (facts.samples == 0) facts.first_presentation = facts.end_presentation = facts.decode_time;
  return facts;
}

} // namespace hull::publish
