#pragma once

#include "gst/tools/pipeline.h"
#include "gst/tools/source.h"

#include <atomic>
#include <cstdint>
#include <vector>

namespace hull::tools {

/// Pictures [first, first + count) of a title.
struct Window {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const Window &) const = default;
};

/// The head of every graph: file, demuxer, decoder, then pictures in I420, progressive, with square pixels
/// and even sizes, timed by counting where the source has no clock of its own, and only those inside the
/// windows.
class Front {
 public:
  /// Adds the elements; link from `out`, a capsfilter. `windows` rise and do not overlap; none = all
  /// pictures.
  Front(Pipeline &pipeline, const Source &source, std::vector<Window> windows);
  Front(const Front &) = delete;
  Front &operator=(const Front &) = delete;

  GstElement *out = nullptr;
  /// Pictures that left so far; any thread.
  std::uint64_t pictures() const { return pictures_.load(); }

 private:
  static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  static void on_pad(GstElement *decoder, GstPad *pad, gpointer self);
  static gboolean on_continue(GstElement *decoder, GstPad *pad, GstCaps *caps, gpointer self);

  const Source source_;
  const std::vector<Window> windows_;
  std::size_t window_ = 0; // the one pictures are waited for
  GstElement *entry_ = nullptr;
  std::uint64_t seen_ = 0; // pictures decoded; streaming thread only
  std::atomic<std::uint64_t> pictures_{0};
};

} // namespace hull::tools
