#pragma once

#include "gst/tools/source.h"

#include <nlohmann/json_fwd.hpp>

namespace hull::tools {

/// A source's facts as results and tasks carry them. source_from_json gives back what source_json took, but
/// of Y4M only that it is: the file may be gone by then. Fails with bad_data when a field is missing.
nlohmann::ordered_json source_json(const Source &source);
Result<Source> source_from_json(const nlohmann::json &json);

} // namespace hull::tools
