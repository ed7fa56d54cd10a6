#include "gst/vmaf/frame_matcher.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace hull::vmaf {
namespace {

constexpr std::int64_t kUnknownRateTolerance = 10'000'000; ///< ns
constexpr std::size_t kLongestSearch = 256;                ///< reference frames, where pictures stand still

/// How many frames have left an input's queue: the number of the first that waits.
std::int64_t number_of_first(const MatchInput &input) {
  return static_cast<std::int64_t>(input.counts.received - input.frames.size());
}

} // namespace

Alignments find_alignments(const AlignmentTask &task) {
  Alignments found;
  for (const auto &[id, thumbnails] : task.distorted)
    if (!thumbnails.empty() && !task.reference.empty())
      found.emplace_back(id, find_alignment(task.reference, thumbnails, task.reach));
  return found;
}

void FrameMatcher::add(InputId id, std::int32_t offset) {
  MatchInput made;
  made.id = id;
  made.offset = offset;
  distorted_.push_back(std::move(made));
}

void FrameMatcher::set_offset(InputId id, std::int32_t offset) {
  if (MatchInput *input = find(id)) input->offset = offset;
}

void FrameMatcher::remove(InputId id) {
  std::erase_if(distorted_, [id](const MatchInput &input) { return input.id == id; });
}

const MatchInput *FrameMatcher::find(InputId id) const {
  if (id == kReferenceInput) return &reference_;
  const auto found = std::find_if(distorted_.begin(), distorted_.end(),
                                  [id](const MatchInput &input) { return input.id == id; });
  return found == distorted_.end() ? nullptr : &*found;
}

bool FrameMatcher::has_room(InputId id) const {
  const MatchInput &input = *find(id);
  if (searching_) return input.frames.size() < std::max(capacity_, frames_to_search(input));
  if (input.frames.size() + (input.being_scored ? 1 : 0) < capacity_) return true;
  // A second frame where that decides which is nearer.
  return id != kReferenceInput && !reference_.frames.empty() && judge(input) == Verdict::wait;
}

std::vector<InputId> FrameMatcher::starving() const {
  std::vector<InputId> found;
  const auto starves = [this](const MatchInput &input) {
    if (input.ended || input.being_scored) return false;
    if (searching_) return input.frames.size() < frames_to_search(input);
    if (input.id == kReferenceInput || reference_.frames.empty()) return input.frames.empty();
    return judge(input) == Verdict::wait;
  };
  if (starves(reference_)) found.push_back(kReferenceInput);
  for (const MatchInput &input : distorted_)
    if (starves(input)) found.push_back(input.id);
  return found;
}

bool FrameMatcher::grow(std::size_t most) {
  const std::size_t now = searching_ ? std::max(capacity_, window_) : capacity_;
  if (now >= most) return false;
  capacity_ = std::min(4 * now, most);
  return true;
}

void FrameMatcher::push(InputId id, TimedFrame frame, const Thumbnail *thumbnail) {
  MatchInput &input = *find(id);
  ++input.counts.received;
  if (!frame.time) ++input.counts.untimed;
  if (id == kReferenceInput) reference_duration_ = frame.duration;
  if (thumbnail) input.thumbnails.push_back(*thumbnail);
  input.frames.push_back(std::move(frame));
}

void FrameMatcher::set_ended(InputId id, bool ended) {
  find(id)->ended = ended;
}

std::deque<TimedFrame> FrameMatcher::flush(InputId id) {
  MatchInput &input = *find(id);
  input.thumbnails.clear();
  input.last_time.reset();
  return std::exchange(input.frames, {});
}

/// Whether frames are paired by time and this input's come at another rate than the reference's.
bool FrameMatcher::has_other_rate(const MatchInput &input) const {
  if (rules_.by_index || input.frames.empty() || reference_duration_ <= 0) return false;
  const std::int64_t duration = input.frames.front().duration;
  return duration > 0 && duration != reference_duration_;
}

