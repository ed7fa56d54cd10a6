#include "gst/origin/page.h"

#include "gst/origin/gref.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

extern "C" GResource *hull_origin_page_get_resource(void); // of page.gresource.xml

namespace hull::origin {
namespace {

struct Library {
  const char *name; ///< under /player/
  const char *path; ///< in node_modules
};
constexpr Library kLibraries[] = {
    {"dash.js", "dashjs/dist/modern/umd/dash.all.min.js"},
    {"hls.js", "hls.js/dist/hls.min.js"},
    {"shaka.js", "shaka-player/dist/shaka-player.compiled.js"},
};

// A file of gst/origin/page, which the build puts into the library.
std::string page_file(const char *name) {
  const auto bytes = Ref<GBytes, g_bytes_ref, g_bytes_unref>::adopt(
      g_resource_lookup_data(hull_origin_page_get_resource(), name, G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  gsize size = 0;
  const auto *text = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
  return {text, size};
}

} // namespace

std::map<std::string, std::string> load_players(const std::string &folder) {
  const char *from_environment = std::getenv("HULL_PLAYER_DIR");
  const std::string root = !folder.empty() ? folder : from_environment ? from_environment : "";
  std::map<std::string, std::string> found;
  if (root.empty()) return found;
  for (const Library &library : kLibraries) {
    std::ifstream file(root + "/" + library.path, std::ios::binary);
    if (file) found[library.name] = {std::istreambuf_iterator<char>(file), {}};
  }
  return found;
}

std::string player_page(const std::map<std::string, std::string> &libraries) {
  const std::string head = page_file("/hull/origin/head.html") + "\n";
  if (libraries.empty()) return head + page_file("/hull/origin/without_players.html");
  std::string list = "[";
  for (const Library &library : kLibraries)
    if (libraries.contains(library.name))
      list += std::string(list.size() > 1 ? "," : "") + "'" + library.name + "'";
  std::string page = head + page_file("/hull/origin/player.html");
  page.replace(page.find("LIBRARIES"), 9, list + "]");
  return page;
}

} // namespace hull::origin
