#pragma once

// Movie fragments: ISO/IEC 14496-12 8.8.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 8.8.3.1: the 32 bits of sample flags in trex, tfhd and trun.
struct SampleFlags {
  static constexpr std::uint32_t kSync = 0x02000000;       ///< depends_on 2 (no other sample), sync
  static constexpr std::uint32_t kNonSync = 0x01010000;    ///< depends_on 1, non-sync
  static constexpr std::uint32_t kDisposable = 0x01810000; ///< the same, and no other depends on it
  static constexpr std::uint32_t kNonSyncBit = 0x00010000;
  static constexpr bool is_sync(std::uint32_t flags) { return !(flags & kNonSyncBit); }
};

/// 8.8.5
struct MovieFragmentHeader : FullBox {
  static constexpr FourCC kType{"mfhd"};
  MovieFragmentHeader() : FullBox(kType) {}
  std::uint32_t sequence_number = 0;
  void fields(Fields &f) override;
};

/// 8.8.7
struct TrackFragmentHeader : FullBox {
  static constexpr FourCC kType{"tfhd"};
  static constexpr std::uint32_t kBaseDataOffset = 1, kSampleDescriptionIndex = 2, kDefaultDuration = 8,
                                 kDefaultSize = 0x10, kDefaultFlags = 0x20, kDurationIsEmpty = 0x10000,
                                 kDefaultBaseIsMoof = 0x20000;
  TrackFragmentHeader() : FullBox(kType, 0, kDefaultBaseIsMoof) {}
  std::uint32_t track_id = 1;
  std::uint64_t base_data_offset = 0;
  std::uint32_t sample_description_index = 1;
  std::uint32_t default_sample_duration = 0;
  std::uint32_t default_sample_size = 0;
  std::uint32_t default_sample_flags = 0;
  void fields(Fields &f) override;
};

/// 8.8.12
struct TrackFragmentDecodeTime : FullBox {
  static constexpr FourCC kType{"tfdt"};
  TrackFragmentDecodeTime() : FullBox(kType, 1) {}
  std::uint64_t base_media_decode_time = 0; ///< 32 bits in version 0
  void fields(Fields &f) override;
};

/// 8.8.8. A run whose flags give its samples no field of their own has sample_count and no `samples`.
struct TrackRun : FullBox {
  static constexpr FourCC kType{"trun"};
  static constexpr std::uint32_t kDataOffset = 1, kFirstSampleFlags = 4, kDuration = 0x100, kSize = 0x200,
                                 kFlags = 0x400, kCompositionOffset = 0x800;
  TrackRun() : FullBox(kType) {}
  struct Sample {
    std::uint32_t duration = 0;
    std::uint32_t size = 0;
    std::uint32_t flags = 0;
    std::int32_t composition_offset = 0; ///< version 0: its 32 bits are unsigned, see offset_of()
  };
  std::int32_t data_offset = 0; ///< from the moof's first byte when default-base-is-moof
  std::uint32_t first_sample_flags = 0;
  std::uint32_t sample_count = 0; ///< set from `samples` by fields() when there are any fields per sample
  std::vector<Sample> samples;
  void fields(Fields &f) override;
  /// Whether samples have fields of their own, by the flags.
  bool has_samples() const { return flags & (kDuration | kSize | kFlags | kCompositionOffset); }
  /// A sample's composition offset, signed or unsigned as the version says.
  std::int64_t offset_of(const Sample &s) const {
    return version == 0 ? std::int64_t{static_cast<std::uint32_t>(s.composition_offset)}
                        : std::int64_t{s.composition_offset};
  }
};

/// 8.8.10
struct TrackFragmentRandomAccess : FullBox {
  static constexpr FourCC kType{"tfra"};
  TrackFragmentRandomAccess() : FullBox(kType, 1) {}
  struct Entry {
    std::uint64_t time = 0;        ///< 32 bits in version 0, as the offset
    std::uint64_t moof_offset = 0; ///< from the file's start
    std::uint32_t traf_number = 1;
    std::uint32_t trun_number = 1;
    std::uint32_t sample_number = 1;
  };
  std::uint32_t track_id = 1;
  std::uint8_t length_size_of_traf_num = 0; ///< bytes minus one, 0..3
  std::uint8_t length_size_of_trun_num = 0;
  std::uint8_t length_size_of_sample_num = 0;
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

/// 8.8.11: the mfra's size, so that it is found from the end of the file
struct MovieFragmentRandomAccessOffset : FullBox {
  static constexpr FourCC kType{"mfro"};
  MovieFragmentRandomAccessOffset() : FullBox(kType) {}
  std::uint32_t mfra_size = 0;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
