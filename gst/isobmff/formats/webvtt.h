#pragma once

// WebVTT (W3C) as files and streams carry it, and its form in samples: ISO/IEC 14496-30 clause 7.

#include "gst/core/bytes.h"
#include "gst/core/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hull::isobmff {

/// One cue; times in nanoseconds, as the text says them.
struct VttCue {
  std::int64_t start = 0, end = 0;
  std::string identifier, settings, payload;
};

/// Splits WebVTT text into its blocks. Line ends may be any of the three; a block that is no cue, style,
/// region or comment is left out and counted.
class VttParser {
 public:
  /// Cues of the blocks that `text` completes; a text without a blank line at its end is kept, 1 MiB at most.
  std::vector<VttCue> feed(std::string_view text);
  /// The cue of what is left when nothing follows.
  std::vector<VttCue> flush();

  /// What stands in front of the first cue: WEBVTT, styles, regions; what vttC stores. WEBVTT alone at least.
  std::string header() const { return header_.empty() ? "WEBVTT" : header_; }
  std::uint64_t refused() const { return refused_; }

 private:
  void block(std::string_view text, std::vector<VttCue> &cues);
  std::string header_, rest_;
  bool had_cue_ = false;
  std::uint64_t refused_ = 0;
};

/// A timestamp of the form [hours:]minutes:seconds.thousandths in nanoseconds; bad_data otherwise.
Result<std::int64_t> parse_vtt_time(std::string_view text);
/// hours:minutes:seconds.thousandths, the nearest one.
std::string vtt_time(std::int64_t nanoseconds);

/// Cue text of plain text: what WebVTT would take for tags is escaped, blank lines are closed.
std::string vtt_from_plain(std::string_view text);
/// Cue text of Pango markup: bold, italic and underlined stay, other tags go.
std::string vtt_from_pango(std::string_view text);

/// The vttc box of a cue; `source_id` tells the parts of a cue that spans samples that they are one.
Result<ByteVector> vtt_cue_box(const VttCue &cue, std::int32_t source_id);

/// A cue as a sample of a wvtt track holds it.
struct StoredCue {
  std::int32_t source_id = -1; ///< -1: none was said
  VttCue cue;                  ///< without times: those are the sample's
};
/// The cues of a wvtt sample, none for a stretch without text. bad_data where it is not made of boxes.
Result<std::vector<StoredCue>> read_vtt_sample(Bytes sample);

} // namespace hull::isobmff
