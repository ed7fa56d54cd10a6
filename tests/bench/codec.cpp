// Encoding and decoding against a loop over the library itself and against other elements, in one run.
// Processor time is what counts; each figure is the least of several interleaved rounds.

#include "plugins/h264/picture_decoder.h"
#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <functional>
#include <sys/resource.h>

using namespace hull;
using namespace hull::h264;

namespace {

constexpr int kRounds = 9;

double processor_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval &t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Clip {
  unsigned width, height, fps;
  std::vector<ByteVector> pictures; // packed I420
};

struct Contender {
  std::string name;
  std::function<std::size_t()> run; ///< gives the bytes it coded, 0 where it decodes
  std::size_t bytes = 0;
  double processor = 1e9, wall = 1e9;
};

void compete(const char *title, std::vector<Contender> contenders, std::size_t pictures, bool by_wall) {
  for (int round = 0; round < kRounds; ++round)
    for (Contender &c : contenders) {
      const double processor = processor_seconds(), wall = wall_seconds();
      c.bytes = c.run();
      c.processor = std::min(c.processor, processor_seconds() - processor);
      c.wall = std::min(c.wall, wall_seconds() - wall);
    }
  std::printf("\n%s\n", title);
  const Contender &base = contenders.front();
  for (const Contender &c : contenders)
    fmt::print("  {:<34} {:7.2f} ms/picture CPU  x{:.3f}   {:7.1f} pictures/s{}{}\n", c.name.c_str(),
               c.processor * 1e3 / static_cast<double>(pictures), c.processor / base.processor,
               static_cast<double>(pictures) / c.wall,
               by_wall ? ("  " + std::to_string(base.wall / c.wall).substr(0, 5) + "x as fast").c_str() : "",
               c.bytes ? ("  " + std::to_string(c.bytes) + " bytes").c_str() : "");
}

Clip load(const std::string &file, std::size_t most) {
  Clip clip{};
  const Played played =
      play("filesrc location=" + file +
           " ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 ! appsink name=out");
  if (played.buffers.empty()) return clip;
  GstVideoInfo info;
  gst_video_info_from_caps(&info, played.caps.get());
  clip = {static_cast<unsigned>(info.width), static_cast<unsigned>(info.height), 30, {}};
  for (const BufferRef &buffer : played.buffers) {
    if (clip.pictures.size() == most) break;
    MappedFrame frame(info, buffer.get(), GST_MAP_READ);
    ByteVector packed;
    for (unsigned p = 0; p < 3; ++p)
      for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame.get(), p); ++y)
        append(packed, {frame.plane(p) + y * frame.stride(p),
                        static_cast<std::size_t>(GST_VIDEO_FRAME_COMP_WIDTH(frame.get(), p))});
    clip.pictures.push_back(std::move(packed));
  }
  return clip;
}

// The clip through `element`: the same memory is wrapped anew for each picture, so the source costs nothing.
Played through(const Clip &clip, const std::string &element) {
  const std::string caps = "video/x-raw,format=I420,width=" + std::to_string(clip.width) +
                           ",height=" + std::to_string(clip.height) +
                           ",framerate=" + std::to_string(clip.fps) + "/1";
  return play(
      "appsrc name=in format=time max-bytes=0 caps=\"" + caps + "\" ! " + element + " ! appsink name=out",
      [&clip](GstElement *pipeline) {
        const auto in = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
        GstFlowReturn flow;
        for (std::size_t i = 0; i < clip.pictures.size(); ++i) {
          const ByteVector &data = clip.pictures[i];
          GstBuffer *buffer =
              gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t *>(data.data()),
                                          data.size(), 0, data.size(), nullptr, nullptr);
          GST_BUFFER_PTS(buffer) = i * GST_SECOND / clip.fps;
          GST_BUFFER_DURATION(buffer) = GST_SECOND / clip.fps;
          g_signal_emit_by_name(in.get(), "push-buffer", buffer, &flow);
          gst_buffer_unref(buffer);
        }
        g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
      });
}

