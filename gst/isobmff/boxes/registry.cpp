#include "gst/isobmff/boxes/codec.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/quicktime.h"
#include "gst/isobmff/boxes/sample.h"

#include <algorithm>
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

// Boxes of one number: how many bits, and how many of them are a fraction.
template <unsigned kBits, unsigned kFraction> std::unique_ptr<Box> make_number(FourCC type) {
  return std::make_unique<NumberBox>(type, kBits, kFraction);
}
template <unsigned kBits> std::unique_ptr<Box> make_full_number(FourCC type) {
  return std::make_unique<FullNumber>(type, kBits);
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

void add_makers(Registry &registry, FourCC parent, Make make, std::initializer_list<FourCC> types) {
  for (const FourCC type : types)
    registry[{type.value, parent.value}] = make;
}

void add_containers(Registry &registry) {
  add<Container>(registry, kAny,
                 {"moov", "trak", "tref", "edts", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf",
                  "mfra", "udta", "sinf", "schi", "rinf", "wave", "gmhd", "ilst", "vttc", "vtte", "vttx",
                  "trgr", "tapt", "iprp", "ipco", "grpl", "etyp", "otyp", "hnti", "hinf", "strk", "strd",
                  "ludt", "jp2h", "cinf", "axte", "mpvd", "meco", "res ", "sdpd", "ctps", "povd", "pinf"});
  add<Container>(registry, "gmhd", {"tmcd"});
  add<Container>(registry, "ilst", {"----"});
  add<Container>(registry, "mebx", {"keys"});
  add<Container>(registry, kAny, {"vexu", "eyes", "cams", "cmfy", "proj", "pack", "sv3d"});
}

void add_visual_entries(Registry &registry) {
  add<VisualSampleEntry>(
      registry, kStsd,
      {"avc1", "avc2", "avc3", "avc4", "svc1", "svc2", "mvc1", "mvc2", "mvc3", "mvc4", "hvc1", "hev1",
       "hvc2", "hev2", "hvc3", "hev3", "hvt1", "hvt2", "lhv1", "lhe1", "vvc1", "vvi1", "vvcN", "vvs1",
       "evc1", "lvc1", "apv1", "dvh1", "dvhe", "dva1", "dvav", "dav1", "av01", "vp08", "vp09", "mp4v",
       "encv", "resv", "drmi", "s263", "h263", "mjp2", "jpeg", "mjpa", "mjpb", "apcn", "apch", "apcs",
       "apco", "ap4h", "ap4x", "aprn", "aprh", "2vuy", "yuv2", "v210", "v216", "v308", "v408", "v410",
       "j420", "uncv", "png ", "tiff", "gif ", "rle ", "rpza", "smc ", "cvid", "SVQ1", "SVQ3", "dvc ",
       "dvcp", "dvpp", "dvh5", "dvhp", "AVdn", "AVdh", "mx5p", "FFV1", "CRAW", "icpv"});
}

void add_audio_entries(Registry &registry) {
  add<AudioSampleEntry>(registry, kStsd,
                        {"mp4a", "Opus", "fLaC", "ac-3", "ec-3", "ac-4", ".mp3", "enca", "alac", "samr",
                         "sawb", "sawp", "sevc", "sqcp", "ssmv", "twos", "sowt", "lpcm", "in24", "in32",
                         "fl32", "fl64", "ulaw", "alaw", "MAC3", "MAC6", "ima4", "agsm", "QDM2", "QDMC",
                         "ipcm", "fpcm", "mha1", "mha2", "mhm1", "mhm2", "iamf", "mlpa", "dtsc", "dtsh",
                         "dtsl", "dtse", "dtsx", "dtsy", "m4ae", "wma ", "drms", "resa"});
}

void add_sample_entries(Registry &registry) {
  add_visual_entries(registry);
  add_audio_entries(registry);
  add<PlainSampleEntry>(
      registry, kStsd,
      {"wvtt", "enct", "mp4s", "encs", "encm", "c608", "c708", "mebx", "urim", "amf0", "evte"});
  add<SubtitleSampleEntry>(registry, kStsd, {"stpp"});
  add<TimecodeSampleEntry>(registry, kStsd, {"tmcd"});
  add<TextualSampleEntry>(registry, kStsd, {"mett", "metx", "sbtt", "stxt"});
  add<TimedTextSampleEntry>(registry, kStsd, {"tx3g"});
  add<TextSampleEntry>(registry, kStsd, {"text"});
  add<RtpHintSampleEntry>(registry, kStsd, {"rtp ", "srtp", "rrtp", "rtcp"});
  add<DataSampleEntry>(registry, kStsd, {"gpmd", "fdsc", "it35", "camm", "CTMD"});
  add<FreeSpace>(registry, kStsd, {"free", "skip"});
}

void add_entry_boxes(Registry &registry) {
  add_all<VpCodecConfiguration, Av1CodecConfiguration, ElementaryStreamDescriptor, BitRate, ColourInformation,
          PixelAspectRatio, CleanAperture, MasteringDisplayColourVolume, ContentLightLevel, FieldOrder,
          OpusSpecific, FlacSpecific, Ac3Specific, Ec3Specific, CueSourceId, FontTable>(registry);
  add_all<PcmConfiguration, AmrSpecific, MpegHConfiguration, MpegHProfiles, IamfConfiguration, MlpSpecific,
          DtsSpecific, ChannelLayout, AudioChannelLayout, H263Specific, CodingConstraints,
          AmbientViewingEnvironment, ContentColourVolume, ChromaLocation, ComponentDefinition,
          UncompressedFrameConfig, ComponentChromaLocation, TaiClockInfo, ProjectionHeader,
          EquirectangularProjection, CubemapProjection, SpatialAudio, Jpeg2000Signature, Jpeg2000ImageHeader>(
      registry);
  add<AlacSpecific>(registry, kAny, {"alac"});
  add<FieldOrder>(registry, kAny, {"orfo"}); // of the pictures before they were coded
  add<Jpeg2000Colour>(registry, "jp2h", {"colr"});
  add<CodecConfiguration>(registry, kAny,
                          {"avcC", "hvcC", "lhvC", "svcC", "mvcC", "hvtC", "evcC", "dvcC", "dvvC",
                           "dvwC", "vvcC", "lvcC", "jpgC", "dac4", "glbl", "wfex", "udts", "avcn",
                           "m4ds", "seib", "vsib", "CMP1", "j2kH", "!mov", "!mof", "!six", "!ssx"});
  add<FullConfiguration>(registry, kAny,
                         {"vvnC", "apvC", "svmC", "oinf", "tlou", "alou", "uriI", "assp", "dmix", "trik",
                          "splz", "sbpm", "cpat", "snuc", "vwid", "rwpk", "covi"});
  add_all<CompressionConfiguration, CompressedUnits>(registry);
  add<FullText>(registry, kAny, {"auxi", "mime", "txtC", "uri ", "svhd"});
  add<FullCodes>(registry, kAny, {"prji", "pkin", "must", "jp2p"});
  add_makers(registry, kAny, make_full_number<8>, {"st3d", "hero", "prfr"});
  add_makers(registry, "eyes", make_full_number<8>, {"stri"});
  add_makers(registry, kAny, make_full_number<32>, {"srat", "blin", "dadj"});
  add_makers(registry, kAny, make_number<32, 0>, {"hfov", "tims", "rssr", "sdpi", "jsub"});
  add_makers(registry, kAny, make_number<32, 16>, {"gama"});
  add_makers(registry, kAny, make_number<32, 0>, {"tsro", "snro"});
  add_makers(registry, kAny, make_number<8, 0>, {"tssy"});
  add<TextBox>(registry, kAny, {"vttC", "vlab", "iden", "ctim", "sttg", "payl", "vtta"});
}

// What FairPlay and ISMA keep beside schm.
void add_scheme_boxes(Registry &registry) {
  constexpr FourCC kSchi{"schi"};
  add_makers(registry, kSchi, make_number<32, 0>, {"user", "key "});
  add<CodecConfiguration>(registry, kSchi, {"iviv", "priv", "righ", "cert", "chtb"});
  add<TextBox>(registry, kSchi, {"name"});
  add<CodecConfiguration>(registry, "pinf", {"sign"});
  add<FullText>(registry, kSchi, {"iKMS"});
  add<FullConfiguration>(registry, kSchi, {"iSFM"});
  add_makers(registry, kSchi, make_number<64, 0>, {"iSLT"});
}

void add_item_boxes(Registry &registry) {
  add_all<PrimaryItem, ItemLocation, ItemInfo, ItemInfoEntry, ItemReferences, ItemProtection, ItemData,
          ItemPropertyAssociation, XmlBox, BinaryXml>(registry);
  add_all<ImageSpatialExtents, PixelInformation, ImageRotation, ImageMirror, AuxiliaryType, RelativeLocation,
          ImageScaling, LayerSelector, TargetOls, RequiredReferenceTypes, UserDescription, AccessibilityText,
          Av1OperatingPoint, Av1LayeredImage, CameraIntrinsics, CameraExtrinsics>(registry);
  add<ItemTime>(registry, "ipco", {"crtt", "mdft"});
  add<ByteProperty>(registry, "ipco", {"mskC", "wipe", "fade", "splt", "stpe"});
}

// CR3: the camera's name, TIFF directories and JPEG pictures.
void add_canon_boxes(Registry &registry) {
  add<TextBox>(registry, "uuid", {"CNCV"});
  add<CodecConfiguration>(registry, "uuid", {"CMT1", "CMT2", "CMT3", "CMT4", "THMB", "PRVW", "CCTP", "CTBO"});
}

void add_user_boxes(Registry &registry) {
  constexpr FourCC kUdta{"udta"};
  add_all<Meta, TagData, MetadataKeys, Id3Tag, LocationInformation, RecordingYear, AlbumTitle, ChapterList,
          WindowsProperties, HighlightTags, TrackSelection, MetadataKeyDeclaration, MetadataDatatype>(
      registry);
  add<TagName>(registry, "----", {"mean", "name"});
  add<TagName>(registry, "covr", {"name"});
  add<LocalizedText>(registry, kUdta, {"cprt", "titl", "auth", "dscp", "gnre", "perf", "swre"});
  add<ClassifiedText>(registry, kUdta, {"rtng", "clsf"});
  add<Keywords>(registry, kUdta, {"kywd"});
  add<TextBox>(registry, kUdta, {"name", "date", "clfn", "XMP_", "SDLN", "smrd", "FIRM", "LENS"});
  add<CodecConfiguration>(registry, kUdta, {"CAME", "GUMI", "MUID", "GPMF", "thmb"});
  add_makers(registry, kUdta, make_number<32, 0>, {"WLOC"});
  add<FullContainer>(registry, kUdta, {"smta"});
  add<TextBox>(registry, "smta", {"mdln"});
  add<CodecConfiguration>(registry, kAny, {"sefd"}); // Samsung's trailer
  add_canon_boxes(registry);
  add<TextBox>(registry, "hnti", {"sdp "});
  add<MovieHints>(registry, "hnti", {"rtp "});
  add_all<HintPayload, HintMaximumRate>(registry);
  add_makers(registry, "hinf", make_number<64, 0>, {"trpy", "nump", "tpyl", "dmed", "dimm", "drep"});
  add_makers(registry, "hinf", make_number<32, 0>, {"totl", "npck", "tpay", "tmin", "tmax", "pmax", "dmax"});
  add<FullText>(registry, "mebx", {"mime"});
  add<TextBox>(registry, kAny, {"loca"});
  add<CodecConfiguration>(registry, kAny, {"setu"});
}

void add_quicktime_boxes(Registry &registry) {
  add_all<TrackLoad>(registry);
  add<TrackAperture>(registry, "tapt", {"clef", "prof", "enof"});
  add<TextMediaInfo>(registry, "gmhd", {"text"});
  add<CodecConfiguration>(registry, "gmhd", {"gpmd", "fdsc"});
  add<DataEntryAlias>(registry, "dref", {"alis", "rsrc", "cios", "imdt", "snim"});
  add<Terminator>(registry, "wave", {FourCC(0u)});
  add_makers(registry, "wave", make_number<16, 0>, {"enda"});
  add_makers(registry, "wave", make_number<32, 0>, {"mp4a"});
  add<FreeSpace>(registry, kAny, {"wide"});
}

Registry make_registry() {
  Registry registry;
  add_containers(registry);
  add_sample_entries(registry);
  add_entry_boxes(registry);
  add_scheme_boxes(registry);
  add_item_boxes(registry);
  add_user_boxes(registry);
  add_quicktime_boxes(registry);
  add_all<FileType, SegmentType, FreeSpace, SegmentIndex, SubsegmentIndex, ProducerReferenceTime,
          EventMessage, TypeCombination, ProgressiveDownloadInfo>(registry);
  add_all<MovieHeader, TrackHeader, EditList, MediaHeader, Handler, ExtendedLanguage, VideoMediaHeader,
          SoundMediaHeader, SubtitleMediaHeader, NullMediaHeader, HintMediaHeader, GenericMediaInfo,
          TimecodeMediaInfo, DataReference, DataEntryUrl, DataEntryUrn, MovieExtendsHeader, TrackExtends,
          TrackKind, ObjectDescriptor, TrackExtensionProperties, LevelAssignment>(registry);
  add_all<SampleDescription, TimeToSample, CompositionOffset, CompositionToDecode, SampleToChunk, SampleSize,
          CompactSampleSize, ChunkOffset, ChunkLargeOffset, SyncSample, SampleDependency,
          SampleGroupDescription, SampleToGroup, CompactSampleToGroup, SubSampleInformation, PaddingBits,
          DegradationPriority, ShadowSync>(registry);
  add_all<MovieFragmentHeader, TrackFragmentHeader, TrackFragmentDecodeTime, TrackRun,
          TrackFragmentRandomAccess, MovieFragmentRandomAccessOffset>(registry);
  add_all<OriginalFormat, SchemeType, TrackEncryption, SampleEncryption, ProtectionSystemHeader,
          SampleAuxiliaryInfoSizes, SampleAuxiliaryInfoOffsets>(registry);
  add<FreeSpace>(registry, kAny, {"skip"});
  add<SchemeType>(registry, kAny, {"csch"});
  return registry;
}

const Registry &registry() {
  static const Registry made = make_registry();
  return made;
}

struct KnownUuid {
  Uuid id;
  std::unique_ptr<Box> (*make)();
};

template <class T> std::unique_ptr<Box> make_uuid() {
  std::unique_ptr<Box> box = std::make_unique<T>();
  box->type = FourCC("uuid");
  return box;
}

std::unique_ptr<Box> make_canon() {
  return std::make_unique<Container>(FourCC("uuid"));
}

// One preview behind a count.
std::unique_ptr<Box> make_canon_preview() {
  auto box = std::make_unique<SampleDescription>();
  box->type = FourCC("uuid");
  return box;
}

const KnownUuid kUuids[] = {
    {{0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4},
     make_uuid<PiffSampleEncryption>},
    {{0x89, 0x74, 0xdb, 0xce, 0x7b, 0xe7, 0x4c, 0x51, 0x84, 0xf9, 0x71, 0x48, 0xf9, 0x88, 0x25, 0x54},
     make_uuid<PiffTrackEncryption>},
    {{0xd0, 0x8a, 0x4f, 0x18, 0x10, 0xf3, 0x4a, 0x82, 0xb6, 0xc8, 0x32, 0xd8, 0xab, 0xa1, 0x83, 0xd3},
     make_uuid<ProtectionSystemHeader>},
    {{0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2},
     make_uuid<SmoothFragmentTime>},
    {{0xd4, 0x80, 0x7e, 0xf2, 0xca, 0x39, 0x46, 0x95, 0x8e, 0x54, 0x26, 0xcb, 0x9e, 0x46, 0xa7, 0x9f},
     make_uuid<SmoothFragmentReferences>},
    {{0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81},
     make_uuid<ContentCredentials>},
    {{0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac},
     make_uuid<TextBox>}, // XMP
    {{0x85, 0xc0, 0xb6, 0x87, 0x82, 0x0f, 0x11, 0xe0, 0x81, 0x11, 0xf4, 0xce, 0x46, 0x2b, 0x6a, 0x48},
     make_canon},
    {{0xea, 0xf4, 0x2b, 0x5e, 0x1c, 0x98, 0x4b, 0x88, 0xb9, 0xfb, 0xb7, 0xdc, 0x40, 0x6e, 0x4d, 0x16},
     make_canon_preview},
    {{0x22, 0xcc, 0x04, 0xc7, 0xd6, 0xd9, 0x4e, 0x07, 0x9d, 0x90, 0x4e, 0xb6, 0xec, 0xba, 0xf3, 0xa3},
     make_uuid<CameraIntrinsics>}, // before cmin and cmex had their names
    {{0x43, 0x63, 0xe9, 0x14, 0x5b, 0x7d, 0x4a, 0xab, 0x97, 0xae, 0xbe, 0xa6, 0x98, 0x03, 0xb4, 0x34},
     make_uuid<CameraExtrinsics>},
    {{0x63, 0x70, 0x67, 0x64, 0xa8, 0x8c, 0x11, 0xd4, 0x81, 0x97, 0x00, 0x90, 0x27, 0x08, 0x77, 0x03},
     make_uuid<FullConfiguration>}, // KDDI's cpgd, enci and mvml
    {{0x65, 0x6e, 0x63, 0x69, 0xa8, 0x8c, 0x11, 0xd4, 0x81, 0x97, 0x00, 0x90, 0x27, 0x08, 0x77, 0x03},
     make_uuid<FullConfiguration>},
    {{0x6d, 0x76, 0x6d, 0x6c, 0xa8, 0x8c, 0x11, 0xd4, 0x81, 0x97, 0x00, 0x90, 0x27, 0x08, 0x77, 0x03},
     make_uuid<FullConfiguration>},
    {{0x6b, 0x68, 0x40, 0xf2, 0x5f, 0x24, 0x4f, 0xc5, 0xba, 0x39, 0xa5, 0x1b, 0xcf, 0x03, 0x23, 0xf3},
     make_uuid<FullConfiguration>}, // Unified Streaming
};

// QuickTime's meta has no version: its first child, hdlr, begins where ISO's version stands.
bool is_quicktime_meta(Bytes payload) {
  return payload.size() < 4 ||
         (payload.size() >= 8 && load_be(payload.data() + 4, 4) == FourCC("hdlr").value);
}

// 'raw ' and 'NONE' are pictures or sound: where sound has its channels, pictures have the high bytes of a
// quality that ends at 1024.
std::unique_ptr<Box> make_raw_entry(FourCC type, Bytes payload) {
  if (payload.size() >= 18 && load_be(payload.data() + 16, 2) != 0)
    return std::make_unique<AudioSampleEntry>(type);
  return std::make_unique<VisualSampleEntry>(type);
}

// FFmpeg's chapter tracks have 3GPP's timed text under QuickTime's name: a font table stands behind its style.
bool is_timed_text(Bytes payload) {
  constexpr std::size_t kFontTable = 42;
  return payload.size() >= kFontTable + 4 &&
         load_be(payload.data() + kFontTable, 4) == FontTable::kType.value;
}

// Of names with two meanings the payload tells which one it is.
std::unique_ptr<Box> make_told_apart(FourCC type, FourCC parent, Bytes payload) {
  if (type == Meta::kType) return std::make_unique<Meta>(is_quicktime_meta(payload));
  if (parent == kStsd && (type == FourCC("raw ") || type == FourCC("NONE")))
    return make_raw_entry(type, payload);
  if (parent == kStsd && type == TextSampleEntry::kType && is_timed_text(payload)) {
    auto text = std::make_unique<TimedTextSampleEntry>();
    text->type = type;
    return text;
  }
  const bool full = payload.size() < 4 || load_be(payload.data(), 4) == 0;
  if (parent == FourCC("udta") && type == Keywords::kType && !full)
    return std::make_unique<TextBox>(type); // iMovie
  return nullptr;
}

// Parents whose children name themselves.
std::unique_ptr<Box> make_named_child(FourCC type, FourCC parent) {
  if (parent == FourCC("ilst") || parent == FourCC("keys")) return std::make_unique<Container>(type);
  if (parent == FourCC("tref")) return std::make_unique<TrackReferences>(type);
  if (parent == FourCC("trgr")) return std::make_unique<TrackGroupType>(type);
  if (parent == FourCC("grpl")) return std::make_unique<EntityToGroup>(type);
  if (parent == FourCC("udta") && type.value >> 24 == 0xa9) return std::make_unique<InternationalText>(type);
  return nullptr;
}

std::unique_ptr<Box> make_known_uuid(const Uuid &id) {
  const auto found = std::ranges::find(kUuids, id, &KnownUuid::id);
  return found == std::end(kUuids) ? nullptr : found->make();
}

} // namespace

std::unique_ptr<Box> make_box(FourCC type, FourCC parent, Bytes payload, const Uuid *uuid) {
  if (uuid && type == FourCC("uuid")) return make_known_uuid(*uuid);
  if (auto told = make_told_apart(type, parent, payload)) return told;
  const Registry &known = registry();
  if (const auto found = known.find({type.value, parent.value}); found != known.end())
    return found->second(type);
  if (auto named = make_named_child(type, parent)) return named;
  if (parent == kStsd) return nullptr; // an entry's type may be some other box's elsewhere
  if (const auto found = known.find({type.value, kAny.value}); found != known.end())
    return found->second(type);
  return nullptr;
}

std::vector<Registered> registered_boxes() {
  std::vector<Registered> list;
  for (const auto &[key, make] : registry())
    list.push_back({FourCC(key.first), FourCC(key.second), {}});
  for (const FourCC parent : {FourCC("tref"), FourCC("trgr"), FourCC("grpl"), FourCC("keys")})
    list.push_back({"cdsc", parent, {}});
  list.push_back({FourCC(0xa978797au), "udta", {}}); // ©xyz
  for (const KnownUuid &known : kUuids)
    list.push_back({"uuid", {}, known.id});
  return list;
}

} // namespace hull::isobmff
