#include "gst/ladder/shots.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace hull::ladder {
namespace {

// Measured on generated and real clips: cuts change 20 code values and more, camera motion up to 25 but then
// in every picture, fades up to 12.
constexpr float kLeastChange = 7;      // code values
constexpr float kStandsOut = 2.2f;     // times the greatest change of the neighbours
constexpr float kClassChange = 0.25f;  // share of samples
constexpr std::size_t kNeighbours = 5; // pictures on each side
constexpr float kReturned = 0.5f;      // a flash leaves less than this share of its change behind

float difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += static_cast<unsigned>(std::abs(a[i] - b[i]));
  return static_cast<float>(sum) / static_cast<float>(a.size());
}

} // namespace

void ShotDetector::add(std::span<const std::uint8_t> luma) {
  if (luma.size() != kWidth * kHeight) return;
  std::array<float, 16> classes{};
  for (const std::uint8_t sample : luma)
    classes[sample >> 4] += 1.0f / (kWidth * kHeight);
  Change change;
  if (!changes_.empty()) {
    change.last = difference(luma, thumbs_[0]);
    change.second = changes_.size() > 1 ? difference(luma, thumbs_[1]) : change.last;
    for (std::size_t i = 0; i < classes.size(); ++i)
      change.histogram += std::abs(classes[i] - classes_[i]) / 2;
  }
  changes_.push_back(change);
  thumbs_[1] = thumbs_[0];
  std::copy(luma.begin(), luma.end(), thumbs_[0].begin());
  classes_ = classes;
}

void ShotDetector::append(const ShotDetector &next, std::size_t lead) {
  if (next.changes_.size() <= lead) return;
  changes_.insert(changes_.end(), next.changes_.begin() + static_cast<std::ptrdiff_t>(lead),
                  next.changes_.end());
  thumbs_ = next.thumbs_;
  classes_ = next.classes_;
}

std::vector<std::uint64_t> ShotDetector::shots(unsigned least) const {
  std::vector<std::uint64_t> starts;
  if (changes_.empty()) return starts;
  starts.push_back(0);
  for (std::size_t t = 1; t < changes_.size(); ++t) {
    const Change &c = changes_[t];
    if (c.last < kLeastChange || c.second < kReturned * c.last) continue;
    // The picture after must still be far from the one before: else this is a flash.
    if (t + 1 < changes_.size() && changes_[t + 1].second < kReturned * c.last) continue;
    float around = 0;
    for (std::size_t n = t > kNeighbours ? t - kNeighbours : 1; n <= t + kNeighbours && n < changes_.size();
         ++n)
      if (n != t) around = std::max(around, changes_[n].last);
    const bool jumps = c.last > kStandsOut * around;
    const bool other_picture = c.histogram > kClassChange && c.last > 1.4f * around;
    if (!jumps && !other_picture) continue;
    if (t - starts.back() >= least) starts.push_back(t);
  }
  return starts;
}

} // namespace hull::ladder
