#pragma once

#include "gst/tools/media/measure.h"

#include <cstdint>
#include <vector>

namespace hull::tools {

/// First pictures of groups: every shot begins one, and none is longer than `gop` pictures.
std::vector<std::uint64_t> group_starts(const std::vector<std::uint64_t> &shots, std::uint64_t pictures,
                                        unsigned gop);

/// What encodes at several constant quantizers tell about each group of pictures.
class GroupCurves {
 public:
  /// `trials` are whole encodes, one per entry of `quantizers`, which rise.
  GroupCurves(std::vector<std::uint64_t> starts, std::uint64_t pictures, std::vector<int> quantizers,
              const std::vector<Measured> &trials);

  /// Bytes of the whole title with every group at quantizer `x`, which need not be whole: sizes are
  /// interpolated in the logarithm, and go on with the outer slopes beyond the quantizers tried.
  double bytes_at(double x) const;
  /// Mean score over all pictures at `x`; NaN without scores.
  double score_at(double x) const;
  /// The quantizer, 0 to 51, that gives so many bytes, or such a score; the nearer end when none does.
  double quantizer_for_bytes(double bytes) const;
  double quantizer_for_score(double score) const;

  /// Whole quantizers that rise through every group around `x`, their average, and better ones for the key
  /// pictures, which go by `keys`: with that held, bytes and score change in steps of one picture as `x`
  /// does.
  std::vector<QpChange> schedule(double x, double keys) const;

 private:
  struct Group {
    std::uint64_t first = 0, pictures = 0;
    std::vector<double> log_bytes, score; ///< per quantizer; score is a sum
  };
  double interpolate(const std::vector<double> &values, double x) const;
  template <class Value> double solve(Value value, double wanted) const;
  std::vector<Group> groups_;
  std::vector<int> quantizers_;
  std::uint64_t pictures_;
  bool scored_ = false;
};

} // namespace hull::tools
