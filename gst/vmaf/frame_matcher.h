#pragma once

#include "gst/vmaf/alignment.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace hull::vmaf {

/// The reference is input 0; each distorted input has a number of its own.
using InputId = unsigned;
inline constexpr InputId kReferenceInput = 0;

/// A frame on its way to its partners: its time is looked at, its picture only carried along.
struct TimedFrame {
  std::optional<std::int64_t> time; ///< running time in ns; none where its buffer had none
  std::int64_t duration = 0;        ///< ns of one frame at its input's rate; 0 = unknown
  std::shared_ptr<const void> picture;
};

struct MatchRules {
  bool by_index = false;      ///< the n-th frames are partners, whatever their times
  std::int64_t tolerance = 0; ///< ns that partners may lie apart; 0 = half a reference frame
  unsigned reach = 0;         ///< look for offsets of up to this many frames first; 0 = take the given ones
};

/// What became of an input's frames, and of the reference's frames here.
struct MatchCounts {
  std::uint64_t received = 0, matched = 0, missing = 0, unmatched = 0, repeated = 0, untimed = 0;
};

struct MatchInput {
  InputId id = kReferenceInput;
  std::int32_t offset = 0;            ///< in force: the given one or the found one
  std::optional<Alignment> alignment; ///< what the search found
  MatchCounts counts;
  std::deque<TimedFrame> frames; ///< that wait for their partners
  bool ended = false;            ///< no more will come

  // While the search for an offset runs: one for each waiting frame.
  std::vector<Thumbnail> thumbnails;
  // Of the newest frame that left the queue.
  std::optional<std::int64_t> last_time;
  bool being_scored = false;
};

/// A reference frame and its partners.
struct FrameSet {
  TimedFrame reference;
  std::vector<std::pair<InputId, TimedFrame>> partners;
};

/// A frame that is not scored on this input: the reference's where its partner is missing, else the input's
/// own.
struct LeftOut {
  enum class Why { unmatched, repeated, missing };
  InputId input;
  Why why;
  std::uint64_t number; ///< from 0
  TimedFrame frame;
};

/// The first frames of all inputs, for find_alignments().
struct AlignmentTask {
  int reach = 0;
  std::vector<Thumbnail> reference;
  std::vector<std::pair<InputId, std::vector<Thumbnail>>> distorted;
};
using Alignments = std::vector<std::pair<InputId, Alignment>>;
Alignments find_alignments(const AlignmentTask &task);

/// Decides which frames of several inputs belong together, and counts those without a partner: the nearest in
/// time within the tolerance. Each input holds one frame, or two where the second decides, so nothing queues
/// until grow();
/// while offsets are searched it holds as many as that takes.
class FrameMatcher {
 public:
  FrameMatcher() = default;
  explicit FrameMatcher(const MatchRules &rules)
      : rules_(rules), searching_(rules.reach > 0), window_(rules.reach + 12) {}

  void add(InputId id, std::int32_t offset);
  void set_offset(InputId id, std::int32_t offset);
  void remove(InputId id);
  bool has(InputId id) const { return find(id) != nullptr; }
  const MatchInput &input(InputId id) const { return *find(id); }
  std::size_t distorted() const { return distorted_.size(); }

  bool has_room(InputId id) const;
  /// The inputs that others wait for: nothing of theirs is there, and they have not ended.
  std::vector<InputId> starving() const;
  /// Lets each input hold four times as many frames, `most` at most; false where it may hold those already.
  bool grow(std::size_t most);
  /// `thumbnail` where searching() says that it is wanted.
  void push(InputId id, TimedFrame frame, const Thumbnail *thumbnail = nullptr);
  void set_ended(InputId id, bool ended);
  /// Takes the waiting frames out, as a flush wants; counts stay.
  std::deque<TimedFrame> flush(InputId id);

  /// Whether frames are being gathered to find offsets by.
  bool searching() const { return searching_; }
  /// What offsets are to be found by, once there are frames enough. Then end_search() must follow.
  std::optional<AlignmentTask> start_search();
  /// False where still or alike pictures decided nothing yet and more of them are gathered.
  bool end_search(const Alignments &found);

  /// The next complete set, taken out of the queues. One at a time: scored() must follow. Lets frames go that
  /// can have no partner, so inputs may have room afterwards even if no set came.
  std::optional<FrameSet> next();
  void scored();
  /// What next() let go since the last call, for logs; the buffers should go without a lock.
  std::vector<LeftOut> take_left_out() { return std::exchange(left_out_, {}); }
  /// All inputs have ended and nothing waits.
  bool finished() const;

  /// ns that partners may lie apart.
  std::int64_t tolerance() const;

 private:
  const MatchInput *find(InputId id) const;
  MatchInput *find(InputId id) { return const_cast<MatchInput *>(std::as_const(*this).find(id)); }
  bool has_other_rate(const MatchInput &input) const;
  std::size_t frames_to_search(const MatchInput &input) const;
  std::vector<Thumbnail> thumbnails_at_reference_rate(const MatchInput &input) const;
  std::optional<std::int64_t> distance(const MatchInput &input, const TimedFrame &frame) const;
  enum class Verdict { wait, drop, repeated, partner, none };
  Verdict judge(const MatchInput &input) const;
  Verdict judge_by_next(const MatchInput &input, std::int64_t before) const;
  bool settle(MatchInput &input);
  TimedFrame take(MatchInput &input);
  void leave_out(MatchInput &input, LeftOut::Why why);
  std::int32_t offset_of(const MatchInput &input, int found) const;

  MatchRules rules_;
  bool searching_ = false;
  std::size_t capacity_ = 1; ///< frames that an input may hold
  std::size_t window_ = 0;   ///< reference frames to find offsets by
  MatchInput reference_;
  std::vector<MatchInput> distorted_;
  std::vector<LeftOut> left_out_;
  std::int64_t reference_duration_ = 0;
};

} // namespace hull::vmaf
