#pragma once

#include "gst/tools/title/choose.h"
#include "gst/tools/title/title_result.h"

namespace hull::tools {

/// A ladder whose rungs have files.
struct EncodedLadder {
  Points points;     ///< with the rungs among them where those are better known than the search's
  Decision decision; ///< of the rungs' true rates and qualities
  std::vector<FinalRung> rungs;
};

/// Encodes and verifies the rungs of `choice`. Where they come out otherwise than estimated, or above the
/// cap, it is chosen again, three times at most.
Step<EncodedLadder> encode_rungs(const TitleContext &context, TaskRunner &runner, const CutTitle &title,
                                 const Costs &costs, Points points, Choice choice);

} // namespace hull::tools
