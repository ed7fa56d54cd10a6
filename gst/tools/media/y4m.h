#pragma once

#include "gst/core/result.h"
#include "gst/tools/media/pipeline.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hull::tools {

/// The stream header of a YUV4MPEG2 file. The tool reads these files itself: GStreamer 1.22's y4mdec gives up
/// on headers over 80 bytes, which FFmpeg writes from 720p on.
struct Y4mHeader {
  unsigned width = 0, height = 0;
  int fps_n = 25, fps_d = 1;
  int par_n = 1, par_d = 1;
  bool interlaced = false;
  std::string format = "I420"; ///< GStreamer's name
  bool full_range = false;
  std::uint64_t frame_bytes = 0; ///< of one picture, without its FRAME line
  std::uint64_t header_bytes = 0;
};

/// Parses the header line. Fails with bad_data when it is not YUV4MPEG2 or has no size, and with unsupported
/// when its pixel format is not 4:2:0, 4:2:2 or 4:4:4 with 8, 10 or 12 bits, or mono with 8.
Result<Y4mHeader> parse_y4m(std::string_view text);

/// parse_y4m of a file's first bytes.
Result<Y4mHeader> read_y4m_header(const std::string &path);

struct Y4mFile {
  Y4mHeader header;
  std::uint64_t frames = 0;
};

/// Header and number of pictures; fails with bad_data when the last picture is cut.
Result<Y4mFile> open_y4m(const std::string &path);

/// A source element in `pipeline` that pushes the pictures of `path` from number `first` on, with their
/// timestamps.
GstElement *add_y4m_source(Pipeline &pipeline, const std::string &path, const Y4mHeader &header,
                           std::uint64_t first);

} // namespace hull::tools
