#include "gst/mux/text_track.h"

#include "gst/isobmff/boxes/box.h"

#include <algorithm>
#include <string_view>

namespace hull::mux {

using namespace isobmff;

namespace {

constexpr std::int64_t kLastCueSeconds = 5;
constexpr std::int64_t kLongestSample = 0x7fffffff; // ticks

} // namespace

void TextTrack::begin(std::int64_t time) {
  position_ = time;
  horizon_ = std::max(horizon_, time);
  late_ += std::erase_if(cues_, [time](const TextCue &cue) { return cue.end <= time; });
}

void TextTrack::add(TextCue cue) {
  if (cue.end <= cue.start) cue.end = TextCue::kOpen;
  horizon_ = std::max(horizon_, cue.start);
  for (TextCue &before : cues_)
    if (before.start < cue.start && (before.end == TextCue::kOpen || form_ == Form::documents))
      before.end = std::min(before.end, cue.start);
  if (cue.end <= position_) {
    ++late_;
    return;
  }
  const auto place = std::upper_bound(cues_.begin(), cues_.end(), cue.start,
                                      [](std::int64_t start, const TextCue &c) { return start < c.start; });
  cues_.insert(place, std::move(cue));
}

void TextTrack::reach(std::int64_t time) {
  horizon_ = std::max(horizon_, time);
}

void TextTrack::end() {
  ended_ = true;
  horizon_ = kForever;
  for (TextCue &cue : cues_)
    if (cue.end == TextCue::kOpen) cue.end = std::max(cue.start, position_) + kLastCueSeconds * timescale_;
}

std::int64_t TextTrack::last_end() const {
  std::int64_t last = position_;
  for (const TextCue &cue : cues_)
    if (cue.end != TextCue::kOpen) last = std::max(last, cue.end);
  return last;
}

bool TextTrack::over() const {
  return ended_ &&
         std::all_of(cues_.begin(), cues_.end(), [this](const TextCue &cue) { return cue.end <= position_; });
}

ByteVector TextTrack::data_of_now() const {
  ByteVector data;
  for (const TextCue &cue : cues_) {
    if (cue.start > position_ || cue.end <= position_) continue;
    if (form_ == Form::documents) data.clear();
    append(data, cue.data);
  }
  if (!data.empty()) return data;
  if (form_ == Form::cues) {
    append_box_header(data, "vtte", 0);
    return data;
  }
  constexpr std::string_view kNothing =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><tt xmlns=\"http://www.w3.org/ns/ttml\" xml:lang=\"\"/>";
  return ByteVector(kNothing.begin(), kNothing.end());
}

std::optional<TextSample> TextTrack::next(std::int64_t until) {
  std::erase_if(cues_, [this](const TextCue &cue) { return cue.end <= position_; });
  if (position_ >= until) return std::nullopt;
  std::int64_t change = until;
  for (const TextCue &cue : cues_)
    change = std::min(change, cue.start > position_ ? cue.start : cue.end);
  if (change > horizon_ || change == kForever) return std::nullopt;
  change = std::min(change, position_ + kLongestSample);
  TextSample sample{position_, static_cast<std::uint32_t>(change - position_), data_of_now()};
  position_ = change;
  return sample;
}

} // namespace hull::mux
