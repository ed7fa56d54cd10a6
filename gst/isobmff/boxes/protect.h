#pragma once

// Protection: ISO/IEC 14496-12 8.12, 8.7.8, 8.7.9 and 23001-7 (common encryption).

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 14496-12 8.12.2: the sample entry's type before encryption
struct OriginalFormat : Box {
  static constexpr FourCC kType{"frma"};
  OriginalFormat() : Box(kType) {}
  FourCC data_format;
  void fields(Fields &f) override;
};

/// 14496-12 8.12.5
struct SchemeType : FullBox {
  static constexpr FourCC kType{"schm"};
  SchemeType() : FullBox(kType) {}
  FourCC scheme_type{"cenc"};
  std::uint32_t scheme_version = 0x10000;
  std::string scheme_uri; ///< with flags 1
  void fields(Fields &f) override;
};

/// 23001-7 8.2
struct TrackEncryption : FullBox {
  static constexpr FourCC kType{"tenc"};
  TrackEncryption() : FullBox(kType) {}
  std::uint8_t reserved = 0;
  std::uint8_t default_crypt_byte_block = 0; ///< version 1
  std::uint8_t default_skip_byte_block = 0;
  std::uint8_t default_is_protected = 1;
  std::uint8_t default_per_sample_iv_size = 8; ///< 0, 8 or 16
  Uuid default_kid{};
  ByteVector default_constant_iv; ///< when protected with an IV size of 0
  void fields(Fields &f) override;
};

/// 23001-7 7.2: IV size and subsamples depend on the track, so samples stay bytes here; crypt.h reads them.
struct SampleEncryption : FullBox {
  static constexpr FourCC kType{"senc"};
  static constexpr std::uint32_t kUseSubSamples = 2;
  SampleEncryption() : FullBox(kType) {}
  std::uint32_t sample_count = 0;
  ByteVector samples;
  void fields(Fields &f) override;
};

/// 23001-7 8.1
struct ProtectionSystemHeader : FullBox {
  static constexpr FourCC kType{"pssh"};
  ProtectionSystemHeader() : FullBox(kType) {}
  Uuid system_id{};
  std::vector<Uuid> kids; ///< version 1
  ByteVector data;
  void fields(Fields &f) override;
};

/// 14496-12 8.7.8
struct SampleAuxiliaryInfoSizes : FullBox {
  static constexpr FourCC kType{"saiz"};
  static constexpr std::uint32_t kHasType = 1;
  SampleAuxiliaryInfoSizes() : FullBox(kType) {}
  FourCC aux_info_type;
  std::uint32_t aux_info_type_parameter = 0;
  std::uint8_t default_sample_info_size = 0;
  std::uint32_t sample_count = 0; ///< set from the sizes by fields() when the default is 0
  ByteVector sample_info_sizes;
  void fields(Fields &f) override;
};

/// 14496-12 8.7.9
struct SampleAuxiliaryInfoOffsets : FullBox {
  static constexpr FourCC kType{"saio"};
  static constexpr std::uint32_t kHasType = 1;
  SampleAuxiliaryInfoOffsets() : FullBox(kType) {}
  FourCC aux_info_type;
  std::uint32_t aux_info_type_parameter = 0;
  std::vector<std::uint64_t> offsets; ///< 32 bits in version 0
  void fields(Fields &f) override;
};

// Protected Interoperable File Format and Smooth Streaming: uuid boxes.

/// a2394f52…: senc before it had a name; with flags 1 it says algorithm, IV size and key of its own
struct PiffSampleEncryption : FullBox {
  static constexpr FourCC kType{"uuid"};
  static constexpr std::uint32_t kOverride = 1;
  PiffSampleEncryption() : FullBox(kType) {}
  std::uint32_t algorithm_id = 1;
  std::uint8_t iv_size = 8;
  Uuid kid{};
  std::uint32_t sample_count = 0;
  ByteVector samples;
  void fields(Fields &f) override;
};

/// 8974dbce…: tenc
struct PiffTrackEncryption : FullBox {
  static constexpr FourCC kType{"uuid"};
  PiffTrackEncryption() : FullBox(kType) {}
  std::uint32_t default_algorithm_id = 1; ///< 1 AES-CTR, 2 AES-CBC
  std::uint8_t default_iv_size = 8;
  Uuid default_kid{};
  void fields(Fields &f) override;
};

/// 6d1d9b05…: absolute time and duration of a Smooth Streaming fragment, in ticks of its track
struct SmoothFragmentTime : FullBox {
  static constexpr FourCC kType{"uuid"};
  SmoothFragmentTime() : FullBox(kType, 1) {}
  std::uint64_t fragment_absolute_time = 0; ///< 32 bits in version 0
  std::uint64_t fragment_duration = 0;
  void fields(Fields &f) override;
};

/// d4807ef2…: the same of the fragments that follow
struct SmoothFragmentReferences : FullBox {
  static constexpr FourCC kType{"uuid"};
  SmoothFragmentReferences() : FullBox(kType, 1) {}
  struct Entry {
    std::uint64_t fragment_absolute_time = 0;
    std::uint64_t fragment_duration = 0;
  };
  std::vector<Entry> entries;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
