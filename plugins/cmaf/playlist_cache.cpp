#include "plugins/cmaf/playlist_cache.h"

#include "plugins/cmaf/reply.h"

#include <fmt/format.h>

namespace hull::cmaf {
namespace {

constexpr std::size_t kMostEntries = 640; // a flood of different wrong queries must not fill the memory

publish::PlaylistReply write(const publish::Live &live, const std::string &path,
                             const publish::PlaylistQuery &query) {
  if (path == "manifest.mpd") return live.mpd(live.now());
  if (path == "master.m3u8") return live.multivariant();
  return live.playlist(std::string_view(path).substr(0, path.rfind('.')), query);
}

} // namespace

const PlaylistCache::Entry &PlaylistCache::get(const publish::Live &live, const std::string &path,
                                               const publish::PlaylistQuery &query) {
  const std::uint64_t version = live.version();
  if (version_ != version || live_ != &live || entries_.size() > kMostEntries) entries_.clear();
  version_ = version;
  live_ = &live;
  const std::string key = fmt::format("{}?{}&{}&{}", path, query.msn ? fmt::to_string(*query.msn) : "",
                                      query.part ? fmt::to_string(*query.part) : "", query.skip);
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second;
  publish::PlaylistReply made = write(live, path, query);
  Entry &entry = entries_[key];
  entry.status = made.status;
  entry.text = std::move(made.text);
  if (entry.status == 200) entry.gzip = gzip(entry.text);
  return entry;
}

} // namespace hull::cmaf
