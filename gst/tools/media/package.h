#pragma once

#include "gst/ladder/checks.h"
#include "gst/tools/media/source.h"

#include <atomic>
#include <string>
#include <vector>

namespace hull::tools {

/// The sound of a title as one CMAF track file: AAC and Opus carried over, anything else encoded once to
/// AAC-LC at 128 kbit/s. `path` is written whole or not at all.
Result<void> package_audio(const Source &source, const std::string &path, const std::atomic<int> &stop);

/// A rung's file and what the manifests say of it.
struct PackagedRung {
  std::string file; ///< name inside the folder
  ladder::RungFacts facts;
};

struct Package {
  std::vector<PackagedRung> rungs; ///< in the order of `files`
  std::string master, mpd;         ///< paths
};

/// Reads the track files of `folder` (videos highest rate first, then the audio, if any) and writes
/// master.m3u8, one playlist per track and manifest.mpd beside them.
Result<Package> write_manifests(const std::string &folder, const std::vector<std::string> &videos,
                                const std::string &audio);

} // namespace hull::tools
