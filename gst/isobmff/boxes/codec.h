#pragma once

// What stands inside sample entries beside the boxes of entry.h: configuration of more codecs, and how pictures
// and sound are to be shown.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// A FullBox that is a codec's record to its end: oinf, svmC, and others that only their codec can read
struct FullConfiguration : FullBox {
  explicit FullConfiguration(FourCC box_type = FourCC("oinf")) : FullBox(box_type) {}
  ByteVector configuration;
  void fields(Fields &f) override;
};

/// A FullBox with boxes inside: smta, vwbm …
struct FullContainer : FullBox {
  explicit FullContainer(FourCC box_type = FourCC("smta")) : FullBox(box_type) {}
  bool has_children() const override { return true; }
};

/// A FullBox of one number: srat, vexu's stri, hero, dadj, st3d
struct FullNumber : FullBox {
  explicit FullNumber(FourCC box_type, unsigned width = 32) : FullBox(box_type), bits(width) {}
  unsigned bits;
  std::uint32_t value = 0;
  void fields(Fields &f) override;
};

/// A FullBox of four-character codes: prji, pkin, must
struct FullCodes : FullBox {
  explicit FullCodes(FourCC box_type = FourCC("prji")) : FullBox(box_type) {}
  std::vector<FourCC> codes;
  void fields(Fields &f) override;
};

/// A FullBox of one text: auxi mime txtC 'uri ' svhd
struct FullText : FullBox {
  explicit FullText(FourCC box_type = FourCC("auxi")) : FullBox(box_type) {}
  std::string text;
  void fields(Fields &f) override;
};

// Sound.

/// 23003-5 5.2: PCM in ipcm and fpcm
struct PcmConfiguration : FullBox {
  static constexpr FourCC kType{"pcmC"};
  static constexpr std::uint8_t kLittleEndian = 1;
  PcmConfiguration() : FullBox(kType) {}
  std::uint8_t format_flags = 0;
  std::uint8_t pcm_sample_size = 16; ///< bits
  void fields(Fields &f) override;
};

/// 3GPP TS 26.244 6.7: damr of AMR
struct AmrSpecific : Box {
  static constexpr FourCC kType{"damr"};
  AmrSpecific() : Box(kType) {}
  FourCC vendor;
  std::uint8_t decoder_version = 0;
  std::uint16_t mode_set = 0;
  std::uint8_t mode_change_period = 0;
  std::uint8_t frames_per_sample = 1;
  void fields(Fields &f) override;
};

/// Apple Lossless: ALACSpecificConfig, in an alac entry or in its wave
struct AlacSpecific : FullBox {
  static constexpr FourCC kType{"alac"};
  AlacSpecific() : FullBox(kType) {}
  std::uint32_t frame_length = 4096;
  std::uint8_t compatible_version = 0;
  std::uint8_t bit_depth = 16;
  std::uint8_t pb = 40, mb = 10, kb = 14; ///< Rice coding
  std::uint8_t num_channels = 2;
  std::uint16_t max_run = 255;
  std::uint32_t max_frame_bytes = 0;
  std::uint32_t avg_bit_rate = 0;
  std::uint32_t sample_rate = 44100;
  ByteVector channel_layout;
  void fields(Fields &f) override;
};

/// 23008-3 20.5: mhaC
struct MpegHConfiguration : Box {
  static constexpr FourCC kType{"mhaC"};
  MpegHConfiguration() : Box(kType) {}
  std::uint8_t configuration_version = 1;
  std::uint8_t profile_level_indication = 0;
  std::uint8_t reference_channel_layout = 0;
  ByteVector mpegh3da_config; ///< at most 65535 bytes
  void fields(Fields &f) override;
};

/// 23008-3 20.7: mhaP, profiles that a stream also conforms to
struct MpegHProfiles : Box {
  static constexpr FourCC kType{"mhaP"};
  MpegHProfiles() : Box(kType) {}
  ByteVector compatible_sets;
  void fields(Fields &f) override;
};

/// IAMF 6.2.4: iacb; the size of its descriptors is a LEB128 number of up to 8 bytes
struct IamfConfiguration : Box {
  static constexpr FourCC kType{"iacb"};
  IamfConfiguration() : Box(kType) {}
  std::uint8_t configuration_version = 1;
  ByteVector config_obus_size; ///< the bytes of the number
  ByteVector config_obus;
  void fields(Fields &f) override;
};

/// Dolby TrueHD (MLP): dmlp
struct MlpSpecific : Box {
  static constexpr FourCC kType{"dmlp"};
  MlpSpecific() : Box(kType) {}
  std::uint32_t format_info = 0;
  std::uint16_t peak_data_rate = 0;
  void fields(Fields &f) override;
};

