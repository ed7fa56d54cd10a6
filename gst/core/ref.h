#pragma once

#include <utility>

namespace hull {

/// Owns one reference of a C object that Retain and Release count: a GObject, a GstMiniObject, a GstStructure
/// …
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

/// A string from a C function that hands it over; Free gives it back.
template <auto Free> class OwnedString {
 public:
  explicit OwnedString(char *text) : text_(text) {}
  OwnedString(const OwnedString &) = delete;
  OwnedString &operator=(const OwnedString &) = delete;
  ~OwnedString() { Free(text_); }
  const char *c_str() const { return text_ ? text_ : ""; }

 private:
  char *text_;
};

} // namespace hull
