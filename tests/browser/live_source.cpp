// A live source for the browser tests: pictures that carry the time they were made, into hullcmafsink.
//   hull-live-source SECONDS [AUDIO=0|1] [hole=MS/EVERY] [SINK PROPERTIES …]
// With hole= the pictures of MS milliseconds are missing, once every EVERY milliseconds.
// Prints "url http://…" when the origin listens. The upper ninth of the picture is two rows of 32 cells,
// white = 1: 8 bits 0xAC, 40 bits of milliseconds since 1970, 16 bits of CRC-16/CCITT over the five bytes of
// time.

#include "gst/glue/ref.h"
#include "tests/support/numbers.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

namespace {

using namespace hull;

constexpr int kWidth = 640, kHeight = 360, kRate = 25;
constexpr int kCells = 32, kRowHeight = kHeight / 9 / 2;

std::uint64_t stamp_bits() {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  std::uint16_t crc = 0xffff;
  for (int byte = 4; byte >= 0; --byte) {
    crc ^= static_cast<std::uint16_t>((now >> (8 * byte) & 0xff) << 8);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
  }
  return std::uint64_t{0xac} << 56 | (static_cast<std::uint64_t>(now) & 0xff'ffff'ffff) << 16 | crc;
}

/// Fills an I420 picture: a gradient that moves, and the stamp.
void draw(std::vector<std::uint8_t> &picture, int frame) {
  for (int y = kHeight / 9; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      picture[static_cast<std::size_t>(y * kWidth + x)] =
          static_cast<std::uint8_t>(40 + ((x + y + frame * 2) & 127));
  const std::uint64_t bits = stamp_bits();
  for (int y = 0; y < 2 * kRowHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const int cell = y / kRowHeight * kCells + x / (kWidth / kCells);
      picture[static_cast<std::size_t>(y * kWidth + x)] = bits >> (63 - cell) & 1 ? 235 : 16;
    }
}

/// Pictures that never come, as of a camera whose cable is loose.
struct Hole {
  int length = 0, every = 0; // ms
  bool swallows(int frame) const {
    const int time = frame * 1000 / kRate;
    // At another place of its segment each time.
    return every && time >= every && (time + time / every * 440) % every < length;
  }
};

Hole parse_hole(const std::string &text) {
  const std::vector<double> numbers = numbers_in(text);
  if (numbers.size() != 2) return {};
  return {static_cast<int>(numbers[0]), static_cast<int>(numbers[1])};
}

/// One picture every 40 ms, stamped as it goes in. Its PTS is when it was due, as a camera's clock has it;
/// how late this thread woke up counts as latency.
void feed(GstAppSrc *source, int frames, const Hole &hole) {
  std::vector<std::uint8_t> picture(kWidth * kHeight * 3 / 2, 128);
  const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(GST_ELEMENT(source)));
  const GstClockTime first =
      clock ? gst_clock_get_time(clock.get()) - gst_element_get_base_time(GST_ELEMENT(source)) : 0;
  const auto start = std::chrono::steady_clock::now();
  for (int frame = 0; frame < frames; ++frame) {
    std::this_thread::sleep_until(start + std::chrono::milliseconds(1000 / kRate) * frame);
    if (hole.swallows(frame)) continue;
    draw(picture, frame);
    GstBuffer *buffer = gst_buffer_new_memdup(picture.data(), picture.size());
    GST_BUFFER_PTS(buffer) = first + static_cast<GstClockTime>(frame) * (GST_SECOND / kRate);
    GST_BUFFER_DURATION(buffer) = GST_SECOND / kRate;
    if (gst_app_src_push_buffer(source, buffer) != GST_FLOW_OK) return;
  }
  gst_app_src_end_of_stream(source);
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc < 2)
    return std::fprintf(stderr, "usage: hull-live-source SECONDS [AUDIO] [PROPERTY=VALUE …]\n"), 2;
  const int seconds = std::atoi(argv[1]);
  const bool audio = argc > 2 && argv[2][0] == '1';
  std::string properties;
  Hole hole;
  for (int i = 3; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("hole="))
      hole = parse_hole(argument);
    else
      properties += " " + argument;
  }
  const std::string text =
      "appsrc name=in is-live=true format=time caps=video/x-raw,format=I420,width=640,height=360,"
      "framerate=25/1,interlace-mode=progressive ! hullh264enc bitrate=1500 key-int-max=1000 ! hullcmafsink "
      "name=sink port=0" +
      properties +
      (audio ? " audiotestsrc is-live=true samplesperbuffer=1024 volume=0.1 ! "
               "audio/x-raw,rate=48000,channels=1 "
               "! avenc_aac bitrate=96000 ! sink."
             : "");
  GError *error = nullptr;
  const auto pipeline = ElementRef::retain(gst_parse_launch(text.c_str(), &error));
  if (error) return std::fprintf(stderr, "%s\n", error->message), 77;
  const auto source = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  char *url = nullptr;
  g_object_get(sink.get(), "url", &url, nullptr);
  std::printf("url %s\n", OwnedText(url).c_str());
  std::fflush(stdout);
  std::thread feeder([&] { feed(GST_APP_SRC(source.get()), seconds * kRate, hole); });
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto message = MessageRef::adopt(
      gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE,
                                 static_cast<GstMessageType>(int(GST_MESSAGE_EOS) | int(GST_MESSAGE_ERROR))));
  const bool failed = GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR;
  if (failed) {
    gst_message_parse_error(message.get(), &error, nullptr);
    std::fprintf(stderr, "%s\n", error->message);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  feeder.join();
  return failed ? 1 : 0;
}
