#include "gst/tools/media/scan.h"

#include "gst/core/time.h"
#include "gst/glue/map.h"
#include "gst/ladder/shots.h"
#include "gst/tools/media/decoded_source.h"
#include "gst/tools/support/cores.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <memory>
#include <thread>

namespace hull::tools {
namespace {

// Pictures before a stretch of its own that a detector of shots has to see.
constexpr std::uint64_t kLead = 2;
constexpr double kSteady = 0.25; // pictures
// A stretch has to be long enough to be worth its seek, and each decoder has threads and pictures of its own.
constexpr std::uint64_t kLeastStretch = 250;
constexpr unsigned kMostStretches = 4;

// A stretch of the title while it is read.
struct Reader {
  double fps = 25;
  std::uint64_t next = 0;     // number of the next picture
  std::uint64_t own = 0;      // the first that is not lead
  std::uint64_t pictures = 0; // without lead
  std::atomic<std::uint64_t> seen{0};
  ladder::ShotDetector shots;
  std::vector<std::uint8_t> luma =
      std::vector<std::uint8_t>(ladder::ShotDetector::kWidth * ladder::ShotDetector::kHeight);
  GstClockTime late = GST_CLOCK_TIME_NONE; // of the first picture
  GstClockTime first = GST_CLOCK_TIME_NONE, last = GST_CLOCK_TIME_NONE, end = 0;
  GstClockTime shortest = GST_CLOCK_TIME_NONE, longest = 0;
  // How far times are from where counting puts them, in pictures.
  double first_late = 0, least_late = 0, most_late = 0;
  bool clocked = true; // every picture has a time

