#include "gst/isobmff/crypt/aes.h"

#include <algorithm>
#include <openssl/evp.h>

namespace hull::isobmff {

struct Aes::Context {
  EVP_CIPHER_CTX *handle = EVP_CIPHER_CTX_new();
  Context() = default;
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  ~Context() { EVP_CIPHER_CTX_free(handle); }
};

Aes::Aes(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Aes::Aes(Aes &&) noexcept = default;
Aes &Aes::operator=(Aes &&) noexcept = default;
Aes::~Aes() = default;

Result<Aes> Aes::create(Mode mode, std::span<const std::uint8_t, 16> key) {
  auto context = std::make_unique<Context>();
  const EVP_CIPHER *cipher = mode == Mode::ctr ? EVP_aes_128_ctr() : EVP_aes_128_cbc();
  const int encrypt = mode == Mode::cbc_decrypt ? 0 : 1;
  if (!context->handle ||
      EVP_CipherInit_ex(context->handle, cipher, nullptr, key.data(), nullptr, encrypt) != 1 ||
      EVP_CIPHER_CTX_set_padding(context->handle, 0) != 1)
    return fail(ErrorCode::state, "OpenSSL does not offer AES-128; check its configuration");
  return Aes(std::move(context));
}

void Aes::start(std::span<const std::uint8_t, 16> iv) {
  ok_ = ok_ && EVP_CipherInit_ex(context_->handle, nullptr, nullptr, nullptr, iv.data(), -1) == 1;
}

void Aes::run(std::span<std::uint8_t> data) {
  constexpr std::size_t kMost = 1u << 30; // OpenSSL counts in int
  while (ok_ && !data.empty()) {
    const auto part = data.first(std::min(data.size(), kMost));
    int written = 0;
    ok_ = EVP_CipherUpdate(context_->handle, part.data(), &written, part.data(),
                           static_cast<int>(part.size())) == 1 &&
          static_cast<std::size_t>(written) == part.size();
    data = data.subspan(part.size());
  }
}

} // namespace hull::isobmff
