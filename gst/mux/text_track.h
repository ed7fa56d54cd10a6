#pragma once

#include "gst/core/bytes.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace hull::mux {

/// Text between two times, in ticks of its track.
struct TextCue {
  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();
  std::int64_t start = 0;
  std::int64_t end = kOpen; ///< kOpen: until the next one starts
  ByteVector data;          ///< a vttc box, or a TTML document
};

/// A sample of a text track.
struct TextSample {
  std::int64_t start = 0;
  std::uint32_t duration = 0;
  ByteVector data;
};

/// Turns cues, which overlap and leave gaps, into samples, which do neither: ISO/IEC 14496-30 7.3. A sample
/// holds all cues that are shown while it lasts, and one box or document that says "nothing" where none is. A
/// cue is repeated in each sample it reaches into.
class TextTrack {
 public:
  static constexpr std::int64_t kForever = TextCue::kOpen;
  enum class Form {
    cues,     ///< wvtt: a sample is a sequence of boxes
    documents ///< stpp: a sample is one document; a newer one replaces the one before
  };
  TextTrack(Form form, std::uint32_t timescale) : form_(form), timescale_(timescale) {}

  /// Where the first sample starts. Cues that were over by then are late.
  void begin(std::int64_t time);
  void add(TextCue cue);
  /// No cue that starts before `time` comes any more.
  void reach(std::int64_t time);
  /// No cue comes any more; one whose end is open lasts 5 s.
  void end();

  /// The next sample, which ends at the next change and at `until` at latest; none while it is not known how
  /// it goes on until there, or when the last cue is over and `until` is kForever.
  std::optional<TextSample> next(std::int64_t until);

  std::int64_t position() const { return position_; }
  std::int64_t horizon() const { return horizon_; } ///< until where it is known
  std::int64_t last_end() const;                    ///< of the cues that wait; position() where none does
  bool over() const;                           ///< nothing is shown from position() on, and nothing comes
  std::uint64_t late() const { return late_; } ///< cues that came after their time

 private:
  ByteVector data_of_now() const;
  Form form_;
  std::uint32_t timescale_;
  std::vector<TextCue> cues_; // by start
  std::int64_t position_ = 0;
  std::int64_t horizon_ = 0;
  bool ended_ = false;
  std::uint64_t late_ = 0;
};

} // namespace hull::mux
