#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/sample.h"

#include <map>

namespace hull::isobmff {
namespace {

using Make = std::unique_ptr<Box> (*)(FourCC type);
using Key = std::pair<std::uint32_t, std::uint32_t>; // type, parent
using Registry = std::map<Key, Make>;

template <class T> std::unique_ptr<Box> make_typed(FourCC type) {
  std::unique_ptr<Box> box = std::make_unique<T>();
  box->type = type; // one class may stand for several types
  return box;
}
template <> std::unique_ptr<Box> make_typed<Container>(FourCC type) {
  return std::make_unique<Container>(type);
}

constexpr FourCC kAny{};
constexpr FourCC kStsd{"stsd"};

template <class T> void add(Registry &registry) {
  registry[{T::kType.value, kAny.value}] = make_typed<T>;
}
template <class T> void add(Registry &registry, FourCC parent, std::initializer_list<FourCC> types) {
  for (const FourCC type : types)
    registry[{type.value, parent.value}] = make_typed<T>;
}
template <class... T> void add_all(Registry &registry) {
  (add<T>(registry), ...);
}

void add_containers(Registry &registry) {
  add<Container>(registry, kAny, {"moov", "trak", "tref", "edts", "mdia", "minf", "dinf", "stbl",
                                  "mvex", "moof", "traf", "mfra", "udta", "sinf", "schi", "rinf",
                                  "wave", "gmhd", "ilst", "vttc", "vtte", "vttx", "trgr"});
  add<Container>(registry, "gmhd", {"tmcd"});
  add<Container>(registry, "ilst", {"----"});
}

void add_sample_entries(Registry &registry) {
  add<VisualSampleEntry>(registry, kStsd,
                         {"avc1", "avc2", "avc3", "avc4", "hvc1", "hev1", "hvc2", "hev2", "dvh1",
                          "dvhe", "dva1", "dvav", "vvc1", "vvi1", "av01", "vp08", "vp09", "mp4v",
                          "encv", "s263", "jpeg", "mjpa", "mjpb", "apcn", "apch", "apcs", "apco",
                          "ap4h", "ap4x", "2vuy", "v210", "uncv", "png "});
  add<AudioSampleEntry>(registry, kStsd, {"mp4a", "Opus", "fLaC", "ac-3", "ec-3", "ac-4", ".mp3", "enca",
                                          "alac", "samr", "sawb", "twos", "sowt", "lpcm", "in24", "in32",
                                          "fl32", "fl64", "ulaw", "alaw", "ipcm", "fpcm", "mha1", "mhm1"});
  add<PlainSampleEntry>(registry, kStsd, {"wvtt", "enct"});
  add<SubtitleSampleEntry>(registry, kStsd, {"stpp"});
  add<TimecodeSampleEntry>(registry, kStsd, {"tmcd"});
}

Registry make_registry() {
  Registry registry;
  add_containers(registry);
  add_sample_entries(registry);
  add_all<FileType, SegmentType, FreeSpace, SegmentIndex, SubsegmentIndex, ProducerReferenceTime,
          EventMessage>(registry);
  add_all<MovieHeader, TrackHeader, EditList, MediaHeader, Handler, ExtendedLanguage, VideoMediaHeader,
          SoundMediaHeader, SubtitleMediaHeader, NullMediaHeader, GenericMediaInfo, TimecodeMediaInfo,
          DataReference, DataEntryUrl, MovieExtendsHeader, TrackExtends, TrackKind>(registry);
  add_all<SampleDescription, TimeToSample, CompositionOffset, CompositionToDecode, SampleToChunk, SampleSize,
          CompactSampleSize, ChunkOffset, ChunkLargeOffset, SyncSample, SampleDependency,
          SampleGroupDescription, SampleToGroup, SubSampleInformation>(registry);
  add_all<VpCodecConfiguration, Av1CodecConfiguration, ElementaryStreamDescriptor, BitRate, ColourInformation,
          PixelAspectRatio, CleanAperture, MasteringDisplayColourVolume, ContentLightLevel, FieldOrder,
          OpusSpecific, FlacSpecific, Ac3Specific, Ec3Specific, CueSourceId>(registry);
  add_all<MovieFragmentHeader, TrackFragmentHeader, TrackFragmentDecodeTime, TrackRun,
          TrackFragmentRandomAccess, MovieFragmentRandomAccessOffset>(registry);
  add_all<OriginalFormat, SchemeType, TrackEncryption, SampleEncryption, ProtectionSystemHeader,
          SampleAuxiliaryInfoSizes, SampleAuxiliaryInfoOffsets>(registry);
  add_all<Meta, TagData, MetadataKeys>(registry);
  add<FreeSpace>(registry, kAny, {"skip"});
  add<CodecConfiguration>(registry, kAny,
                          {"avcC", "hvcC", "lhvC", "vvcC", "dvcC", "dvvC", "dvwC", "dac4", "mhaC", "glbl"});
  add<TextBox>(registry, kAny, {"vttC", "vlab", "iden", "ctim", "sttg", "payl", "vtta"});
  add<TagName>(registry, "----", {"mean", "name"});
  add<LocalizedText>(registry, "udta", {"cprt", "titl", "auth", "dscp", "gnre", "perf"});
  return registry;
}

const Registry &registry() {
  static const Registry made = make_registry();
  return made;
}

// QuickTime's meta has no version: its first child, hdlr, begins where ISO's version stands.
bool is_quicktime_meta(Bytes payload) {
  return payload.size() < 4 ||
         (payload.size() >= 8 && load_be(payload.data() + 4, 4) == FourCC("hdlr").value);
}

} // namespace

std::unique_ptr<Box> make_box(FourCC type, FourCC parent, Bytes payload) {
  if (type == Meta::kType) return std::make_unique<Meta>(is_quicktime_meta(payload));
  const Registry &known = registry();
  if (const auto found = known.find({type.value, parent.value}); found != known.end())
    return found->second(type);
  if (parent == FourCC("ilst")) return std::make_unique<Container>(type); // tags name themselves
  if (parent == FourCC("tref")) return std::make_unique<TrackReferences>(type);
  if (parent == kStsd) return nullptr; // an entry's type may be some other box's elsewhere
  if (const auto found = known.find({type.value, kAny.value}); found != known.end())
    return found->second(type);
  return nullptr;
}

std::vector<Registered> registered_boxes() {
  std::vector<Registered> list;
  for (const auto &[key, make] : registry())
    list.push_back({FourCC(key.first), FourCC(key.second)});
  list.push_back({"cdsc", "tref"});
  return list;
}

} // namespace hull::isobmff
