#include "gst/publish/presentation.h"

namespace hull::publish {

Result<Track> read_track(const std::string &path) {
  return fail(ErrorCode::unsupported, path + ": reading track files needs the box room");
}

} // namespace hull::publish
