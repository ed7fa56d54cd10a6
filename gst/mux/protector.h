#pragma once

#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/file/track.h"
#include "gst/mux/parameter_sets.h"

#include <memory>

namespace hull::mux {

/// Encrypts the samples of one track. It knows which bytes of a picture must stay clear: the rooms below know
/// either codecs or boxes.
class Protector {
 public:
  /// `unsupported` for codecs whose protected layout is not written here (AV1, VP9).
  static Result<std::unique_ptr<Protector>> create(isobmff::Scheme scheme, const isobmff::EncryptionKey &key,
                                                   const isobmff::Uuid &iv,
                                                   const isobmff::SampleFormat &format);
  Protector(const Protector &) = delete;
  Protector &operator=(const Protector &) = delete;

  const isobmff::EncryptionSettings &settings() const { return settings_; }
  /// The track goes on in another format with the same key.
  void change_format(const isobmff::SampleFormat &format);
  Result<isobmff::SampleProtection> encrypt(std::span<std::uint8_t> sample) {
    return encryptor_->encrypt(sample);
  }

 private:
  Protector() = default;
  static std::size_t h264_slice_data(void *self, Bytes nal);
  static std::size_t h265_slice_data(void *self, Bytes nal);

  isobmff::EncryptionSettings settings_;
  std::optional<isobmff::Encryptor> encryptor_;
  ParameterSets sets_;
};

} // namespace hull::mux
