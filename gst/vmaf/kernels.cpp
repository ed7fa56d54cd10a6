#include "gst/vmaf/kernels.h"

#include "gst/vmaf/kernels_scalar.h"

namespace hull::vmaf {
namespace {

Kernels scalar_kernels() {
  Kernels table{};
  table.name = "scalar";
  scalar::set_vif(table);
  scalar::set_adm(table);
  scalar::set_motion(table);
  return table;
}

} // namespace

const Kernels &kernels(Cpu) {
  static const Kernels plain = scalar_kernels();
  return plain;
}

} // namespace hull::vmaf