/// As many as last as long as the window does on the reference.
std::size_t FrameMatcher::frames_to_search(const MatchInput &input) const {
  if (!has_other_rate(input)) return window_;
  const std::int64_t window = static_cast<std::int64_t>(window_) * reference_duration_;
  return static_cast<std::size_t>(window / input.frames.front().duration) + 1;
}

/// Where rates differ, the thumbnails nearest to where the reference's frames lie.
std::vector<Thumbnail> FrameMatcher::thumbnails_at_reference_rate(const MatchInput &input) const {
  if (!has_other_rate(input)) return input.thumbnails;
  const std::int64_t duration = input.frames.front().duration;
  const auto count = static_cast<std::int64_t>(input.thumbnails.size());
  std::vector<Thumbnail> made;
  for (std::int64_t at = 0; at <= (count - 1) * duration; at += reference_duration_)
    made.push_back(input.thumbnails[static_cast<std::size_t>((at + duration / 2) / duration)]);
  return made;
}

std::optional<AlignmentTask> FrameMatcher::start_search() {
  const auto enough = [this](const MatchInput &input) {
    return input.ended || input.frames.size() >= frames_to_search(input);
  };
  if (!searching_ || distorted_.empty() || !enough(reference_) ||
      !std::all_of(distorted_.begin(), distorted_.end(), enough))
    return std::nullopt;
  AlignmentTask task{static_cast<int>(rules_.reach), reference_.thumbnails, {}};
  for (const MatchInput &input : distorted_)
    task.distorted.emplace_back(input.id, thumbnails_at_reference_rate(input));
  return task;
}

bool FrameMatcher::end_search(const Alignments &found) {
  const bool undecided = std::any_of(found.begin(), found.end(), [](const auto &one) {
    return one.second.verdict == Alignment::Verdict::still ||
           one.second.verdict == Alignment::Verdict::ambiguous;
  });
  if (undecided && window_ < kLongestSearch && !reference_.ended) {
    window_ = std::min(2 * window_, std::max(window_, kLongestSearch));
    return false;
  }
  searching_ = false;
  reference_.thumbnails.clear();
  for (MatchInput &input : distorted_)
    input.thumbnails.clear();
  for (const auto &[id, alignment] : found)
    if (MatchInput *input = find(id)) {
      input->alignment = alignment;
      input->offset = offset_of(*input, alignment.offset);
    }
  return true;
}

/// A found distance in frames as `offset` counts it: where times pair frames, by their times.
std::int32_t FrameMatcher::offset_of(const MatchInput &input, int found) const {
  // Frames at another rate were looked at where the reference's lie, so only the first ones' times count.
  const int steps = has_other_rate(input) ? 0 : found;
  const auto at = static_cast<std::size_t>(std::max(0, -steps)),
             there = static_cast<std::size_t>(std::max(0, steps));
  if (rules_.by_index || at >= reference_.frames.size() || there >= input.frames.size()) return found;
  const TimedFrame &reference = reference_.frames[at], &distorted = input.frames[there];
  if (!reference.time || !distorted.time || reference.duration <= 0) return found;
  const auto apart = static_cast<double>(*distorted.time - *reference.time);
  return found - steps +
         static_cast<std::int32_t>(std::lround(apart / static_cast<double>(reference.duration)));
}

std::int64_t FrameMatcher::tolerance() const {
  if (rules_.tolerance) return rules_.tolerance;
  return reference_duration_ > 0 ? reference_duration_ / 2 : kUnknownRateTolerance;
}

/// ns from the first waiting reference frame to a frame of this input, less its offset; none where a time is
/// missing or frames are counted.
std::optional<std::int64_t> FrameMatcher::distance(const MatchInput &input, const TimedFrame &frame) const {
  const TimedFrame &reference = reference_.frames.front();
  if (rules_.by_index || !reference.time || !frame.time) return std::nullopt;
  return *frame.time - *reference.time - input.offset * reference.duration;
}

