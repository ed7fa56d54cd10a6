// Files that were cut or damaged: what is planned, and that nothing is lost however it is done.

#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/recover.h"
#include "tests/gst/isobmff/file/recording.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace hull::isobmff {
namespace {

namespace fs = std::filesystem;

ByteVector content(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void store(const std::string &path, const ByteVector &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

bool begins_with(const std::vector<std::uint8_t> &all, const std::vector<std::uint8_t> &part) {
  return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
}

TEST(Recover, ARecordingCutAtAnyByteKeepsItsWholeSamples) {
  Recording recording("hull_cut.mp4");
  for (int i = 0; i < 2; ++i)
    recording.fragment(4, 5);
  for (std::size_t size = recording.init_size_; size <= recording.bytes_.size(); ++size) {
    recording.save(size);
    auto done = recover(recording.path_, Placement::tail);
    ASSERT_TRUE(done) << size << ": " << done.error().text;
    // Where a fragment's moof is whole, so many of its samples (5 to 8 bytes) are.
    std::size_t whole = 0;
    for (const std::size_t end : recording.ends_) {
      if (end - 26 > size) continue;
      std::size_t at = end - 26, samples = 0;
      for (std::size_t i = 0; i < 4 && at + 5 + i <= size; ++i, ++samples)
        at += 5 + i;
      whole += samples;
    }
    const auto found = recording.samples_in_file();
    ASSERT_EQ(found.size(), whole) << size;
    ASSERT_TRUE(begins_with(recording.expected_, found)) << size;
  }
}

TEST(Recover, CutBeforeTheMovieBoxIsAnErrorThatSaysWhatHelps) {
  Recording recording("hull_headless.mp4");
  recording.fragment();
  for (std::size_t size = 0; size < recording.init_size_; size += 7) {
    recording.save(size);
    const ByteVector before = content(recording.path_);
    auto done = recover(recording.path_);
    if (done) {
      EXPECT_FALSE(done->placed.changed) << size; // a movie box without samples
    } else {
      EXPECT_NE(done.error().text.find("--like"), std::string::npos) << done.error().text;
    }
    EXPECT_EQ(content(recording.path_), before) << size;
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

// Damage between and in front of fragments: the next moof is found.
TEST(Recover, FragmentsBehindDamageAreFound) {
  Recording recording("hull_damaged.mp4");
  for (int i = 0; i < 5; ++i)
    recording.fragment();
  const std::size_t mdat = recording.ends_[1] - (30 * 50 + 29 * 30 / 2) - 8; // of the second fragment
  struct Damage {
    const char *name;
    std::function<void(ByteVector &)> apply;
    std::size_t lost; // samples
  };
  const Damage damages[] = {
      {"mdat too long", [&](ByteVector &bytes) { store_be(bytes.data() + mdat, 4, 1'000'000); }, 0},
      {"mdat into the next", [&](ByteVector &bytes) { store_be(bytes.data() + mdat, 4, 2'100); }, 0},
      {"mdat too short", [&](ByteVector &bytes) { store_be(bytes.data() + mdat, 4, 9); }, 0},
      {"mdat to the end", [&](ByteVector &bytes) { store_be(bytes.data() + mdat, 4, 0); }, 0},
      {"mdat without a name", [&](ByteVector &bytes) { store_be(bytes.data() + mdat + 4, 4, 0x01020304); },
       0},
      {"a moof of the wrong size",
       [&](ByteVector &bytes) { store_be(bytes.data() + recording.ends_[1], 4, 0x7fffffff); }, 0},
      {"a moof without a name", [&](ByteVector &bytes) { bytes[recording.ends_[1] + 5] = 'x'; }, 0},
      {"noise instead of a moof",
       [&](ByteVector &bytes) {
         std::mt19937 random(1);
         for (std::size_t i = 0; i < 400; ++i)
           bytes[recording.ends_[1] + i] = static_cast<std::uint8_t>(random());
       },
       30},
      {"zeros instead of a moof",
       [&](ByteVector &bytes) {
         std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(recording.ends_[1]), 400, 0);
       },
       30},
      {"noise between fragments",
       [&](ByteVector &bytes) {
         bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(recording.ends_[1]), 999, 0x5a);
       },
       0},
  };
  for (const Placement placement : {Placement::tail, Placement::automatic, Placement::copy})
    for (const Damage &damage : damages) {
      ByteVector bytes = recording.bytes_;
      damage.apply(bytes);
      store(recording.path_, bytes);
      auto done = recover(recording.path_, placement);
      ASSERT_TRUE(done) << damage.name << ": " << done.error().text;
      const auto found = recording.samples_in_file();
      EXPECT_EQ(found.size(), recording.expected_.size() - damage.lost) << damage.name;
      if (damage.lost == 0) {
        EXPECT_EQ(found, recording.expected_) << damage.name;
      }
    }
}

TEST(Recover, APlanTouchesNothingAndAnOutputLeavesTheFile) {
  Recording recording("hull_plan.mp4");
  for (int i = 0; i < 3; ++i)
    recording.fragment();
  recording.save(recording.bytes_.size() - 100);
  const ByteVector before = content(recording.path_);
  RecoverOptions options;
  options.output = recording.path_ + ".out";
  auto plan = plan_recovery(recording.path_, options);
  ASSERT_TRUE(plan) << plan.error().text;
  EXPECT_EQ(plan->remedy, Remedy::movie);
  EXPECT_FALSE(plan->found.empty());
  ASSERT_EQ(plan->tracks.size(), 1u);
  EXPECT_EQ(plan->tracks[0].samples + plan->tracks[0].missing, 90u);
  EXPECT_EQ(content(recording.path_), before);
  ASSERT_TRUE(carry_out(*plan, recording.path_, options));
  EXPECT_EQ(content(recording.path_), before);
  const std::string damaged = recording.path_;
  recording.path_ = options.output;
  const auto found = recording.samples_in_file();
  EXPECT_EQ(found.size(), plan->tracks[0].samples);
  EXPECT_TRUE(begins_with(recording.expected_, found));
  fs::remove(damaged);
}

// Fragments that stay fragments: only headers and counts are written over.
TEST(Recover, KeptFragmentsNameOnlySamplesThatAreThere) {
  Recording recording("hull_keep.mp4");
  for (int i = 0; i < 3; ++i)
    recording.fragment();
  const std::size_t size = recording.bytes_.size() - 300;
  recording.save(size);
  auto done = recover(recording.path_, Placement::automatic, true);
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(content(recording.path_).size(), size);
  auto source = FileSource::open(recording.path_);
  auto scan = scan_fragments(*source, true, false);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->whole_end, size);
  EXPECT_GT(scan->tracks[1].table.samples(), 60u);
  EXPECT_LT(scan->tracks[1].table.samples(), 90u);
}

// Fragments that have lost their movie box, with and without what else was in front of them.
TEST(Recover, FragmentsWithoutAMovieBoxAreReadWithThatOfAGoodFile) {
  Recording good("hull_good.mp4");
  for (int i = 0; i < 2; ++i)
    good.fragment(7, 9);
  for (const bool fragmented : {true, false}) {
    good.save();
    if (!fragmented) {
      ASSERT_TRUE(unfragment(good.path_, Placement::copy));
    }
    for (const bool with_ftyp : {false, true}) {
      Recording recording("hull_no_movie.mp4");
      for (int i = 0; i < 4; ++i)
        recording.fragment();
      ByteVector bytes;
      if (with_ftyp) append(bytes, Bytes(recording.bytes_).first(load_be(recording.bytes_.data(), 4)));
      append(bytes, Bytes(recording.bytes_).subspan(recording.init_size_));
      store(recording.path_, bytes);
      RecoverOptions options;
      options.like = good.path_;
      for (const char *to : {".out", ""}) {
        options.output = *to ? recording.path_ + to : "";
        auto plan = plan_recovery(recording.path_, options);
        ASSERT_TRUE(plan) << plan.error().text;
        ASSERT_EQ(plan->tracks.size(), 1u);
        EXPECT_EQ(plan->tracks[0].samples, 120u);
        EXPECT_TRUE(plan->given_up.empty());
        ASSERT_TRUE(carry_out(*plan, recording.path_, options));
        const std::string damaged = recording.path_;
        if (*to) recording.path_ = options.output;
        EXPECT_EQ(recording.samples_in_file(), recording.expected_) << with_ftyp << to;
        if (*to) fs::remove(recording.path_);
        recording.path_ = damaged;
      }
    }
  }
}

// A whole file, its movie box in front or behind.
class WholeFile : public testing::TestWithParam<bool> {
 protected:
  void make(Recording &recording) const {
    for (int i = 0; i < 5; ++i)
      recording.fragment();
    recording.save();
    ASSERT_TRUE(unfragment(recording.path_, Placement::tail));
    if (GetParam()) {
      ASSERT_TRUE(fast_start(recording.path_, Placement::copy));
    }
  }
};

TEST_P(WholeFile, IsLeftAlone) {
  Recording recording("hull_whole.mp4");
  make(recording);
  const ByteVector before = content(recording.path_);
  auto done = recover(recording.path_);
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(done->remedy, Remedy::none);
  EXPECT_EQ(content(recording.path_), before);
}

// What the plan says is kept are whole samples, and all else of the media is given up.
TEST_P(WholeFile, RangesOfACutFileAddUp) {
  Recording recording("hull_whole_ranges.mp4");
  make(recording);
  const ByteVector whole = content(recording.path_);
  if (!GetParam()) GTEST_SKIP() << "without its movie box nothing is kept";
  for (std::size_t size = whole.size() - 3000; size < whole.size(); size += 97) {
    store(recording.path_, ByteVector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const auto plan = plan_recovery(recording.path_);
    ASSERT_TRUE(plan) << plan.error().text;
    ASSERT_TRUE(recover(recording.path_));
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < recording.samples_in_file().size(); ++i)
      bytes += 50 + i % 30;
    EXPECT_EQ(plan->kept_bytes(), bytes) << size;
    EXPECT_EQ(plan->kept.back().offset + plan->kept.back().size +
                  (plan->given_up.empty() ? 0 : plan->given_up.back().size),
              size);
  }
}

TEST_P(WholeFile, CutAnywhereKeepsTheSamplesThatAreThere) {
  Recording recording("hull_whole_cut.mp4");
  make(recording);
  const ByteVector whole = content(recording.path_);
  std::size_t most = 0;
  for (const Placement placement : {Placement::tail, Placement::automatic, Placement::copy})
    for (std::size_t size = whole.size() / 3; size < whole.size(); size += 211) {
      store(recording.path_, ByteVector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      auto done = recover(recording.path_, placement);
      if (!done) continue; // nothing tells the samples apart, and the file says so
      const auto found = recording.samples_in_file();
      EXPECT_TRUE(begins_with(recording.expected_, found)) << size;
      most = std::max(most, found.size());
    }
  EXPECT_GT(most, recording.expected_.size() / 2);
}

TEST_P(WholeFile, AnyBitOfTheBoxesAroundTheTablesMayFlip) {
  Recording recording("hull_flip.mp4");
  make(recording);
  const ByteVector whole = content(recording.path_);
  auto source = FileSource::open(recording.path_);
  const auto boxes = parse_boxes(*source);
  ASSERT_TRUE(boxes);
  std::vector<std::uint64_t> headers;
  for (const Node &top : *boxes)
    if (top.type() == FourCC("moov"))
      for (const char *path : {"trak", "trak/mdia", "trak/mdia/minf", "trak/mdia/minf/stbl",
                               "trak/mdia/minf/stbl/stsz", "trak/mdia/minf/stbl/stts"})
        headers.push_back(find(top, path)->offset);
  ASSERT_EQ(headers.size(), 6u);
  for (const std::uint64_t header : headers)
    for (unsigned bit = 0; bit < 64; ++bit) {
      ByteVector bytes = whole;
      bytes[header + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      store(recording.path_, bytes);
      auto done = recover(recording.path_);
      ASSERT_TRUE(done) << header << " bit " << bit << ": " << done.error().text;
      EXPECT_EQ(recording.samples_in_file(), recording.expected_) << header << " bit " << bit;
    }
}

TEST_P(WholeFile, AWrongMdatLengthIsMadeRight) {
  Recording recording("hull_badlen.mp4");
  make(recording);
  const ByteVector whole = content(recording.path_);
  std::uint64_t mdat = 0;
  auto source = FileSource::open(recording.path_);
  (void)for_each_box(*source, [&](Node &node) {
    if (node.type() == FourCC("mdat")) mdat = node.offset;
    return true;
  });
  ASSERT_GT(mdat, 0u);
  const bool large = load_be(whole.data() + mdat, 4) == 1;
  for (const std::uint64_t wrong : {100ull, 1'000ull, 3'000ull, 1ull << 30}) {
    ByteVector bytes = whole;
    store_be(bytes.data() + mdat + (large ? 8 : 0), large ? 8 : 4, wrong);
    store(recording.path_, bytes);
    auto done = recover(recording.path_);
    ASSERT_TRUE(done) << wrong << ": " << done.error().text;
    EXPECT_EQ(recording.samples_in_file(), recording.expected_) << wrong;
  }
}

INSTANTIATE_TEST_SUITE_P(MovieBox, WholeFile, testing::Bool(),
                         [](const auto &info) { return info.param ? "First" : "Last"; });

} // namespace
} // namespace hull::isobmff
