#include "gst/isobmff/formats/webvtt.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/tree.h"

#include <algorithm>
#include <cstdio>

namespace hull::isobmff {
namespace {

constexpr std::size_t kLongestBlock = 1 << 20;
constexpr std::string_view kArrow = "-->";
constexpr std::string_view kBlanks = " \t\f";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

// The line `text` begins with, which is taken off it.
std::string_view take_line(std::string_view &text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool is_keyword(std::string_view block, std::string_view word) {
  return block.starts_with(word) &&
         (block.size() == word.size() || std::string_view(" \t\n").find(block[word.size()]) != block.npos);
}

// Segments of HLS name the MPEG-2 clock in their header, which means nothing in a file.
std::string without_timestamp_map(std::string_view block) {
  std::string kept;
  while (!block.empty()) {
    const std::string_view line = take_line(block);
    if (line.starts_with("X-TIMESTAMP-MAP")) continue;
    if (!kept.empty()) kept += '\n';
    kept += line;
  }
  return kept;
}

Result<VttCue> parse_cue(std::string_view block) {
  VttCue cue;
  std::string_view line = take_line(block);
  if (line.find(kArrow) == std::string_view::npos) {
    cue.identifier = line;
    line = take_line(block);
  }
  const auto arrow = line.find(kArrow);
  if (arrow == std::string_view::npos) return fail(ErrorCode::bad_data, "A WebVTT cue has no times.");
  const auto start = parse_vtt_time(trimmed(line.substr(0, arrow)));
  const std::string_view behind = trimmed(line.substr(arrow + kArrow.size()));
  const auto end = parse_vtt_time(behind.substr(0, behind.find_first_of(kBlanks)));
  if (!start || !end) return fail(ErrorCode::bad_data, "A WebVTT cue has broken times.");
  cue.start = *start;
  cue.end = *end;
  const auto settings = behind.find_first_of(kBlanks);
  if (settings != std::string_view::npos) cue.settings = trimmed(behind.substr(settings));
  cue.payload = block;
  while (!cue.payload.empty() && cue.payload.back() == '\n')
    cue.payload.pop_back();
  return cue;
}

void append_closed(std::string &to, char c) { // a blank line would end the cue
  if (c == '\r' || (c == '\n' && (to.empty() || to.back() == '\n'))) return;
  to += c;
}

} // namespace

std::vector<VttCue> VttParser::feed(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && !rest_.empty() && rest_.back() == '\r')
      rest_.back() = '\n';
    else
      rest_ += text[i];
  }
  std::vector<VttCue> cues;
  // A carriage return at the end waits: the line feed that belongs to it may come.
  const std::size_t ready = rest_.empty() || rest_.back() != '\r' ? rest_.size() : rest_.size() - 1;
  std::replace(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(ready), '\r', '\n');
  std::size_t from = 0;
  for (std::size_t end; (end = rest_.find("\n\n", from)) != std::string::npos; from = end + 2)
    block(std::string_view(rest_).substr(from, end - from), cues);
  rest_.erase(0, from);
  if (rest_.size() > kLongestBlock) {
    rest_.clear();
    ++refused_;
  }
  return cues;
}

std::vector<VttCue> VttParser::flush() {
  std::vector<VttCue> cues;
  std::replace(rest_.begin(), rest_.end(), '\r', '\n');
  block(rest_, cues);
  rest_.clear();
  return cues;
}

void VttParser::block(std::string_view text, std::vector<VttCue> &cues) {
  if (header_.empty() && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3); // byte order mark
  while (text.starts_with('\n'))
    text.remove_prefix(1);
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  if (text.empty() || is_keyword(text, "NOTE")) return;
  const bool has_times = text.find(kArrow) != std::string_view::npos;
  if (is_keyword(text, "WEBVTT") && !has_times) {
    if (header_.empty()) header_ = without_timestamp_map(text);
    return;
  }
  if ((is_keyword(text, "STYLE") || is_keyword(text, "REGION")) && !has_times) {
    if (!had_cue_) header_ = header() + "\n\n" + std::string(text);
    return;
  }
  auto cue = parse_cue(text);
  if (!cue) {
    ++refused_;
    return;
  }
  had_cue_ = true;
  cues.push_back(std::move(*cue));
}

