#include "gst/publish/m3u8.h"

#include <algorithm>
#include <charconv>

namespace hull::publish {

std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string Tag::get(const std::string &key) const {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string() : found->second;
}

std::optional<double> Tag::number(const std::string &key) const {
  return parse_decimal(get(key));
}

bool ListedSegment::has(std::string_view name) const {
  return std::any_of(tags.begin(), tags.end(), [name](const Tag *tag) { return tag->name == name; });
}

const Tag *Playlist::find(std::string_view name) const {
  const auto found =
      std::find_if(tags.begin(), tags.end(), [name](const Tag &tag) { return tag.name == name; });
  return found == tags.end() ? nullptr : &*found;
}

std::size_t Playlist::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(tags.begin(), tags.end(), [name](const Tag &tag) { return tag.name == name; }));
}

std::optional<double> Playlist::number(std::string_view name) const {
  const Tag *tag = find(name);
  return tag ? parse_decimal(tag->value) : std::nullopt;
}

namespace {

/// NAME=VALUE,NAME="VALUE": commas inside quotes belong to the value.
void parse_attributes(Tag &tag) {
  std::string_view rest = tag.value;
  while (!rest.empty()) {
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return;
    const std::string key(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::size_t end;
    if (rest.starts_with('"')) {
      end = rest.find('"', 1);
      tag.attributes[key] = rest.substr(1, end == std::string_view::npos ? end : end - 1);
      end = end == std::string_view::npos ? rest.size() : end + 1;
    } else {
      end = std::min(rest.find(','), rest.size());
      tag.attributes[key] = rest.substr(0, end);
    }
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
}

bool belongs_to_segment(const std::string &name) {
  static constexpr std::string_view kNames[] = {
      "EXT-X-PROGRAM-DATE-TIME", "EXT-X-MAP",       "EXT-X-KEY",    "EXT-X-GAP",
      "EXT-X-DISCONTINUITY",     "EXT-X-BYTERANGE", "EXT-X-BITRATE"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

} // namespace

Playlist parse_playlist(std::string_view text) {
  Playlist list;
  unsigned number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1) list.starts_right = line == "#EXTM3U";
    if (line.empty() || (line.starts_with('#') && !line.starts_with("#EXT"))) continue;
    Tag tag;
    tag.line = number;
    if (line.starts_with('#')) {
      const std::size_t colon = line.find(':');
      tag.name = line.substr(1, colon == std::string_view::npos ? colon : colon - 1);
      if (colon != std::string_view::npos) tag.value = line.substr(colon + 1);
      parse_attributes(tag);
    } else {
      tag.value = line;
    }
    list.tags.push_back(std::move(tag));
  }
  // Pointers into `tags` from here on: it does not grow any more.
  ListedSegment open;
  const Tag *inf = nullptr;
  for (const Tag &tag : list.tags) {
    if (belongs_to_segment(tag.name)) open.tags.push_back(&tag);
    if (tag.name == "EXT-X-PART")
      open.parts.push_back({&tag, tag.number("DURATION").value_or(0), tag.get("INDEPENDENT") == "YES",
                            tag.get("GAP") == "YES"});
    if (tag.name == "EXTINF") inf = &tag;
    if (!tag.name.empty() || !inf) continue;
    open.inf = inf;
    open.uri = &tag;
    open.duration = parse_decimal(std::string_view(inf->value).substr(0, inf->value.find(','))).value_or(-1);
    list.segments.push_back(std::move(open));
    open = {};
    inf = nullptr;
  }
  if (!open.parts.empty()) list.segments.push_back(std::move(open));
  return list;
}

} // namespace hull::publish
