#pragma once

// Media without tables: samples are told apart by what they look like in a good file of the same maker.

#include "gst/isobmff/file/recover.h"
#include "gst/isobmff/file/recover_model.h"

namespace hull::isobmff {

/// Finds the samples of `source` and makes `plan` write the model's movie box with their tables.
Result<void> rebuild_like(Source &source, std::shared_ptr<Model> model, RecoveryPlan &plan);

} // namespace hull::isobmff
