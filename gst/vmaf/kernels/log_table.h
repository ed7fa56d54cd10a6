#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace hull::vmaf {

/// log2 in steps of 1/2048: entry i for i in 32768..65535, lower entries are zero. Built once from
/// single-precision log2 rounded half away from zero, as libvmaf builds it; 38 entries differ from a table
/// made in double precision.
extern const std::array<std::uint16_t, 65536> &log_table();

/// What log2 in steps of 1/2048 has beyond a straight line: table entry 32768 + m less 30720 + m / 16, for m
/// in 0..32767. Half the table's size, and the line costs one shift.
const std::array<std::uint8_t, 32768> &log_corrections();

/// log2(x) * 2048 of x >= 131072, from the top 16 bits of x.
inline std::int32_t log2_q11(std::uint64_t x, const std::uint16_t *table) {
  const int shift = std::bit_width(x) - 16;
  return table[x >> shift] + 2048 * shift;
}

} // namespace hull::vmaf
