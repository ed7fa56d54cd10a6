#pragma once

// A playlist as it is written, for the linter: tags in order, and the segments and parts they make.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hull::publish {

struct Tag {
  unsigned line = 0;
  std::string name;                              ///< "EXT-X-PART" without '#'; empty for a URI line
  std::string value;                             ///< after ':'; the URI itself for a URI line
  std::map<std::string, std::string> attributes; ///< without the quotes
  std::string get(const std::string &key) const;
  std::optional<double> number(const std::string &key) const;
};

struct ListedPart {
  const Tag *tag = nullptr;
  double duration = 0;
  bool independent = false, gap = false;
};

struct ListedSegment {
  const Tag *inf = nullptr, *uri = nullptr; ///< null while the segment is open
  double duration = 0;
  std::vector<ListedPart> parts;
  std::vector<const Tag *> tags; ///< those that belong to it: PDT, MAP, GAP, DISCONTINUITY …
  bool has(std::string_view name) const;
};

struct Playlist {
  std::vector<Tag> tags;
  std::vector<ListedSegment> segments; ///< the last one may be open
  bool starts_right = false;           ///< first line is #EXTM3U
  const Tag *find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::optional<double> number(std::string_view name) const; ///< value of a tag that is one number
  bool is_media() const { return find("EXTINF") || find("EXT-X-TARGETDURATION"); }
};

Playlist parse_playlist(std::string_view text);
/// Decimal number that fills `text`; nothing else.
std::optional<double> parse_decimal(std::string_view text);

} // namespace hull::publish
