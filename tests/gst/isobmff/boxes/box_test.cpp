#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"

#include <gtest/gtest.h>

namespace hull::isobmff {
namespace {

TEST(Boxes, EveryRegisteredBoxReadsBackWhatItWrote) {
  for (const auto &[type, parent, uuid] : registered_boxes()) {
    unsigned made = 0;
    for (std::uint32_t seed = 0; seed < 20'000 && made < 40; ++seed) {
      const auto box = make_box(type, parent, Bytes{}, &uuid);
      ASSERT_TRUE(box) << type.text();
      Filler filler(seed);
      box->fields(filler);
      if (!filler.ok()) continue; // a value the box refuses
      ++made;
      const auto bytes = write_payload(*box);
      ASSERT_TRUE(bytes) << type.text() << " seed " << seed << ": " << bytes.error().text;
      ASSERT_EQ(bytes->size() * 8, filler.position()) << type.text() << " seed " << seed;
      const auto again = make_box(type, parent, *bytes, &uuid);
      const auto used = read_payload(*again, *bytes);
      ASSERT_TRUE(used) << type.text() << " seed " << seed << ": " << used.error().text;
      EXPECT_EQ(*used, bytes->size()) << type.text() << " seed " << seed;
      const auto rewritten = write_payload(*again);
      ASSERT_TRUE(rewritten) << type.text();
      EXPECT_EQ(to_hex(*rewritten), to_hex(*bytes)) << type.text() << " seed " << seed;
    }
    EXPECT_GE(made, 40u) << type.text() << " in " << parent.text() << ": too few fillings were legal";
  }
}

TEST(Boxes, EveryRegisteredBoxSurvivesTruncationAtEveryByte) {
  for (const auto &[type, parent, uuid] : registered_boxes()) {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
      const auto box = make_box(type, parent, Bytes{}, &uuid);
      Filler filler(seed);
      box->fields(filler);
      const auto bytes = filler.ok() ? write_payload(*box) : Result<ByteVector>(ByteVector{});
      ASSERT_TRUE(bytes) << type.text();
      for (std::size_t size = 0; size < bytes->size(); ++size) {
        const auto cut = make_box(type, parent, Bytes(*bytes).first(size), &uuid);
        const auto used = read_payload(*cut, Bytes(*bytes).first(size));
        EXPECT_TRUE(!used || *used <= size) << type.text();
      }
    }
  }
}

TEST(TrackRun, WritesBackTheBytesItRead) {
  const auto bytes = from_hex("0000001c 7472756e 00000301 00000001 00000064 00000200 00002710");
  auto run = read_box<TrackRun>(bytes);
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->data_offset, 100);
  EXPECT_EQ(run->samples.at(0).duration, 512u);
  EXPECT_EQ(run->samples.at(0).size, 10'000u);
  EXPECT_EQ(write_box(*run), bytes);
}

TEST(TrackRun, RefusesACountThatCannotFit) {
  const auto run = read_box<TrackRun>(from_hex("00000010 7472756e 00000200 ffffffff"));
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().offset, 16u);
}

TEST(TrackRun, KeepsAHugeCountOfFieldlessSamplesWithoutStoringThem) {
  const auto bytes = from_hex("00000010 7472756e 00000000 ffffffff");
  auto run = read_box<TrackRun>(bytes);
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_EQ(run->sample_count, 0xffffffffu);
  EXPECT_TRUE(run->samples.empty());
  EXPECT_EQ(write_box(*run), bytes);
}

TEST(TrackRun, Version0OffsetsAreUnsigned) {
  auto run = read_box<TrackRun>(from_hex("00000014 7472756e 00000800 00000001 ffffffff"));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->offset_of(run->samples[0]), 0xffffffffll);
  run->version = 1;
  EXPECT_EQ(run->offset_of(run->samples[0]), -1);
}

TEST(MovieHeader, BecomesVersion1WhenItsDurationNeedsIt) {
  MovieHeader header;
  header.duration = 0x100000000u;
  const auto bytes = write_box(header);
  ASSERT_TRUE(bytes) << bytes.error().text;
  EXPECT_EQ(bytes->size(), 8u + 4 + 28 + 80);
  const auto read = read_box<MovieHeader>(*bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, 1);
  EXPECT_EQ(read->duration, 0x100000000u);
}

TEST(Boxes, AValueThatFitsNoVersionIsRefused) {
  TrackExtends trex;
  trex.flags = 0x1000000; // 24 bits
  const auto bytes = write_box(trex);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::settings);
}

TEST(CompositionOffset, NegativeOffsetsMakeVersion1) {
  CompositionOffset table;
  table.entries = {{1, 512}, {2, -512}};
  const auto bytes = write_box(table);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(to_hex(*bytes), "000000206374747301000000"
                            "000000020000000100000200"
                            "00000002fffffe00");
}

TEST(MediaHeader, LanguageIsPackedIntoFifteenBits) {
  EXPECT_EQ(pack_language("und"), 0x55c4);
  EXPECT_EQ(pack_language("eng"), 0x15c7);
  EXPECT_EQ(unpack_language(0x15c7), "eng");
  EXPECT_EQ(pack_language("English"), 0x55c4);
}

TEST(Esds, GoesThroughADescriptorAndBack) {
  EsdsSummary summary;
  summary.avg_bitrate = 128'000;
  summary.decoder_specific_info = {0x11, 0x90};
  const ByteVector bytes = make_es_descriptor(summary);
  EXPECT_EQ(to_hex(bytes), "0319000000"
                           "0411401500000000000000"
                           "0001f400"
                           "05021190"
                           "060102");
  const auto read = read_es_descriptor(bytes);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->avg_bitrate, 128'000u);
  EXPECT_EQ(read->decoder_specific_info, summary.decoder_specific_info);
  for (std::size_t size = 0; size < bytes.size() - 3; ++size)
    EXPECT_FALSE(read_es_descriptor(Bytes(bytes).first(size))) << size;
}

TEST(Colour, NclcHasNoRangeFlag) {
  ColourInformation colour;
  EXPECT_EQ(write_box(colour)->size(), 19u);
  colour.colour_type = "nclc";
  EXPECT_EQ(write_box(colour)->size(), 18u);
}

TEST(BoxHeader, RefusesSizesThatCannotBe) {
  EXPECT_FALSE(read_box_header(from_hex("00000007 66726565"), 8));
  EXPECT_FALSE(read_box_header(from_hex("00000009 66726565"), 8));
  EXPECT_FALSE(read_box_header(from_hex("00000001 66726565 ffffffffffffffff"), 1u << 20));
  EXPECT_FALSE(read_box_header(from_hex("00000001 66726565 000000000000000f"), 1u << 20));
  EXPECT_FALSE(read_box_header(from_hex("00000001 66726565"), 1u << 20));
  const auto to_end = read_box_header(from_hex("00000000 66726565"), 77);
  ASSERT_TRUE(to_end);
  EXPECT_EQ(to_end->size, 77u);
  EXPECT_TRUE(to_end->to_end);
}

} // namespace
} // namespace hull::isobmff
