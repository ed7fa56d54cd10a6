#include "gst/isobmff/file/progressive.h"
#include "plugins/mp4/mux_log.h"
#include "plugins/mp4/mux_output.h"

#include <algorithm>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

/// ftyp, an mdat that grows, and moov at the end; then the mdat's size is written where it stands. Until then
/// the mdat says "to the end of the file". Moving moov to the front is the sink's affair.
class ProgressiveOutput final : public MuxOutput {
 public:
  ProgressiveOutput(MuxHost &host, const MuxSettings &settings, Variant variant)
      : host_(host), settings_(settings), variant_(variant) {}

  GstFlowReturn start(const std::vector<MuxInput *> &inputs) override;
  bool add_track(MuxInput &input) override {
    input.index = tracks_.size();
    tracks_.emplace_back().input = &input;
    if (variant_ == Variant::apple) adapt_to_quicktime(*input.caps, input.config.formats.front());
    input.config.quicktime = variant_ == Variant::apple;
    return true;
  }
  GstFlowReturn add(MuxInput &input, MuxSample sample) override;
  GstFlowReturn format_changed(MuxInput &input) override { return flush(tracks_[input.index]); }
  GstFlowReturn finish() override;

 private:
  struct Track {
    MuxInput *input = nullptr;
    SampleTable table;
    std::vector<BufferRef> waiting; // the open chunk
    std::int64_t chunk_start = 0;   // nanoseconds
    std::uint64_t bytes = 0;
    std::uint32_t format_index = 1;
    std::int64_t last_decode = 0;
    bool any = false;
  };
  GstFlowReturn flush(Track &track);
  GstFlowReturn push_bytes(ByteVector bytes, std::optional<std::uint64_t> at = std::nullopt);
  void set_brands(const std::vector<MuxInput *> &inputs);
  GstFlowReturn refuse(const Error &error) {
    host_.report(error);
    return GST_FLOW_ERROR;
  }
  GstFlowReturn write_front();
  std::optional<ProgressiveTrack> labels(std::int64_t start);
  GstFlowReturn write_movie(Node &moov);

  MuxHost &host_;
  MuxSettings settings_;
  Variant variant_;
  InitOptions options_;
  std::vector<Track> tracks_;
  BufferListRef ready_; // chunks on their way out
  std::uint64_t ready_bytes_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t room_at_ = 0, room_ = 0; // kept for the movie box, with the header of a free box
  std::uint64_t mdat_ = 0;               // of the 16 bytes before the media
  SampleTable labels_;                   // of the timecode track
};

constexpr std::uint64_t kPushBytes = 256 << 10;
constexpr guint kPushSamples = 64; // small ones are freed while the processor's caches still hold them
constexpr std::uint64_t kLargestChunk = 1 << 20;

void ProgressiveOutput::set_brands(const std::vector<MuxInput *> &inputs) {
  if (variant_ == Variant::apple) {
    options_.major_brand = "qt  ";
    options_.minor_version = 0x20050300; // of the format's edition, as its description asks for
    options_.compatible_brands = {"qt  "};
    return;
  }
  options_.major_brand = "isom";
  options_.minor_version = 0x200;
  options_.compatible_brands = {"isom", "iso2", "mp41"};
  for (const MuxInput *input : inputs)
    if (input->config.formats.front().entry == FourCC("avc1")) {
      options_.compatible_brands.push_back("avc1");
      break;
    }
}

GstFlowReturn ProgressiveOutput::start(const std::vector<MuxInput *> &inputs) {
  tracks_.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    tracks_[i].input = inputs[i];
  set_brands(inputs);
  room_ = host_.movie_room(inputs);
  host_.set_caps(variant_, {});
  ready_ = BufferListRef::adopt(gst_buffer_list_new());
  return write_front();
}

