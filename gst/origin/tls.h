#pragma once

// TLS 1.2 and 1.3 of the origin: handshakes go on when the client has sent its part, on the thread that asks.

#include "gst/core/result.h"
#include "gst/origin/transport.h"

struct ssl_ctx_st;

namespace hull::origin {

class TlsContext {
 public:
  /// Reads the certificate, its chain and its private key from one PEM file. not_found: it has no such things,
  /// or they do not belong together.
  static Result<TlsContext> load(const std::string &pem_file);

  /// `fd` as a server. By ALPN it offers h2 and http/1.1; tickets let a client come back without a signature
  /// (RFC 8446 4.6.1).
  std::unique_ptr<Transport> accept(Fd fd) const;

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

} // namespace hull::origin
