#pragma once

#include "gst/core/ref.h"

#include <gio/gio.h>

namespace hull::origin {

/// Any GObject.
template <class T> using GRef = Ref<T, g_object_ref, g_object_unref>;

/// A string from a function that hands over memory of g_malloc.
using OwnedText = OwnedString<g_free>;

} // namespace hull::origin
