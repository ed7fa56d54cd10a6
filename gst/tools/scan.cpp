#include "gst/tools/scan.h"

#include "gst/core/time.h"
#include "gst/glue/map.h"
#include "gst/ladder/shots.h"
#include "gst/tools/front.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::tools {
namespace {

struct Reader {
  double fps = 25;
  ladder::ShotDetector shots;
  std::vector<std::uint8_t> luma;
  GstClockTime first = GST_CLOCK_TIME_NONE, last = GST_CLOCK_TIME_NONE, end = 0;
  GstClockTime shortest = GST_CLOCK_TIME_NONE, longest = 0;
  std::uint64_t pictures = 0;
  bool steady = true;
};

void take_time(Reader &reader, GstBuffer *buffer) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const std::uint64_t number = reader.pictures++;
  if (!GST_CLOCK_TIME_IS_VALID(pts)) {
    reader.steady = false;
    return;
  }
  if (!GST_CLOCK_TIME_IS_VALID(reader.first)) reader.first = pts;
  const double since = static_cast<double>(pts) - static_cast<double>(reader.first);
  reader.steady &= std::abs(since * 1e-9 * reader.fps - static_cast<double>(number)) < 0.25;
  if (GST_CLOCK_TIME_IS_VALID(reader.last) && pts > reader.last) {
    reader.shortest = std::min(reader.shortest, pts - reader.last);
    reader.longest = std::max(reader.longest, pts - reader.last);
  }
  reader.last = pts;
  reader.end = pts + (GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0);
}

GstPadProbeReturn on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto &reader = *static_cast<Reader *>(data);
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  take_time(reader, buffer);
  const auto caps = CapsRef::adopt(gst_pad_get_current_caps(pad));
  GstVideoInfo video;
  if (!caps || !gst_video_info_from_caps(&video, caps.get())) return GST_PAD_PROBE_OK;
  MappedFrame frame(video, buffer, GST_MAP_READ);
  if (!frame) return GST_PAD_PROBE_OK;
  for (unsigned y = 0; y < ladder::ShotDetector::kHeight; ++y)
    std::copy_n(frame.plane(0) + static_cast<std::ptrdiff_t>(y) * frame.stride(0),
                ladder::ShotDetector::kWidth, reader.luma.begin() + y * ladder::ShotDetector::kWidth);
  reader.shots.add(reader.luma);
  return GST_PAD_PROBE_OK;
}

Result<void> check_length(const Source &source, const Scan &scan) {
  if (scan.pictures == 0)
    return fail(ErrorCode::bad_data, source.path + " holds no picture that can be decoded");
  // Containers round; half a second and a twentieth is more than any of them does.
  if (source.elementary || source.seconds <= 0 || scan.seconds >= source.seconds * 0.95 - 0.5) return {};
  return fail(
      ErrorCode::bad_data,
      fmt::format("{} is cut: its header promises {:.1f} s, but the pictures end at {:.1f} s; copy or "
                  "render the file again",
                  source.path, source.seconds, scan.seconds));
}

} // namespace

Result<Scan> scan(const Source &source, const std::atomic<int> &stop,
                  const std::function<void(std::uint64_t)> &progress) {
  Reader reader;
  reader.fps = source.fps();
  reader.luma.resize(ladder::ShotDetector::kWidth * ladder::ShotDetector::kHeight);
  Pipeline pipeline;
  Front front(pipeline, source);
  GstElement *small =
      pipeline.filter(fmt::format("video/x-raw,format=I420,width={},height={}", ladder::ShotDetector::kWidth,
                                  ladder::ShotDetector::kHeight));
  pipeline.link({front.out, pipeline.add("videoscale", {{"method", "bilinear"}, {"add-borders", "false"}}),
                 small, pipeline.add("fakesink", {{"sync", "false"}})});
  if (small) {
    const auto pad = PadRef::adopt(gst_element_get_static_pad(small, "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_picture, &reader, nullptr);
  }
  const auto ran = pipeline.run(stop, [&] {
    front.tick();
    if (progress) progress(front.pictures());
  });
  if (!ran) return tl::unexpected(ran.error());
  Scan result;
  result.pictures = front.pictures();
  result.seconds = static_cast<double>(result.pictures) / source.fps();
  const bool timed =
      !source.elementary && !source.y4m && GST_CLOCK_TIME_IS_VALID(reader.first) && reader.longest > 0;
  // Millisecond containers (Matroska) jitter by one; that is no varying rate.
  constexpr GstClockTime kJitter = 2 * GST_MSECOND;
  result.variable_rate = timed && reader.longest > reader.shortest + kJitter + reader.shortest / 10;
  if (timed && (result.variable_rate || source.variable_rate))
    result.seconds = static_cast<double>(reader.end - reader.first) / kNanoseconds;
  result.steady = timed && reader.steady && !result.variable_rate && !source.variable_rate;
  if (GST_CLOCK_TIME_IS_VALID(reader.first)) result.start_ns = reader.first;
  if (auto whole = check_length(source, result); !whole) return tl::unexpected(whole.error());
  result.shots = reader.shots.shots(std::max(1u, source.gop() / 4));
  return result;
}

Json to_json(const Scan &scan) {
  return {{"pictures", scan.pictures}, {"seconds", scan.seconds}, {"variable_rate", scan.variable_rate},
          {"start_ns", scan.start_ns}, {"steady", scan.steady},   {"shots", scan.shots}};
}

Result<Scan> scan_from_json(const Json &json) {
  try {
    return Scan{json.at("pictures").get<std::uint64_t>(),
                json.at("seconds").get<double>(),
                json.at("variable_rate").get<bool>(),
                json.at("start_ns").get<std::uint64_t>(),
                json.at("steady").get<bool>(),
                json.at("shots").list<std::uint64_t>()};
  } catch (const JsonError &) {
    return fail(ErrorCode::bad_data, "the scan in the cache is damaged");
  }
}

} // namespace hull::tools
