#include "plugins/h264/picture_decoder.h"

#include "plugins/h264/log.h"

#include <array>
#include <optional>
#include <tuple>

namespace hull::h264 {
namespace {

constexpr std::array<std::uint8_t, 6> kDelimiter{0, 0, 0, 1, 9, 0xf0};

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
  int level = library_log_level(decoder_category());
  WelsTraceCallback callback = decoder_log;
  void *context = element_;
  decoder_->SetOption(DECODER_OPTION_TRACE_CALLBACK_CONTEXT, &context);
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

int PictureDecoder::feed(const std::uint8_t *data, std::size_t size, std::uint64_t id, const Sink &sink) {
  unsigned char *planes[3] = {};
  SBufferInfo info{};
  info.uiInBsTimeStamp = id;
  const int state = decoder_->DecodeFrame2(data, static_cast<int>(size), planes, &info);
  if (const auto picture = picture_of(planes, info)) sink(*picture);
  return state;
}

PictureDecoder::Outcome PictureDecoder::decode(Bytes sets, Bytes slices, std::uint64_t id, const Sink &sink) {
  bool came = false;
  const Sink watch = [&](const Picture &picture) {
    came |= picture.id == id;
    sink(picture);
  };
  int state = 0;
  if (!sets.empty()) state |= feed(sets.data(), sets.size(), id, watch);
  if (slices.empty()) return {state | dsBitstreamError, false};
  state |= feed(slices.data(), slices.size(), id, watch);
  // Without data: give out what is complete. DecodeFrameNoDelay() does both too, but its second call
  // overwrites a picture of the first.
  state |= feed(nullptr, 0, id, watch);
  if (came) return {state, false};
  // A picture with slices missing stays inside until the next begins, which an access unit delimiter says;
  // one without a single macroblock does not even then, but when it comes again with the delimiter at once.
  state |= feed(kDelimiter.data(), kDelimiter.size(), id, watch);
  if (!came && !(state & kFatal)) {
    state |= feed(slices.data(), slices.size(), id, watch);
    state |= feed(kDelimiter.data(), kDelimiter.size(), id, watch);
  }
  return {state, true};
}

void PictureDecoder::drain(const Sink &sink) {
  int end = 1;
  decoder_->SetOption(DECODER_OPTION_END_OF_STREAM, &end);
  int remaining = 0;
  decoder_->GetOption(DECODER_OPTION_NUM_OF_FRAMES_REMAINING_IN_BUFFER, &remaining);
  for (; remaining > 0; --remaining) {
    unsigned char *planes[3] = {};
    SBufferInfo info{};
    decoder_->FlushFrame(planes, &info);
    if (const auto picture = picture_of(planes, info)) sink(*picture);
  }
}

std::string PictureDecoder::version() {
  const OpenH264Version is = WelsGetCodecVersion();
  return std::to_string(is.uMajor) + "." + std::to_string(is.uMinor) + "." + std::to_string(is.uRevision);
}

bool PictureDecoder::has_cve_2025_27091() {
#ifdef HULL_OPENH264_PATCHED
  return false;
#else
  const OpenH264Version is = WelsGetCodecVersion();
  return std::tuple(is.uMajor, is.uMinor, is.uRevision) < std::tuple(2u, 5u, 1u);
#endif
}

} // namespace hull::h264
