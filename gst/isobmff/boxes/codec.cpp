#include "gst/isobmff/boxes/codec.h"

namespace hull::isobmff {

void FullConfiguration::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("configuration", configuration);
}

void FullNumber::fields(Fields &f) {
  FullBox::fields(f);
  f.u("value", bits, value);
}

void FullCodes::fields(Fields &f) {
  FullBox::fields(f);
  f.fill("codes", codes, 32);
  for (FourCC &code : codes)
    f.code("code", code.value);
}

void FullText::fields(Fields &f) {
  FullBox::fields(f);
  f.text("text", text);
}

void PcmConfiguration::fields(Fields &f) {
  FullBox::fields(f);
  f.u("format_flags", 8, format_flags);
  f.u("PCM_sample_size", 8, pcm_sample_size);
}

void AmrSpecific::fields(Fields &f) {
  f.code("vendor", vendor.value);
  f.u("decoder_version", 8, decoder_version);
  f.u("mode_set", 16, mode_set);
  f.u("mode_change_period", 8, mode_change_period);
  f.u("frames_per_sample", 8, frames_per_sample);
}

void AlacSpecific::fields(Fields &f) {
  FullBox::fields(f);
  f.u("frameLength", 32, frame_length);
  f.u("compatibleVersion", 8, compatible_version);
  f.u("bitDepth", 8, bit_depth);
  f.u("pb", 8, pb);
  f.u("mb", 8, mb);
  f.u("kb", 8, kb);
  f.u("numChannels", 8, num_channels);
  f.u("maxRun", 16, max_run);
  f.u("maxFrameBytes", 32, max_frame_bytes);
  f.u("avgBitRate", 32, avg_bit_rate);
  f.u("sampleRate", 32, sample_rate);
  f.rest("channel_layout", channel_layout);
}

void MpegHConfiguration::fields(Fields &f) {
  f.u("configurationVersion", 8, configuration_version);
  f.u("mpegh3daProfileLevelIndication", 8, profile_level_indication);
  f.u("referenceChannelLayout", 8, reference_channel_layout);
  auto size = static_cast<std::uint64_t>(mpegh3da_config.size());
  f.u("mpegh3daConfigLength", 16, size);
  f.bytes("mpegh3daConfig", mpegh3da_config, size);
}

void MpegHProfiles::fields(Fields &f) {
  f.count("numCompatibleSets", 8, compatible_sets, 8);
  for (auto &set : compatible_sets)
    f.u("CompatibleSetIndication", 8, set);
}

void IamfConfiguration::fields(Fields &f) {
  f.u("configurationVersion", 8, configuration_version);
  constexpr std::size_t kMostBytes = 8;
  for (std::size_t i = 0;; ++i) {
    if (i == config_obus_size.size()) config_obus_size.push_back(0);
    f.u("configOBUs_size", 8, config_obus_size[i]);
    if (!f.ok()) return;
    if (config_obus_size[i] < 0x80) {
      config_obus_size.resize(i + 1);
      break;
    }
    if (i + 1 == kMostBytes) return f.fail("configOBUs_size is longer than 8 bytes");
  }
  f.rest("configOBUs", config_obus);
}

void MlpSpecific::fields(Fields &f) {
  f.u("format_info", 32, format_info);
  f.u("peak_data_rate", 15, peak_data_rate);
  f.reserved(1);
  f.reserved(32);
}

void DtsSpecific::fields(Fields &f) {
  f.u("DTSSamplingFrequency", 32, dts_sampling_frequency);
  f.u("maxBitrate", 32, max_bitrate);
  f.u("avgBitrate", 32, avg_bitrate);
  f.u("pcmSampleDepth", 8, pcm_sample_depth);
  f.u("FrameDuration", 2, frame_duration);
  f.u("StreamConstruction", 5, stream_construction);
  f.flag("CoreLFEPresent", core_lfe_present);
  f.u("CoreLayout", 6, core_layout);
  f.u("CoreSize", 14, core_size);
  f.flag("StereoDownmix", stereo_downmix);
  f.u("RepresentationType", 3, representation_type);
  f.u("ChannelLayout", 16, channel_layout);
  f.flag("MultiAssetFlag", multi_asset_flag);
  f.flag("LBRDurationMod", lbr_duration_mod);
  f.flag("ReservedBoxPresent", reserved_box_present);
  f.reserved(5);
  f.rest("more", more);
}

