#include "tests/plugins/h264_support.h"

#include <gtest/gtest.h>
#include <sstream>

namespace hull::h264 {
namespace {

class H264Dec : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

std::string md5_of(const Played &played) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
  for (const BufferRef &buffer : played.buffers) {
    const auto bytes = bytes_of(buffer.get());
    g_checksum_update(sum, bytes.data(), static_cast<gssize>(bytes.size()));
  }
  const std::string text = g_checksum_get_string(sum);
  g_checksum_free(sum);
  return text;
}

struct Vector {
  std::string file, profile, md5;
  unsigned width, height, frames;
};

std::vector<Vector> vectors() {
  std::vector<Vector> list;
  std::ifstream manifest(shared("media/h264/MANIFEST.tsv"));
  std::string line;
  std::getline(manifest, line);
  while (std::getline(manifest, line)) {
    std::istringstream fields(line);
    Vector v;
    std::string width, height, frames;
    std::getline(fields, v.file, '\t');
    std::getline(fields, width, '\t');
    std::getline(fields, height, '\t');
    std::getline(fields, v.profile, '\t');
    std::getline(fields, frames, '\t');
    std::getline(fields, v.md5, '\t');
    v.width = static_cast<unsigned>(std::stoul(width));
    v.height = static_cast<unsigned>(std::stoul(height));
    v.frames = static_cast<unsigned>(std::stoul(frames));
    list.push_back(v);
  }
  return list;
}

// Streams with lost pictures, where the manifest holds another decoder's concealment, and the one with
// B-frames, which OpenH264 does not decode exactly.
bool exact(const std::string &file) {
  return file.find("_LOST") == std::string::npos && file.find("Error_I_P") == std::string::npos &&
         file.find("Bframe") == std::string::npos;
}

TEST_F(H264Dec, IntraAndPredictedPicturesEqualTheConformanceVectors) {
  const auto list = vectors();
  if (list.empty()) GTEST_SKIP() << "../shared/media/h264 is absent";
  for (const char *format : {"byte-stream", "avc"})
    for (const Vector &v : list) {
      if (!exact(v.file)) continue;
      SCOPED_TRACE(v.file + " as " + format);
      const Played result = play("filesrc location=" + shared("media/h264/" + v.file) +
                                 " ! h264parse ! video/x-h264,alignment=au,stream-format=" + format +
                                 " ! hullh264dec ! appsink name=out");
      EXPECT_EQ(result.error, "");
      EXPECT_EQ(result.buffers.size(), v.frames);
      EXPECT_EQ(md5_of(result), v.md5);
      EXPECT_EQ(caps_text(result, "width"), std::to_string(v.width));
    }
}

TEST_F(H264Dec, SingleNalUnitsMakeTheSamePictures) {
  for (const char *name : {"BA_MW_D.264", "SVA_BA2_D.264", "test_qcif_cabac.264", "MIDR_MW_D.264"}) {
    const std::string file = shared(std::string("media/h264/") + name);
    if (!is_there(file)) GTEST_SKIP() << "../shared/media/h264 is absent";
    const auto with = [&](const std::string &caps) {
      return play("filesrc location=" + file + " ! h264parse ! video/x-h264," + caps +
                  " ! hullh264dec ! appsink name=out");
    };
    const Played whole = with("alignment=au,stream-format=byte-stream");
    for (const char *format : {"byte-stream", "avc"}) {
      const Played units = with(std::string("alignment=nal,stream-format=") + format);
      EXPECT_EQ(units.error, "") << name << format;
      EXPECT_EQ(units.buffers.size(), whole.buffers.size()) << name << format;
      EXPECT_EQ(md5_of(units), md5_of(whole)) << name << format;
    }
  }
  // Several slices a picture, timestamps from the encoder.
  const Played result =
      play("videotestsrc num-buffers=20 ! video/x-raw,width=96,height=96,framerate=25/1 ! "
           "hullh264enc slice-mode=rows ! video/x-h264,alignment=nal ! hullh264dec ! appsink name=out");
  ASSERT_EQ(result.buffers.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(GST_BUFFER_PTS(result.buffers[i].get()), i * 40 * GST_MSECOND);
}

TEST_F(H264Dec, LostPicturesAreConcealedAndFlagged) {
  const std::string file = shared("media/h264/BA_MW_D_P_LOST.264");
  if (!is_there(file)) GTEST_SKIP() << "../shared/media/h264 is absent";
  const Played result = play("filesrc location=" + file + " ! h264parse ! hullh264dec ! appsink name=out");
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.buffers.size(), 99u);
  std::size_t flagged = 0;
  for (const BufferRef &buffer : result.buffers)
    flagged += GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED);
  EXPECT_GT(flagged, 0u);
  EXPECT_LT(flagged, 99u);
}

