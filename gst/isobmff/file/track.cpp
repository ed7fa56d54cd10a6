#include "gst/isobmff/file/track.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/quicktime.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/file/roll.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

std::uint32_t fixed_16_16(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0xffff) << 16);
}

void add_media_header(Node &minf, const TrackConfig &track) {
  switch (track.media) {
  case Media::video:
    minf.add<VideoMediaHeader>();
    break;
  case Media::audio:
    minf.add<SoundMediaHeader>();
    break;
  case Media::subtitle:
    minf.add<SubtitleMediaHeader>();
    break;
  case Media::text:
    minf.add<NullMediaHeader>();
    break;
  case Media::chapters: {
    Node &gmhd = minf.add("gmhd");
    gmhd.add<GenericMediaInfo>();
    gmhd.add<TextMediaInfo>();
    break;
  }
  case Media::timecode:
    if (!track.quicktime) { // the base format has no header of its own for it
      minf.add<NullMediaHeader>();
      break;
    }
    Node &gmhd = minf.add("gmhd");
    gmhd.add<GenericMediaInfo>();
    Node &tmcd = gmhd.add("tmcd");
    tmcd.add<TimecodeMediaInfo>();
    break;
  }
}

FourCC handler_of(Media media) {
  switch (media) {
  case Media::video:
    return "vide";
  case Media::audio:
    return "soun";
  case Media::text:
  case Media::chapters:
    return "text";
  case Media::subtitle:
    return "subt";
  case Media::timecode:
    break;
  }
  return "tmcd";
}

const char *default_handler_name(Media media) {
  switch (media) {
  case Media::video:
    return "VideoHandler";
  case Media::audio:
    return "SoundHandler";
  case Media::text:
  case Media::subtitle:
    return "TextHandler";
  case Media::chapters:
    return "ChapterHandler";
  case Media::timecode:
    break;
  }
  return "TimeCodeHandler";
}

// QuickTime's handlers say whether they handle media or data, and count their name instead of ending it.
Node quicktime_handler(FourCC component, FourCC subtype, const std::string &name) {
  ByteVector payload;
  append_be(payload, 4, 0);
  append_be(payload, 4, component.value);
  append_be(payload, 4, subtype.value);
  for (int i = 0; i < 3; ++i)
    append_be(payload, 4, 0);
  payload.push_back(static_cast<std::uint8_t>(std::min<std::size_t>(name.size(), 255)));
  payload.insert(payload.end(), name.begin(), name.begin() + payload.back());
  return Node(Opaque("hdlr", std::move(payload)));
}

Node media_box(const TrackConfig &track, std::uint64_t duration, std::uint64_t creation_time) {
  Node mdia("mdia");
  auto &mdhd = mdia.add<MediaHeader>();
  mdhd.creation_time = mdhd.modification_time = creation_time;
  mdhd.timescale = track.timescale;
  mdhd.duration = duration;
  mdhd.language = pack_language(track.language);
  const std::string name =
      track.handler_name.empty() ? default_handler_name(track.media) : track.handler_name;
  if (track.quicktime) {
    mdia.add(quicktime_handler("mhlr", handler_of(track.media), name));
  } else {
    auto &hdlr = mdia.add<Handler>();
    hdlr.handler_type = handler_of(track.media);
    hdlr.name = name;
  }
  if (track.language.size() != 3) mdia.add<ExtendedLanguage>().extended_language = track.language;
  Node &minf = mdia.add("minf");
  add_media_header(minf, track);
  if (track.quicktime) minf.add(quicktime_handler("dhlr", "url ", "DataHandler"));
  Node &dinf = minf.add("dinf");
  Node &dref = dinf.add(Node(DataReference{}));
  dref.add<DataEntryUrl>();
  Node &stbl = minf.add("stbl");
  Node &stsd = stbl.add(Node(SampleDescription{}));
  for (const SampleFormat &format : track.formats)
    stsd.add(format.entry_box());
  return mdia;
}