void ChannelLayout::fields(Fields &f) {
  FullBox::fields(f);
  if (version != 0) return f.rest("more", more);
  f.u("stream_structure", 8, stream_structure);
  if (stream_structure & kChannels) {
    f.u("definedLayout", 8, defined_layout);
    if (defined_layout != 0) f.u("omittedChannelsMap", 64, omitted_channels_map);
  }
  f.rest("more", more);
}

void H263Specific::fields(Fields &f) {
  f.code("vendor", vendor.value);
  f.u("decoder_version", 8, decoder_version);
  f.u("H263_Level", 8, level);
  f.u("H263_Profile", 8, profile);
}

void CodingConstraints::fields(Fields &f) {
  FullBox::fields(f);
  f.flag("all_ref_pics_intra", all_ref_pics_intra);
  f.flag("intra_pred_used", intra_pred_used);
  f.u("max_ref_per_pic", 4, max_ref_per_pic);
  f.u("reserved", 26, reserved);
}

void AmbientViewingEnvironment::fields(Fields &f) {
  f.u("ambient_illuminance", 32, ambient_illuminance);
  f.u("ambient_light_x", 16, ambient_light_x);
  f.u("ambient_light_y", 16, ambient_light_y);
}

void ContentColourVolume::fields(Fields &f) {
  f.reserved(2);
  f.flag("ccv_primaries_present_flag", primaries_present);
  f.flag("ccv_min_luminance_value_present_flag", min_present);
  f.flag("ccv_max_luminance_value_present_flag", max_present);
  f.flag("ccv_avg_luminance_value_present_flag", avg_present);
  f.reserved(2);
  if (primaries_present)
    for (auto &value : ccv_primaries)
      f.i("ccv_primaries", 32, value);
  if (min_present) f.u("ccv_min_luminance_value", 32, ccv_min_luminance_value);
  if (max_present) f.u("ccv_max_luminance_value", 32, ccv_max_luminance_value);
  if (avg_present) f.u("ccv_avg_luminance_value", 32, ccv_avg_luminance_value);
}

void ChromaLocation::fields(Fields &f) {
  f.u("chroma_sample_loc_type_top", 8, chroma_sample_loc_type_top);
  f.u("chroma_sample_loc_type_bottom", 8, chroma_sample_loc_type_bottom);
}

void ComponentDefinition::Component::fields(Fields &f) {
  f.u("component_type", 16, component_type);
  if (component_type >= 0x8000) f.text("component_type_uri", component_type_uri);
}

void ComponentDefinition::fields(Fields &f) {
  f.count("component_count", 32, components, 16);
  for (Component &component : components)
    f.group("component", component);
}

void UncompressedFrameConfig::Component::fields(Fields &f) {
  f.u("component_index", 16, component_index);
  f.u("component_bit_depth_minus_one", 8, component_bit_depth_minus_one);
  f.u("component_format", 8, component_format);
  f.u("component_align_size", 8, component_align_size);
}

void UncompressedFrameConfig::fields(Fields &f) {
  FullBox::fields(f);
  f.code("profile", profile.value);
  if (version == 1) return;
  f.count("component_count", 32, components, 40);
  for (Component &component : components)
    f.group("component", component);
  f.u("sampling_type", 8, sampling_type);
  f.u("interleave_type", 8, interleave_type);
  f.u("block_size", 8, block_size);
  f.flag("components_little_endian", components_little_endian);
  f.flag("block_pad_lsb", block_pad_lsb);
  f.flag("block_little_endian", block_little_endian);
  f.flag("block_reversed", block_reversed);
  f.flag("pad_unknown", pad_unknown);
  f.reserved(3);
  f.u("pixel_size", 32, pixel_size);
  f.u("row_align_size", 32, row_align_size);
  f.u("tile_align_size", 32, tile_align_size);
  f.u("num_tile_cols_minus_one", 32, num_tile_cols_minus_one);
  f.u("num_tile_rows_minus_one", 32, num_tile_rows_minus_one);
}

