// auto-align: the offset it finds is right, or it says that it may not be.

#include "tests/plugins/vmaf_support.h"

#include <cstdlib>
#include <filesystem>

namespace hull {
namespace {

using namespace vmaf_test;

const std::string kFormat = "format=I420,width=96,height=64,framerate=";

/// `leader` black frames, then a ball that moves from `first` on; queued, named by `pad`.
std::string branch(const std::string &pad, int leader, int first, int frames,
                   const std::string &rate = "25/1") {
  const std::string name = "c" + pad;
  const std::string ball = " videotestsrc pattern=ball num-buffers=" + std::to_string(first + frames) +
                           " ! video/x-raw," + kFormat + rate + " ! ";
  const std::string cut = first ? "identity name=cut" + pad + " ! " : "";
  std::string text = " concat name=" + name + " ! queue ! v." + pad;
  if (leader) text += source(leader, kFormat + rate, "black") + name + ".";
  return text + ball + cut + name + ".";
}

/// Lets the first `count` buffers of a cut go.
void skip(Playback &run, const std::string &pad, int count) {
  struct Left {
    int count;
  };
  const auto cut = run.element(("cut" + pad).c_str());
  if (!cut) return;
  const auto src = PadRef::adopt(gst_element_get_static_pad(cut.get(), "src"));
  gst_pad_add_probe(
      src.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *, gpointer left) {
        return static_cast<Left *>(left)->count-- > 0 ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
      },
      new Left{count}, [](gpointer left) { delete static_cast<Left *>(left); });
}

struct Case {
  const char *by;
  int reach, shift;
  friend void PrintTo(const Case &c, std::ostream *out) { *out << c.by << " " << c.reach << " " << c.shift; }
};
class FarOff : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(VmafSinkAlign, FarOff,
                         testing::Values(Case{"index", 4, 9}, Case{"index", 4, 5}, Case{"index", 10, 24}));

TEST_P(FarOff, IsAnErrorThatNamesTheRangeToTry) {
  Playback run("hullvmafsink name=v alignment=" + std::string(GetParam().by) +
               " auto-align=" + std::to_string(GetParam().reach) + branch("reference", 0, 0, 60) +
               branch("distorted_0", 0, GetParam().shift, 60));
  skip(run, "distorted_0", GetParam().shift);
  const Ended ended = run.play();
  EXPECT_FALSE(ended.ok);
  EXPECT_NE(ended.error.find("Raise auto-align, to " + std::to_string(3 * GetParam().reach + 10)),
            std::string::npos)
      << ended.error;
}

TEST(VmafSinkAlign, FindsTheOffsetBehindABlackLeader) {
  for (const int leader : {20, 45}) {
    Playback run("hullvmafsink name=v alignment=index auto-align=4" + branch("reference", leader + 3, 0, 60) +
                 branch("distorted_0", leader, 0, 60));
    const Ended ended = run.play();
    ASSERT_TRUE(ended.ok) << ended.error;
    const json result = run.result();
    EXPECT_EQ(result["auto_align"]["offset"], -3) << leader << result["auto_align"];
    EXPECT_EQ(result["auto_align"]["verdict"], "sure") << leader;
    EXPECT_TRUE(ended.warnings.empty());
  }
}

TEST(VmafSinkAlign, SaysThatStillPicturesShowNoOffset) {
  Playback run("hullvmafsink name=v auto-align=4" + source(40, kFormat + "25/1", "smpte75") +
               "queue ! v.reference" + source(40, kFormat + "25/1", "smpte75") + "queue ! v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["auto_align"]["verdict"], "still");
  ASSERT_EQ(ended.warnings.size(), 1u);
  EXPECT_NE(ended.warnings[0].find("pictures of distorted_0 stand still"), std::string::npos)
      << ended.warnings[0];
  EXPECT_NE(run.result()["warnings"].dump().find("stand still"), std::string::npos);
}

TEST(VmafSinkAlign, RefusesOtherPictures) {
  Playback run("hullvmafsink name=v auto-align=4" + source(40, kFormat + "25/1", "ball") +
               "queue ! v.reference" + source(40, kFormat + "25/1", "smpte") + "queue ! v.distorted_0");
  const Ended ended = run.play();
  EXPECT_FALSE(ended.ok);
  EXPECT_NE(ended.error.find("at no offset within 4 frames does distorted_0 show"), std::string::npos)
      << ended.error;
}

TEST(VmafSinkAlign, ComparesOtherRatesByTime) {
  for (const std::string rate : {"50/1", "75/1"}) {
    const int times = rate == "50/1" ? 2 : 3;
    // The same moments at another rate: videorate repeats frames, so each moment's picture is there.
    Playback run("hullvmafsink name=v auto-align=5" + branch("reference", 3, 0, 60) +
                 " concat name=d ! videorate ! video/x-raw,framerate=" + rate + " ! queue ! v.distorted_0" +
                 source(60, kFormat + "25/1", "ball") + "d.");
    const Ended ended = run.play();
    ASSERT_TRUE(ended.ok) << ended.error;
    const json result = run.result();
    EXPECT_EQ(result["auto_align"]["offset"], -3) << rate << " " << result["auto_align"];
    EXPECT_GT(result["frames"][5]["metrics"]["integer_vif_scale0"], 0.999) << times;
  }
}

TEST(VmafSinkAlign, NeverScoresTheKeptCaseInSilence) {
  const char *shared = std::getenv("HULL_SHARED");
  const auto folder = std::filesystem::path(shared ? shared : "../shared") / "cases" / "vmaf";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const auto clip = [&](const char *name, const char *pad) {
    return " filesrc location=" + (folder / name).string() +
           " ! rawvideoparse format=gray8 width=64 height=40 framerate=25/1 ! queue ! v." + pad;
  };
  for (const std::string by : {"index", "timestamp"})
    for (const int reach : {5, 13, 14, 20}) {
      Playback run("hullvmafsink name=v alignment=" + by + " auto-align=" + std::to_string(reach) +
                   clip("align_ref.gray", "reference") + clip("align_dis_plus14.gray", "distorted_0"));
      const Ended ended = run.play();
      EXPECT_EQ(ended.ok, reach >= 14) << by << " " << reach << " " << ended.error;
      if (ended.ok) {
        EXPECT_EQ(run.result()["pooled_metrics"]["vmaf"]["mean"], 100.0);
      }
    }
}

} // namespace
} // namespace hull
