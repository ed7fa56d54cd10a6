#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"
#include "gst/h264/nal.h"

#include <array>
#include <optional>
#include <vector>

namespace hull::h264 {

/// One sei_message(), 7.3.2.3.1.
struct SeiMessage {
  static constexpr unsigned kUserDataRegistered = 4;
  static constexpr unsigned kUserDataUnregistered = 5;
  static constexpr unsigned kRecoveryPoint = 6;
  unsigned payload_type = 0;
  ByteVector payload;
};

/// A whole SEI NAL unit of these messages.
ByteVector write_sei(const std::vector<SeiMessage> &messages);

/// The messages of an SEI NAL unit; fails when one runs past the end.
Result<std::vector<SeiMessage>> parse_sei(const Nal &nal);

/// user_data_unregistered(), D.1.7: a UUID and free bytes.
SeiMessage user_data_unregistered(const std::array<std::uint8_t, 16> &uuid, Bytes data);

/// CEA-708 captions as ATSC A/53 part 4 carries them: user_data_registered_itu_t_t35 with cc_data() of up to
/// 31 triplets (3 bytes each; more are left out, an incomplete last one too).
SeiMessage atsc_captions(Bytes cc_triplets);

/// The triplets inside such a message; empty when it is something else.
ByteVector caption_triplets(const SeiMessage &message);

/// recovery_frame_cnt of a recovery point, D.1.8; nullopt when it is another message or damaged.
std::optional<std::uint32_t> recovery_frame_count(const SeiMessage &message);

/// An access unit delimiter whose pictures hold I slices only, or I and P slices (primary_pic_type 0 and 1).
ByteVector write_access_unit_delimiter(bool intra_only);

} // namespace hull::h264
