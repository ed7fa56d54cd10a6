#include "tests/plugins/h264_mutations.h"

#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

struct Total {
  std::size_t access_units = 0, pictures = 0, flagged = 0, streams = 0;
};

Total decode_all(const std::string &element, bool print) {
  Total total;
  for (int damage = 0; damage < kDamages; ++damage) {
    std::size_t units_before = total.access_units, pictures_before = total.pictures;
    for (std::size_t i = 0; i < kMutatedStreams.size(); ++i) {
      const Units units = units_of(shared("media/h264/" + kMutatedStreams[i]));
      const auto list = access_units(
          damaged(units, static_cast<Damage>(damage), static_cast<std::uint32_t>(100 * damage) + i));
      const Decoded decoded = decode(list, element);
      total.access_units += list.size();
      total.pictures += decoded.pictures;
      total.flagged += decoded.flagged;
      ++total.streams;
    }
    if (print)
      printf("damage %2d: %4zu of %4zu\n", damage, total.pictures - pictures_before,
             total.access_units - units_before);
  }
  return total;
}

TEST(H264DecMutations, DamagedStreamsGiveMostOfTheirPictures) {
  gst_init(nullptr, nullptr);
  if (!is_there(shared("media/h264/BA_MW_D.264"))) GTEST_SKIP() << "../shared/media/h264 is absent";
  const char *other = std::getenv("HULL_DECODER"); // to compare with another element or mode by hand
  const Total total = decode_all(other ? other : "hullh264dec", true);
  printf("%zu streams, %zu of %zu pictures, %zu flagged as corrupted\n", total.streams, total.pictures,
         total.access_units, total.flagged);
  EXPECT_EQ(total.streams, 196u);
  EXPECT_GE(total.pictures, total.access_units * 70 / 100);
  EXPECT_GT(total.flagged, 0u);
}

} // namespace
} // namespace hull::h264
