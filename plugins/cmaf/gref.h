#pragma once

#include "gst/glue/ref.h"

#include <gio/gio.h>

namespace hull::cmaf {

/// Any GObject.
template <class T> using GRef = Ref<T, g_object_ref, g_object_unref>;

} // namespace hull::cmaf
