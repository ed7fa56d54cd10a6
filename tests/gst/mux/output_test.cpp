// The muxer without a pipeline: samples with payloads that nobody looks into go in, pieces come out; ffprobe
// says where each sample lies in the file, and its bytes are looked up there.

#include "gst/core/number.h"
#include "gst/mux/output.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <ostream>
#include <sstream>
#include <unistd.h>

namespace hull::mux {
namespace {

using isobmff::FourCC;
using isobmff::Media;
using isobmff::Opaque;

constexpr std::int64_t kMillisecond = 1'000'000;

std::string output_of(const std::string &command) {
  std::string text;
  FILE *pipe = popen((command + " 2>/dev/null").c_str(), "r");
  std::array<char, 4096> part{};
  while (const std::size_t got = fread(part.data(), 1, part.size(), pipe))
    text.append(part.data(), got);
  pclose(pipe);
  return text;
}

// Payloads are vectors here, and know nothing.
class VectorPayloads final : public PayloadKeeper {
 public:
  Result<void> edit(Payload &payload,
                    const std::function<Result<void>(std::span<std::uint8_t>)> &change) const override {
    return change(*static_cast<ByteVector *>(payload.get()));
  }
  std::optional<std::uint64_t> capture_time(const Payload &) const override { return std::nullopt; }
  std::optional<std::uint32_t> frame_number(const Payload &) const override { return std::nullopt; }
};

int alive = 0; // payloads that have not been let go

Payload payload_of(ByteVector bytes) {
  ++alive;
  return {new ByteVector(std::move(bytes)), [](void *kept) {
            --alive;
            delete static_cast<ByteVector *>(kept);
          }};
}

struct Fact {
  Piece::Kind kind;
  std::optional<PieceTime> time;
  std::size_t track;
  bool sync, ends_chunk, ends_segment;
};

class FileHost final : public OutputHost {
 public:
  bool push(std::vector<Piece> pieces) override {
    if (refuses) return false;
    for (Piece &piece : pieces) {
      const ByteVector &bytes = piece.payload ? *static_cast<ByteVector *>(piece.payload.get()) : piece.bytes;
      file.resize(std::max(file.size(), at_ + bytes.size()));
      std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(at_));
      at_ += bytes.size();
      facts.push_back(
          {piece.kind, piece.time, piece.track, piece.sync, piece.ends_chunk, piece.ends_segment});
    }
    return true;
  }
  void seek(std::uint64_t offset) override { at_ = offset; }
  void set_header(Variant, Bytes) override {}
  void report(const Error &error) override { errors.push_back(error.text); }
  void caution(const Error &error) override { errors.push_back(error.text); }
  void complete_movie(isobmff::Node &, Variant) override {}
  const TimecodeTrack *timecode() const override { return nullptr; }
  std::uint64_t movie_room() override { return room; }
  std::vector<ByteVector> take_fragment_boxes() override { return {}; }
  void want_key_unit(Track &, std::int64_t time) override { key_units.push_back(time); }
  const PayloadKeeper &payloads() const override { return payloads_; }
  const LogSink &log() const override { return log_; }

  std::uint64_t room = 0;
  bool refuses = false;
  ByteVector file;
  std::vector<Fact> facts;
  std::vector<std::string> errors;
  std::vector<std::int64_t> key_units;

 private:
  std::uint64_t at_ = 0;
  VectorPayloads payloads_;
  LogSink log_;
};

// Record of a baseline stream of 64x64, whose sets no reader needs to know where packets lie.
const ByteVector kAvcc = {1,    0x42, 0xc0, 0x0a, 0xff, 0xe1, 0, 9, 0x67, 0x42, 0xc0, 0x0a,
                          0xda, 0x10, 0x94, 0x6c, 0x80, 1,    0, 4, 0x68, 0xce, 0x3c, 0x80};
const ByteVector kEsds = {0, 0, 0, 0, 3, 25, 0, 0, 0, 4, 17,   0x40, 0x15, 0, 0, 0,
                          0, 0, 0, 0, 0, 0,  0, 0, 5, 2, 0x11, 0x90, 6,    1, 2};

struct Source {
  Track track;
  std::vector<ByteVector> samples;
  std::vector<Stamp> stamps;
  std::vector<bool> sync;
  std::size_t next = 0;

