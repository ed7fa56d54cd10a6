#pragma once

// Initialisation segments, segments and parts by the names the manifests give them.

#include "gst/publish/live/window.h"

namespace hull::publish {

enum class Found { ready, growing, hold, gone, unknown };

/// An object as it is now: `growing` objects get more chunks later; `hold` ones will exist soon.
struct ObjectView {
  Found found = Found::unknown;
  std::vector<Chunk> chunks;
  std::string content_type;
  std::uint64_t bytes = 0;
};

/// The view leaves the first `from_chunk` chunks out.
ObjectView find_object(const LiveWindow &window, std::string_view name, std::size_t from_chunk);

} // namespace hull::publish
