#include "gst/isobmff/crypt/crypt.h"

#include "gst/isobmff/crypt/aes.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kSkip = 9 * kBlock;    // cbcs on pictures: one block in ten is encrypted
constexpr std::uint32_t kMostClear = 0xffff; // 16 bits in senc
// A size in saiz has 8 bits: 8 bytes of IV, a count, 6 bytes per subsample.
constexpr std::size_t kMostSubsamples = 40;

using Block = std::array<std::uint8_t, kBlock>;

Block block_of(Bytes iv) {
  Block block{};
  std::copy_n(iv.begin(), std::min(iv.size(), kBlock), block.begin());
  return block;
}

void run_pattern(Aes &aes, std::span<std::uint8_t> data, bool pattern) {
  if (!pattern) return aes.run(data.first(data.size() / kBlock * kBlock));
  while (data.size() >= kBlock) {
    aes.run(data.first(kBlock));
    data = data.subspan(std::min(data.size(), kBlock + kSkip));
  }
}

// Both directions are the same walk. `protection` has been checked to add up to the sample.
void run_sample(Aes &aes, Scheme scheme, bool pattern, const Block &iv, std::span<const Subsample> subsamples,
                std::span<std::uint8_t> sample) {
  aes.start(iv);
  if (subsamples.empty()) {
    if (scheme == Scheme::cenc) return aes.run(sample);
    return run_pattern(aes, sample, pattern);
  }
  for (const Subsample &part : subsamples) {
    sample = sample.subspan(part.clear);
    const auto secret = sample.first(part.encrypted);
    if (scheme == Scheme::cenc) {
      aes.run(secret); // the counter goes on over subsamples
    } else {
      aes.start(iv); // the chain begins anew in each
      run_pattern(aes, secret, pattern);
    }
    sample = sample.subspan(part.encrypted);
  }
}

bool adds_up(std::span<const Subsample> subsamples, std::size_t size) {
  std::uint64_t sum = 0;
  for (const Subsample &part : subsamples)
    sum += std::uint64_t{part.clear} + part.encrypted;
  return subsamples.empty() || sum == size;
}

class Map {
 public:
  void clear(std::uint64_t bytes) { clear_ += bytes; }
  void encrypted(std::uint64_t bytes) {
    if (bytes == 0) return;
    flush_long_clear();
    list_.push_back({static_cast<std::uint32_t>(clear_), static_cast<std::uint32_t>(bytes)});
    clear_ = 0;
  }
  std::size_t size() const { return list_.size() + clear_ / kMostClear; }
  std::vector<Subsample> take() {
    flush_long_clear();
    if (clear_ > 0) list_.push_back({static_cast<std::uint32_t>(clear_), 0});
    return std::move(list_);
  }

 private:
  void flush_long_clear() {
    for (; clear_ > kMostClear; clear_ -= kMostClear)
      list_.push_back({kMostClear, 0});
  }
  std::vector<Subsample> list_;
  std::uint64_t clear_ = 0;
};

} // namespace

Result<Uuid> parse_hex_16(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '-' && c != ' ') digits += c;
  const ByteVector bytes = from_hex(digits);
  Uuid value{};
  if (digits.size() != 32 || bytes.size() != 16)
    return fail(ErrorCode::settings, fmt::format("'{}' is not 32 hex digits", text));
  std::ranges::copy(bytes, value.begin());
  return value;
}

Result<std::vector<Subsample>> map_nal_units(Bytes sample, Scheme scheme, unsigned length_size,
                                             SliceDataOffset slice_data, void *context, unsigned clear_lead) {
  Map map;
  std::size_t at = 0;
  while (at < sample.size()) {
    if (sample.size() - at < length_size)
      return fail(ErrorCode::bad_data, "the sample ends inside a NAL unit's length", at);
    const std::uint64_t size = load_be(sample.data() + at, length_size);
    if (size > sample.size() - at - length_size)
      return fail(ErrorCode::bad_data, "a NAL unit reaches past its sample", at);
    const Bytes nal = sample.subspan(at + length_size, size);
    std::uint64_t lead = slice_data ? (nal.empty() ? 0 : slice_data(context, nal)) : clear_lead;
    if (lead == 0 || lead > size || map.size() + 2 >= kMostSubsamples) lead = size;
    std::uint64_t secret = size - lead;
    if (scheme == Scheme::cenc) secret -= secret % kBlock;
    if (secret < kBlock) secret = 0;
    map.clear(length_size + size - secret);
    map.encrypted(secret);
    at += length_size + size;
  }
  auto list = map.take();
  if (list.size() > kMostSubsamples)
    return fail(ErrorCode::unsupported,
                fmt::format("the sample has {} clear and protected parts, at most {} can be "
                            "written down",
                            list.size(), kMostSubsamples));
  return list;
}

struct Encryptor::Impl {
  EncryptionSettings settings;
  Aes aes;
  std::uint64_t next_iv; // cenc: the upper half of the counter block
};

Encryptor::Encryptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Encryptor::Encryptor(Encryptor &&) noexcept = default;
Encryptor &Encryptor::operator=(Encryptor &&) noexcept = default;
Encryptor::~Encryptor() = default;

Result<Encryptor> Encryptor::create(const EncryptionSettings &settings) {
  const auto mode = settings.scheme == Scheme::cenc ? Aes::Mode::ctr : Aes::Mode::cbc_encrypt;
  auto aes = Aes::create(mode, settings.key.key);
  if (!aes) return tl::unexpected(aes.error());
  const std::uint64_t first = load_be(settings.iv.data(), 8);
  return Encryptor(std::unique_ptr<Impl>(new Impl{settings, std::move(*aes), first}));
}

Result<SampleProtection> Encryptor::encrypt(std::span<std::uint8_t> sample) {
  const EncryptionSettings &settings = impl_->settings;
  SampleProtection protection;
  const bool units = settings.map == MapKind::nal_units;
  if (units) {
    auto map =
        map_nal_units(sample, settings.scheme, settings.length_size, settings.slice_data, settings.context);
    if (!map) return tl::unexpected(map.error());
    protection.subsamples = std::move(*map);
  }
  Block iv = settings.iv;
  if (settings.scheme == Scheme::cenc) {
    iv = {};
    store_be(iv.data(), 8, impl_->next_iv++);
    protection.iv.assign(iv.begin(), iv.begin() + 8);
  }
  // A sample of NAL units with nothing in it has an empty map; that must not read as "all of it".
  run_sample(impl_->aes, settings.scheme, units, iv, protection.subsamples, sample);
  if (!impl_->aes.ok()) return fail(ErrorCode::state, "OpenSSL failed to encrypt a sample");
  return protection;
}

Result<void> decrypt_sample(Scheme scheme, const EncryptionKey &key, const SampleProtection &protection,
                            const ByteVector &constant_iv, MapKind map, std::span<std::uint8_t> sample) {
  if (!adds_up(protection.subsamples, sample.size()))
    return fail(ErrorCode::bad_data, "the subsamples do not add up to the sample");
  const auto mode = scheme == Scheme::cenc ? Aes::Mode::ctr : Aes::Mode::cbc_decrypt;
  auto aes = Aes::create(mode, key.key);
  if (!aes) return tl::unexpected(aes.error());
  const Block iv = block_of(protection.iv.empty() ? Bytes(constant_iv) : Bytes(protection.iv));
  run_sample(*aes, scheme, map == MapKind::nal_units, iv, protection.subsamples, sample);
  if (!aes->ok()) return fail(ErrorCode::state, "OpenSSL failed to decrypt a sample");
  return {};
}

} // namespace hull::isobmff
