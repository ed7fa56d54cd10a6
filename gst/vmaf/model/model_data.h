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

/// The same of the v1 models, which share it: cambi, speed_chroma_uv, adm3, motion3.
struct ModelDataV1 {
  double gamma;
  double rho;
  double slopes[5];
  double intercepts[5];
  std::span<const double> vectors;
};

extern const ModelDataV1 kModelV1016;
extern const ModelData kModelV061;
extern const ModelData kModel4kV061;

} // namespace hull::vmaf
