#pragma once

// Boxes of a file's top level, ISO/IEC 14496-12 4.3, 8.1, 8.16 and 23009-1 5.10.3.3.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 4.3, 8.16.2: ftyp and styp have the same content.
struct FileType : Box {
  static constexpr FourCC kType{"ftyp"};
  FileType() : Box(kType) {}
  FourCC major_brand;
  std::uint32_t minor_version = 0;
  std::vector<FourCC> compatible_brands;
  void fields(Fields &f) override;

 protected:
  explicit FileType(FourCC box_type) : Box(box_type) {}
};

struct SegmentType : FileType {
  static constexpr FourCC kType{"styp"};
  SegmentType() : FileType(kType) {}
};

/// 8.1.2: padding. The type may also be skip.
struct FreeSpace : Opaque {
  static constexpr FourCC kType{"free"};
  explicit FreeSpace(std::size_t payload_size = 0) : Opaque(kType, ByteVector(payload_size)) {}
};

/// 8.16.3
struct SegmentIndex : FullBox {
  static constexpr FourCC kType{"sidx"};
  SegmentIndex() : FullBox(kType) {}
  struct Reference {
    bool reference_type = false; ///< true: another sidx
    std::uint32_t referenced_size = 0;
    std::uint32_t subsegment_duration = 0;
    bool starts_with_sap = true;
    std::uint8_t sap_type = 1;
    std::uint32_t sap_delta_time = 0;
    void fields(Fields &f);
  };
  std::uint32_t reference_id = 0;
  std::uint32_t timescale = 0;
  std::uint64_t earliest_presentation_time = 0; ///< 32 bits in version 0
  std::uint64_t first_offset = 0;               ///< 32 bits in version 0
  std::vector<Reference> references;
  void fields(Fields &f) override;
};

/// 8.16.4
struct SubsegmentIndex : FullBox {
  static constexpr FourCC kType{"ssix"};
  SubsegmentIndex() : FullBox(kType) {}
  struct Range {
    std::uint8_t level = 0;
    std::uint32_t range_size = 0;
    void fields(Fields &f);
  };
  struct Subsegment {
    std::vector<Range> ranges;
    void fields(Fields &f);
  };
  std::vector<Subsegment> subsegments;
  void fields(Fields &f) override;
};

/// 8.16.5: wall clock of a moment of the reference track.
struct ProducerReferenceTime : FullBox {
  static constexpr FourCC kType{"prft"};
  ProducerReferenceTime() : FullBox(kType, 1) {}
  std::uint32_t reference_track_id = 0;
  std::uint64_t ntp_timestamp = 0; ///< seconds since 1900 in 32.32
  std::uint64_t media_time = 0;    ///< presentation time; 32 bits in version 0
  void fields(Fields &f) override;
};

/// 23009-1 5.10.3.3: version 0 counts from the segment's start, version 1 has an absolute time.
struct EventMessage : FullBox {
  static constexpr FourCC kType{"emsg"};
  EventMessage() : FullBox(kType, 1) {}
  std::string scheme_id_uri;
  std::string value;
  std::uint32_t timescale = 0;
  std::uint64_t presentation_time = 0;       ///< version 1
  std::uint32_t presentation_time_delta = 0; ///< version 0
  std::uint32_t event_duration = 0;
  std::uint32_t id = 0;
  ByteVector message_data;
  void fields(Fields &f) override;
};

/// 4.3.4: brands that the file conforms to together; a child of etyp
struct TypeCombination : Box {
  static constexpr FourCC kType{"tyco"};
  TypeCombination() : Box(kType) {}
  std::vector<FourCC> compatible_brands;
  void fields(Fields &f) override;
};

/// 8.1.3: bytes a second, and milliseconds to wait then
struct ProgressiveDownloadInfo : FullBox {
  static constexpr FourCC kType{"pdin"};
  ProgressiveDownloadInfo() : FullBox(kType) {}
  struct Entry {
    std::uint32_t rate = 0;
    std::uint32_t initial_delay = 0;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