// ftyp, the room for the movie box, and an mdat to the end of the file that begins with the first label.
GstFlowReturn ProgressiveOutput::write_front() {
  Node ftyp = file_type_box(options_);
  auto bytes = write_tree(ftyp);
  if (!bytes) return refuse(bytes.error());
  room_at_ = bytes->size();
  mdat_ = room_at_ + room_;
  GstFlowReturn flow = GST_FLOW_OK;
  if (room_ > 0) { // a file system leaves the skipped bytes out, or gives zeros
    append_box_header(*bytes, "free", room_ - 8);
    flow = push_bytes(std::move(*bytes));
    bytes->clear();
    offset_ = mdat_;
    host_.seek(mdat_);
  }
  append_box_header(*bytes, "free", 0);
  append_be(*bytes, 4, 0);
  append_be(*bytes, 4, FourCC("mdat").value);
  if (const TimecodeTrack *timecode = host_.timecode())
    for (const Track &track : tracks_) {
      const MuxInput &input = *track.input;
      if (!input.config.chapter_or_timecode) continue;
      append(*bytes, timecode_sample(timecode->frame_number(input, *input.head)));
      labels_.add({0, 1, 0, 4, true, false});
      labels_.end_chunk(mdat_ + 16, 1);
    }
  return flow == GST_FLOW_OK ? push_bytes(std::move(*bytes)) : flow;
}

GstFlowReturn ProgressiveOutput::push_bytes(ByteVector bytes, std::optional<std::uint64_t> at) {
  if (at) host_.seek(*at);
  auto list = BufferListRef::adopt(gst_buffer_list_new());
  if (!at) offset_ += bytes.size();
  gst_buffer_list_add(list.get(), buffer_of(std::move(bytes)).release());
  return host_.push(std::move(list));
}

GstFlowReturn ProgressiveOutput::add(MuxInput &input, MuxSample sample) {
  Track &track = tracks_[input.index];
  if (track.any)
    track.table.set_last_duration(static_cast<std::uint32_t>(sample.sample.decode_time - track.last_decode));
  const std::int64_t now = input.in_nanoseconds(sample.sample.decode_time);
  const bool long_enough = now - track.chunk_start >= static_cast<std::int64_t>(settings_.interleave_time);
  if (!track.waiting.empty() && (long_enough || track.bytes + sample.sample.size > kLargestChunk)) {
    const GstFlowReturn flow = flush(track);
    if (flow != GST_FLOW_OK) return flow;
  }
  if (track.waiting.empty()) {
    track.chunk_start = now;
    track.format_index = input.format_index;
  }
  track.any = true;
  track.last_decode = sample.sample.decode_time;
  track.bytes += sample.sample.size;
  track.table.add(sample.sample);
  track.waiting.push_back(std::move(sample.buffer));
  return GST_FLOW_OK;
}

GstFlowReturn ProgressiveOutput::flush(Track &track) {
  if (track.waiting.empty()) return GST_FLOW_OK;
  track.table.end_chunk(offset_, track.format_index);
  for (BufferRef &buffer : track.waiting)
    gst_buffer_list_add(ready_.get(), buffer.release());
  track.waiting.clear();
  offset_ += track.bytes;
  ready_bytes_ += track.bytes;
  track.bytes = 0;
  if (ready_bytes_ < kPushBytes && gst_buffer_list_length(ready_.get()) < kPushSamples) return GST_FLOW_OK;
  ready_bytes_ = 0;
  BufferListRef out = std::move(ready_);
  ready_ = BufferListRef::adopt(gst_buffer_list_new());
  return host_.push(std::move(out));
}

// The timecode track: one label that lasts as long as the pictures.
std::optional<ProgressiveTrack> ProgressiveOutput::labels(std::int64_t start) {
  const TimecodeTrack *timecode = host_.timecode();
  if (!timecode || labels_.samples() == 0) return std::nullopt;
  ProgressiveTrack made{timecode->config, &labels_, 0};
  for (const Track &track : tracks_) {
    if (!track.input->config.chapter_or_timecode) continue;
    const auto length = timecode->ticks(*track.input, static_cast<std::int64_t>(track.table.duration()));
    labels_.set_last_duration(static_cast<std::uint32_t>(std::clamp<std::int64_t>(length, 1, 0xffffffff)));
    const std::int64_t first = track.input->timeline->first_presentation();
    made.config.delay = track.input->in_nanoseconds(std::max<std::int64_t>(first, 0)) - start;
  }
  return made;
}

