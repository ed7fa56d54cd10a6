#pragma once

// Sample entries (children of stsd) and the boxes inside them: ISO/IEC 14496-12 12, 14496-14, 14496-15,
// 14496-30, ETSI TS 102 366, and the codecs' own mappings. Codec configuration is opaque bytes here.

#include "gst/isobmff/boxes/box.h"

namespace hull::isobmff {

/// 12.1.3: avc1 avc3 hvc1 hev1 av01 vp08 vp09 mp4v encv …
struct VisualSampleEntry : Box {
  explicit VisualSampleEntry(FourCC format = FourCC("avc1")) : Box(format) {}
  std::uint16_t data_reference_index = 1;
  std::array<std::uint32_t, 4> pre_defined{}; ///< QuickTime's version, vendor and qualities
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint32_t horizresolution = 0x480000; ///< 16.16 pixels per inch
  std::uint32_t vertresolution = 0x480000;
  std::uint32_t reserved = 0;
  std::uint16_t frame_count = 1;
  std::string compressorname; ///< at most 31 bytes
  std::uint16_t depth = 0x18;
  std::int16_t pre_defined2 = -1;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// 12.2.3: mp4a Opus fLaC ac-3 ec-3 .mp3 enca …
struct AudioSampleEntry : Box {
  explicit AudioSampleEntry(FourCC format = FourCC("mp4a")) : Box(format) {}
  std::uint16_t data_reference_index = 1;
  std::uint16_t entry_version = 0; ///< QuickTime: 1 and 2 have more fields
  std::uint16_t revision = 0;
  std::uint32_t vendor = 0;
  std::uint16_t channelcount = 2;
  std::uint16_t samplesize = 16;
  std::int16_t pre_defined = 0;
  std::uint16_t packet_size = 0;
  std::uint32_t samplerate = 0; ///< 16.16
  ByteVector quicktime;         ///< the 16 or 36 bytes versions 1 and 2 add
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// Entries that have nothing but the reference: wvtt (14496-30 7.5), urim, mett's relatives …
struct PlainSampleEntry : Box {
  explicit PlainSampleEntry(FourCC format = FourCC("wvtt")) : Box(format) {}
  std::uint16_t data_reference_index = 1;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// 14496-30 5.4, XML subtitles
struct SubtitleSampleEntry : Box {
  static constexpr FourCC kType{"stpp"};
  SubtitleSampleEntry() : Box(kType) {}
  std::uint16_t data_reference_index = 1;
  std::string namespaces; ///< separated by blanks
  std::string schema_location;
  std::string auxiliary_mime_types;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// 14496-12 12.3.3 and 12.5.3: mett metx sbtt stxt, metadata and text
struct TextualSampleEntry : Box {
  explicit TextualSampleEntry(FourCC format = FourCC("mett")) : Box(format) {}
  std::uint16_t data_reference_index = 1;
  std::string content_encoding;
  std::string mime_format;                 ///< not of metx
  std::string namespaces, schema_location; ///< of metx
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// 3GPP TS 26.245 5.16: timed text
struct TimedTextSampleEntry : Box {
  static constexpr FourCC kType{"tx3g"};
  TimedTextSampleEntry() : Box(kType) {}
  std::uint16_t data_reference_index = 1;
  std::uint32_t display_flags = 0;
  std::int8_t horizontal_justification = 0, vertical_justification = 0;
  std::uint32_t background_color_rgba = 0;
  std::array<std::int16_t, 4> default_text_box{}; ///< top, left, bottom, right
  std::uint16_t start_char = 0, end_char = 0, font_id = 1;
  std::uint8_t face_style_flags = 0, font_size = 0;
  std::uint32_t text_color_rgba = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// 3GPP TS 26.245 5.16: ftab
struct FontTable : Box {
  static constexpr FourCC kType{"ftab"};
  FontTable() : Box(kType) {}
  struct Font {
    std::uint16_t font_id = 1;
    ByteVector font_name; ///< at most 255 bytes
    void fields(Fields &f);
  };
  std::vector<Font> fonts;
  void fields(Fields &f) override;
};

/// Entries that end with bytes only their format can read: gpmd fdsc it35 camm …
struct DataSampleEntry : Box {
  explicit DataSampleEntry(FourCC format = FourCC("gpmd")) : Box(format) {}
  std::uint16_t data_reference_index = 1;
  ByteVector data;
  void fields(Fields &f) override;
};

/// 14496-12 12.4.4: rtp srtp rrtp 'rtcp', children tims tsro snro
struct RtpHintSampleEntry : Box {
  explicit RtpHintSampleEntry(FourCC format = FourCC("rtp ")) : Box(format) {}
  std::uint16_t data_reference_index = 1;
  std::uint16_t hinttrackversion = 1;
  std::uint16_t highestcompatibleversion = 1;
  std::uint32_t maxpacketsize = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// QuickTime's timecode entry
struct TimecodeSampleEntry : Box {
  static constexpr FourCC kType{"tmcd"};
  static constexpr std::uint32_t kDropFrame = 1, k24HourMaximum = 2, kNegative = 4, kCounter = 8;
  TimecodeSampleEntry() : Box(kType) {}
  std::uint16_t data_reference_index = 1;
  std::uint32_t reserved = 0;
  std::uint32_t flags = 0;
  std::uint32_t timescale = 0;
  std::uint32_t frame_duration = 0;
  std::uint8_t number_of_frames = 0; ///< per second, rounded up
  std::uint8_t reserved2 = 0;
  void fields(Fields &f) override;
  bool has_children() const override { return true; }
};

/// A box whose payload is a codec's configuration record: avcC hvcC dfLa dOps dac3 dec3 esds' relatives …
struct CodecConfiguration : Box {
  explicit CodecConfiguration(FourCC box_type = FourCC("avcC"), ByteVector record = {})
      : Box(box_type), configuration(std::move(record)) {}
  ByteVector configuration;
  void fields(Fields &f) override { f.rest("configuration", configuration); }
};

/// VP codec ISO media file format binding 1.0
struct VpCodecConfiguration : FullBox {
  static constexpr FourCC kType{"vpcC"};
  VpCodecConfiguration() : FullBox(kType, 1) {}
  std::uint8_t profile = 0;
  std::uint8_t level = 10;
  std::uint8_t bit_depth = 8;
  std::uint8_t chroma_subsampling = 1;
  bool video_full_range_flag = false;
  std::uint8_t colour_primaries = 2;
  std::uint8_t transfer_characteristics = 2;
  std::uint8_t matrix_coefficients = 2;
  ByteVector codec_initialization_data; ///< empty for VP8 and VP9
  void fields(Fields &f) override;
};

/// AV1 codec ISO media file format binding 2.3
struct Av1CodecConfiguration : Box {
  static constexpr FourCC kType{"av1C"};
  Av1CodecConfiguration() : Box(kType) {}
  bool marker = true;
  std::uint8_t version = 1;
  std::uint8_t seq_profile = 0;
  std::uint8_t seq_level_idx_0 = 0;
  bool seq_tier_0 = false;
  bool high_bitdepth = false;
  bool twelve_bit = false;
  bool monochrome = false;
  bool chroma_subsampling_x = true;
  bool chroma_subsampling_y = true;
  std::uint8_t chroma_sample_position = 0;
  bool initial_presentation_delay_present = false;
  std::uint8_t initial_presentation_delay_minus_one = 0;
  ByteVector config_obus;
  void fields(Fields &f) override;
};

/// 14496-14 6.7.2: an ES_Descriptor, kept as bytes; see make_esds and esds_summary.
struct ElementaryStreamDescriptor : FullBox {
  static constexpr FourCC kType{"esds"};
  ElementaryStreamDescriptor() : FullBox(kType) {}
  ByteVector descriptor;
  void fields(Fields &f) override;
};

/// What an esds says, 14496-1 7.2.6.
struct EsdsSummary {
  std::uint16_t es_id = 0;
  std::uint8_t object_type_indication = 0x40; ///< 0x40 AAC, 0x6b MP3
  std::uint8_t stream_type = 5;
  std::uint32_t buffer_size_db = 0;
  std::uint32_t max_bitrate = 0;
  std::uint32_t avg_bitrate = 0;
  ByteVector decoder_specific_info; ///< AudioSpecificConfig for AAC
};
/// ES_Descriptor with the fewest bytes; SLConfig predefined 2.
ByteVector make_es_descriptor(const EsdsSummary &summary);
/// bad_data when a descriptor runs past the end or the decoder configuration is missing.
Result<EsdsSummary> read_es_descriptor(Bytes descriptor);

/// 14496-12 8.5.2.2: bit/s
struct BitRate : Box {
  static constexpr FourCC kType{"btrt"};
  BitRate() : Box(kType) {}
  std::uint32_t buffer_size_db = 0;
  std::uint32_t max_bitrate = 0;
  std::uint32_t avg_bitrate = 0;
  void fields(Fields &f) override;
};

/// 12.1.5
struct ColourInformation : Box {
  static constexpr FourCC kType{"colr"};
  ColourInformation() : Box(kType) {}
  FourCC colour_type{"nclx"}; ///< nclx, nclc (QuickTime, no range flag), rICC, prof
  std::uint16_t colour_primaries = 1;
  std::uint16_t transfer_characteristics = 1;
  std::uint16_t matrix_coefficients = 1;
  bool full_range_flag = false;
  ByteVector icc_profile;
  void fields(Fields &f) override;
};

/// 12.1.4
struct PixelAspectRatio : Box {
  static constexpr FourCC kType{"pasp"};
  PixelAspectRatio() : Box(kType) {}
  std::uint32_t h_spacing = 1;
  std::uint32_t v_spacing = 1;
  void fields(Fields &f) override;
};

/// 12.1.4: rational numbers; offsets from the centre may be negative
struct CleanAperture : Box {
  static constexpr FourCC kType{"clap"};
  CleanAperture() : Box(kType) {}
  std::uint32_t width_n = 0, width_d = 1;
  std::uint32_t height_n = 0, height_d = 1;
  std::int32_t horiz_off_n = 0;
  std::uint32_t horiz_off_d = 1;
  std::int32_t vert_off_n = 0;
  std::uint32_t vert_off_d = 1;
  void fields(Fields &f) override;
};

/// 12.1.7: primaries in green, blue, red order, in 1/50000; luminance in 1/10000 cd/m2
struct MasteringDisplayColourVolume : Box {
  static constexpr FourCC kType{"mdcv"};
  MasteringDisplayColourVolume() : Box(kType) {}
  std::array<std::uint16_t, 3> display_primaries_x{}, display_primaries_y{};
  std::uint16_t white_point_x = 0, white_point_y = 0;
  std::uint32_t max_display_mastering_luminance = 0;
  std::uint32_t min_display_mastering_luminance = 0;
  void fields(Fields &f) override;
};

/// 12.1.6: cd/m2
struct ContentLightLevel : Box {
  static constexpr FourCC kType{"clli"};
  ContentLightLevel() : Box(kType) {}
  std::uint16_t max_content_light_level = 0;
  std::uint16_t max_pic_average_light_level = 0;
  void fields(Fields &f) override;
};

/// QuickTime: fields per frame and their order
struct FieldOrder : Box {
  static constexpr FourCC kType{"fiel"};
  FieldOrder() : Box(kType) {}
  std::uint8_t field_count = 1;
  std::uint8_t field_ordering = 0;
  void fields(Fields &f) override;
};

/// Encapsulation of Opus in ISO BMFF 4.3.2
struct OpusSpecific : Box {
  static constexpr FourCC kType{"dOps"};
  OpusSpecific() : Box(kType) {}
  std::uint8_t version = 0;
  std::uint8_t output_channel_count = 2;
  std::uint16_t pre_skip = 0; ///< samples at 48 kHz
  std::uint32_t input_sample_rate = 48000;
  std::int16_t output_gain = 0; ///< 7.8 dB
  std::uint8_t channel_mapping_family = 0;
  std::uint8_t stream_count = 0; ///< families above 0
  std::uint8_t coupled_count = 0;
  ByteVector channel_mapping; ///< one per channel
  void fields(Fields &f) override;
};

/// Encapsulation of FLAC in ISO BMFF 3.3.2: metadata blocks as in a native stream, STREAMINFO first
struct FlacSpecific : FullBox {
  static constexpr FourCC kType{"dfLa"};
  FlacSpecific() : FullBox(kType) {}
  ByteVector metadata_blocks;
  void fields(Fields &f) override;
};

/// ETSI TS 102 366 F.4
struct Ac3Specific : Box {
  static constexpr FourCC kType{"dac3"};
  Ac3Specific() : Box(kType) {}
  std::uint8_t fscod = 0, bsid = 8, bsmod = 0, acmod = 2;
  bool lfeon = false;
  std::uint8_t bit_rate_code = 0;
  void fields(Fields &f) override;
};

/// ETSI TS 102 366 F.6
struct Ec3Specific : Box {
  static constexpr FourCC kType{"dec3"};
  Ec3Specific() : Box(kType) {}
  struct Substream {
    std::uint8_t fscod = 0, bsid = 16;
    bool asvc = false;
    std::uint8_t bsmod = 0, acmod = 2;
    bool lfeon = false;
    std::uint8_t num_dep_sub = 0;
    std::uint16_t chan_loc = 0;
    void fields(Fields &f);
  };
  std::uint16_t data_rate = 0;          ///< kbit/s
  std::vector<Substream> substreams{1}; ///< 1 to 8
  ByteVector extension;                 ///< JOC complexity
  void fields(Fields &f) override;
};

/// A box that is one text to its end, without a zero byte: 14496-30 vttC vlab iden ctim sttg payl vtta …
struct TextBox : Box {
  explicit TextBox(FourCC box_type = FourCC("vttC"), std::string content = {})
      : Box(box_type), text(std::move(content)) {}
  std::string text;
  void fields(Fields &f) override;
};

/// 14496-30 7.6: vsid
struct CueSourceId : Box {
  static constexpr FourCC kType{"vsid"};
  CueSourceId() : Box(kType) {}
  std::int32_t source_id = 0;
  void fields(Fields &f) override;
};

} // namespace hull::isobmff
