#pragma once

#include "gst/mux/timeline.h"

#include <deque>
#include <memory>
#include <vector>

namespace hull::mux {

/// Jumps to a new timeline, as the tracks of one source make them together: so that each moves its times by
/// the same amount, and they stay in step.
struct SharedMoves {
  std::vector<std::int64_t> moves; ///< nanoseconds added to the times after the jump, oldest first
};

/// Tells stamps that are out of line from true gaps and from timelines that begin anew, by what comes after
/// them. In decode order, nanoseconds of running time.
///
/// - A jump forward of at most `max_gap` that the following samples continue is a gap, and stays one.
/// - Up to three samples that jump, after which the others go on where they were, are strays: they are put
///   behind their predecessor.
/// - More that agree with each other begin a new timeline (backwards, or a gap longer than `max_gap`): it
///   goes on where the old one ended, and the other tracks move with it.
/// - Samples in front of the first one that has a time end where that begins: a demuxer that joins a stream in its
///   middle may not know earlier when it is.
/// - In live pipelines nobody waits: a jump counts at once if the samples came as much later or earlier as they
///   say, else with the fourth that agrees.
class StampJudge {
 public:
  struct Settings {
    std::int64_t max_gap = 10'000'000'000;
    std::int64_t nominal = 0; ///< what a sample lasts where nothing else tells; 0 = unknown
    std::int64_t leeway = 0;  ///< how far stamps may lie out of order: of reordered PTS without DTS
  };
  explicit StampJudge(const Settings &settings, std::shared_ptr<SharedMoves> shared)
      : settings_(settings), shared_(std::move(shared)) {}

  /// The next sample. `arrival`: running time at which it came, of live samples.
  void add(const Stamp &stamp, std::optional<std::int64_t> arrival = std::nullopt);
  /// A new segment, or the end of a gap that was announced: the next sample stands where it says.
  void begin_segment() { segment_begins_ = true; }
  /// Nothing comes that could tell; until add() is called again.
  void end() { ended_ = true; }
  /// The next stamp that is settled, in the order they came.
  std::optional<Stamp> next();

  /// Samples without a time in front of the first one that has one.
  std::uint64_t leading() const { return leading_; }
  std::uint64_t strays() const { return strays_; }
  std::uint64_t restarts() const { return restarts_; }

 private:
  struct Waiting {
    Stamp stamp;
    std::optional<std::int64_t> arrival;
    bool begins_segment = false;
  };
  std::optional<std::int64_t> time(std::size_t index) const;
  std::int64_t step() const;
  std::int64_t reach() const;
  bool follows(std::int64_t before, std::int64_t after) const;
  Stamp settle();
  Stamp settle_at(std::int64_t time);
  std::optional<Stamp> judge();
  std::optional<Stamp> judge_leading();
  std::optional<Stamp> judge_first(std::int64_t first);
  std::size_t agreeing(std::size_t first) const;
  Stamp judge_live(std::int64_t time);
  Stamp begin_anew(std::int64_t time);
  std::optional<std::int64_t> shared_move(std::int64_t time) const;

  Settings settings_;
  std::shared_ptr<SharedMoves> shared_;
  std::deque<Waiting> waiting_;
  std::int64_t leeway_ = 0; // of the stamps that come
  std::int64_t move_ = 0;   // added to all times since the last jump
  std::size_t moves_seen_ = 0;
  std::optional<std::int64_t> last_; // settled decode time
  std::int64_t last_step_ = 0;
  std::optional<std::int64_t> lag_; // of the last settled sample: arrival minus time
  unsigned suspects_ = 0;           // live samples in a row that were put elsewhere
  std::int64_t suspect_ = 0;        // time of the last of them, as it came
  bool segment_begins_ = false;
  bool ended_ = false;
  std::uint64_t leading_ = 0, strays_ = 0, restarts_ = 0;
};

} // namespace hull::mux