Result<std::int64_t> parse_vtt_time(std::string_view text) {
  const auto broken = [] { return fail(ErrorCode::bad_data, "Not a WebVTT timestamp."); };
  std::int64_t parts[4] = {}; // hours, minutes, seconds, thousandths
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (colons < 1 || colons > 2 || text.size() > 24) return broken();
  int part = colons == 2 ? 0 : 1;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ':' || c == '.') {
      if (digits == 0 || (c == '.') != (part == 2) || part == 3) return broken();
      ++part;
      digits = 0;
    } else if (c < '0' || c > '9' || ++digits > 9) {
      return broken();
    } else {
      parts[part] = parts[part] * 10 + (c - '0');
    }
  }
  if (part != 3 || digits != 3 || parts[1] > 59 || parts[2] > 59) return broken();
  if (parts[0] > 2'000'000) return broken(); // years beyond what nanoseconds hold
  return (((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]) * 1'000'000;
}

std::string vtt_time(std::int64_t nanoseconds) {
  const std::int64_t ms = std::max<std::int64_t>(rescale(nanoseconds, 1000, kNanoseconds), 0);
  char text[40];
  std::snprintf(text, sizeof text, "%02lld:%02d:%02d.%03d", static_cast<long long>(ms / 3'600'000),
                static_cast<int>(ms / 60'000 % 60), static_cast<int>(ms / 1000 % 60),
                static_cast<int>(ms % 1000));
  return text;
}

std::string vtt_from_plain(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '&')
      made += "&amp;";
    else if (c == '<')
      made += "&lt;";
    else if (c == '>')
      made += "&gt;";
    else if (c != '\0')
      append_closed(made, c);
  }
  while (made.ends_with('\n'))
    made.pop_back();
  return made;
}

std::string vtt_from_pango(std::string_view text) {
  static constexpr std::string_view kKept[] = {"<b>", "</b>", "<i>", "</i>", "<u>", "</u>"};
  std::string made;
  while (!text.empty()) {
    if (text[0] == '<') {
      const auto end = text.find('>');
      const std::string_view tag = text.substr(0, end == std::string_view::npos ? end : end + 1);
      if (std::ranges::find(kKept, tag) != std::end(kKept)) made += tag;
      text.remove_prefix(tag.size());
    } else if (text.starts_with("&quot;") || text.starts_with("&apos;")) {
      made += text[1] == 'q' ? '"' : '\'';
      text.remove_prefix(6);
    } else {
      if (text[0] == '>')
        made += "&gt;";
      else if (text[0] != '\0')
        append_closed(made, text[0]);
      text.remove_prefix(1);
    }
  }
  while (made.ends_with('\n'))
    made.pop_back();
  return made;
}

Result<ByteVector> vtt_cue_box(const VttCue &cue, std::int32_t source_id) {
  Node vttc("vttc");
  vttc.add<CueSourceId>().source_id = source_id;
  if (!cue.identifier.empty()) vttc.add(Node(TextBox("iden", cue.identifier)));
  if (!cue.settings.empty()) vttc.add(Node(TextBox("sttg", cue.settings)));
  vttc.add(Node(TextBox("payl", cue.payload)));
  return write_tree(vttc);
}

Result<std::vector<StoredCue>> read_vtt_sample(Bytes sample) {
  auto boxes = parse_boxes(sample);
  if (!boxes) return tl::unexpected(boxes.error());
  std::vector<StoredCue> cues;
  for (const Node &box : *boxes) {
    if (box.type() != FourCC("vttc")) continue;
    StoredCue &stored = cues.emplace_back();
    for (const Node &child : box.children) {
      if (const auto *id = child.as<CueSourceId>()) stored.source_id = id->source_id;
      const auto *text = child.as<TextBox>();
      if (!text) continue;
      if (child.type() == FourCC("iden")) stored.cue.identifier = text->text;
      if (child.type() == FourCC("sttg")) stored.cue.settings = text->text;
      if (child.type() == FourCC("payl")) stored.cue.payload = text->text;
    }
  }
  return cues;
}

} // namespace hull::isobmff
