#include "plugins/mp4/tags.h"

#include "gst/glue/map.h"
#include "gst/glue/ref.h"
#include "gst/isobmff/boxes/meta.h"

#include <algorithm>

namespace hull {

using namespace isobmff;

namespace {

constexpr std::uint32_t kText = 1, kJpeg = 13, kPng = 14; // type indicators of QuickTime's metadata

struct TextTag {
  const char *tag;
  FourCC item;
};
const TextTag kTextTags[] = {
    {GST_TAG_TITLE, "\251nam"},     {GST_TAG_ARTIST, "\251ART"},  {GST_TAG_ALBUM, "\251alb"},
    {GST_TAG_ALBUM_ARTIST, "aART"}, {GST_TAG_COMMENT, "\251cmt"}, {GST_TAG_GENRE, "\251gen"},
    {GST_TAG_COMPOSER, "\251wrt"},  {GST_TAG_ENCODER, "\251too"}, {GST_TAG_COPYRIGHT, "cprt"},
    {GST_TAG_DESCRIPTION, "desc"},  {GST_TAG_KEYWORDS, "keyw"},   {GST_TAG_SHOW_NAME, "tvsh"},
    {GST_TAG_LYRICS, "\251lyr"},
};

void add_item(Node &ilst, FourCC type, std::uint32_t indicator, ByteVector value) {
  auto &data = ilst.add(type).add<TagData>();
  data.type_indicator = indicator;
  data.value = std::move(value);
}

void add_text(Node &ilst, FourCC type, std::string_view text) {
  add_item(ilst, type, kText, ByteVector(text.begin(), text.end()));
}

void add_date(Node &ilst, const GstTagList *tags) {
  GstDateTime *time = nullptr;
  GDate *date = nullptr;
  if (gst_tag_list_get_date_time(tags, GST_TAG_DATE_TIME, &time)) {
    const OwnedText text(gst_date_time_to_iso8601_string(time));
    add_text(ilst, "\251day", text.c_str());
    gst_date_time_unref(time);
  } else if (gst_tag_list_get_date(tags, GST_TAG_DATE, &date)) {
    char text[16];
    if (g_date_strftime(text, sizeof text, "%Y-%m-%d", date)) add_text(ilst, "\251day", text);
    g_date_free(date);
  }
}

// Number and count as 16 bits each, between zeros.
void add_track_number(Node &ilst, const GstTagList *tags) {
  guint number = 0, count = 0;
  if (!gst_tag_list_get_uint(tags, GST_TAG_TRACK_NUMBER, &number)) return;
  gst_tag_list_get_uint(tags, GST_TAG_TRACK_COUNT, &count);
  ByteVector value;
  append_be(value, 2, 0);
  append_be(value, 2, number & 0xffff);
  append_be(value, 2, count & 0xffff);
  append_be(value, 2, 0);
  add_item(ilst, "trkn", 0, std::move(value));
}

void add_picture(Node &ilst, const GstTagList *tags) {
  GstSample *sample = nullptr;
  if (!gst_tag_list_get_sample(tags, GST_TAG_IMAGE, &sample)) return;
  const auto owned = SampleRef::adopt(sample);
  const GstCaps *caps = gst_sample_get_caps(sample);
  const char *name = caps ? gst_structure_get_name(gst_caps_get_structure(caps, 0)) : "";
  const std::uint32_t kind = g_str_equal(name, "image/png")    ? kPng
                             : g_str_equal(name, "image/jpeg") ? kJpeg
                                                               : 0;
  const MappedBuffer map(gst_sample_get_buffer(sample), GST_MAP_READ);
  if (kind && map) add_item(ilst, "covr", kind, ByteVector(map.bytes().begin(), map.bytes().end()));
}

} // namespace

std::optional<Node> movie_tags(const GstTagList *tags) {
  Node ilst("ilst");
  for (const TextTag &entry : kTextTags) {
    char *text = nullptr;
    if (!gst_tag_list_get_string(tags, entry.tag, &text)) continue;
    add_text(ilst, entry.item, text);
    g_free(text);
  }
  add_date(ilst, tags);
  add_track_number(ilst, tags);
  add_picture(ilst, tags);
  if (ilst.children.empty()) return std::nullopt;
  Node udta("udta");
  Node &meta = udta.add(Node(Meta{}));
  auto &hdlr = meta.add<Handler>();
  hdlr.handler_type = "mdir";
  hdlr.reserved = {FourCC("appl").value, 0, 0};
  meta.add(std::move(ilst));
  return udta;
}

std::optional<Node> quicktime_tags(const GstTagList *tags) {
  static constexpr std::pair<const char *, const char *> kKeys[] = {
      {GST_TAG_TITLE, "title"},         {GST_TAG_ARTIST, "artist"},
      {GST_TAG_ALBUM, "album"},         {GST_TAG_COMMENT, "comment"},
      {GST_TAG_GENRE, "genre"},         {GST_TAG_ENCODER, "software"},
      {GST_TAG_COPYRIGHT, "copyright"}, {GST_TAG_DESCRIPTION, "description"},
      {GST_TAG_KEYWORDS, "keywords"}};
  MetadataKeys keys;
  Node ilst("ilst");
  const auto add = [&](const char *key, std::string_view value) {
    const std::string name = std::string("com.apple.quicktime.") + key;
    MetadataKeys::Key &entry = keys.keys.emplace_back();
    entry.key_size = static_cast<std::uint32_t>(8 + name.size());
    entry.key_value.assign(name.begin(), name.end());
    add_text(ilst, FourCC(static_cast<std::uint32_t>(keys.keys.size())), value);
  };
  for (const auto &[tag, key] : kKeys) {
    char *text = nullptr;
    if (!gst_tag_list_get_string(tags, tag, &text)) continue;
    add(key, text);
    g_free(text);
  }
  GstDateTime *time = nullptr;
  if (gst_tag_list_get_date_time(tags, GST_TAG_DATE_TIME, &time)) {
    const OwnedText text(gst_date_time_to_iso8601_string(time));
    add("creationdate", text.c_str());
    gst_date_time_unref(time);
  }
  if (ilst.children.empty()) return std::nullopt;
  Node meta(Meta(true));
  meta.add<Handler>().handler_type = "mdta";
  meta.add(Node(std::move(keys)));
  meta.add(std::move(ilst));
  return meta;
}

Matrix orientation_matrix(const std::string &orientation, std::uint32_t width, std::uint32_t height) {
  // a b c d of a picture's (x, y) → (ax + cy, bx + dy), and the translation that brings it back to the
  // corner.
  struct Turn {
    const char *name;
    int a, b, c, d;
  };
  constexpr Turn kTurns[] = {
      {"rotate-90", 0, 1, -1, 0},      {"rotate-180", -1, 0, 0, -1},     {"rotate-270", 0, -1, 1, 0},
      {"flip-rotate-0", -1, 0, 0, 1},  {"flip-rotate-90", 0, -1, -1, 0}, {"flip-rotate-180", 1, 0, 0, -1},
      {"flip-rotate-270", 0, 1, 1, 0},
  };
  constexpr std::int32_t kOne = 0x10000;
  for (const Turn &turn : kTurns) {
    if (orientation != turn.name) continue;
    const auto w = static_cast<std::int32_t>(std::min<std::uint32_t>(width, 0x7fff)) * kOne;
    const auto h = static_cast<std::int32_t>(std::min<std::uint32_t>(height, 0x7fff)) * kOne;
    const std::int32_t x = (turn.a < 0 ? w : 0) + (turn.c < 0 ? h : 0);
    const std::int32_t y = (turn.b < 0 ? w : 0) + (turn.d < 0 ? h : 0);
    return {turn.a * kOne, turn.b * kOne, 0, turn.c * kOne, turn.d * kOne, 0, x, y, 0x40000000};
  }
  return kUnityMatrix;
}

} // namespace hull
