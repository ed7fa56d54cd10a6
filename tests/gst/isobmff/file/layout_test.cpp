#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/progressive.h"
#include "gst/isobmff/file/track.h"
#include "tests/gst/isobmff/file/recording.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>

namespace hull::isobmff {
namespace {

namespace fs = std::filesystem;

TEST(PackedNumbers, GivesBackWhatItTook) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937_64 random(seed);
    PackedNumbers packed;
    std::vector<std::int64_t> plain;
    const unsigned bits = seed % 62 + 1;
    const std::size_t count = random() % 1'000;
    for (std::size_t i = 0; i < count; ++i) {
      auto value = static_cast<std::int64_t>(random() >> (63 - (i % 50 == 7 ? 62 : bits)));
      if (seed % 3 == 0) value = -(value >> 10) * 512;
      plain.push_back(value);
      packed.push(value);
    }
    PackedNumbers::Cursor cursor(packed);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(cursor.next(), plain[i]) << "seed " << seed << " number " << i;
  }
}

TEST(SampleTable, TwelveHoursOfVideoTakeLessThanThreeBytesASample) {
  std::mt19937 random(5);
  SampleTable table;
  const std::int32_t reorder[] = {0, 1'536, -512, -512};
  for (std::uint32_t i = 0; i < 1'296'000; ++i) {
    const bool sync = i % 60 == 0;
    const auto size = static_cast<std::uint32_t>(sync ? 9'000 + random() % 4'000 : 200 + random() % 1'500);
    table.add({0, 512, sync ? 0 : reorder[i % 4], size, sync, false});
    if (i % 15 == 14) table.end_chunk(std::uint64_t{i} * 3'000, 1);
  }
  EXPECT_EQ(table.samples(), 1'296'000u);
  EXPECT_LE(static_cast<double>(table.memory()) / 1'296'000, 3.0);
}

TEST(SampleTable, WritesTheTablesOfTheStandard) {
  SampleTable table;
  table.add({0, 10, 0, 7, true, false});
  table.add({0, 10, 5, 8, false, false});
  table.end_chunk(100, 1);
  table.add({0, 20, -5, 9, false, false});
  table.set_last_duration(30);
  table.end_chunk(5'000'000'000, 2);
  EXPECT_EQ(table.duration(), 50u);
  EXPECT_TRUE(table.needs_wide(0));
  Node stbl("stbl");
  table.write(stbl, 1'000, 0, true);
  const ByteVector bytes = write_tree(stbl).value();
  ByteVector streamed;
  ASSERT_TRUE(stream_tree(stbl, [&streamed](Bytes piece) -> Result<void> {
    append(streamed, piece);
    return {};
  }));
  EXPECT_EQ(streamed, bytes);
  EXPECT_EQ(tree_size(stbl).value(), bytes.size());
  const std::vector<Node> boxes = parse_boxes(bytes).value();
  const Node &read = boxes.front();
  EXPECT_EQ(read.get<TimeToSample>()->entries.size(), 2u);
  EXPECT_EQ(read.get<TimeToSample>()->entries[1].sample_delta, 30u);
  EXPECT_EQ(read.get<CompositionOffset>()->version, 1);
  EXPECT_EQ(read.get<SampleSize>()->entry_sizes, (std::vector<std::uint32_t>{7, 8, 9}));
  EXPECT_EQ(read.get<ChunkLargeOffset>()->chunk_offsets, (std::vector<std::uint64_t>{1'100, 5'000'001'000}));
  EXPECT_EQ(read.get<SyncSample>()->sample_numbers, std::vector<std::uint32_t>{1});
  ASSERT_EQ(read.get<SampleToChunk>()->entries.size(), 2u);
  EXPECT_EQ(read.get<SampleToChunk>()->entries[1].sample_description_index, 2u);
}

class Placements : public testing::TestWithParam<Placement> {};

TEST_P(Placements, ARecordingBecomesAWholeFileWithTheSameSamples) {
  Recording recording("hull_unfragment.mp4");
  for (int i = 0; i < 5; ++i)
    recording.fragment();
  recording.save();
  auto done = unfragment(recording.path_, GetParam());
  if (!done && done.error().code == ErrorCode::unsupported) GTEST_SKIP() << done.error().text;
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(recording.samples_in_file(), recording.expected_);
  const auto types = recording.top_level();
  EXPECT_EQ(std::count(types.begin(), types.end(), "moof"), 0);
  EXPECT_EQ(std::count(types.begin(), types.end(), "mdat"), 1);
  EXPECT_LT(done->bytes_written, 20'000u);
  auto again = unfragment(recording.path_, GetParam());
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
}

TEST_P(Placements, FastStartMovesTheMovieBoxToTheFront) {
  Recording recording("hull_faststart.mp4");
  for (int i = 0; i < 5; ++i)
    recording.fragment();
  recording.save();
  ASSERT_TRUE(unfragment(recording.path_, Placement::tail)); // a whole file with moov at the end
  ASSERT_EQ(recording.top_level().back(), "moov");
  auto done = fast_start(recording.path_, GetParam());
  if (!done && done.error().code == ErrorCode::unsupported) GTEST_SKIP() << done.error().text;
  ASSERT_TRUE(done) << done.error().text;
  if (GetParam() != Placement::tail) {
    EXPECT_EQ(recording.top_level().at(1), "moov");
    EXPECT_NE(recording.top_level().back(), "moov");
  }
  EXPECT_EQ(recording.samples_in_file(), recording.expected_);
}

INSTANTIATE_TEST_SUITE_P(Each, Placements,
                         testing::Values(Placement::insert, Placement::tail, Placement::automatic));
INSTANTIATE_TEST_SUITE_P(Copy, Placements, testing::Values(Placement::automatic));

TEST(FastStart, ACopyHasTheSamples) {
  Recording recording("hull_copy.mp4");
  for (int i = 0; i < 3; ++i)
    recording.fragment();
  recording.save();
  ASSERT_TRUE(unfragment(recording.path_, Placement::tail));
  auto done = fast_start(recording.path_, Placement::copy);
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(done->how, Placement::copy);
  EXPECT_EQ(recording.samples_in_file(), recording.expected_);
  EXPECT_FALSE(fs::exists(recording.path_ + ".part"));
}

TEST(SegmentIndexTest, NamesEachFragmentByItsBytes) {
  for (const std::uint64_t copy_limit : {std::uint64_t{1} << 30, std::uint64_t{0}}) {
    Recording recording("hull_sidx.mp4", false);
    for (int i = 0; i < 4; ++i)
      recording.fragment();
    recording.save();
    auto done = add_segment_index(recording.path_, copy_limit);
    ASSERT_TRUE(done) << done.error().text;
    auto source = FileSource::open(recording.path_);
    std::vector<std::uint64_t> starts;
    std::uint64_t after = 0, size = source->size();
    SegmentIndex sidx;
    (void)for_each_box(*source, [&](Node &node) {
      if (const auto *box = static_cast<const Node &>(node).as<SegmentIndex>()) {
        sidx = *box;
        after = node.offset + node.size;
      }
      if (node.type() == FourCC("moof")) starts.push_back(node.offset);
      return true;
    });
    ASSERT_EQ(sidx.references.size(), 4u);
    std::uint64_t at = after + sidx.first_offset;
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(at, starts[i]);
      EXPECT_EQ(sidx.references[i].subsegment_duration, i < 3 ? 30u * 512 : 30u * 512);
      at += sidx.references[i].referenced_size;
    }
    EXPECT_EQ(at, size);
  }
}

TEST(FragmentHeader, RefusesDataItCannotPointAt) {
  Chunk chunk;
  chunk.runs = {{{0, 1, 0, 0xf0000000u, true, false}}, {{0, 1, 0, 5, true, false}}};
  std::vector<FragmentTrack> tracks(2);
  tracks[1].id = 2;
  EXPECT_EQ(fragment_header(1, chunk, tracks).error().code, ErrorCode::unsupported);
}

TEST(FragmentHeader, AnMdatBeyondFourGibibytesHasASixtyFourBitSize) {
  Chunk chunk;
  chunk.runs.resize(1);
  for (int i = 0; i < 2; ++i)
    chunk.runs[0].push_back({i, 1, 0, 0xf0000000u, true, false});
  std::vector<FragmentTrack> tracks(1);
  auto made = fragment_header(1, chunk, tracks);
  ASSERT_TRUE(made);
  EXPECT_EQ(to_hex(Bytes(made->bytes).last(16)), "000000016d64617400000001e0000010");
}

} // namespace
} // namespace hull::isobmff
