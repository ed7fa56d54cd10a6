#pragma once

// moov down to minf: ISO/IEC 14496-12 8.2 to 8.8.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// a b u c d v x y w of 6.2.2: 16.16, but u, v, w 2.30.
using Matrix = std::array<std::int32_t, 9>;
inline constexpr Matrix kUnityMatrix = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};

void matrix_field(Fields &f, Matrix &matrix);

/// The 15 bits of mdhd.language from three letters of ISO 639-2 ("und" where the text is something else).
std::uint16_t pack_language(std::string_view code);
std::string unpack_language(std::uint16_t packed);

/// 8.2.2. Times of creation count seconds since 1904-01-01 UTC; duration is in `timescale`.
struct MovieHeader : FullBox {
  static constexpr FourCC kType{"mvhd"};
  MovieHeader() : FullBox(kType) {}
  std::uint64_t creation_time = 0;
  std::uint64_t modification_time = 0;
  std::uint32_t timescale = 1000;
  std::uint64_t duration = 0;  ///< all ones: unknown
  std::int32_t rate = 0x10000; ///< 16.16
  std::int16_t volume = 0x100; ///< 8.8
  Matrix matrix = kUnityMatrix;
  std::array<std::uint32_t, 6> pre_defined{};
  std::uint32_t next_track_id = 1;
  void fields(Fields &f) override;
};

/// 8.3.2. width and height are 16.16, duration in the movie's timescale.
struct TrackHeader : FullBox {
  static constexpr FourCC kType{"tkhd"};
  static constexpr std::uint32_t kEnabled = 1, kInMovie = 2, kInPreview = 4;
  TrackHeader() : FullBox(kType, 0, kEnabled | kInMovie) {}
  std::uint64_t creation_time = 0;
  std::uint64_t modification_time = 0;
  std::uint32_t track_id = 1;
  std::uint64_t duration = 0;
  std::int16_t layer = 0;
  std::int16_t alternate_group = 0;
  std::int16_t volume = 0; ///< 8.8; 0x100 for audio
  Matrix matrix = kUnityMatrix;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  void fields(Fields &f) override;
};

/// 8.3.3: a child of tref; its type says what the reference means.
struct TrackReferences : Box {
  explicit TrackReferences(FourCC reference_type = FourCC("cdsc")) : Box(reference_type) {}
  std::vector<std::uint32_t> track_ids;
  void fields(Fields &f) override;
};

