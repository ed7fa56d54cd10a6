#pragma once

#include "gst/vmaf/kernels/kernels.h"

namespace hull::vmaf {

namespace emulated {
void set_vif_vertical(Kernels &table);
void set_vif_horizontal(Kernels &table);
void set_adm(Kernels &table);
void set_adm_levels(Kernels &table);
void set_adm_wavelet(Kernels &table);
void set_motion(Kernels &table);
} // namespace emulated

/// The AVX-512 kernels compiled with emulated intrinsics.
inline Kernels emulated_kernels() {
  Kernels table = kernels(Cpu::scalar);
  table.name = "emulated";
  emulated::set_vif_vertical(table);
  emulated::set_vif_horizontal(table);
  emulated::set_adm(table);
  emulated::set_adm_levels(table);
  emulated::set_adm_wavelet(table);
  emulated::set_motion(table);
  return table;
}

} // namespace hull::vmaf