void ComponentChromaLocation::fields(Fields &f) {
  FullBox::fields(f);
  f.u("chroma_location", 8, chroma_location);
}

void CompressionConfiguration::fields(Fields &f) {
  FullBox::fields(f);
  f.code("compression_type", compression_type.value);
  f.u("compressed_unit_type", 8, compressed_unit_type);
}

void CompressedUnits::fields(Fields &f) {
  static constexpr unsigned kOffsetBits[] = {0, 16, 24, 32, 64}, kSizeBits[] = {8, 16, 24, 32, 64};
  FullBox::fields(f);
  f.u("unit_offset_code", 3, unit_offset_code);
  f.u("unit_size_code", 3, unit_size_code);
  f.reserved(2);
  if (unit_offset_code > 4 || unit_size_code > 4) return f.fail("a code of its numbers is above 4");
  const unsigned offset_bits = kOffsetBits[unit_offset_code], size_bits = kSizeBits[unit_size_code];
  f.count("num_compressed_units", 32, units, offset_bits + size_bits);
  for (Unit &unit : units) {
    f.u("unit_offset", offset_bits, unit.unit_offset);
    f.u("unit_size", size_bits, unit.unit_size);
  }
}

void TaiClockInfo::fields(Fields &f) {
  FullBox::fields(f);
  f.u("time_uncertainty", 64, time_uncertainty);
  f.u("clock_resolution", 32, clock_resolution);
  f.i("clock_drift_rate", 32, clock_drift_rate);
  f.u("clock_type", 2, clock_type);
  f.reserved(6);
}

void ProjectionHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.fixed("pose_yaw_degrees", 16, 16, pose_yaw_degrees);
  f.fixed("pose_pitch_degrees", 16, 16, pose_pitch_degrees);
  f.fixed("pose_roll_degrees", 16, 16, pose_roll_degrees);
}

void EquirectangularProjection::fields(Fields &f) {
  FullBox::fields(f);
  f.u("projection_bounds_top", 32, projection_bounds_top);
  f.u("projection_bounds_bottom", 32, projection_bounds_bottom);
  f.u("projection_bounds_left", 32, projection_bounds_left);
  f.u("projection_bounds_right", 32, projection_bounds_right);
}

void CubemapProjection::fields(Fields &f) {
  FullBox::fields(f);
  f.u("layout", 32, layout);
  f.u("padding", 32, padding);
}

void SpatialAudio::fields(Fields &f) {
  f.u("version", 8, version);
  f.u("ambisonic_type", 8, ambisonic_type);
  f.u("ambisonic_order", 32, ambisonic_order);
  f.u("ambisonic_channel_ordering", 8, ambisonic_channel_ordering);
  f.u("ambisonic_normalization", 8, ambisonic_normalization);
  f.count("num_channels", 32, channel_map, 32);
  for (auto &channel : channel_map)
    f.u("channel_map", 32, channel);
}

void Jpeg2000Signature::fields(Fields &f) {
  f.u("signature", 32, signature);
}

void Jpeg2000ImageHeader::fields(Fields &f) {
  f.u("height", 32, height);
  f.u("width", 32, width);
  f.u("num_components", 16, num_components);
  f.u("bits_per_component", 8, bits_per_component);
  f.u("compression_type", 8, compression_type);
  f.u("colourspace_unknown", 8, colourspace_unknown);
  f.u("intellectual_property", 8, intellectual_property);
}

void Jpeg2000Colour::fields(Fields &f) {
  f.u("method", 8, method);
  f.i("precedence", 8, precedence);
  f.u("approximation", 8, approximation);
  if (method == 1)
    f.u("enumerated_colourspace", 32, enumerated_colourspace);
  else
    f.rest("profile", profile);
}

} // namespace hull::isobmff
