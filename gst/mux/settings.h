#pragma once

#include <cstdint>
#include <string>

namespace hull::mux {

/// The shape of the file, as the caps name it.
enum class Variant { iso, iso_fragmented, cmaf, apple };

/// Samples are named by one movie box, which is complete at the end, instead of by fragments.
inline bool is_whole(Variant variant) {
  return variant == Variant::iso || variant == Variant::apple;
}

enum class Encryption { none, cenc, cbcs };

/// The muxer's properties; times in nanoseconds.
struct MuxSettings {
  std::uint64_t fragment_duration = 2'000'000'000;
  std::uint64_t chunk_duration = 0;
  std::uint64_t interleave_time = 500'000'000;
  bool send_force_keyunit = true;
  bool manual_split = false;
  std::int64_t fragment_origin = -1;
  std::uint32_t start_sequence_number = 1;
  bool styp = false;
  bool prft = true;
  bool mfra = false;
  Encryption encryption = Encryption::none;
  std::string key, key_id, iv;
  bool pssh = true;
  std::string timecode;
  std::string extra_brands; ///< between commas
  std::uint64_t reserved_max_duration = 0;
  std::uint64_t latency = 0;
  std::uint64_t max_gap = 10'000'000'000;
};

} // namespace hull::mux
