#include "tests/plugins/h264_mutations.h"

#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

struct Total {
  std::size_t access_units = 0, pictures = 0, flagged = 0, streams = 0;
};

TEST(H264DecMutations, DamagedStreamsGiveMostOfTheirPicturesAndNoneFewerThanOpenh264dec) {
  gst_init(nullptr, nullptr);
  if (!is_there(shared("media/h264/BA_MW_D.264"))) GTEST_SKIP() << "../shared/media/h264 is absent";
  const char *other = std::getenv("HULL_DECODER"); // to compare with another element or mode by hand
  const auto peer = ElementRef::retain(gst_element_factory_make("openh264dec", nullptr));
  Total total;
  std::size_t peers = 0;
  for (int damage = 0; damage < kDamages; ++damage) {
    const Total before = total;
    for (std::size_t i = 0; i < kMutatedStreams.size(); ++i) {
      const Units units = units_of(shared("media/h264/" + kMutatedStreams[i]));
      const auto list = access_units(
          damaged(units, static_cast<Damage>(damage), static_cast<std::uint32_t>(100 * damage) + i));
      const Decoded decoded = decode(list, other ? other : "hullh264dec");
      total.access_units += list.size();
      total.pictures += decoded.pictures;
      total.flagged += decoded.flagged;
      ++total.streams;
      if (!peer || other) continue;
      const std::size_t theirs = decode(list, "h264parse ! openh264dec").pictures;
      peers += theirs;
      EXPECT_GE(decoded.pictures, theirs) << kMutatedStreams[i] << ", damage " << damage;
    }
    printf("damage %2d: %4zu of %4zu\n", damage, total.pictures - before.pictures,
           total.access_units - before.access_units);
  }
  printf("%zu streams, %zu of %zu pictures, %zu flagged as corrupted; openh264dec %zu\n", total.streams,
         total.pictures, total.access_units, total.flagged, peers);
  EXPECT_EQ(total.streams, 196u);
  EXPECT_GE(total.pictures, total.access_units * 70 / 100);
  EXPECT_GT(total.flagged, 0u);
}

} // namespace
} // namespace hull::h264
