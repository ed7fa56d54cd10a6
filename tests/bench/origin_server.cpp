// An origin with one track on air and no pipeline: bench_origin_server [CERTIFICATE]
// Prints its port. Chunks of 40 kB come every 0.2 s until its input ends.

#include "gst/origin/origin.h"

#include <cstdio>
#include <fmt/format.h>
#include <poll.h>

int main(int argc, char **argv) {
  using namespace hull;
  origin::OriginSettings settings;
  settings.port = 0;
  settings.limits.connections = 5000;
  if (argc > 1) settings.certificate = argv[1];
  const auto origin = origin::Origin::start(settings);
  if (!origin) return std::fprintf(stderr, "%s\n", origin.error().text.c_str()), 1;
  const auto live = std::make_shared<publish::Live>(publish::LiveConfig{});
  live->set_epoch(1'700'000'000'000'000'000);
  publish::Track track;
  track.id = "v1";
  live->add_track(track);
  track.codecs = "avc1.42c01e";
  track.timescale = 12800;
  track.frame_rate = {25, 1};
  const auto media = std::make_shared<const ByteVector>(40'000, std::uint8_t{1});
  live->set_init(0, track, media);
  std::int64_t made = 0;
  const auto go_on = [&] {
    const bool key = made % 10 == 0;
    if (!live->add_chunk(0, {media, made * 2560, 2560, 512, key, false, key})) std::abort();
    ++made;
    (*origin)->kick();
  };
  while (made < 30)
    go_on();
  (*origin)->publish(live);
  fmt::print("{}\n", (*origin)->port());
  std::fflush(stdout);
  pollfd input{0, POLLIN, 0};
  while (poll(&input, 1, 200) == 0)
    go_on();
  return 0;
}