TEST_F(H264Dec, OnePictureIsEnough) {
  for (const char *profile : {"constrained-baseline", "main", "high"}) {
    const Played result =
        play(std::string("videotestsrc num-buffers=1 ! video/x-raw,width=64,height=64 ! hullh264enc ! "
                         "video/x-h264,profile=") +
             profile + " ! hullh264dec ! appsink name=out");
    EXPECT_EQ(result.error, "") << profile;
    EXPECT_EQ(result.buffers.size(), 1u) << profile;
  }
}

TEST_F(H264Dec, TimestampsComeOutAsTheyWentIn) {
  const Played result =
      play("videotestsrc num-buffers=30 timestamp-offset=5000000000 ! "
           "video/x-raw,width=64,height=64,framerate=25/1 ! hullh264enc ! video/x-h264,profile=high ! "
           "hullh264dec ! appsink name=out");
  ASSERT_EQ(result.buffers.size(), 30u);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(GST_BUFFER_PTS(result.buffers[i].get()), 5 * GST_SECOND + i * 40 * GST_MSECOND);
    EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(result.buffers[i].get(), GST_BUFFER_FLAG_CORRUPTED));
  }
}

TEST_F(H264Dec, ColourAndShapeComeFromTheStreamWhereCapsAreSilent) {
  const Played decoded =
      play("videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=64,framerate=24000/1001,"
           "pixel-aspect-ratio=16/11,colorimetry=bt709 ! hullh264enc ! capssetter replace=true "
           "caps=\"video/x-h264,stream-format=byte-stream,alignment=au\" ! hullh264dec ! appsink name=out");
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(caps_text(decoded, "colorimetry"), "bt709");
  EXPECT_EQ(caps_text(decoded, "pixel-aspect-ratio"), "16/11");
  EXPECT_EQ(caps_text(decoded, "framerate"), "24000/1001");
}

TEST_F(H264Dec, WhatTheLibraryCannotDecodeIsRefusedAndNamesAvdec) {
  const auto probe = ElementRef::retain(gst_element_factory_make("x264enc", nullptr));
  if (!probe) GTEST_SKIP() << "x264enc is not installed";
  struct Case {
    const char *source, *encoder, *word;
  };
  for (const Case &c :
       {Case{"format=I420,interlace-mode=interleaved", "x264enc interlaced=true", "interlaced"},
        {"format=I420_10LE", "x264enc", "10-bit"},
        {"format=Y42B", "x264enc", "4:2:2"}})
    for (const char *format : {"byte-stream", "avc"}) {
      const Played result = play(
          std::string("videotestsrc num-buffers=10 ! video/x-raw,width=64,height=64,") + c.source + " ! " +
          c.encoder + " ! video/x-h264,stream-format=" + format + " ! hullh264dec ! appsink name=out");
      EXPECT_NE(result.error.find(c.word), std::string::npos) << c.encoder << ": " << result.error;
      EXPECT_NE(result.error.find("avdec_h264"), std::string::npos) << result.error;
    }
}

TEST_F(H264Dec, AvcWithoutCodecDataIsRefusedInWords) {
  const Played result =
      play("videotestsrc num-buffers=3 ! video/x-raw,width=64,height=64 ! hullh264enc ! "
           "capssetter replace=true caps=\"video/x-h264,stream-format=avc,alignment=au\" ! hullh264dec ! "
           "appsink name=out");
  EXPECT_NE(result.error.find("codec_data"), std::string::npos) << result.error;
}

TEST_F(H264Dec, ItDecodesWhatTheEncoderMade) {
  // Constant quantizer 1 is nearly lossless: the mean difference stays below one step.
  const std::string raw = "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=98,height=66 ! ";
  const Played before = play(raw + "appsink name=out");
  const Played after = play(raw + "hullh264enc rate-control=cqp quantizer=1 ! hullh264dec ! "
                                  "appsink name=out");
  ASSERT_EQ(after.buffers.size(), before.buffers.size());
  for (std::size_t i = 0; i < before.buffers.size(); ++i) {
    GstVideoInfo info;
    ASSERT_TRUE(gst_video_info_from_caps(&info, before.caps.get()));
    MappedFrame a(info, before.buffers[i].get(), GST_MAP_READ), b(info, after.buffers[i].get(), GST_MAP_READ);
    std::uint64_t difference = 0;
    for (int y = 0; y < 66; ++y)
      for (int x = 0; x < 98; ++x)
        difference += static_cast<std::uint64_t>(
            std::abs(a.plane(0)[y * a.stride(0) + x] - b.plane(0)[y * b.stride(0) + x]));
    EXPECT_LT(difference, 98u * 66u);
  }
}

} // namespace
} // namespace hull::h264
