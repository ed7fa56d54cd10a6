#pragma once

#include "gst/core/bytes.h"
#include "gst/core/result.h"
#include "gst/h264/nal.h"
#include "gst/h264/params.h"
#include "plugins/h264/bucket.h"
#include "plugins/h264/settings.h"

#include <memory>
#include <vector>
#include <wels/codec_api.h>

namespace hull::h264 {

/// What one encoder is opened with: the settings, and what negotiation found out.
struct CodecConfig {
  EncoderSettings settings;
  std::uint32_t width = 0, height = 0;
  std::uint32_t fps_num = 30, fps_den = 1;
  std::uint8_t profile_idc = 77;
  std::uint8_t level_idc = 0; ///< 0: the lowest that fits
  unsigned slice_threads = 1;
  bool variable_rate = false; ///< caps say 0/1: only timestamps tell how fast pictures come
};

/// Bitrate the settings ask for, in kbit/s; never 0.
std::uint32_t target_kbps(const EncoderSettings &settings, std::uint32_t width, std::uint32_t height,
                          double fps);
/// Frames from one key unit to the next; never 0, a multiple of the temporal layers' period.
std::uint32_t key_interval(const EncoderSettings &settings, double fps);

/// Three planes of an I420 picture, in any stride. Only read.
struct Planes {
  std::uint8_t *data[3];
  int stride[3];
};

/// What came out for one picture. The views are valid until the next call of the same codec.
struct Coded {
  std::vector<Nal> nals;
  bool skipped = false; ///< frame-skip left the picture out
  bool idr = false;
  unsigned temporal_id = 0;
};

/// One encoder of the library, opened. Not thread-safe; its log goes to the debug category of the element.
class Codec {
 public:
  static Result<std::unique_ptr<Codec>> open(const CodecConfig &config);
  ~Codec();
  Codec(const Codec &) = delete;
  Codec &operator=(const Codec &) = delete;

  /// Encodes one picture; `milliseconds` must not go back.
  Result<Coded> encode(const Planes &planes, std::int64_t milliseconds, bool force_idr);

  /// Takes over what may change in a running stream: bitrates, the constant quantizer, frame rate, key
  /// interval, complexity and frame skipping, all without a key unit; false when `settings` differ in
  /// something that needs a new encoder.
  bool adapt(const EncoderSettings &settings, std::uint32_t fps_num, std::uint32_t fps_den);

  /// Feedback of a receiver, for ltr=true.
  void request_recovery(unsigned idr_pic_id, int last_correct_frame_num, int current_frame_num);
  void marking_feedback(unsigned idr_pic_id, int ltr_frame_num, bool success);

  SEncoderStatistics statistics() const;
  const ByteVector &sps() const { return sps_; } ///< as the library wrote it
  const ByteVector &pps() const { return pps_; }

 private:
  explicit Codec(const CodecConfig &config) : config_(config) {}
  Result<void> initialise();
  Result<void> read_parameter_sets();
  void look_at_buffer(std::size_t bytes, std::int64_t milliseconds);
  void aim_at(int bits_per_second);
  void follow_rate(double seconds);
  double fps() const; ///< of the caps, or as measured when they say nothing
  void set(ENCODER_OPTION option, void *value) { encoder_->SetOption(option, value); }

  CodecConfig config_;
  ISVCEncoder *encoder_ = nullptr;
  ByteVector sps_, pps_;
  Bucket bucket_; // of rate-control=buffer, or the one that max-bitrate fills
  std::int64_t last_milliseconds_ = -1;
  double picture_seconds_ = 0, told_fps_ = 0; // variable_rate: running average, and what the library knows
  bool held_down_ = false;                    // aims lower because of max-bitrate
};

} // namespace hull::h264
