#pragma once

#include "gst/vmaf/scores.h"

#include <cstdio>
#include <string>

namespace hull::vmaf {

/// A file of scores that grows with the stream; "-" is standard output. Errors name the path and the reason.
class ScoreFile {
 public:
  Result<void> open(const std::string &path);
  Result<void> write(const std::string &text);
  /// Writes what is buffered and closes; says whether all of it arrived.
  Result<void> close();
  bool is_open() const { return file_ != nullptr; }

 private:
  struct Close {
    void operator()(std::FILE *file) const;
  };
  Result<void> failed() const;
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// scores.json -> scores.distorted_1.json
std::string with_pad_name(const std::string &path, const std::string &pad);

/// The files of all streams of one measurement. They grow with the streams; several streams cannot share
/// standard output that way, so there each one's text follows whole at the end.
class ScoreFiles {
 public:
  ScoreFiles() = default;
  /// No file at all where `location` is empty.
  ScoreFiles(std::string location, LogLayout layout) : location_(std::move(location)), layout_(layout) {}

  Result<void> open(const std::vector<std::string> &streams, const ScoreColumns &columns, int width,
                    int height);
  Result<void> write(const FrameScore &score);
  /// Completes a stream's file; call it for the streams in their order.
  Result<void> finish(std::size_t stream, const ScoreLog &log, const ReportHead &head);
  bool wanted() const { return !location_.empty(); }

 private:
  struct Stream {
    ScoreFile file;
    bool has_rows = false;
  };
  std::string location_;
  LogLayout layout_ = LogLayout::json;
  std::vector<Stream> streams_;
};

} // namespace hull::vmaf
