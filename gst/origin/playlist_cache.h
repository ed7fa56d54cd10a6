#pragma once

// Playlists of this version of the window, written and compressed once for all who ask.

#include "gst/core/log.h"
#include "gst/publish/live/live.h"

#include <map>
#include <memory>
#include <string>

namespace hull::origin {

class PlaylistCache {
 public:
  struct Entry {
    int status = 0;                                ///< 0: wait for the next change
    std::shared_ptr<const std::string> text, gzip; ///< gzip: none if it could not be packed
    std::string etag;                              ///< of the text, without quotes
  };
  explicit PlaylistCache(LogSink log) : log_(std::move(log)) {}
  /// `path` is manifest.mpd, master.m3u8 or a track's playlist. Valid until the next call.
  const Entry &get(const publish::Live &live, const std::string &path, const publish::PlaylistQuery &query);

 private:
  const LogSink log_;
  const publish::Live *live_ = nullptr;
  std::uint64_t version_ = ~std::uint64_t{0};
  std::map<std::string, Entry> entries_;
};

} // namespace hull::origin
