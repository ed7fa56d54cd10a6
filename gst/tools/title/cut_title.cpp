#include "gst/tools/title/cut_title.h"

#include "gst/tools/title/encode_plan.h"

#include <cmath>

namespace hull::tools {
namespace {

Source with_scan(Source s, const Scan &scan) {
  s.frames = scan.pictures;
  s.seconds = scan.seconds;
  s.start_ns = scan.start_ns;
  if (s.audio) s.late_ns = scan.late_ns;
  s.steady = scan.steady;
  s.variable_rate |= scan.variable_rate;
  if (s.variable_rate && s.seconds > 0) { // the average decides the length of groups
    s.fps_n = static_cast<int>(std::lround(1000.0 * static_cast<double>(s.frames) / s.seconds));
    s.fps_d = 1000;
  }
  return s;
}

// What is asked for point by point is scored picture by picture, and so are shots, whose slices are short. A
// search only has to find its rungs, which are scored in full.
unsigned search_step(const Source &source, const TitleOptions &options) {
  constexpr unsigned kSearch = 3, kQuick = 5, kLeastScored = 12; // odd steps meet all frame types
  const bool searching = options.qps.empty() && !options.shots;
  const unsigned step = options.quick ? kQuick : searching ? kSearch : 1;
  return source.frames < std::uint64_t{step} * kLeastScored ? 1 : step;
}

} // namespace

CutTitle cut_title(const Source &source, const Scan &scan, const TitleOptions &options) {
  CutTitle title;
  title.source = with_scan(source, scan);
  title.scan = scan;
  title.subsample = search_step(title.source, options);
  static const std::vector<std::uint64_t> kOneShot = {0};
  const auto groups =
      group_starts(options.shots ? scan.shots : kOneShot, title.source.frames, title.source.gop());
  title.units = work_units(title.source, groups, 1);
  // Shots are planned one by one, so all of them are measured.
  title.samples = options.shots ? work_units(title.source, groups, title.subsample)
                                : sample_units(title.source, groups, title.subsample);
  std::uint64_t pictures = 0;
  for (const WorkUnit &unit : title.samples)
    pictures += unit.window.count;
  title.is_sampled = pictures != title.source.frames;
  return title;
}

} // namespace hull::tools