// Display size: width scaled by the pixel aspect ratio, ISO/IEC 14496-12 8.3.2.
void set_size(TrackHeader &tkhd, const TrackConfig &track) {
  if (track.media != Media::video || track.formats.empty()) return;
  const SampleFormat &format = track.formats.front();
  const std::uint64_t numerator = std::max<std::uint32_t>(format.par_numerator, 1);
  const std::uint64_t denominator = std::max<std::uint32_t>(format.par_denominator, 1);
  const std::uint64_t wide = (std::uint64_t{format.width} << 16) * numerator / denominator;
  tkhd.width = static_cast<std::uint32_t>(std::min<std::uint64_t>(wide, 0xffffffffu));
  tkhd.height = fixed_16_16(format.height);
}

} // namespace

Node track_box(const TrackConfig &track, std::uint64_t movie_duration, std::uint64_t media_duration,
               std::uint64_t creation_time) {
  Node trak("trak");
  auto &tkhd = trak.add<TrackHeader>();
  tkhd.creation_time = tkhd.modification_time = creation_time;
  tkhd.track_id = track.id;
  tkhd.duration = movie_duration;
  tkhd.volume = track.media == Media::audio ? 0x100 : 0;
  if (track.media == Media::timecode) tkhd.flags = TrackHeader::kInMovie; // nothing to show
  if (!track.enabled) tkhd.flags &= ~TrackHeader::kEnabled;
  tkhd.alternate_group = track.alternate_group;
  tkhd.matrix = track.matrix;
  set_size(tkhd, track);
  if (track.chapter_or_timecode) {
    Node &tref = trak.add("tref");
    tref.add(TrackReferences("tmcd")).track_ids = {*track.chapter_or_timecode};
  }
  trak.add(media_box(track, media_duration, creation_time));
  for (const Opaque &box : track.extra)
    trak.add(Node(box));
  if (!track.kind_scheme.empty()) {
    Node *udta = trak.child("udta");
    if (!udta) udta = &trak.add("udta");
    auto &kind = udta->add<TrackKind>();
    kind.scheme_uri = track.kind_scheme;
    kind.value = track.kind_value;
  }
  return trak;
}

std::uint32_t movie_timescale(const std::vector<TrackConfig> &tracks) {
  const auto sound = std::ranges::find(tracks, Media::audio, &TrackConfig::media);
  return sound != tracks.end() && sound->timescale > 0 ? sound->timescale : 1000;
}

Node file_type_box(const InitOptions &options) {
  FileType ftyp;
  ftyp.major_brand = options.major_brand;
  ftyp.minor_version = options.minor_version;
  ftyp.compatible_brands = options.compatible_brands;
  return Node(std::move(ftyp));
}

Node init_movie_box(const std::vector<TrackConfig> &tracks, const InitOptions &options) {
  Node moov("moov");
  auto &mvhd = moov.add<MovieHeader>();
  mvhd.creation_time = mvhd.modification_time = options.creation_time;
  mvhd.timescale = movie_timescale(tracks);
  for (const TrackConfig &track : tracks) {
    mvhd.next_track_id = std::max(mvhd.next_track_id, track.id + 1);
    Node trak = track_box(track, 0, 0, options.creation_time);
    const std::int64_t delay = options.cmaf ? 0 : rescale(track.delay, movie_timescale(tracks), kNanoseconds);
    if (track.priming > 0 || delay > 0) {
      Node edts("edts");
      auto &elst = edts.add<EditList>();
      if (delay > 0) elst.entries.push_back({static_cast<std::uint64_t>(delay), -1, 1, 0});
      elst.entries.push_back({0, track.priming, 1, 0});
      auto place = std::find_if(trak.children.begin(), trak.children.end(),
                                [](const Node &child) { return child.type() == FourCC("mdia"); });
      trak.children.insert(place, std::move(edts));
    }
    Node &stbl = *find(trak, "mdia/minf/stbl");
    stbl.add<TimeToSample>();
    stbl.add<SampleToChunk>();
    stbl.add<SampleSize>();
    stbl.add<ChunkOffset>();
    if (track.roll_distance != 0) stbl.add(roll_description(track.roll_distance));
    moov.add(std::move(trak));
  }
  Node &mvex = moov.add("mvex");
  if (options.fragment_duration.value_or(0) > 0)
    mvex.add<MovieExtendsHeader>().fragment_duration = *options.fragment_duration;
  for (const TrackConfig &track : tracks)
    mvex.add<TrackExtends>().track_id = track.id;
  for (const Opaque &box : options.movie_boxes)
    moov.add(Node(box));
  return moov;
}

} // namespace hull::isobmff
