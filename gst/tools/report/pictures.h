#pragma once

#include "gst/tools/title/title.h"

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace hull::tools {

/// The picture of a rung with the lowest score beside the source's, for people to judge the judge.
struct WorstPicture {
  std::uint64_t number = 0;
  double vmaf = 0;
  std::string source, rung; ///< JPEG in base64, both of one size
};

/// One for each rung of a title, or nothing where a file is gone or scores are missing: a report does
/// without.
using WorstPictures = std::vector<std::optional<WorstPicture>>;

/// Those the cache of `folder` holds.
WorstPictures known_worst_pictures(const TitleResult &title, const std::string &folder);

/// As known_worst_pictures(), and what is missing is made, as many at once as there are cores, and kept in
/// the cache: source and track file are decoded, from the picture on where they can be seeked.
WorstPictures make_worst_pictures(const TitleResult &title, const std::string &folder,
                                  const std::atomic<int> &stop);

} // namespace hull::tools
