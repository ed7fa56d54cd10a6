#include "gst/isobmff/formats/av1.h"

#include "gst/core/bits.h"

#include <algorithm>
#include <optional>

namespace hull::isobmff {
namespace {

constexpr unsigned kSequenceHeader = 1; // obu_type

// One OBU at the start of `bytes`, 5.3.
struct Obu {
  unsigned type = 0;
  Bytes whole, payload;
};

std::optional<Obu> read_obu(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  const std::uint8_t header = bytes[0];
  std::size_t at = header & 4 ? 2 : 1; // obu_extension_flag
  std::uint64_t size = bytes.size() - std::min(at, bytes.size());
  if (header & 2) { // obu_has_size_field, leb128
    size = 0;
    for (unsigned i = 0;; ++i) {
      if (at >= bytes.size() || i == 8) return std::nullopt;
      const std::uint8_t byte = bytes[at++];
      size |= std::uint64_t{byte & 127u} << (7 * i);
      if (!(byte & 128)) break;
    }
  }
  if (at > bytes.size() || size > bytes.size() - at) return std::nullopt;
  return Obu{header >> 3 & 15u, bytes.first(at + size), bytes.subspan(at, size)};
}

void skip_uvlc(BitReader &r) {
  unsigned zeros = 0;
  while (r.ok() && zeros < 32 && r.u(1) == 0)
    ++zeros;
  if (zeros < 32) r.skip(zeros);
}

// timing_info() to the last operating point, 5.5.1; the first point's level and tier are kept.
void read_operating_points(BitReader &r, Av1CodecConfiguration &av1c) {
  bool decoder_model = false;
  unsigned delay_bits = 0;
  if (r.u(1)) { // timing_info_present_flag
    r.skip(64);
    if (r.u(1)) skip_uvlc(r);
    decoder_model = r.u(1);
    if (decoder_model) {
      delay_bits = static_cast<unsigned>(r.u(5)) + 1;
      r.skip(42);
    }
  }
  const bool display_delay = r.u(1);
  const auto points = r.u(5) + 1;
  for (std::uint64_t i = 0; i < points && r.ok(); ++i) {
    r.skip(12);
    const auto level = static_cast<std::uint8_t>(r.u(5));
    const bool tier = level > 7 && r.u(1);
    if (i == 0) {
      av1c.seq_level_idx_0 = level;
      av1c.seq_tier_0 = tier;
    }
    if (decoder_model && r.u(1)) r.skip(2 * delay_bits + 1);
    if (display_delay && r.u(1)) r.skip(4);
  }
}

// From the frame's size to color_config(), which is all that matters here.
void skip_tools(BitReader &r, bool reduced) {
  const auto width_bits = r.u(4) + 1, height_bits = r.u(4) + 1;
  r.skip(width_bits + height_bits);
  if (!reduced && r.u(1)) r.skip(7); // frame ids
  r.skip(3);
  if (!reduced) {
    r.skip(4);
    const bool order_hint = r.u(1);
    if (order_hint) r.skip(2);
    const bool choose = r.u(1);
    const bool screen_content = choose || r.u(1);
    if (screen_content && !r.u(1)) r.skip(1); // seq_force_integer_mv
    if (order_hint) r.skip(3);
  }
  r.skip(3);
}

void read_colour(BitReader &r, Av1CodecConfiguration &av1c) { // 5.5.2
  av1c.high_bitdepth = r.u(1);
  if (av1c.seq_profile == 2 && av1c.high_bitdepth) av1c.twelve_bit = r.u(1);
  av1c.monochrome = av1c.seq_profile != 1 && r.u(1);
  std::uint64_t primaries = 2, transfer = 2, matrix = 2;
  if (r.u(1)) {
    primaries = r.u(8);
    transfer = r.u(8);
    matrix = r.u(8);
  }
  av1c.chroma_subsampling_x = av1c.chroma_subsampling_y = true;
  const bool srgb = primaries == 1 && transfer == 13 && matrix == 0;
  if (!av1c.monochrome && srgb) {
    av1c.chroma_subsampling_x = av1c.chroma_subsampling_y = false;
    return;
  }
  r.skip(1); // color_range
  if (av1c.monochrome) return;
  if (av1c.seq_profile == 1) {
    av1c.chroma_subsampling_x = av1c.chroma_subsampling_y = false;
  } else if (av1c.seq_profile == 2) {
    av1c.chroma_subsampling_x = !av1c.twelve_bit || r.u(1);
    av1c.chroma_subsampling_y = av1c.twelve_bit && av1c.chroma_subsampling_x && r.u(1);
  }
  if (av1c.chroma_subsampling_x && av1c.chroma_subsampling_y)
    av1c.chroma_sample_position = static_cast<std::uint8_t>(r.u(2));
}

} // namespace

Result<Av1CodecConfiguration> av1_configuration(Bytes temporal_unit) {
  for (Bytes rest = temporal_unit;;) {
    const auto obu = read_obu(rest);
    if (!obu) break;
    rest = rest.subspan(obu->whole.size());
    if (obu->type != kSequenceHeader) continue;
    Av1CodecConfiguration av1c;
    BitReader r(obu->payload);
    av1c.seq_profile = static_cast<std::uint8_t>(r.u(3));
    r.skip(1); // still_picture
    const bool reduced = r.u(1);
    if (reduced)
      av1c.seq_level_idx_0 = static_cast<std::uint8_t>(r.u(5));
    else
      read_operating_points(r, av1c);
    skip_tools(r, reduced);
    read_colour(r, av1c);
    if (!r.ok()) break;
    av1c.config_obus.assign(obu->whole.begin(), obu->whole.end());
    return av1c;
  }
  return fail(ErrorCode::bad_data,
              "A key unit of AV1 has no sequence header. Put av1parse in front of the muxer.");
}

} // namespace hull::isobmff
