#pragma once

#include "gst/core/fields.h"
#include "gst/h264/params.h"

#include <string>

namespace hull::h264 {

/// AVCDecoderConfigurationRecord, ISO/IEC 14496-15 5.3.3.1: the codec_data of stream-format=avc.
struct DecoderConfiguration {
  struct Unit {
    ByteVector data; ///< a whole NAL unit
    void fields(Fields &f);
  };
  std::uint8_t configuration_version = 1;
  std::uint8_t avc_profile_indication = 66;
  std::uint8_t profile_compatibility = 0;
  std::uint8_t avc_level_indication = 10;
  std::uint8_t length_size_minus_one = 3;
  std::vector<Unit> sequence_parameter_sets;
  std::vector<Unit> picture_parameter_sets;
  std::uint8_t chroma_format = 1;
  std::uint8_t bit_depth_luma_minus8 = 0;
  std::uint8_t bit_depth_chroma_minus8 = 0;
  std::vector<Unit> sequence_parameter_set_ext;
  bool has_high_fields = false; ///< old writers leave them out even where the profile has them
  void fields(Fields &f);
  unsigned length_size() const { return length_size_minus_one + 1u; }
};

/// A record of one SPS and one PPS with lengths of four bytes.
Result<ByteVector> write_decoder_configuration(Bytes sps_nal, Bytes pps_nal);
Result<DecoderConfiguration> parse_decoder_configuration(Bytes codec_data);

/// RFC 6381: "avc1.4D401F". `sample_entry` is avc1 or avc3.
std::string codec_string(const Sps &sps, const char *sample_entry = "avc1");

/// The caps name of a sequence's profile: "constrained-baseline", "main" …; empty when it has none.
std::string profile_name(const Sps &sps);
/// The caps name of its level: "3.1", "1b"; empty when unknown.
std::string level_name(const Sps &sps);

} // namespace hull::h264
