#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"
#include "gst/h264/activity.h"
#include "gst/h264/nal.h"
#include "gst/h264/params.h"
#include "plugins/h264/settings.h"

#include <memory>
#include <vector>
#include <wels/codec_api.h>

#include <gst/gst.h>

namespace hull::h264 {

/// What one encoder is opened with: the settings, and what negotiation found out.
struct CodecConfig {
  EncoderSettings settings;
  std::uint32_t width = 0, height = 0;
  std::uint32_t fps_num = 30, fps_den = 1;
  std::uint8_t profile_idc = 77;
  std::uint8_t level_idc = 0; ///< 0: the lowest that fits
  unsigned slice_threads = 1;
  GstObject *element = nullptr; ///< whose log lines these are
  bool variable_rate = false;   ///< caps say 0/1: only timestamps tell how fast pictures come
  double fps() const { return static_cast<double>(fps_num) / fps_den; }
};

/// Bitrate the settings ask for, in kbit/s; never 0.
std::uint32_t target_kbps(const EncoderSettings &settings, std::uint32_t width, std::uint32_t height,
                          double fps);
/// Frames from one key unit to the next; never 0, a multiple of the temporal layers' period.
std::uint32_t key_interval(const EncoderSettings &settings, double fps);
/// How much lower the quantizer of the base layer is than the one asked for: the library's cascade.
unsigned base_layer_bonus(const EncoderSettings &settings);

/// What came out for one picture. The views are valid until the next call of the same codec.
struct Coded {
  std::vector<Nal> nals;
  bool skipped = false;    ///< left out
  bool refused = false;    ///< because the library could not code it in any way
  bool unreadable = false; ///< because its memory could not be mapped
  bool idr = false;
  unsigned temporal_id = 0;
  bool overrun = false;  ///< larger than the buffer of max-bitrate had room for
  unsigned attempts = 1; ///< more than one: it was coded again
  bool raised = false;   ///< the constant quantizer was more than the library could take
  std::size_t slices() const;
};

/// One encoder of the library, opened, with its own rate control off: each picture has the quantizer it is
/// given. Not thread-safe; its log goes to the debug category of the element.
class Codec {
 public:
  static Result<std::unique_ptr<Codec>> open(const CodecConfig &config);
  ~Codec();
  Codec(const Codec &) = delete;
  Codec &operator=(const Codec &) = delete;

  /// Encodes one picture; `milliseconds` must not go back. After an error the encoder is of no more use.
  Result<Coded> encode(const PictureView &picture, std::int64_t milliseconds, bool force_idr, int quantizer);
  void set_complexity(Complexity complexity);

  /// Feedback of a receiver, for ltr=true.
  void request_recovery(unsigned idr_pic_id, int last_correct_frame_num, int current_frame_num);
  void marking_feedback(unsigned idr_pic_id, int ltr_frame_num, bool success);

  const ByteVector &sps() const { return sps_; } ///< as the library wrote it
  const ByteVector &pps() const { return pps_; }

 private:
  explicit Codec(const CodecConfig &config) : config_(config) {}
  Result<void> initialise();
  Result<void> read_parameter_sets();
  void set_quantizer(int quantizer);
  void set(ENCODER_OPTION option, void *value) { encoder_->SetOption(option, value); }

  CodecConfig config_;
  ISVCEncoder *encoder_ = nullptr;
  SEncParamExt param_{}; // as the library completed it
  ByteVector sps_, pps_;
};

} // namespace hull::h264