// Into the room that was kept, or behind the media.
GstFlowReturn ProgressiveOutput::write_movie(Node &moov) {
  const auto size = tree_size(moov);
  if (!size) return refuse(size.error());
  const bool fits = room_ > 0 && (*size == room_ || *size + 8 <= room_);
  if (room_ > 0 && !fits)
    host_.caution({ErrorCode::no_space, "The movie box takes " + std::to_string(*size) + " bytes, but " +
                                            std::to_string(room_) +
                                            " were kept: it goes behind the media. Set reserved-max-duration to "
                                            "more."});
  if (fits) host_.seek(room_at_);
  GST_DEBUG("movie box of %" G_GUINT64_FORMAT " bytes goes %s the media", static_cast<guint64>(*size),
            fits ? "in front of" : "behind");
  GstFlowReturn flow = GST_FLOW_OK;
  const auto written = stream_tree(moov, [&](Bytes piece) -> Result<void> {
    flow = push_bytes(ByteVector(piece.begin(), piece.end()));
    if (flow != GST_FLOW_OK) return fail(ErrorCode::io, "What follows the muxer refused the movie box.");
    return {};
  });
  if (flow != GST_FLOW_OK) return flow;
  if (!written) return refuse(written.error());
  if (!fits || *size == room_) return flow;
  ByteVector rest;
  append_box_header(rest, "free", room_ - *size - 8);
  return push_bytes(std::move(rest));
}

GstFlowReturn ProgressiveOutput::finish() {
  for (Track &track : tracks_) {
    const GstFlowReturn flow = flush(track);
    if (flow != GST_FLOW_OK) return flow;
  }
  if (ready_bytes_ > 0) {
    const GstFlowReturn flow = host_.push(std::move(ready_));
    if (flow != GST_FLOW_OK) return flow;
  }
  std::int64_t start = std::numeric_limits<std::int64_t>::max(); // of the movie: the earliest presentation
  const auto presentation = [](const Track &track) {
    const std::int64_t first = track.input->timeline->first_presentation();
    return track.input->in_nanoseconds(std::max<std::int64_t>(first, 0));
  };
  std::erase_if(tracks_, [](const Track &track) { return !track.any; }); // nothing came after all
  for (const Track &track : tracks_)
    start = std::min(start, presentation(track));
  std::vector<ProgressiveTrack> tracks;
  for (const Track &track : tracks_) {
    ProgressiveTrack made{track.input->config, &track.table, -track.table.least_composition_offset()};
    made.config.delay = presentation(track) - start;
    tracks.push_back(std::move(made));
  }
  if (auto track = labels(start)) tracks.push_back(std::move(*track));
  Node moov = progressive_movie_box(tracks, options_, 0);
  host_.complete_movie(moov, variant_);
  const std::uint64_t mdat_end = offset_;
  const GstFlowReturn flow = write_movie(moov);
  if (flow != GST_FLOW_OK) return flow;
  ByteVector header;
  const std::uint64_t payload = mdat_end - mdat_ - 16;
  if (payload + 8 > 0xffffffffu) {
    append_box_header(header, "mdat", payload, true);
  } else {
    append_box_header(header, "free", 0);
    append_box_header(header, "mdat", payload);
  }
  return push_bytes(std::move(header), mdat_);
}

} // namespace

std::unique_ptr<MuxOutput> make_progressive_output(MuxHost &host, const MuxSettings &settings,
                                                   Variant variant) {
  return std::make_unique<ProgressiveOutput>(host, settings, variant);
}

} // namespace hull