/// ETSI TS 102 114 E.3: ddts
struct DtsSpecific : Box {
  static constexpr FourCC kType{"ddts"};
  DtsSpecific() : Box(kType) {}
  std::uint32_t dts_sampling_frequency = 48000;
  std::uint32_t max_bitrate = 0;
  std::uint32_t avg_bitrate = 0;
  std::uint8_t pcm_sample_depth = 16;
  std::uint8_t frame_duration = 0; ///< 0 = 512 samples, doubled each
  std::uint8_t stream_construction = 0;
  bool core_lfe_present = false;
  std::uint8_t core_layout = 0;
  std::uint16_t core_size = 0; ///< bytes
  bool stereo_downmix = false;
  std::uint8_t representation_type = 0;
  std::uint16_t channel_layout = 0;
  bool multi_asset_flag = false;
  bool lbr_duration_mod = false;
  bool reserved_box_present = false;
  ByteVector more;
  void fields(Fields &f) override;
};

/// 14496-12 12.2.4, version 0: with a layout of our own the positions of the channels follow
struct ChannelLayout : FullBox {
  static constexpr FourCC kType{"chnl"};
  static constexpr std::uint8_t kChannels = 1, kObjects = 2;
  ChannelLayout() : FullBox(kType) {}
  std::uint8_t stream_structure = kChannels;
  std::uint8_t defined_layout = 0; ///< 23091-3 ChannelConfiguration
  std::uint64_t omitted_channels_map = 0;
  ByteVector more; ///< speaker positions, objects, and all of version 1
  void fields(Fields &f) override;
};

// Pictures.

/// 3GPP TS 26.244 6.8: d263
struct H263Specific : Box {
  static constexpr FourCC kType{"d263"};
  H263Specific() : Box(kType) {}
  FourCC vendor;
  std::uint8_t decoder_version = 0;
  std::uint8_t level = 10;
  std::uint8_t profile = 0;
  void fields(Fields &f) override;
};

/// 23008-12 7.2.3.4: how pictures of a sequence may refer to each other
struct CodingConstraints : FullBox {
  static constexpr FourCC kType{"ccst"};
  CodingConstraints() : FullBox(kType) {}
  bool all_ref_pics_intra = false;
  bool intra_pred_used = true;
  std::uint8_t max_ref_per_pic = 15; ///< 15 = any number
  std::uint32_t reserved = 0;
  void fields(Fields &f) override;
};

/// 14496-12 12.1.9: 1/10000 lux, and CIE 1931 in 1/50000
struct AmbientViewingEnvironment : Box {
  static constexpr FourCC kType{"amve"};
  AmbientViewingEnvironment() : Box(kType) {}
  std::uint32_t ambient_illuminance = 0;
  std::uint16_t ambient_light_x = 0, ambient_light_y = 0;
  void fields(Fields &f) override;
};

/// 14496-12 12.1.8
struct ContentColourVolume : Box {
  static constexpr FourCC kType{"cclv"};
  ContentColourVolume() : Box(kType) {}
  bool primaries_present = false, min_present = false, max_present = false, avg_present = false;
  std::array<std::int32_t, 6> ccv_primaries{}; ///< x and y of three
  std::uint32_t ccv_min_luminance_value = 0, ccv_max_luminance_value = 0, ccv_avg_luminance_value = 0;
  void fields(Fields &f) override;
};

/// QuickTime: where chroma lies in the two fields
struct ChromaLocation : Box {
  static constexpr FourCC kType{"chrm"};
  ChromaLocation() : Box(kType) {}
  std::uint8_t chroma_sample_loc_type_top = 0, chroma_sample_loc_type_bottom = 0;
  void fields(Fields &f) override;
};

/// 23001-17 5.1: what the components are; uncC refers to them by index
struct ComponentDefinition : Box {
  static constexpr FourCC kType{"cmpd"};
  ComponentDefinition() : Box(kType) {}
  struct Component {
    std::uint16_t component_type = 0;
    std::string component_type_uri; ///< of types from 0x8000 on
    void fields(Fields &f);
  };
  std::vector<Component> components;
  void fields(Fields &f) override;
};

/// 23001-17 5.2: how uncompressed pictures lie in their samples
struct UncompressedFrameConfig : FullBox {
  static constexpr FourCC kType{"uncC"};
  UncompressedFrameConfig() : FullBox(kType) {}
  struct Component {
    std::uint16_t component_index = 0;
    std::uint8_t component_bit_depth_minus_one = 7;
    std::uint8_t component_format = 0; ///< 0 unsigned, 1 float, 2 complex, 3 signed
    std::uint8_t component_align_size = 0;
    void fields(Fields &f);
  };
  FourCC profile{0u};                ///< version 1: only this
  std::vector<Component> components; ///< version 0
  std::uint8_t sampling_type = 0;    ///< 0 4:4:4, 1 4:2:2, 2 4:2:0, 3 4:1:1
  std::uint8_t interleave_type = 0;  ///< 0 planes, 1 pixels, 2 mixed, 3 rows, 4 tiles, 5 multi-Y
  std::uint8_t block_size = 0;
  bool components_little_endian = false, block_pad_lsb = false, block_little_endian = false;
  bool block_reversed = false, pad_unknown = false;
  std::uint32_t pixel_size = 0;
  std::uint32_t row_align_size = 0, tile_align_size = 0; ///< bytes
  std::uint32_t num_tile_cols_minus_one = 0, num_tile_rows_minus_one = 0;
  void fields(Fields &f) override;
};

