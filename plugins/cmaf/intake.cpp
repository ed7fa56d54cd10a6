#include "plugins/cmaf/intake.h"

#include "gst/core/time.h"
#include "gst/glue/map.h"
#include "gst/isobmff/file/segment.h"

#include <algorithm>

namespace hull::cmaf {
namespace {

using namespace isobmff;

constexpr std::size_t kLargestChunk = 256u << 20;

} // namespace

void Intake::describe(publish::FrameRate frame_rate, std::string language) {
  frame_rate_ = frame_rate;
  if (!language.empty()) language_ = std::move(language);
}

Result<void> Intake::push(GstBuffer *buffer) {
  const MappedBuffer map(buffer, GST_MAP_READ);
  if (!map) return fail(ErrorCode::io, "A buffer from the muxer cannot be read.");
  const GstBufferFlags flags = static_cast<GstBufferFlags>(GST_BUFFER_FLAGS(buffer));
  const Bytes bytes = map.bytes();
  const bool header = flags & GST_BUFFER_FLAG_HEADER;
  if (header && bytes.size() >= 8 && load_be(bytes.data() + 4, 4) == FourCC("ftyp").value) {
    open_ = false;
    return take_init(bytes);
  }
  if (header) {
    chunk_.clear();
    open_ = true;
    starts_segment_ = !(flags & GST_BUFFER_FLAG_DELTA_UNIT);
  }
  if (!open_) return {}; // what follows a chunk that was refused
  if (chunk_.size() + bytes.size() > kLargestChunk) {
    open_ = false;
    return fail(ErrorCode::bad_data, "A chunk is larger than 256 MiB; set a shorter chunk-duration.");
  }
  append(chunk_, bytes);
  if (!(flags & GST_BUFFER_FLAG_MARKER)) return {};
  open_ = false;
  return finish_chunk();
}

Result<void> Intake::take_init(Bytes bytes) {
  auto facts = publish::read_init(bytes);
  if (!facts) return tl::unexpected(facts.error());
  defaults_ = facts->defaults;
  track_id_ = facts->track.track_id;
  timescale_ = facts->track.timescale;
  publish::Track track = facts->track;
  track.frame_rate = frame_rate_;
  if (!language_.empty()) track.language = language_;
  live_.set_init(track_, std::move(track), std::make_shared<const ByteVector>(bytes.begin(), bytes.end()));
  return {};
}

Result<void> Intake::finish_chunk() {
  auto boxes = parse_boxes(chunk_);
  if (!boxes) return tl::unexpected(boxes.error());
  const Node *moof = nullptr;
  for (const Node &box : *boxes)
    if (!moof && box.type() == FourCC("moof")) moof = &box;
  if (!moof) return fail(ErrorCode::bad_data, "A chunk has no moof.");
  const auto facts = publish::read_fragment(*moof, defaults_);
  if (!facts) return tl::unexpected(facts.error());
  if (facts->samples == 0) return {};
  publish::ChunkInfo info;
  info.start = facts->decode_time;
  info.duration = facts->duration;
  info.sample_duration = facts->last_sample_duration;
  info.starts_segment = starts_segment_;
  info.independent = facts->has_sync;
  // ING-07: a prft in every segment; CMF-13: behind its styp.
  ByteVector bytes;
  std::size_t front = 0;
  const bool stamped =
      std::any_of(boxes->begin(), boxes->end(), [](const Node &box) { return box.type() == FourCC("prft"); });
  if (starts_segment_ && !stamped) {
    if (load_be(chunk_.data() + 4, 4) == FourCC("styp").value)
      front = static_cast<std::size_t>(load_be(chunk_.data(), 4));
    bytes.assign(chunk_.begin(), chunk_.begin() + static_cast<std::ptrdiff_t>(front));
    const std::int64_t utc = live_.epoch() + rescale(facts->first_presentation, kNanoseconds, timescale_);
    const auto prft = write_tree(producer_reference_time_box(
        track_id_, ntp_of_unix(utc), static_cast<std::uint64_t>(facts->first_presentation),
        ClockMoment::encoder_input));
    if (!prft) return tl::unexpected(prft.error());
    append(bytes, *prft);
  }
  append(bytes, Bytes(chunk_).subspan(front));
  info.bytes = std::make_shared<const ByteVector>(std::move(bytes));
  return live_.add_chunk(track_, std::move(info));
}

} // namespace hull::cmaf
