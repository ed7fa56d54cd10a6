#pragma once

#include <span>
#include <vector>

namespace hull::ladder {

/// One way to encode a shot: what it costs and what it is worth, both additive over shots (bits, and frames
/// times VMAF; for harmonic pooling frames times -1/(1+VMAF)).
struct Choice {
  double cost = 0;
  double value = 0;
};

/// One point of a title: the sums, and for each shot the index of the choice it uses.
struct Combination {
  double cost = 0;
  double value = 0;
  std::vector<std::size_t> choice;
};

/// The convex hull of all combinations of one choice per shot, from the cheapest to the best: every shot
/// starts at the cheapest vertex of its own hull, and the steps of all hulls are taken by falling slope, so
/// that every shot works at the same slope (Lagrange). Exact for additive cost and value. Ties go to the
/// earlier shot. A shot without a usable choice makes the result empty.
std::vector<Combination> equal_slope(std::span<const std::vector<Choice>> shots);

} // namespace hull::ladder
