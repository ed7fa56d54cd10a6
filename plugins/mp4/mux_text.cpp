#include "plugins/mp4/mux_text.h"

#include <algorithm>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

// Where the first of the tracks that are not text begins, nanoseconds.
std::optional<std::int64_t> start_of_others(const std::vector<MuxInput *> &tracks, Variant variant) {
  std::optional<std::int64_t> start;
  for (const MuxInput *input : tracks) {
    if (input->text || !input->head) continue;
    const std::int64_t first = is_whole(variant)
                                   ? std::max<std::int64_t>(input->timeline->first_presentation(), 0)
                                   : input->head->sample.decode_time;
    const std::int64_t time = input->in_nanoseconds(first);
    start = std::min(start.value_or(time), time);
  }
  return start;
}

// Where text that is alone in its fragments begins, nanoseconds; sets its grid.
std::int64_t begin_alone(MuxInput &input, const MuxSettings &settings) {
  TextInput &text = *input.text;
  text.grid.origin = std::max<std::int64_t>(settings.fragment_origin, 0);
  text.grid.fragment = static_cast<std::int64_t>(settings.fragment_duration);
  text.grid.chunk = static_cast<std::int64_t>(settings.chunk_duration);
  const std::int64_t start = running_time(input.segment, input.segment.start).value_or(0) - text.grid.origin;
  return text.grid.origin + std::max<std::int64_t>(start, 0) / text.grid.fragment * text.grid.fragment;
}

} // namespace

void begin_text(const std::vector<MuxInput *> &tracks, const MuxSettings &settings, Variant variant) {
  const auto others = start_of_others(tracks, variant);
  for (MuxInput *input : tracks) {
    if (!input->text) continue;
    input->text->joins = !is_whole(variant) && others;
    const bool alone = !is_whole(variant) && !others;
    const std::int64_t start = alone ? begin_alone(*input, settings) : others.value_or(0);
    input->text->track().begin(rescale(start, input->config.timescale, kNanoseconds));
    input->text->describe(input->config.formats.front());
    // Its samples have their places already; the track's start is all the timeline has to know.
    input->timeline->add({start, start, std::nullopt});
  }
}

void join_text(const MuxWaiting::Inputs &inputs, const MuxInput &next, bool cut) {
  for (const auto &input : inputs) {
    if (!input->text || !input->text->joins || !input->in_file) continue;
    while (input->text->horizon() <= next.head_time && input->pump_text()) {
    }
    if (cut)
      input->text->reach(next.in_nanoseconds(next.head->sample.decode_time + next.head->sample.duration));
  }
}

void finish_joined_text(const MuxWaiting::Inputs &inputs) {
  for (const auto &input : inputs)
    while (input->text && input->text->joins && input->pump_text()) {
    }
}

} // namespace hull
