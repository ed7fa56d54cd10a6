#pragma once

#include "gst/glue/ref.h"
#include "gst/mux/piece.h"

namespace hull {

/// Payloads that are GstBuffers.
mux::Payload payload_of(BufferRef buffer);
inline GstBuffer *buffer_of(const mux::Payload &payload) {
  return static_cast<GstBuffer *>(payload.get());
}

class BufferPayloads final : public mux::PayloadKeeper {
 public:
  Result<void> edit(mux::Payload &payload,
                    const std::function<Result<void>(std::span<std::uint8_t>)> &change) const override;
  std::optional<std::uint64_t> capture_time(const mux::Payload &payload) const override;
  std::optional<std::uint32_t> frame_number(const mux::Payload &payload) const override;
};

/// What is pushed for a piece. In fragments with the buffer flags of gst-plugins-rs' fmp4mux: the header is
/// DISCONT | HEADER, each moof is HEADER (and DELTA_UNIT unless it starts a fragment), data are DELTA_UNIT,
/// the last of a chunk also MARKER.
BufferRef buffer_of(mux::Piece piece);

} // namespace hull
