#include "gst/isobmff/track.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes_entry.h"
#include "gst/isobmff/boxes_file.h"
#include "gst/isobmff/boxes_fragment.h"
#include "gst/isobmff/boxes_sample.h"
#include "gst/isobmff/crypt.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

std::uint32_t fixed_16_16(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0xffff) << 16);
}

Node visual_entry(const SampleFormat &format) {
  VisualSampleEntry entry(format.entry);
  entry.width = format.width;
  entry.height = format.height;
  Node node(std::move(entry));
  for (const Opaque &box : format.codec_boxes)
    node.add(Node(box));
  if (format.colour) {
    auto &colr = node.add<ColourInformation>();
    colr.colour_primaries = format.colour->primaries;
    colr.transfer_characteristics = format.colour->transfer;
    colr.matrix_coefficients = format.colour->matrix;
    colr.full_range_flag = format.colour->full_range;
  }
  if (format.par_numerator != format.par_denominator) {
    auto &pasp = node.add<PixelAspectRatio>();
    pasp.h_spacing = format.par_numerator;
    pasp.v_spacing = format.par_denominator;
  }
  for (const Opaque &box : format.picture_boxes)
    node.add(Node(box));
  return node;
}

Node sound_entry(const SampleFormat &format) {
  AudioSampleEntry entry(format.entry);
  entry.channelcount = format.channels;
  entry.samplesize = format.sample_bits;
  // A rate beyond 16 bits does not fit 16.16 and stands in the codec's record alone.
  entry.samplerate = format.sample_rate <= 0xffff ? format.sample_rate << 16 : 0;
  Node node(std::move(entry));
  for (const Opaque &box : format.codec_boxes)
    node.add(Node(box));
  return node;
}

void add_media_header(Node &minf, Media media) {
  switch (media) {
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
  case Media::timecode:
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
  case Media::timecode:
    break;
  }
  return "TimeCodeHandler";
}

