#pragma once

// Media without tables: samples are told apart by what they look like in a good file of the same maker.

#include "gst/isobmff/file/recover.h"
#include "gst/isobmff/file/recover_model.h"

#include <span>

namespace hull::isobmff {

/// Samples that were found, by the model's tracks, and where they are.
struct FoundMedia {
  std::vector<SampleTable> tables;
  std::vector<ByteRange> kept;
};

/// Finds samples in those of `pieces` that hold media.
FoundMedia find_media(Source &source, const Model &model, std::span<const Piece> pieces);

/// Finds the samples of `source` and makes `plan` write the model's movie box with their tables.
Result<void> rebuild_like(Source &source, std::shared_ptr<Model> model, RecoveryPlan &plan);

} // namespace hull::isobmff
