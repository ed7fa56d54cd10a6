#include "gst/tools/report/style.h"

#include "gst/core/ref.h"

#include <gio/gio.h>

extern "C" GResource *hull_report_get_resource(void); // of report.gresource.xml

namespace hull::tools {
namespace {

std::string file(const char *name) {
  const auto bytes = Ref<GBytes, g_bytes_ref, g_bytes_unref>::adopt(
      g_resource_lookup_data(hull_report_get_resource(), name, G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  gsize size = 0;
  const auto *text = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
  return {text, size};
}

} // namespace

std::string report_style() {
  return "\n" + file("/hull/report/report.css");
}

std::string report_script() {
  return "\n" + file("/hull/report/report.js");
}

} // namespace hull::tools
