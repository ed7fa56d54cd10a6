#include "gst/core/bits.h"

#include <gtest/gtest.h>

namespace hull {
namespace {

TEST(BitReader, ReadsAcrossBytes) {
  const ByteVector data = from_hex("a5 0f ff");
  BitReader in(data);
  EXPECT_EQ(in.u(3), 0b101u);
  EXPECT_EQ(in.u(9), 0b001010000u);
  EXPECT_EQ(in.u(12), 0b111111111111u);
  EXPECT_TRUE(in.ok());
}

TEST(BitReader, ReadsSixtyFourBits) {
  const ByteVector data = from_hex("0123456789abcdef");
  BitReader in(data);
  EXPECT_EQ(in.u(64), 0x0123456789abcdefull);
}

TEST(BitReader, FailsForGoodPastTheEnd) {
  const ByteVector data = from_hex("ff");
  BitReader in(data);
  EXPECT_EQ(in.u(9), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u(1), 0u);
}

// H.264 table 9-2: bit strings of the first code numbers.
TEST(BitReader, ReadsExpGolombAsTheStandardListsIt) {
  const ByteVector data =
      from_hex("a6 42 98 e2 04 8a"); // 1 010 011 00100 00101 00110 00111 0001000 0001001 010
  BitReader in(data);
  for (unsigned expected = 0; expected < 9; ++expected)
    EXPECT_EQ(in.ue(), expected);
}

TEST(BitReader, RefusesAnExpGolombCodeWithoutEnd) {
  const ByteVector data(16, 0);
  BitReader in(data);
  EXPECT_EQ(in.ue(), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(BitWriter, WritesWhatTheReaderReads) {
  BitWriter out;
  out.u(5, 19);
  for (const std::uint64_t value : {0ull, 1ull, 2ull, 7ull, 8ull, 0xfffffffeull})
    out.ue(value);
  for (const std::int64_t value : {0ll, 1ll, -1ll, 5000ll, -5000ll})
    out.se(value);
  out.rbsp_trailing();
  BitReader in(out.data());
  EXPECT_EQ(in.u(5), 19u);
  for (const std::uint64_t value : {0ull, 1ull, 2ull, 7ull, 8ull, 0xfffffffeull})
    EXPECT_EQ(in.ue(), value);
  for (const std::int64_t value : {0ll, 1ll, -1ll, 5000ll, -5000ll})
    EXPECT_EQ(in.se(), value);
  EXPECT_EQ(in.u(1), 1u);
  EXPECT_TRUE(in.ok());
  EXPECT_LT(in.remaining(), 8u);
}

TEST(UeWidth, EqualsWhatIsWritten) {
  for (std::uint64_t value = 0; value < 300; ++value) {
    BitWriter out;
    out.ue(value);
    EXPECT_EQ(out.position(), ue_width(value));
  }
}

} // namespace
} // namespace hull
