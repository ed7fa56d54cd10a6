#pragma once

#include "gst/vmaf/kernels/kernels.h"

// Each part of a set overwrites its entries of the table below it. The two VIF parts belong together: rows
// between them are in a form of their own.

namespace hull::vmaf {

namespace avx2 {
void set_vif_vertical(Kernels &table);
void set_vif_horizontal(Kernels &table);
void set_adm(Kernels &table);
void set_adm_levels(Kernels &table);
void set_adm_wavelet(Kernels &table);
void set_motion(Kernels &table);
void set_scaler(Kernels &table);
} // namespace avx2

namespace avx512 {
void set_vif_vertical(Kernels &table);
void set_vif_horizontal(Kernels &table);
void set_adm(Kernels &table);
void set_adm_levels(Kernels &table);
void set_adm_wavelet(Kernels &table);
void set_motion(Kernels &table);
} // namespace avx512

} // namespace hull::vmaf
