#include "plugins/vmaf/stall_watch.h"

#include "gst/glue/raise.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace hull {
namespace {

constexpr unsigned kTicksToWarning = 20, kTicksToError = 40;
constexpr std::size_t kMostFrames = 512, kMostBytes = std::size_t{1} << 30; ///< that wait on one input

Error lack_of_links(bool reference_is_linked) {
  return {
      ErrorCode::settings,
      fmt::format("Nothing can be scored: no {} is linked. Link the reference to the pad reference and each "
                  "video to compare with it to a pad distorted_%u.",
                  reference_is_linked ? "distorted input" : "reference")};
}

} // namespace

void StallWatch::tick() {
  std::optional<Error> error, warning;
  {
    const Lock lock(inputs_.mutex);
    if (!stands_still()) return;
    const bool has_reference = gst_pad_is_linked(inputs_.reference->self());
    const bool unlinked = inputs_.distorted.empty() || !has_reference;
    if (unlinked && still_ticks_ >= kTicksToError)
      error = lack_of_links(has_reference);
    else if (!unlinked && !make_room() && still_ticks_ >= kTicksToWarning && !std::exchange(warned_, true))
      warning = silence();
  }
  if (error) inputs_.fail_with(*error);
  if (warning) warn(inputs_.element, *warning);
}

/// Whether frames or ends have come and nothing has happened for a while that should have.
bool StallWatch::stands_still() {
  const auto waits = [this](const VmafPad *pad) HULL_REQUIRES(inputs_.mutex) {
    return inputs_.of(*pad).eos || !inputs_.matched(*pad).frames.empty();
  };
  const auto all = inputs_.pads();
  const bool idle = inputs_.flow() != GST_FLOW_OK || inputs_.ended || inputs_.paused || inputs_.scoring;
  if (idle || std::exchange(seen_progress_, inputs_.progress) != inputs_.progress ||
      std::none_of(all.begin(), all.end(), waits)) {
    still_ticks_ = 0;
    warned_ = false;
    return false;
  }
  ++still_ticks_;
  return true;
}

/// Lets inputs hold more frames where one has no room while another brings nothing.
bool StallWatch::make_room() {
  std::size_t bytes = 1;
  bool full = false;
  for (const VmafPad *pad : inputs_.pads()) {
    const VmafInput &input = inputs_.of(*pad);
    full |= !input.eos && !inputs_.matcher.has_room(input.id);
    if (input.info) bytes = std::max<std::size_t>(bytes, GST_VIDEO_INFO_SIZE(&*input.info));
  }
  if (!full || !inputs_.matcher.grow(std::clamp<std::size_t>(kMostBytes / bytes, 16, kMostFrames)))
    return false;
  inputs_.changed.notify_all();
  return true;
}

Error StallWatch::silence() const {
  const auto starving = inputs_.matcher.starving();
  std::string silent, waiting;
  for (const VmafPad *pad : inputs_.pads()) {
    if (std::find(starving.begin(), starving.end(), inputs_.of(*pad).id) != starving.end())
      silent += (silent.empty() ? "" : ", ") + std::string(pad->name());
    else
      waiting += fmt::format("{}{} frames on {}", waiting.empty() ? "" : ", ",
                             inputs_.matched(*pad).frames.size(), pad->name());
  }
  return {ErrorCode::state,
          fmt::format("Scoring waits for {}, where no frame has come for {} s, with {}. See what "
                      "holds that branch up.",
                      silent, kTicksToWarning / 4, waiting)};
}

} // namespace hull
