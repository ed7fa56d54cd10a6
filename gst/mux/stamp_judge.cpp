#include "gst/mux/stamp_judge.h"

#include "gst/core/time.h"

#include <algorithm>
#include <cstdlib>

namespace hull::mux {

namespace {

constexpr std::size_t kAgree = 4;                    // samples in a row that are believed
constexpr std::size_t kMostLeading = 512;            // samples that wait for the first time
constexpr std::int64_t kSmallest = 400'000'000;      // below this a jump is jitter
constexpr std::int64_t kTogether = 2 * kNanoseconds; // tracks that jump together end this far apart at most
constexpr std::int64_t kUnknownStep = kNanoseconds / 25; // where nobody says what a sample lasts

std::optional<std::int64_t> decode_time(const Stamp &stamp) {
  return stamp.dts ? stamp.dts : stamp.pts;
}

} // namespace

void StampJudge::add(const Stamp &stamp, std::optional<std::int64_t> arrival) {
  ended_ = false;
  leeway_ = stamp.dts ? 0 : settings_.leeway;
  waiting_.push_back({stamp, arrival, segment_begins_});
  segment_begins_ = false;
}

// As it would be settled now.
std::optional<std::int64_t> StampJudge::time(std::size_t index) const {
  const auto raw = decode_time(waiting_[index].stamp);
  return raw ? std::optional(*raw + move_) : std::nullopt;
}

std::int64_t StampJudge::step() const {
  return last_step_ > 0 ? last_step_ : settings_.nominal > 0 ? settings_.nominal : kUnknownStep;
}

// Forward and backward of what is expected, a stamp less far away is believed at once.
std::int64_t StampJudge::reach() const {
  return kSmallest + 2 * std::min(step(), kNanoseconds) + leeway_;
}

bool StampJudge::follows(std::int64_t before, std::int64_t after) const {
  return after > before - kSmallest - leeway_ && after < before + step() + reach();
}

// The front sample leaves with the time it says.
Stamp StampJudge::settle() {
  Waiting &front = waiting_.front();
  Stamp stamp = front.stamp;
  if (stamp.pts) *stamp.pts += move_;
  if (stamp.dts) *stamp.dts += move_;
  if (const auto now = decode_time(stamp)) {
    const bool reordered = leeway_ > 0;
    if (stamp.duration && *stamp.duration > 0)
      last_step_ = *stamp.duration;
    else if (!reordered && last_ && *now > *last_ && *now - *last_ < kNanoseconds)
      last_step_ = *now - *last_;
    if (front.arrival) lag_ = *front.arrival - *now;
    last_ = reordered && last_ ? std::max(*last_, *now) : *now;
  }
  suspects_ = 0;
  waiting_.pop_front();
  return stamp;
}

// The front sample leaves with another time.
Stamp StampJudge::settle_at(std::int64_t time) {
  const std::int64_t moved = time - *decode_time(waiting_.front().stamp);
  Stamp stamp = waiting_.front().stamp;
  if (stamp.pts) *stamp.pts += moved;
  if (stamp.dts) *stamp.dts += moved;
  last_ = time;
  waiting_.pop_front();
  return stamp;
}

std::optional<std::int64_t> StampJudge::shared_move(std::int64_t raw) const {
  for (std::size_t i = shared_->moves.size(); i-- > moves_seen_;)
    if (std::abs(raw + shared_->moves[i] - (*last_ + step())) <= kTogether) return shared_->moves[i];
  return std::nullopt;
}

// The timeline goes on behind the last sample, wherever the new one begins.
Stamp StampJudge::begin_anew(std::int64_t time) {
  const std::int64_t raw = time - move_;
  if (const auto shared = shared_move(raw)) {
    move_ = std::max(*shared, *last_ + 1 - raw);
  } else {
    move_ = *last_ + step() - raw;
    shared_->moves.push_back(move_);
  }
  moves_seen_ = shared_->moves.size();
  ++restarts_;
  return settle();
}

// How long it took to come says whether it jumped.
Stamp StampJudge::judge_live(std::int64_t time) {
  const Waiting &front = waiting_.front();
  const std::int64_t passed = lag_ ? *front.arrival - (*last_ + *lag_) : 0;
  if (lag_ && std::abs(*front.arrival - time - *lag_) <= reach()) return settle();
  const bool agrees = suspects_ > 0 && follows(suspect_, time);
  suspects_ = agrees ? suspects_ + 1 : 1;
  suspect_ = time;
  const bool gap = time > *last_ && time - *last_ <= settings_.max_gap;
  if (suspects_ >= kAgree) return gap ? settle() : begin_anew(time);
  ++strays_;
  return settle_at(*last_ + std::max(step(), std::min(passed, settings_.max_gap)));
}

// Nobody has said yet when the stream begins: the first one that does says it for those in front of it.
std::optional<Stamp> StampJudge::judge_leading() {
  if (waiting_.front().arrival) return settle();
  std::size_t known = 1;
  while (known < waiting_.size() && !time(known))
    ++known;
  if (known == waiting_.size())
    return ended_ || known >= kMostLeading || leeway_ > 0 ? std::optional(settle()) : std::nullopt;
  const Stamp &first = waiting_[known].stamp;
  std::int64_t at = *decode_time(first);
  leading_ += known;
  for (std::size_t i = known; i-- > 0;) {
    Stamp &stamp = waiting_[i].stamp;
    at -= stamp.duration && *stamp.duration > 0 ? *stamp.duration : step();
    if (first.dts) stamp.dts = at;
    if (first.pts) stamp.pts = at + (*first.pts - *decode_time(first));
  }
  return judge_first(*time(0));
}

// The first sample is out of line if those behind it agree on an earlier time.
std::optional<Stamp> StampJudge::judge_first(std::int64_t first) {
  if (waiting_.front().arrival || leeway_ > 0) return settle();
  if (waiting_.size() < 2 && !ended_) return std::nullopt;
  if (waiting_.size() < 2 || !time(1) || *time(1) >= first || follows(first, *time(1))) return settle();
  const std::size_t run = agreeing(1);
  if (1 + run == waiting_.size() && run < kAgree && !ended_) return std::nullopt;
  if (run < kAgree) return settle();
  ++strays_;
  return settle_at(*time(1) - step());
}

// Samples from `first` on, four at most, that agree with each other.
std::size_t StampJudge::agreeing(std::size_t first) const {
  std::size_t run = 1;
  while (run < kAgree && first + run < waiting_.size() && time(first + run) &&
         follows(*time(first + run - 1), *time(first + run)))
    ++run;
  return run;
}

std::optional<Stamp> StampJudge::judge() {
  const auto now = time(0);
  if (!now) return last_ ? std::optional(settle()) : judge_leading();
  if (!last_) return judge_first(*now);
  if (follows(*last_, *now)) return settle();
  if (waiting_.front().begins_segment && *now >= *last_) return settle();
  if (waiting_.front().arrival) return judge_live(*now);
  const bool gap = *now > *last_ && *now - *last_ <= settings_.max_gap;
  const std::size_t run = agreeing(0);
  if (run >= kAgree || waiting_.front().begins_segment) return gap ? settle() : begin_anew(*now);
  if (run == waiting_.size() && !ended_) return std::nullopt; // who comes next will tell
  // The last samples of all, or pictures that are far apart.
  if (gap && (run == waiting_.size() || (time(run) && *time(run) > *now))) return settle();
  ++strays_;
  return settle_at(*last_ + step());
}

std::optional<Stamp> StampJudge::next() {
  return waiting_.empty() ? std::nullopt : judge();
}

} // namespace hull::mux