// The library itself, as its own example program drives it, with what hullh264enc sets for these contenders:
// equal sizes show equal work.
std::size_t direct_encode(const Clip &clip, unsigned kbps, bool cabac) {
  ISVCEncoder *encoder = nullptr;
  if (WelsCreateSVCEncoder(&encoder) != 0) return 0;
  int quiet = WELS_LOG_QUIET;
  encoder->SetOption(ENCODER_OPTION_TRACE_LEVEL, &quiet);
  SEncParamExt param{};
  encoder->GetDefaultParams(&param);
  const auto width = static_cast<int>(clip.width), height = static_cast<int>(clip.height);
  param.iUsageType = CAMERA_VIDEO_REAL_TIME;
  param.iPicWidth = width;
  param.iPicHeight = height;
  param.iRCMode = RC_BITRATE_MODE;
  param.iTargetBitrate = static_cast<int>(kbps * 1000);
  param.iMaxBitrate = UNSPECIFIED_BIT_RATE;
  param.fMaxFrameRate = static_cast<float>(clip.fps);
  param.uiIntraPeriod = clip.fps * 2;
  param.iMinQp = 12;
  param.iMaxQp = 51;
  param.iMultipleThreadIdc = 1;
  param.iComplexityMode = MEDIUM_COMPLEXITY; // the library's own default is low
  param.iEntropyCodingModeFlag = cabac;
  param.eSpsPpsIdStrategy = CONSTANT_ID;
  param.bEnableBackgroundDetection = param.bEnableAdaptiveQuant = param.bEnableSceneChangeDetect = false;
  param.bEnableFrameSkip = param.bUseLoadBalancing = false;
  SSpatialLayerConfig &layer = param.sSpatialLayers[0];
  layer.iVideoWidth = width;
  layer.iVideoHeight = height;
  layer.fFrameRate = param.fMaxFrameRate;
  layer.iSpatialBitrate = param.iTargetBitrate;
  layer.iMaxSpatialBitrate = UNSPECIFIED_BIT_RATE;
  layer.uiProfileIdc = cabac ? PRO_MAIN : PRO_BASELINE;
  std::size_t bytes = 0;
  if (encoder->InitializeExt(&param) == cmResultSuccess)
    for (std::size_t i = 0; i < clip.pictures.size(); ++i) {
      auto *data = const_cast<std::uint8_t *>(clip.pictures[i].data());
      const auto luma = static_cast<std::size_t>(clip.width) * clip.height;
      SSourcePicture picture{};
      picture.iColorFormat = videoFormatI420;
      picture.iPicWidth = width;
      picture.iPicHeight = height;
      picture.uiTimeStamp = static_cast<long long>(i * 1000 / clip.fps);
      picture.pData[0] = data;
      picture.pData[1] = data + luma;
      picture.pData[2] = data + luma + luma / 4;
      picture.iStride[0] = width;
      picture.iStride[1] = picture.iStride[2] = width / 2;
      SFrameBSInfo info{};
      encoder->EncodeFrame(&picture, &info);
      bytes += static_cast<std::size_t>(info.iFrameSizeInBytes);
    }
  encoder->Uninitialize();
  WelsDestroySVCEncoder(encoder);
  return bytes;
}

/// A contender's run: the clip through `element`.
std::function<std::size_t()> coded_by(const Clip &clip, const std::string &element) {
  return [&clip, element] {
    std::size_t bytes = 0;
    for (const BufferRef &buffer : through(clip, element).buffers)
      bytes += gst_buffer_get_size(buffer.get());
    return bytes;
  };
}

void encode_speed(const Clip &clip, unsigned kbps) {
  const std::string rate = std::to_string(kbps), head = "hullh264enc threads=1 bitrate=" + rate;
  std::vector<Contender> list = {
      {"loop over the library, CAVLC", [&] { return direct_encode(clip, kbps, false); }},
      {"hullh264enc, CAVLC", coded_by(clip, head + " ! video/x-h264,profile=constrained-baseline")},
      {"openh264enc (CAVLC)", coded_by(clip, "openh264enc qp-min=1 bitrate=" + rate + "000")},
      {"loop over the library, CABAC", [&] { return direct_encode(clip, kbps, true); }},
      {"hullh264enc, CABAC", coded_by(clip, head + " ! video/x-h264,profile=main")},
      {"hullh264enc, CABAC, low", coded_by(clip, head + " complexity=low ! video/x-h264,profile=main")},
      {"x264enc superfast zerolatency",
       coded_by(clip, "x264enc threads=1 speed-preset=superfast tune=zerolatency bitrate=" + rate)}};
  std::printf("\n%ux%u", clip.width, clip.height);
  compete("Encoding, one thread", std::move(list), clip.pictures.size(), false);
}

