#include "plugins/vmaf/scorer.h"

#include <algorithm>
#include <utility>

namespace hull {
namespace {

constexpr std::uint64_t kBarInterval = 5; ///< frames from look to look for black bars
constexpr std::size_t kMostPending = 2;   ///< frames whose scores wait for the next one
const std::string kReferencePad = "reference";

FrameTimes times_of(const VmafFrame &frame) {
  return {GST_BUFFER_PTS(frame.buffer.get()), frame.running_time, frame.stream_time,
          GST_BUFFER_DURATION(frame.buffer.get())};
}

} // namespace

Result<void> Scorer::start(const vmaf::FrameSet &first, const std::vector<ScoredInput> &inputs) {
  const auto frame = frame_of(first.reference);
  const auto reference = MappedPicture::map(frame, kReferencePad);
  if (!reference) return tl::unexpected(reference.error());
  reference_chroma_.separate(**reference); // models of v1 ask for its size
  if (const std::int64_t duration = frame_duration(frame->info); duration > 0)
    options_.frame_rate = static_cast<double>(GST_SECOND) / static_cast<double>(duration);
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

Result<ScoredFrames> Scorer::score(const vmaf::FrameSet &set) {
  const bool looks_for_bars = comparison_->frames() % kBarInterval == 0;
  auto reference = MappedPicture::map(frame_of(set.reference), kReferencePad);
  if (!reference) return tl::unexpected(reference.error());
  if (looks_for_bars) reference_bars_.look((*reference)->picture.y);
  if (comparison_->reads_chroma()) reference_chroma_.separate(**reference);

  std::vector<std::unique_ptr<MappedPicture>> mapped;
  std::vector<const vmaf::Picture *> distorted(streams_.size());
  for (const auto &[input, frame] : set.partners) {
    Stream &stream = stream_of(input);
    auto partner = MappedPicture::map(frame_of(frame), stream.pad);
    if (!partner) return tl::unexpected(partner.error());
    if (looks_for_bars) stream.bars.look((*partner)->picture.y);
    if (comparison_->reads_chroma()) stream.chroma.separate(**partner);
    distorted[static_cast<std::size_t>(&stream - streams_.data())] = &(*partner)->picture;
    mapped.push_back(std::move(*partner));
  }
  const gint64 before = g_get_monotonic_time();
  auto scores = comparison_->push((*reference)->picture, distorted);
  if (!scores) return tl::unexpected(scores.error());
  scoring_us_ += g_get_monotonic_time() - before;
  times_.push_back(times_of((*reference)->frame()));
  if (comparison_->looks_back_two()) held_.before = std::move(held_.previous);
  held_.previous = std::move(*reference);
  return with_times(std::move(*scores));
}

ScoredFrames Scorer::finish() {
  return with_times(comparison_->finish());
}

/// Parts the scores by frame; times of frames that have none go, too.
ScoredFrames Scorer::with_times(std::vector<vmaf::FrameScore> scores) {
  ScoredFrames frames;
  for (vmaf::FrameScore &score : scores) {
    const bool same = !frames.empty() && frames.back().scores.front().frame == score.frame;
    if (!same) {
      for (; first_time_ < score.frame; ++first_time_)
        times_.pop_front();
      frames.push_back({{}, times_.front()});
    }
    frames.back().scores.push_back(std::move(score));
  }
  for (; times_.size() > kMostPending; ++first_time_)
    times_.pop_front();
  return frames;
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
                             comparison_->promoted(i), streams_[i].bars.bars(), comparison_->banding(i),
                             comparison_->estimated(i), comparison_->cautions(i)});
  return state;
}

} // namespace hull
