#include "gst/isobmff/file/segment.h"

#include "gst/isobmff/boxes/file.h"

namespace hull::isobmff {

Node segment_type_box(const SegmentPlace &place) {
  SegmentType styp;
  auto &brands = styp.compatible_brands;
  if (place.cmaf && place.starts_fragment) brands.insert(brands.end(), {"cmfs", "cmff"});
  if (place.cmaf && (!place.starts_fragment || place.ends_fragment)) brands.push_back("cmfl");
  brands.push_back("msdh");
  if (place.last) brands.push_back("lmsg");
  styp.major_brand = brands.front();
  return Node(std::move(styp));
}

std::uint64_t ntp_of_unix(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000, kFrom1900 = 2'208'988'800;
  std::int64_t seconds = nanoseconds / kSecond, rest = nanoseconds % kSecond;
  if (rest < 0) {
    --seconds;
    rest += kSecond;
  }
  seconds += kFrom1900;
  if (seconds < 0) return 0;
  const std::uint64_t fraction = (static_cast<std::uint64_t>(rest) << 32) / kSecond;
  return static_cast<std::uint64_t>(seconds) << 32 | fraction;
}

Node producer_reference_time_box(std::uint32_t track_id, std::uint64_t ntp, std::uint64_t media_time,
                                 ClockMoment moment) {
  ProducerReferenceTime prft;
  prft.flags = static_cast<std::uint32_t>(moment);
  prft.reference_track_id = track_id;
  prft.ntp_timestamp = ntp;
  prft.media_time = media_time;
  return Node(std::move(prft));
}

Result<ByteVector> random_access_box(std::uint32_t track_id, std::span<const RandomAccess> places) {
  Node mfra("mfra");
  auto &tfra = mfra.add<TrackFragmentRandomAccess>();
  tfra.track_id = track_id;
  for (const RandomAccess &place : places)
    tfra.entries.push_back({place.time, place.moof_offset, 1, 1, 1});
  auto &mfro = mfra.add<MovieFragmentRandomAccessOffset>();
  const auto size = tree_size(mfra);
  if (!size) return tl::unexpected(size.error());
  mfro.mfra_size = static_cast<std::uint32_t>(*size);
  return write_tree(mfra);
}

} // namespace hull::isobmff
