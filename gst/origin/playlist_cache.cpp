#include "gst/origin/playlist_cache.h"

#include "gst/origin/gref.h"

#include <fmt/format.h>

#include <gio/gio.h>

namespace hull::origin {
namespace {

constexpr std::size_t kMostEntries = 640; // a flood of different wrong queries must not fill the memory

publish::PlaylistReply write(const publish::Live &live, const std::string &path,
                             const publish::PlaylistQuery &query) {
  if (path == "manifest.mpd") return live.mpd(live.now());
  if (path == "master.m3u8") return live.multivariant();
  return live.playlist(std::string_view(path).substr(0, path.rfind('.')), query);
}

/// RFC 1952; empty when zlib fails.
std::string gzip(std::string_view text) {
  const auto compressor =
      GRef<GZlibCompressor>::adopt(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
  std::string out(text.size() + text.size() / 8 + 64, '\0');
  gsize read = 0, written = 0;
  const GConverterResult result =
      g_converter_convert(G_CONVERTER(compressor.get()), text.data(), text.size(), out.data(), out.size(),
                          G_CONVERTER_INPUT_AT_END, &read, &written, nullptr);
  if (result != G_CONVERTER_FINISHED) return {};
  out.resize(written);
  return out;
}

std::string digest(std::string_view text) {
  return OwnedText(g_compute_checksum_for_data(G_CHECKSUM_SHA1, reinterpret_cast<const guchar *>(text.data()),
                                               text.size()))
      .c_str();
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
  std::string packed = entry.status == 200 ? gzip(made.text) : std::string();
  if (!packed.empty()) entry.gzip = std::make_shared<const std::string>(std::move(packed));
  if (entry.status == 200) entry.etag = digest(made.text);
  entry.text = std::make_shared<const std::string>(std::move(made.text));
  if (entry.status == 200)
    log_.line(LogLevel::debug, [&] {
      return fmt::format("{} is written: {} bytes, {} packed", key, entry.text->size(),
                         entry.gzip ? entry.gzip->size() : 0);
    });
  return entry;
}

} // namespace hull::origin