  // Places the next sample, so that the outputs see it as what comes.
  void place() {
    if (track.head || next == samples.size()) return;
    const Placed placed = track.timeline->add(stamps[next]);
    MuxSample sample;
    sample.sample = {placed.decode_time,
                     placed.duration,
                     placed.composition_offset,
                     static_cast<std::uint32_t>(samples[next].size()),
                     sync[next],
                     false};
    sample.duration_known = placed.duration_known;
    sample.early = placed.early;
    sample.running_time = track.in_nanoseconds(placed.decode_time + placed.composition_offset);
    sample.payload = payload_of(samples[next]);
    track.head = std::move(sample);
    ++next;
  }
};

ByteVector pattern(std::size_t size, std::uint32_t seed) {
  ByteVector bytes(size);
  for (auto &byte : bytes)
    byte = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

void fill(Source &source, Media media, std::uint32_t id, FourCC entry, Opaque record,
          std::uint32_t timescale) {
  source.track.config.id = id;
  source.track.config.media = media;
  source.track.config.timescale = timescale;
  isobmff::SampleFormat &format = source.track.config.formats.emplace_back();
  format.entry = entry;
  format.codec_boxes.push_back(std::move(record));
}

// Six seconds of 25 pictures, a key picture each second, shown in another order than decoded: 0 3 1 2, 4 7 …
Source pictures() {
  Source source;
  fill(source, Media::video, 1, "avc1", Opaque("avcC", kAvcc), 12'800);
  source.track.config.formats[0].width = source.track.config.formats[0].height = 64;
  source.track.timeline.emplace(12'800, Pacing::reordered, 512);
  source.track.nominal_duration = 512;
  constexpr int kShown[] = {0, 3, 1, 2};
  for (int i = 0; i < 150; ++i) {
    source.samples.push_back(
        pattern(200 + static_cast<std::size_t>(i) * 37 % 400, static_cast<std::uint32_t>(i)));
    const std::int64_t shown = i / 4 * 4 + kShown[i % 4];
    source.stamps.push_back({(shown + 2) * 40 * kMillisecond, i * 40 * kMillisecond, 40 * kMillisecond});
    source.sync.push_back(i % 24 == 0);
  }
  return source;
}

Source sound(std::uint32_t id = 2) {
  Source source;
  fill(source, Media::audio, id, "mp4a", Opaque("esds", kEsds), 48'000);
  source.track.config.formats[0].sample_rate = 48'000;
  source.track.timeline.emplace(48'000, Pacing::contiguous, 1024);
  source.track.nominal_duration = 1024;
  for (int i = 0; i < 282; ++i) {
    source.samples.push_back(
        pattern(50 + static_cast<std::size_t>(i) * 13 % 90, 9000 + static_cast<std::uint32_t>(i)));
    const std::int64_t time = rescale(i * 1024, kNanoseconds, 48'000) + 80 * kMillisecond;
    source.stamps.push_back({time, time, rescale(1024, kNanoseconds, 48'000)});
    source.sync.push_back(true);
  }
  return source;
}

// As MuxRun does it: whichever sample is next in decode order.
bool write(Output &output, const std::vector<Source *> &sources) {
  std::vector<Track *> tracks;
  for (Source *source : sources) {
    source->track.index = tracks.size();
    source->place();
    tracks.push_back(&source->track);
  }
  if (!output.start(tracks)) return false;
  for (;;) {
    Source *next = nullptr;
    const auto time = [](const Source &source) {
      return source.track.in_nanoseconds(source.track.head->sample.decode_time);
    };
    for (Source *source : sources)
      if (source->track.head && (!next || time(*source) < time(*next))) next = source;
    if (!next) return output.finish();
    MuxSample sample = std::move(*next->track.head);
    next->track.head.reset();
    if (!output.add(next->track, std::move(sample))) return false;
    next->place();
  }
}

struct Packet {
  double pts = 0, dts = 0;
  std::size_t size = 0, position = 0;
};

std::map<int, std::vector<Packet>> packets_of(const ByteVector &file) {
  const auto path =
      std::filesystem::temp_directory_path() / ("hull-output-" + std::to_string(getpid()) + ".mp4");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(file.data()), static_cast<std::streamsize>(file.size()));
  std::istringstream text(output_of("ffprobe -v quiet -of csv=p=0 -show_entries "
                                    "packet=stream_index,pts_time,dts_time,size,pos '" +
                                    path.string() + "'"));
  std::filesystem::remove(path);
  std::map<int, std::vector<Packet>> packets;
  std::string line;
  while (std::getline(text, line)) {
    std::ranges::replace(line, ',', ' ');
    std::istringstream fields(line);
    int stream = 0;
    std::string pts, dts;
    Packet packet;
    fields >> stream >> pts >> dts >> packet.size >> packet.position;
    packet.pts = to_number<double>(pts).value_or(-1);
    packet.dts = to_number<double>(dts).value_or(-1);
    packets[stream].push_back(packet);
  }
  return packets;
}

// Every sample of `source` at its time and with its bytes; times count from the first one that is shown.
void expect_samples(const ByteVector &file, const std::vector<Packet> &packets, const Source &source) {
  ASSERT_EQ(packets.size(), source.samples.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const Packet &packet = packets[i];
    ASSERT_EQ(packet.size, source.samples[i].size()) << i;
    ASSERT_TRUE(std::equal(source.samples[i].begin(), source.samples[i].end(),
                           file.begin() + static_cast<std::ptrdiff_t>(packet.position)))
        << i;
    const double wanted = static_cast<double>(*source.stamps[i].pts - *source.stamps[0].pts) / 1e9;
    EXPECT_NEAR(packet.pts - packets[0].pts, wanted, 0.0002) << i;
  }
}

// How far neighbours in the file are from each other in time: what a reader has to hold, or to seek over.
double farthest_apart(const std::map<int, std::vector<Packet>> &packets) {
  std::vector<Packet> all;
  for (const auto &[stream, own] : packets)
    all.insert(all.end(), own.begin(), own.end());
  std::ranges::sort(all, {}, &Packet::position);
  double most = 0;
  for (std::size_t i = 1; i < all.size(); ++i)
    most = std::max(most, std::abs(all[i].dts - all[i - 1].dts));
  return most;
}

struct Shape {
  const char *name;
  Variant variant;
  std::uint64_t chunk_duration = 0, room = 0;
};
void PrintTo(const Shape &shape, std::ostream *out) {
  *out << shape.name;
}

class Outputs : public testing::TestWithParam<Shape> {
 protected:
  static std::unique_ptr<Output> make(FileHost &host, const MuxSettings &settings) {
    return is_whole(GetParam().variant) ? make_progressive_output(host, settings, GetParam().variant)
                                        : make_fragmented_output(host, settings, GetParam().variant);
  }
};

TEST_P(Outputs, EverySampleIsWhereTheTablesSay) {
  if (output_of("ffprobe -version").empty()) GTEST_SKIP() << "ffprobe is the second opinion";
  FileHost host;
  host.room = GetParam().room;
  MuxSettings settings;
  settings.chunk_duration = GetParam().chunk_duration;
  Source first = pictures(), second = sound();
  std::vector<Source *> sources = {&first};
  if (GetParam().variant != Variant::cmaf) sources.push_back(&second);
  {
    const auto output = make(host, settings);
    ASSERT_TRUE(write(*output, sources)) << testing::PrintToString(host.errors);
  }
  EXPECT_EQ(host.errors, std::vector<std::string>{});
  EXPECT_EQ(alive, 0);
  auto packets = packets_of(host.file);
  ASSERT_EQ(packets.size(), sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i)
    expect_samples(host.file, packets[static_cast<int>(i)], *sources[i]);
  if (sources.size() == 1) return;
  EXPECT_NEAR(packets[0][0].pts, packets[1][0].pts, 0.0002);
  EXPECT_LE(farthest_apart(packets), 0.55); // interleave-time, and a frame
}

// Whole files have no chunks.
class Fragments : public Outputs {};

// What leaves says when and what it is: times follow each other, fragments begin with sync samples, chunks end.
TEST_P(Fragments, PiecesSayWhatTheyAre) {
  FileHost host;
  MuxSettings settings;
  settings.chunk_duration = GetParam().chunk_duration;
  Source source = pictures();
  ASSERT_TRUE(write(*make(host, settings), {&source}));
  ASSERT_EQ(host.facts.front().kind, Piece::Kind::header);
  std::int64_t end = host.facts[1].time->decode;
  std::size_t fragments = 0, ends = 0, samples = 0;
  bool chunk_ended = true, segment_ended = true;
  for (std::size_t i = 1; i < host.facts.size(); ++i) {
    const Fact &fact = host.facts[i];
    if (fact.kind == Piece::Kind::chunk_header) {
      EXPECT_TRUE(chunk_ended);
      EXPECT_TRUE(fact.sync || !segment_ended);
      segment_ended = fact.ends_segment;
      EXPECT_NEAR(static_cast<double>(fact.time->decode), static_cast<double>(end), 1);
      end = fact.time->decode + *fact.time->duration;
      fragments += fact.sync;
      ends += fact.ends_segment;
    } else {
      ++samples;
      EXPECT_EQ(fact.kind, Piece::Kind::sample);
    }
    chunk_ended = fact.ends_chunk;
  }
  EXPECT_TRUE(chunk_ended);
  EXPECT_EQ(samples, source.samples.size());
  EXPECT_EQ(fragments, 3u); // at 0, 1.92 and 3.84 s: the key pictures nearest to each two seconds
  if (!settings.chunk_duration) {
    EXPECT_TRUE(segment_ended);
    EXPECT_EQ(ends, fragments); // else a full chunk leaves before it is known what follows
  }
  // A sample's duration is its own; together they are the chunk's.
  EXPECT_NEAR(static_cast<double>(end - host.facts[1].time->decode), 6e9, 1e6);
}

TEST_P(Outputs, AHostThatTakesNoMoreEndsTheOutput) {
  FileHost host;
  host.refuses = true;
  Source source = pictures();
  {
    const auto output = make(host, {});
    EXPECT_FALSE(write(*output, {&source}));
  }
  source.track.head.reset();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(host.errors, std::vector<std::string>{});
}

std::string name_of(const testing::TestParamInfo<Shape> &info) {
  return info.param.name;
}

constexpr Shape kWhole[] = {
    {"iso", Variant::iso}, {"iso_with_room", Variant::iso, 0, 20'000}, {"apple", Variant::apple}};
constexpr Shape kFragments[] = {{"fragments", Variant::iso_fragmented},
                                {"chunks", Variant::iso_fragmented, 200'000'000},
                                {"cmaf", Variant::cmaf},
                                {"cmaf_chunks", Variant::cmaf, 200'000'000}};

INSTANTIATE_TEST_SUITE_P(Whole, Outputs, testing::ValuesIn(kWhole), name_of);
INSTANTIATE_TEST_SUITE_P(InFragments, Outputs, testing::ValuesIn(kFragments), name_of);
INSTANTIATE_TEST_SUITE_P(Each, Fragments, testing::ValuesIn(kFragments), name_of);

} // namespace
} // namespace hull::mux
