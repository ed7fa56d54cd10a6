#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/rules/cmaf.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

namespace hull::isobmff::cmaf {
namespace {

// A sound video track: header and two chunks. Each test breaks one thing.
struct Sound {
  Node ftyp{FileType{}};
  Node moov{"moov"};
  Node styp{SegmentType{}};
  Node prft{ProducerReferenceTime{}};
  Node moof[2] = {Node("moof"), Node("moof")};
  Node mdat{Stored("mdat")};

  Sound() {
    auto *type = ftyp.as<FileType>();
    type->major_brand = "cmfc";
    type->compatible_brands = {"cmfc", "iso6"};
    auto *segment = styp.as<SegmentType>();
    segment->major_brand = "msdh";
    segment->compatible_brands = {"msdh", "cmfs"};
    make_moov();
    make_moof(moof[0], 1, 1000, SampleFlags::kSync);
    make_moof(moof[1], 2, 3000, SampleFlags::kNonSync);
    auto *time = prft.as<ProducerReferenceTime>();
    time->reference_track_id = 1;
    time->media_time = 2000;
  }

  Findings check() {
    Checker checker;
    Findings all = checker.header(ftyp, moov);
    for (int i = 0; i < 2; ++i) {
      Chunk chunk;
      if (i == 0) chunk.before = {&styp, &prft};
      chunk.moof = &moof[i];
      chunk.moof_offset = 5000;
      chunk.after = &mdat;
      chunk.mdat_payload = 5100;
      chunk.mdat_size = 300;
      for (Finding &finding : checker.chunk(chunk))
        all.push_back(finding);
    }
    return all;
  }

