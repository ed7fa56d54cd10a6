#include "gst/tools/title/cache.h"

#include "gst/tools/support/files.h"

namespace hull::tools {

Result<Cache> Cache::open(const std::string &folder) {
  if (auto ok = make_folder(folder); !ok) return tl::unexpected(ok.error());
  return Cache(folder);
}

std::optional<Json> Cache::get_json(const std::string &key) const {
  const auto text = read_file(folder_ + "/" + key + ".json");
  if (!text) return std::nullopt;
  const auto whole = Json::parse(*text);
  if (!whole.is_object() || !whole.contains("content") || !whole.contains("sha256")) return std::nullopt;
  if (whole["sha256"] != sha256(whole["content"].dump())) return std::nullopt;
  return whole["content"];
}

Result<void> Cache::put_json(const std::string &key, const Json &content) const {
  const Json whole = {{"content", content}, {"sha256", sha256(content.dump())}};
  return write_file(folder_ + "/" + key + ".json", whole.dump() + "\n");
}

std::optional<RenditionResult> Cache::get(const std::string &key) const {
  const auto content = get_json(key);
  if (!content) return std::nullopt;
  try {
    return rendition_result_from(key, *content);
  } catch (const JsonError &) {
    return std::nullopt; // another program's file under our name
  }
}

Result<void> Cache::put(const RenditionResult &result) const {
  return put_json(result.key, to_json(result));
}

} // namespace hull::tools
