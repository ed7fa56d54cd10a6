#include "plugins/h264/codec.h"

#include "gst/h264/level.h"
#include "plugins/h264/log.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace hull::h264 {
namespace {

// The library clips frame rates to 1..60 without a word; above 60 the bitrate is scaled instead.
constexpr double kMinFps = 1, kMaxFps = 60;
// Bits per pixel that bitrate=0 stands for; 1.9 Mbit/s at 720p30.
constexpr double kAutoBitsPerPixel = 0.07;

double frames_per_second(std::uint32_t num, std::uint32_t den) {
  return num && den ? static_cast<double>(num) / den : 30.0;
}

RC_MODES mode_of(RateControl control) {
  switch (control) {
  case RateControl::quality:
    return RC_QUALITY_MODE;
  case RateControl::buffer:
    return RC_BUFFERBASED_MODE;
  case RateControl::timestamp:
    return RC_TIMESTAMP_MODE;
  case RateControl::cqp:
    return RC_OFF_MODE;
  case RateControl::bitrate:
  case RateControl::capped_quality:
    break;
  }
  return RC_BITRATE_MODE;
}

struct Rates {
  int target, most; // bit/s as the library must hear it
  float fps;
};

Rates rates_of(const EncoderSettings &settings, std::uint32_t width, std::uint32_t height, double fps) {
  const double heard = std::clamp(fps, kMinFps, kMaxFps);
  const bool by_time = settings.rate_control == RateControl::timestamp;
  const auto bits = [&](std::uint64_t kbps) {
    return static_cast<int>(std::min(kbps * 1000.0 * (by_time ? 1 : heard / fps), 2e9));
  };
  const std::uint64_t target = target_kbps(settings, width, height, fps);
  const bool capped = settings.rate_control == RateControl::capped_quality;
  const std::uint64_t most = capped ? 0 : settings.max_bitrate;
  return {bits(target), most ? bits(std::max(most, target)) : UNSPECIFIED_BIT_RATE,
          static_cast<float>(heard)};
}

void fill_slices(const CodecConfig &config, SEncParamExt &param) {
  SSliceArgument &slices = param.sSpatialLayers[0].sSliceArgument;
  const EncoderSettings &s = config.settings;
  switch (s.slice_mode) {
  case SliceMode::single:
    slices.uiSliceMode = SM_SINGLE_SLICE;
    break;
  case SliceMode::fixed:
    slices.uiSliceMode = SM_FIXEDSLCNUM_SLICE;
    slices.uiSliceNum = s.slices;
    break;
  case SliceMode::rows:
    slices.uiSliceMode = SM_RASTER_SLICE;
    slices.uiSliceMbNum[0] = 0; // one row of macroblocks each
    break;
  case SliceMode::size_limited:
    slices.uiSliceMode = SM_SIZELIMITED_SLICE;
    slices.uiSliceSizeConstraint = s.max_slice_size;
    // The library takes 0x30 bytes off this for headers before it compares.
    param.uiMaxNalSize = s.max_slice_size + 0x30;
    break;
  }
}

void fill_rate_control(const CodecConfig &config, SEncParamExt &param) {
  const EncoderSettings &s = config.settings;
  const double fps = frames_per_second(config.fps_num, config.fps_den);
  const Rates rates = rates_of(s, config.width, config.height, fps);
  SSpatialLayerConfig &layer = param.sSpatialLayers[0];
  param.iRCMode = mode_of(s.rate_control);
  param.iTargetBitrate = layer.iSpatialBitrate = rates.target;
  param.iMaxBitrate = layer.iMaxSpatialBitrate = rates.most;
  param.fMaxFrameRate = layer.fFrameRate = rates.fps;
  layer.iDLayerQp = static_cast<int>(s.quantizer);
  const bool capped = s.rate_control == RateControl::capped_quality;
  // A minimum or maximum of 0 makes the library replace both by 12 and 42 (26 and 35 for screens).
  param.iMinQp = static_cast<int>(std::max(1u, capped ? std::max(s.quantizer, s.qp_min) : s.qp_min));
  param.iMaxQp = static_cast<int>(std::max(static_cast<std::uint32_t>(param.iMinQp), s.qp_max));
  if (s.rate_control == RateControl::cqp) {
    param.iMinQp = 1;
    param.iMaxQp = 51;
  }
  param.bEnableFrameSkip = s.frame_skip;
  param.uiIntraPeriod = key_interval(s, fps);
}

void fill(const CodecConfig &config, SEncParamExt &param) {
  const EncoderSettings &s = config.settings;
  param.iUsageType = s.usage == Usage::screen ? SCREEN_CONTENT_REAL_TIME : CAMERA_VIDEO_REAL_TIME;
  param.iPicWidth = static_cast<int>(config.width);
  param.iPicHeight = static_cast<int>(config.height);
  param.iTemporalLayerNum = static_cast<int>(s.temporal_layers);
  param.iSpatialLayerNum = 1;
  param.iComplexityMode = s.complexity == Complexity::low ? LOW_COMPLEXITY : MEDIUM_COMPLEXITY;
  param.eSpsPpsIdStrategy = CONSTANT_ID; // equal headers in every key unit and every encoder of a group
  param.bPrefixNalAddingCtrl = false;
  const bool cabac = s.entropy != Entropy::cavlc && config.profile_idc != PRO_BASELINE;
  param.iEntropyCodingModeFlag = cabac;
  param.bEnableLongTermReference = s.ltr;
  param.iLTRRefNum = s.usage == Usage::screen ? 4 : 2; // the two numbers the library knows
  param.iLtrMarkPeriod = s.ltr_mark_period;
  param.bIsLosslessLink = s.ltr && s.usage == Usage::screen;
  param.iMultipleThreadIdc = static_cast<unsigned short>(config.slice_threads);
  param.bUseLoadBalancing = false; // it would make the output depend on the machine's load
  param.iLoopFilterDisableIdc = s.deblocking == Deblocking::on ? 0 : s.deblocking == Deblocking::off ? 1 : 2;
  param.iLoopFilterAlphaC0Offset = s.deblocking_alpha;
  param.iLoopFilterBetaOffset = s.deblocking_beta;
  param.bEnableDenoise = s.denoise;
  param.bEnableBackgroundDetection = s.background_detection;
  param.bEnableAdaptiveQuant = false; // the library ignores it
  param.bEnableFrameCroppingFlag = true;
  param.bEnableSceneChangeDetect = s.scene_cut;
  SSpatialLayerConfig &layer = param.sSpatialLayers[0];
  layer.iVideoWidth = param.iPicWidth;
  layer.iVideoHeight = param.iPicHeight;
  layer.uiProfileIdc = static_cast<EProfileIdc>(config.profile_idc);
  layer.uiLevelIdc = static_cast<ELevelIdc>(config.level_idc);
  fill_rate_control(config, param);
  fill_slices(config, param);
}

/// Bits per second the bucket loses: the bitrate of rate-control=buffer, else max-bitrate where it is a
/// limit.
double bucket_rate(const CodecConfig &config) {
  const EncoderSettings &s = config.settings;
  if (s.rate_control == RateControl::cqp || s.rate_control == RateControl::capped_quality) return 0;
  if (s.rate_control != RateControl::buffer) return s.max_bitrate * 1000.0;
  const double fps = frames_per_second(config.fps_num, config.fps_den);
  return target_kbps(s, config.width, config.height, fps) * 1000.0;
}

/// Whether a running encoder cannot take over the difference.
bool needs_new_encoder(const EncoderSettings &was, const EncoderSettings &now) {
  const bool quantizer_matters = now.rate_control == RateControl::capped_quality;
  const bool range_matters = now.rate_control != RateControl::cqp;
  return was.rate_control != now.rate_control || (quantizer_matters && was.quantizer != now.quantizer) ||
         (range_matters && (was.qp_min != now.qp_min || was.qp_max != now.qp_max));
}

} // namespace

