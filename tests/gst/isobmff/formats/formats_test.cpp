#include "gst/isobmff/boxes/codec.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/sample_table.h"
#include "gst/isobmff/formats/brands.h"
#include "gst/isobmff/formats/pcm.h"
#include "gst/isobmff/formats/uncompressed.h"

#include <gtest/gtest.h>

namespace hull::isobmff {
namespace {

// The tables of stereo sound of 16 bits, as a reader finds them.
Node tables_of(SampleTable &table) {
  Node stbl("stbl");
  stbl.add(SampleDescription{});
  table.write(stbl, 0, 0, false);
  return std::move(parse_boxes(*write_tree(stbl))->at(0));
}

void add_buffer(SampleTable &table, std::int64_t time, std::uint32_t frames, std::uint32_t duration) {
  table.add({time, duration, 0, frames * 4, true, false});
}

TEST(SampleTable, NamesEachFrameOfSoundWithoutCompression) {
  SampleTable table;
  table.set_frame_bytes(4);
  add_buffer(table, 0, 1000, 1000);
  add_buffer(table, 1000, 1000, 1500); // a gap of 500 frames behind it
  table.end_chunk(100, 1);
  add_buffer(table, 2500, 600, 600);
  table.end_chunk(9000, 1);
  const Node stbl = tables_of(table);
  const auto *stsz = stbl.get<SampleSize>();
  EXPECT_EQ(stsz->sample_size, 4u);
  EXPECT_EQ(stsz->sample_count, 2600u);
  const auto &times = stbl.get<TimeToSample>()->entries;
  ASSERT_EQ(times.size(), 3u);
  EXPECT_EQ(times[0].sample_count, 1999u);
  EXPECT_EQ(times[1].sample_delta, 501u);
  EXPECT_EQ(times[2].sample_count, 600u);
  const auto &chunks = stbl.get<SampleToChunk>()->entries;
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].samples_per_chunk, 2000u);
  EXPECT_EQ(chunks[1].samples_per_chunk, 600u);
  EXPECT_EQ(stbl.get<ChunkOffset>()->chunk_offsets, (std::vector<std::uint32_t>{100, 9000}));
}

TEST(SampleTable, LeavesBuffersSamplesWhereTheyAreNoWholeFrames) {
  SampleTable table;
  table.set_frame_bytes(4);
  add_buffer(table, 0, 1000, 1000);
  table.add({1000, 1000, 0, 3999, true, false});
  table.end_chunk(100, 1);
  const Node stbl = tables_of(table);
  EXPECT_EQ(stbl.get<SampleSize>()->entry_sizes, (std::vector<std::uint32_t>{4000, 3999}));
}

// Another timescale than the sample rate: a tick is no frame.
TEST(SampleTable, LeavesBuffersSamplesWhereTicksAreNoFrames) {
  SampleTable table;
  table.set_frame_bytes(4);
  for (int i = 0; i < 4; ++i)
    add_buffer(table, 2000 * i, 1000, 2000);
  table.end_chunk(100, 1);
  EXPECT_EQ(tables_of(table).get<SampleSize>()->sample_count, 4u);
}

TEST(Pcm, HighRatesStandInSratAndPositionsInChnl) {
  const SampleFormat format = pcm_format({24, true, false}, 3, 192'000, from_hex("000102"));
  std::string boxes;
  for (const Opaque &box : format.codec_boxes)
    boxes += box.type.text() + ' ' + to_hex(box.data) + ' ';
  EXPECT_EQ(boxes, "pcmC 000000000118 chnl 000000000100000102 srat 000000000002ee00 ");
  EXPECT_EQ(format.frame_bytes, 9u);
}

TEST(Uncompressed, LayoutsSayTheirComponentsInTheOrderOfTheirBytes) {
  const auto format = uncompressed_format("UYVY", 64, 48);
  ASSERT_TRUE(format) << format.error().text;
  EXPECT_EQ(to_hex(format->codec_boxes[0].data), "000000040002000100030001");
  UncompressedFrameConfig uncc;
  ASSERT_TRUE(read_payload(uncc, format->codec_boxes[1].data));
  EXPECT_EQ(uncc.interleave_type, 5);
  EXPECT_EQ(uncc.row_align_size, 0u);
}

TEST(Uncompressed, RowsThatAreFilledUpSaySo) {
  const std::pair<const char *, std::uint32_t> kRagged[] = {
      {"RGB", 63}, {"GRAY8", 62}, {"I420", 68}, {"NV12", 66}};
  for (const auto &[name, width] : kRagged) {
    UncompressedFrameConfig uncc;
    ASSERT_TRUE(read_payload(uncc, uncompressed_format(name, width, 48)->codec_boxes[1].data));
    EXPECT_EQ(uncc.row_align_size, 4u) << name;
  }
}

TEST(Uncompressed, RefusesWhatItsChromaDoesNotDivide) {
  EXPECT_FALSE(uncompressed_format("I420", 63, 48));
  EXPECT_FALSE(uncompressed_format("NV12", 64, 47));
  EXPECT_TRUE(uncompressed_format("YUY2", 64, 47));
  EXPECT_FALSE(uncompressed_format("YUY2", 63, 47));
  EXPECT_TRUE(uncompressed_format("Y444", 63, 47));
  EXPECT_FALSE(uncompressed_format("P010_10LE", 64, 48));
}

TEST(Brands, AreAddedOnceAndRefusedWhole) {
  std::vector<FourCC> brands = {"isom"};
  ASSERT_TRUE(add_brands(brands, "iso9, M4A,isom,iso9"));
  EXPECT_EQ(brands, (std::vector<FourCC>{"isom", "iso9", "M4A "}));
  EXPECT_TRUE(add_brands(brands, ""));
  for (const char *wrong : {"dash,iso10", "dash,,cmfc", "d\x01sh", " "})
    EXPECT_FALSE(add_brands(brands, wrong)) << wrong;
  EXPECT_EQ(brands.size(), 3u);
}

} // namespace
} // namespace hull::isobmff
