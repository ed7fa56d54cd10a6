#include "gst/isobmff/file/progressive.h"

#include "gst/isobmff/file/gapless.h"
#include "gst/isobmff/formats/brands.h"
#include "gst/mux/output.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace hull::mux {

using namespace isobmff;

namespace {

/// ftyp, an mdat that grows, and moov at the end; then the mdat's size is written where it stands. Until then
/// the mdat says "to the end of the file". Moving moov to the front is the sink's affair.
class ProgressiveOutput final : public Output {
 public:
  ProgressiveOutput(OutputHost &host, const MuxSettings &settings, Variant variant)
      : host_(host), settings_(settings), variant_(variant) {}

  bool start(const std::vector<Track *> &tracks) override;
  bool add_track(Track &track) override {
    track.index = tracks_.size();
    tracks_.emplace_back().track = &track;
    return true;
  }
  bool add(Track &track, MuxSample sample) override;
  bool format_changed(Track &track) override { return flush(tracks_[track.index]); }
  bool finish() override;

 private:
  struct Written {
    Track *track = nullptr;
    SampleTable table;
    std::vector<Piece> waiting;   // the open chunk
    std::int64_t chunk_start = 0; // nanoseconds
    std::uint64_t bytes = 0;
    std::uint32_t format_index = 1;
    std::int64_t last_decode = 0;
    bool any = false;
    std::int64_t presentation() const; // of the first sample, nanoseconds
  };
  bool flush(Written &written);
  bool push_bytes(ByteVector bytes);
  void set_brands(const std::vector<Track *> &tracks);
  bool refuse(const Error &error) {
    host_.report(error);
    return false;
  }
  bool write_front();
  bool write_movie(Node &moov);
  bool write_mdat_size(std::uint64_t end);
  std::optional<ProgressiveTrack> labels(std::int64_t start);
  std::vector<ProgressiveTrack> finished_tracks(std::int64_t start);
  std::int64_t movie_start() const;
  std::optional<ChapterTrack> chapters(std::int64_t start);