std::uint32_t target_kbps(const EncoderSettings &settings, std::uint32_t width, std::uint32_t height,
                          double fps) {
  // The cap of capped-quality is what its rate control aims at; qp-min = quantizer keeps it from spending
  // more than the quality asked for.
  if (settings.rate_control == RateControl::capped_quality && settings.max_bitrate)
    return settings.max_bitrate;
  if (settings.bitrate) return settings.bitrate;
  return std::max(1u, static_cast<std::uint32_t>(width * 1.0 * height * fps * kAutoBitsPerPixel / 1000));
}

std::uint32_t key_interval(const EncoderSettings &settings, double fps) {
  const std::uint32_t asked =
      settings.key_int_max ? settings.key_int_max : static_cast<std::uint32_t>(std::lround(fps * 2));
  const std::uint32_t step = 1u << (settings.temporal_layers - 1);
  const std::uint32_t rounded = (std::clamp(asked, 1u, 0x3fffffffu) + step - 1) / step * step;
  return rounded;
}

Result<std::unique_ptr<Codec>> Codec::open(const CodecConfig &config) {
  std::unique_ptr<Codec> codec(new Codec(config));
  if (auto done = codec->initialise(); !done) return tl::unexpected(done.error());
  if (auto done = codec->read_parameter_sets(); !done) return tl::unexpected(done.error());
  return codec;
}

