#pragma once

#include "gst/tools/title/record.h"

#include <atomic>
#include <optional>
#include <string>

namespace hull::tools {

/// The picture of a rung with the lowest score beside the source's, for people to judge the judge.
struct WorstPicture {
  std::uint64_t number = 0;
  double vmaf = 0;
  std::string source, rung; ///< JPEG in base64, both of one size
};

/// Takes it from the cache, or with `make` decodes source and track file, seeking where they can be, and puts
/// it there. Nothing when a file is gone, or without scores: a report does without.
std::optional<WorstPicture> worst_picture(const Source &source, const Record &rung, const std::string &folder,
                                          const Cache &cache, bool make, const std::atomic<int> &stop);

} // namespace hull::tools
