#pragma once

// What QuickTime's files have beyond ISO's: QuickTime File Format, and what cameras and players add to udta.

#include "gst/isobmff/boxes/movie.h"

namespace hull::isobmff {

/// A text of udta whose type begins with the copyright sign: ©xyz, ©nam, ©swr … in one or more languages
struct InternationalText : Box {
  explicit InternationalText(FourCC box_type = FourCC(0xa978797au)) : Box(box_type) {}
  struct Text {
    std::uint16_t language = 0x55c4; ///< packed letters; below 0x400 a number of Macintosh
    ByteVector text;                 ///< UTF-8, MacRoman where the language is a number
    void fields(Fields &f);
  };
  std::vector<Text> texts;
  void fields(Fields &f) override;
};

/// Nero's chapters in udta: start times in 100 ns
struct ChapterList : FullBox {
  static constexpr FourCC kType{"chpl"};
  ChapterList() : FullBox(kType, 1) {}
  struct Chapter {
    std::uint64_t start = 0;
    ByteVector title; ///< UTF-8, at most 255 bytes
    void fields(Fields &f);
  };
  std::uint8_t reserved = 0; ///< version 1
  std::vector<Chapter> chapters;
  void fields(Fields &f) override;
};

/// clef prof enof in tapt: the track's size in 16.16 pixels
struct TrackAperture : FullBox {
  explicit TrackAperture(FourCC box_type = FourCC("clef")) : FullBox(box_type) {}
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  void fields(Fields &f) override;
};

/// load in trak
struct TrackLoad : Box {
  static constexpr FourCC kType{"load"};
  TrackLoad() : Box(kType) {}
  std::uint32_t preload_start_time = 0;
  std::uint32_t preload_duration = 0;
  std::uint32_t preload_flags = 0;
  std::uint32_t default_hints = 0;
  void fields(Fields &f) override;
};

/// chan: Core Audio's channel layout
struct AudioChannelLayout : FullBox {
  static constexpr FourCC kType{"chan"};
  AudioChannelLayout() : FullBox(kType) {}
  struct Description {
    std::uint32_t label = 0;
    std::uint32_t flags = 0;
    std::array<std::uint32_t, 3> coordinates{}; ///< IEEE 754
    void fields(Fields &f);
  };
  std::uint32_t channel_layout_tag = 0;
  std::uint32_t channel_bitmap = 0;
  std::vector<Description> descriptions;
  void fields(Fields &f) override;
};

/// A box of one number: enda gama mp4a in wave, hfov, LOOP …; the registry says how wide and how it is read
struct NumberBox : Box {
  explicit NumberBox(FourCC box_type, unsigned width = 32, unsigned fraction = 0)
      : Box(box_type), bits(width), fraction_bits(fraction) {}
  unsigned bits, fraction_bits;
  std::uint64_t value = 0;
  void fields(Fields &f) override;
};

/// The end of wave: type and content are 0
struct Terminator : Box {
  static constexpr FourCC kType{0u};
  Terminator() : Box(kType) {}
  void fields(Fields &) override {}
};

/// A text track's look, in gmhd: where QuickTime's text stands
struct TextMediaInfo : Box {
  static constexpr FourCC kType{"text"};
  TextMediaInfo() : Box(kType) {}
  Matrix matrix = kUnityMatrix;
  void fields(Fields &f) override;
};

/// QuickTime's text entry, also of chapter tracks
struct TextSampleEntry : Box {
  static constexpr FourCC kType{"text"};
  TextSampleEntry() : Box(kType) {}
  std::uint16_t data_reference_index = 1;
  std::uint32_t display_flags = 0;
  std::int32_t text_justification = 0;
  std::array<std::uint16_t, 3> background_color{};
  std::array<std::int16_t, 4> default_text_box{};
  std::array<std::uint32_t, 2> reserved{};
  std::uint16_t font_number = 0, font_face = 0;
  std::uint8_t reserved2 = 0;
  std::uint16_t reserved3 = 0;
  std::array<std::uint16_t, 3> foreground_color{};
  bool has_text_name = true;
  ByteVector text_name; ///< at most 255 bytes
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// alis, rsrc, cios: QuickTime's other entries of dref
struct DataEntryAlias : FullBox {
  explicit DataEntryAlias(FourCC box_type = FourCC("alis")) : FullBox(box_type, 0, 1) {}
  ByteVector data;
  void fields(Fields &f) override;
};

/// Windows' properties in udta
struct WindowsProperties : Box {
  static constexpr FourCC kType{"Xtra"};
  WindowsProperties() : Box(kType) {}
  struct Value {
    std::uint32_t value_size = 6; ///< with itself and the type; set by fields()
    std::uint16_t value_type = 8; ///< 8 UTF-16, 19 number, 21 time, 72 GUID
    ByteVector value;
    void fields(Fields &f);
  };
  struct Property {
    std::uint32_t entry_size = 0; ///< set by fields()
    ByteVector name;
    std::vector<Value> values;
    void fields(Fields &f);
  };
  std::vector<Property> properties;
  void fields(Fields &f) override;
};

/// GoPro's moments of interest: milliseconds, 0 = none
struct HighlightTags : Box {
  static constexpr FourCC kType{"HMMT"};
  HighlightTags() : Box(kType) {}
  std::vector<std::uint32_t> times;
  void fields(Fields &f) override;
};

// Keys of a metadata track: children of a key box, whose type is the key's number in the samples.

/// keyd: the key's name and whose it is
struct MetadataKeyDeclaration : Box {
  static constexpr FourCC kType{"keyd"};
  MetadataKeyDeclaration() : Box(kType) {}
  FourCC key_namespace{"mdta"};
  ByteVector key_value;
  void fields(Fields &f) override;
};

/// dtyp: type 0 = a number of the well-known list, 1 = a reversed domain name
struct MetadataDatatype : Box {
  static constexpr FourCC kType{"dtyp"};
  MetadataDatatype() : Box(kType) {}
  std::uint32_t datatype_namespace = 0;
  ByteVector datatype;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
