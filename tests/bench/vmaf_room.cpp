// Scoring alone: frames in memory, no pipeline. For finding out where VMAF's time goes; whole processes are
// measured by vmaf.py.
//
//   bench_vmaf_room WIDTH HEIGHT REFERENCE.yuv DISTORTED.yuv [renditions] [threads] [neg]
//
// Prints the least time of each frame over all rounds, added up: what other work on the machine disturbs
// least.

#include "gst/vmaf/analyzer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>

namespace {

using namespace hull::vmaf;

constexpr std::size_t kMostFrames = 24;
constexpr int kRounds = 7;

struct Clip {
  std::size_t frame_bytes, frames;
  std::vector<char> bytes;
  Picture picture(std::size_t index, int width, int height) const {
    const auto *data = reinterpret_cast<const std::uint8_t *>(bytes.data()) + index * frame_bytes;
    return {{data, width, width, height, 8, 0}, {}, {}};
  }
};

Clip load(const char *path, int width, int height) {
  const std::size_t size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3 / 2;
  Clip clip{size, 0, std::vector<char>(size * kMostFrames)};
  std::ifstream file(path, std::ios::binary);
  file.read(clip.bytes.data(), static_cast<std::streamsize>(clip.bytes.size()));
  clip.frames = static_cast<std::size_t>(file.gcount()) / size;
  return clip;
}

/// Milliseconds per frame.
double measure(const Clip &reference, const Clip &distorted, int width, int height, std::size_t renditions,
               const AnalyzerOptions &options) {
  Analyzer analyzer(width, height, renditions, options);
  const std::size_t frames = std::min(reference.frames, distorted.frames);
  std::vector<double> least(frames, 1e9);
  std::vector<PairFeatures> features(renditions);
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < frames; ++i) {
      const std::vector<Picture> pictures(renditions, distorted.picture(i, width, height));
      const Plane previous = reference.picture(i ? i - 1 : 0, width, height).y;
      const auto begin = std::chrono::steady_clock::now();
      analyzer.measure(reference.picture(i, width, height), {&previous}, pictures, features);
      const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
      least[i] = std::min(least[i], taken.count());
    }
  double sum = 0;
  for (const double time : least)
    sum += time;
  return sum / static_cast<double>(frames);
}

} // namespace

int main(int count, char **arguments) {
  if (count < 5) {
    std::fprintf(stderr, "%s WIDTH HEIGHT REFERENCE.yuv DISTORTED.yuv [renditions] [threads] [neg]\n",
                 arguments[0]);
    return 2;
  }
  const int width = std::atoi(arguments[1]), height = std::atoi(arguments[2]);
  const Clip reference = load(arguments[3], width, height), distorted = load(arguments[4], width, height);
  if (!reference.frames || !distorted.frames) {
    std::fprintf(stderr, "%s: no whole frame in %s or %s\n", arguments[0], arguments[3], arguments[4]);
    return 1;
  }
  const auto renditions = static_cast<std::size_t>(count > 5 ? std::atoi(arguments[5]) : 1);
  AnalyzerOptions options;
  options.threads = count > 6 ? static_cast<unsigned>(std::atoi(arguments[6])) : 1;
  options.gains.neg = count > 7 && !std::strcmp(arguments[7], "neg");
  fmt::print("{}: {:.2f} ms/frame\n", options.kernels->name,
             measure(reference, distorted, width, height, renditions, options));
  return 0;
}
