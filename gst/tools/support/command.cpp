#include "gst/tools/support/command.h"

#include "gst/glue/ref.h"

#include <cstdio>

#include <gst/gst.h>

namespace hull::tools {

int report(const Error &error) {
  std::fprintf(stderr, "gst-hull-1.0: %s\n", error.text.c_str());
  return error.code == ErrorCode::settings ? kUsage : kFailed;
}

Result<void> start_gstreamer() {
  GError *error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    const std::string text = error ? error->message : "no reason given";
    g_clear_error(&error);
    return fail(ErrorCode::state, "GStreamer does not start: " + text);
  }
  const auto has = [](const char *name) {
    return static_cast<bool>(ObjectRef<GstElementFactory>::adopt(gst_element_factory_find(name)));
  };
  if (!has("hullvmafsink")) gst_registry_scan_path(gst_registry_get(), HULL_PLUGINS_DIR);
  for (const char *name : {"hullh264enc", "hullh264dec", "hullvmafsink", "hullmp4mux"})
    if (!has(name))
      return fail(ErrorCode::not_found,
                  std::string("the element ") + name +
                      " is missing; set GST_PLUGIN_PATH to the folder of libgsthull*.so");
  return {};
}

} // namespace hull::tools
