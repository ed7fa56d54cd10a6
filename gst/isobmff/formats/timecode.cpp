#include "gst/isobmff/formats/timecode.h"

#include "gst/isobmff/boxes/entry.h"

#include <algorithm>

namespace hull::isobmff {

Result<TrackConfig> timecode_track(std::uint32_t id, const TimecodeRate &rate) {
  TimecodeSampleEntry entry;
  const std::uint32_t denominator = std::max<std::uint32_t>(rate.denominator, 1);
  entry.flags = TimecodeSampleEntry::k24HourMaximum | (rate.drop ? TimecodeSampleEntry::kDropFrame : 0);
  entry.timescale = rate.numerator;
  entry.frame_duration = denominator;
  entry.number_of_frames = static_cast<std::uint8_t>(
      std::min<std::uint64_t>((std::uint64_t{rate.numerator} + denominator - 1) / denominator, 255));
  auto box = packed(Node(std::move(entry)));
  if (!box) return tl::unexpected(box.error());
  TrackConfig track;
  track.id = id;
  track.media = Media::timecode;
  track.timescale = rate.numerator;
  SampleFormat format;
  format.entry = TimecodeSampleEntry::kType;
  format.codec_boxes.push_back(std::move(*box));
  track.formats.push_back(std::move(format));
  return track;
}

ByteVector timecode_sample(std::uint32_t frame_number) {
  ByteVector bytes;
  append_be(bytes, 4, frame_number);
  return bytes;
}

} // namespace hull::isobmff
