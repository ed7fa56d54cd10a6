#pragma once

// Metadata: ISO/IEC 14496-12 8.10, 8.11 and the tags of QuickTime and iTunes.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 8.11.1: a FullBox in ISO files; QuickTime's has no version, and `quicktime` says so.
struct Meta : Box {
  static constexpr FourCC kType{"meta"};
  explicit Meta(bool without_version = false) : Box(kType), quicktime(without_version) {}
  bool quicktime = false;
  std::uint8_t version = 0;
  std::uint32_t flags = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// The value of a tag in ilst: type 1 = UTF-8, 13 = JPEG, 14 = PNG, 21 = signed integer, 0 = binary.
struct TagData : Box {
  static constexpr FourCC kType{"data"};
  TagData() : Box(kType) {}
  std::uint32_t type_indicator = 1;
  std::uint32_t locale = 0;
  ByteVector value;
  void fields(Fields &f) override;
};

/// mean and name of a free-form tag (----): FullBox and text to the end
struct TagName : FullBox {
  explicit TagName(FourCC box_type = FourCC("mean"), std::string content = {})
      : FullBox(box_type), text(std::move(content)) {}
  std::string text;
  void fields(Fields &f) override;
};

/// QuickTime's mdta keys; an ilst item's type is then a number counted from 1
struct MetadataKeys : FullBox {
  static constexpr FourCC kType{"keys"};
  MetadataKeys() : FullBox(kType) {}
  struct Key {
    std::uint32_t key_size = 8;
    FourCC key_namespace{"mdta"};
    ByteVector key_value;
  };
  std::vector<Key> keys;
  void fields(Fields &f) override;
};

/// 14496-12 8.10.2 and 3GPP TS 26.244 8: cprt titl auth dscp gnre perf …
struct LocalizedText : FullBox {
  explicit LocalizedText(FourCC box_type = FourCC("cprt")) : FullBox(box_type) {}
  std::uint16_t language = 0x55c4;
  std::string text; ///< UTF-8
  void fields(Fields &f) override;
};

/// ID3 tags, as MP4 Registration Authority describes ID32
struct Id3Tag : FullBox {
  static constexpr FourCC kType{"ID32"};
  Id3Tag() : FullBox(kType) {}
  std::uint16_t language = 0x55c4;
  ByteVector id3v2_data;
  void fields(Fields &f) override;
};

/// 3GPP TS 26.244 8: where a movie was made; degrees and metres
struct LocationInformation : FullBox {
  static constexpr FourCC kType{"loci"};
  LocationInformation() : FullBox(kType) {}
  std::uint16_t language = 0x55c4;
  std::string name;
  std::uint8_t role = 0;                                  ///< 0 shooting, 1 real, 2 fictional
  std::int32_t longitude = 0, latitude = 0, altitude = 0; ///< 16.16
  std::string astronomical_body;
  std::string additional_notes;
  void fields(Fields &f) override;
};

/// 3GPP TS 26.244 8: rtng and clsf, a rating or class by somebody's table
struct ClassifiedText : FullBox {
  explicit ClassifiedText(FourCC box_type = FourCC("rtng")) : FullBox(box_type) {}
  FourCC entity;
  FourCC criteria;         ///< of rtng
  std::uint16_t table = 0; ///< of clsf
  std::uint16_t language = 0x55c4;
  std::string text;
  void fields(Fields &f) override;
};

/// 3GPP TS 26.244 8
struct RecordingYear : FullBox {
  static constexpr FourCC kType{"yrrc"};
  RecordingYear() : FullBox(kType) {}
  std::uint16_t recording_year = 0;
  void fields(Fields &f) override;
};
struct AlbumTitle : FullBox {
  static constexpr FourCC kType{"albm"};
  AlbumTitle() : FullBox(kType) {}
  std::uint16_t language = 0x55c4;
  std::string album_title;
  bool has_track_number = false;
  std::uint8_t track_number = 0;
  void fields(Fields &f) override;
};
struct Keywords : FullBox {
  static constexpr FourCC kType{"kywd"};
  Keywords() : FullBox(kType) {}
  std::uint16_t language = 0x55c4;
  std::vector<ByteVector> keywords; ///< UTF-8 or UTF-16 with its zero, at most 255 bytes each
  void fields(Fields &f) override;
};

/// A uuid box of C2PA: what it holds, and JUMBF
struct ContentCredentials : FullBox {
  static constexpr FourCC kType{"uuid"};
  ContentCredentials() : FullBox(kType) {}
  std::string box_purpose;
  ByteVector data;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
