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
