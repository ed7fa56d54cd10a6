#pragma once

namespace hull {

/// Instruction sets kernels are written for, each including the ones before it.
/// avx512 means F, BW, DQ, VL and VNNI together (Cascade Lake, Zen 4 and later).
enum class Cpu { scalar, avx2, avx512 };

/// The best set this machine has, or the lower one that HULL_CPU=scalar|avx2|avx512 asks for. Read once.
Cpu cpu();

/// The best set this machine has, whatever HULL_CPU says.
Cpu detected_cpu();

const char *cpu_name(Cpu set);

} // namespace hull
