#include "plugins/vmaf/scorer.h"

#include <algorithm>
#include <utility>

namespace hull {
namespace {

constexpr std::uint64_t kBarInterval = 5; ///< frames from look to look for black bars
const std::string kReferencePad = "reference";

FrameTimes times_of(const VmafFrame &frame) {
  return {GST_BUFFER_PTS(frame.buffer.get()), frame.running_time, frame.stream_time,
          GST_BUFFER_DURATION(frame.buffer.get())};
}

} // namespace

Result<void> Scorer::start(const vmaf::FrameSet &first, const std::vector<ScoredInput> &inputs) {
  const auto reference = MappedPicture::map(frame_of(first.reference), kReferencePad);
  if (!reference) return tl::unexpected(reference.error());
  int bits = 0;
  std::vector<std::string> pads;
  for (const ScoredInput &input : inputs) {
    bits = std::max(bits, input.bits);
    pads.push_back(input.pad);
    streams_.push_back({input.id, input.pad, {}, {}});
  }
  auto comparison = vmaf::Comparison::start(options_, (*reference)->picture, bits, std::move(pads));
  if (!comparison) return tl::unexpected(comparison.error());
  comparison_ = std::move(*comparison);
  return {};
}

Scorer::Stream &Scorer::stream_of(vmaf::InputId input) {
  return *std::find_if(streams_.begin(), streams_.end(),
                       [input](const Stream &stream) { return stream.input == input; });
}

Result<ScoredFrame> Scorer::score(const vmaf::FrameSet &set) {
  const bool looks_for_bars = comparison_->frames() % kBarInterval == 0;
  auto reference = MappedPicture::map(frame_of(set.reference), kReferencePad);
  if (!reference) return tl::unexpected(reference.error());
  if (looks_for_bars) reference_bars_.look((*reference)->picture.y);
  if (options_.psnr) reference_chroma_.separate(**reference);

  std::vector<std::unique_ptr<MappedPicture>> mapped;
  std::vector<const vmaf::Picture *> distorted(streams_.size());
  for (const auto &[input, frame] : set.partners) {
    Stream &stream = stream_of(input);
    auto partner = MappedPicture::map(frame_of(frame), stream.pad);
    if (!partner) return tl::unexpected(partner.error());
    if (looks_for_bars) stream.bars.look((*partner)->picture.y);
    if (options_.psnr) stream.chroma.separate(**partner);
    distorted[static_cast<std::size_t>(&stream - streams_.data())] = &(*partner)->picture;
    mapped.push_back(std::move(*partner));
  }
  const gint64 before = g_get_monotonic_time();
  auto scores = comparison_->push((*reference)->picture, distorted);
  if (!scores) return tl::unexpected(scores.error());
  scoring_us_ += g_get_monotonic_time() - before;
  previous_ = std::move(*reference);
  return ScoredFrame{std::move(*scores), std::exchange(previous_times_, times_of(previous_->frame()))};
}

ScoredFrame Scorer::finish() {
  return {comparison_->finish(), previous_times_};
}

ScorerState Scorer::state() const {
  ScorerState state;
  state.format = comparison_->format();
  for (const vmaf::NamedModel &named : comparison_->models())
    state.models.emplace_back(named.key, named.model.name);
  state.columns = comparison_->columns();
  state.frames = comparison_->frames();
  if (scoring_us_ > 0) state.fps = 1e6 * static_cast<double>(state.frames) / static_cast<double>(scoring_us_);
  state.reference_bars = reference_bars_.bars();
  for (std::size_t i = 0; i < streams_.size(); ++i)
    state.streams.push_back({streams_[i].input, streams_[i].pad, comparison_->scaled(i),
                             comparison_->promoted(i), streams_[i].bars.bars()});
  return state;
}

} // namespace hull
