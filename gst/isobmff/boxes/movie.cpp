#include "gst/isobmff/boxes/movie.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

template <class T> void color_field(Fields &f, const char *name, T &color) {
  for (auto &part : color)
    f.u(name, 16, part);
}

} // namespace

void matrix_field(Fields &f, Matrix &matrix) {
  static constexpr const char *kNames[] = {"matrix_a", "matrix_b", "matrix_u", "matrix_c", "matrix_d",
                                           "matrix_v", "matrix_x", "matrix_y", "matrix_w"};
  for (std::size_t i = 0; i < matrix.size(); ++i)
    f.fixed(kNames[i], i % 3 == 2 ? 2 : 16, i % 3 == 2 ? 30 : 16, matrix[i]); // u, v and w are 2.30
}

std::uint16_t pack_language(std::string_view code) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (code.size() != 3 || !std::ranges::all_of(code, letter)) code = "und";
  unsigned packed = 0;
  for (const char c : code)
    packed = packed << 5 | static_cast<unsigned>(c - 0x60);
  return static_cast<std::uint16_t>(packed);
}

std::string unpack_language(std::uint16_t packed) {
  std::string code;
  for (const int shift : {10, 5, 0})
    code += static_cast<char>((packed >> shift & 31) + 0x60);
  return code;
}

void MovieHeader::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version == 1);
  f.u("creation_time", width, creation_time);
  f.u("modification_time", width, modification_time);
  f.u("timescale", 32, timescale);
  f.u("duration", width, duration);
  f.fixed("rate", 16, 16, rate);
  f.fixed("volume", 8, 8, volume);
  f.reserved(16);
  f.reserved(64);
  matrix_field(f, matrix);
  for (auto &value : pre_defined)
    f.u("pre_defined", 32, value);
  f.u("next_track_ID", 32, next_track_id);
}

void TrackHeader::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned w = f.wide_when(version == 1);
  f.u("creation_time", w, creation_time);
  f.u("modification_time", w, modification_time);
  f.u("track_ID", 32, track_id);
  f.reserved(32);
  f.u("duration", w, duration);
  f.reserved(64);
  f.i("layer", 16, layer);
  f.i("alternate_group", 16, alternate_group);
  f.fixed("volume", 8, 8, volume);
  f.reserved(16);
  matrix_field(f, matrix);
  f.fixed("width", 16, 16, width);
  f.fixed("height", 16, 16, height);
}

void TrackReferences::fields(Fields &f) {
  f.fill("track_IDs", track_ids, 32);
  for (auto &id : track_ids)
    f.u("track_ID", 32, id);
}

void EditList::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version == 1);
  f.count("entry_count", 32, entries, 2 * width + 32);
  for (Entry &entry : entries) {
    f.u("segment_duration", width, entry.segment_duration);
    f.i("media_time", width, entry.media_time);
    f.i("media_rate_integer", 16, entry.media_rate_integer);
    f.i("media_rate_fraction", 16, entry.media_rate_fraction);
  }
}

void MediaHeader::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version == 1);
  f.u("creation_time", width, creation_time);
  f.u("modification_time", width, modification_time);
  f.u("timescale", 32, timescale);
  f.u("duration", width, duration);
  f.language("language", language);
  f.u("pre_defined", 16, pre_defined);
}

void Handler::fields(Fields &f) {
  FullBox::fields(f);
  f.u("pre_defined", 32, pre_defined.value);
  f.code("handler_type", handler_type.value);
  for (auto &value : reserved)
    f.u("manufacturer", 32, value);
  f.text("name", name);
}

void ExtendedLanguage::fields(Fields &f) {
  FullBox::fields(f);
  f.text("extended_language", extended_language);
}

void VideoMediaHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.u("graphicsmode", 16, graphicsmode);
  color_field(f, "opcolor", opcolor);
}

void SoundMediaHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.fixed("balance", 8, 8, balance);
  f.reserved(16);
}

