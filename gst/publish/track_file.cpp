#include "gst/core/time.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/publish/media_facts.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace hull::publish {
namespace {

using namespace isobmff;

/// Audio without styp or sidx could be cut at every fragment; players want pieces of about this many seconds.
constexpr double kLeastSegment = 1.0;

/// Collects a file's segments box by box.
class Scan {
 public:
  explicit Scan(Track &track) : track_(track) {}

  bool visit(Node &box) {
    const FourCC type = box.type();
    if (type == FourCC("ftyp") || type == FourCC("moov")) {
      if (type == FourCC("moov")) movie(box);
      track_.init = {0, box.offset + box.size};
    } else if (type == FourCC("sidx")) {
      if (!index_) index(box);
    } else if (type == FourCC("styp")) {
      if (movie_) begin(box.offset);
    } else if (type == FourCC("moof")) {
      fragment(box);
    }
    const bool belongs = type == FourCC("moof") || type == FourCC("mdat") || type == FourCC("prft") ||
                         type == FourCC("emsg") || type == FourCC("styp");
    if (belongs && !track_.segments.empty())
      track_.segments.back().range.size = box.offset + box.size - track_.segments.back().range.offset;
    else if (belongs && !pending_offset_)
      pending_offset_ = box.offset;
    return !error_;
  }

  Result<void> finish() {
    if (error_) return tl::unexpected(*error_);
    if (!movie_) return fail(ErrorCode::bad_data, "There is no moov, so nothing says what the file holds.");
    std::erase_if(track_.segments, [](const Segment &segment) { return segment.duration <= 0; });
    if (index_) apply_index();
    if (track_.segments.empty()) return fail(ErrorCode::bad_data, "There are no fragments after the moov.");
    if (track_.kind == Kind::video && samples_ && ticks_ > 0) frame_rate();
    return {};
  }

 private:
  void movie(const Node &moov) {
    auto facts = read_movie(moov);
    if (!facts) {
      error_ = facts.error();
      return;
    }
    track_.kind = facts->track.kind;
    const Track kept = track_;
    track_ = facts->track;
    track_.path = kept.path;
    track_.uri = kept.uri;
    defaults_ = facts->defaults;
    movie_ = true;
  }

  void index(const Node &box) {
    if (const auto *sidx = box.as<SegmentIndex>(); sidx && sidx->timescale && !sidx->references.empty()) {
      index_ = *sidx;
      track_.index = {box.offset, box.size};
    }
  }

  void begin(std::uint64_t offset) {
    if (!track_.segments.empty() && track_.segments.back().duration == 0)
      return; // styp, then prft: one beginning
    styp_ = true;
    track_.segments.push_back({});
    track_.segments.back().range.offset = offset;
  }

  void fragment(const Node &moof) {
    if (!movie_) return;
    auto facts = read_fragment(moof, defaults_);
    if (!facts) {
      error_ = facts.error();
      return;
    }
    if (facts->samples == 0) return;
    const auto half = facts->duration / 2;
    const bool long_enough =
        track_.segments.empty() ||
        static_cast<double>(track_.segments.back().duration + half) / track_.timescale >= kLeastSegment ||
        track_.kind == Kind::video;
    if (track_.segments.empty() || (!styp_ && facts->starts_with_sync && long_enough)) {
      track_.segments.push_back({});
      track_.segments.back().range.offset = pending_offset_.value_or(moof.offset);
    }
    pending_offset_.reset();
    Segment &segment = track_.segments.back();
    if (segment.duration == 0) {
      segment.start = facts->first_presentation;
      segment.starts_with_sap = facts->starts_with_sync;
    }
    segment.duration += facts->duration;
    samples_ += facts->samples;
    ticks_ += facts->duration;
    constant_ = constant_ && facts->constant_duration && (!frame_ || frame_ == facts->first_sample_duration);
    frame_ = facts->first_sample_duration;
  }

  // The sidx is what players go by, so it also says what the segments are: its references after its anchor
  // point.
  void apply_index() {
    std::uint64_t offset = track_.index.offset + track_.index.size + index_->first_offset;
    Int128 time = index_->earliest_presentation_time;
    std::vector<Segment> indexed;
    for (const SegmentIndex::Reference &reference : index_->references) {
      if (reference.reference_type) {
        track_.index = {}; // an index of indexes: the fragments themselves were counted
        return;
      }
      Segment segment;
      segment.range = {offset, reference.referenced_size};
      segment.start = rescale128(time);
      time += reference.subsegment_duration;
      segment.duration = rescale128(time) - segment.start;
      segment.starts_with_sap = reference.starts_with_sap;
      offset += reference.referenced_size;
      indexed.push_back(std::move(segment));
    }
    track_.segments = std::move(indexed);
  }

  std::int64_t rescale128(Int128 time) const {
    return static_cast<std::int64_t>(time * track_.timescale / index_->timescale);
  }

  void frame_rate() {
    if (constant_ && frame_) {
      const std::uint32_t divisor = std::gcd(track_.timescale, frame_);
      track_.frame_rate = {track_.timescale / divisor, frame_ / divisor};
    } else {
      const auto milli = static_cast<std::uint32_t>(1000.0 * static_cast<double>(samples_) *
                                                    track_.timescale / static_cast<double>(ticks_));
      track_.frame_rate = {milli, 1000};
    }
  }

  Track &track_;
  SampleDefaults defaults_;
  std::optional<SegmentIndex> index_;
  std::optional<std::uint64_t> pending_offset_;
  std::optional<Error> error_;
  std::uint64_t samples_ = 0;
  std::int64_t ticks_ = 0;
  std::uint32_t frame_ = 0;
  bool constant_ = true;
  bool movie_ = false;
  bool styp_ = false;
};

} // namespace

Result<Track> read_track(const std::string &path) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  Track track;
  track.path = path;
  track.uri = path.substr(path.find_last_of('/') + 1);
  Scan scan(track);
  auto rest = for_each_box(*source, [&scan](Node &box) { return scan.visit(box); });
  auto done = rest ? scan.finish() : tl::unexpected(rest.error());
  const std::uint64_t end =
      track.segments.empty() ? 0 : track.segments.back().range.offset + track.segments.back().range.size;
  if (done && (*rest != source->size() || end > source->size()))
    done = fail(ErrorCode::bad_data,
                "The file was cut off at byte " + std::to_string(source->size()) +
                    ", inside a box; write or recover it again.",
                *rest);
  if (!done) {
    done.error().text = path + ": " + done.error().text;
    return tl::unexpected(done.error());
  }
  measure_bandwidth(track);
  return track;
}

} // namespace hull::publish
