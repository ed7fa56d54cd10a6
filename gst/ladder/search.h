#pragma once

#include "gst/ladder/choose.h"

#include <span>
#include <vector>

namespace hull::ladder {

/// An encode worth making.
struct Probe {
  Resolution res;
  int qp = 0;
};

/// Quantizers OpenH264 is measured at: below 20 points cost much and lie past every ladder, above 44 its rate
/// rises again.
inline constexpr int kLowestQp = 20, kHighestQp = 44;

/// The first round of a search: two encodes per picture size, which bound where each is of use.
std::vector<Probe> first_round(std::span<const Resolution> sizes);

/// The second round, at most `most` encodes, most useful first: from the lines through the first two points
/// of each size it works out where a size is within 2 VMAF of the best inside the rules' rates and qualities,
/// and asks for the ends of that range and, where it is wide, for its middle.
std::vector<Probe> second_round(std::span<const Resolution> sizes, std::span<const Point> measured,
                                const Rules &rules, std::size_t most);

} // namespace hull::ladder
