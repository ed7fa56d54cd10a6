#pragma once

#include "gst/tools/title/rendition_result.h"

#include <optional>
#include <string>

namespace hull::tools {

/// Results of renditions as files CACHE/KEY.json, each with a digest of its content: one that is torn or was
/// changed counts as absent.
class Cache {
 public:
  static Result<Cache> open(const std::string &folder);
  std::optional<RenditionResult> get(const std::string &key) const;
  Result<void> put(const RenditionResult &result) const;
  /// Other results of a title, such as its scan.
  std::optional<Json> get_json(const std::string &key) const;
  Result<void> put_json(const std::string &key, const Json &content) const;
  const std::string &folder() const { return folder_; }

 private:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

} // namespace hull::tools