Codec::~Codec() {
  if (!encoder_) return;
  encoder_->Uninitialize();
  WelsDestroySVCEncoder(encoder_);
}

Result<void> Codec::initialise() {
  if (WelsCreateSVCEncoder(&encoder_) != 0 || !encoder_)
    return fail(ErrorCode::state, "OpenH264 gave no encoder. Check the installed libopenh264.");
  int level = library_log_level();
  WelsTraceCallback callback = library_log;
  set(ENCODER_OPTION_TRACE_LEVEL, &level);
  set(ENCODER_OPTION_TRACE_CALLBACK, &callback);
  bucket_.empty_at(bucket_rate(config_));
  SEncParamExt param{};
  encoder_->GetDefaultParams(&param);
  fill(config_, param);
  if (const int status = encoder_->InitializeExt(&param); status != cmResultSuccess)
    return fail(
        ErrorCode::settings,
        fmt::format("OpenH264 refuses {}x{} pictures with these settings (code {}). It takes 16x16 to "
                    "9437184 pixels in all; GST_DEBUG=hullh264enc:4 shows what it says.",
                    config_.width, config_.height, status));
  return {};
}

Result<void> Codec::read_parameter_sets() {
  SFrameBSInfo info{};
  if (encoder_->EncodeParameterSets(&info) != cmResultSuccess)
    return fail(ErrorCode::state, "OpenH264 gave no parameter sets.");
  for (int i = 0; i < info.iLayerNum; ++i) {
    const SLayerBSInfo &layer = info.sLayerInfo[i];
    std::size_t size = 0;
    for (int n = 0; n < layer.iNalCount; ++n)
      size += static_cast<std::size_t>(layer.pNalLengthInByte[n]);
    for (const Nal &nal : split_annexb({layer.pBsBuf, size})) {
      ByteVector &set = nal.type() == NalType::sps ? sps_ : pps_;
      if (nal.type() == NalType::sps || nal.type() == NalType::pps)
        set.assign(nal.data.begin(), nal.data.end());
    }
  }
  if (sps_.empty() || pps_.empty()) return fail(ErrorCode::state, "OpenH264 gave no parameter sets.");
  return {};
}

Result<Coded> Codec::encode(const Planes &planes, std::int64_t milliseconds, bool force_idr) {
  SSourcePicture picture{}; // all of it: newer versions have more members
  picture.iColorFormat = videoFormatI420;
  picture.iPicWidth = static_cast<int>(config_.width);
  picture.iPicHeight = static_cast<int>(config_.height);
  picture.uiTimeStamp = milliseconds;
  for (int i = 0; i < 3; ++i) {
    picture.pData[i] = planes.data[i];
    picture.iStride[i] = planes.stride[i];
  }
  if (force_idr) encoder_->ForceIntraFrame(true);
  SFrameBSInfo info{};
  if (const int status = encoder_->EncodeFrame(&picture, &info); status != cmResultSuccess)
    return fail(ErrorCode::state, fmt::format("OpenH264 failed to encode a picture (code {}).", status));
  std::size_t bytes = 0;
  Coded coded;
  coded.skipped = info.eFrameType == videoFrameTypeSkip;
  coded.idr = info.eFrameType == videoFrameTypeIDR;
  for (int i = 0; !coded.skipped && i < info.iLayerNum; ++i) {
    const SLayerBSInfo &layer = info.sLayerInfo[i];
    const std::uint8_t *data = layer.pBsBuf;
    for (int n = 0; n < layer.iNalCount; ++n) {
      // Every NAL unit of the library has a start code of four bytes.
      const auto length = static_cast<std::size_t>(layer.pNalLengthInByte[n]);
      if (length > kStartCode.size())
        coded.nals.push_back({{data + kStartCode.size(), length - kStartCode.size()}});
      data += length;
      bytes += length;
    }
    if (layer.uiLayerType == VIDEO_CODING_LAYER) coded.temporal_id = layer.uiTemporalId;
  }
  if (coded.nals.empty()) coded.skipped = true;
  look_at_buffer(bytes, milliseconds);
  return coded;
}

