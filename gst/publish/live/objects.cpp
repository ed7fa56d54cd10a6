#include "gst/publish/live/objects.h"

#include "gst/publish/text_segment.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace hull::publish {
namespace {

bool parse_number(std::string_view text, std::uint64_t &value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// "12.m4s" is segment 12, "12.3.m4s" its part 3; ".vtt" the same as a text.
struct Wanted {
  std::uint64_t number = 0;
  std::optional<std::uint64_t> part;
  bool as_text = false;
};

std::optional<Wanted> parse_wanted(const Track &track, std::string_view file) {
  Wanted wanted;
  wanted.as_text = is_webvtt(track) && file.ends_with(".vtt");
  if (!wanted.as_text && !file.ends_with(".m4s")) return std::nullopt;
  file.remove_suffix(4);
  const std::size_t dot = file.find('.');
  if (!parse_number(file.substr(0, dot), wanted.number)) return std::nullopt;
  if (dot == std::string_view::npos) return wanted;
  if (!parse_number(file.substr(dot + 1), wanted.part.emplace())) return std::nullopt;
  return wanted;
}

void take(ObjectView &view, Found found, std::span<const Chunk> chunks, std::size_t from_chunk) {
  view.found = found;
  const auto rest = chunks.subspan(std::min(from_chunk, chunks.size()));
  view.chunks.assign(rest.begin(), rest.end());
  for (const Chunk &chunk : view.chunks)
    view.bytes += chunk->size();
}

// "init.mp4", "init-1.mp4" …
void find_init(ObjectView &view, const TrackState &track, std::string_view which, std::size_t from_chunk) {
  std::uint64_t number = 0;
  const bool numbered = which.starts_with("-") && parse_number(which.substr(1), number) && number > 0;
  if (!which.empty() && !numbered) return;
  if (track.inits.empty() && number == 0)
    view.found = Found::hold;
  else if (number < track.inits.size())
    take(view, Found::ready, {&track.inits[number], 1}, from_chunk);
}

// One that is still to come. One segment ahead may be asked for early and is held; further ahead nobody was
// promised anything.
Found expect(const TrackState &track, const Wanted &wanted) {
  if (track.ended) return Found::unknown;
  if (track.segments.empty()) return wanted.number <= 1 ? Found::hold : Found::unknown;
  const bool next = wanted.number == track.segments.back().number + 1 && wanted.part.value_or(0) == 0;
  return next ? Found::hold : Found::unknown;
}

void find_in_segment(ObjectView &view, const LiveSegment &segment, const Wanted &wanted,
                     std::size_t from_chunk) {
  const std::span<const Chunk> chunks = segment.chunks;
  if (!wanted.part) {
    if (wanted.as_text && !segment.complete)
      view.found = Found::hold; // a text is made of all its chunks
    else
      take(view, segment.complete ? Found::ready : Found::growing, chunks, from_chunk);
  } else if (*wanted.part < segment.parts.size()) {
    const Part &part = segment.parts[*wanted.part];
    take(view, Found::ready, chunks.subspan(part.first_chunk, part.chunk_count), from_chunk);
  } else if (!segment.complete && *wanted.part == segment.parts.size()) {
    view.found = Found::hold;
  }
}

// The view's fragments as one WebVTT text.
void rewrite_as_text(ObjectView &view, std::uint32_t timescale, std::int64_t start, std::size_t from_chunk) {
  const auto text = webvtt_segment(view.chunks, timescale, start);
  view.chunks.clear();
  view.bytes = 0;
  view.content_type = "text/vtt";
  if (!text) view.found = Found::gone;
  if (!text || from_chunk > 0) return;
  view.chunks.push_back(std::make_shared<const ByteVector>(text->begin(), text->end()));
  view.bytes = text->size();
}

} // namespace

ObjectView find_object(const LiveWindow &window, std::string_view name, std::size_t from_chunk) {
  ObjectView view;
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return view;
  const TrackState *track = find_track(window, name.substr(0, slash));
  if (!track) return view;
  view.content_type = track->info.kind == Kind::video   ? "video/mp4"
                      : track->info.kind == Kind::audio ? "audio/mp4"
                                                        : "application/mp4";
  const std::string_view file = name.substr(slash + 1);
  if (file.starts_with("init") && file.ends_with(".mp4")) {
    find_init(view, *track, file.substr(4, file.size() - 8), from_chunk);
    return view;
  }
  const auto wanted = parse_wanted(track->info, file);
  if (!wanted) return view;
  if (track->segments.empty() || wanted->number > track->segments.back().number) {
    view.found = expect(*track, *wanted);
    return view;
  }
  const LiveSegment *segment = find_segment(*track, wanted->number);
  if (!segment || segment->gap) {
    view.found = Found::gone;
    return view;
  }
  find_in_segment(view, *segment, *wanted, wanted->as_text ? 0 : from_chunk);
  if (wanted->as_text && view.found == Found::ready)
    rewrite_as_text(view, track->info.timescale, segment->start, from_chunk);
  return view;
}

} // namespace hull::publish