/// What is to be done with an input's first frame for the first reference frame.
FrameMatcher::Verdict FrameMatcher::judge(const MatchInput &input) const {
  if (input.frames.empty()) return input.ended ? Verdict::none : Verdict::wait;
  const auto apart = distance(input, input.frames.front());
  if (!apart) {
    // The first |offset| frames of one side have no partner.
    const std::int64_t ahead = number_of_first(input) - number_of_first(reference_) - input.offset;
    return ahead == 0 ? Verdict::partner : ahead > 0 ? Verdict::none : Verdict::drop;
  }
  if (input.frames.front().time == input.last_time) return Verdict::repeated;
  if (*apart < -tolerance()) return Verdict::drop;
  if (*apart > tolerance()) return Verdict::none;
  return *apart < 0 ? judge_by_next(input, -*apart) : Verdict::partner;
}

/// The same where the first frame lies `before` ns before the reference's: the next may be nearer.
FrameMatcher::Verdict FrameMatcher::judge_by_next(const MatchInput &input, std::int64_t before) const {
  if (input.frames.size() > 1) {
    const auto next = distance(input, input.frames[1]);
    return next && std::abs(*next) < before ? Verdict::drop : Verdict::partner;
  }
  const std::int64_t duration = input.frames.front().duration;
  const bool never_nearer = input.ended || (duration > 0 && duration >= 2 * before);
  return never_nearer ? Verdict::partner : Verdict::wait;
}

TimedFrame FrameMatcher::take(MatchInput &input) {
  TimedFrame taken = std::move(input.frames.front());
  input.frames.pop_front();
  input.last_time = taken.time;
  return taken;
}

void FrameMatcher::leave_out(MatchInput &input, LeftOut::Why why) {
  ++(why == LeftOut::Why::repeated ? input.counts.repeated : input.counts.unmatched);
  const auto number = static_cast<std::uint64_t>(number_of_first(input));
  left_out_.push_back({input.id, why, number, take(input)});
}

/// Lets frames go that belong to no reference frame from here on; whether the input has decided.
bool FrameMatcher::settle(MatchInput &input) {
  Verdict verdict = judge(input);
  for (; verdict == Verdict::drop || verdict == Verdict::repeated; verdict = judge(input))
    leave_out(input, verdict == Verdict::drop ? LeftOut::Why::unmatched : LeftOut::Why::repeated);
  return verdict != Verdict::wait;
}

std::optional<FrameSet> FrameMatcher::next() {
  if (searching_) return std::nullopt;
  if (reference_.frames.empty()) {
    for (MatchInput &input : distorted_)
      while (reference_.ended && !input.frames.empty())
        leave_out(input, LeftOut::Why::unmatched);
    return std::nullopt;
  }
  bool decided = !distorted_.empty();
  for (MatchInput &input : distorted_)
    decided &= settle(input);
  if (!decided) return std::nullopt;
  FrameSet set;
  const auto number = static_cast<std::uint64_t>(number_of_first(reference_));
  for (MatchInput &input : distorted_) {
    if (judge(input) != Verdict::partner) {
      ++input.counts.missing;
      left_out_.push_back({input.id, LeftOut::Why::missing, number, reference_.frames.front()});
      continue;
    }
    ++input.counts.matched;
    input.being_scored = true;
    set.partners.emplace_back(input.id, take(input));
  }
  reference_.being_scored = true;
  set.reference = take(reference_);
  return set;
}

void FrameMatcher::scored() {
  reference_.being_scored = false;
  for (MatchInput &input : distorted_)
    input.being_scored = false;
}

bool FrameMatcher::finished() const {
  const auto over = [](const MatchInput &input) { return input.ended && input.frames.empty(); };
  return !searching_ && over(reference_) && std::all_of(distorted_.begin(), distorted_.end(), over);
}

} // namespace hull::vmaf
