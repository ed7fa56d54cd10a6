#pragma once

#include "gst/core/result.h"
#include "gst/glue/ref.h"

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gst/gst.h>

namespace hull::tools {

/// A pipeline that one thread builds and runs to its end. Streaming threads never touch it.
class Pipeline {
 public:
  using Properties = std::vector<std::pair<const char *, std::string>>;

  Pipeline();
  Pipeline(const Pipeline &) = delete;
  Pipeline &operator=(const Pipeline &) = delete;
  ~Pipeline(); ///< stops it: when this returns no streaming thread runs

  /// A new element of the pipeline with its properties set from text, as gst-launch-1.0 does. A factory that
  /// is missing is remembered and reported by run(); the calls until then do nothing.
  GstElement *add(const char *factory, const Properties &properties = {});
  /// hullmp4sink for one CMAF track file with a segment index behind its header.
  GstElement *add_track_file(const std::string &path);
  /// A capsfilter.
  GstElement *filter(const std::string &caps);
  /// Links in order; null elements and failures are remembered like a missing factory.
  void link(std::initializer_list<GstElement *> chain);

  /// Makes run() call `tick` at once; any thread.
  void wake();
  /// Plays until EOS. `stop` ends it early with ErrorCode::stopped; `tick` is called about ten times a second
  /// in this thread. An error message of the pipeline becomes the result, with the element that posted it.
  Result<void> run(const std::atomic<int> &stop, const std::function<void()> &tick = {});
  /// Ends the pipeline without an error from any thread: run() returns as at EOS.
  void finish();

  /// run() returns at once as at EOS, and nobody stops the pipeline any more: what hangs in it would be waited
  /// for. Its threads and memory are lost. For the thread that runs it.
  void abandon();

  GstBin *bin() { return GST_BIN(pipeline_.get()); }
  GstElement *element() { return pipeline_.get(); }
  const Error *problem() const { return failed_ ? &problem_ : nullptr; }
  void remember(Error error);

 private:
  Result<void> handle(GstMessage *message, bool &done);
  void post(const char *name);

  ElementRef pipeline_;
  bool failed_ = false, abandoned_ = false;
  Error problem_;
};

/// The error of a GST_MESSAGE_ERROR in our words: full disks, missing decoders, broken data; else the
/// element's own sentence with its factory's name.
Error error_of(GstMessage *message);

} // namespace hull::tools