/// 8.6.6. segment_duration in the movie's timescale, media_time in the media's (-1: empty edit).
struct EditList : FullBox {
  static constexpr FourCC kType{"elst"};
  EditList() : FullBox(kType) {}
  struct Entry {
    std::uint64_t segment_duration = 0;
    std::int64_t media_time = 0;
    std::int16_t media_rate_integer = 1;
    std::int16_t media_rate_fraction = 0;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.4.2
struct MediaHeader : FullBox {
  static constexpr FourCC kType{"mdhd"};
  MediaHeader() : FullBox(kType) {}
  std::uint64_t creation_time = 0;
  std::uint64_t modification_time = 0;
  std::uint32_t timescale = 0;
  std::uint64_t duration = 0;
  std::uint16_t language = 0x55c4; ///< "und"
  std::uint16_t pre_defined = 0;
  void fields(Fields &f) override;
};

/// 8.4.3
struct Handler : FullBox {
  static constexpr FourCC kType{"hdlr"};
  Handler() : FullBox(kType) {}
  FourCC pre_defined{0u};
  FourCC handler_type;                     ///< vide, soun, text, subt, meta, tmcd, mdir …
  std::array<std::uint32_t, 3> reserved{}; ///< QuickTime's manufacturer, flags and mask
  std::string name;
  void fields(Fields &f) override;
};

/// 8.4.6: RFC 5646 tag
struct ExtendedLanguage : FullBox {
  static constexpr FourCC kType{"elng"};
  ExtendedLanguage() : FullBox(kType) {}
  std::string extended_language;
  void fields(Fields &f) override;
};

/// 12.1.2
struct VideoMediaHeader : FullBox {
  static constexpr FourCC kType{"vmhd"};
  VideoMediaHeader() : FullBox(kType, 0, 1) {}
  std::uint16_t graphicsmode = 0;
  std::array<std::uint16_t, 3> opcolor{};
  void fields(Fields &f) override;
};

/// 12.2.2
struct SoundMediaHeader : FullBox {
  static constexpr FourCC kType{"smhd"};
  SoundMediaHeader() : FullBox(kType) {}
  std::int16_t balance = 0; ///< 8.8
  void fields(Fields &f) override;
};

/// 12.6.2: subtitles
struct SubtitleMediaHeader : FullBox {
  static constexpr FourCC kType{"sthd"};
  SubtitleMediaHeader() : FullBox(kType) {}
};

/// 8.4.5.2: timed text and metadata
struct NullMediaHeader : FullBox {
  static constexpr FourCC kType{"nmhd"};
  NullMediaHeader() : FullBox(kType) {}
};

/// QuickTime's general media header, in gmhd
struct GenericMediaInfo : FullBox {
  static constexpr FourCC kType{"gmin"};
  GenericMediaInfo() : FullBox(kType) {}
  std::uint16_t graphicsmode = 0x40;
  std::array<std::uint16_t, 3> opcolor{0x8000, 0x8000, 0x8000};
  std::int16_t balance = 0;
  std::uint16_t reserved = 0;
  void fields(Fields &f) override;
};

/// QuickTime's look of a timecode track, in gmhd/tmcd
struct TimecodeMediaInfo : FullBox {
  static constexpr FourCC kType{"tcmi"};
  TimecodeMediaInfo() : FullBox(kType) {}
  std::uint16_t text_font = 0, text_face = 0, text_size = 12, reserved = 0;
  std::array<std::uint16_t, 3> text_color{};
  std::array<std::uint16_t, 3> background_color{0xffff, 0xffff, 0xffff};
  ByteVector font_name; ///< a length byte and the name
  void fields(Fields &f) override;
};

/// 8.7.2: children url, urn
struct DataReference : FullBox {
  static constexpr FourCC kType{"dref"};
  DataReference() : FullBox(kType) {}
  std::uint32_t entry_count = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
  void set_child_count(std::uint32_t n) override { entry_count = n; }
  std::uint64_t child_count() const override { return entry_count; }
};

/// 8.7.2: flags 1 = the media are in this file, and there is no location
struct DataEntryUrl : FullBox {
  static constexpr FourCC kType{"url "};
  static constexpr std::uint32_t kSelfContained = 1;
  DataEntryUrl() : FullBox(kType, 0, kSelfContained) {}
  std::string location;
  void fields(Fields &f) override;
};

/// 8.8.2: duration of the movie with its fragments, in the movie's timescale
struct MovieExtendsHeader : FullBox {
  static constexpr FourCC kType{"mehd"};
  MovieExtendsHeader() : FullBox(kType) {}
  std::uint64_t fragment_duration = 0;
  void fields(Fields &f) override;
};

/// 8.8.3
struct TrackExtends : FullBox {
  static constexpr FourCC kType{"trex"};
  TrackExtends() : FullBox(kType) {}
  std::uint32_t track_id = 1;
  std::uint32_t default_sample_description_index = 1;
  std::uint32_t default_sample_duration = 0;
  std::uint32_t default_sample_size = 0;
  std::uint32_t default_sample_flags = 0; ///< see SampleFlags in boxes_fragment.h
  void fields(Fields &f) override;
};

/// 14496-14 5.5.1: an initial object descriptor, kept as bytes
struct ObjectDescriptor : FullBox {
  static constexpr FourCC kType{"iods"};
  ObjectDescriptor() : FullBox(kType) {}
  ByteVector descriptor;
  void fields(Fields &f) override;
};

/// 8.8.15: children are properties of a track
struct TrackExtensionProperties : FullBox {
  static constexpr FourCC kType{"trep"};
  TrackExtensionProperties() : FullBox(kType) {}
  std::uint32_t track_id = 1;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// 8.8.13: what the levels of ssix are
struct LevelAssignment : FullBox {
  static constexpr FourCC kType{"leva"};
  LevelAssignment() : FullBox(kType) {}
  struct Level {
    std::uint32_t track_id = 1;
    bool padding_flag = false;
    std::uint8_t assignment_type = 0;
    FourCC grouping_type; ///< types 0 and 1
    std::uint32_t grouping_type_parameter = 0;
    std::uint32_t sub_track_id = 0; ///< type 4
    void fields(Fields &f);
  };
  std::vector<Level> levels;
  void fields(Fields &f) override;
};

/// 8.3.4: a child of trgr; its type says what the group means
struct TrackGroupType : FullBox {
  explicit TrackGroupType(FourCC group_type = FourCC("msrc")) : FullBox(group_type) {}
  std::uint32_t track_group_id = 0;
  ByteVector more; ///< what the type adds
  void fields(Fields &f) override;
};

/// 8.10.3
struct TrackSelection : FullBox {
  static constexpr FourCC kType{"tsel"};
  TrackSelection() : FullBox(kType) {}
  std::int32_t switch_group = 0;
  std::vector<FourCC> attribute_list;
  void fields(Fields &f) override;
};

/// 12.4.3: hint tracks, bytes and bit/s
struct HintMediaHeader : FullBox {
  static constexpr FourCC kType{"hmhd"};
  HintMediaHeader() : FullBox(kType) {}
  std::uint16_t max_pdu_size = 0, avg_pdu_size = 0;
  std::uint32_t maxbitrate = 0, avgbitrate = 0;
  void fields(Fields &f) override;
};

/// 14496-12 edition 1: payt in hinf
struct HintPayload : Box {
  static constexpr FourCC kType{"payt"};
  HintPayload() : Box(kType) {}
  std::uint32_t payload_id = 0;
  ByteVector rtpmap_string; ///< at most 255 bytes
  void fields(Fields &f) override;
};

/// maxr in hinf: most bytes sent in `period` milliseconds
struct HintMaximumRate : Box {
  static constexpr FourCC kType{"maxr"};
  HintMaximumRate() : Box(kType) {}
  std::uint32_t period = 0, bytes = 0;
  void fields(Fields &f) override;
};

/// 'rtp ' in a movie's hnti
struct MovieHints : Box {
  static constexpr FourCC kType{"rtp "};
  MovieHints() : Box(kType) {}
  FourCC description_format{"sdp "};
  std::string text; ///< to the end
  void fields(Fields &f) override;
};

/// 8.7.2: 'urn '
struct DataEntryUrn : FullBox {
  static constexpr FourCC kType{"urn "};
  DataEntryUrn() : FullBox(kType) {}
  std::string name;
  std::string location;
  void fields(Fields &f) override;
};

/// 8.10.4
struct TrackKind : FullBox {
  static constexpr FourCC kType{"kind"};
  TrackKind() : FullBox(kType) {}
  std::string scheme_uri;
  std::string value;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
