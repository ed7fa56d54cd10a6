#include "gst/isobmff/boxes/meta.h"

namespace hull::isobmff {
void Meta::fields(Fields &f) {
  if (quicktime) return;
  f.u("version", 8, version);
  f.u("flags", 24, flags);
}

void TagData::fields(Fields &f) {
  f.u("type_indicator", 32, type_indicator);
  f.u("locale", 32, locale);
  f.rest("value", value);
}

void TagName::fields(Fields &f) {
  FullBox::fields(f);
  rest_text(f, "text", text);
}

void MetadataKeys::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, keys, 64);
  for (Key &key : keys) {
    if (!f.reading()) key.key_size = static_cast<std::uint32_t>(key.key_value.size() + 8);
    f.u("key_size", 32, key.key_size);
    if (key.key_size < 8) return f.fail("key_size is below 8");
    f.code("key_namespace", key.key_namespace.value);
    f.bytes("key_value", key.key_value, key.key_size - 8);
  }
}

void LocalizedText::fields(Fields &f) {
  FullBox::fields(f);
  f.language("language", language);
  f.text("text", text);
}

void Id3Tag::fields(Fields &f) {
  FullBox::fields(f);
  f.language("language", language);
  f.rest("ID3v2_data", id3v2_data);
}

void LocationInformation::fields(Fields &f) {
  FullBox::fields(f);
  f.language("language", language);
  f.text("name", name);
  f.u("role", 8, role);
  f.fixed("longitude", 16, 16, longitude);
  f.fixed("latitude", 16, 16, latitude);
  f.fixed("altitude", 16, 16, altitude);
  f.text("astronomical_body", astronomical_body);
  f.text("additional_notes", additional_notes);
}

void ClassifiedText::fields(Fields &f) {
  FullBox::fields(f);
  f.code("entity", entity.value);
  if (type == FourCC("clsf"))
    f.u("table", 16, table);
  else
    f.code("criteria", criteria.value);
  f.language("language", language);
  f.text("text", text);
}

void RecordingYear::fields(Fields &f) {
  FullBox::fields(f);
  f.u("recording_year", 16, recording_year);
}

void AlbumTitle::fields(Fields &f) {
  FullBox::fields(f);
  f.language("language", language);
  f.text("album_title", album_title);
  has_track_number = f.optional(has_track_number);
  if (has_track_number) f.u("track_number", 8, track_number);
}

void Keywords::fields(Fields &f) {
  FullBox::fields(f);
  f.language("language", language);
  f.count("keyword_count", 8, keywords, 8);
  for (ByteVector &keyword : keywords) {
    auto size = static_cast<std::uint64_t>(keyword.size());
    f.u("keyword_size", 8, size);
    f.bytes("keyword", keyword, size);
  }
}

void ContentCredentials::fields(Fields &f) {
  FullBox::fields(f);
  f.text("box_purpose", box_purpose);
  f.rest("data", data);
}

} // namespace hull::isobmff
