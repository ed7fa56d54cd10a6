#pragma once

#include "tests/gst/vmaf/kernels/emulated.h"

#include <ostream>
#include <vector>

namespace hull::vmaf {

/// The tables that must equal the scalar one.
struct Candidate {
  const char *name;
  const Kernels *kernels;
  friend void PrintTo(const Candidate &c, std::ostream *out) { *out << c.name; }
};

inline std::vector<Candidate> candidates() {
  std::vector<Candidate> found;
  if (detected_cpu() >= Cpu::avx2) found.push_back({"avx2", &kernels(Cpu::avx2)});
  if (detected_cpu() >= Cpu::avx512) found.push_back({"avx512", &kernels(Cpu::avx512)});
#if defined(HULL_TEST_EMULATED)
  static const Kernels emulated = emulated_kernels();
  found.push_back({"emulated_avx512", &emulated});
#endif
  return found;
}

} // namespace hull::vmaf
