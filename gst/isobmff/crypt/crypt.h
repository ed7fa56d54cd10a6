#pragma once

// Common encryption, ISO/IEC 23001-7: schemes cenc (AES-128 CTR) and cbcs (AES-128 CBC, pattern 1:9).

#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/tree.h"

#include <optional>

namespace hull::isobmff {

enum class Scheme { cenc, cbcs };

struct EncryptionKey {
  Uuid kid{};
  std::array<std::uint8_t, 16> key{};
};

/// 16 bytes of a hex text, blanks and dashes skipped; settings when it has another length.
Result<Uuid> parse_hex_16(std::string_view text);

/// Clear bytes, then protected ones; 23001-7 7.2. The sum over a sample is its size.
struct Subsample {
  std::uint32_t clear = 0;
  std::uint32_t encrypted = 0;
};

/// What a protected sample needs to be read: its IV (empty: the constant one of tenc) and its map (empty: all
/// of it is protected).
struct SampleProtection {
  ByteVector iv;
  std::vector<Subsample> subsamples;
};

/// Where the slice data of a NAL unit (header byte first) begin, as a count of bytes from its first one; 0
/// for a unit that is no slice and stays clear. The room above that knows the codec gives it.
using SliceDataOffset = std::size_t (*)(void *context, Bytes nal);

/// How a track's samples are cut into clear and protected bytes.
enum class MapKind {
  whole,     ///< audio and text: the whole sample
  nal_units, ///< length-prefixed NAL units: lengths, headers and other units clear
};

/// The map of one sample of length-prefixed NAL units. With `slice_data` slice headers stay clear as the
/// specification wants; without it `clear_lead` bytes of each slice do. cenc: protected parts are multiples
/// of 16 bytes, and what is left stays clear in front. bad_data when a length runs past the sample.
Result<std::vector<Subsample>> map_nal_units(Bytes sample, Scheme scheme, unsigned length_size = 4,
                                             SliceDataOffset slice_data = nullptr, void *context = nullptr,
                                             unsigned clear_lead = 96);

struct EncryptionSettings {
  Scheme scheme = Scheme::cenc;
  EncryptionKey key;
  MapKind map = MapKind::nal_units;
  unsigned length_size = 4;
  SliceDataOffset slice_data = nullptr;
  void *context = nullptr;
  /// cenc: the first 8 bytes of the first sample's counter, which count up per sample. cbcs: the constant IV.
  std::array<std::uint8_t, 16> iv{};
};

/// Protects the samples of one track, one after the other. Not thread-safe.
class Encryptor {
 public:
  static Result<Encryptor> create(const EncryptionSettings &settings);
  Encryptor(Encryptor &&) noexcept;
  Encryptor &operator=(Encryptor &&) noexcept;
  ~Encryptor();

  /// Encrypts a sample in place and says how it is to be read.
  Result<SampleProtection> encrypt(std::span<std::uint8_t> sample);

 private:
  struct Impl;
  explicit Encryptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Undoes one sample. `iv` as in SampleProtection, with the constant one put in where that is empty.
Result<void> decrypt_sample(Scheme scheme, const EncryptionKey &key, const SampleProtection &protection,
                            const ByteVector &constant_iv, MapKind map, std::span<std::uint8_t> sample);

/// Turns a sample entry into its protected form: encv, enca, enct or encs with sinf (frma, schm, schi/tenc)
/// as last child.
void protect_sample_entry(Node &entry, const EncryptionSettings &settings);

/// Adds senc, saiz and saio to a traf. saio's offset is 0 until set_senc_offsets() knows it: call that when
/// the moof is complete and its sizes no longer change.
void add_sample_encryption(Node &traf, const EncryptionSettings &settings,
                           std::span<const SampleProtection> samples);
/// Points each traf's saio at the first sample of its senc, counted from the moof's first byte.
Result<void> set_senc_offsets(Node &moof);

/// The samples of a senc. `iv_size` is tenc's default_Per_Sample_IV_Size. bad_data when they do not fit.
Result<std::vector<SampleProtection>> read_sample_encryption(const SampleEncryption &senc, unsigned iv_size);

/// A version 1 pssh of the W3C's common system id, which names keys and holds nothing else.
ProtectionSystemHeader make_common_pssh(std::span<const Uuid> kids);
/// Any system's pssh: version 0, or 1 when there are kids.
ProtectionSystemHeader make_pssh(const Uuid &system_id, ByteVector data, std::span<const Uuid> kids = {});
inline constexpr Uuid kCommonSystemId = {0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02,
                                         0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b};

} // namespace hull::isobmff
