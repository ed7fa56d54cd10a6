#include "plugins/h264/picture_decoder.h"

#include "plugins/h264/log.h"

namespace hull::h264 {
namespace {

std::optional<Picture> picture_of(unsigned char *const planes[3], const SBufferInfo &info) {
  const SSysMEMBuffer &memory = info.UsrData.sSystemBuffer;
  if (info.iBufferStatus != 1 || !planes[0] || memory.iWidth <= 0 || memory.iHeight <= 0) return std::nullopt;
  return Picture{{planes[0], planes[1], planes[2]},
                 {memory.iStride[0], memory.iStride[1], memory.iStride[1]},
                 memory.iWidth,
                 memory.iHeight,
                 info.uiOutYuvTimeStamp};
}

} // namespace

Result<void> PictureDecoder::open(Concealment concealment) {
  if (decoder_)
    decoder_->Uninitialize();
  else if (WelsCreateDecoder(&decoder_) != 0 || !decoder_)
    return fail(ErrorCode::state, "OpenH264 gave no decoder. Check the installed libopenh264.");
  int level = decoder_log_level();
  WelsTraceCallback callback = decoder_log;
  decoder_->SetOption(DECODER_OPTION_TRACE_LEVEL, &level);
  decoder_->SetOption(DECODER_OPTION_TRACE_CALLBACK, &callback);
  SDecodingParam param{};
  param.sVideoProperty.size = sizeof param.sVideoProperty;
  param.sVideoProperty.eVideoBsType = VIDEO_BITSTREAM_AVC;
  param.eEcActiveIdc = static_cast<ERROR_CON_IDC>(concealment);
  if (const long status = decoder_->Initialize(&param); status != 0)
    return fail(ErrorCode::state,
                "OpenH264 could not start its decoder (code " + std::to_string(status) + ").");
  return {};
}

void PictureDecoder::close() {
  if (!decoder_) return;
  decoder_->Uninitialize();
  WelsDestroyDecoder(decoder_);
  decoder_ = nullptr;
}

PictureDecoder::Outcome PictureDecoder::decode(Bytes access_unit, std::uint64_t id) {
  unsigned char *planes[3] = {};
  SBufferInfo info{};
  info.uiInBsTimeStamp = id;
  // The name notwithstanding, this call reorders too; it only does not wait for the next access unit.
  const int state =
      decoder_->DecodeFrameNoDelay(access_unit.data(), static_cast<int>(access_unit.size()), planes, &info);
  return {state, picture_of(planes, info)};
}

PictureDecoder::Outcome PictureDecoder::drain() {
  int end = 1;
  decoder_->SetOption(DECODER_OPTION_END_OF_STREAM, &end);
  int remaining = 0;
  decoder_->GetOption(DECODER_OPTION_NUM_OF_FRAMES_REMAINING_IN_BUFFER, &remaining);
  if (remaining <= 0) return {};
  unsigned char *planes[3] = {};
  SBufferInfo info{};
  const int state = decoder_->FlushFrame(planes, &info);
  return {state, picture_of(planes, info)};
}

} // namespace hull::h264
