#include "gst/isobmff/boxes/quicktime.h"

namespace hull::isobmff {
namespace {

constexpr std::uint16_t kFirstPackedLanguage = 0x400; // lower ones are numbers of Macintosh

// A length of `width` bits and as many bytes.
void counted_bytes(Fields &f, const char *size_name, unsigned width, const char *name, ByteVector &bytes) {
  auto size = static_cast<std::uint64_t>(bytes.size());
  f.u(size_name, width, size);
  f.bytes(name, bytes, size);
}

} // namespace

void InternationalText::Text::fields(Fields &f) {
  auto size = static_cast<std::uint64_t>(text.size());
  f.u("size", 16, size);
  if (f.reading() || language >= kFirstPackedLanguage)
    f.language("language", language);
  else
    f.u("language", 16, language);
  f.bytes("text", text, size);
}

void InternationalText::fields(Fields &f) {
  f.groups("text", texts, 32);
}

void ChapterList::Chapter::fields(Fields &f) {
  f.u("start", 64, start);
  counted_bytes(f, "title_size", 8, "title", title);
}

void ChapterList::fields(Fields &f) {
  FullBox::fields(f);
  if (version != 0) f.u("reserved", 8, reserved);
  f.count("chapter_count", version == 0 ? 8 : 32, chapters, 72);
  for (Chapter &chapter : chapters)
    f.group("chapter", chapter);
}

void TrackAperture::fields(Fields &f) {
  FullBox::fields(f);
  f.fixed("width", 16, 16, width);
  f.fixed("height", 16, 16, height);
}

void TrackLoad::fields(Fields &f) {
  f.u("preload_start_time", 32, preload_start_time);
  f.u("preload_duration", 32, preload_duration);
  f.u("preload_flags", 32, preload_flags);
  f.u("default_hints", 32, default_hints);
}

void AudioChannelLayout::Description::fields(Fields &f) {
  f.u("label", 32, label);
  f.u("flags", 32, flags);
  for (auto &coordinate : coordinates)
    f.u("coordinate", 32, coordinate);
}

void AudioChannelLayout::fields(Fields &f) {
  FullBox::fields(f);
  f.u("channel_layout_tag", 32, channel_layout_tag);
  f.u("channel_bitmap", 32, channel_bitmap);
  f.count("number_channel_descriptions", 32, descriptions, 160);
  for (Description &description : descriptions)
    f.group("description", description);
}

void NumberBox::fields(Fields &f) {
  if (fraction_bits > 0)
    f.fixed("value", bits - fraction_bits, fraction_bits, value);
  else
    f.u("value", bits, value);
}

void TextMediaInfo::fields(Fields &f) {
  matrix_field(f, matrix);
}

void TextSampleEntry::fields(Fields &f) {
  f.reserved(48);
  f.u("data_reference_index", 16, data_reference_index);
  f.u("display_flags", 32, display_flags);
  f.i("text_justification", 32, text_justification);
  for (auto &part : background_color)
    f.u("background_color", 16, part);
  for (auto &edge : default_text_box)
    f.i("default_text_box", 16, edge);
  for (auto &value : reserved)
    f.u("reserved", 32, value);
  f.u("font_number", 16, font_number);
  f.u("font_face", 16, font_face);
  f.u("reserved", 8, reserved2);
  f.u("reserved", 16, reserved3);
  for (auto &part : foreground_color)
    f.u("foreground_color", 16, part);
  has_text_name = f.optional(has_text_name);
  if (has_text_name) counted_bytes(f, "text_name_size", 8, "text_name", text_name);
}

void DataEntryAlias::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("data", data);
}

void WindowsProperties::Value::fields(Fields &f) {
  if (!f.reading()) value_size = static_cast<std::uint32_t>(value.size() + 6);
  f.u("value_size", 32, value_size);
  if (value_size < 6) return f.fail("value_size is below 6");
  f.u("value_type", 16, value_type);
  f.bytes("value", value, value_size - 6);
}

void WindowsProperties::Property::fields(Fields &f) {
  std::uint64_t size = 12 + name.size();
  for (const Value &value : values)
    size += value.value.size() + 6;
  if (!f.reading()) entry_size = static_cast<std::uint32_t>(size);
  f.u("entry_size", 32, entry_size);
  counted_bytes(f, "name_size", 32, "name", name);
  f.count("value_count", 32, values, 48);
  for (Value &value : values)
    f.group("value", value);
}

void WindowsProperties::fields(Fields &f) {
  f.groups("property", properties, 96);
}

void HighlightTags::fields(Fields &f) {
  f.fill("times", times, 32);
  for (auto &time : times)
    f.u("time", 32, time);
}

void MetadataKeyDeclaration::fields(Fields &f) {
  f.code("key_namespace", key_namespace.value);
  f.rest("key_value", key_value);
}

void MetadataDatatype::fields(Fields &f) {
  f.u("datatype_namespace", 32, datatype_namespace);
  f.rest("datatype", datatype);
}

} // namespace hull::isobmff
