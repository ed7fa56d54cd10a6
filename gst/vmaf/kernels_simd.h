#pragma once

#include "gst/vmaf/kernels.h"

namespace hull::vmaf::avx2 {

/// Each part overwrites its entries of the scalar table. The two VIF parts belong together: rows between them
/// are in a form of their own.
void set_vif_vertical(Kernels &table);
void set_vif_horizontal(Kernels &table);
void set_adm(Kernels &table);
void set_adm_levels(Kernels &table);
void set_adm_wavelet(Kernels &table);
void set_motion(Kernels &table);
void set_scaler(Kernels &table);

} // namespace hull::vmaf::avx2
