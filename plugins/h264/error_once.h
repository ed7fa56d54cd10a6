#pragma once

#include "gst/glue/raise.h"

#include <set>
#include <string>

namespace hull::h264 {

/// Errors of one element, each posted once until the next start: upstream may offer the same caps or the same
/// stream again and again. Streaming thread only.
class ErrorOnce {
 public:
  explicit ErrorOnce(GstElement *element) : element_(element) {}
  void raise(const Error &error) {
    if (posted_.insert(error.text).second) hull::raise(element_, error);
  }
  bool any() const { return !posted_.empty(); }
  void clear() { posted_.clear(); }

 private:
  GstElement *element_;
  std::set<std::string> posted_;
};

} // namespace hull::h264
