#include "gst/vmaf/kernels/kernels.h"

#include "gst/vmaf/kernels/scalar.h"
#include "gst/vmaf/kernels/simd_kernels.h"

#include <algorithm>

namespace hull::vmaf {
namespace {

Kernels scalar_kernels() {
  Kernels table{};
  table.name = "scalar";
  scalar::set_vif(table);
  scalar::set_adm(table);
  scalar::set_motion(table);
  scalar::set_cambi(table);
  scalar::set_scaler(table);
  return table;
}

#if defined(__x86_64__)
Kernels avx2_kernels() {
  Kernels table = scalar_kernels();
  table.name = "avx2";
  avx2::set_vif_vertical(table);
  avx2::set_vif_horizontal(table);
  avx2::set_adm(table);
  avx2::set_adm_levels(table);
  avx2::set_adm_wavelet(table);
  avx2::set_motion(table);
  avx2::set_scaler(table);
  return table;
}

Kernels avx512_kernels() {
  Kernels table = avx2_kernels();
  table.name = "avx512";
  avx512::set_vif_vertical(table);
  avx512::set_vif_horizontal(table);
  avx512::set_adm(table);
  avx512::set_adm_levels(table);
  avx512::set_adm_wavelet(table);
  avx512::set_motion(table);
  return table;
}
#endif

} // namespace

const Kernels &kernels(Cpu set) {
  static const Kernels plain = scalar_kernels();
#if defined(__x86_64__)
  static const Kernels wide = avx2_kernels(), widest = avx512_kernels();
  const Cpu best = std::min(set, detected_cpu());
  if (best == Cpu::avx512) return widest;
  if (best == Cpu::avx2) return wide;
#endif
  return plain;
}

} // namespace hull::vmaf
