#pragma once

// Items of a meta box: ISO/IEC 14496-12 8.11 and 8.18, the images of HEIF (23008-12) and AVIF.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 14496-12 8.11.4
struct PrimaryItem : FullBox {
  static constexpr FourCC kType{"pitm"};
  PrimaryItem() : FullBox(kType) {}
  std::uint32_t item_id = 0; ///< 16 bits in version 0
  void fields(Fields &f) override;
};

/// 14496-12 8.11.3: where an item's bytes are. Method 0 counts from the file's start, 1 from idat's, 2 in another item.
struct ItemLocation : FullBox {
  static constexpr FourCC kType{"iloc"};
  ItemLocation() : FullBox(kType) {}
  struct Extent {
    std::uint64_t item_reference_index = 0;
    std::uint64_t extent_offset = 0;
    std::uint64_t extent_length = 0;
  };
  struct Item {
    std::uint32_t item_id = 0;
    std::uint8_t construction_method = 0; ///< version 1 and 2
    std::uint16_t data_reference_index = 0;
    std::uint64_t base_offset = 0;
    std::vector<Extent> extents;
    void fields(Fields &f, const ItemLocation &box);
  };
  std::uint8_t offset_size = 4, length_size = 4, base_offset_size = 0, index_size = 0; ///< bytes, at most 8
  std::vector<Item> items;
  void fields(Fields &f) override;
  bool has_indices() const { return version == 1 || version == 2; }
};

/// 14496-12 8.11.6: children are infe
struct ItemInfo : FullBox {
  static constexpr FourCC kType{"iinf"};
  ItemInfo() : FullBox(kType) {}
  std::uint32_t entry_count = 0; ///< 16 bits in version 0
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
  void set_child_count(std::uint32_t n) override { entry_count = n; }
  std::uint64_t child_count() const override { return entry_count; }
};

/// 14496-12 8.11.6
struct ItemInfoEntry : FullBox {
  static constexpr FourCC kType{"infe"};
  ItemInfoEntry() : FullBox(kType, 2) {}
  std::uint32_t item_id = 0; ///< 32 bits in version 3
  std::uint16_t item_protection_index = 0;
  FourCC item_type; ///< from version 2 on
  std::string item_name;
  std::string content_type;  ///< versions 0 and 1, and of mime items
  std::string item_uri_type; ///< of uri items
  bool has_content_encoding = false;
  std::string content_encoding;
  ByteVector extension; ///< version 1
  void fields(Fields &f) override;
};

/// 14496-12 8.11.12: each reference is a box of its own in the file, but has no meaning without iref's version
struct ItemReferences : FullBox {
  static constexpr FourCC kType{"iref"};
  ItemReferences() : FullBox(kType) {}
  struct Reference {
    std::uint32_t size = 0; ///< set from the ids by fields()
    FourCC type;
    std::uint32_t from_item_id = 0;
    std::vector<std::uint32_t> to_item_ids;
    std::uint8_t id_bits = 16; ///< follows iref's version
    void fields(Fields &f);
  };
  std::vector<Reference> references;
  void fields(Fields &f) override;
};

/// 14496-12 8.11.5: children are sinf
struct ItemProtection : FullBox {
  static constexpr FourCC kType{"ipro"};
  ItemProtection() : FullBox(kType) {}
  std::uint16_t protection_count = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
  void set_child_count(std::uint32_t n) override { protection_count = static_cast<std::uint16_t>(n); }
  std::uint64_t child_count() const override { return protection_count; }
};

/// 14496-12 8.11.11: bytes of items
struct ItemData : Opaque {
  static constexpr FourCC kType{"idat"};
  ItemData() : Opaque(kType) {}
};

