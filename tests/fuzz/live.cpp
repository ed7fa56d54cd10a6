// Any bytes, taken as what happens to a live window: chunks early, late and of any length, holes, new headers, ends, and
// what players ask meanwhile. Or as a playlist and an MPD of somebody else for the linter. What must hold: each question
// has one of the answers that the specification knows, and what is listed is there.

#include "gst/publish/live/live.h"

#include "gst/publish/lint/lint.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

using namespace hull;
using namespace hull::publish;

void require(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz live: %s\n", what);
  std::abort();
}

void lint_text(std::string_view text) {
  Findings found;
  lint_playlist(text, "a", found);
  lint_reload(text.substr(0, text.size() / 2), text, "a", found);
  lint_presentation(text, {{"b", std::string(text)}}, "a", found);
  lint_mpd(text, "a", found);
  for (const Finding &finding : found.all())
    require(!to_text(finding).empty(), "a finding has words");
}

class Air {
 public:
  Air() : live_(config()) {
    live_.set_epoch(1'700'000'000'000'000'000);
    for (const Kind kind : {Kind::video, Kind::audio}) {
      Track &track = tracks_[kind == Kind::audio];
      track.id = kind == Kind::video ? "v1" : "a1";
      track.kind = kind;
      live_.add_track(track);
      track.timescale = kind == Kind::video ? 12800 : 48000;
      track.codecs = kind == Kind::video ? "avc1.42c01e" : "mp4a.40.2";
      if (kind == Kind::video) track.frame_rate = {25, 1};
      begin(kind == Kind::audio);
    }
  }

  /// Four bytes say what happens next.
  void take(Bytes what) {
    const std::size_t track = what[0] >> 4 & 1;
    switch (what[0] & 7) {
    case 0:
    case 1:
    case 2:
    case 3:
      return chunk(track, what);
    case 4:
      return begin(track);
    case 5:
      return ask(track, what);
    case 6:
      return look();
    default:
      if (what[1] > 200) live_.end_track(track);
    }
  }

  void look() const {
    for (const PlaylistReply &reply :
         {live_.multivariant(), live_.mpd(live_.now()), live_.plain_mpd(live_.now())})
      require(reply.status == 0 || reply.status == 200 || reply.status == 404,
              "a manifest is there, or not yet");
    Findings found;
    for (const Track &track : live_.tracks()) {
      const PlaylistReply full = live_.playlist(track.id, {}),
                          part = live_.playlist(track.id, {{}, {}, true});
      if (full.status != 200) continue;
      require(full.text.starts_with("#EXTM3U"), "a playlist says what it is");
      require(part.status == 200, "where there is a playlist there is its delta");
      lint_playlist(full.text, track.id, found);
      lint_delta(full.text, part.text, track.id, found);
    }
  }

 private:
  static LiveConfig config() {
    LiveConfig config;
    config.segment_duration = 1'000'000'000;
    config.dvr_window = 4'000'000'000;
    config.clock = [] { return 1'700'000'010'000'000'000; };
    return config;
  }

  void begin(std::size_t track) {
    live_.set_init(track, tracks_[track],
                   std::make_shared<const ByteVector>(4 + inits_++ % 3, std::uint8_t{1}));
  }

  void chunk(std::size_t track, Bytes what) {
    const std::int64_t unit = tracks_[track].timescale / 25;
    ChunkInfo chunk;
    chunk.bytes = std::make_shared<const ByteVector>(8, what[0]);
    chunk.start = next_[track] + (what[2] & 0x80 ? (std::int64_t{what[2]} - 192) * unit * 8 : what[2] & 1);
    chunk.duration = (what[1] & 0x1f) * unit + (what[1] >> 6);
    chunk.sample_duration = unit;
    chunk.starts_segment = what[3] & 1;
    chunk.ends_segment = what[3] & 2;
    chunk.independent = what[3] & 4;
    if (live_.add_chunk(track, chunk)) next_[track] = chunk.start + chunk.duration;
  }

  void ask(std::size_t track, Bytes what) const {
    PlaylistQuery query;
    if (what[1] < 250) query.msn = what[1];
    if (what[1] == 249) query.msn = ~std::uint64_t{0};
    if (what[2] < 100) query.part = what[2];
    if (what[2] == 99) query.part = ~std::uint64_t{0};
    query.skip = what[3] & 1;
    const PlaylistReply reply = live_.playlist(track ? "a1" : "v1", query);
    require(reply.status == 0 || reply.status == 200 || reply.status == 400 || reply.status == 404,
            "an answer that players know");
    const std::string name = std::string(track ? "a1/" : "v1/") + std::to_string(what[1]) + ".m4s";
    const ObjectView object = live_.object(name, what[3] >> 4);
    if (object.found == Found::ready && what[3] >> 4 == 0)
      require(!object.chunks.empty(), "what is ready has bytes");
  }

  Live live_;
  Track tracks_[2];
  std::int64_t next_[2] = {0, 0};
  std::size_t inits_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] & 0x80) {
    lint_text({reinterpret_cast<const char *>(data) + 1, size - 1});
    return 0;
  }
  Air air;
  for (const std::uint8_t *at = data + 1; at + 4 <= data + size && at < data + 1000; at += 4)
    air.take(Bytes(at, 4));
  air.look();
  return 0;
}
