#include "gst/isobmff/boxes/entry.h"

#include <algorithm>

namespace hull::isobmff {

void VisualSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  for (auto &value : pre_defined)
    f.u("pre_defined", 32, value);
  f.u("width", 16, width);
  f.u("height", 16, height);
  f.fixed("horizresolution", 16, 16, horizresolution);
  f.fixed("vertresolution", 16, 16, vertresolution);
  f.u("reserved", 32, reserved);
  f.u("frame_count", 16, frame_count);
  ByteVector name(32); // a length byte, the name, zeros
  const std::size_t length = std::min<std::size_t>(compressorname.size(), 31);
  name[0] = static_cast<std::uint8_t>(length);
  std::copy_n(compressorname.begin(), length, name.begin() + 1);
  f.bytes("compressorname", name, 32);
  if (name.size() == 32)
    compressorname.assign(name.begin() + 1, name.begin() + 1 + std::min<int>(name[0], 31));
  f.u("depth", 16, depth);
  f.i("pre_defined", 16, pre_defined2);
}

void AudioSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.u("entry_version", 16, entry_version);
  f.u("revision", 16, revision);
  f.u("vendor", 32, vendor);
  f.u("channelcount", 16, channelcount);
  f.u("samplesize", 16, samplesize);
  f.i("pre_defined", 16, pre_defined);
  f.u("packet_size", 16, packet_size);
  f.fixed("samplerate", 16, 16, samplerate);
  if (entry_version == 1) f.bytes("quicktime", quicktime, 16);
  if (entry_version == 2) f.bytes("quicktime", quicktime, 36);
}

void PlainSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
}

void SubtitleSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.text("namespace", namespaces);
  f.text("schema_location", schema_location);
  f.text("auxiliary_mime_types", auxiliary_mime_types);
}

void TextualSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.text("content_encoding", content_encoding);
  if (type == FourCC("metx")) {
    f.text("namespace", namespaces);
    f.text("schema_location", schema_location);
  } else {
    f.text("mime_format", mime_format);
  }
}

void TimedTextSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.u("displayFlags", 32, display_flags);
  f.i("horizontal_justification", 8, horizontal_justification);
  f.i("vertical_justification", 8, vertical_justification);
  f.u("background_color_rgba", 32, background_color_rgba);
  for (auto &edge : default_text_box)
    f.i("default_text_box", 16, edge);
  f.u("startChar", 16, start_char);
  f.u("endChar", 16, end_char);
  f.u("font_ID", 16, font_id);
  f.u("face_style_flags", 8, face_style_flags);
  f.u("font_size", 8, font_size);
  f.u("text_color_rgba", 32, text_color_rgba);
}

void FontTable::Font::fields(Fields &f) {
  f.u("font_ID", 16, font_id);
  auto size = static_cast<std::uint64_t>(font_name.size());
  f.u("font_name_length", 8, size);
  f.bytes("font", font_name, size);
}

void FontTable::fields(Fields &f) {
  f.count("entry_count", 16, fonts, 24);
  for (Font &font : fonts)
    f.group("font", font);
}

void DataSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.rest("data", data);
}

void RtpHintSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.u("hinttrackversion", 16, hinttrackversion);
  f.u("highestcompatibleversion", 16, highestcompatibleversion);
  f.u("maxpacketsize", 32, maxpacketsize);
}

void TimecodeSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.u("reserved", 32, reserved);
  f.u("flags", 32, flags);
  f.u("timescale", 32, timescale);
  f.u("frame_duration", 32, frame_duration);
  f.u("number_of_frames", 8, number_of_frames);
  f.u("reserved", 8, reserved2);
}

void VpCodecConfiguration::fields(Fields &f) {
  FullBox::fields(f);
  f.u("profile", 8, profile);
  f.u("level", 8, level);
  f.u("bitDepth", 4, bit_depth);
  f.u("chromaSubsampling", 3, chroma_subsampling);
  f.flag("videoFullRangeFlag", video_full_range_flag);
  f.u("colourPrimaries", 8, colour_primaries);
  f.u("transferCharacteristics", 8, transfer_characteristics);
  f.u("matrixCoefficients", 8, matrix_coefficients);
  auto size = static_cast<std::uint64_t>(codec_initialization_data.size());
  f.u("codecInitializationDataSize", 16, size);
  f.bytes("codecInitializationData", codec_initialization_data, size);
}

void Av1CodecConfiguration::fields(Fields &f) {
  f.flag("marker", marker);
  f.u("version", 7, version);
  f.u("seq_profile", 3, seq_profile);
  f.u("seq_level_idx_0", 5, seq_level_idx_0);
  f.flag("seq_tier_0", seq_tier_0);
  f.flag("high_bitdepth", high_bitdepth);
  f.flag("twelve_bit", twelve_bit);
  f.flag("monochrome", monochrome);
  f.flag("chroma_subsampling_x", chroma_subsampling_x);
  f.flag("chroma_subsampling_y", chroma_subsampling_y);
  f.u("chroma_sample_position", 2, chroma_sample_position);
  f.reserved(3);
  f.flag("initial_presentation_delay_present", initial_presentation_delay_present);
  f.u("initial_presentation_delay_minus_one", 4, initial_presentation_delay_minus_one);
  f.rest("configOBUs", config_obus);
}

