#include "plugins/h264/codec.h"

#include "plugins/h264/log.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::h264 {
namespace {

// Bits per pixel that bitrate=0 stands for; 1.9 Mbit/s at 720p30.
constexpr double kAutoBitsPerPixel = 0.07;

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

// The library's own control never hears of buffers, slices rates below 1 and above 60 pictures a second off,
// and knows no quantizer below 12: RateController steers, and the library codes what it is told.
void fill_rate_control(const CodecConfig &config, SEncParamExt &param) {
  constexpr int kAnyBitrate = 64'000; // what every level holds
  constexpr float kAnyRate = 30;
  SSpatialLayerConfig &layer = param.sSpatialLayers[0];
  param.iRCMode = RC_OFF_MODE;
  param.iTargetBitrate = layer.iSpatialBitrate = kAnyBitrate;
  param.iMaxBitrate = layer.iMaxSpatialBitrate = UNSPECIFIED_BIT_RATE;
  param.fMaxFrameRate = layer.fFrameRate = kAnyRate;
  layer.iDLayerQp = static_cast<int>(config.settings.quantizer);
  param.iMinQp = 1; // 0 would silently mean 12 to 42
  param.iMaxQp = 51;
  param.bEnableFrameSkip = false;
  param.uiIntraPeriod = 0; // key pictures come when they are asked for
}

// With threads each slice has a buffer of twice its mean share. Where macroblocks do not divide evenly the
// last slice takes all that is left, which may be most of the picture.
unsigned threads_of(const CodecConfig &config) {
  const EncoderSettings &s = config.settings;
  if (s.slice_mode != SliceMode::fixed) return config.slice_threads;
  const std::uint32_t blocks = (config.width + 15) / 16 * ((config.height + 15) / 16);
  const std::uint32_t slices = std::clamp(s.slices, 1u, blocks),
                      last = blocks - (slices - 1) * (blocks / slices);
  return last * slices * 2 > blocks * 3 ? 1 : config.slice_threads;
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
  param.iMultipleThreadIdc = static_cast<unsigned short>(threads_of(config));
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
  // The library knows no level above 5.2; the SPS that goes out says ours.
  layer.uiLevelIdc = static_cast<ELevelIdc>(std::min<int>(config.level_idc, LEVEL_5_2));
  fill_rate_control(config, param);
  fill_slices(config, param);
}

// What can be told before the library is asked: it only has codes.
Result<void> check(const CodecConfig &config) {
  constexpr std::uint32_t kMostMacroblocks = 36864, kMostRows = 35;
  const std::uint32_t across = (config.width + 15) / 16, down = (config.height + 15) / 16;
  if (across * down > kMostMacroblocks)
    return fail(
        ErrorCode::unsupported,
        fmt::format("Pictures of {}x{} have {} macroblocks; OpenH264 codes at most {}, as of 4096x2304. Put "
                    "videoscale in front of the encoder.",
                    config.width, config.height, across * down, kMostMacroblocks));
  if (config.settings.slice_mode == SliceMode::rows && down > kMostRows)
    return fail(
        ErrorCode::settings,
        fmt::format(
            "slice-mode=rows makes a slice of each row of macroblocks. {}x{} pictures have {} rows, and "
            "OpenH264 codes at most {} slices: use slice-mode=fixed num-slices={}, or at most {} lines.",
            config.width, config.height, down, kMostRows, kMostRows, kMostRows * 16));
  return {};
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

unsigned base_layer_bonus(const EncoderSettings &settings) {
  return settings.temporal_layers > 1 ? settings.temporal_layers + 1 : 0;
}

std::size_t Coded::slices() const {
  return static_cast<std::size_t>(std::ranges::count_if(nals, &Nal::is_slice));
}

Result<std::unique_ptr<Codec>> Codec::open(const CodecConfig &config) {
  if (auto fine = check(config); !fine) return tl::unexpected(fine.error());
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
  int level = library_log_level(encoder_category());
  WelsTraceCallback callback = library_log;
  void *context = config_.element;
  set(ENCODER_OPTION_TRACE_CALLBACK_CONTEXT, &context);
  set(ENCODER_OPTION_TRACE_LEVEL, &level);
  set(ENCODER_OPTION_TRACE_CALLBACK, &callback);
  encoder_->GetDefaultParams(&param_);
  fill(config_, param_);
  if (const int status = encoder_->InitializeExt(&param_); status != cmResultSuccess)
    return fail(ErrorCode::settings,
                fmt::format("OpenH264 refuses {}x{} pictures with these settings (code {}); "
                            "GST_DEBUG=hullh264enc:5 shows what it says.",
                            config_.width, config_.height, status));
  encoder_->GetOption(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &param_);
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

void Codec::set_quantizer(int quantizer) {
  int &known = param_.sSpatialLayers[0].iDLayerQp;
  if (known == quantizer) return;
  known = quantizer;
  set(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &param_); // alone, it costs no key unit
}

void Codec::set_complexity(Complexity complexity) {
  const auto mode = complexity == Complexity::low ? LOW_COMPLEXITY : MEDIUM_COMPLEXITY;
  if (param_.iComplexityMode == mode) return;
  param_.iComplexityMode = mode;
  set(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &param_);
}

Result<Coded> Codec::encode(const PictureView &view, std::int64_t milliseconds, bool force_idr,
                            int quantizer) {
  set_quantizer(quantizer);
  SSourcePicture picture{}; // all of it: newer versions have more members
  picture.iColorFormat = videoFormatI420;
  picture.iPicWidth = static_cast<int>(config_.width);
  picture.iPicHeight = static_cast<int>(config_.height);
  picture.uiTimeStamp = milliseconds;
  for (int i = 0; i < 3; ++i) {
    picture.pData[i] = const_cast<std::uint8_t *>(view.data[i]); // only read
    picture.iStride[i] = view.stride[i];
  }
  if (force_idr) encoder_->ForceIntraFrame(true);
  SFrameBSInfo info{};
  if (const int status = encoder_->EncodeFrame(&picture, &info); status != cmResultSuccess)
    return fail(ErrorCode::state, fmt::format("OpenH264 failed to encode a picture (code {}).", status));
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
    }
    if (layer.uiLayerType == VIDEO_CODING_LAYER) coded.temporal_id = layer.uiTemporalId;
  }
  if (coded.nals.empty()) coded.skipped = true;
  return coded;
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

} // namespace hull::h264
