#pragma once

#include <cstdint>
#include <optional>

namespace hull::mux {

/// What a sample says about itself, in nanoseconds of running time. Any part may be missing or wrong.
struct Stamp {
  std::optional<std::int64_t> pts;
  std::optional<std::int64_t> dts;
  std::optional<std::int64_t> duration;
};

/// A sample on its track's timeline, in ticks of the track's timescale.
struct Placed {
  std::int64_t decode_time = 0;
  std::int32_t composition_offset = 0; ///< presentation time minus decode time; negative with B-frames
  std::uint32_t duration = 0;          ///< as far as it is known before the next sample comes; at least 1
  bool duration_known = false;         ///< false: a guess from the sample before
  std::int64_t early = 0; ///< ticks by which it is decoded before its time, since its predecessor was frozen
};

/// What add() had to put right. Everything here is worth a warning, nothing ends a recording.
struct Repairs {
  std::uint64_t missing_pts = 0;
  std::uint64_t missing_dts = 0; ///< only where it was needed: reordered pictures
  std::uint64_t backward_dts = 0;
  std::uint64_t jumps = 0; ///< timestamps that started again or leapt beyond 2^31 ticks
  std::uint64_t clamped_offsets = 0;
  std::uint64_t strays = 0; ///< single timestamps out of line
  std::uint64_t total() const {
    return missing_pts + missing_dts + backward_dts + jumps + clamped_offsets + strays;
  }
  Repairs &operator+=(const Repairs &other) {
    missing_pts += other.missing_pts;
    missing_dts += other.missing_dts;
    backward_dts += other.backward_dts;
    jumps += other.jumps;
    clamped_offsets += other.clamped_offsets;
    strays += other.strays;
    return *this;
  }
};

/// How a track's samples follow each other.
enum class Pacing {
  reordered,  ///< pictures: decode order may differ from presentation order
  contiguous, ///< audio frames: a timestamp within half a frame of the expected one is the expected one
  sparse,     ///< text: a sample's end is its own business
};

/// Turns timestamps into ticks, once, at the door. Points in time are rounded and subtracted, never
/// durations, so base_media_decode_time of a fragment is exactly the sum of the durations before it.
///
/// The decode times of reordered pictures are moved forward so that the first picture's composition offset is
/// zero: the presentation starts at the first decode time without an edit list (track run version 1). A
/// sample table that wants unsigned offsets adds reorder_shift() to each and starts its edit there.
class Timeline {
 public:
  /// `timescale` ticks per second; `nominal` ticks a sample lasts when nothing else tells (0 = unknown).
  Timeline(std::uint32_t timescale, Pacing pacing, std::uint32_t nominal = 0);

  Placed add(const Stamp &stamp);

  /// The newest sample is written out with the duration add() gave: whatever its successor says, the timeline
  /// goes on at its end, and the difference goes into the successor's composition offset and duration.
  void freeze();

  std::uint32_t timescale() const { return timescale_; }
  std::int64_t reorder_shift() const { return shift_; }
  /// Presentation time of the first sample; negative when it lies before the segment's start (priming).
  std::int64_t first_presentation() const { return first_presentation_; }
  /// Ticks by which presentation times were moved up, so that no decode time is negative.
  std::int64_t origin() const { return origin_; }
  const Repairs &repairs() const { return repairs_; }
  /// A gap of this many ticks or more lies between the newest sample's announced end and the one before it.
  bool started() const { return started_; }

 private:
  std::int64_t ticks(std::int64_t nanoseconds) const;
  std::int64_t expected() const { return last_decode_ + last_duration_; }
  void complete(Stamp &stamp);
  std::int64_t follow(std::int64_t decode, std::int64_t &presentation);

  std::uint32_t timescale_;
  Pacing pacing_;
  bool started_ = false;
  bool frozen_ = false;
  std::int64_t shift_ = 0;
  std::int64_t origin_ = 0;
  std::int64_t rebase_ = 0; // ticks added to every time after a jump
  std::int64_t first_presentation_ = 0;
  std::int64_t last_decode_ = 0;
  std::int64_t last_duration_ = 0;
  std::int64_t last_dts_ns_ = 0;
  std::int64_t last_delta_ns_ = 0;
  std::int64_t last_offset_ns_ = 0;
  Repairs repairs_;
};

/// A timescale that holds whole frames of `numerator`/`denominator` per second, at least 10 000 (as ffmpeg
/// doubles it); 90 000 when the rate is not constant.
std::uint32_t video_timescale(std::uint32_t numerator, std::uint32_t denominator);

} // namespace hull::mux