void ElementaryStreamDescriptor::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("descriptor", descriptor);
}

void BitRate::fields(Fields &f) {
  f.u("bufferSizeDB", 32, buffer_size_db);
  f.u("maxBitrate", 32, max_bitrate);
  f.u("avgBitrate", 32, avg_bitrate);
}

void ColourInformation::fields(Fields &f) {
  f.code("colour_type", colour_type.value);
  if (colour_type != FourCC("nclx") && colour_type != FourCC("nclc"))
    return f.rest("ICC_profile", icc_profile);
  f.u("colour_primaries", 16, colour_primaries);
  f.u("transfer_characteristics", 16, transfer_characteristics);
  f.u("matrix_coefficients", 16, matrix_coefficients);
  if (colour_type == FourCC("nclc")) return;
  f.flag("full_range_flag", full_range_flag);
  f.reserved(7);
}

void PixelAspectRatio::fields(Fields &f) {
  f.u("hSpacing", 32, h_spacing);
  f.u("vSpacing", 32, v_spacing);
}

void CleanAperture::fields(Fields &f) {
  f.u("cleanApertureWidthN", 32, width_n);
  f.u("cleanApertureWidthD", 32, width_d);
  f.u("cleanApertureHeightN", 32, height_n);
  f.u("cleanApertureHeightD", 32, height_d);
  f.i("horizOffN", 32, horiz_off_n);
  f.u("horizOffD", 32, horiz_off_d);
  f.i("vertOffN", 32, vert_off_n);
  f.u("vertOffD", 32, vert_off_d);
}

void MasteringDisplayColourVolume::fields(Fields &f) {
  for (std::size_t i = 0; i < 3; ++i) {
    f.u("display_primaries_x", 16, display_primaries_x[i]);
    f.u("display_primaries_y", 16, display_primaries_y[i]);
  }
  f.u("white_point_x", 16, white_point_x);
  f.u("white_point_y", 16, white_point_y);
  f.u("max_display_mastering_luminance", 32, max_display_mastering_luminance);
  f.u("min_display_mastering_luminance", 32, min_display_mastering_luminance);
}

void ContentLightLevel::fields(Fields &f) {
  f.u("max_content_light_level", 16, max_content_light_level);
  f.u("max_pic_average_light_level", 16, max_pic_average_light_level);
}

void FieldOrder::fields(Fields &f) {
  f.u("field_count", 8, field_count);
  f.u("field_ordering", 8, field_ordering);
}

void OpusSpecific::fields(Fields &f) {
  f.u("Version", 8, version);
  f.u("OutputChannelCount", 8, output_channel_count);
  f.u("PreSkip", 16, pre_skip);
  f.u("InputSampleRate", 32, input_sample_rate);
  f.i("OutputGain", 16, output_gain);
  f.u("ChannelMappingFamily", 8, channel_mapping_family);
  if (channel_mapping_family == 0) return;
  f.u("StreamCount", 8, stream_count);
  f.u("CoupledCount", 8, coupled_count);
  f.bytes("ChannelMapping", channel_mapping, output_channel_count);
}

void FlacSpecific::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("metadata_blocks", metadata_blocks);
}

void Ac3Specific::fields(Fields &f) {
  f.u("fscod", 2, fscod);
  f.u("bsid", 5, bsid);
  f.u("bsmod", 3, bsmod);
  f.u("acmod", 3, acmod);
  f.flag("lfeon", lfeon);
  f.u("bit_rate_code", 5, bit_rate_code);
  f.reserved(5);
}

void Ec3Specific::Substream::fields(Fields &f) {
  f.u("fscod", 2, fscod);
  f.u("bsid", 5, bsid);
  f.reserved(1);
  f.flag("asvc", asvc);
  f.u("bsmod", 3, bsmod);
  f.u("acmod", 3, acmod);
  f.flag("lfeon", lfeon);
  f.reserved(3);
  f.u("num_dep_sub", 4, num_dep_sub);
  if (num_dep_sub > 0)
    f.u("chan_loc", 9, chan_loc);
  else
    f.reserved(1);
}

void Ec3Specific::fields(Fields &f) {
  f.u("data_rate", 13, data_rate);
  if (substreams.empty()) substreams.resize(1);
  auto last = static_cast<std::uint64_t>(substreams.size() - 1);
  f.u("num_ind_sub", 3, last);
  substreams.resize(last + 1);
  for (Substream &substream : substreams)
    f.group("substream", substream);
  f.rest("extension", extension);
}

void TextBox::fields(Fields &f) {
  rest_text(f, "text", text);
}

void CueSourceId::fields(Fields &f) {
  f.i("source_ID", 32, source_id);
}

} // namespace hull::isobmff
