#pragma once

#include "gst/h264/rate.h"
#include "plugins/h264/codec.h"

#include <optional>

namespace hull::h264 {

/// Codes the pictures of a stream so that its rate holds and the library lives: measures each, chooses its
/// quantizer, and codes it again where it came out too large or the library refused it.
class PictureCoder {
 public:
  static Result<std::unique_ptr<PictureCoder>> open(const CodecConfig &config);

  struct Request {
    PictureView picture;
    double seconds = 0; ///< since the picture before
    std::int64_t milliseconds = 0;
    bool key = false;
    std::size_t extra = 0, key_extra = 0; ///< bytes that go around the slices: parameter sets, SEI
  };
  Result<Coded> code(const Request &request);

  /// Takes over what may change in a running stream: all that Mutable::playing says, without a key picture.
  void adapt(const EncoderSettings &settings, std::uint32_t fps_num, std::uint32_t fps_den);
  /// The most that the SPS promises, for max-bitrate and its buffer; 0 = no limit.
  void limit_bucket(double bits_per_second, double bits);

  Codec &codec() { return *codec_; }
  const Codec &codec() const { return *codec_; }
  const LeakyBucket &bucket() const { return bucket_; }

 private:
  explicit PictureCoder(const CodecConfig &config) : config_(config) { aim(); }
  void aim();
  void follow_rate(double seconds);
  double fps() const { return measured_fps_ > 0 ? measured_fps_ : config_.fps(); }
  PictureKind kind_of(bool key) const;
  bool is_constant() const { return config_.settings.rate_control == RateControl::cqp; }
  bool is_safe(const Activity &activity, double quantizer) const;
  double allowance(PictureKind kind) const;
  int choose(const Request &request, PictureKind kind, const Activity &activity);
  bool should_skip(PictureKind kind, const Activity &activity, int quantizer) const;
  int coarser(const Coded &coded, int quantizer, double bits) const;
  Result<std::optional<Coded>> attempt(const Request &request, bool &key, int &quantizer);
  Coded skip(bool key);
  Coded refuse();
  Coded account(Coded coded, const Activity &activity, bool key, int quantizer, double bits);

  CodecConfig config_;
  std::unique_ptr<Codec> codec_;
  ActivityMeter meter_;
  SizeModel model_;
  RateController controller_;
  LeakyBucket bucket_;
  double most_rate_ = 0, most_size_ = 0; // of the bucket
  double measured_fps_ = 0, picture_seconds_ = 0;
  std::uint32_t since_key_ = 0; // pictures
  bool owes_key_ = false;       // what the encoder refers to has not been sent
};

} // namespace hull::h264
