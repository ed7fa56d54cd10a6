#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"

#include <memory>

namespace hull::isobmff {

/// AES-128 without padding: the two modes common encryption needs. The only user of OpenSSL.
class Aes {
 public:
  enum class Mode { ctr, cbc_encrypt, cbc_decrypt };
  static Result<Aes> create(Mode mode, std::span<const std::uint8_t, 16> key);
  Aes(Aes &&) noexcept;
  Aes &operator=(Aes &&) noexcept;
  ~Aes();

  /// Starts a message: in ctr `iv` is the first counter block.
  void start(std::span<const std::uint8_t, 16> iv);
  /// Goes on with the message, in place; cbc takes whole blocks of 16 bytes.
  void run(std::span<std::uint8_t> data);
  bool ok() const { return ok_; } ///< false for good once the library has failed

 private:
  struct Context;
  explicit Aes(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
  bool ok_ = true;
};

} // namespace hull::isobmff
