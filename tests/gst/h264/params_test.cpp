#include "gst/h264/avcc.h"
#include "gst/h264/level.h"
#include "gst/h264/params.h"

#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

// x264's SPS of a 1920x1080 25 fps High stream with B-frames: 8 rows cropped, 2 reordered.
const char kHigh1080[] = "67640028acd940780227e59b20000003002000000641e30632c0";

TEST(Sps, ReadsWhatX264Wrote) {
  const auto bytes = from_hex(kHigh1080);
  const auto sps = parse_sps({bytes});
  ASSERT_TRUE(sps) << sps.error().text;
  EXPECT_EQ(sps->width(), 1920u);
  EXPECT_EQ(sps->height(), 1080u);
  EXPECT_EQ(sps->coded_height(), 1088u);
  EXPECT_EQ(profile_name(*sps), "high");
  EXPECT_EQ(level_name(*sps), "4");
  EXPECT_EQ(codec_string(*sps), "avc1.640028");
  EXPECT_EQ(sps->frame_rate(), (Ratio{25, 1}));
  EXPECT_EQ(sps->sample_aspect_ratio(), Ratio{}); // unspecified
  EXPECT_TRUE(sps->vui.video_full_range_flag);
  EXPECT_EQ(sps->reorder_frames(), 2u);
  EXPECT_EQ(beyond_progressive_420_8bit(*sps), std::nullopt);
}

TEST(Sps, WritesBackTheBytesItRead) {
  const auto bytes = from_hex(kHigh1080);
  const auto written = write_sps(*parse_sps({bytes}));
  ASSERT_TRUE(written);
  EXPECT_EQ(to_hex(*written), to_hex(bytes));
}

TEST(Sps, EveryTruncationIsAnErrorOrAShorterReading) {
  const auto bytes = from_hex(kHigh1080);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto sps = parse_sps({Bytes(bytes).first(size)});
    EXPECT_TRUE(sps || !sps.error().text.empty());
  }
  EXPECT_FALSE(parse_sps({Bytes(bytes).first(8)}));
}

template <class T> void round_trip(std::uint32_t seed) {
  T filled;
  Filler filler(seed);
  filled.fields(filler);
  Writer writer;
  filled.fields(writer);
  ASSERT_TRUE(writer.ok()) << "seed " << seed << ": " << writer.error().text;
  T read;
  if constexpr (requires { read.rbsp_bits; }) read.rbsp_bits = writer.position();
  Reader reader(writer.out().data());
  read.fields(reader);
  ASSERT_TRUE(reader.ok()) << "seed " << seed << ": " << reader.error().text;
  Writer again;
  read.fields(again);
  EXPECT_EQ(to_hex(writer.out().data()), to_hex(again.out().data())) << "seed " << seed;
}

TEST(Params, RoundTripWhatTheFillerMakes) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    round_trip<Sps>(seed);
    round_trip<Vui>(seed);
    round_trip<Pps>(seed);
  }
}

TEST(Pps, RefusesMoreThanEightSliceGroups) {
  Pps pps;
  pps.num_slice_groups_minus1 = 200;
  EXPECT_FALSE(write_pps(pps));
  // Two identifiers, two flags, then zeros to the end: a code that was cut must not become a count.
  const auto cut = from_hex("68c00000");
  EXPECT_FALSE(parse_pps({cut}));
}

TEST(Sps, NamesWhatAProgressiveDecoderCannotDo) {
  Sps sps;
  sps.frame_mbs_only_flag = false;
  EXPECT_NE(beyond_progressive_420_8bit(sps)->find("interlaced"), std::string::npos);
  sps = {};
  sps.bit_depth_luma_minus8 = 2;
  EXPECT_EQ(*beyond_progressive_420_8bit(sps), "10-bit samples");
  sps = {};
  sps.chroma_format_idc = 2;
  EXPECT_EQ(*beyond_progressive_420_8bit(sps), "4:2:2 chroma");
}

TEST(Sps, ReorderingIsInferredFromTheDecodedPictureBuffer) {
  Sps sps;
  sps.profile_idc = 77;
  sps.level_idc = 30;
  sps.pic_width_in_mbs_minus1 = 44; // 720x480: 8100 / 1350
  sps.pic_height_in_map_units_minus1 = 29;
  EXPECT_EQ(sps.reorder_frames(), 6u);
  sps.pic_order_cnt_type = 2;
  EXPECT_EQ(sps.reorder_frames(), 0u);
}

TEST(Level, IsTheLowestThatHoldsSizeRateAndBitrate) {
  const auto name = [](Demand demand) { return std::string(lowest_level(demand).name); };
  EXPECT_EQ(name({176, 144, 15, 1}), "1");
  EXPECT_EQ(name({352, 288, 30, 1}), "1.3");
  EXPECT_EQ(name({1280, 720, 30, 1}), "3.1");
  EXPECT_EQ(name({1280, 720, 60, 1}), "3.2");
  EXPECT_EQ(name({1920, 1080, 30, 1}), "4");
  EXPECT_EQ(name({1920, 1080, 60, 1}), "4.2");
  EXPECT_EQ(name({1920, 1080, 30, 1, 24000}), "4.1");
  EXPECT_EQ(name({1920, 1080, 30, 1, 24000, 0, 1, true}), "4");
  EXPECT_EQ(name({1920, 1080, 30, 1, 20000, 40000}), "4.1"); // a buffer that level 4 has not
  EXPECT_EQ(name({3840, 2160, 60, 1}), "5.2");
}

TEST(DecoderConfiguration, CarriesTheSetsAndTheHighFields) {
  const auto sps = from_hex(kHigh1080), pps = from_hex("68ebe3cb22c0");
  const auto record = write_decoder_configuration(sps, pps);
  ASSERT_TRUE(record);
  EXPECT_EQ(to_hex(Bytes(*record).first(8)), "01640028ffe1001a");
  EXPECT_EQ(to_hex(Bytes(*record).last(4)), "fdf8f800");
  const auto read = parse_decoder_configuration(*record);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sequence_parameter_sets.at(0).data, sps);
  EXPECT_EQ(read->picture_parameter_sets.at(0).data, pps);
  EXPECT_EQ(read->length_size(), 4u);
  for (std::size_t size = 0; size + 4 < record->size(); ++size)
    EXPECT_FALSE(parse_decoder_configuration(Bytes(*record).first(size))) << size;
}

TEST(AspectRatio, KnowsTheTableAndFallsBackToExtended) {
  EXPECT_EQ(aspect_ratio_idc_of({1, 1}), 1);
  EXPECT_EQ(aspect_ratio_idc_of({24, 22}), 2);
  EXPECT_EQ(aspect_ratio_idc_of({7, 5}), 255);
}

} // namespace
} // namespace hull::h264
