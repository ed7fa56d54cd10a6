#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"

#include <cstdint>
#include <optional>
#include <wels/codec_api.h>

namespace hull::h264 {

enum class Concealment {
  off = ERROR_CON_DISABLE,
  frame_copy = ERROR_CON_FRAME_COPY,
  slice_copy = ERROR_CON_SLICE_COPY,
  frame_copy_cross_idr = ERROR_CON_FRAME_COPY_CROSS_IDR,
  slice_copy_cross_idr = ERROR_CON_SLICE_COPY_CROSS_IDR,
  slice_copy_freeze = ERROR_CON_SLICE_COPY_CROSS_IDR_FREEZE_RES_CHANGE,
  motion_copy = ERROR_CON_SLICE_MV_COPY_CROSS_IDR,
  motion_copy_freeze = ERROR_CON_SLICE_MV_COPY_CROSS_IDR_FREEZE_RES_CHANGE,
};

/// An I420 picture in the library's memory, valid until the next call.
struct Picture {
  const std::uint8_t *data[3];
  int stride[3];
  int width, height;
  std::uint64_t id; ///< what decode() was given with the data of this picture
};

/// One decoder of the library, always single-threaded: its threads hang or differ from the standard in the
/// versions known (2.3.1 hangs on 5 of 41 conformance streams).
class PictureDecoder {
 public:
  static constexpr int kConcealed = dsDataErrorConcealed;
  static constexpr int kLost =
      dsRefLost | dsBitstreamError | dsDepLayerLost | dsNoParamSets | dsRefListNullPtrs;
  static constexpr int kFatal = dsInvalidArgument | dsInitialOptExpected | dsOutOfMemory;

  PictureDecoder() = default;
  ~PictureDecoder() { close(); }
  PictureDecoder(const PictureDecoder &) = delete;
  PictureDecoder &operator=(const PictureDecoder &) = delete;

  /// Opens, or forgets everything and opens again: the library has no other reset.
  Result<void> open(Concealment concealment);
  void close();
  bool is_open() const { return decoder_ != nullptr; }

  struct Outcome {
    int state = 0; ///< DECODING_STATE bits
    std::optional<Picture> picture;
  };
  /// Decodes one access unit with start codes. The picture that comes out may be an earlier one.
  Outcome decode(Bytes access_unit, std::uint64_t id);
  /// The next picture held back for reordering; none when all are out. The stream may go on afterwards.
  Outcome drain();

 private:
  ISVCDecoder *decoder_ = nullptr;
};

} // namespace hull::h264
