#include "plugins/mp4/payloads.h"

#include "gst/core/time.h"
#include "gst/glue/map.h"
#include "gst/isobmff/file/segment.h"

#include <gst/video/video.h>

namespace hull {

using mux::Payload;
using mux::Piece;

namespace {

void release_buffer(void *buffer) {
  gst_buffer_unref(static_cast<GstBuffer *>(buffer));
}

BufferRef around(ByteVector bytes) {
  if (bytes.empty()) return BufferRef::adopt(gst_buffer_new());
  auto *kept = new ByteVector(std::move(bytes));
  return BufferRef::adopt(
      gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, kept->data(), kept->size(), 0, kept->size(), kept,
                                  [](gpointer data) { delete static_cast<ByteVector *>(data); }));
}

// What the encoder said about its buffers means nothing to who reads a file's bytes.
constexpr guint kOldFlags = GST_BUFFER_FLAG_LIVE | GST_BUFFER_FLAG_DECODE_ONLY | GST_BUFFER_FLAG_DISCONT |
                            GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER |
                            GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE |
                            GST_BUFFER_FLAG_SYNC_AFTER | GST_BUFFER_FLAG_DELTA_UNIT;

guint flags_of(const Piece &piece) {
  guint flags = piece.ends_chunk ? static_cast<guint>(GST_BUFFER_FLAG_MARKER) : 0;
  switch (piece.kind) {
  case Piece::Kind::header:
    return flags | GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_HEADER;
  case Piece::Kind::chunk_header:
    return flags | GST_BUFFER_FLAG_HEADER |
           (piece.sync ? 0u : static_cast<guint>(GST_BUFFER_FLAG_DELTA_UNIT));
  case Piece::Kind::index:
    return flags | GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_MARKER;
  default:
    return flags | GST_BUFFER_FLAG_DELTA_UNIT;
  }
}

} // namespace

Payload payload_of(BufferRef buffer) {
  return {buffer.release(), release_buffer};
}

Result<void> BufferPayloads::edit(Payload &payload,
                                  const std::function<Result<void>(std::span<std::uint8_t>)> &change) const {
  payload = Payload(gst_buffer_make_writable(static_cast<GstBuffer *>(payload.take())), release_buffer);
  MappedBuffer map(buffer_of(payload), GST_MAP_READWRITE);
  if (!map) return fail(ErrorCode::io, "A sample's memory cannot be written, so it cannot be encrypted.");
  return change({map.data(), map.size()});
}

std::optional<std::uint64_t> BufferPayloads::capture_time(const Payload &payload) const {
  if (!payload) return std::nullopt;
  gpointer state = nullptr;
  while (GstMeta *meta = gst_buffer_iterate_meta_filtered(buffer_of(payload), &state,
                                                          GST_REFERENCE_TIMESTAMP_META_API_TYPE)) {
    const auto *reference = reinterpret_cast<GstReferenceTimestampMeta *>(meta);
    const GstStructure *clock = gst_caps_get_structure(reference->reference, 0);
    const auto time = static_cast<std::int64_t>(reference->timestamp);
    constexpr std::int64_t kFrom1900 = 2'208'988'800 * std::int64_t{kNanoseconds};
    if (gst_structure_has_name(clock, "timestamp/x-unix")) return isobmff::ntp_of_unix(time);
    if (gst_structure_has_name(clock, "timestamp/x-ntp")) return isobmff::ntp_of_unix(time - kFrom1900);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> BufferPayloads::frame_number(const Payload &payload) const {
  if (!payload) return std::nullopt;
  const GstVideoTimeCodeMeta *meta = gst_buffer_get_video_time_code_meta(buffer_of(payload));
  if (!meta || !gst_video_time_code_is_valid(&meta->tc)) return std::nullopt;
  return static_cast<std::uint32_t>(gst_video_time_code_frames_since_daily_jam(&meta->tc));
}

BufferRef buffer_of(Piece piece) {
  const bool brought = bool(piece.payload);
  BufferRef buffer = brought ? BufferRef::adopt(static_cast<GstBuffer *>(piece.payload.take()))
                             : around(std::move(piece.bytes));
  if (piece.kind == Piece::Kind::file) return buffer;
  GstBuffer *own = gst_buffer_make_writable(buffer.release());
  GST_BUFFER_FLAG_UNSET(own, kOldFlags);
  GST_BUFFER_FLAG_SET(own, flags_of(piece));
  if (piece.time) {
    GST_BUFFER_PTS(own) = static_cast<GstClockTime>(piece.time->presentation);
    GST_BUFFER_DTS(own) = static_cast<GstClockTime>(piece.time->decode);
    GST_BUFFER_DURATION(own) =
        piece.time->duration ? static_cast<GstClockTime>(*piece.time->duration) : GST_CLOCK_TIME_NONE;
  }
  return BufferRef::adopt(own);
}

} // namespace hull
