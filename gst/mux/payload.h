#pragma once

#include "gst/core/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>

namespace hull::mux {

/// The bytes of a sample, kept by whoever brought them (a GstBuffer in the elements). The room passes it on
/// and cannot look into it.
class Payload {
 public:
  Payload() = default;
  /// Owns `handle`, which `release` lets go.
  Payload(void *handle, void (*release)(void *)) : handle_(handle), release_(release) {}
  Payload(Payload &&other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), release_(other.release_) {}
  Payload &operator=(Payload &&other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(release_, other.release_);
    return *this;
  }
  ~Payload() {
    if (handle_) release_(handle_);
  }
  explicit operator bool() const { return handle_ != nullptr; }
  void *get() const { return handle_; }
  /// The handle, which belongs to the caller from now on.
  void *take() { return std::exchange(handle_, nullptr); }

 private:
  void *handle_ = nullptr;
  void (*release_)(void *) = nullptr;
};

/// What the room asks of payloads.
class PayloadKeeper {
 public:
  virtual ~PayloadKeeper() = default;
  /// Lets `change` write into the payload's bytes, or into those of a copy that replaces it. io: it cannot be
  /// written.
  virtual Result<void> edit(Payload &payload,
                            const std::function<Result<void>(std::span<std::uint8_t>)> &change) const = 0;
  /// The sender's clock when the sample was captured, as NTP; none where nobody put it there.
  virtual std::optional<std::uint64_t> capture_time(const Payload &payload) const = 0;
  /// Number of the frame since midnight that the sample's timecode names; none where it has no timecode.
  virtual std::optional<std::uint32_t> frame_number(const Payload &payload) const = 0;
};

} // namespace hull::mux
