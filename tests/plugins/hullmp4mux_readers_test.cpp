// Every codec the muxer takes, in every variant, as other people's readers see it; and what decrypters make
// of encrypted tracks.

#include "gst/isobmff/boxes_protect.h"
#include "gst/isobmff/cmaf.h"
#include "gst/isobmff/crypt.h"
#include "tests/plugins/mp4_support.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

struct Codec {
  const char *name;
  const char *needs; ///< element that may be missing
  const char *source;
  bool video;
  const char *entry;     ///< sample entry
  const char *ffprobe;   ///< codec_name
  const char *mediainfo; ///< Format
  const char *decoder;   ///< of GStreamer, behind qtdemux; all are in what ./dev installs
};

#define PICTURES "videotestsrc num-buffers=24 pattern=ball ! video/x-raw,width=64,height=64,framerate=24/1 ! "
#define SOUND                                                                                                \
  "audiotestsrc num-buffers=40 samplesperbuffer=1152 ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! "

const Codec kCodecs[] = {
    {"avc1", "x264enc", PICTURES "x264enc key-int-max=12 ! h264parse ! video/x-h264,stream-format=avc ! ",
     true, "avc1", "h264", "AVC", "h264parse ! avdec_h264"},
    {"avc3", "x264enc",
     PICTURES "x264enc key-int-max=12 ! h264parse config-interval=-1 ! video/x-h264,stream-format=avc3 ! ",
     true, "avc3", "h264", "AVC", "h264parse ! avdec_h264"},
    {"hvc1", "x265enc", PICTURES "x265enc key-int-max=12 ! h265parse ! video/x-h265,stream-format=hvc1 ! ",
     true, "hvc1", "hevc", "HEVC", "h265parse ! avdec_h265"},
    {"hev1", "x265enc",
     PICTURES "x265enc key-int-max=12 ! h265parse config-interval=-1 ! video/x-h265,stream-format=hev1 ! ",
     true, "hev1", "hevc", "HEVC", "h265parse ! avdec_h265"},
    {"av1", "av1enc", PICTURES "av1enc cpu-used=8 ! av1parse ! ", true, "av01", "av1", "AV1",
     "av1parse ! av1dec"},
    {"vp9", "vp9enc", PICTURES "vp9enc deadline=1 cpu-used=8 ! vp9parse ! ", true, "vp09", "vp9", "vp09",
     "vp9dec"},
    {"aac", "avenc_aac", SOUND "avenc_aac ! aacparse ! ", false, "mp4a", "aac", "AAC", "avdec_aac"},
    {"mp3", "lamemp3enc", SOUND "lamemp3enc ! mpegaudioparse ! ", false, "mp4a", "mp3", "MPEG Audio",
     "mpegaudioparse ! avdec_mp3"},
    {"opus", "opusenc", SOUND "opusenc ! opusparse ! ", false, "Opus", "opus", "Opus", "opusdec"},
    {"flac", "flacenc", SOUND "flacenc ! flacparse ! ", false, "fLaC", "flac", "FLAC", "flacdec"},
    {"ac3", "avenc_ac3", SOUND "avenc_ac3 ! ac3parse ! ", false, "ac-3", "ac3", "AC-3", "avdec_ac3"},
    {"eac3", "avenc_eac3", SOUND "avenc_eac3 ! ac3parse ! ", false, "ec-3", "eac3", "E-AC-3", "avdec_eac3"},
};

class Codecs : public testing::TestWithParam<Codec> {};

// Hashes of the packets, whatever container they are in.
std::string packets_of(const std::string &file, const std::string &options = {}) {
  return output_of("ffmpeg -v error " + options + " -i '" + file +
                   "' -map 0 -c copy -f framehash - 2>/dev/null | grep -v '^#' | awk -F', *' '{print $6}'");
}

