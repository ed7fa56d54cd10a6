#pragma once

#include "gst/core/result.h"
#include "gst/ladder/point.h"
#include "gst/tools/media/y4m.h"
#include "gst/tools/support/files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hull::tools {

/// What a title is, as far as it decides how it is measured and packaged.
struct Source {
  std::string path;
  std::string identity;           ///< identity_of(path)
  Stamp stamp;                    ///< when it was identified
  unsigned width = 0, height = 0; ///< upright
  int par_n = 1, par_d = 1;
  int fps_n = 25, fps_d = 1; ///< the average where the rate varies
  bool variable_rate = false;
  bool interlaced = false;
  std::string turn; ///< videoflip's video-direction that puts stored pictures upright; empty = none does
  bool elementary = false; ///< no container: pictures are timed by counting
  unsigned bit_depth = 8;
  std::uint64_t frames = 0; ///< as declared or computed, 0 = unknown until the scan
  double seconds = 0;       ///< 0 = unknown
  std::string video_codec;  ///< for people
  bool audio = false;
  std::string audio_codec;           ///< caps name, "audio/mpeg"
  bool audio_carried = false;        ///< AAC and Opus go into the package as they are
  std::vector<std::string> left_out; ///< streams that the result does not have, for people
  std::optional<Y4mHeader> y4m;

  ladder::Resolution display; ///< square pixels, even width and height: what is scored and shown
  // What the scan adds.
  std::uint64_t start_ns = 0; ///< time of the first picture
  std::uint64_t late_ns = 0;  ///< from the start of the source to its first picture, where there is sound
  bool steady = false;        ///< every picture lies where counting puts it

  double fps() const { return static_cast<double>(fps_n) / fps_d; }
  /// Pictures are timed by counting: there is no clock, or it only repeats the count.
  bool counted() const { return elementary || y4m || steady; }
  /// A window can be reached without decoding what lies before it.
  bool seekable() const { return !interlaced && (y4m || steady); }
  /// Pictures of a 2 s group, at least 1.
  unsigned gop() const;
};

/// Opens a file and finds out. Fails with one sentence that says what to do: no such file, empty, not a
/// video, no video stream, no decoder, HDR, too small (under 34x34) or cut.
Result<Source> probe(const std::string &path);

/// Says on standard error which streams the result will not have.
void tell_left_out(const Source &source);

/// Fails with unsupported where pictures are too small for VMAF, whose fourth scale needs one sample.
Result<void> check_scorable(const Source &source);

/// Size a picture of w x h with this pixel aspect ratio has with square pixels: height kept, both rounded
/// down (height) and to the nearest even number (width).
ladder::Resolution display_size(unsigned width, unsigned height, int par_n, int par_d);

/// The picture sizes to try for a title, smallest first: the standard heights below its own, and its own.
/// `heights` replaces the standard ones; what exceeds the source is left out.
std::vector<ladder::Resolution> rung_sizes(const ladder::Resolution &display,
                                           const std::vector<unsigned> &heights = {});

} // namespace hull::tools
