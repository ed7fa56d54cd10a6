#pragma once

#include "gst/core/json.h"
#include "gst/tools/media/measure.h"
#include "gst/tools/title/work_units.h"

#include <string>
#include <vector>

namespace hull::tools {

/// How the scores of a title's pictures become one number.
enum class Pool { mean, harmonic_mean, p5 };

double pooled(const std::vector<double> &scores, Pool pool);
double percentile(std::vector<double> scores, double percent);

/// From here on a point's quantizer is the number of a plan with one quantizer per shot.
inline constexpr int kFirstPlan = 1000;

/// A quantizer for people: "26", or "shots" for a plan.
std::string qp_text(int qp);

/// What is known of an encode that was measured: all that any later decision needs, picture by picture.
struct RenditionResult {
  std::string key;
  ladder::Resolution res;
  int qp = 0;
  std::uint64_t pictures = 0;
  double seconds = 0;
  std::vector<std::uint32_t> sizes;
  std::vector<std::uint64_t> keys; ///< numbers of the IDR pictures
  std::vector<double> vmaf;
  std::vector<std::uint64_t> scored; ///< numbers of the pictures `vmaf` is of; empty = of all
  std::string media;                 ///< name of its track file; empty = none
  std::uint64_t media_bytes = 0;

  std::uint64_t bytes() const;
  double bps() const { return seconds > 0 ? static_cast<double>(bytes()) * 8 / seconds : 0; }
  /// One score per picture: where only some were scored, the nearest one's. The title's first picture, which
  /// scores low for want of motion, stands for itself alone. Empty when nothing was scored.
  std::vector<double> scores() const;
  ladder::Point point(Pool pool) const { return {res, qp, bps(), pooled(scores(), pool)}; }
};

/// What a measurement depends on besides the rendition itself.
struct Recipe {
  Source source;
  WorkUnit unit;
  std::string model = "vmaf_v0.6.1";
  unsigned subsample = 1;
};

/// SHA-256 over everything that decides a result's content: the source's bytes, the unit, encoder and
/// quantizers, group places, sizes, scaler, model, versions.
std::string key_of(const Recipe &recipe, const Rendition &rendition);

RenditionResult rendition_result(const std::string &key, const Rendition &rendition, const Measured &measured,
                                 std::uint64_t pictures, double seconds, unsigned subsample);

Json to_json(const RenditionResult &result);
/// Throws JsonError when a field is missing.
RenditionResult rendition_result_from(const std::string &key, const Json &json);

/// The results of a title's units in order of time, as one: pictures are numbered through. Its key follows
/// from theirs.
RenditionResult joined(const std::vector<RenditionResult> &units);

} // namespace hull::tools
