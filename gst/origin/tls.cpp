#include "gst/origin/tls.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace hull::origin {
namespace {

constexpr std::size_t kRecord = 16 * 1024; // RFC 8446 5.1: the most that one record holds

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that went would end the process.
int fd_of(BIO *bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int write_socket(BIO *bio, const char *bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto count =
      uninterrupted([&] { return send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL); });
  if (count < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

int read_socket(BIO *bio, char *bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto count =
      uninterrupted([&] { return recv(fd_of(bio), bytes, static_cast<std::size_t>(size), 0); });
  if (count < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}

BIO *make_bio(int fd) {
  static BIO_METHOD *const method = [] {
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hull socket");
    BIO_meth_set_write(made, write_socket);
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_ctrl(
        made, [](BIO *, int command, long, void *) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
    return made;
  }();
  BIO *bio = BIO_new(method);
  BIO_set_data(bio, reinterpret_cast<void *>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(Fd fd, SSL_CTX *context) : Transport(std::move(fd)), ssl_(SSL_new(context)) {
    BIO *bio = make_bio(this->fd());
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
  }

  Status handshake() override {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      greeted_ = true;
      return Status::good;
    }
    const Status status = after(result);
    if (status == Status::ended && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) answer_plain();
    return status;
  }

  std::string_view protocol() const override {
    const unsigned char *name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char *>(name), size};
  }

  Moved read(std::span<char> out) override {
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), out.data(), static_cast<int>(out.size()));
    if (count > 0) return {Status::good, static_cast<std::size_t>(count)};
    return {after(count), 0};
  }

  // One record a call: small pieces are gathered, since each record costs 22 bytes and a system call. The
  // bytes of a call that is made again are the same, since they stay in front.
  Moved write(std::span<const BodySlice> slices) override {
    static thread_local std::array<char, kRecord> gathered;
    std::string_view record = slices.front().bytes.substr(0, kRecord);
    if (record.size() < kRecord && slices.size() > 1) {
      std::size_t size = 0;
      for (const BodySlice &slice : slices) {
        const std::string_view part = slice.bytes.substr(0, kRecord - size);
        std::memcpy(gathered.data() + size, part.data(), part.size());
        size += part.size();
        if (size == kRecord) break;
      }
      record = {gathered.data(), size};
    }
    ERR_clear_error();
    const int count = SSL_write(ssl_.get(), record.data(), static_cast<int>(record.size()));
    if (count > 0) return {Status::good, static_cast<std::size_t>(count)};
    return {after(count), 0};
  }

  void say_end() override {
    if (greeted_) SSL_shutdown(ssl_.get()); // close_notify
    Transport::say_end();
  }

  bool read_waits_for_room() const override { return SSL_want_write(ssl_.get()); }

 private:
  Status after(int result) const {
    const int error = SSL_get_error(ssl_.get(), result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Status::later : Status::ended;
  }

  void answer_plain() const {
    static constexpr std::string_view kPlain =
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
        "Content-Length: 27\r\n\r\nThis port speaks https://.\n";
    send(fd(), kPlain.data(), kPlain.size(), MSG_NOSIGNAL);
  }

  struct Free {
    void operator()(SSL *ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Free> ssl_;
  bool greeted_ = false;
};

// A client that knows neither goes on without ALPN, as HTTP/1.1.
int choose_protocol(SSL *, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
                    unsigned offered_size, void *) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char *name = nullptr;
  if (SSL_select_next_proto(&name, size, kOurs, sizeof kOurs - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *chosen = name;
  return SSL_TLSEXT_ERR_OK;
}

std::string last_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char *reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : std::generic_category().message(errno);
}

} // namespace

Result<TlsContext> TlsContext::load(const std::string &pem_file) {
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fail(ErrorCode::io, "OpenSSL cannot be used: " + last_reason());
  SSL_CTX *c = context.get();
  ERR_clear_error();
  // A key with a passphrase is refused, not asked for on a terminal.
  SSL_CTX_set_default_passwd_cb(c, [](char *, int, int, void *) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(c, pem_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(c, pem_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(c) != 1)
    return fail(ErrorCode::not_found,
                "tls-certificate " + pem_file + ": " + last_reason() +
                    ". It must be a PEM file with the certificate and its private key.");
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(c, 1);                          // one system call for a record, not two
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); // tickets keep the state at the client
  SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  return TlsContext(context);
}

std::unique_ptr<Transport> TlsContext::accept(Fd fd) const {
  return std::make_unique<TlsTransport>(std::move(fd), context_.get());
}

} // namespace hull::origin