Node media_box(const TrackConfig &track, std::uint64_t duration, std::uint64_t creation_time) {
  Node mdia("mdia");
  auto &mdhd = mdia.add<MediaHeader>();
  mdhd.creation_time = mdhd.modification_time = creation_time;
  mdhd.timescale = track.timescale;
  mdhd.duration = duration;
  mdhd.language = pack_language(track.language);
  auto &hdlr = mdia.add<Handler>();
  hdlr.handler_type = handler_of(track.media);
  hdlr.name = track.handler_name.empty() ? default_handler_name(track.media) : track.handler_name;
  if (track.language.size() != 3) mdia.add<ExtendedLanguage>().extended_language = track.language;
  Node &minf = mdia.add("minf");
  add_media_header(minf, track.media);
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

Result<Opaque> packed(Node node) {
  auto bytes = write_tree(node);
  if (!bytes) return tl::unexpected(bytes.error());
  auto header = read_box_header(*bytes, bytes->size());
  if (!header) return tl::unexpected(header.error());
  bytes->erase(bytes->begin(), bytes->begin() + header->header_size);
  return Opaque(node.type(), std::move(*bytes));
}

Node SampleFormat::entry_box() const {
  Node node;
  if (sample_rate)
    node = sound_entry(*this);
  else if (width)
    node = visual_entry(*this);
  else if (entry == SubtitleSampleEntry::kType) {
    SubtitleSampleEntry stpp;
    stpp.namespaces = text_namespace;
    node = Node(std::move(stpp));
  } else if (entry == TimecodeSampleEntry::kType) {
    return Node(codec_boxes.front());
  } else {
    node = Node(PlainSampleEntry(entry));
    for (const Opaque &box : codec_boxes)
      node.add(Node(box));
  }
  if (average_bitrate || maximum_bitrate) {
    auto &btrt = node.add<BitRate>();
    btrt.avg_bitrate = average_bitrate;
    btrt.max_bitrate = std::max(average_bitrate, maximum_bitrate);
  }
  if (protection) protect_sample_entry(node, *protection);
  return node;
}

Node track_box(const TrackConfig &track, std::uint64_t movie_duration, std::uint64_t media_duration,
               std::uint64_t creation_time) {
  Node trak("trak");
  auto &tkhd = trak.add<TrackHeader>();
  tkhd.creation_time = tkhd.modification_time = creation_time;
  tkhd.track_id = track.id;
  tkhd.duration = movie_duration;
  tkhd.volume = track.media == Media::audio ? 0x100 : 0;
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
  mvhd.timescale = 1000;
  for (const TrackConfig &track : tracks) {
    mvhd.next_track_id = std::max(mvhd.next_track_id, track.id + 1);
    Node trak = track_box(track, 0, 0, options.creation_time);
    const std::int64_t delay_ms = options.cmaf ? 0 : rescale(track.delay, 1000, kNanoseconds);
    if (track.priming > 0 || delay_ms > 0) {
      Node edts("edts");
      auto &elst = edts.add<EditList>();
      if (delay_ms > 0) elst.entries.push_back({static_cast<std::uint64_t>(delay_ms), -1, 1, 0});
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

// ISO/IEC 23000-19 annexes A, B and 10. A profile is named only where its limits hold: what is not known here
// (HEVC tiers, HE-AAC) goes unnamed.
std::vector<FourCC> cmaf_profile_brands(const TrackConfig &track) {
  if (track.formats.empty()) return {};
  const SampleFormat &format = track.formats.front();
  if (format.entry == FourCC("avc1") || format.entry == FourCC("avc3")) {
    const auto &avcc = format.codec_boxes.front().data;
    if (avcc.size() < 4 || (avcc[1] != 66 && avcc[1] != 77 && avcc[1] != 100)) return {};
    const Colour colour = format.colour.value_or(Colour{1, 1, 1, false});
    const bool bt709 = colour.primaries == 1 || colour.primaries == 2;
    const bool bt601 = colour.primaries == 5 || colour.primaries == 6;
    if (colour.full_range || (!bt709 && !bt601)) return {};
    if (avcc[3] <= 31 && format.width <= 864 && format.height <= 576) return {"cfsd"};
    if (!bt709) return {};
    if (avcc[3] <= 40 && format.width <= 1920 && format.height <= 1080) return {"cfhd"};
    if (avcc[3] <= 42 && format.width <= 1920 && format.height <= 1080) return {"chdf"};
    return {};
  }
  if (format.entry == FourCC("mp4a") && format.channels <= 2 && format.sample_rate <= 48'000) return {"caac"};
  if (format.entry == FourCC("ec-3")) return {"ceac"};
  if (format.entry == FourCC("av01")) return {"av01"};
  if (format.entry == FourCC("wvtt")) return {"cwvt"};
  if (format.entry == FourCC("stpp")) return {"im1t"};
  return {};
}

// Track run of one track's samples. Duration, size and flags go to tfhd where one value holds for all of
// them.
static void add_track_fragment(Node &moof, const std::vector<Sample> &run, const FragmentTrack &track) {
  Node &traf = moof.add("traf");
  auto &tfhd = traf.add<TrackFragmentHeader>();
  tfhd.track_id = track.id;
  tfhd.flags |= TrackFragmentHeader::kSampleDescriptionIndex | TrackFragmentHeader::kDefaultDuration |
                TrackFragmentHeader::kDefaultFlags;
  tfhd.sample_description_index = track.sample_description_index;
  const auto flags_of = [](const Sample &sample) {
    return sample.sync         ? SampleFlags::kSync
           : sample.disposable ? SampleFlags::kDisposable
                               : SampleFlags::kNonSync;
  };
  const Sample &first = run.front();
  const Sample &second = run.size() > 1 ? run[1] : first;
  tfhd.default_sample_duration = first.duration;
  tfhd.default_sample_flags = flags_of(second);
  bool same_duration = true, same_size = true, same_flags = true, negative = false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    same_duration &= run[i].duration == first.duration;
    same_size &= run[i].size == first.size;
    negative |= run[i].composition_offset < 0;
    same_flags &= i == 0 || flags_of(run[i]) == tfhd.default_sample_flags;
  }
  if (same_size) {
    tfhd.flags |= TrackFragmentHeader::kDefaultSize;
    tfhd.default_sample_size = first.size;
  }
  traf.add<TrackFragmentDecodeTime>().base_media_decode_time = static_cast<std::uint64_t>(first.decode_time);
  auto &trun = traf.add<TrackRun>();
  trun.version = track.composition_offsets && (track.signed_offsets || negative) ? 1 : 0;
  trun.flags = TrackRun::kDataOffset;
  if (!same_duration) trun.flags |= TrackRun::kDuration;
  if (!same_size) trun.flags |= TrackRun::kSize;
  if (!same_flags)
    trun.flags |= TrackRun::kFlags;
  else if (flags_of(first) != tfhd.default_sample_flags)
    trun.flags |= TrackRun::kFirstSampleFlags;
  trun.first_sample_flags = flags_of(first);
  if (track.composition_offsets) trun.flags |= TrackRun::kCompositionOffset;
  trun.sample_count = static_cast<std::uint32_t>(run.size());
  if (trun.has_samples())
    for (const Sample &sample : run)
      trun.samples.push_back({sample.duration, sample.size, flags_of(sample), sample.composition_offset});
  if (track.complete) track.complete(traf);
}

Result<FragmentHeader> fragment_header(std::uint32_t sequence_number, const Chunk &chunk,
                                       const std::vector<FragmentTrack> &tracks) {
  FragmentHeader made;
  Node &moof = made.moof = Node("moof");
  moof.add<MovieFragmentHeader>().sequence_number = sequence_number;
  std::uint64_t &data_size = made.data_size;
  for (const auto &run : chunk.runs)
    for (const Sample &sample : run)
      data_size += sample.size;
  for (std::size_t i = 0; i < tracks.size(); ++i)
    if (!chunk.runs[i].empty()) add_track_fragment(moof, chunk.runs[i], tracks[i]);

  auto moof_size = tree_size(moof);
  if (!moof_size) return tl::unexpected(moof_size.error());
  const bool large = data_size + 8 > 0xffffffffu;
  std::uint64_t offset = *moof_size + (large ? 16 : 8);
  std::size_t traf_number = 0;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (chunk.runs[i].empty()) continue;
    if (offset > 0x7fffffffu)
      return fail(ErrorCode::unsupported, "A movie fragment of more than 2 GiB cannot name where its samples "
                                          "are: set fragment-duration or chunk-duration to less.");
    Node *traf = find(moof, "traf[" + std::to_string(traf_number++) + "]");
    traf->get<TrackRun>()->data_offset = static_cast<std::int32_t>(offset);
    for (const Sample &sample : chunk.runs[i])
      offset += sample.size;
  }
  if (std::ranges::any_of(tracks, [](const FragmentTrack &track) { return bool(track.complete); }))
    if (auto placed = set_senc_offsets(moof); !placed) return tl::unexpected(placed.error());
  auto bytes = write_tree(moof);
  if (!bytes) return tl::unexpected(bytes.error());
  append_box_header(*bytes, "mdat", data_size, large);
  made.moof_size = *moof_size;
  made.bytes = std::move(*bytes);
  return made;
}

} // namespace hull::isobmff