// The CMAF rules a file breaks, one per line.
std::string broken_rules(const std::string &file) {
  auto source = FileSource::open(file);
  if (!source) return source.error().text;
  const auto findings = cmaf::check_file(*source);
  if (!findings) return findings.error().text;
  std::string text;
  for (const cmaf::Finding &finding : *findings)
    if (finding.level == cmaf::Level::must) text += std::string(finding.rule) + ": " + finding.text + '\n';
  return text;
}

std::string entry_of(const std::string &file) {
  auto source = FileSource::open(file);
  if (!source) return {};
  auto found = locate(*source, "moov/trak/mdia/minf/stbl/stsd/*");
  return found ? found->node->type().text() : found.error().text;
}

TEST_P(Codecs, IsReadByEverybodyInEveryVariant) {
  const Codec &codec = GetParam();
  if (!have_ffmpeg() || !has(codec.needs)) GTEST_SKIP() << "needs ffmpeg and " << codec.needs;
  const Folder folder;
  const char *kind = codec.video ? "v" : "a";
  const std::vector<std::string> variants = {"iso", "iso-fragmented", "cmaf"};
  std::string pipeline = std::string(codec.source) + "tee name=t"; // encoders do not all repeat themselves
  for (const std::string &variant : variants)
    pipeline += " t. ! queue ! hullmp4mux send-force-keyunit=false fragment-duration=500000000 ! "
                "video/quicktime,variant=" +
                variant + " ! filesink location=" + (folder / (variant + ".mp4"));
  const Ran ran = launch(pipeline);
  ASSERT_EQ(ran.error, "");
  EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
  std::string first_packets;
  for (const std::string &variant : variants) {
    SCOPED_TRACE(variant);
    const std::string file = folder / (variant + ".mp4");
    EXPECT_EQ(entry_of(file), codec.entry);
    EXPECT_EQ(probed(file, kind, "codec_name"), codec.ffprobe);
    if (codec.video) {
      EXPECT_EQ(probed(file, kind, "nb_read_packets"), "24");
    }
    EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
    const std::string packets = packets_of(file);
    EXPECT_GT(packets.size(), 500u);
    if (first_packets.empty()) first_packets = packets;
    EXPECT_EQ(packets, first_packets);
    const std::string said = output_of(std::string("mediainfo --Inform='") +
                                       (codec.video ? "Video" : "Audio") + ";%Format%' '" + file + "'");
    if (said.find("not found") == std::string::npos) {
      EXPECT_EQ(said.substr(0, said.find('\n')), codec.mediainfo);
    }
    if (has("qtdemux")) {
      const Ran played = launch("filesrc location=" + file + " ! qtdemux ! " + codec.decoder + " ! fakesink");
      EXPECT_EQ(played.error, "");
      EXPECT_TRUE(played.warnings.empty());
    }
    if (variant == "cmaf") {
      EXPECT_EQ(broken_rules(file), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Codecs, testing::ValuesIn(kCodecs),
                         [](const auto &info) { return std::string(info.param.name); });

const std::string kKey = "76a6c65c5ea762046bd749a2e632ccbb", kKid = "a7e61c373e219033c21091fa607bf3b8";

struct Secret {
  const char *scheme;
  int codec; ///< index in kCodecs
};

class Encrypted : public testing::TestWithParam<Secret> {};

// Reference: what the same pipeline writes in the clear. Encoders repeat themselves, so packets must be
// equal.
TEST_P(Encrypted, IsDecryptedByFfmpegAndShaka) {
  const auto [scheme, index] = GetParam();
  const Codec &codec = kCodecs[index];
  if (!have_ffmpeg() || !has(codec.needs)) GTEST_SKIP() << "needs ffmpeg and " << codec.needs;
  const Folder folder;
  const std::string clear = folder / "clear.mp4", secret = folder / "secret.mp4",
                    plain = folder / "plain.mp4";
  const std::string mux = " t. ! queue ! hullmp4mux send-force-keyunit=false fragment-duration=60000000000 ";
  const std::string to = " ! video/quicktime,variant=cmaf ! filesink location=";
  const Ran ran = launch(std::string(codec.source) + "tee name=t" + mux + to + clear + mux +
                         "encryption=" + scheme + " key=" + kKey + " key-id=" + kKid + to + secret);
  ASSERT_EQ(ran.error, "");
  EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
  const std::string want = packets_of(clear);
  EXPECT_EQ(packets_of(secret, "-decryption_key " + kKey), want);
  EXPECT_NE(packets_of(secret), want);
  auto source = FileSource::open(secret);
  ASSERT_TRUE(source);
  EXPECT_EQ(broken_rules(secret), "");
  EXPECT_TRUE(locate(*source, "moov/pssh"));
  const char *shaka = std::getenv("HULL_SHAKA_PACKAGER");
  if (!shaka) GTEST_SKIP() << "Shaka Packager was not asked: HULL_SHAKA_PACKAGER names none";
  const std::string said = output_of(
      std::string(shaka) + " in=" + secret + ",stream=" + (codec.video ? "video" : "audio") +
      ",output=" + plain + " --enable_raw_key_decryption --keys label=:key_id=" + kKid + ":key=" + kKey);
  EXPECT_EQ(packets_of(plain), want) << said;
}

INSTANTIATE_TEST_SUITE_P(Each, Encrypted,
                         testing::Values(Secret{"cenc", 0}, Secret{"cbcs", 0}, Secret{"cenc", 2},
                                         Secret{"cbcs", 2}, Secret{"cenc", 6}, Secret{"cbcs", 6}),
                         [](const auto &info) {
                           return std::string(info.param.scheme) + "_" + kCodecs[info.param.codec].name;
                         });

TEST(Mp4Encryption, KeysMayComeFromTheSignal) {
  if (!have_ffmpeg() || !has("opusenc")) GTEST_SKIP() << "needs ffmpeg and opusenc";
  const Folder folder;
  const std::string secret = folder / "secret.mp4";
  const ElementRef pipeline =
      parse("audiotestsrc num-buffers=40 ! opusenc ! hullmp4mux name=mux encryption=cenc ! "
            "video/quicktime,variant=iso-fragmented ! filesink location=" +
            secret);
  const auto mux = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "mux"));
  g_signal_connect(mux.get(), "encryption-key",
                   G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer) -> GstStructure * {
                     EXPECT_STREQ(GST_PAD_NAME(pad), "audio_0");
                     return gst_structure_new("key", "key", G_TYPE_STRING, kKey.c_str(), "key-id",
                                              G_TYPE_STRING, kKid.c_str(), nullptr);
                   }),
                   nullptr);
  ASSERT_EQ(run(pipeline).error, "");
  auto source = FileSource::open(secret);
  ASSERT_TRUE(source);
  auto tenc = locate(*source, "moov/trak/mdia/minf/stbl/stsd/enca/sinf/schi/tenc");
  ASSERT_TRUE(tenc);
  EXPECT_EQ(std::as_const(*tenc->node).as<TrackEncryption>()->default_kid, parse_hex_16(kKid).value());
}

TEST(Mp4Encryption, WhatCannotBeIsRefusedWithItsReason) {
  const auto error = [](const std::string &mux, const char *variant) {
    return launch("audiotestsrc num-buffers=10 ! opusenc ! hullmp4mux " + mux +
                  " ! video/quicktime,variant=" + variant + " ! filesink location=/dev/null")
        .error;
  };
  EXPECT_NE(error("encryption=cenc", "cmaf").find("key-id of 32 hex digits"), std::string::npos);
  EXPECT_NE(error("encryption=cenc key=" + kKey + " key-id=12", "cmaf").find("32 hex"), std::string::npos);
  EXPECT_NE(error("encryption=cenc key=" + kKey + " key-id=" + kKid, "iso").find("in fragments"),
            std::string::npos);
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
