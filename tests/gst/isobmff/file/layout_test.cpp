#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/progressive.h"
#include "gst/isobmff/file/track.h"

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

// A recording of one track: `fragments` fragments of 30 samples of `size` bytes, each byte telling its
// sample.
class Recording {
 public:
  explicit Recording(const char *name, bool gap = true)
      : path_((fs::path(testing::TempDir()) / name).string()) {
    TrackConfig track;
    track.timescale = 15'360;
    SampleFormat format;
    format.entry = "avc1";
    format.width = 64;
    format.height = 64;
    format.codec_boxes.emplace_back("avcC", from_hex("0142c00affe1000067"));
    track.formats = {format};
    InitOptions options;
    options.compatible_brands = {"iso6"};
    bytes_ = *write_tree(file_type_box(options));
    if (gap) append(bytes_, recording_gap());
    append(bytes_, *write_tree(init_movie_box({track}, options)));
    init_size_ = bytes_.size();
  }
  ~Recording() { fs::remove(path_); }

  void fragment(std::uint32_t count = 30, std::uint32_t size = 50) {
    Chunk chunk;
    chunk.runs.resize(1);
    for (std::uint32_t i = 0; i < count; ++i, ++samples_)
      chunk.runs[0].push_back(
          {std::int64_t{samples_} * 512, 512, i % 3 == 1 ? 512 : 0, size + i, i == 0, false});
    std::vector<FragmentTrack> tracks(1);
    tracks[0].composition_offsets = tracks[0].signed_offsets = true;
    append(bytes_, fragment_header(++sequence_, chunk, tracks)->bytes);
    for (const Sample &sample : chunk.runs[0]) {
      expected_.push_back(static_cast<std::uint8_t>(expected_.size() * 37));
      bytes_.resize(bytes_.size() + sample.size, expected_.back());
    }
    ends_.push_back(bytes_.size());
  }
  void save(std::size_t size) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes_.data()), static_cast<std::streamsize>(size));
  }
  void save() const { save(bytes_.size()); }

  // The samples of a whole file as its tables find them: first byte and duration of each.
  std::vector<std::uint8_t> samples_in_file() const {
    std::vector<std::uint8_t> found;
    auto source = FileSource::open(path_);
    auto boxes = parse_boxes(*source);
    Node *stbl = find(*boxes, "moov/trak/mdia/minf/stbl");
    if (!stbl) return found;
    const Node &read = *stbl;
    const auto *stco = read.get<ChunkOffset>();
    const auto *stsz = read.get<SampleSize>();
    const auto *stsc = read.get<SampleToChunk>();
    if (!stco || !stsz || !stsc) return found;
    std::size_t sample = 0;
    for (std::size_t chunk = 0; chunk < stco->chunk_offsets.size(); ++chunk) {
      std::uint32_t held = 0;
      for (const auto &entry : stsc->entries)
        if (entry.first_chunk <= chunk + 1) held = entry.samples_per_chunk;
      std::uint64_t at = stco->chunk_offsets[chunk];
      for (std::uint32_t i = 0; i < held && sample < stsz->entry_sizes.size(); ++i, ++sample) {
        ByteVector bytes(stsz->entry_sizes[sample]);
        EXPECT_TRUE(source->read(at, bytes));
        EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [&](auto byte) { return byte == bytes[0]; }));
        found.push_back(bytes[0]);
        at += bytes.size();
      }
    }
    return found;
  }
  std::vector<std::string> top_level() const {
    std::vector<std::string> types;
    auto source = FileSource::open(path_);
    (void)for_each_box(*source, [&](Node &node) {
      types.push_back(node.type().text());
      return true;
    });
    return types;
  }

  std::string path_;
  ByteVector bytes_;
  std::vector<std::uint8_t> expected_;
  std::vector<std::size_t> ends_;
  std::size_t init_size_ = 0;
  std::uint32_t samples_ = 0, sequence_ = 0;
};

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

TEST(Recover, ARecordingCutAtAnyByteKeepsItsWholeFragments) {
  Recording recording("hull_cut.mp4");
  for (int i = 0; i < 2; ++i)
    recording.fragment(4, 5);
  for (std::size_t size = recording.init_size_; size <= recording.bytes_.size(); ++size) {
    recording.save(size);
    auto done = recover(recording.path_, Placement::tail);
    ASSERT_TRUE(done) << size << ": " << done.error().text;
    const auto whole = static_cast<std::size_t>(
        std::count_if(recording.ends_.begin(), recording.ends_.end(), [&](auto end) { return end <= size; }));
    ASSERT_EQ(done->fragments, whole) << size;
    const auto found = recording.samples_in_file();
    ASSERT_EQ(found.size(), whole * 4) << size;
    ASSERT_TRUE(std::equal(found.begin(), found.end(), recording.expected_.begin())) << size;
  }
}

TEST(Recover, CutBeforeTheMovieBoxIsAnErrorThatSaysSo) {
  Recording recording("hull_headless.mp4");
  recording.fragment();
  for (std::size_t size = 0; size < recording.init_size_; size += 7) {
    recording.save(size);
    auto done = recover(recording.path_);
    ASSERT_FALSE(done) << size;
    EXPECT_NE(done.error().text.find("movie box"), std::string::npos);
  }
}

TEST(Recover, AFileThatDiedBetweenInsertionAndHeaderGoesOn) {
  Recording recording("hull_zeros.mp4");
  for (int i = 0; i < 3; ++i)
    recording.fragment();
  recording.save();
  {
    auto file = OutputFile::open(recording.path_);
    ASSERT_TRUE(file);
    auto ok = file->insert(0, 2 * file->block_size());
    if (!ok) GTEST_SKIP() << ok.error().text;
    // Part of the header was written, but not its first bytes.
    ASSERT_TRUE(file->write(100, Bytes(recording.bytes_).first(500)));
  }
  auto done = recover(recording.path_);
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(done->fragments, 3u);
  EXPECT_EQ(recording.samples_in_file(), recording.expected_);
  EXPECT_EQ(recording.top_level().front(), "ftyp");
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
