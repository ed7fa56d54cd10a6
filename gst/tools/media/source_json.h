#pragma once

#include "gst/core/json.h"
#include "gst/tools/media/source.h"

namespace hull::tools {

/// A source's facts as results and tasks carry them. source_from_json gives back what source_json took, but
/// of Y4M only that it is: the file may be gone by then. Fails with bad_data when a field is missing.
Json source_json(const Source &source);
Result<Source> source_from_json(const Json &json);

} // namespace hull::tools
