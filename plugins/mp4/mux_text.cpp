// Text pads of the muxer: they hold nobody up for longer than they must, and end where other tracks'
// fragments do.

#include "gst/glue/map.h"
#include "plugins/mp4/mux.h"

#include <algorithm>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

} // namespace

MuxSample sample_of(const MuxInput &input, TextSample text) {
  MuxSample made;
  made.sample = {text.start, text.duration, 0, static_cast<std::uint32_t>(text.data.size()), true, false};
  made.duration_known = true;
  made.running_time = input.in_nanoseconds(text.start);
  made.buffer = buffer_of(std::move(text.data));
  return made;
}

// Takes one buffer, event or end in; false when there is none.
bool Mp4Mux::pump_text(MuxInput &input) {
  TextInput &text = *input.text;
  Arrival arrival;
  if (!take_arrival(input, arrival)) {
    if (!done(input) || text.ended()) return false;
    text.end();
    input.dropped += text.refused();
    input.idle_until = kEnd;
    return true;
  }
  if (GstBuffer *buffer = arrival.buffer.get()) {
    std::optional<std::int64_t> duration;
    if (GST_BUFFER_DURATION_IS_VALID(buffer))
      duration = static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer));
    const MappedBuffer map(buffer, GST_MAP_READ);
    if (map && !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP))
      text.take({reinterpret_cast<const char *>(map.bytes().data()), map.size()},
                running_time(input.aggregator_pad()->segment, GST_BUFFER_PTS(buffer)), duration);
  }
  input.idle_until = std::max(input.idle_until, text.horizon());
  return true;
}

bool Mp4Mux::fill_text(MuxInput &input) {
  TextInput &text = *input.text;
  if (text.joins || !output_) return false; // no sample of its own, or no start yet
  while (!input.head) {
    if (auto sample = text.next()) {
      input.head_time = input.in_nanoseconds(sample->start);
      input.head = sample_of(input, std::move(*sample));
    } else if (!pump_text(input)) {
      return false;
    }
  }
  return true;
}

// Lets the text tracks that join the others take in what concerns the time of `next`. Late text is cut off,
// not waited for.
void Mp4Mux::join_text(const MuxInput &next, bool late) {
  for (auto &input : inputs_) {
    if (!input->text || !input->text->joins || !input->in_file) continue;
    while (input->text->horizon() <= next.head_time && pump_text(*input)) {
    }
    if (late || live_)
      input->text->reach(next.in_nanoseconds(next.head->sample.decode_time + next.head->sample.duration));
  }
}

// What joined text still has, when all tracks have ended.
void Mp4Mux::pump_all_text() {
  for (auto &input : inputs_)
    while (input->text && input->text->joins && pump_text(*input)) {
    }
}

// Text begins where the others do. Alone it begins with its segment, on the fragments' grid, so that muxers
// of several tracks cut alike.
void Mp4Mux::begin_text(const std::vector<MuxInput *> &tracks, Variant variant) {
  std::optional<std::int64_t> others;
  for (const MuxInput *input : tracks) {
    if (input->text) continue;
    const std::int64_t first = is_whole(variant)
                                   ? std::max<std::int64_t>(input->timeline->first_presentation(), 0)
                                   : input->head->sample.decode_time;
    others = std::min(others.value_or(kEnd), input->in_nanoseconds(first));
  }
  for (MuxInput *input : tracks) {
    if (!input->text) continue;
    TextInput &text = *input->text;
    std::int64_t start = others.value_or(0);
    text.joins = !is_whole(variant) && others;
    if (!is_whole(variant) && !others) {
      const GstSegment &segment = input->aggregator_pad()->segment;
      text.grid.origin = std::max<std::int64_t>(running_.fragment_origin, 0);
      text.grid.fragment = static_cast<std::int64_t>(running_.fragment_duration);
      text.grid.chunk = static_cast<std::int64_t>(running_.chunk_duration);
      start = running_time(segment, segment.start).value_or(0) - text.grid.origin;
      start = text.grid.origin + std::max<std::int64_t>(start, 0) / text.grid.fragment * text.grid.fragment;
    }
    text.track().begin(rescale(start, input->config.timescale, kNanoseconds));
    text.describe(input->config.formats.front());
    // Its samples have their places already; the track's start is all the timeline has to know.
    input->timeline->add({start, start, std::nullopt});
  }
}

} // namespace hull
