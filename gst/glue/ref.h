#pragma once

#include "gst/core/ref.h"

#include <gst/gst.h>

namespace hull {

/// Any GstObject. retain() sinks a floating reference, so a new element is
/// ObjectRef::retain(gst_element_factory_make(…)).
template <class T> using ObjectRef = Ref<T, gst_object_ref_sink, gst_object_unref>;

namespace detail {
// GStreamer's own functions are static inline: a type named after them would differ in every file that uses
// it.
template <class T> T *retain_mini_object(T *object) {
  return reinterpret_cast<T *>(gst_mini_object_ref(GST_MINI_OBJECT_CAST(object)));
}
template <class T> void release_mini_object(T *object) {
  gst_mini_object_unref(GST_MINI_OBJECT_CAST(object));
}
} // namespace detail

/// GstBuffer, GstCaps and their like.
template <class T> using MiniRef = Ref<T, detail::retain_mini_object<T>, detail::release_mini_object<T>>;

using BufferRef = MiniRef<GstBuffer>;
using BufferListRef = MiniRef<GstBufferList>;
using CapsRef = MiniRef<GstCaps>;
using EventRef = MiniRef<GstEvent>;
using QueryRef = MiniRef<GstQuery>;
using MessageRef = MiniRef<GstMessage>;
using SampleRef = MiniRef<GstSample>;
using TagListRef = MiniRef<GstTagList>;
using TocRef = MiniRef<GstToc>;
using StructureRef = Ref<GstStructure, gst_structure_copy, gst_structure_free>;
using ElementRef = ObjectRef<GstElement>;
using PadRef = ObjectRef<GstPad>;

/// A string from a function that hands over memory of g_malloc.
using OwnedText = OwnedString<g_free>;

} // namespace hull
