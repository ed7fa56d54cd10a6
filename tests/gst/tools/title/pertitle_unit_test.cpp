#include "gst/tools/media/source.h"
#include "gst/tools/media/y4m.h"
#include "gst/tools/support/csv.h"
#include "gst/tools/support/files.h"
#include "gst/tools/support/progress.h"
#include "gst/tools/title/cache.h"
#include "gst/tools/title/decision.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace hull::tools {
namespace {

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("hull-tools-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  std::string in(const std::string &name) const { return (path_ / name).string(); }
  std::filesystem::path path_;
};
using CacheTest = Folder;
using Y4mFileTest = Folder;

TEST(Y4m, ReadsHeadersLongerThanEightyBytes) {
  const auto h = parse_y4m("YUV4MPEG2 W1920 H1080 F30000:1001 Ip A1:1 C420mpeg2 XYSCSS=420MPEG2 "
                           "XCOLORRANGE=FULL XLONG=0123456789\nFRAME\n");
  ASSERT_TRUE(h) << h.error().text;
  EXPECT_EQ(h->width, 1920u);
  EXPECT_EQ(h->fps_n, 30000);
  EXPECT_EQ(h->fps_d, 1001);
  EXPECT_TRUE(h->full_range);
  EXPECT_EQ(h->frame_bytes, 1920u * 1080 * 3 / 2);
}

TEST(Y4m, OddSizesRoundChromaUp) {
  const auto h = parse_y4m("YUV4MPEG2 W35 H37 F25:1\n");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->frame_bytes, 35u * 37 + 2 * 18 * 19);
}

TEST(Y4m, RefusesWhatItCannotRead) {
  EXPECT_FALSE(parse_y4m("RIFF"));
  EXPECT_FALSE(parse_y4m("YUV4MPEG2 W16 H16"));
  EXPECT_FALSE(parse_y4m("YUV4MPEG2 H16 F25:1\n"));
  EXPECT_FALSE(parse_y4m("YUV4MPEG2 W99999999 H99999999\n"));
  EXPECT_FALSE(parse_y4m("YUV4MPEG2 W16 H16 C420p16\n"));
}

TEST_F(Y4mFileTest, CountsPicturesAndNoticesACut) {
  const std::string picture = "FRAME\n" + std::string(64 * 64 * 3 / 2, 'x');
  std::ofstream(in("a.y4m"), std::ios::binary) << "YUV4MPEG2 W64 H64 F25:1\n"
                                               << picture << picture << picture;
  const auto whole = open_y4m(in("a.y4m"));
  ASSERT_TRUE(whole) << whole.error().text;
  EXPECT_EQ(whole->frames, 3u);
  std::filesystem::resize_file(in("a.y4m"), std::filesystem::file_size(in("a.y4m")) - 100);
  const auto cut = open_y4m(in("a.y4m"));
  ASSERT_FALSE(cut);
  EXPECT_NE(cut.error().text.find("picture 3 is not whole"), std::string::npos) << cut.error().text;
}

TEST(Source, DisplaySizesAreSquareAndEven) {
  EXPECT_EQ(display_size(1920, 1080, 1, 1), (ladder::Resolution{1920, 1080}));
  EXPECT_EQ(display_size(853, 481, 1, 1), (ladder::Resolution{852, 480}));
  EXPECT_EQ(display_size(720, 576, 16, 15), (ladder::Resolution{768, 576}));
  EXPECT_EQ(display_size(1440, 1080, 4, 3), (ladder::Resolution{1920, 1080}));
}

TEST(Source, RungSizesNeverExceedTheSource) {
  const auto heights = [](const std::vector<ladder::Resolution> &sizes) {
    std::vector<unsigned> h;
    for (const auto &s : sizes)
      h.push_back(s.height);
    return h;
  };
  using H = std::vector<unsigned>;
  EXPECT_EQ(heights(rung_sizes({1920, 1080})), (H{360, 540, 720, 1080}));
  EXPECT_EQ(heights(rung_sizes({1280, 720})), (H{360, 540, 720}));
  EXPECT_EQ(heights(rung_sizes({852, 480})), (H{360, 480}));
  EXPECT_EQ(heights(rung_sizes({320, 240})), (H{240}));
  EXPECT_EQ(heights(rung_sizes({1920, 1080}, {240, 1080, 4320})), (H{240, 1080}));
  for (const auto &size : rung_sizes({1998, 1080}))
    EXPECT_EQ(size.width % 2, 0u);
}

TEST(Csv, FindsColumnsByName) {
  const auto curve = parse_curve("height,VMAF;kbps\n720,90.5,2000\n\n# note\n360,50,400\n", "x");
  ASSERT_TRUE(curve) << curve.error().text;
  ASSERT_EQ(curve->size(), 2u);
  EXPECT_EQ(curve->at(1).rate, 400);
  EXPECT_EQ(curve->at(0).quality, 90.5);
  EXPECT_EQ(parse_curve("100,5\n200,6\n", "x")->size(), 2u);
  EXPECT_NE(parse_curve("kbps,vmaf\n100,abc\n", "x").error().text.find("x:2"), std::string::npos);
  EXPECT_FALSE(parse_curve("name,color\n1,2\n", "x"));
}

