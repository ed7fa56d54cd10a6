// What cannot be seen from outside a process: the age of samples when their chunk leaves, and what the end of
// a twelve-hour recording costs. `mp4.py` measures the rest against peers.

#include "gst/glue/ref.h"
#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/track.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>

using namespace hull;
using namespace hull::isobmff;

namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Ages in milliseconds of all samples between their timestamp and their chunk's arrival behind `muxer`. Peers
// give a chunk's samples one by one: each counts when it comes.
void ages(const char *name, const std::string &muxer) {
  GError *error = nullptr;
  const auto pipeline = ElementRef::retain(gst_parse_launch(
      ("videotestsrc is-live=true num-buffers=450 pattern=ball ! "
       "video/x-raw,width=320,height=180,framerate=30/1 ! "
       "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 ! h264parse ! queue ! " +
       muxer + " ! appsink name=out sync=false max-buffers=0")
          .c_str(),
      &error));
  if (error) {
    std::printf("  %-34s %s\n", name, error->message);
    g_error_free(error);
    return;
  }
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::vector<double> found;
  while (GstSample *sample = gst_app_sink_pull_sample(GST_APP_SINK(sink.get()))) {
    const auto held = SampleRef::adopt(sample);
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(pipeline.get()));
    if (!clock || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) || !GST_BUFFER_PTS_IS_VALID(buffer))
      continue;
    const GstClockTime now = gst_clock_get_time(clock.get()) - gst_element_get_base_time(pipeline.get());
    found.push_back((static_cast<double>(now) - static_cast<double>(GST_BUFFER_PTS(buffer))) / 1e6);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (found.empty()) return;
  std::sort(found.begin(), found.end());
  const auto part = [&found](double p) {
    return found[static_cast<std::size_t>(p * static_cast<double>(found.size() - 1))];
  };
  fmt::print("  {:<34} median {:5.0f}   p95 {:5.0f}   max {:5.0f} ms   ({} samples)\n", name, part(0.5),
             part(0.95), part(1), found.size());
}

// Twelve hours at 30 fps in fragments of 2 s, made by hand.
void finalise(const std::string &path) {
  constexpr std::uint32_t kFragments = 21'600, kSamples = 60;
  TrackConfig config;
  config.timescale = 15'360;
  SampleFormat format;
  format.entry = "avc1";
  format.width = format.height = 64;
  format.codec_boxes.emplace_back("avcC", ByteVector(16));
  config.formats = {format};
  InitOptions options;
  options.compatible_brands = {"iso6", "isom"};
  {
    auto file = OutputFile::create(path);
    if (!file) return void(std::printf("  %s\n", file.error().text.c_str()));
    ByteVector bytes = write_tree(file_type_box(options)).value();
    append(bytes, recording_gap());
    append(bytes, write_tree(init_movie_box({config}, options)).value());
    std::uint64_t at = 0;
    for (std::uint32_t n = 0; n < kFragments; ++n) {
      Chunk chunk;
      chunk.runs.resize(1);
      for (std::uint32_t i = 0; i < kSamples; ++i)
        chunk.runs[0].push_back({std::int64_t{n} * kSamples * 512 + i * 512, 512, i % 3 == 1 ? 1024 : 0,
                                 40 + (n * 31 + i * 17) % 60, i == 0, false});
      std::vector<FragmentTrack> tracks(1);
      tracks[0].composition_offsets = true;
      auto header = fragment_header(n + 1, chunk, tracks);
      append(bytes, header->bytes);
      bytes.resize(bytes.size() + header->data_size);
      if (!file->write(at, bytes)) return;
      at += bytes.size();
      bytes.clear();
    }
  }
  {
    auto source = FileSource::open(path);
    auto scan = scan_fragments(*source, true, false);
    const auto &table = scan->tracks.begin()->second.table;
    fmt::print("  index of {} samples: {:.2f} bytes a sample\n",
               static_cast<unsigned long long>(table.samples()),
               static_cast<double>(table.memory()) / static_cast<double>(table.samples()));
  }
  for (const bool sync : {false, true}) {
    const std::string copy = path + ".copy";
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    const double start = seconds(), processor = processor_seconds();
    const auto done = unfragment(copy, Placement::automatic, sync);
    fmt::print(
        "  finalising{}: {:.2f} s ({:.2f} s of processor), {:.1f} MB written for a file of {:.1f} MB ({})\n",
        sync ? " with fdatasync" : "", seconds() - start, processor_seconds() - processor,
        static_cast<double>(done ? done->bytes_written : 0) / 1e6,
        static_cast<double>(std::filesystem::file_size(copy)) / 1e6,
        done ? (done->how == Placement::insert ? "inserted" : "at the end") : done.error().text.c_str());
    std::filesystem::remove(copy);
  }
  std::filesystem::remove(path);
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  std::printf("the end of a recording of twelve hours\n");
  finalise(argc > 1 ? argv[1] : "hull-bench-recording.mp4");
  std::printf("age of samples, chunks of 200 ms at 30 fps, live\n");
  ages("hullmp4mux chunk-duration=200 ms",
       "hullmp4mux chunk-duration=200000000 ! video/quicktime,variant=cmaf");
  ages("mp4mux fragment-duration=200", "mp4mux fragment-duration=200 streamable=true");
}
