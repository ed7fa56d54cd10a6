#include "gst/core/cpu.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace hull {

Cpu detected_cpu() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni");
  if (avx512) return Cpu::avx512;
  if (avx2) return Cpu::avx2;
#endif
  return Cpu::scalar;
}

Cpu cpu() {
  static const Cpu chosen = [] {
    const char *asked = std::getenv("HULL_CPU");
    if (!asked) return detected_cpu();
    const Cpu best = detected_cpu();
    for (const Cpu set : {Cpu::scalar, Cpu::avx2, Cpu::avx512})
      if (std::string_view(asked) == cpu_name(set)) {
        if (set > best)
          std::fprintf(stderr, "HULL_CPU=%s: this machine has no more than %s, which is used instead.\n",
                       asked, cpu_name(best));
        return std::min(set, best);
      }
    std::fprintf(stderr, "HULL_CPU=%s is no instruction set: scalar, avx2 or avx512. Using %s.\n", asked,
                 cpu_name(best));
    return best;
  }();
  return chosen;
}

const char *cpu_name(Cpu set) {
  switch (set) {
  case Cpu::avx512:
    return "avx512";
  case Cpu::avx2:
    return "avx2";
  case Cpu::scalar:
    break;
  }
  return "scalar";
}

} // namespace hull
