#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"

#include <array>
#include <vector>

namespace hull::h264 {

/// nal_unit_type, H.264 table 7-1.
enum class NalType : std::uint8_t {
  slice = 1,
  partition_a = 2,
  partition_b = 3,
  partition_c = 4,
  idr_slice = 5,
  sei = 6,
  sps = 7,
  pps = 8,
  access_unit_delimiter = 9,
  end_of_sequence = 10,
  end_of_stream = 11,
  filler = 12,
  sps_extension = 13,
  prefix = 14,
  subset_sps = 15,
  auxiliary_slice = 19,
  slice_extension = 20,
};

inline constexpr std::array<std::uint8_t, 4> kStartCode{0, 0, 0, 1};

/// One NAL unit as it stands in its stream: header byte first, emulation prevention still inside. A view.
struct Nal {
  Bytes data;
  NalType type() const { return static_cast<NalType>(data[0] & 31); }
  unsigned ref_idc() const { return data[0] >> 5 & 3; }
  /// A slice of the primary coded picture, 7.4.1.2.4.
  bool is_slice() const { return type() >= NalType::slice && type() <= NalType::idr_slice; }
};

/// NAL units between start codes (Annex B). Leading and trailing zeros belong to none; bytes in front of the
/// first start code are skipped. Never fails: what has no start code has no NAL units.
std::vector<Nal> split_annexb(Bytes stream);

/// Index of the first start code prefix (00 00 01) at or after `from`; stream.size() when there is none.
std::size_t find_start_code(Bytes stream, std::size_t from);

/// NAL units of a sample with length fields of `length_size` bytes (1, 2 or 4; ISO/IEC 14496-15). Fails when
/// a length runs past the end; empty units are skipped.
Result<std::vector<Nal>> split_length_prefixed(Bytes sample, unsigned length_size);

/// Appends `nal` behind a four-byte start code.
void append_annexb(ByteVector &out, Bytes nal);
/// Appends `nal` behind its length in `length_size` bytes.
void append_length_prefixed(ByteVector &out, Bytes nal, unsigned length_size = 4);

/// The RBSP of a NAL unit without its header byte: emulation prevention bytes removed, 7.3.1.
ByteVector unescape(Bytes nal_without_header);
/// A NAL unit of `header` and `rbsp`, emulation prevention bytes added, 7.4.1.1.
ByteVector escape(std::uint8_t header, Bytes rbsp);

/// Bits of an RBSP in front of rbsp_trailing_bits(); 0 when there is no stop bit.
std::uint64_t payload_bits(Bytes rbsp);

/// Whether `nal` starts a new access unit when it follows units of an earlier one that already had a slice
/// (7.4.1.2.3, without the comparison of two slice headers).
bool starts_access_unit(const Nal &nal);

/// first_mb_in_slice, the first value of a slice header; ~0u when the data ends inside it.
std::uint32_t first_mb_in_slice(const Nal &slice);

} // namespace hull::h264
