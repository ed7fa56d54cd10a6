#include "gst/h264/hrd.h"

#include "gst/core/bits.h"

#include <algorithm>

namespace hull::h264 {
namespace {

constexpr unsigned kRateShift = 6, kSizeShift = 4; // E-37, E-38

bool has_hrd(const Sps &sps) {
  return sps.vui.nal_hrd_parameters_present_flag || sps.vui.vcl_hrd_parameters_present_flag;
}

const Hrd &hrd_of(const Sps &sps) {
  return sps.vui.nal_hrd_parameters_present_flag ? sps.vui.nal_hrd : sps.vui.vcl_hrd;
}

// SEI payloads end with a one and zeros where they do not fill a byte, 7.3.2.3.1.
SeiMessage message_of(unsigned type, BitWriter &out) {
  if (out.position() % 8) out.rbsp_trailing();
  return {type, out.take()};
}

// clock_timestamp with counting_type 0: nothing is dropped but what cnt_dropped_flag says.
void write_time(BitWriter &out, const Hrd &hrd, bool has_hrd, const ClockTimestamp &time) {
  out.u(2, 0);                       // ct_type: progressive
  out.u(1, 0);                       // nuit_field_based_flag
  out.u(5, time.drop_frame ? 4 : 0); // counting_type: the two lowest numbers are dropped where minutes say so
  out.u(1, 1);                       // full_timestamp_flag
  out.u(1, 0);                       // discontinuity_flag
  out.u(1, time.drop_frame && time.seconds == 0 && time.frames == 2 && time.minutes % 10); // cnt_dropped_flag
  out.u(8, time.frames);
  out.u(6, time.seconds);
  out.u(6, time.minutes);
  out.u(5, time.hours);
  const unsigned offset = has_hrd ? hrd.time_offset_length : 24; // inferred as 24, E.2.2
  if (offset) out.u(offset, 0);
}

std::optional<ClockTimestamp> read_time(BitReader &in, const Hrd &hrd, bool has_hrd) {
  ClockTimestamp time;
  in.skip(3);
  time.drop_frame = in.u(5) == 4;
  time.full = in.u(1);
  in.skip(2);
  time.frames = static_cast<std::uint8_t>(in.u(8));
  if (time.full || in.u(1)) time.seconds = static_cast<std::uint8_t>(in.u(6));
  if (time.full || in.u(1)) time.minutes = static_cast<std::uint8_t>(in.u(6));
  if (time.full || in.u(1)) time.hours = static_cast<std::uint8_t>(in.u(5));
  in.skip(has_hrd ? hrd.time_offset_length : 24);
  return in.ok() ? std::optional(time) : std::nullopt;
}

} // namespace

Hrd variable_rate_hrd(std::uint64_t bits_per_second, std::uint64_t buffer_bits) {
  Hrd hrd;
  hrd.sched_sel[0].bit_rate_value_minus1 =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(bits_per_second >> kRateShift, 1) - 1);
  hrd.sched_sel[0].cpb_size_value_minus1 =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(buffer_bits >> kSizeShift, 1) - 1);
  hrd.time_offset_length = 0;
  return hrd;
}

std::uint64_t bit_rate(const Hrd &hrd) {
  return (std::uint64_t{hrd.sched_sel[0].bit_rate_value_minus1} + 1) << (kRateShift + hrd.bit_rate_scale);
}

std::uint64_t buffer_size(const Hrd &hrd) {
  return (std::uint64_t{hrd.sched_sel[0].cpb_size_value_minus1} + 1) << (kSizeShift + hrd.cpb_size_scale);
}

SeiMessage buffering_period(const Sps &sps, std::uint32_t initial_delay) {
  BitWriter out;
  out.ue(sps.seq_parameter_set_id);
  const Hrd &hrd = hrd_of(sps);
  const unsigned width = hrd.initial_cpb_removal_delay_length_minus1 + 1u;
  const auto full = static_cast<std::uint32_t>(buffer_size(hrd) * 90000 / bit_rate(hrd));
  const std::uint32_t delay = std::clamp(initial_delay, 1u, std::max(full, 1u));
  for (const bool present :
       {sps.vui.nal_hrd_parameters_present_flag, sps.vui.vcl_hrd_parameters_present_flag}) {
    if (!present) continue;
    out.u(width, delay);
    out.u(width, full - std::min(full, delay)); // together they stay the same, D.2.2
  }
  return message_of(0, out);
}

SeiMessage picture_timing(const Sps &sps, std::uint32_t removal_delay,
                          const std::optional<ClockTimestamp> &time) {
  BitWriter out;
  const Hrd &hrd = hrd_of(sps);
  if (has_hrd(sps)) {
    const unsigned width = hrd.cpb_removal_delay_length_minus1 + 1u;
    out.u(width, removal_delay & ((std::uint64_t{1} << width) - 1));
    out.u(hrd.dpb_output_delay_length_minus1 + 1u, 0);
  }
  if (sps.vui.pic_struct_present_flag) {
    out.u(4, 0); // pic_struct: a frame
    out.u(1, time.has_value());
    if (time) write_time(out, hrd, has_hrd(sps), *time);
  }
  return message_of(1, out);
}

Result<PictureTiming> parse_picture_timing(const SeiMessage &message, const Sps &sps) {
  BitReader in(message.payload);
  PictureTiming timing;
  const Hrd &hrd = hrd_of(sps);
  if (has_hrd(sps)) {
    timing.removal_delay = static_cast<std::uint32_t>(in.u(hrd.cpb_removal_delay_length_minus1 + 1u));
    timing.output_delay = static_cast<std::uint32_t>(in.u(hrd.dpb_output_delay_length_minus1 + 1u));
  }
  if (sps.vui.pic_struct_present_flag && in.u(4) <= 8 && in.u(1))
    timing.time = read_time(in, hrd, has_hrd(sps));
  if (!in.ok()) return fail(ErrorCode::bad_data, "a pic_timing message is too short");
  return timing;
}

Result<std::uint32_t> parse_initial_delay(const SeiMessage &message, const Sps &sps) {
  BitReader in(message.payload);
  in.ue();
  const auto delay =
      static_cast<std::uint32_t>(in.u(hrd_of(sps).initial_cpb_removal_delay_length_minus1 + 1u));
  if (!in.ok()) return fail(ErrorCode::bad_data, "a buffering_period message is too short");
  return delay;
}

SeiMessage mastering_display(const MasteringDisplay &display) {
  SeiMessage message{137, {}};
  for (const int i : {1, 2, 0}) { // green, blue, red
    append_be(message.payload, 2, display.primaries[i].x);
    append_be(message.payload, 2, display.primaries[i].y);
  }
  append_be(message.payload, 2, display.white.x);
  append_be(message.payload, 2, display.white.y);
  append_be(message.payload, 4, display.max_luminance);
  append_be(message.payload, 4, display.min_luminance);
  return message;
}

SeiMessage content_light_level(std::uint16_t max_content, std::uint16_t max_frame_average) {
  SeiMessage message{144, {}};
  append_be(message.payload, 2, max_content);
  append_be(message.payload, 2, max_frame_average);
  return message;
}

} // namespace hull::h264
