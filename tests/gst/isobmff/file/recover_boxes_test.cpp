// Damage inside of movie boxes and fragments: what the boxes around it tell is used, and a repair never
// shows less than a reader found before.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/file/recover.h"
#include "gst/isobmff/file/recover_movie.h"
#include "tests/gst/isobmff/file/recording.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

constexpr const char *kTables = "moov/trak/mdia/minf/stbl";

ByteVector content(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void store(const std::string &path, const ByteVector &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Where the box at `path` begins.
std::uint64_t place(const ByteVector &bytes, const char *path) {
  MemorySource source(bytes);
  const auto found = locate(source, path);
  EXPECT_TRUE(found) << path;
  return found ? found->node->offset : 0;
}

std::unique_ptr<Node> movie_of(const std::string &path) {
  auto source = FileSource::open(path);
  auto found = locate(*source, "moov");
  EXPECT_TRUE(found);
  return found ? std::move(found->top) : std::make_unique<Node>("moov");
}

// Five fragments made whole, the movie box behind them.
class DamagedBox : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i)
      recording_.fragment();
    recording_.save();
    ASSERT_TRUE(unfragment(recording_.path_, Placement::tail));
    whole_ = content(recording_.path_);
  }
  // Recovers the file with `count` bytes of `value` at `offset`; the samples found.
  std::vector<std::uint8_t> samples_with(std::uint64_t offset, unsigned count, std::uint64_t value) {
    ByteVector bytes = whole_;
    store_be(bytes.data() + offset, count, value);
    store(recording_.path_, bytes);
    auto done = recover(recording_.path_);
    EXPECT_TRUE(done) << done.error().text;
    return recording_.samples_in_file();
  }
  std::uint64_t box(const char *path) const { return place(whole_, path); }

  Recording recording_{"hull_box.mp4"};
  ByteVector whole_;
};

TEST_F(DamagedBox, AnyByteOfANameMayBeAnother) {
  for (const char *path :
       {"moov/trak", "moov/trak/tkhd", "moov/trak/mdia", "moov/trak/mdia/mdhd", "moov/trak/mdia/minf",
        "moov/trak/mdia/minf/dinf", "moov/trak/mdia/minf/dinf/dref", "moov/trak/mdia/minf/stbl",
        "moov/trak/mdia/minf/stbl/stsz", "moov/trak/mdia/minf/stbl/stts", "moov/trak/mdia/minf/stbl/stsc",
        "moov/trak/mdia/minf/stbl/stco"})
    for (unsigned byte = 4; byte < 8; ++byte)
      for (const unsigned value : {0x00u, 0x62u, 0xf7u})
        EXPECT_EQ(samples_with(box(path) + byte, 1, value), recording_.expected_)
            << path << " byte " << byte << " is " << value;
}

// A size that takes in the next box's header, or its first children.
TEST_F(DamagedBox, ASizeThatSwallowsTheNextBoxIsSeenByWhatIsInside) {
  for (const auto &[path, wrong] :
       {std::pair("moov/trak/mdia/minf/dinf", 44u), std::pair("moov/trak/mdia/minf/vmhd", 28u),
        std::pair("moov/trak/tkhd", 100u), std::pair("moov/trak/mdia/mdhd", 40u)})
    EXPECT_EQ(samples_with(box(path), 4, wrong), recording_.expected_) << path;
}

TEST_F(DamagedBox, DataReferencesAndASingleSampleEntryFillTheirBoxes) {
  EXPECT_EQ(samples_with(box("moov/trak/mdia/minf/stbl/stsd") + 16, 4, 0x00400000), recording_.expected_);
  EXPECT_EQ(find(*movie_of(recording_.path_), "trak/mdia/minf/stbl/stsd")->children.size(), 1u);
  const std::uint64_t dref = box("moov/trak/mdia/minf/dinf/dref");
  samples_with(dref + 12, 4, 0x1001); // as many references
  EXPECT_TRUE(find(*movie_of(recording_.path_), "trak/mdia/minf/dinf/dref")->problem.empty());
  EXPECT_EQ(samples_with(dref + 16, 4, 0x2c), recording_.expected_); // one that is too large
  EXPECT_EQ(find(*movie_of(recording_.path_), "trak/mdia/minf/dinf/dref")->children.size(), 1u);
}

TEST_F(DamagedBox, AHeaderHasTheVersionOfItsSize) {
  for (const char *path : {"moov/trak/mdia/mdhd", "moov/trak/tkhd", "moov/mvhd"}) {
    EXPECT_EQ(samples_with(box(path) + 8, 1, 32), recording_.expected_) << path;
    const auto movie = movie_of(recording_.path_);
    EXPECT_EQ(write_payload(*find(*movie, path + 5)->box)->at(0), 0) << path;
  }
}