  bool steady_against(double late) const {
    return clocked && std::abs(least_late - late) < kSteady && std::abs(most_late - late) < kSteady;
  }
};

void note_time(Reader &reader, GstBuffer *buffer) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const std::uint64_t number = reader.next++;
  const bool own = number >= reader.own;
  reader.pictures += own;
  if (!GST_CLOCK_TIME_IS_VALID(pts)) {
    reader.clocked = false;
    return;
  }
  // A decoder moves the time of the first picture behind a seek to where the seek was meant to go.
  if (!own && number + kLead == reader.own) return;
  if (GST_CLOCK_TIME_IS_VALID(reader.last) && pts > reader.last) {
    reader.shortest = std::min(reader.shortest, pts - reader.last);
    reader.longest = std::max(reader.longest, pts - reader.last);
  }
  reader.last = pts;
  if (!own) return;
  const double late = static_cast<double>(pts) * 1e-9 * reader.fps - static_cast<double>(number);
  if (!GST_CLOCK_TIME_IS_VALID(reader.first)) {
    reader.first = pts;
    reader.first_late = reader.least_late = reader.most_late = late;
  }
  reader.least_late = std::min(reader.least_late, late);
  reader.most_late = std::max(reader.most_late, late);
  reader.end = pts + (GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0);
}

void take_time(Reader &reader, GstBuffer *buffer) {
  note_time(reader, buffer);
  reader.seen = reader.pictures; // last: who reads it may read the first picture's time
}

GstPadProbeReturn on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto &reader = *static_cast<Reader *>(data);
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
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

// How far the streams of a container were read, whatever they hold.
struct Extent {
  Pipeline pipeline;
  std::atomic<std::uint64_t> end{0}; // nanoseconds
};

// Containers count from zero or from their first sample: the later of stamp and running time.
std::uint64_t end_of(GstPad *pad, const GstBuffer *buffer) {
  const std::uint64_t end =
      GST_BUFFER_PTS(buffer) + (GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0);
  const auto event = EventRef::adopt(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
  if (!event) return end;
  const GstSegment *segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  const std::uint64_t running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  return GST_CLOCK_TIME_IS_VALID(running) ? std::max(end, running + (end - GST_BUFFER_PTS(buffer))) : end;
}

GstPadProbeReturn on_sample(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto &extent = *static_cast<Extent *>(data);
  const GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  const std::uint64_t end = end_of(pad, buffer);
  std::uint64_t known = extent.end.load();
  while (end > known && !extent.end.compare_exchange_weak(known, end)) {
  }
  return GST_PAD_PROBE_OK;
}

void on_stream(GstElement *, GstPad *pad, gpointer data) {
  auto &extent = *static_cast<Extent *>(data);
  GstElement *sink = gst_element_factory_make("fakesink", nullptr);
  if (!sink) return;
  // One thread may feed them all: none may wait for the others' first samples.
  g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
  gst_bin_add(extent.pipeline.bin(), sink);
  const auto in = PadRef::adopt(gst_element_get_static_pad(sink, "sink"));
  gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, on_sample, data, nullptr);
  gst_element_sync_state_with_parent(sink);
  gst_pad_link(pad, in.get());
}

// In seconds; reads all of the file, and decodes nothing.
Result<double> end_of_streams(const std::string &path, const std::atomic<int> &stop) {
  Extent extent;
  GstElement *reader = extent.pipeline.add("parsebin");
  extent.pipeline.link({extent.pipeline.add("filesrc", {{"location", path}}), reader});
  if (reader) g_signal_connect(reader, "pad-added", G_CALLBACK(on_stream), &extent);
  if (auto ran = extent.pipeline.run(stop); !ran) return tl::unexpected(ran.error());
  return static_cast<double>(extent.end.load()) / kNanoseconds;
}

Result<void> check_length(const Source &source, const Scan &scan, const std::atomic<int> &stop) {
  if (scan.pictures == 0)
    return fail(ErrorCode::bad_data, source.path + " holds no picture that can be decoded");
  // Some containers count from zero to where the pictures begin, too.
  const double end = scan.seconds + static_cast<double>(scan.start_ns) / kNanoseconds;
  // Containers round; half a second and a twentieth is more than any of them does.
  const auto whole = [&source](double reached) { return reached >= source.seconds * 0.95 - 0.5; };
  if (source.elementary || source.seconds <= 0 || whole(end)) return {};
  // Sound or subtitles may go on where the pictures end.
  const auto all = end_of_streams(source.path, stop);
  if (!all) return tl::unexpected(all.error());
  if (whole(*all)) return {};
  return fail(
      ErrorCode::bad_data,
      fmt::format("{} is cut: its header promises {:.1f} s, but the pictures end at {:.1f} s; copy or "
                  "render the file again",
                  source.path, source.seconds, scan.seconds));
}

// Reads a window into `reader`; false: its first picture could not be reached by seeking.
Result<bool> read(const Source &source, Window window, Reader &reader, const std::atomic<int> &stop,
                  const std::function<void()> &tick) {
  reader.fps = source.fps();
  reader.next = window.first;
  Pipeline pipeline;
  DecodedSource decoded(pipeline, source, window);
  decoded.on_time = [&](GstBuffer *buffer) {
    if (reader.next == 0) reader.late = decoded.running_time(buffer);
    take_time(reader, buffer);
  };
  GstElement *small =
      pipeline.filter(fmt::format("video/x-raw,format=I420,width={},height={}", ladder::ShotDetector::kWidth,
                                  ladder::ShotDetector::kHeight));
  pipeline.link({decoded.out, pipeline.add("videoscale", {{"method", "bilinear"}, {"add-borders", "false"}}),
                 small, pipeline.add("fakesink", {{"sync", "false"}})});
  if (small) {
    const auto pad = PadRef::adopt(gst_element_get_static_pad(small, "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, on_picture, &reader, nullptr);
  }
  const auto ran = pipeline.run(stop, [&] {
    decoded.tick();
    if (tick) tick();
  });
  if (!ran) return tl::unexpected(ran.error());
  return !decoded.missed();
}

// The title as several stretches side by side, since decoders do not keep all cores busy. It works where
// pictures turn out to lie where counting puts them; nothing where they do not, and `start` is told when the
// title begins.
std::unique_ptr<Reader> read_side_by_side(const Source &source, unsigned stretches, std::uint64_t &start,
                                          const std::atomic<int> &stop,
                                          const std::function<void(std::uint64_t)> &progress) {
  Source counted = source;
  counted.steady = true;
  counted.start_ns = start;
  std::vector<std::unique_ptr<Reader>> readers;
  for (unsigned k = 0; k < stretches; ++k)
    readers.push_back(std::make_unique<Reader>());
  std::atomic<int> over{0};
  std::atomic<std::uint64_t> begun{GST_CLOCK_TIME_NONE}; // time of the title's first picture
  const auto work = [&](unsigned k) {
    const std::uint64_t from = source.frames * k / stretches, to = source.frames * (k + 1) / stretches;
    const std::uint64_t lead = k ? kLead : 0;
    readers[k]->own = from;
    const auto done =
        read(counted, {from - lead, k + 1 < stretches ? to - from + lead : 0}, *readers[k], over, [&] {
          if (k == 0) {
            std::uint64_t sum = 0;
            for (const auto &reader : readers)
              sum += reader->seen.load();
            if (progress) progress(sum);
            if (readers[0]->seen.load() > 0) begun = readers[0]->first;
          }
          // Counted from another start, the others are at the wrong pictures.
          const std::uint64_t known = begun.load();
          if (stop.load() || (!counted.y4m && known != GST_CLOCK_TIME_NONE && known != counted.start_ns))
            over = 1;
        });
    if (!done || !*done || (k + 1 < stretches && readers[k]->pictures != to - from)) over = 1;
  };
  {
    std::vector<std::jthread> others;
    for (unsigned k = 1; k < stretches; ++k)
      others.emplace_back(work, k);
    work(0);
  }
  if (GST_CLOCK_TIME_IS_VALID(readers[0]->first)) start = readers[0]->first;
  if (over.load()) return {};
  auto all = std::move(readers[0]);
  for (unsigned k = 1; k < stretches; ++k) {
    const Reader &next = *readers[k];
    if (next.pictures == 0) return {};
    if (!counted.y4m && !next.steady_against(all->first_late)) return {};
    all->clocked &= next.clocked;
    all->least_late = std::min(all->least_late, next.least_late);
    all->most_late = std::max(all->most_late, next.most_late);
    all->shortest = std::min(all->shortest, next.shortest);
    all->longest = std::max(all->longest, next.longest);
    all->end = next.end;
    all->pictures += next.pictures;
    all->shots.append(next.shots, kLead);
  }
  return all;
}

Result<std::unique_ptr<Reader>> read_all(const Source &source, const std::atomic<int> &stop,
                                         const std::function<void(std::uint64_t)> &progress) {
  const auto stretches = static_cast<unsigned>(
      std::min<std::uint64_t>(std::min(usable_cores(), kMostStretches), source.frames / kLeastStretch));
  if (stretches > 1 && !source.elementary && !source.interlaced && !source.variable_rate) {
    std::uint64_t start = 0;
    for (int tries = 0; tries < 2; ++tries) {
      const std::uint64_t before = start;
      if (auto reader = read_side_by_side(source, stretches, start, stop, progress)) return reader;
      if (start == before || stop.load()) break;
    }
  }
  auto reader = std::make_unique<Reader>();
  const auto ran = read(source, {}, *reader, stop, [&] {
    if (progress) progress(reader->seen.load());
  });
  if (!ran) return tl::unexpected(ran.error());
  return reader;
}

} // namespace

Result<Scan> scan(const Source &source, const std::atomic<int> &stop,
                  const std::function<void(std::uint64_t)> &progress) {
  const auto read = read_all(source, stop, progress);
  if (!read) return tl::unexpected(read.error());
  const Reader &reader = **read;
  Scan result;
  result.pictures = reader.pictures;
  result.seconds = static_cast<double>(result.pictures) / source.fps();
  const bool timed =
      !source.elementary && !source.y4m && GST_CLOCK_TIME_IS_VALID(reader.first) && reader.longest > 0;
  // Millisecond containers (Matroska) jitter by one; that is no varying rate.
  constexpr GstClockTime kJitter = 2 * GST_MSECOND;
  result.variable_rate = timed && reader.longest > reader.shortest + kJitter + reader.shortest / 10;
  if (timed && (result.variable_rate || source.variable_rate))
    result.seconds = static_cast<double>(reader.end - reader.first) / kNanoseconds;
  result.steady =
      timed && reader.steady_against(reader.first_late) && !result.variable_rate && !source.variable_rate;
  if (GST_CLOCK_TIME_IS_VALID(reader.first)) result.start_ns = reader.first;
  if (timed && GST_CLOCK_TIME_IS_VALID(reader.late)) result.late_ns = reader.late;
  if (auto whole = check_length(source, result, stop); !whole) return tl::unexpected(whole.error());
  result.shots = reader.shots.shots(std::max(1u, source.gop() / 4));
  return result;
}

Json to_json(const Scan &scan) {
  return {{"pictures", scan.pictures}, {"seconds", scan.seconds}, {"variable_rate", scan.variable_rate},
          {"start_ns", scan.start_ns}, {"late_ns", scan.late_ns}, {"steady", scan.steady},
          {"shots", scan.shots}};
}

Result<Scan> scan_from_json(const Json &json) {
  try {
    return Scan{json.at("pictures").get<std::uint64_t>(), json.at("seconds").get<double>(),
                json.at("variable_rate").get<bool>(),     json.at("start_ns").get<std::uint64_t>(),
                json.at("late_ns").get<std::uint64_t>(),  json.at("steady").get<bool>(),
                json.at("shots").list<std::uint64_t>()};
  } catch (const JsonError &) {
    return fail(ErrorCode::bad_data, "the scan in the cache is damaged");
  }
}

} // namespace hull::tools
