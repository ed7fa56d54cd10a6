#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/sample.h"

#include <gtest/gtest.h>

namespace hull::isobmff {
namespace {

std::string shown(Box &box, const char *name) {
  const auto field = get_field(box, name);
  return field ? format_value(*field) : "error: " + field.error().text;
}

TEST(BoxFields, FixedPointIsADecimalFraction) {
  TrackHeader header;
  ASSERT_TRUE(set_field(header, "width", "1920"));
  EXPECT_EQ(header.width, 1920u << 16);
  ASSERT_TRUE(set_field(header, "height", "1080.5"));
  EXPECT_EQ(header.height, (1080u << 16) + 0x8000);
  EXPECT_EQ(shown(header, "height"), "1080.5");
  ASSERT_TRUE(set_field(header, "matrix_a", "-1"));
  EXPECT_EQ(header.matrix[0], -0x10000);
  EXPECT_EQ(shown(header, "matrix_w"), "1");
}

TEST(BoxFields, CodesAndLanguagesAreLetters) {
  Handler handler;
  ASSERT_TRUE(set_field(handler, "handler_type", "vide"));
  EXPECT_EQ(handler.handler_type, FourCC("vide"));
  MediaHeader media;
  ASSERT_TRUE(set_field(media, "language", "eng"));
  EXPECT_EQ(shown(media, "language"), "eng");
  EXPECT_FALSE(set_field(media, "language", "English"));
  EXPECT_EQ(shown(media, "language"), "eng");
}

TEST(BoxFields, TheIthFieldOfANameIsChanged) {
  ChunkOffset offsets;
  offsets.chunk_offsets = {1, 2, 3};
  ASSERT_TRUE(set_field(offsets, "chunk_offset[1]", "0x20"));
  EXPECT_EQ(offsets.chunk_offsets, (std::vector<std::uint32_t>{1, 32, 3}));
  EXPECT_FALSE(set_field(offsets, "chunk_offset[3]", "1"));
}

TEST(BoxFields, WhatDoesNotFitLeavesTheBoxAlone) {
  TrackRun run;
  run.flags = TrackRun::kSize;
  run.samples = {{0, 10, 0, 0}};
  const auto before = write_box(run);
  EXPECT_FALSE(set_field(run, "sample_count", "7"));
  EXPECT_FALSE(set_field(run, "sample_size", "4294967296"));
  EXPECT_FALSE(set_field(run, "sample_size", "-1"));
  EXPECT_FALSE(set_field(run, "sample_size", "ten"));
  EXPECT_EQ(write_box(run).value(), *before);
}

TEST(BoxFields, ADurationPast32BitsIsRefusedByTheFieldItWouldNotFit) {
  MovieHeader header;
  EXPECT_FALSE(set_field(header, "duration", "4294967296"));
  ASSERT_TRUE(set_field(header, "version", "1"));
  ASSERT_TRUE(set_field(header, "duration", "4294967296"));
  EXPECT_EQ(header.duration, 4294967296u);
}

TEST(BoxFields, BytesAreHexOrText) {
  ProtectionSystemHeader pssh;
  ASSERT_TRUE(set_field(pssh, "Data", "c0ffee"));
  EXPECT_EQ(pssh.data, (ByteVector{0xc0, 0xff, 0xee}));
  ASSERT_TRUE(set_field(pssh, "Data", "text:ab"));
  EXPECT_EQ(pssh.data, (ByteVector{'a', 'b'}));
  EXPECT_FALSE(set_field(pssh, "Data", "c0f"));
  EXPECT_FALSE(set_field(pssh, "SystemID", "00")) << "16 bytes are wanted";
}

TEST(BoxFields, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  TrackHeader header;
  const auto field = get_field(header, "widht");
  ASSERT_FALSE(field);
  EXPECT_NE(field.error().text.find("width"), std::string::npos);
}

TEST(BoxFields, EveryNumberCanBeSetToWhatItShows) {
  for (const auto &[type, parent, uuid] : registered_boxes()) {
    const auto box = make_box(type, parent, {}, &uuid);
    Filler filler(7);
    box->fields(filler);
    const auto before = filler.ok() ? write_payload(*box) : Result<ByteVector>(fail(ErrorCode::settings, ""));
    if (!before) continue;
    for (const FieldValue &field : list_fields(*box).fields) {
      if (field.kind != FieldKind::number && field.kind != FieldKind::signed_number &&
          field.kind != FieldKind::fixed)
        continue;
      const auto first = get_field(*box, field.name);
      const auto done = set_field(*box, field.name, format_value(*first));
      EXPECT_EQ(write_payload(*box).value(), *before) << type.text() << '.' << field.name;
      EXPECT_TRUE(done || done.error().text.find("follows from") != std::string::npos)
          << type.text() << '.' << field.name << ": " << done.error().text;
    }
  }
}

} // namespace
} // namespace hull::isobmff
