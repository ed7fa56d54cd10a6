// Encoders directly in front of the muxer, without the parser that one should put between: each is recorded, or refused in
// one sentence that says what to do.

#include "tests/plugins/mp4_support.h"

#include <gtest/gtest.h>

namespace hull {
namespace {

using namespace mp4test;

struct Encoder {
  const char *name;
  const char *encoder;
  const char *kind;   ///< v or a
  const char *advice; ///< what the refusal names; empty: it is recorded
};
void PrintTo(const Encoder &encoder, std::ostream *out) {
  *out << encoder.name;
}

const Encoder kEncoders[] = {
    {"flac", "flacenc", "a", ""},  {"opus", "opusenc", "a", ""},
    {"aac", "avenc_aac", "a", ""}, {"aac_voaac", "voaacenc", "a", ""},
    {"ac3", "avenc_ac3", "a", ""}, {"eac3", "avenc_eac3", "a", ""},
    {"alaw", "alawenc", "a", ""},  {"mp3", "lamemp3enc", "a", "mpegaudioparse"},
    {"h264", "x264enc", "v", ""},  {"vp8", "vp8enc", "v", ""},
    {"vp9", "vp9enc", "v", ""},    {"av1", "av1enc cpu-used=8", "v", "av1parse"},
};

class Encoders : public testing::TestWithParam<Encoder> {};

TEST_P(Encoders, AreRecordedOrRefusedInWords) {
  const Encoder &encoder = GetParam();
  const std::string factory = std::string(encoder.encoder).substr(0, std::string(encoder.encoder).find(' '));
  if (!have_ffmpeg() || !has(factory.c_str())) GTEST_SKIP() << "needs ffprobe and " << factory;
  const Folder folder;
  const std::string file = folder / "out.mp4";
  const std::string source =
      encoder.kind == std::string("a")
          ? "audiotestsrc num-buffers=40 samplesperbuffer=1024 ! audioconvert ! "
          : "videotestsrc num-buffers=10 ! video/x-raw,width=96,height=64,framerate=30/1 ! videoconvert ! ";
  const Ran ran = launch(source + encoder.encoder + " ! hullmp4mux ! hullmp4sink location=" + file);
  if (*encoder.advice) {
    EXPECT_NE(ran.error.find(encoder.advice), std::string::npos) << ran.error;
    return;
  }
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
  const std::string packets = probed(file, encoder.kind, "nb_read_packets");
  EXPECT_GE(std::stoi(packets.empty() ? "0" : packets), 8) << packets;
}

INSTANTIATE_TEST_SUITE_P(Directly, Encoders, testing::ValuesIn(kEncoders),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
