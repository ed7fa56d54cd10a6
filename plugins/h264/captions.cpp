#include "plugins/h264/captions.h"

#include <algorithm>

#include <gst/video/video-sei.h>
#include <gst/video/video.h>

namespace hull::h264 {
namespace {

// CEA-708: marker bits, cc_valid, cc_type 0 or 1 (line 21, field 1 or 2).
constexpr std::uint8_t kField1 = 0xfc, kField2 = 0xfd;

ByteVector from_line21_pairs(Bytes pairs) {
  ByteVector triplets;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    triplets.insert(triplets.end(), {kField1, pairs[i], pairs[i + 1]});
  return triplets;
}

// SMPTE ST 334-1 annex A: a byte whose top bit says field 1, then the pair.
ByteVector from_s334(Bytes data) {
  ByteVector triplets;
  for (std::size_t i = 0; i + 2 < data.size(); i += 3)
    triplets.insert(triplets.end(), {data[i] & 0x80 ? kField1 : kField2, data[i + 1], data[i + 2]});
  return triplets;
}

// SMPTE ST 334-2: header of seven bytes, a time code section of five if its flag says so, then cc_data.
ByteVector from_cdp(Bytes cdp) {
  constexpr std::size_t kHeader = 7, kTimeCode = 5;
  if (cdp.size() < kHeader || cdp[0] != 0x96 || cdp[1] != 0x69) return {};
  std::size_t at = kHeader;
  if (cdp[4] & 0x80) at += kTimeCode;
  if (at + 2 > cdp.size() || cdp[at] != 0x72) return {};
  const std::size_t size = std::min<std::size_t>((cdp[at + 1] & 31u) * 3, (cdp.size() - at - 2) / 3 * 3);
  const Bytes triplets = cdp.subspan(at + 2, size);
  return {triplets.begin(), triplets.end()};
}

ByteVector triplets_of(const GstVideoCaptionMeta &meta) {
  const Bytes data(meta.data, meta.size);
  switch (meta.caption_type) {
  case GST_VIDEO_CAPTION_TYPE_CEA608_RAW:
    return from_line21_pairs(data);
  case GST_VIDEO_CAPTION_TYPE_CEA608_S334_1A:
    return from_s334(data);
  case GST_VIDEO_CAPTION_TYPE_CEA708_RAW:
    return {data.begin(), data.end()};
  case GST_VIDEO_CAPTION_TYPE_CEA708_CDP:
    return from_cdp(data);
  default:
    return {};
  }
}

} // namespace

std::vector<SeiMessage> sei_of(GstBuffer *buffer, bool captions) {
  std::vector<SeiMessage> messages;
  gpointer state = nullptr;
  while (GstMeta *meta = gst_buffer_iterate_meta(buffer, &state)) {
    if (captions && meta->info->api == GST_VIDEO_CAPTION_META_API_TYPE) {
      const ByteVector triplets = triplets_of(*reinterpret_cast<GstVideoCaptionMeta *>(meta));
      if (!triplets.empty()) messages.push_back(atsc_captions(triplets));
    } else if (meta->info->api == GST_VIDEO_SEI_USER_DATA_UNREGISTERED_META_API_TYPE) {
      const auto *user = reinterpret_cast<GstVideoSEIUserDataUnregisteredMeta *>(meta);
      std::array<std::uint8_t, 16> uuid;
      std::copy_n(user->uuid, uuid.size(), uuid.begin());
      messages.push_back(user_data_unregistered(uuid, {user->data, user->size}));
    }
  }
  return messages;
}

} // namespace hull::h264