  OutputHost &host_;
  MuxSettings settings_;
  Variant variant_;
  InitOptions options_;
  std::vector<Written> tracks_;
  std::vector<Piece> ready_; // chunks on their way out
  std::uint64_t ready_bytes_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t room_at_ = 0, room_ = 0; // kept for the movie box, with the header of a free box
  std::uint64_t mdat_ = 0;               // of the 16 bytes before the media
  SampleTable labels_;                   // of the timecode track
  Chapters chapters_;                    // of the finished movie
};

constexpr std::uint64_t kPushBytes = 256 << 10;
constexpr std::size_t kPushSamples = 64; // small ones are freed while the processor's caches still hold them
constexpr std::uint64_t kLargestChunk = 1 << 20;

std::int64_t ProgressiveOutput::Written::presentation() const {
  return track->in_nanoseconds(std::max<std::int64_t>(track->timeline->first_presentation(), 0));
}

void ProgressiveOutput::set_brands(const std::vector<Track *> &tracks) {
  if (variant_ == Variant::apple) {
    options_.major_brand = "qt  ";
    options_.minor_version = 0x20050300; // of the format's edition, as its description asks for
    options_.compatible_brands = {"qt  "};
    return;
  }
  options_.major_brand = "isom";
  options_.minor_version = 0x200;
  options_.compatible_brands = {"isom", "iso2", "mp41"};
  const auto is_avc = [](const Track *track) {
    return track->config.formats.front().entry == FourCC("avc1");
  };
  if (std::ranges::any_of(tracks, is_avc)) options_.compatible_brands.push_back("avc1");
}

bool ProgressiveOutput::start(const std::vector<Track *> &tracks) {
  tracks_.resize(tracks.size());
  for (std::size_t i = 0; i < tracks.size(); ++i)
    tracks_[i].track = tracks[i];
  set_brands(tracks);
  if (auto ok = add_brands(options_.compatible_brands, settings_.extra_brands); !ok)
    return refuse(ok.error());
  room_ = host_.movie_room();
  host_.set_header(variant_, {});
  return write_front();
}

// ftyp, the room for the movie box, and an mdat to the end of the file that begins with the first label.
bool ProgressiveOutput::write_front() {
  Node ftyp = file_type_box(options_);
  auto bytes = write_tree(ftyp);
  if (!bytes) return refuse(bytes.error());
  room_at_ = bytes->size();
  mdat_ = room_at_ + room_;
  if (room_ > 0) { // a file system leaves the skipped bytes out, or gives zeros
    append_box_header(*bytes, "free", room_ - 8);
    if (!push_bytes(std::exchange(*bytes, {}))) return false;
    offset_ = mdat_;
    host_.seek(mdat_);
  }
  append_box_header(*bytes, "free", 0);
  append_be(*bytes, 4, 0);
  append_be(*bytes, 4, FourCC("mdat").value);
  if (const TimecodeTrack *timecode = host_.timecode())
    for (const Written &written : tracks_) {
      const Track &track = *written.track;
      if (!track.config.chapter_or_timecode) continue;
      const auto number = host_.payloads().frame_number(track.head->payload);
      append(*bytes,
             timecode_sample(number.value_or(timecode->frame_number(track, track.head->sample.decode_time))));
      labels_.add({0, 1, 0, 4, true, false});
      labels_.end_chunk(mdat_ + 16, 1);
    }
  return push_bytes(std::move(*bytes));
}

bool ProgressiveOutput::push_bytes(ByteVector bytes) {
  offset_ += bytes.size();
  std::vector<Piece> pieces(1);
  pieces[0].bytes = std::move(bytes);
  return host_.push(std::move(pieces));
}

bool ProgressiveOutput::add(Track &track, MuxSample sample) {
  Written &written = tracks_[track.index];
  if (written.any)
    written.table.set_last_duration(
        static_cast<std::uint32_t>(sample.sample.decode_time - written.last_decode));
  const std::int64_t now = track.in_nanoseconds(sample.sample.decode_time);
  const bool long_enough = now - written.chunk_start >= static_cast<std::int64_t>(settings_.interleave_time);
  const bool too_large = written.bytes + sample.sample.size > kLargestChunk;
  if (!written.waiting.empty() && (long_enough || too_large) && !flush(written)) return false;
  if (written.waiting.empty()) {
    written.chunk_start = now;
    written.format_index = track.format_index;
  }
  written.any = true;
  written.last_decode = sample.sample.decode_time;
  written.bytes += sample.sample.size;
  written.table.add(sample.sample);
  Piece &piece = written.waiting.emplace_back();
  piece.bytes = std::move(sample.bytes);
  piece.payload = std::move(sample.payload);
  piece.track = track.index;
  piece.sync = sample.sample.sync;
  return true;
}

bool ProgressiveOutput::flush(Written &written) {
  if (written.waiting.empty()) return true;
  written.table.end_chunk(offset_, written.format_index);
  written.waiting.back().ends_chunk = true;
  ready_.reserve(std::max(kPushSamples, ready_.size()) + written.waiting.size());
  std::ranges::move(written.waiting, std::back_inserter(ready_));
  written.waiting.clear();
  offset_ += written.bytes;
  ready_bytes_ += written.bytes;
  written.bytes = 0;
  if (ready_bytes_ < kPushBytes && ready_.size() < kPushSamples) return true;
  ready_bytes_ = 0;
  return host_.push(std::exchange(ready_, {}));
}

// The timecode track: one label that lasts as long as the pictures.
std::optional<ProgressiveTrack> ProgressiveOutput::labels(std::int64_t start) {
  const TimecodeTrack *timecode = host_.timecode();
  if (!timecode || labels_.samples() == 0) return std::nullopt;
  ProgressiveTrack made{timecode->config, &labels_, 0};
  for (const Written &written : tracks_) {
    if (!written.track->config.chapter_or_timecode) continue;
    const auto length = timecode->ticks(*written.track, static_cast<std::int64_t>(written.table.duration()));
    labels_.set_last_duration(static_cast<std::uint32_t>(std::clamp<std::int64_t>(length, 1, 0xffffffff)));
    made.config.delay = written.presentation() - start;
  }
  return made;
}

// Into the room that was kept, or behind the media.
bool ProgressiveOutput::write_movie(Node &moov) {
  const auto size = tree_size(moov);
  if (!size) return refuse(size.error());
  const bool fits = room_ > 0 && (*size == room_ || *size + 8 <= room_);
  if (room_ > 0 && !fits)
    host_.caution({ErrorCode::no_space, "The movie box takes " + std::to_string(*size) + " bytes, but " +
                                            std::to_string(room_) +
                                            " were kept: it goes behind the media. Set "
                                            "reserved-max-duration to more."});
  if (fits) host_.seek(room_at_);
  host_.log().line(LogLevel::debug, [&] {
    return fmt::format("movie box of {} bytes goes {} the media", *size, fits ? "in front of" : "behind");
  });
  bool taken = true;
  const auto written = stream_tree(moov, [&](Bytes piece) -> Result<void> {
    taken = push_bytes(ByteVector(piece.begin(), piece.end()));
    if (!taken) return fail(ErrorCode::io, "What follows the muxer refused the movie box.");
    return {};
  });
  if (!taken) return false;
  if (!written) return refuse(written.error());
  if (!fits || *size == room_) return true;
  ByteVector rest;
  append_box_header(rest, "free", room_ - *size - 8);
  return push_bytes(std::move(rest));
}

// Of sound without compression, where all formats of the track have frames of one size.
static std::uint32_t frame_bytes_of(const TrackConfig &config) {
  const std::uint32_t bytes = config.formats.front().frame_bytes;
  const auto alike = [bytes](const SampleFormat &format) { return format.frame_bytes == bytes; };
  return std::ranges::all_of(config.formats, alike) ? bytes : 0;
}

// The earliest presentation, in nanoseconds.
std::int64_t ProgressiveOutput::movie_start() const {
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  for (const Written &written : tracks_)
    start = std::min(start, written.presentation());
  return start;
}

// The track of chapters, nullopt where there are none. Their titles go behind the media.
std::optional<ChapterTrack> ProgressiveOutput::chapters(std::int64_t start) {
  Chapters list = chapters_from(host_.chapters(), start);
  std::int64_t end = 0;
  std::uint32_t last_id = host_.timecode() ? host_.timecode()->config.id : 0;
  for (const Written &written : tracks_) {
    const auto length = static_cast<std::int64_t>(written.table.duration());
    end = std::max(end, written.presentation() - start + written.track->in_nanoseconds(length));
    last_id = std::max(last_id, written.track->config.id);
  }
  std::erase_if(list, [end](const Chapter &chapter) { return chapter.start >= end; });
  if (list.empty()) return std::nullopt;
  chapters_ = std::move(list);
  return chapter_track(chapters_, end, last_id + 1, offset_);
}

std::vector<ProgressiveTrack> ProgressiveOutput::finished_tracks(std::int64_t start) {
  std::vector<ProgressiveTrack> made;
  for (Written &written : tracks_) {
    written.table.set_frame_bytes(frame_bytes_of(written.track->config));
    ProgressiveTrack track{written.track->config, &written.table, -written.table.least_composition_offset()};
    track.config.delay = written.presentation() - start;
    made.push_back(std::move(track));
  }
  if (auto track = labels(start)) made.push_back(std::move(*track));
  return made;
}

bool ProgressiveOutput::write_mdat_size(std::uint64_t end) {
  ByteVector header;
  const std::uint64_t media = end - mdat_ - 16;
  if (media + 8 > 0xffffffffu) {
    append_box_header(header, "mdat", media, true);
  } else {
    append_box_header(header, "free", 0);
    append_box_header(header, "mdat", media);
  }
  host_.seek(mdat_);
  return push_bytes(std::move(header));
}

bool ProgressiveOutput::finish() {
  for (Written &written : tracks_)
    if (!flush(written)) return false;
  if (!ready_.empty() && !host_.push(std::exchange(ready_, {}))) return false;
  std::erase_if(tracks_, [](const Written &written) { return !written.any; }); // nothing came after all
  const std::int64_t start = movie_start();
  std::optional<ChapterTrack> chapter_track = chapters(start);
  if (chapter_track && !push_bytes(std::move(chapter_track->texts))) return false;
  const std::uint64_t end = offset_;
  std::vector<ProgressiveTrack> tracks = finished_tracks(start);
  if (chapter_track) {
    chapter_track->config.quicktime = variant_ == Variant::apple;
    tracks.push_back({chapter_track->config, &chapter_track->table, 0});
  }
  Node moov = progressive_movie_box(tracks, options_, 0);
  host_.complete_movie(moov, variant_);
  if (chapter_track) {
    refer_to_chapters(moov, chapter_track->config.id);
    if (variant_ == Variant::iso) set_chapter_list(moov, chapters_);
  }
  if (variant_ == Variant::iso && tracks_.size() == 1)
    add_itunes_gapless(moov, tracks_.front().table, tracks_.front().track->config.priming);
  return write_movie(moov) && write_mdat_size(end);
}

} // namespace

std::unique_ptr<Output> make_progressive_output(OutputHost &host, const MuxSettings &settings,
                                                Variant variant) {
  return std::make_unique<ProgressiveOutput>(host, settings, variant);
}

} // namespace hull::mux
