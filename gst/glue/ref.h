#pragma once

#include <utility>

#include <gst/gst.h>

namespace hull {

/// Owns one reference of a GObject, GstMiniObject, GstStructure or other C type that Release frees.
template <class T, auto Retain, auto Release> class Ref {
 public:
  Ref() = default;
  Ref(Ref &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref(const Ref &other) : object_(other.object_ ? static_cast<T *>(Retain(other.object_)) : nullptr) {}
  Ref &operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) Release(object_);
  }

  /// Takes over the caller's reference ("transfer full").
  static Ref adopt(T *object) { return Ref(object); }
  /// Adds a reference of its own ("transfer none").
  static Ref retain(T *object) { return Ref(object ? static_cast<T *>(Retain(object)) : nullptr); }

  T *get() const { return object_; }
  T *operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  /// Gives the reference away: for arguments that are "transfer full".
  [[nodiscard]] T *release() { return std::exchange(object_, nullptr); }
  /// For out-arguments; what was held before is let go.
  T **out() {
    *this = Ref();
    return &object_;
  }

 private:
  explicit Ref(T *object) : object_(object) {}
  T *object_ = nullptr;
};

/// Any GstObject. retain() sinks a floating reference, so a new element is
/// ObjectRef::retain(gst_element_factory_make(…)).
template <class T> using ObjectRef = Ref<T, gst_object_ref_sink, gst_object_unref>;

using BufferRef = Ref<GstBuffer, gst_buffer_ref, gst_buffer_unref>;
using BufferListRef = Ref<GstBufferList, gst_buffer_list_ref, gst_buffer_list_unref>;
using CapsRef = Ref<GstCaps, gst_caps_ref, gst_caps_unref>;
using EventRef = Ref<GstEvent, gst_event_ref, gst_event_unref>;
using QueryRef = Ref<GstQuery, gst_query_ref, gst_query_unref>;
using MessageRef = Ref<GstMessage, gst_message_ref, gst_message_unref>;
using SampleRef = Ref<GstSample, gst_sample_ref, gst_sample_unref>;
using TagListRef = Ref<GstTagList, gst_tag_list_ref, gst_tag_list_unref>;
using StructureRef = Ref<GstStructure, gst_structure_copy, gst_structure_free>;
using ElementRef = ObjectRef<GstElement>;
using PadRef = ObjectRef<GstPad>;

/// A string from a function that hands over memory of g_malloc.
class OwnedText {
 public:
  explicit OwnedText(char *text) : text_(text) {}
  OwnedText(const OwnedText &) = delete;
  OwnedText &operator=(const OwnedText &) = delete;
  ~OwnedText() { g_free(text_); }
  const char *c_str() const { return text_ ? text_ : ""; }

 private:
  char *text_;
};

} // namespace hull
