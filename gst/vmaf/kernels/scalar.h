#pragma once

#include "gst/vmaf/kernels/kernels.h"

namespace hull::vmaf::scalar {

/// Each part fills its entries of the table.
void set_vif(Kernels &table);
void set_adm(Kernels &table);
void set_motion(Kernels &table);
void set_cambi(Kernels &table);
void set_scaler(Kernels &table);

} // namespace hull::vmaf::scalar
