#pragma once

#include "gst/vmaf/frame_matcher.h"
#include "gst/vmaf/letterbox.h"
#include "gst/vmaf/log.h"
#include "gst/vmaf/plane.h"

#include <optional>

namespace hull::vmaf {

/// What is known about the pictures of an input.
struct SourceFacts {
  int width = 0, height = 0;
  std::string format, colorimetry; ///< GStreamer's names
  unsigned crop_left = 0, crop_top = 0, crop_right = 0, crop_bottom = 0;
};

/// How one input's scores came about, for whoever reads them.
struct ResultFacts {
  std::string input;
  std::vector<std::pair<std::string, std::string>> models; ///< names in the log and of the models
  bool scaled = false, promoted = false;
  int bits = 8;
  bool by_index = false;
  std::int64_t tolerance = 0; ///< ns
  std::uint64_t reference_frames = 0, caps_changes = 0;
  unsigned searched = 0; ///< frames each way that an offset was looked for
  std::int32_t offset = 0;
  std::optional<Alignment> alignment;
  MatchCounts counts;
  std::optional<SourceFacts> reference, distorted;
  std::vector<std::string> doubts;               ///< about comparing these two
  std::optional<Coding> banding;                 ///< what CAMBI goes by
  std::optional<std::uint64_t> chroma_estimated; ///< frames, where a model reads chroma
  Letterbox reference_bars, bars;
  std::uint64_t frames_kept = 0, frames_scored = 0;
  unsigned subsample = 1;
};

/// What is doubtful about a found offset, and what to try.
std::string doubt_about(const Alignment &alignment, const std::string &input, unsigned searched);

/// Ready JSON texts by name, as ReportHead takes them.
std::vector<std::pair<std::string, std::string>> result_notes(const ResultFacts &facts);

} // namespace hull::vmaf
