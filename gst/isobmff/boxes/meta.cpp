#include "gst/isobmff/boxes/meta.h"

namespace hull::isobmff {
namespace {

// A text that ends with its box and has no zero byte of its own.
void rest_text(Fields &f, const char *name, std::string &text) {
  ByteVector bytes(text.begin(), text.end());
  f.rest(name, bytes);
  text.assign(bytes.begin(), bytes.end());
}

} // namespace

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

} // namespace hull::isobmff