 private:
  void make_moov() {
    moov.add<MovieHeader>().next_track_id = 2;
    Node &trak = moov.add("trak");
    trak.add<TrackHeader>();
    Node &mdia = trak.add("mdia");
    mdia.add<MediaHeader>().timescale = 1000;
    mdia.add<Handler>().handler_type = "vide";
    Node &minf = mdia.add("minf");
    minf.add<VideoMediaHeader>();
    minf.add("dinf").add(Node(DataReference{})).add<DataEntryUrl>();
    Node &stbl = minf.add("stbl");
    stbl.add(Node(SampleDescription{})).add(VisualSampleEntry("avc1"));
    stbl.add<TimeToSample>();
    stbl.add<SampleToChunk>();
    stbl.add<SampleSize>();
    stbl.add<ChunkOffset>();
    moov.add("mvex").add<TrackExtends>();
  }
  static void make_moof(Node &moof, std::uint32_t number, std::uint64_t time, std::uint32_t first) {
    moof.add<MovieFragmentHeader>().sequence_number = number;
    Node &traf = moof.add("traf");
    traf.add<TrackFragmentHeader>();
    traf.add<TrackFragmentDecodeTime>().base_media_decode_time = time;
    TrackRun &run = traf.add<TrackRun>();
    run.version = 1;
    run.flags = TrackRun::kDataOffset | TrackRun::kDuration | TrackRun::kSize | TrackRun::kFlags;
    run.data_offset = 100;
    run.samples = {{1000, 100, first, 0}, {1000, 200, SampleFlags::kNonSync, 0}};
    run.sample_count = 2;
  }
};

std::string text_of(const Findings &findings) {
  std::string text;
  for (const Finding &finding : findings)
    text += std::string(finding.rule) + ' ' + finding.text + '\n';
  return text;
}

TEST(Cmaf, ASoundTrackHasNoFinding) {
  Sound track;
  EXPECT_EQ(text_of(track.check()), "");
}

struct Breach {
  const char *rule;
  const char *what;
  std::function<void(Sound &)> make;
};

template <class T> T &at(Node &root, const char *path) {
  return *find(root, path)->as<T>();
}

const Breach kBreaches[] = {
    {"CMF-01", "isom", [](Sound &s) { s.ftyp.as<FileType>()->major_brand = "isom"; }},
    {"CMF-01", "minor", [](Sound &s) { s.ftyp.as<FileType>()->minor_version = 1; }},
    {"CMF-01", "styp", [](Sound &s) { s.styp.as<SegmentType>()->major_brand = "cmfl"; }},
    {"CMF-02", "two_traks", [](Sound &s) { s.moov.add("trak"); }},
    {"CMF-02", "no_mvex", [](Sound &s) { s.moov.children.pop_back(); }},
    {"CMF-03", "tkhd_duration", [](Sound &s) { at<TrackHeader>(s.moov, "trak/tkhd").duration = 1; }},
    {"CMF-03", "rate", [](Sound &s) { s.moov.get<MovieHeader>()->rate = 1; }},
    {"CMF-04", "next_id", [](Sound &s) { s.moov.get<MovieHeader>()->next_track_id = 1; }},
    {"CMF-05", "order",
     [](Sound &s) { std::swap(s.moov.child("trak")->children[0], s.moov.child("trak")->children[1]); }},
    {"CMF-05", "dref", [](Sound &s) { at<DataEntryUrl>(s.moov, "trak/mdia/minf/dinf/dref/url").flags = 0; }},
    {"CMF-06", "table",
     [](Sound &s) { at<ChunkOffset>(s.moov, "trak/mdia/minf/stbl/stco").chunk_offsets = {1}; }},
    {"CMF-07", "mehd", [](Sound &s) { s.moov.child("mvex")->add<MovieExtendsHeader>(); }},
    {"CMF-07", "trex", [](Sound &s) { s.moov.child("mvex")->children.clear(); }},
    {"CMF-08", "elst",
     [](Sound &s) {
       s.moov.child("trak")->add("edts").add<EditList>().entries = {{5, 0, 1, 0}};
     }},
    {"CMF-09", "run_0", [](Sound &s) { at<TrackRun>(s.moof[0], "traf/trun").version = 0; }},
    {"CMF-09", "both",
     [](Sound &s) {
       s.moov.child("trak")->add("edts").add<EditList>().entries = {{0, 0, 1, 0}};
     }},
    {"CMF-10", "no_sync",
     [](Sound &s) { at<TrackRun>(s.moof[0], "traf/trun").samples[0].flags = SampleFlags::kNonSync; }},
    {"CMF-12", "no_mdat", [](Sound &s) { s.mdat = Node(FreeSpace(8)); }},
    {"CMF-13", "prft_first", [](Sound &s) { std::swap(s.styp, s.prft); }},
    {"CMF-14", "msdh", [](Sound &s) { s.styp.as<SegmentType>()->compatible_brands = {"cmfs"}; }},
    {"CMF-15", "emsg_scale", [](Sound &s) { s.prft = Node(EventMessage{}); }},
    {"CMF-16", "no_tfdt",
     [](Sound &s) {
       auto &c = s.moof[0].child("traf")->children;
       c.erase(c.begin() + 1);
     }},
    {"CMF-16", "two_trafs", [](Sound &s) { s.moof[0].add("traf"); }},
    {"CMF-17", "same_number", [](Sound &s) { s.moof[1].get<MovieFragmentHeader>()->sequence_number = 1; }},
    {"CMF-18", "base", [](Sound &s) { at<TrackFragmentHeader>(s.moof[0], "traf/tfhd").flags = 0; }},
    {"CMF-18", "track", [](Sound &s) { at<TrackFragmentHeader>(s.moof[0], "traf/tfhd").track_id = 9; }},
    {"CMF-19", "gap",
     [](Sound &s) { at<TrackFragmentDecodeTime>(s.moof[1], "traf/tfdt").base_media_decode_time = 3001; }},
    {"CMF-20", "offset", [](Sound &s) { at<TrackRun>(s.moof[0], "traf/trun").data_offset = 99; }},
    {"CMF-20", "size", [](Sound &s) { at<TrackRun>(s.moof[0], "traf/trun").samples[0].size = 101; }},
    {"CMF-20", "flags",
     [](Sound &s) { at<TrackRun>(s.moof[0], "traf/trun").flags |= TrackRun::kFirstSampleFlags; }},
    {"CMF-21", "index", [](Sound &s) { s.ftyp.as<FileType>()->compatible_brands.push_back("cmf2"); }},
    {"CMF-22", "time", [](Sound &s) { s.prft.as<ProducerReferenceTime>()->media_time = 3000; }},
    {"CMF-24", "no_sinf", [](Sound &s) { find(s.moov, "trak/mdia/minf/stbl/stsd/*")->box->type = "encv"; }},
    {"CMF-26", "handler",
     [](Sound &s) { *find(s.moov, "trak/mdia/minf/stbl/stsd/*") = Node(PlainSampleEntry("wvtt")); }},
};

class Breaches : public testing::TestWithParam<Breach> {};

TEST_P(Breaches, AreFoundUnderTheirRule) {
  Sound track;
  GetParam().make(track);
  const Findings found = track.check();
  EXPECT_TRUE(std::ranges::any_of(
      found, [](const Finding &f) { return std::string_view(f.rule) == GetParam().rule; }))
      << "found: " << text_of(found);
}

INSTANTIATE_TEST_SUITE_P(Cmaf, Breaches, testing::ValuesIn(kBreaches), [](const auto &info) {
  return std::string(info.param.rule).substr(4) + "_" + info.param.what;
});

TEST(Cmaf, MissingBoxesAreFindingsNotCrashes) {
  Checker checker;
  EXPECT_FALSE(conforms(checker.header(Node("moov"), Node("moov"))));
  const Node empty("moof");
  Chunk chunk;
  chunk.moof = &empty;
  EXPECT_FALSE(conforms(checker.chunk(chunk)));
}

TEST(Cmaf, HugeCountOfFieldlessSamplesIsNotWalked) {
  Sound track;
  TrackRun &run = at<TrackRun>(track.moof[0], "traf/trun");
  run.flags = TrackRun::kDataOffset;
  run.samples.clear();
  run.sample_count = 0xffffffff;
  Track facts = track_of(track.ftyp, track.moov);
  facts.defaults.default_sample_size = 7;
  facts.defaults.default_sample_duration = 3;
  const ChunkSums sums = sums_of(facts, track.moof[0]);
  EXPECT_EQ(sums.bytes, 7ull * 0xffffffff);
  EXPECT_EQ(sums.duration, 3ull * 0xffffffff);
}

TEST(Cmaf, SwitchingSetsMustCutTogetherAsRationalNumbers) {
  SwitchingTrack slow{{}, {0, 2000, 4000}}, fast{{}, {0, 180'000, 360'000}};
  slow.track.timescale = 1000;
  fast.track.timescale = 90'000;
  const SwitchingTrack tracks[] = {slow, fast};
  Findings found;
  cmf_25(tracks, found);
  EXPECT_EQ(text_of(found), "");
  const SwitchingTrack off[] = {slow, {fast.track, {0, 180'001}}};
  cmf_25(off, found);
  EXPECT_EQ(found.size(), 1u);
}

TEST(Cmaf, EveryRuleHasItsNumber) {
  int number = 0;
  for (const Rule &rule : rules()) {
    char id[20];
    std::snprintf(id, sizeof id, "CMF-%02d", ++number);
    EXPECT_STREQ(rule.id, id);
  }
  EXPECT_EQ(number, 26);
}

} // namespace
} // namespace hull::isobmff::cmaf
