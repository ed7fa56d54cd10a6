#include "gst/mux/text_input.h"

#include "gst/core/number.h"
#include "gst/core/time.h"
#include "gst/core/xml.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hull::mux {

using namespace isobmff;

namespace {

constexpr std::string_view kTtml = "http://www.w3.org/ns/ttml";

// TTML's own namespace and all others the root declares, separated by blanks.
std::string namespaces_of(const XmlNode &root) {
  std::string list(kTtml);
  for (const std::string &name : root.namespaces)
    if (name != kTtml && name.find(' ') == name.npos) list += ' ' + name;
  return list;
}

bool is_imsc1_text(const XmlNode &root) {
  const std::string profile = root.get("profile");
  return profile.find("/ttml/profile/imsc1") != profile.npos && profile.find("/text") != profile.npos;
}

// The parts of hh:mm:ss, or one number; what follows them is left in `text`.
std::vector<double> take_clock(std::string_view &text) {
  std::vector<double> parts;
  while (parts.size() < 3) {
    const auto part = take_number<double>(text);
    if (!part) return {};
    parts.push_back(*part);
    if (parts.size() == 3 || !text.starts_with(':')) break;
    text.remove_prefix(1);
  }
  return parts;
}

// A time expression of TTML in nanoseconds, hh:mm:ss with a fraction or an offset in h, m, s or ms; 0 for the
// others (frames and ticks need rates, and nobody's end hangs on them alone).
std::int64_t ttml_time(std::string_view text) {
  const std::vector<double> parts = take_clock(text);
  double seconds = 0;
  if (parts.size() == 3 && text.empty())
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  else if (parts.size() == 1)
    seconds = parts[0] * (text == "h" ? 3600 : text == "m" ? 60 : text == "s" ? 1 : text == "ms" ? 1e-3 : 0);
  return seconds > 0 && seconds < 1e6 ? std::llround(seconds * 1e9) : 0;
}

// The latest end a document names; 0 where none does.
std::int64_t ttml_end(const XmlNode &node) {
  std::int64_t latest = ttml_time(node.get("end"));
  for (const XmlNode &child : node.children)
    latest = std::max(latest, ttml_end(child));
  return latest;
}

} // namespace

TextInput::TextInput(TextForm form, std::uint32_t timescale, std::string label)
    : form_(form),
      timescale_(timescale),
      label_(std::move(label)),
      track_(form == TextForm::ttml ? TextTrack::Form::documents : TextTrack::Form::cues, timescale),
      namespaces_(kTtml) {}

std::int64_t TextInput::ticks(std::int64_t nanoseconds) const {
  return rescale(nanoseconds, timescale_, kNanoseconds);
}

std::int64_t TextInput::horizon() const {
  if (track_.horizon() == TextTrack::kForever) return TextTrack::kForever;
  return rescale(track_.horizon(), kNanoseconds, timescale_);
}

void TextInput::add_cue(const VttCue &cue) {
  auto box = vtt_cue_box(cue, sources_++);
  if (!box) {
    ++refused_;
    return;
  }
  const bool open = cue.end <= cue.start;
  track_.add({ticks(cue.start), open ? TextCue::kOpen : std::max(ticks(cue.end), ticks(cue.start) + 1),
              std::move(*box)});
}

void TextInput::take_document(std::string_view text, std::int64_t start,
                              std::optional<std::int64_t> duration) {
  const auto root = parse_xml(text);
  if (!root || root->name != "tt") {
    ++refused_;
    return;
  }
  if (sources_++ == 0) {
    namespaces_ = namespaces_of(*root);
    imsc1_ = is_imsc1_text(*root);
  }
  // Its times are the track's, so where nobody else says when it ends, it does.
  const std::int64_t end = duration ? start + *duration : ttml_end(*root);
  track_.add({ticks(start), end > start ? ticks(end) : TextCue::kOpen, ByteVector(text.begin(), text.end())});
}

void TextInput::take(std::string_view text, std::optional<std::int64_t> start,
                     std::optional<std::int64_t> duration) {
  has_begun_ = true;
  if (duration && *duration <= 0) duration.reset();
  if (form_ == TextForm::ttml && start) return take_document(text, *start, duration);
  if (form_ == TextForm::ttml) { // a file in pieces: whole where its root is closed
    constexpr std::size_t kLargest = 16 << 20;
    if (document_.size() + text.size() <= kLargest) document_ += text;
    const auto last = document_.find_last_not_of(" \t\r\n");
    if (last == document_.npos || !document_.substr(0, last + 1).ends_with("tt>")) return;
    return take_document(std::exchange(document_, {}), 0, duration);
  }
  if (form_ == TextForm::webvtt) {
    auto cues = parser_.feed(text);
    if (start) // a buffer with a time of its own is whole
      for (VttCue &cue : parser_.flush())
        cues.push_back(std::move(cue));
    if (cues.empty()) return;
    const std::int64_t move = start ? *start - cues.front().start : 0;
    for (VttCue &cue : cues) {
      if (cue.end <= cue.start && duration && cues.size() == 1) cue.end = cue.start + *duration;
      cue.start += move;
      cue.end += move;
      add_cue(cue);
    }
    return;
  }
  VttCue cue;
  cue.payload = form_ == TextForm::pango ? vtt_from_pango(text) : vtt_from_plain(text);
  cue.start = start.value_or(horizon());
  cue.end = cue.start + duration.value_or(0);
  if (!cue.payload.empty()) return add_cue(cue);
  track_.reach(ticks(cue.start)); // an empty text ends the one before it
}

void TextInput::reach(std::int64_t time) {
  has_begun_ = true;
  track_.reach(ticks(time));
}

void TextInput::end() {
  has_begun_ = ended_ = true;
  if (!document_.empty()) take_document(std::exchange(document_, {}), 0, std::nullopt);
  if (form_ == TextForm::webvtt)
    for (const VttCue &cue : parser_.flush())
      add_cue(cue);
  track_.end();
}

void TextInput::describe(SampleFormat &format) const {
  if (form_ == TextForm::ttml) {
    format.text_namespace = namespaces_;
    format.imsc1_text = imsc1_;
    return;
  }
  const std::string header = parser_.header();
  format.codec_boxes.clear();
  format.codec_boxes.emplace_back("vttC", ByteVector(header.begin(), header.end()));
  format.codec_boxes.emplace_back("vlab", ByteVector(label_.begin(), label_.end()));
}

std::optional<TextSample> TextInput::next() {
  if (grid.fragment == 0) return track_.next(TextTrack::kForever);
  // Half a tick on, so that a boundary that was rounded down is not met again.
  const std::int64_t now = rescale(2 * track_.position() + 1, kNanoseconds, 2 * std::int64_t{timescale_});
  const std::int64_t start = grid.origin + (now - grid.origin) / grid.fragment * grid.fragment;
  std::int64_t from = start, until = start + grid.fragment;
  if (grid.chunk) {
    from += (now - start) / grid.chunk * grid.chunk;
    until = std::min(until, from + grid.chunk);
  }
  if (track_.over() && track_.position() == ticks(from))
    return std::nullopt; // nothing for a chunk of its own
  return track_.next(ticks(until));
}

std::optional<TextSample> TextInput::next(std::int64_t time) {
  return track_.next(std::min(ticks(time), track_.horizon()));
}

} // namespace hull::mux