/// 14496-12 8.11.14: which properties of ipco, counted from 1, belong to which item
struct ItemPropertyAssociation : FullBox {
  static constexpr FourCC kType{"ipma"};
  static constexpr std::uint32_t kWideIndex = 1;
  ItemPropertyAssociation() : FullBox(kType) {}
  struct Association {
    bool essential = false;
    std::uint16_t property_index = 0; ///< 7 bits, 15 with kWideIndex
  };
  struct Entry {
    std::uint32_t item_id = 0; ///< 16 bits in version 0
    std::vector<Association> associations;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 14496-12 8.18.3: a child of grpl; its type says what the group means
struct EntityToGroup : FullBox {
  explicit EntityToGroup(FourCC grouping_type = FourCC("altr")) : FullBox(grouping_type) {}
  std::uint32_t group_id = 0;
  std::vector<std::uint32_t> entity_ids;
  ByteVector more; ///< what the type adds
  void fields(Fields &f) override;
};

/// 14496-12 8.11.2: XML, and the same in binary form
struct XmlBox : FullBox {
  static constexpr FourCC kType{"xml "};
  XmlBox() : FullBox(kType) {}
  std::string xml;
  void fields(Fields &f) override;
};
struct BinaryXml : FullBox {
  static constexpr FourCC kType{"bxml"};
  BinaryXml() : FullBox(kType) {}
  ByteVector data;
  void fields(Fields &f) override;
};

// Properties of items, children of ipco.

/// 23008-12 6.5.3: pixels
struct ImageSpatialExtents : FullBox {
  static constexpr FourCC kType{"ispe"};
  ImageSpatialExtents() : FullBox(kType) {}
  std::uint32_t image_width = 0;
  std::uint32_t image_height = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.6
struct PixelInformation : FullBox {
  static constexpr FourCC kType{"pixi"};
  PixelInformation() : FullBox(kType) {}
  ByteVector bits_per_channel;
  ByteVector more; ///< with flags 1: formats and subsampling of the channels
  void fields(Fields &f) override;
};

/// 23008-12 6.5.10: quarter turns against the clock
struct ImageRotation : Box {
  static constexpr FourCC kType{"irot"};
  ImageRotation() : Box(kType) {}
  std::uint8_t angle = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.12: 0 = about a vertical axis, 1 = about a horizontal one
struct ImageMirror : Box {
  static constexpr FourCC kType{"imir"};
  ImageMirror() : Box(kType) {}
  std::uint8_t axis = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.8: urn of what the picture is (alpha, depth …)
struct AuxiliaryType : FullBox {
  static constexpr FourCC kType{"auxC"};
  AuxiliaryType() : FullBox(kType) {}
  std::string aux_type;
  ByteVector aux_subtype;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.7: pixels
struct RelativeLocation : FullBox {
  static constexpr FourCC kType{"rloc"};
  RelativeLocation() : FullBox(kType) {}
  std::uint32_t horizontal_offset = 0;
  std::uint32_t vertical_offset = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.13
struct ImageScaling : FullBox {
  static constexpr FourCC kType{"iscl"};
  ImageScaling() : FullBox(kType) {}
  std::uint16_t target_width_numerator = 1, target_width_denominator = 1;
  std::uint16_t target_height_numerator = 1, target_height_denominator = 1;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.11
struct LayerSelector : Box {
  static constexpr FourCC kType{"lsel"};
  LayerSelector() : Box(kType) {}
  std::uint16_t layer_id = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.29
struct TargetOls : FullBox {
  static constexpr FourCC kType{"tols"};
  TargetOls() : FullBox(kType) {}
  std::uint16_t target_ols_idx = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.17
struct RequiredReferenceTypes : FullBox {
  static constexpr FourCC kType{"rref"};
  RequiredReferenceTypes() : FullBox(kType) {}
  std::vector<FourCC> reference_types;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.18 and 6.5.19: crtt and mdft, microseconds since 1904
struct ItemTime : FullBox {
  explicit ItemTime(FourCC box_type = FourCC("crtt")) : FullBox(box_type) {}
  std::uint64_t time = 0;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.20
struct UserDescription : FullBox {
  static constexpr FourCC kType{"udes"};
  UserDescription() : FullBox(kType) {}
  std::string lang, name, description, tags;
  void fields(Fields &f) override;
};

/// 23008-12 6.5.21
struct AccessibilityText : FullBox {
  static constexpr FourCC kType{"altt"};
  AccessibilityText() : FullBox(kType) {}
  std::string alt_text, alt_lang;
  void fields(Fields &f) override;
};

/// 23008-12: properties of one byte, wipe fade splt stpe mskC
struct ByteProperty : FullBox {
  explicit ByteProperty(FourCC box_type = FourCC("mskC")) : FullBox(box_type) {}
  std::uint8_t value = 0;
  void fields(Fields &f) override;
};

/// AVIF 2.3.2.1
struct Av1OperatingPoint : Box {
  static constexpr FourCC kType{"a1op"};
  Av1OperatingPoint() : Box(kType) {}
  std::uint8_t op_index = 0;
  void fields(Fields &f) override;
};

/// AVIF 2.3.2.3: bytes of the first three layers
struct Av1LayeredImage : Box {
  static constexpr FourCC kType{"a1lx"};
  Av1LayeredImage() : Box(kType) {}
  bool large_size = false; ///< 32 bits a size, else 16
  std::array<std::uint32_t, 3> layer_size{};
  void fields(Fields &f) override;
};

/// 23008-12 6.5.32: focal length and principal point, in 2^-n of the picture's width where n is bits 8 to 12 of flags
struct CameraIntrinsics : FullBox {
  static constexpr FourCC kType{"cmin"};
  CameraIntrinsics() : FullBox(kType) {}
  std::int32_t focal_length_x = 0;
  std::int32_t principal_point_x = 0, principal_point_y = 0;
  std::int32_t focal_length_y = 0, skew_factor = 0; ///< with flags 1
  void fields(Fields &f) override;
};

/// 23008-12 6.5.33: position in micrometres and turn of a camera; which are there is in flags
struct CameraExtrinsics : FullBox {
  static constexpr FourCC kType{"cmex"};
  static constexpr std::uint32_t kX = 1, kY = 2, kZ = 4, kOrientation = 8, kWide = 16, kId = 32;
  CameraExtrinsics() : FullBox(kType) {}
  std::int32_t pos_x = 0, pos_y = 0, pos_z = 0;
  std::int32_t quat_x = 0, quat_y = 0, quat_z = 0; ///< 16 bits, 32 with kWide
  std::uint32_t world_coordinate_system_id = 0;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
