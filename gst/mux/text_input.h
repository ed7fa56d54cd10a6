#pragma once

#include "gst/isobmff/file/track.h"
#include "gst/isobmff/formats/webvtt.h"
#include "gst/mux/text_track.h"

#include <optional>
#include <string_view>

namespace hull::mux {

/// What a text pad's buffers hold.
enum class TextForm { webvtt, plain, pango, ttml };

/// What a text pad's buffers say, as cues of a TextTrack. Times are nanoseconds of running time.
class TextInput {
 public:
  TextInput(TextForm form, std::uint32_t timescale, std::string label);

  /// A buffer: WebVTT text with any number of cues, one cue of plain text or markup, or one TTML document.
  /// Cues of WebVTT move with `start`, which is the first one's; without it their own times count.
  void take(std::string_view text, std::optional<std::int64_t> start, std::optional<std::int64_t> duration);
  /// Nothing starts before `time`.
  void reach(std::int64_t time);
  void end();

  bool has_begun() const { return has_begun_; } ///< a cue, a gap or the end came
  bool any() const { return sources_ > 0; }
  std::uint64_t refused() const { return refused_ + parser_.refused() + track_.late(); }
  std::int64_t horizon() const; ///< nanoseconds
  TextTrack &track() { return track_; }
  /// Gives a sample entry what only the stream knows: WebVTT's header, TTML's namespaces.
  void describe(isobmff::SampleFormat &format) const;

  /// The same pad goes on with another form of the same track.
  void set_form(TextForm form) { form_ = form; }

  /// Samples end where fragments and chunks of these lengths do, counted from `origin`; a fragment length of
  /// 0: only where the text changes. Nanoseconds.
  struct Grid {
    std::int64_t origin = 0, fragment = 0, chunk = 0;
  };
  Grid grid;
  /// Samples are cut where the fragments of the other tracks end, and leave with those.
  bool joins = false;
  std::optional<TextSample> next();
  /// The same, where `joins`: up to `time`, as far as it is known.
  std::optional<TextSample> next(std::int64_t time);
  bool over() const { return track_.over(); }
  bool ended() const { return ended_; }

 private:
  std::int64_t ticks(std::int64_t nanoseconds) const;
  void add_cue(const isobmff::VttCue &cue);
  void take_document(std::string_view text, std::int64_t start, std::optional<std::int64_t> duration);
  TextForm form_;
  std::uint32_t timescale_;
  std::string label_;
  TextTrack track_;
  isobmff::VttParser parser_;
  std::string document_; // that comes in pieces
  std::string namespaces_;
  bool imsc1_ = false;
  bool has_begun_ = false, ended_ = false;
  std::int32_t sources_ = 0;
  std::uint64_t refused_ = 0;
};

} // namespace hull::mux
