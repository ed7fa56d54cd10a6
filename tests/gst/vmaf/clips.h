#pragma once

#include "gst/vmaf/session.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace hull::vmaf::test {

/// Planar frames in memory, as raw YUV files hold them.
struct Clip {
  int width = 0, height = 0, bits = 8;
  int chroma_width = 0, chroma_height = 0;
  int frames = 0;
  std::vector<std::uint8_t> bytes;

  Picture picture(int frame) const {
    const std::ptrdiff_t unit = bits > 8 ? 2 : 1;
    const std::ptrdiff_t luma = unit * width * height, chroma = unit * chroma_width * chroma_height;
    const std::uint8_t *at = bytes.data() + frame * (luma + 2 * chroma);
    Picture made;
    made.y = {at, unit * width, width, height, bits, 0};
    if (chroma) {
      made.cb = {at + luma, unit * chroma_width, chroma_width, chroma_height, bits, 0};
      made.cr = {at + luma + chroma, unit * chroma_width, chroma_width, chroma_height, bits, 0};
    }
    return made;
  }
};

inline std::filesystem::path vectors_folder() {
  const char *shared = std::getenv("HULL_SHARED");
  return std::filesystem::path(shared ? shared : "../shared") / "vmaf" / "vectors";
}

inline nlohmann::json read_json(const std::filesystem::path &path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file, nullptr, false);
}

/// What `gzip -dc` makes of a file.
inline std::vector<std::uint8_t> unzipped(const std::filesystem::path &path) {
  std::vector<std::uint8_t> bytes;
  FILE *pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  if (!pipe) return bytes;
  std::uint8_t block[65536];
  for (std::size_t n; (n = fread(block, 1, sizeof block, pipe)) > 0;)
    bytes.insert(bytes.end(), block, block + n);
  pclose(pipe);
  return bytes;
}

inline std::filesystem::path stored_path(const nlohmann::json &pair, const std::string &side) {
  return vectors_folder() / "raw" / (pair["name"].get<std::string>() + "." + side + ".yuv.gz");
}

/// One side ("ref" or "dis") of a pair in the manifest that has a stored raw file.
inline std::optional<Clip> stored_clip(const nlohmann::json &pair, const std::string &side) {
  Clip clip;
  clip.width = pair["width"];
  clip.height = pair["height"];
  clip.bits = pair["bits"];
  clip.frames = pair["frames_scored"];
  const bool full = pair["chroma"] == "444";
  clip.chroma_width = full ? clip.width : clip.width / 2;
  clip.chroma_height = full ? clip.height : clip.height / 2;
  clip.bytes = unzipped(stored_path(pair, side));
  const auto luma = static_cast<std::size_t>(clip.width) * static_cast<std::size_t>(clip.height);
  const auto chroma =
      static_cast<std::size_t>(clip.chroma_width) * static_cast<std::size_t>(clip.chroma_height);
  const std::size_t needed =
      (luma + 2 * chroma) * (clip.bits > 8 ? 2 : 1) * static_cast<std::size_t>(clip.frames);
  if (clip.bytes.size() < needed) return std::nullopt;
  return clip;
}

/// Every frame of `distorted` scored against `reference`.
inline ScoreLog scores_of(const Clip &reference, const Clip &distorted, const SessionOptions &options) {
  Session session(reference.width, reference.height, 1, options);
  StreamScores scores(*session.columns(), 32768);
  const auto add = [&scores](const std::vector<FrameScore> &made) {
    for (const FrameScore &score : made)
      scores.add(score);
  };
  for (int n = 0; n < reference.frames; ++n) {
    const Picture r = reference.picture(n), d = distorted.picture(n);
    const Plane before = n ? reference.picture(n - 1).y : Plane{};
    const Plane earlier = n > 1 ? reference.picture(n - 2).y : Plane{};
    const Picture *const pictures[] = {&d};
    add(session.push(r, {n ? &before : nullptr, n > 1 ? &earlier : nullptr}, pictures));
  }
  add(session.finish());
  return scores.log();
}

} // namespace hull::vmaf::test
