#pragma once

#include "gst/ladder/point.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hull::ladder {

/// Measured points of one of the pilot's clips (constant quantizer, bicubic both ways, mean VMAF); empty
/// where the shared data is absent. "flower720" is scored at 720 lines.
inline std::vector<Point> pilot_points(const std::string &clip) {
  const char *shared = std::getenv("HULL_SHARED");
  std::ifstream file(std::string(shared ? shared : "../shared") + "/research/pertitle_pilot.jsonl");
  std::vector<Point> points;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_discarded() || json.value("clip", "") != clip || json.value("enc", "") != "openh264" ||
        json.value("up", "bicubic") != "bicubic")
      continue;
    points.push_back({{json.value("w", 0u), json.value("h", 0u)},
                      json.value("qp", 0),
                      json.value("kbps", 0.0) * 1000,
                      json.value("vmaf", 0.0)});
  }
  return points;
}

} // namespace hull::ladder