void GenericMediaInfo::fields(Fields &f) {
  FullBox::fields(f);
  f.u("graphicsmode", 16, graphicsmode);
  color_field(f, "opcolor", opcolor);
  f.fixed("balance", 8, 8, balance);
  f.u("reserved", 16, reserved);
}

void TimecodeMediaInfo::fields(Fields &f) {
  FullBox::fields(f);
  f.u("text_font", 16, text_font);
  f.u("text_face", 16, text_face);
  f.u("text_size", 16, text_size);
  f.u("reserved", 16, reserved);
  color_field(f, "text_color", text_color);
  color_field(f, "background_color", background_color);
  f.rest("font_name", font_name);
}

void DataReference::fields(Fields &f) {
  FullBox::fields(f);
  f.u("entry_count", 32, entry_count);
}

void DataEntryUrl::fields(Fields &f) {
  FullBox::fields(f);
  if (!(flags & kSelfContained)) f.text("location", location);
}

void MovieExtendsHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.u("fragment_duration", f.wide_when(version == 1), fragment_duration);
}

void TrackExtends::fields(Fields &f) {
  FullBox::fields(f);
  f.u("track_ID", 32, track_id);
  f.u("default_sample_description_index", 32, default_sample_description_index);
  f.u("default_sample_duration", 32, default_sample_duration);
  f.u("default_sample_size", 32, default_sample_size);
  f.u("default_sample_flags", 32, default_sample_flags);
}

void TrackKind::fields(Fields &f) {
  FullBox::fields(f);
  f.text("schemeURI", scheme_uri);
  f.text("value", value);
}

void ObjectDescriptor::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("descriptor", descriptor);
}

void TrackExtensionProperties::fields(Fields &f) {
  FullBox::fields(f);
  f.u("track_ID", 32, track_id);
}

void LevelAssignment::Level::fields(Fields &f) {
  f.u("track_ID", 32, track_id);
  f.flag("padding_flag", padding_flag);
  f.u("assignment_type", 7, assignment_type);
  if (assignment_type < 2) f.code("grouping_type", grouping_type.value);
  if (assignment_type == 1) f.u("grouping_type_parameter", 32, grouping_type_parameter);
  if (assignment_type == 4) f.u("sub_track_ID", 32, sub_track_id);
}

void LevelAssignment::fields(Fields &f) {
  FullBox::fields(f);
  f.count("level_count", 8, levels, 40);
  for (Level &level : levels)
    f.group("level", level);
}

void TrackGroupType::fields(Fields &f) {
  FullBox::fields(f);
  f.u("track_group_id", 32, track_group_id);
  f.rest("more", more);
}

void TrackSelection::fields(Fields &f) {
  FullBox::fields(f);
  f.i("switch_group", 32, switch_group);
  f.fill("attribute_list", attribute_list, 32);
  for (FourCC &attribute : attribute_list)
    f.code("attribute", attribute.value);
}

void HintMediaHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.u("maxPDUsize", 16, max_pdu_size);
  f.u("avgPDUsize", 16, avg_pdu_size);
  f.u("maxbitrate", 32, maxbitrate);
  f.u("avgbitrate", 32, avgbitrate);
  f.reserved(32);
}

void HintPayload::fields(Fields &f) {
  f.u("payloadID", 32, payload_id);
  auto size = static_cast<std::uint64_t>(rtpmap_string.size());
  f.u("count", 8, size);
  f.bytes("rtpmap_string", rtpmap_string, size);
}

void HintMaximumRate::fields(Fields &f) {
  f.u("period", 32, period);
  f.u("bytes", 32, bytes);
}

void MovieHints::fields(Fields &f) {
  f.code("descriptionformat", description_format.value);
  rest_text(f, "sdptext", text);
}

void DataEntryUrn::fields(Fields &f) {
  FullBox::fields(f);
  f.text("name", name);
  f.text("location", location);
}

} // namespace hull::isobmff