TEST(Csv, RowsOfAFixedLadder) {
  const auto rows = parse_rows("kbps,height\n3000,720\n400,360\n", "x");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->front().bps, 400'000);
  EXPECT_FALSE(parse_rows("kbps,height\n-3,720\n", "x"));
  EXPECT_FALSE(parse_rows("", "x"));
}

TEST(Pool, HarmonicMeanIsThatOfLibvmaf) {
  EXPECT_DOUBLE_EQ(pooled({80, 90, 100}, Pool::mean), 90);
  EXPECT_NEAR(pooled({80, 90, 100}, Pool::harmonic_mean), 3 / (1 / 81.0 + 1 / 91.0 + 1 / 101.0) - 1, 1e-12);
  EXPECT_DOUBLE_EQ(pooled({0, 10, 20, 30, 40}, Pool::p5), 2);
  EXPECT_EQ(pooled({}, Pool::mean), 0);
}

RenditionResult sample_record() {
  RenditionResult r;
  r.key = "k";
  r.res = {640, 360};
  r.qp = 26;
  r.pictures = 3;
  r.seconds = 0.12;
  r.sizes = {1000, 200, 300};
  r.keys = {0};
  r.vmaf = {90.1234567890123, 91, 92};
  return r;
}

TEST(RenditionResult, PicturesThatWereNotScoredCountAsTheNearestOneButTheFirst) {
  RenditionResult record;
  record.pictures = 10;
  record.vmaf = {10, 50, 60, 70};
  record.scored = {0, 3, 6, 9};
  EXPECT_EQ(record.scores(), (std::vector<double>{10, 50, 50, 50, 50, 60, 60, 60, 70, 70}));
  record.scored = {2, 5, 8, 9};
  EXPECT_EQ(record.scores(), (std::vector<double>{10, 10, 10, 10, 50, 50, 50, 60, 60, 70}));
  record.scored.clear();
  EXPECT_EQ(record.scores(), record.vmaf);
}

TEST_F(CacheTest, GivesBackWhatItGot) {
  const auto cache = Cache::open(in("cache"));
  ASSERT_TRUE(cache);
  ASSERT_TRUE(cache->put(sample_record()));
  const auto back = cache->get("k");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sizes, sample_record().sizes);
  EXPECT_EQ(back->vmaf, sample_record().vmaf);
  EXPECT_NEAR(back->bps(), 1500 * 8 / 0.12, 1e-9);
  EXPECT_FALSE(std::filesystem::exists(in("cache/k.json.part")));
}

TEST_F(CacheTest, ATornOrChangedRecordCountsAsAbsent) {
  const auto cache = Cache::open(in("cache"));
  ASSERT_TRUE(cache);
  ASSERT_TRUE(cache->put(sample_record()));
  const std::string text = *read_file(in("cache/k.json"));
  for (std::size_t size = 0; size + 1 < text.size(); size += 7) {
    std::ofstream(in("cache/k.json"), std::ios::binary) << text.substr(0, size);
    EXPECT_FALSE(cache->get("k")) << size;
  }
  std::string changed = text;
  changed[changed.find("1000")] = '9';
  std::ofstream(in("cache/k.json"), std::ios::binary) << changed;
  EXPECT_FALSE(cache->get("k"));
  EXPECT_FALSE(cache->get("absent"));
}

TEST(Key, ChangesWithEverythingThatMatters) {
  Recipe recipe;
  recipe.source.identity = "abc";
  const Rendition base{{640, 360}, 26, {}, true, {}};
  const std::string key = key_of(recipe, base);
  EXPECT_EQ(key, key_of(recipe, base));
  Rendition other = base;
  other.qp = 27;
  EXPECT_NE(key, key_of(recipe, other));
  other = base;
  other.schedule = {{0, 26}};
  EXPECT_NE(key, key_of(recipe, other));
  for (auto change : std::initializer_list<void (*)(Recipe &)>{[](Recipe &r) { r.source.identity = "abd"; },
                                                               [](Recipe &r) { r.model = "vmaf_4k_v0.6.1"; },
                                                               [](Recipe &r) { r.subsample = 5; },
                                                               [](Recipe &r) {
                                                                 r.unit.window = {0, 50};
                                                               },
                                                               [](Recipe &r) {
                                                                 r.unit.keys = {0, 24};
                                                               }}) {
    Recipe changed = recipe;
    change(changed);
    EXPECT_NE(key, key_of(changed, base));
  }
}

TEST(Progress, DurationsAreForPeople) {
  EXPECT_EQ(duration_text(4.4), "4 s");
  EXPECT_EQ(duration_text(130), "2 min 10 s");
  EXPECT_EQ(duration_text(3900), "1 h 5 min");
}

} // namespace
} // namespace hull::tools
