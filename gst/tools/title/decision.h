#pragma once

#include "gst/ladder/choose.h"
#include "gst/ladder/fixed.h"
#include "gst/ladder/per_shot.h"
#include "gst/tools/title/rendition_result.h"

#include <string>
#include <vector>

namespace hull::tools {

/// All that follows from a title's measured points.
struct Decision {
  std::vector<ladder::Point> points;
  std::vector<std::size_t> hull_linear, hull_log; ///< indexes of points
  std::vector<ladder::Curve> curves;
  std::vector<ladder::CrossOver> crosses;
  std::vector<ladder::Point> frontier;
  std::vector<ladder::Rung> ladder; ///< highest rate first
  std::vector<ladder::FixedResult> fixed;
  ladder::Saving saving;
};

/// Points, hulls, cross-overs, ladder and what it saves against `rows`. Fails as ladder::choose does.
Result<Decision> decide(const std::vector<RenditionResult> &measured, Pool pool, const ladder::Rules &rules,
                        std::span<const ladder::FixedRow> rows);

/// The cap of a ladder nobody gave one for: 1.5 times Apple's row for a source of so many lines, which gives
/// way to a title that cannot be coded below it.
double usual_cap(unsigned height, std::span<const ladder::Curve> curves, const ladder::Rules &rules);

/// `rules` with usual_cap() where they name no cap.
ladder::Rules with_usual_cap(ladder::Rules rules, unsigned height, std::span<const ladder::Curve> curves);

/// The shots that begin at `starts` with the slices of every result that belong to them as their points.
std::vector<ladder::Shot> points_of_shots(const std::vector<RenditionResult> &measured,
                                          const std::vector<std::uint64_t> &starts, std::uint64_t pictures,
                                          double fps);

/// One line per cross-over for people: "540p to 720p at 2046 kb/s, VMAF 72".
std::string text_of(const ladder::CrossOver &cross);

/// The ladder as an aligned table, and the saving.
std::string table_of(const Decision &decision);
std::string saving_of(const Decision &decision, const std::string &against);

/// Rows "kbps,height" of a fixed ladder.
Result<std::vector<ladder::FixedRow>> parse_rows(std::string_view text, const std::string &name);

} // namespace hull::tools