void Codec::look_at_buffer(std::size_t bytes, std::int64_t milliseconds) {
  // Fill of the buffer, in seconds, above which quality goes down and below which it comes back.
  constexpr double kFull = 0.5, kRelaxed = 0.25;
  const std::int64_t before = std::exchange(last_milliseconds_, milliseconds);
  const double seconds = before < 0 ? 0 : static_cast<double>(milliseconds - before) / 1000;
  if (config_.variable_rate && seconds > 0) follow_rate(seconds);
  if (!bucket_.exists()) return;
  bucket_.add(static_cast<double>(bytes) * 8, seconds);
  const EncoderSettings &s = config_.settings;
  if (s.rate_control == RateControl::buffer) {
    // To the library the buffer is what it is told of deliveries: one quantizer less or two more each time.
    SDeliveryStatus status{bucket_.fill() < kFull, 0, 0};
    set(ENCODER_OPTION_DELIVERY_STATUS, &status);
    return;
  }
  // Of a maximum the library only reads the level (and skips frames by it). Aiming lower it does by itself.
  if (held_down_ ? bucket_.fill() > kRelaxed : bucket_.fill() < kFull) return;
  held_down_ = !held_down_;
  const int target = rates_of(s, config_.width, config_.height, fps()).target;
  aim_at(held_down_ ? target / 2 : target);
}

double Codec::fps() const {
  return told_fps_ > 0 ? told_fps_ : frames_per_second(config_.fps_num, config_.fps_den);
}

// The library counts bits per picture: it must hear how fast they really come. A pause is no rate.
void Codec::follow_rate(double seconds) {
  constexpr double kMemory = 0.9, kLongest = 1, kWorthTelling = 0.1;
  const double length = std::min(seconds, kLongest);
  picture_seconds_ = picture_seconds_ > 0 ? kMemory * picture_seconds_ + (1 - kMemory) * length : length;
  const double now = 1 / picture_seconds_;
  if (std::abs(now / fps() - 1) < kWorthTelling) return;
  told_fps_ = now;
  Rates rates = rates_of(config_.settings, config_.width, config_.height, now);
  set(ENCODER_OPTION_FRAME_RATE, &rates.fps);
  aim_at(held_down_ ? rates.target / 2 : rates.target);
}

void Codec::aim_at(int bits_per_second) {
  SBitrateInfo target{SPATIAL_LAYER_ALL, bits_per_second};
  set(ENCODER_OPTION_BITRATE, &target);
}

bool Codec::adapt(const EncoderSettings &settings, std::uint32_t fps_num, std::uint32_t fps_den) {
  if (needs_new_encoder(config_.settings, settings)) return false;
  if (settings.rate_control == RateControl::cqp && settings.quantizer != config_.settings.quantizer) {
    SEncParamExt param{};
    encoder_->GetOption(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &param);
    param.sSpatialLayers[0].iDLayerQp = static_cast<int>(settings.quantizer);
    set(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &param); // alone, it costs no key unit
    config_.settings.quantizer = settings.quantizer;
    if (settings == config_.settings) return true;
  }
  config_.fps_num = fps_num;
  config_.fps_den = fps_den;
  Rates rates = rates_of(settings, config_.width, config_.height, fps());
  set(ENCODER_OPTION_FRAME_RATE, &rates.fps);
  // Raising the maximum first and lowering it last keeps target <= maximum at every step.
  SBitrateInfo most{SPATIAL_LAYER_ALL, rates.most};
  if (rates.most != UNSPECIFIED_BIT_RATE) set(ENCODER_OPTION_MAX_BITRATE, &most);
  aim_at(held_down_ ? rates.target / 2 : rates.target);
  if (rates.most != UNSPECIFIED_BIT_RATE) set(ENCODER_OPTION_MAX_BITRATE, &most);
  auto interval = static_cast<int>(key_interval(settings, frames_per_second(fps_num, fps_den)));
  set(ENCODER_OPTION_IDR_INTERVAL, &interval);
  int complexity = settings.complexity == Complexity::low ? LOW_COMPLEXITY : MEDIUM_COMPLEXITY;
  set(ENCODER_OPTION_COMPLEXITY, &complexity);
  bool skip = settings.frame_skip;
  set(ENCODER_OPTION_RC_FRAME_SKIP, &skip);
  config_.settings = settings;
  bucket_.empty_at(bucket_rate(config_));
  return true;
}

void Codec::request_recovery(unsigned idr_pic_id, int last_correct_frame_num, int current_frame_num) {
  SLTRRecoverRequest request{LTR_RECOVERY_REQUEST, idr_pic_id, last_correct_frame_num, current_frame_num, 0};
  set(ENCODER_LTR_RECOVERY_REQUEST, &request);
}

void Codec::marking_feedback(unsigned idr_pic_id, int ltr_frame_num, bool success) {
  const unsigned type = success ? LTR_MARKING_SUCCESS : LTR_MARKING_FAILED;
  SLTRMarkingFeedback feedback{type, idr_pic_id, ltr_frame_num, 0};
  set(ENCODER_LTR_MARKING_FEEDBACK, &feedback);
}

SEncoderStatistics Codec::statistics() const {
  SEncoderStatistics statistics{};
  encoder_->GetOption(ENCODER_OPTION_GET_STATISTICS, &statistics);
  return statistics;
}

} // namespace hull::h264
