#include "gst/h264/avcc.h"

#include "gst/h264/level.h"

#include <fmt/format.h>

namespace hull::h264 {

void DecoderConfiguration::Unit::fields(Fields &f) {
  auto length = static_cast<std::uint16_t>(data.size());
  if (data.size() > 0xffff) return f.fail("a parameter set above 65535 bytes fits no configuration record");
  f.u("parameter_set_length", 16, length);
  f.bytes("parameter_set", data, length);
}

void DecoderConfiguration::fields(Fields &f) {
  f.u("configuration_version", 8, configuration_version);
  f.u("avc_profile_indication", 8, avc_profile_indication);
  f.u("profile_compatibility", 8, profile_compatibility);
  f.u("avc_level_indication", 8, avc_level_indication);
  f.reserved(6, 63);
  f.u("length_size_minus_one", 2, length_size_minus_one);
  f.reserved(3, 7);
  f.count("num_of_sequence_parameter_sets", 5, sequence_parameter_sets, 16);
  for (Unit &unit : sequence_parameter_sets)
    f.group("sequence_parameter_set", unit);
  f.count("num_of_picture_parameter_sets", 8, picture_parameter_sets, 16);
  for (Unit &unit : picture_parameter_sets)
    f.group("picture_parameter_set", unit);
  const unsigned profile = avc_profile_indication;
  const bool high = profile == 100 || profile == 110 || profile == 122 || profile == 144 || profile == 244;
  if (f.reading()) has_high_fields = high && f.remaining() >= 32;
  if (!has_high_fields) return;
  f.reserved(6, 63);
  f.u("chroma_format", 2, chroma_format);
  f.reserved(5, 31);
  f.u("bit_depth_luma_minus8", 3, bit_depth_luma_minus8);
  f.reserved(5, 31);
  f.u("bit_depth_chroma_minus8", 3, bit_depth_chroma_minus8);
  f.count("num_of_sequence_parameter_set_ext", 8, sequence_parameter_set_ext, 16);
  for (Unit &unit : sequence_parameter_set_ext)
    f.group("sequence_parameter_set_ext", unit);
}

Result<ByteVector> write_decoder_configuration(Bytes sps_nal, Bytes pps_nal) {
  const auto sps = parse_sps({sps_nal});
  if (!sps) return tl::unexpected(sps.error());
  DecoderConfiguration record;
  record.avc_profile_indication = sps->profile_idc;
  record.profile_compatibility = sps->constraint_flags;
  record.avc_level_indication = sps->level_idc;
  record.sequence_parameter_sets.push_back({{sps_nal.begin(), sps_nal.end()}});
  record.picture_parameter_sets.push_back({{pps_nal.begin(), pps_nal.end()}});
  record.chroma_format = sps->chroma_format_idc;
  record.bit_depth_luma_minus8 = sps->bit_depth_luma_minus8;
  record.bit_depth_chroma_minus8 = sps->bit_depth_chroma_minus8;
  record.has_high_fields = sps->has_chroma_format();
  Writer writer;
  record.fields(writer);
  if (!writer.ok()) return tl::unexpected(writer.error());
  return writer.out().take();
}

Result<DecoderConfiguration> parse_decoder_configuration(Bytes codec_data) {
  DecoderConfiguration record;
  Reader reader(codec_data);
  record.fields(reader);
  if (!reader.ok()) return tl::unexpected(reader.error());
  if (record.configuration_version != 1)
    return hull::fail(ErrorCode::bad_data, "codec_data is no AVC configuration record (its version is not 1)",
                      0);
  if (record.length_size_minus_one == 2)
    return hull::fail(ErrorCode::bad_data, "codec_data asks for NAL unit lengths of three bytes", 4);
  return record;
}

std::string codec_string(const Sps &sps, const char *sample_entry) {
  return fmt::format("{}.{:02X}{:02X}{:02X}", sample_entry, sps.profile_idc, sps.constraint_flags,
                     sps.level_idc);
}

std::string profile_name(const Sps &sps) {
  const bool intra = sps.constraint_set(3);
  switch (sps.profile_idc) {
  case 66:
    return sps.constraint_set(1) ? "constrained-baseline" : "baseline";
  case 77:
    return "main";
  case 88:
    return "extended";
  case 100:
    if (sps.constraint_set(4)) return sps.constraint_set(5) ? "constrained-high" : "progressive-high";
    return "high";
  case 110:
    return intra ? "high-10-intra" : sps.constraint_set(4) ? "progressive-high-10" : "high-10";
  case 122:
    return intra ? "high-4:2:2-intra" : "high-4:2:2";
  case 244:
    return intra ? "high-4:4:4-intra" : "high-4:4:4";
  case 44:
    return "cavlc-4:4:4-intra";
  default:
    return "";
  }
}

std::string level_name(const Sps &sps) {
  const Level *level = level_of(sps.level_idc, sps.profile_idc < 100 && sps.constraint_set(3));
  return level ? level->name : "";
}

} // namespace hull::h264
