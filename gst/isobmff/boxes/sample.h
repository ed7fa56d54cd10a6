#pragma once

// Sample tables: ISO/IEC 14496-12 8.5 to 8.7 and 8.9.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 8.5.2: children are sample entries (boxes_entry.h)
struct SampleDescription : FullBox {
  static constexpr FourCC kType{"stsd"};
  SampleDescription() : FullBox(kType) {}
  std::uint32_t entry_count = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
  void set_child_count(std::uint32_t n) override { entry_count = n; }
  std::uint64_t child_count() const override { return entry_count; }
};

/// 8.6.1.2
struct TimeToSample : FullBox {
  static constexpr FourCC kType{"stts"};
  TimeToSample() : FullBox(kType) {}
  struct Entry {
    std::uint32_t sample_count = 0;
    std::uint32_t sample_delta = 0;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.6.1.3. Offsets are unsigned in version 0 and signed in version 1; the member holds either.
struct CompositionOffset : FullBox {
  static constexpr FourCC kType{"ctts"};
  CompositionOffset() : FullBox(kType) {}
  struct Entry {
    std::uint32_t sample_count = 0;
    std::int64_t sample_offset = 0;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.6.1.4
struct CompositionToDecode : FullBox {
  static constexpr FourCC kType{"cslg"};
  CompositionToDecode() : FullBox(kType) {}
  std::int64_t composition_to_dts_shift = 0;
  std::int64_t least_decode_to_display_delta = 0;
  std::int64_t greatest_decode_to_display_delta = 0;
  std::int64_t composition_start_time = 0;
  std::int64_t composition_end_time = 0;
  void fields(Fields &f) override;
};

/// 8.7.4
struct SampleToChunk : FullBox {
  static constexpr FourCC kType{"stsc"};
  SampleToChunk() : FullBox(kType) {}
  struct Entry {
    std::uint32_t first_chunk = 1;
    std::uint32_t samples_per_chunk = 1;
    std::uint32_t sample_description_index = 1;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.7.3.2: sizes are in entry_sizes, or all equal to sample_size when that is not 0.
struct SampleSize : FullBox {
  static constexpr FourCC kType{"stsz"};
  SampleSize() : FullBox(kType) {}
  std::uint32_t sample_size = 0;
  std::uint32_t sample_count = 0; ///< set from entry_sizes by fields() when sample_size is 0
  std::vector<std::uint32_t> entry_sizes;
  void fields(Fields &f) override;
};

/// 8.7.3.3
struct CompactSampleSize : FullBox {
  static constexpr FourCC kType{"stz2"};
  CompactSampleSize() : FullBox(kType) {}
  std::uint8_t field_size = 16; ///< 4, 8 or 16 bits
  std::vector<std::uint16_t> entry_sizes;
  void fields(Fields &f) override;
};

/// 8.7.5: stco has 32-bit offsets, co64 has 64 bits
struct ChunkOffset : FullBox {
  static constexpr FourCC kType{"stco"};
  ChunkOffset() : FullBox(kType) {}
  std::vector<std::uint32_t> chunk_offsets;
  void fields(Fields &f) override;
};

struct ChunkLargeOffset : FullBox {
  static constexpr FourCC kType{"co64"};
  ChunkLargeOffset() : FullBox(kType) {}
  std::vector<std::uint64_t> chunk_offsets;
  void fields(Fields &f) override;
};

/// 8.6.2: numbers of sync samples, counted from 1
struct SyncSample : FullBox {
  static constexpr FourCC kType{"stss"};
  SyncSample() : FullBox(kType) {}
  std::vector<std::uint32_t> sample_numbers;
  void fields(Fields &f) override;
};

/// 8.6.4: one byte per sample: is_leading, sample_depends_on, sample_is_depended_on, has_redundancy
struct SampleDependency : FullBox {
  static constexpr FourCC kType{"sdtp"};
  SampleDependency() : FullBox(kType) {}
  ByteVector samples;
  void fields(Fields &f) override;
};

/// 8.9.3. Version 0 does not say where an entry ends: its entries stay one run of bytes in `version0`.
struct SampleGroupDescription : FullBox {
  static constexpr FourCC kType{"sgpd"};
  SampleGroupDescription() : FullBox(kType, 1) {}
  FourCC grouping_type;
  std::uint32_t default_length = 0;                  ///< version 1 and 2; 0: each entry says its own
  std::uint32_t default_group_description_index = 0; ///< version 2
  std::vector<ByteVector> entries;                   ///< version 1 and 2
  std::uint32_t version0_count = 0;
  ByteVector version0;
  void fields(Fields &f) override;
};

/// 8.9.2
struct SampleToGroup : FullBox {
  static constexpr FourCC kType{"sbgp"};
  SampleToGroup() : FullBox(kType) {}
  struct Entry {
    std::uint32_t sample_count = 0;
    std::uint32_t group_description_index = 0; ///< from 0x10001 in a traf: the fragment's own sgpd
  };
  FourCC grouping_type;
  std::uint32_t grouping_type_parameter = 0; ///< version 1
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.7.7
struct SubSampleInformation : FullBox {
  static constexpr FourCC kType{"subs"};
  SubSampleInformation() : FullBox(kType) {}
  struct SubSample {
    std::uint32_t subsample_size = 0; ///< 16 bits in version 0
    std::uint8_t subsample_priority = 0;
    std::uint8_t discardable = 0;
    std::uint32_t codec_specific_parameters = 0;
  };
  struct Entry {
    std::uint32_t sample_delta = 0;
    std::vector<SubSample> subsamples;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.9.5: groups of samples as patterns that repeat. Widths of the numbers are in flags, two bits each.
struct CompactSampleToGroup : FullBox {
  static constexpr FourCC kType{"csgp"};
  static constexpr std::uint32_t kHasParameter = 0x40;
  CompactSampleToGroup() : FullBox(kType) {}
  struct Pattern {
    std::uint32_t pattern_length = 0;
    std::uint32_t sample_count = 0;
  };
  FourCC grouping_type;
  std::uint32_t grouping_type_parameter = 0;
  std::vector<Pattern> patterns;
  std::vector<std::uint32_t> sample_group_description_index; ///< of all patterns, one after the other
  void fields(Fields &f) override;
};

/// 8.7.6: bits at the end of each sample that are none of it
struct PaddingBits : FullBox {
  static constexpr FourCC kType{"padb"};
  PaddingBits() : FullBox(kType) {}
  ByteVector pads; ///< 3 bits each
  void fields(Fields &f) override;
};

/// 8.5.3
struct DegradationPriority : FullBox {
  static constexpr FourCC kType{"stdp"};
  DegradationPriority() : FullBox(kType) {}
  std::vector<std::uint16_t> priorities;
  void fields(Fields &f) override;
};

/// 8.6.3: another sample to begin with in place of one that is no sync sample
struct ShadowSync : FullBox {
  static constexpr FourCC kType{"stsh"};
  ShadowSync() : FullBox(kType) {}
  struct Entry {
    std::uint32_t shadowed_sample_number = 0;
    std::uint32_t sync_sample_number = 0;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
