#include "gst/h264/nal.h"

#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

TEST(Nal, SplitsThreeAndFourByteStartCodesAndDropsZerosBetween) {
  const auto stream = from_hex("ffff 00000001 6742 000000 000001 68ce 0000 000001 65");
  const auto nals = split_annexb(stream);
  ASSERT_EQ(nals.size(), 3u);
  EXPECT_EQ(to_hex(nals[0].data), "6742");
  EXPECT_EQ(to_hex(nals[1].data), "68ce");
  EXPECT_EQ(to_hex(nals[2].data), "65");
  EXPECT_EQ(nals[2].type(), NalType::idr_slice);
  EXPECT_EQ(nals[2].ref_idc(), 3u);
}

TEST(Nal, AnEmptyOrCodelessStreamHasNoUnits) {
  EXPECT_TRUE(split_annexb({}).empty());
  EXPECT_TRUE(split_annexb(from_hex("0000")).empty());
  EXPECT_TRUE(split_annexb(from_hex("000001")).empty());
  EXPECT_TRUE(split_annexb(from_hex("0102030405")).empty());
}

TEST(Nal, LengthsThatRunPastTheEndAreRefusedAtTheirPlace) {
  const auto sample = from_hex("00000002 6742 00000009 68");
  const auto nals = split_length_prefixed(sample, 4);
  ASSERT_FALSE(nals);
  EXPECT_EQ(nals.error().offset, 10u);
  ASSERT_TRUE(split_length_prefixed(from_hex("02 6742 00 01 68"), 1));
  EXPECT_EQ(split_length_prefixed(from_hex("02 6742 00 01 68"), 1)->size(), 2u);
}

TEST(Nal, EscapingIsUndoneByUnescaping) {
  const auto rbsp = from_hex("000000 000001 000002 000003 00000400 ff 0000");
  const auto nal = escape(0x65, rbsp);
  EXPECT_EQ(find_start_code(Bytes(nal).subspan(1), 0), nal.size() - 1);
  EXPECT_EQ(unescape(Bytes(nal).subspan(1)), rbsp);
  EXPECT_EQ(to_hex(escape(0x65, from_hex("000001"))), "6500000301");
}

TEST(Nal, PayloadEndsAtTheStopBit) {
  EXPECT_EQ(payload_bits(from_hex("80")), 0u);
  EXPECT_EQ(payload_bits(from_hex("ff88 0000")), 12u);
  EXPECT_EQ(payload_bits(from_hex("0000")), 0u);
}

TEST(Nal, EveryPrefixOfAStreamCanBeSplit) {
  const auto stream = from_hex("00000001 6742c01e 000001 68ce3c80 000001 6588 000003 01");
  for (std::size_t size = 0; size <= stream.size(); ++size)
    for (const Nal &nal : split_annexb(Bytes(stream).first(size)))
      EXPECT_FALSE(nal.data.empty());
}

} // namespace
} // namespace hull::h264
