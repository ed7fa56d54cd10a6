#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/rules/iso.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

namespace hull::isobmff::iso {
namespace {

template <class T> T &at(Node &root, const char *path) {
  return *find(root, path)->as<T>();
}

std::string text_of(const Findings &findings) {
  std::string text;
  for (const Finding &finding : findings)
    text += std::string(finding.rule) + ' ' + name(finding.level) + ' ' + finding.text + '\n';
  return text;
}

// A sound file: ftyp, mdat, moov. Pictures: 4 samples of 10 bytes in chunks of 2; sound: 2 samples of 5 bytes in one
// chunk. Each test breaks one thing.
struct Film {
  Node ftyp{FileType{}};
  Node moov{"moov"};
  ByteVector media = ByteVector(50);
  std::vector<Node> more; ///< behind moov
  std::size_t cut = 0;    ///< bytes that the end lacks
  bool mdat_first = false;

  static constexpr std::uint32_t kMedia = 28; ///< offset of the media: ftyp of 20 bytes, a header

  Film() {
    ftyp.as<FileType>()->major_brand = "isom";
    ftyp.as<FileType>()->compatible_brands = {"isom"};
    auto &mvhd = moov.add<MovieHeader>();
    mvhd.duration = 4000;
    mvhd.next_track_id = 3;
    Node &pictures = add_track(1, "vide", 1000);
    auto &avc1 = pictures.add(Node(SampleDescription{})).add(Node(VisualSampleEntry("avc1")));
    avc1.add(CodecConfiguration("avcC", {1}));
    pictures.add<TimeToSample>().entries = {{4, 1000}};
    pictures.add<SyncSample>().sample_numbers = {1, 3};
    pictures.add<SampleToChunk>().entries = {{1, 2, 1}};
    pictures.add<SampleSize>().entry_sizes = {10, 10, 10, 10};
    pictures.add<ChunkOffset>().chunk_offsets = {kMedia, kMedia + 20};
    Node &sound = add_track(2, "soun", 2000);
    sound.add(Node(SampleDescription{})).add(Node(AudioSampleEntry("Opus"))).add<OpusSpecific>();
    sound.add<TimeToSample>().entries = {{2, 2000}};
    sound.add<SampleToChunk>().entries = {{1, 2, 1}};
    sound.add<SampleSize>().entry_sizes = {5, 5};
    sound.add<ChunkOffset>().chunk_offsets = {kMedia + 40};
  }

  // Its stbl.
  Node &add_track(std::uint32_t id, FourCC handler, std::uint64_t each) {
    const bool pictures = handler == FourCC("vide");
    Node &trak = moov.add("trak");
    auto &tkhd = trak.add<TrackHeader>();
    tkhd.track_id = id;
    tkhd.duration = pictures ? 4000 : 4000;
    trak.add("edts").add<EditList>().entries = {{4000, 0, 1, 0}};
    Node &mdia = trak.add("mdia");
    auto &mdhd = mdia.add<MediaHeader>();
    mdhd.timescale = 1000;
    mdhd.duration = (pictures ? 4 : 2) * each;
    mdia.add<Handler>().handler_type = handler;
    Node &minf = mdia.add("minf");
    if (pictures)
      minf.add<VideoMediaHeader>();
    else
      minf.add<SoundMediaHeader>();
    minf.add("dinf").add(Node(DataReference{})).add<DataEntryUrl>();
    return minf.add("stbl");
  }

  Node &stbl(std::size_t track = 0) {
    return *find(moov, track == 0 ? "trak/mdia/minf/stbl" : "trak[1]/mdia/minf/stbl");
  }
  Node &trak(std::size_t track = 0) { return *find(moov, track == 0 ? "trak" : "trak[1]"); }

  void append_mdat(ByteVector &out) const {
    append_box_header(out, "mdat", media.size());
    append(out, media);
  }
  ByteVector bytes() {
    ByteVector out;
    if (mdat_first) append_mdat(out);
    append(out, *write_tree(ftyp));
    if (!mdat_first) append_mdat(out);
    append(out, *write_tree(moov));
    for (Node &node : more)
      append(out, *write_tree(node));
    out.resize(out.size() - cut);
    return out;
  }
  Findings check() {
    const ByteVector file = bytes();
    MemorySource source(file);
    auto found = check_file(source);
    EXPECT_TRUE(found) << found.error().text;
    return found ? *found : Findings{};
  }

