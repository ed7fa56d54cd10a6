#pragma once

#include <map>
#include <string>

namespace hull::origin {

/// The page at /: plays the stream with what the viewer picks and shows its latency. `libraries` are the
/// names under /player/ that exist; without any the page says how to get them.
///
/// Latency there is the wall clock minus the time at which the picture on screen was taken:
/// availabilityStartTime or PROGRAM-DATE-TIME plus its media time, corrected by the origin's own clock at
/// /time.
std::string player_page(const std::map<std::string, std::string> &libraries);

/// The players' files by their names under /player/, read from `folder`, an npm node_modules; missing ones
/// are left out. Empty `folder`: the HULL_PLAYER_DIR environment variable.
std::map<std::string, std::string> load_players(const std::string &folder);

} // namespace hull::origin
