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

} // namespace hull::isobmff
