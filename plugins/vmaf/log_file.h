#pragma once

#include "gst/core/result.h"

#include <cstdio>
#include <memory>
#include <string>

namespace hull {

/// A file of scores that grows with the stream; "-" is standard output. Errors name the path and the reason.
class VmafLogFile {
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

} // namespace hull
