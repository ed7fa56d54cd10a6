#include "gst/h264/sei.h"

#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

TEST(Sei, CarriesLongPayloadsAndSeveralMessages) {
  const std::array<std::uint8_t, 16> uuid{1, 2, 3};
  const ByteVector text(600, 0); // zeros: emulation prevention at work
  const auto nal = write_sei({user_data_unregistered(uuid, text), {300, from_hex("0102")}});
  const auto read = parse_sei({nal});
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).payload_type, 5u);
  EXPECT_EQ(read->at(0).payload.size(), 616u);
  EXPECT_EQ(read->at(1).payload_type, 300u);
  EXPECT_EQ(to_hex(read->at(1).payload), "0102");
}

TEST(Sei, CaptionsAreAtscUserData) {
  const auto message = atsc_captions(from_hex("fc9420 fd8080 ff"));
  EXPECT_EQ(to_hex(message.payload), "b500314741393403"
                                     "42ff"
                                     "fc9420fd8080"
                                     "ff");
  EXPECT_EQ(to_hex(caption_triplets(message)), "fc9420fd8080");
  EXPECT_TRUE(caption_triplets({4, from_hex("b50031")}).empty());
}

TEST(Sei, AMessagePastTheEndIsRefused) {
  EXPECT_FALSE(parse_sei({from_hex("06 05 ff 0102 80")}));
  EXPECT_FALSE(parse_sei({from_hex("06 ffff")}));
}

TEST(AccessUnitDelimiter, SaysWhichSlicesCome) {
  EXPECT_EQ(to_hex(write_access_unit_delimiter(true)), "0910");
  EXPECT_EQ(to_hex(write_access_unit_delimiter(false)), "0930");
}

} // namespace
} // namespace hull::h264
