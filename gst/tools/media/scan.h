#pragma once

#include "gst/core/json.h"
#include "gst/tools/media/source.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

namespace hull::tools {

/// What one decode without encoding tells: how long the title really is and where its shots begin.
struct Scan {
  std::uint64_t pictures = 0;
  double seconds = 0;
  bool variable_rate = false;       ///< distances of timestamps differ by more than a tenth
  std::uint64_t start_ns = 0;       ///< time of the first picture
  std::uint64_t late_ns = 0;        ///< from the start of the source to its first picture
  bool steady = false;              ///< every picture lies within a quarter of where counting puts it
  std::vector<std::uint64_t> shots; ///< first pictures
};

/// Decodes all of a title. Fails with bad_data when it ends well before its container says: it was cut.
Result<Scan> scan(const Source &source, const std::atomic<int> &stop,
                  const std::function<void(std::uint64_t)> &progress = {});

Json to_json(const Scan &scan);
Result<Scan> scan_from_json(const Json &json);

} // namespace hull::tools