  // Fragments of track 1 behind the movie, 2 samples of 5 bytes each.
  void add_fragment(std::uint64_t time) {
    if (!moov.child("mvex")) moov.add("mvex").add<TrackExtends>();
    Node moof("moof");
    moof.add<MovieFragmentHeader>().sequence_number = 1;
    Node &traf = moof.add("traf");
    traf.add<TrackFragmentHeader>();
    traf.add<TrackFragmentDecodeTime>().base_media_decode_time = time;
    auto &run = traf.add<TrackRun>();
    run.flags = TrackRun::kDataOffset | TrackRun::kDuration | TrackRun::kSize;
    run.samples = {{1000, 5, 0, 0}, {1000, 5, 0, 0}};
    run.sample_count = 2;
    run.data_offset = static_cast<std::int32_t>(*tree_size(moof) + 8);
    more.push_back(std::move(moof));
    more.emplace_back(Opaque("mdat", ByteVector(10)));
  }
};

TEST(Iso, ASoundFileHasNoFinding) {
  Film film;
  EXPECT_EQ(text_of(film.check()), "");
  film.add_fragment(4000);
  film.add_fragment(6000);
  EXPECT_EQ(text_of(film.check()), "");
}

struct Breach {
  const char *rule;
  const char *what;
  std::function<void(Film &)> make;
};

const Breach kBreaches[] = {
    {"ISO-01", "ftyp_behind_mdat", [](Film &f) { f.mdat_first = true; }},
    {"ISO-01", "two_moovs", [](Film &f) { f.more.emplace_back("moov"); }},
    {"ISO-01", "cut",
     [](Film &f) {
       f.more.emplace_back(FreeSpace(20));
       f.cut = 9;
     }},
    {"ISO-02", "broken_box",
     [](Film &f) {
       f.moov.add(Opaque("mvex", {0, 0, 0, 8, 't', 'r', 'e', 'x'}));
     }},
    {"ISO-03", "no_mvhd", [](Film &f) { f.moov.children.erase(f.moov.children.begin()); }},
    {"ISO-03", "no_stts",
     [](Film &f) { std::erase_if(f.stbl().children, [](Node &n) { return n.type() == FourCC("stts"); }); }},
    {"ISO-03", "no_hdlr",
     [](Film &f) {
       std::erase_if(f.trak().child("mdia")->children, [](Node &n) { return n.type() == FourCC("hdlr"); });
     }},
    {"ISO-04", "same_id", [](Film &f) { f.trak(1).get<TrackHeader>()->track_id = 1; }},
    {"ISO-04", "zero_id", [](Film &f) { f.trak(1).get<TrackHeader>()->track_id = 0; }},
    {"ISO-04", "next_id", [](Film &f) { f.moov.get<MovieHeader>()->next_track_id = 2; }},
    {"ISO-05", "movie", [](Film &f) { f.moov.get<MovieHeader>()->timescale = 0; }},
    {"ISO-05", "media", [](Film &f) { at<MediaHeader>(f.trak(), "mdia/mdhd").timescale = 0; }},
    {"ISO-06", "no_entry", [](Film &f) { f.stbl().child("stsd")->children.clear(); }},
    {"ISO-06", "no_avcC", [](Film &f) { f.stbl().child("stsd")->children[0].children.clear(); }},
    {"ISO-07", "first_chunk", [](Film &f) { f.stbl().get<SampleToChunk>()->entries[0].first_chunk = 2; }},
    {"ISO-07", "falls",
     [](Film &f) {
       f.stbl().get<SampleToChunk>()->entries.push_back({1, 2, 1});
     }},
    {"ISO-07", "chunk_without_samples",
     [](Film &f) { f.stbl().get<SampleToChunk>()->entries[0].samples_per_chunk = 0; }},
    {"ISO-07", "chunk_that_is_not_there",
     [](Film &f) {
       f.stbl().get<SampleToChunk>()->entries.push_back({3, 2, 1});
     }},
    {"ISO-08", "stsc",
     [](Film &f) { f.stbl().get<SampleToChunk>()->entries[0].sample_description_index = 2; }},
    {"ISO-08", "stsc_zero",
     [](Film &f) { f.stbl().get<SampleToChunk>()->entries[0].sample_description_index = 0; }},
    {"ISO-08", "trex",
     [](Film &f) {
       f.add_fragment(4000);
       at<TrackExtends>(f.moov, "mvex/trex").default_sample_description_index = 2;
     }},
    {"ISO-08", "tfhd",
     [](Film &f) {
       f.add_fragment(4000);
       auto &tfhd = at<TrackFragmentHeader>(f.more[0], "traf/tfhd");
       tfhd.flags |= TrackFragmentHeader::kSampleDescriptionIndex;
       tfhd.sample_description_index = 3;
     }},
    {"ISO-09", "stts", [](Film &f) { f.stbl().get<TimeToSample>()->entries[0].sample_count = 5; }},
    {"ISO-09", "ctts",
     [](Film &f) {
       f.stbl().add<CompositionOffset>().entries = {{3, 0}};
     }},
    {"ISO-09", "stsc", [](Film &f) { f.stbl().get<SampleToChunk>()->entries[0].samples_per_chunk = 3; }},
    {"ISO-09", "stsz", [](Film &f) { f.stbl().get<SampleSize>()->entry_sizes.pop_back(); }},
    {"ISO-10", "falls",
     [](Film &f) {
       f.stbl().get<SyncSample>()->sample_numbers = {3, 1};
     }},
    {"ISO-10", "past_the_end",
     [](Film &f) {
       f.stbl().get<SyncSample>()->sample_numbers = {1, 5};
     }},
    {"ISO-10", "zero", [](Film &f) { f.stbl().get<SyncSample>()->sample_numbers = {0}; }},
    {"ISO-11", "before_mdat",
     [](Film &f) { f.stbl().get<ChunkOffset>()->chunk_offsets[0] = Film::kMedia - 1; }},
    {"ISO-11", "behind_mdat",
     [](Film &f) { f.stbl(1).get<ChunkOffset>()->chunk_offsets[0] = Film::kMedia + 41; }},
    {"ISO-11", "behind_the_file", [](Film &f) { f.stbl().get<ChunkOffset>()->chunk_offsets[1] = 1 << 20; }},
    {"ISO-12", "overlap", [](Film &f) { f.stbl().get<ChunkOffset>()->chunk_offsets[1] = Film::kMedia + 19; }},
    {"ISO-12", "overlap_of_tracks",
     [](Film &f) { f.stbl(1).get<ChunkOffset>()->chunk_offsets[0] = Film::kMedia + 5; }},
    {"ISO-13", "mdhd", [](Film &f) { at<MediaHeader>(f.trak(), "mdia/mdhd").duration = 9000; }},
    {"ISO-13", "tkhd", [](Film &f) { f.trak().get<TrackHeader>()->duration = 3000; }},
    {"ISO-13", "mvhd", [](Film &f) { f.moov.get<MovieHeader>()->duration = 8000; }},
    {"ISO-14", "rate",
     [](Film &f) { at<EditList>(f.trak(), "edts/elst").entries[0].media_rate_integer = 2; }},
    {"ISO-14", "begins_late",
     [](Film &f) { at<EditList>(f.trak(), "edts/elst").entries[0].media_time = 7000; }},
    {"ISO-14", "ends_late",
     [](Film &f) { at<EditList>(f.trak(), "edts/elst").entries[0].media_time = 3000; }},
    {"ISO-14", "before_the_start",
     [](Film &f) { at<EditList>(f.trak(), "edts/elst").entries[0].media_time = -2; }},
    {"ISO-15", "chapters",
     [](Film &f) { f.trak().add("tref").add(TrackReferences("chap")).track_ids = {9}; }},
    {"ISO-16", "header", [](Film &f) { at<Handler>(f.trak(), "mdia/hdlr").handler_type = "soun"; }},
    {"ISO-16", "entry",
     [](Film &f) { f.stbl().child("stsd")->children[0] = Node(AudioSampleEntry("Opus")); }},
    {"ISO-17", "sdtp", [](Film &f) { f.stbl().add<SampleDependency>().samples = ByteVector(3); }},
    {"ISO-17", "sbgp_too_long",
     [](Film &f) {
       auto &groups = f.stbl().add<SampleToGroup>();
       groups.grouping_type = "roll";
       groups.entries = {{5, 0}};
     }},
    {"ISO-17", "sbgp_without_group",
     [](Film &f) {
       auto &groups = f.stbl().add<SampleToGroup>();
       groups.grouping_type = "roll";
       groups.entries = {{4, 1}};
     }},
    {"ISO-18", "track_without_trex",
     [](Film &f) {
       f.add_fragment(4000);
       at<TrackFragmentHeader>(f.more[0], "traf/tfhd").track_id = 2;
     }},
    {"ISO-18", "goes_back",
     [](Film &f) {
       f.add_fragment(4000);
       f.add_fragment(5000);
     }},
    {"ISO-18", "data_offset",
     [](Film &f) {
       f.add_fragment(4000);
       at<TrackRun>(f.more[0], "traf/trun").data_offset -= 1;
     }},
    {"ISO-18", "data_behind_mdat",
     [](Film &f) {
       f.add_fragment(4000);
       at<TrackRun>(f.more[0], "traf/trun").samples[1].size = 6;
     }},
    {"ISO-19", "sound_of_quicktime",
     [](Film &f) {
       auto *entry = f.stbl(1).child("stsd")->children[0].as<AudioSampleEntry>();
       entry->entry_version = 1;
       entry->quicktime = ByteVector(16);
     }},
};

class IsoBreaches : public testing::TestWithParam<Breach> {};

TEST_P(IsoBreaches, AreFoundUnderTheirRule) {
  Film film;
  GetParam().make(film);
  const Findings found = film.check();
  EXPECT_TRUE(std::ranges::any_of(
      found, [](const Finding &f) { return std::string_view(f.rule) == GetParam().rule; }))
      << "found: " << text_of(found);
}

INSTANTIATE_TEST_SUITE_P(Rules, IsoBreaches, testing::ValuesIn(kBreaches), [](const auto &info) {
  return std::string(info.param.rule).substr(4) + "_" + info.param.what;
});

TEST(Iso, EveryRuleHasABreach) {
  for (const Rule &rule : rules())
    EXPECT_TRUE(
        std::string_view(rule.id) == "ISO-20" ||
        std::ranges::any_of(kBreaches, [&](const Breach &b) { return std::string_view(b.rule) == rule.id; }))
        << rule.id;
}

TEST(Iso, QuickTimeMayLackFtypAndPlayAtAnyRate) {
  Film film;
  film.ftyp.as<FileType>()->major_brand = "qt  ";
  film.ftyp.as<FileType>()->compatible_brands = {"qt  "};
  auto &edit = at<EditList>(film.trak(), "edts/elst").entries[0];
  edit.media_rate_integer = 2;
  EXPECT_EQ(text_of(film.check()), "");
}

// Stereo of 16 bits: stsz says 1, and a frame has 4 bytes.
TEST(Iso, QuickTimesFramesAreAsLongAsTheirEntrySays) {
  Film film;
  film.ftyp.as<FileType>()->major_brand = "qt  ";
  film.stbl(1).child("stsd")->children[0] = Node(AudioSampleEntry("sowt"));
  auto *sizes = film.stbl(1).get<SampleSize>();
  sizes->entry_sizes.clear();
  sizes->sample_size = 1;
  sizes->sample_count = 2;
  EXPECT_EQ(text_of(film.check()), "");
  film.media.resize(47); // 2 frames are 8 bytes from 40 on
  const Findings found = film.check();
  EXPECT_TRUE(std::ranges::any_of(found, [](const Finding &f) {
    return std::string_view(f.rule) == "ISO-11";
  })) << text_of(found);
}

TEST(Iso, ChunksThatTwoTracksShareAreNoOverlap) {
  Film film;
  film.stbl(1).get<ChunkOffset>()->chunk_offsets[0] = Film::kMedia;
  film.stbl(1).get<SampleSize>()->entry_sizes = {10, 10};
  EXPECT_EQ(text_of(film.check()), "");
}

TEST(Iso, MediaOfAnotherFileAreNotLookedForHere) {
  Film film;
  auto &url = at<DataEntryUrl>(film.trak(), "mdia/minf/dinf/dref/url");
  url.flags = 0;
  url.location = "other.mp4";
  film.stbl().get<ChunkOffset>()->chunk_offsets[1] = 1 << 20;
  EXPECT_EQ(text_of(film.check()), "");
}

// 8.6.6: an edit list with flag 1 is played again until tkhd.duration is over.
TEST(Iso, RepeatedEditsMayBeShorterThanTheTrack) {
  Film film;
  at<EditList>(film.trak(), "edts/elst").flags = 1;
  film.trak().get<TrackHeader>()->duration = 12'000;
  film.moov.get<MovieHeader>()->duration = 12'000;
  EXPECT_EQ(text_of(film.check()), "");
}

// An image file: one item of 10 bytes in mdat with its extents.
struct Image {
  Node ftyp{FileType{}};
  Node meta{Meta{}};
  Image() {
    ftyp.as<FileType>()->major_brand = "mif1";
    meta.add<Handler>().handler_type = "pict";
    meta.add<PrimaryItem>().item_id = 1;
    Node &iinf = meta.add(Node(ItemInfo{}));
    auto &entry = iinf.add<ItemInfoEntry>();
    entry.item_id = 1;
    entry.item_type = "hvc1";
    auto &iloc = meta.add<ItemLocation>();
    iloc.items = {{.item_id = 1, .extents = {{0, 24, 10}}}};
    Node &iprp = meta.add("iprp");
    iprp.add("ipco").add<ImageSpatialExtents>();
    iprp.add<ItemPropertyAssociation>().entries = {{1, {{false, 1}}}};
  }
  Findings check() {
    ByteVector out = *write_tree(ftyp);
    append_box_header(out, "mdat", 10);
    append(out, ByteVector(10));
    append(out, *write_tree(meta));
    MemorySource source(out);
    auto found = check_file(source);
    EXPECT_TRUE(found);
    return found ? *found : Findings{};
  }
};

TEST(Iso, ItemsMustBeThere) {
  EXPECT_EQ(text_of(Image().check()), "");
  const std::function<void(Image &)> breaches[] = {
      [](Image &i) { i.meta.get<PrimaryItem>()->item_id = 2; },
      [](Image &i) { i.meta.get<ItemLocation>()->items[0].extents[0].extent_length = 1 << 20; },
      [](Image &i) {
        at<ItemPropertyAssociation>(i.meta, "iprp/ipma").entries[0].associations[0].property_index = 2;
      },
      [](Image &i) { at<ItemPropertyAssociation>(i.meta, "iprp/ipma").entries[0].item_id = 3; },
      [](Image &i) { i.meta.add<ItemReferences>().references = {{.type = "thmb", .from_item_id = 4}}; },
      [](Image &i) { i.meta.child("iinf")->add<ItemInfoEntry>().item_id = 1; },
  };
  for (const auto &breach : breaches) {
    Image image;
    breach(image);
    const Findings found = image.check();
    EXPECT_EQ(found.size(), 1u) << text_of(found);
    for (const Finding &finding : found)
      EXPECT_STREQ(finding.rule, "ISO-20");
  }
}

TEST(Iso, AFileOfNeitherMovieNorItemsIsNotJudged) {
  const ByteVector bytes = from_hex("00000008 66726565");
  MemorySource source(bytes);
  EXPECT_FALSE(check_file(source));
}

} // namespace
} // namespace hull::isobmff::iso
