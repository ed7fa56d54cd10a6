#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <wels/codec_api.h>

#include <gst/gst.h>

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
  static constexpr int kLost =
      dsRefLost | dsBitstreamError | dsDepLayerLost | dsNoParamSets | dsRefListNullPtrs;
  /// Of these, what does not follow from a gap of frame_num alone.
  static constexpr int kBroken = kLost & ~dsRefLost;
  /// After these the library has forgotten everything, or would do well to.
  static constexpr int kFatal = dsInvalidArgument | dsInitialOptExpected | dsOutOfMemory | dsRefListNullPtrs;

  /// `element` is whose log lines these are, or null.
  explicit PictureDecoder(GstObject *element = nullptr) : element_(element) {}
  ~PictureDecoder() { close(); }
  PictureDecoder(const PictureDecoder &) = delete;
  PictureDecoder &operator=(const PictureDecoder &) = delete;

  /// Opens, or forgets everything and opens again: the library has no other reset.
  Result<void> open(Concealment concealment);
  void close();
  bool is_open() const { return decoder_ != nullptr; }

  struct Outcome {
    int state = 0;          ///< DECODING_STATE bits
    bool concealed = false; ///< parts of the picture were missing
  };
  /// Gets pictures in the order in which the library gives them out.
  using Sink = std::function<void(const Picture &)>;
  /// Decodes the slices of one picture, in front of them the parameter sets that are new; both with start
  /// codes, `sets` may be empty. `sink` gets the picture, concealed where slices are missing.
  Outcome decode(Bytes sets, Bytes slices, std::uint64_t id, const Sink &sink);
  /// What the library holds back all the same (library_reorders()).
  void drain(const Sink &sink);

  /// The library's version at run time, as 2.3.1.
  static std::string version();
  /// Whether that version is known for CVE-2025-27091, unless whoever built it has patched it.
  static bool has_cve_2025_27091();

 private:
  int feed(const std::uint8_t *data, std::size_t size, std::uint64_t id, const Sink &sink);

  GstObject *element_;
  ISVCDecoder *decoder_ = nullptr;
};

} // namespace hull::h264
