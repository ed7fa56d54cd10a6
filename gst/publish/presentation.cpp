#include "gst/publish/presentation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

namespace hull::publish {

std::int64_t Track::duration() const {
  if (segments.empty()) return 0;
  return segments.back().start + segments.back().duration - segments.front().start;
}

unsigned target_duration(const Track &track) {
  std::int64_t longest = 0;
  for (const Segment &segment : track.segments)
    longest = std::max(longest, segment.duration);
  return std::max(1u, static_cast<unsigned>(std::lround(static_cast<double>(longest) / track.timescale)));
}

double peak_rate(const Track &track) {
  const double target = target_duration(track);
  double peak = 0;
  for (std::size_t first = 0; first < track.segments.size(); ++first) {
    double bits = 0, seconds = 0;
    for (std::size_t last = first; last < track.segments.size() && seconds <= 1.5 * target; ++last) {
      bits += static_cast<double>(track.segments[last].range.size) * 8;
      seconds += static_cast<double>(track.segments[last].duration) / track.timescale;
      if (seconds >= 0.5 * target && seconds <= 1.5 * target) peak = std::max(peak, bits / seconds);
    }
  }
  return peak;
}

void measure_bandwidth(Track &track) {
  double bits = 0;
  for (const Segment &segment : track.segments)
    bits += static_cast<double>(segment.range.size) * 8;
  const double seconds = track.seconds(), average = seconds > 0 ? bits / seconds : 0;
  track.average_bandwidth = static_cast<std::uint64_t>(std::ceil(average));
  track.peak_bandwidth = static_cast<std::uint64_t>(std::ceil(std::max(peak_rate(track), average)));
}

void assign_ids(Presentation &presentation) {
  std::vector<Track *> order;
  for (Track &track : presentation.tracks)
    order.push_back(&track);
  std::stable_sort(order.begin(), order.end(), [](const Track *a, const Track *b) {
    return std::pair(a->height, a->average_bandwidth) > std::pair(b->height, b->average_bandwidth);
  });
  std::array<unsigned, 3> counts{};
  for (Track *track : order) {
    const auto kind = static_cast<std::size_t>(track->kind);
    const unsigned number = ++counts[kind];
    if (track->id.empty()) track->id = fmt::format("{}{}", "vat"[kind], number);
  }
}

std::string escape_uri(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 &&
        (std::isalnum(byte) || std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string::npos))
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

} // namespace hull::publish
