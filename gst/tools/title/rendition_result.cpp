#include "gst/tools/title/rendition_result.h"

#include "gst/tools/support/files.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hull::tools {
namespace {

// Raised when the meaning of a result changes, so that old caches are measured anew.
constexpr int kSchema = 2;

} // namespace

double percentile(std::vector<double> scores, double percent) {
  if (scores.empty()) return 0;
  std::sort(scores.begin(), scores.end());
  const double at = percent / 100 * static_cast<double>(scores.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, scores.size() - 1);
  return scores[low] + (at - static_cast<double>(low)) * (scores[high] - scores[low]);
}

double pooled(const std::vector<double> &scores, Pool pool) {
  if (scores.empty()) return 0;
  const auto n = static_cast<double>(scores.size());
  if (pool == Pool::p5) return percentile(scores, 5);
  if (pool == Pool::mean) return std::accumulate(scores.begin(), scores.end(), 0.0) / n;
  // libvmaf's harmonic mean: moved by one, so that a score of 0 does not decide alone.
  double sum = 0;
  for (const double s : scores)
    sum += 1 / (s + 1);
  return n / sum - 1;
}

std::string qp_text(int qp) {
  return qp >= kFirstPlan ? "shots" : std::to_string(qp);
}

std::uint64_t RenditionResult::bytes() const {
  return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
}

std::vector<double> RenditionResult::scores() const {
  if (scored.empty()) return vmaf;
  std::vector<double> all;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const bool alone = scored[i] == 0 && scored.size() > 1, last = i + 1 == scored.size();
    const std::uint64_t end = alone ? 1 : last ? pictures : (scored[i] + scored[i + 1] + 1) / 2;
    while (all.size() < end)
      all.push_back(vmaf[i]);
  }
  return all;
}

std::string key_of(const Recipe &recipe, const Rendition &rendition) {
  Json schedule = Json::array();
  for (const QpChange &change : rendition.schedule)
    schedule.push_back({change.picture, change.qp});
  const Source &s = recipe.source;
  const Json content = {{"schema", kSchema},
                        {"version", HULL_VERSION},
                        {"source", s.identity},
                        {"display", {s.display.width, s.display.height}},
                        {"rate", {s.fps_n, s.fps_d}},
                        {"part", {recipe.unit.window.first, recipe.unit.window.count}},
                        {"encoder", "hullh264enc cqp high"},
                        {"qp", rendition.qp},
                        {"schedule", schedule},
                        {"keys", recipe.unit.keys},
                        {"size", {rendition.res.width, rendition.res.height}},
                        {"scaler", "hullscale bicubic down and up"},
                        {"model", recipe.model},
                        {"subsample", recipe.subsample},
                        {"scored", rendition.score},
                        {"media", !rendition.media.empty()}};
  return sha256(content.dump());
}

RenditionResult rendition_result(const std::string &key, const Rendition &rendition, const Measured &measured,
                                 std::uint64_t pictures, double seconds, unsigned subsample) {
  RenditionResult r;
  r.key = key;
  r.res = rendition.res;
  r.qp = rendition.qp;
  r.pictures = pictures;
  r.seconds = seconds;
  r.sizes = measured.sizes;
  r.vmaf = measured.vmaf;
  for (std::size_t i = 0; i < measured.keys.size(); ++i)
    if (measured.keys[i]) r.keys.push_back(i);
  for (std::size_t i = 0; subsample > 1 && i < r.vmaf.size(); ++i)
    r.scored.push_back(i * subsample);
  return r;
}

Json to_json(const RenditionResult &r) {
  return {{"width", r.res.width},
          {"height", r.res.height},
          {"qp", r.qp},
          {"pictures", r.pictures},
          {"seconds", r.seconds},
          {"sizes", r.sizes},
          {"keys", r.keys},
          {"vmaf", r.vmaf},
          {"scored", r.scored},
          {"media", r.media},
          {"media_bytes", r.media_bytes}};
}

RenditionResult rendition_result_from(const std::string &key, const Json &j) {
  RenditionResult r;
  r.key = key;
  r.res = {j.at("width").get<unsigned>(), j.at("height").get<unsigned>()};
  r.qp = j.at("qp").get<int>();
  r.pictures = j.at("pictures").get<std::uint64_t>();
  r.seconds = j.at("seconds").get<double>();
  r.sizes = j.at("sizes").list<std::uint32_t>();
  r.keys = j.at("keys").list<std::uint64_t>();
  r.vmaf = j.at("vmaf").list<double>();
  r.scored = j.at("scored").list<std::uint64_t>();
  r.media = j.at("media").get<std::string>();
  r.media_bytes = j.at("media_bytes").get<std::uint64_t>();
  return r;
}

RenditionResult joined(const std::vector<RenditionResult> &units) {
  if (units.size() == 1) return units.front();
  RenditionResult whole;
  std::string keys;
  for (const RenditionResult &unit : units) {
    keys += unit.key;
    whole.res = unit.res;
    whole.qp = unit.qp;
    whole.seconds += unit.seconds;
    whole.sizes.insert(whole.sizes.end(), unit.sizes.begin(), unit.sizes.end());
    whole.vmaf.insert(whole.vmaf.end(), unit.vmaf.begin(), unit.vmaf.end());
    for (const std::uint64_t key : unit.keys)
      whole.keys.push_back(whole.pictures + key);
    for (const std::uint64_t number : unit.scored)
      whole.scored.push_back(whole.pictures + number);
    whole.pictures += unit.pictures;
  }
  whole.key = sha256(keys);
  return whole;
}

} // namespace hull::tools