// Chunks of 30 samples, the last with less, so that there are two runs of chunks.
TEST_F(DamagedBox, ChunksOutOfOrderArePlacedByTheirCounts) {
  recording_.fragment(10);
  recording_.fragment(10);
  recording_.save();
  ASSERT_TRUE(unfragment(recording_.path_, Placement::tail));
  whole_ = content(recording_.path_);
  const std::uint64_t stsc = box("moov/trak/mdia/minf/stbl/stsc");
  ASSERT_EQ(load_be(whole_.data() + stsc + 12, 4), 2u);
  for (const std::uint64_t first : {0ull, 2ull, 0x01000001ull}) {
    EXPECT_EQ(samples_with(stsc + 16, 4, first), recording_.expected_) << first;
  }
  for (const std::uint64_t first : {0ull, 1ull, 0x01000006ull}) {
    EXPECT_EQ(samples_with(stsc + 28, 4, first), recording_.expected_) << first;
  }
  for (const std::uint64_t entry : {stsc + 16, stsc + 28}) {
    EXPECT_EQ(samples_with(entry + 4, 1, 0x80), recording_.expected_); // samples in a chunk
    EXPECT_EQ(samples_with(entry + 8, 1, 0x80), recording_.expected_); // their sample entry
    const auto movie = movie_of(recording_.path_);
    for (const auto &run : find_box<SampleToChunk>(*movie, "trak/mdia/minf/stbl/stsc")->entries)
      EXPECT_EQ(run.sample_description_index, 1u);
  }
}

// AC-3 says itself where its frames begin: readers find those in what is left of a sample.
TEST(DamagedSound, PartOfASampleIsKeptWhereReadersLookForFrames) {
  for (const bool found : {true, false}) {
    Node trak("trak");
    Node &stbl = trak.add("mdia").add("minf").add("stbl");
    stbl.add<SampleDescription>();
    stbl.children.back().add(FourCC(found ? "ac-3" : "alac"));
    TrackPlaces places;
    places.chunks = {{100, 2, 1}, {300, 1, 1}};
    places.equal_size = 100;
    places.count = 3;
    EXPECT_EQ(clip_samples(trak, places, 350), found);
    EXPECT_EQ(places.size_of(2, 1), found ? 50u : 100u);
    EXPECT_EQ(present_samples(places, 350).all, found ? 3u : 2u);
  }
}

// Common readers keep 30 bits of a size: a file in which a higher one is set plays, and must not lose it.
TEST_F(DamagedBox, ASizeWithAHighBitIsTakenWithoutIt) {
  const std::uint64_t stsz = box("moov/trak/mdia/minf/stbl/stsz");
  const std::uint64_t size = load_be(whole_.data() + stsz + 20 + 4 * 7, 4);
  samples_with(stsz + 20 + 4 * 7, 4, size | 0x80000000u);
  EXPECT_EQ(recording_.samples_in_file().size(), recording_.expected_.size());
}

// A track of ten seconds at 48 kHz that is shown from `media_time` on.
Node track_with_edit(std::int64_t media_time, std::uint64_t segment_duration) {
  Node trak("trak");
  trak.add("edts").add<EditList>().entries.push_back({segment_duration, media_time, 1, 0});
  Node &mdia = trak.add("mdia");
  mdia.add<MediaHeader>().timescale = 48'000;
  Node &stbl = mdia.add("minf").add("stbl");
  stbl.add<TimeToSample>().entries.push_back({500, 960});
  return trak;
}