void parallel_speed(const Clip &clip) {
  const std::string rate = "bitrate=3000 key-int-max=30";
  std::vector<Contender> list = {
      {"openh264enc, 2 threads, 2 slices",
       coded_by(clip, "openh264enc qp-min=1 bitrate=3000000 gop-size=30 multi-thread=2 slice-mode=n-slices "
                      "num-slices=2")},
      {"hullh264enc, 1 thread", coded_by(clip, "hullh264enc threads=1 entropy-coding=cavlc " + rate)},
      {"hullh264enc, 2 slices",
       coded_by(clip, "hullh264enc threads=2 slice-mode=fixed num-slices=2 entropy-coding=cavlc " + rate)},
      {"hullh264enc, parallel=gop, CAVLC",
       coded_by(clip, "hullh264enc threads=2 parallel=gop entropy-coding=cavlc " + rate)},
      {"hullh264enc, parallel=gop, CABAC", coded_by(clip, "hullh264enc threads=2 parallel=gop " + rate)},
      {"the same, complexity=low",
       coded_by(clip, "hullh264enc threads=2 parallel=gop complexity=low " + rate)}};
  std::printf("\n%ux%u", clip.width, clip.height);
  compete("A file on two threads", std::move(list), clip.pictures.size(), true);
}

void decode_speed(const Clip &clip, const char *profile) {
  const Played coded = through(
      clip,
      std::string("hullh264enc bitrate=8000 ! video/x-h264,stream-format=byte-stream,profile=") + profile);
  std::vector<ByteVector> units;
  for (const BufferRef &buffer : coded.buffers)
    units.push_back(bytes_of(buffer.get()));
  const std::string caps = "video/x-h264,stream-format=byte-stream,alignment=au,framerate=30/1,width=" +
                           std::to_string(clip.width) + ",height=" + std::to_string(clip.height);
  const auto with = [&](const std::string &element) -> std::size_t {
    play("appsrc name=in format=time max-bytes=0 caps=\"" + caps + "\" ! " + element + " ! fakesink",
         [&units](GstElement *pipeline) {
           const auto in = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
           GstFlowReturn flow;
           for (std::size_t i = 0; i < units.size(); ++i) {
             GstBuffer *buffer = gst_buffer_new_memdup(units[i].data(), units[i].size());
             GST_BUFFER_PTS(buffer) = i * GST_SECOND / 30;
             g_signal_emit_by_name(in.get(), "push-buffer", buffer, &flow);
             gst_buffer_unref(buffer);
           }
           g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
         });
    return 0;
  };
  const auto direct = [&units]() -> std::size_t {
    PictureDecoder decoder;
    if (!decoder.open(Concealment::slice_copy)) return 0;
    for (std::size_t i = 0; i < units.size(); ++i)
      decoder.decode({}, units[i], i, [](const Picture &) {});
    decoder.drain([](const Picture &) {});
    return 0;
  };
  std::vector<Contender> list = {{"loop over the library", direct},
                                 {"hullh264dec", [&] { return with("hullh264dec"); }},
                                 {"openh264dec", [&] { return with("h264parse ! openh264dec"); }},
                                 {"avdec_h264, 1 thread", [&] { return with("avdec_h264 max-threads=1"); }}};
  std::printf("\n%ux%u %s", clip.width, clip.height, profile);
  compete("Decoding 8 Mbit/s", std::move(list), units.size(), false);
}

void low_rate(const Clip &clip) {
  std::printf("\nAsked for 300 kbit/s at %ux%u, after 2 s\n", clip.width, clip.height);
  for (const char *element :
       {"hullh264enc bitrate=300", "openh264enc bitrate=300000", "openh264enc bitrate=300000 qp-min=1"}) {
    const Played played = through(clip, element);
    std::size_t bytes = 0, count = 0;
    for (std::size_t i = 2 * clip.fps; i < played.buffers.size(); ++i, ++count)
      bytes += gst_buffer_get_size(played.buffers[i].get());
    fmt::print("  {:<38} {:6.0f} kbit/s\n", element,
               static_cast<double>(bytes) * 8 * clip.fps /
                   static_cast<double>(std::max<std::size_t>(count, 1)) / 1000);
  }
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  const std::string drive = shared("media/drive_1080p25_high_b.264"),
                    flower = shared("media/flower_720p30_high_b.264");
  if (!is_there(drive) || !is_there(flower)) {
    std::printf("../shared/media is absent: nothing to measure\n");
    return 0;
  }
  const std::string only = argc > 1 ? argv[1] : "";
  const auto wanted = [&only](const char *part) { return only.empty() || only == part; };
  const Clip large = load(drive, 40), small = load(flower, 300);
  if (wanted("encode")) encode_speed(large, 6000);
  if (wanted("parallel")) parallel_speed(small);
  if (wanted("decode")) {
    decode_speed(large, "constrained-baseline");
    decode_speed(large, "main");
  }
  if (wanted("rate")) low_rate(small);
  return 0;
}
