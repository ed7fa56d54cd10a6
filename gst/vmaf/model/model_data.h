#pragma once

#include <span>

namespace hull::vmaf {

/// Figures of a built-in model: six features in the order adm2, motion2, vif_scale0..3; index 0 of slopes and
/// intercepts belongs to the score. `vectors` holds coefficient and six coordinates, one after the other.
struct ModelData {
  const char *name;
  double gamma;
  double rho;
  double slopes[7];
  double intercepts[7];
  std::span<const double> vectors;
};

extern const ModelData kModelV061;
extern const ModelData kModel4kV061;

} // namespace hull::vmaf