TEST(DamagedEdits, AreTakenOutWhereTheyHideWhatTheTrackSaysIsShown) {
  for (const std::uint64_t duration : {4880u, 10'000u}) {
    Node trak = track_with_edit(312, duration);
    trak.add<TrackHeader>().duration = 10'000;
    drop_wrong_edits(trak, 1000);
    EXPECT_EQ(trak.child("edts") == nullptr, duration == 4880) << duration;
  }
}

TEST(DamagedEdits, AreTakenOutWhereTheyShowWhatIsNotThere) {
  for (const auto &[media_time, duration] :
       {std::pair(0x00800000ll, 10'000ull), std::pair(-0x80000000ll, 10'000ull),
        std::pair(312ll, 20'000ull)}) {
    Node trak = track_with_edit(media_time, duration);
    drop_wrong_edits(trak, 1000);
    EXPECT_EQ(trak.child("edts"), nullptr) << media_time;
  }
  for (const auto &[media_time, duration] :
       {std::pair(0ll, 10'000ull), std::pair(312ll, 10'000ull), std::pair(312ll, 0ull)}) {
    Node trak = track_with_edit(media_time, duration);
    drop_wrong_edits(trak, 1000);
    EXPECT_NE(trak.child("edts"), nullptr) << media_time;
  }
}

// Behind a whole file lies something else, and in its mdat the recording it was made of.
TEST_F(DamagedBox, ARecordingInsideOfAWholeFileStaysHidden) {
  recording_.save();
  ASSERT_TRUE(unfragment(recording_.path_, Placement::copy));
  const ByteVector whole = content(recording_.path_);
  for (const std::size_t behind : {1u, 100u, 5000u}) {
    ByteVector bytes = whole;
    bytes.resize(bytes.size() + behind, 0x5a);
    store(recording_.path_, bytes);
    ASSERT_TRUE(recover(recording_.path_));
    EXPECT_EQ(recording_.samples_in_file(), recording_.expected_) << behind;
    for (const std::string &type : recording_.top_level())
      EXPECT_NE(type, "moof") << behind;
  }
}

// The header in front of the media has lost a byte: writing it anew would take one of the media.
TEST_F(DamagedBox, NoHeaderIsWrittenOverMedia) {
  recording_.save();
  ASSERT_TRUE(unfragment(recording_.path_, Placement::copy));
  ASSERT_TRUE(fast_start(recording_.path_, Placement::copy));
  const ByteVector whole = content(recording_.path_);
  const std::uint64_t mdat = place(whole, "mdat");
  for (std::uint64_t at = mdat; at < mdat + 8; ++at) {
    ByteVector bytes = whole;
    bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
    store(recording_.path_, bytes);
    (void)recover(recording_.path_);
    const ByteVector after = content(recording_.path_);
    const Bytes media = Bytes(bytes).subspan(mdat + 15); // behind a header of 16
    EXPECT_NE(std::search(after.begin(), after.end(), media.begin(), media.end()), after.end()) << at;
  }
}

// Nothing can be kept of it: then what a lenient reader may find stays as it is.
TEST_F(DamagedBox, AMovieOfWhichNoTrackIsLeftIsNotWritten) {
  ByteVector bytes = whole_;
  const std::uint64_t tables = box(kTables);
  for (std::uint64_t at = tables + 8; at < tables + load_be(whole_.data() + tables, 4); ++at)
    bytes[at] = static_cast<std::uint8_t>(at * 89);
  bytes[box("moov/trak/tkhd") + 5] ^= 1;
  store(recording_.path_, bytes);
  const ByteVector before = content(recording_.path_);
  auto done = recover(recording_.path_);
  if (done) {
    EXPECT_EQ(done->remedy, Remedy::none);
  }
  EXPECT_EQ(content(recording_.path_), before);
}

// Fragments.
class DamagedFragment : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 4; ++i)
      recording_.fragment();
    moof_ = recording_.ends_[1];
  }
  std::vector<std::uint8_t> samples_with(std::uint64_t offset, unsigned count, std::uint64_t value) {
    ByteVector bytes = recording_.bytes_;
    store_be(bytes.data() + offset, count, value);
    store(recording_.path_, bytes);
    auto done = recover(recording_.path_);
    EXPECT_TRUE(done) << done.error().text;
    return recording_.samples_in_file();
  }
  // A box in the third moof.
  std::uint64_t box(const char *path) const { return place(recording_.bytes_, path); }

  Recording recording_{"hull_fragment_box.mp4"};
  std::uint64_t moof_ = 0;
};

TEST_F(DamagedFragment, SizesAndNamesInsideAreMadeRight) {
  struct Damage {
    const char *path;
    unsigned offset, count;
    std::uint64_t value;
  };
  const Damage damages[] = {
      {"moof[2]/mfhd", 0, 4, 24},         {"moof[2]/mfhd", 4, 1, 0xf7},
      {"moof[2]/traf", 0, 4, 0x01000000}, {"moof[2]/traf", 6, 1, 0xf7},
      {"moof[2]/traf/tfdt", 0, 4, 28},    {"moof[2]/traf/trun", 0, 4, 0x00010000},
      {"moof[2]/traf/trun", 4, 1, 0xf7},  {"moof[2]/traf/trun", 0, 4, 9},
  };
  for (const Damage &damage : damages)
    EXPECT_EQ(samples_with(box(damage.path) + damage.offset, damage.count, damage.value),
              recording_.expected_)
        << damage.path << " " << damage.offset << " is " << damage.value;
}

TEST_F(DamagedFragment, OneWildCompositionOffsetHidesNoOther) {
  const std::uint64_t trun = box("moof[2]/traf/trun");
  const std::uint64_t flags = load_be(recording_.bytes_.data() + trun + 8, 4);
  ASSERT_TRUE(flags & 0x800); // the last field of an entry
  const unsigned entry = 4 * static_cast<unsigned>(std::popcount(flags & 0xf00));
  const std::uint64_t last = trun + load_be(recording_.bytes_.data() + trun, 4) - 4;
  EXPECT_EQ(samples_with(last - 5 * entry, 4, 0x90000000), recording_.expected_);
  const auto movie = movie_of(recording_.path_);
  const auto *elst = find_box<EditList>(*movie, "trak/edts/elst");
  if (elst) {
    for (const EditList::Entry &edit : elst->entries)
      EXPECT_LT(edit.media_time, 15'360);
  }
}

// The sample's first bytes are there; that it reaches into the next box may be the fault of its size alone.
TEST_F(DamagedFragment, ASampleThatReachesIntoTheNextBoxIsKept) {
  ByteVector bytes = recording_.bytes_;
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(recording_.ends_[2] - 500)); // a byte is missing
  store(recording_.path_, bytes);
  ASSERT_TRUE(recover(recording_.path_));
  const auto movie = movie_of(recording_.path_);
  EXPECT_EQ(find_box<SampleSize>(*movie, "trak/mdia/minf/stbl/stsz")->entry_sizes.size(),
            recording_.expected_.size());
}

} // namespace
} // namespace hull::isobmff