/// 23001-17 6.1.4: where chroma lies
struct ComponentChromaLocation : FullBox {
  static constexpr FourCC kType{"cloc"};
  ComponentChromaLocation() : FullBox(kType) {}
  std::uint8_t chroma_location = 0;
  void fields(Fields &f) override;
};

/// 23001-17 amendment 2: generally compressed items, and where the parts of one lie in its data
struct CompressionConfiguration : FullBox {
  static constexpr FourCC kType{"cmpC"};
  CompressionConfiguration() : FullBox(kType) {}
  FourCC compression_type{"zlib"};       ///< zlib, defl, brot
  std::uint8_t compressed_unit_type = 0; ///< 0 the item, 1 a picture, 2 a tile, 3 a row, 4 a pixel
  void fields(Fields &f) override;
};
struct CompressedUnits : FullBox {
  static constexpr FourCC kType{"icef"};
  CompressedUnits() : FullBox(kType) {}
  struct Unit {
    std::uint64_t unit_offset = 0;
    std::uint64_t unit_size = 0;
  };
  std::uint8_t unit_offset_code = 0; ///< 0: units follow each other; then 16, 24, 32, 64 bits
  std::uint8_t unit_size_code = 0;   ///< 8, 16, 24, 32, 64 bits
  std::vector<Unit> units;
  void fields(Fields &f) override;
};

/// 23001-17 amendment 1: the clock of stai; nanoseconds
struct TaiClockInfo : FullBox {
  static constexpr FourCC kType{"taic"};
  TaiClockInfo() : FullBox(kType) {}
  std::uint64_t time_uncertainty = ~std::uint64_t{0};
  std::uint32_t clock_resolution = 0;
  std::int32_t clock_drift_rate = 0x7fffffff; ///< picoseconds a second
  std::uint8_t clock_type = 0;
  void fields(Fields &f) override;
};

/// Spatial media of Google: prhd, degrees in 16.16
struct ProjectionHeader : FullBox {
  static constexpr FourCC kType{"prhd"};
  ProjectionHeader() : FullBox(kType) {}
  std::int32_t pose_yaw_degrees = 0, pose_pitch_degrees = 0, pose_roll_degrees = 0;
  void fields(Fields &f) override;
};
/// equi: how much of the sphere is cut away, 0.32
struct EquirectangularProjection : FullBox {
  static constexpr FourCC kType{"equi"};
  EquirectangularProjection() : FullBox(kType) {}
  std::uint32_t projection_bounds_top = 0, projection_bounds_bottom = 0;
  std::uint32_t projection_bounds_left = 0, projection_bounds_right = 0;
  void fields(Fields &f) override;
};
/// cbmp
struct CubemapProjection : FullBox {
  static constexpr FourCC kType{"cbmp"};
  CubemapProjection() : FullBox(kType) {}
  std::uint32_t layout = 0, padding = 0;
  void fields(Fields &f) override;
};
/// SA3D: ambisonics
struct SpatialAudio : Box {
  static constexpr FourCC kType{"SA3D"};
  SpatialAudio() : Box(kType) {}
  std::uint8_t version = 0, ambisonic_type = 0;
  std::uint32_t ambisonic_order = 1;
  std::uint8_t ambisonic_channel_ordering = 0, ambisonic_normalization = 0;
  std::vector<std::uint32_t> channel_map;
  void fields(Fields &f) override;
};

// JPEG 2000: ISO/IEC 15444-1 I.5 and 15444-3.

/// 'jP  ': the number that says what file it is
struct Jpeg2000Signature : Box {
  static constexpr FourCC kType{"jP  "};
  Jpeg2000Signature() : Box(kType) {}
  std::uint32_t signature = 0x0d0a870a;
  void fields(Fields &f) override;
};
struct Jpeg2000ImageHeader : Box {
  static constexpr FourCC kType{"ihdr"};
  Jpeg2000ImageHeader() : Box(kType) {}
  std::uint32_t height = 0, width = 0;
  std::uint16_t num_components = 3;
  std::uint8_t bits_per_component = 7, compression_type = 7, colourspace_unknown = 0,
               intellectual_property = 0;
  void fields(Fields &f) override;
};
struct Jpeg2000Colour : Box {
  static constexpr FourCC kType{"colr"};
  Jpeg2000Colour() : Box(kType) {}
  std::uint8_t method = 1;
  std::int8_t precedence = 0;
  std::uint8_t approximation = 0;
  std::uint32_t enumerated_colourspace = 16; ///< of method 1; 16 sRGB, 17 grey, 18 sYCC
  ByteVector profile;                        ///< of the others
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
