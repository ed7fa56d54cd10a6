#pragma once

#include "gst/core/file.h"
#include "gst/tools/title/cache.h"

#include <set>
#include <string>

namespace hull::tools {

/// The folder of a title: its results, OUT/cache, OUT/tasks and OUT/parts. It is this run's alone for as long
/// as this object lives, since two runs in one folder would remove each other's files; the lock goes with the
/// process, however that ends.
class ResultFolder {
 public:
  /// Makes what is missing, and removes what killed runs left unfinished. Fails with state when another run
  /// works there.
  static Result<ResultFolder> open(const std::string &path);

  /// Without links or dots: tasks are done with it as the current folder, maybe on another machine.
  const std::string &path() const { return path_; }
  const Cache &cache() const { return cache_; }

  /// Removes the files of rungs that an earlier choice had and `wanted` has not.
  void remove_other_videos(const std::set<std::string> &wanted) const;

 private:
  ResultFolder(std::string path, Fd lock, Cache cache)
      : path_(std::move(path)), lock_(std::move(lock)), cache_(std::move(cache)) {}
  std::string path_;
  Fd lock_;
  Cache cache_;
};

} // namespace hull::tools
