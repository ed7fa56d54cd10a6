#include "gst/glue/map.h"
#include "gst/mux/fragmenter.h"
#include "plugins/mp4/chunk_front.h"
#include "plugins/mp4/mux_log.h"
#include "plugins/mp4/mux_output.h"

#include <algorithm>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

// What the encoder said about its buffers means nothing to who reads a file's bytes.
constexpr guint kOldFlags = GST_BUFFER_FLAG_LIVE | GST_BUFFER_FLAG_DECODE_ONLY | GST_BUFFER_FLAG_DISCONT |
                            GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER |
                            GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE |
                            GST_BUFFER_FLAG_SYNC_AFTER;

/// Fragments with the buffer flags of gst-plugins-rs' fmp4mux: the header is DISCONT | HEADER, each moof is
/// HEADER (and DELTA_UNIT unless it starts a fragment), data are DELTA_UNIT, the last of a chunk also MARKER.
class FragmentedOutput final : public MuxOutput {
 public:
  FragmentedOutput(MuxHost &host, const MuxSettings &settings, Variant variant)
      : host_(host),
        settings_(settings),
        variant_(variant),
        sequence_number_(settings.start_sequence_number),
        front_(host, settings, variant == Variant::cmaf),
        check_(host) {}

  GstFlowReturn start(const std::vector<MuxInput *> &inputs) override;
  GstFlowReturn add(MuxInput &input, MuxSample sample) override;
  GstFlowReturn format_changed(MuxInput &input) override;
  void split(std::int64_t time) override { fragmenter_->split(time); }
  GstFlowReturn finish() override;

 private:
  GstFlowReturn refuse(const Error &error) {
    host_.report(error);
    return GST_FLOW_ERROR;
  }
  Result<BufferRef> header();
  GstFlowReturn emit(Chunk chunk, const MuxInput *settled = nullptr);
  Result<void> encrypt(MuxInput &input, MuxSample &sample);
  void settle(Chunk &chunk, const MuxInput *settled);
  void add_text(Chunk &chunk, std::int64_t until);
  void add_timecode(Chunk &chunk);
  std::int64_t end_of(const Chunk &chunk, std::size_t track) const;
  std::vector<FragmentTrack> fragment_tracks(const Chunk &chunk) const;
  Result<BufferRef> chunk_header(const Chunk &chunk, std::size_t reference);
  void add_samples(GstBufferList *list, const Chunk &chunk);
  std::size_t reference_of(const Chunk &chunk) const;
  void stamp(GstBuffer *buffer, const Chunk &chunk, std::size_t reference) const;
  void announce_boundary();

  MuxHost &host_;
  MuxSettings settings_;
  Variant variant_;
  std::uint32_t sequence_number_;
  ChunkFront front_;
  ChunkCheck check_;
  std::vector<MuxInput *> inputs_;
  std::vector<std::uint32_t> formats_; // sample_description_index of each track's pending samples
  std::vector<std::deque<MuxSample>> pending_;
  std::vector<bool> shifted_; // pictures whose offsets are unsigned, since the header's edit knows how far
  std::optional<Fragmenter> fragmenter_;
  BufferRef header_;   // waits for the first fragment
  BufferRef timecode_; // sample of the chunk that leaves
  bool finishing_ = false;
  std::uint64_t offset_ = 0;                // of the next byte, for mfra
  std::vector<RandomAccess> random_access_; // 16 bytes a fragment, kept only where mfra wants them
};

InitOptions init_options(Variant variant, const std::vector<MuxInput *> &inputs) {
  InitOptions options;
  if (variant == Variant::cmaf) {
    options.cmaf = true;
    options.major_brand = "cmf2";
    options.compatible_brands = {"iso6", "cmf2", "cmfc"};
    for (const FourCC brand : cmaf_profile_brands(inputs.front()->config))
      options.compatible_brands.push_back(brand);
  } else {
    options.major_brand = "iso6";
    options.compatible_brands = {"iso6", "isom", "mp41"};
  }
  return options;
}

Result<BufferRef> FragmentedOutput::header() {
  const InitOptions options = init_options(variant_, inputs_);
  std::vector<TrackConfig> tracks;
  for (const MuxInput *input : inputs_)
    tracks.push_back(input->config);
  if (const TimecodeTrack *timecode = host_.timecode()) tracks.push_back(timecode->config);
  std::vector<Node> boxes;
  boxes.push_back(file_type_box(options));
  boxes.push_back(init_movie_box(tracks, options));
  host_.complete_movie(boxes[1], variant_);
  front_.begin(cmaf::track_of(boxes[0], boxes[1]));
  auto bytes = write_trees(boxes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (variant_ == Variant::cmaf) // as it will be read: codec records are opaque in what was built
    if (const auto read = parse_boxes(*bytes)) check_.header(read->at(0), read->at(1));
  offset_ += bytes->size();
  BufferRef buffer = buffer_of(std::move(*bytes));
  GST_BUFFER_FLAGS(buffer.get()) = GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_HEADER;
  return buffer;
}

GstFlowReturn FragmentedOutput::start(const std::vector<MuxInput *> &inputs) {
  inputs_ = inputs;
  if (variant_ == Variant::cmaf && inputs.size() != 1)
    return refuse({ErrorCode::settings, "A CMAF track file holds one track: use one muxer per stream, or "
                                        "video/quicktime,variant=iso-fragmented for several in one file."});
  std::vector<Fragmenter::Track> tracks;
  std::size_t reference = 0;
  const auto rank = [](const MuxInput &input) { // pictures decide, text never where there is something else
    return input.config.media == Media::video ? 2 : input.config.media == Media::audio ? 1 : 0;
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TrackConfig &config = inputs[i]->config;
    tracks.push_back({config.timescale, config.media != Media::video});
    if (rank(*inputs[i]) > rank(*inputs[reference])) reference = i;
  }
  Fragmenter::Settings cut;
  cut.fragment_duration = static_cast<std::int64_t>(settings_.fragment_duration);
  cut.chunk_duration = static_cast<std::int64_t>(settings_.chunk_duration);
  cut.manual = settings_.manual_split;
  if (settings_.fragment_origin >= 0) cut.grid_origin = settings_.fragment_origin;
  fragmenter_.emplace(cut, tracks, reference);
  pending_.resize(inputs.size());
  for (const MuxInput *input : inputs)
    formats_.push_back(input->format_index);
  // Several tracks need one zero: pictures get unsigned offsets and an edit that starts after the reordering,
  // which more readers place right than signed offsets alone. CMAF wants signed offsets and no edit.
  if (variant_ != Variant::cmaf)
    for (MuxInput *input : inputs_) {
      shifted_.push_back(input->config.media == Media::video && input->head);
      if (shifted_.back()) input->config.priming += input->timeline->reorder_shift();
    }
  else
    shifted_.resize(inputs.size());
  auto made = header();
  if (!made) return refuse(made.error());
  header_ = std::move(*made);
  host_.set_caps(variant_, header_);
  return GST_FLOW_OK;
}

void FragmentedOutput::announce_boundary() {
  if (!settings_.send_force_keyunit || settings_.manual_split) return;
  MuxInput &reference = *inputs_[fragmenter_->reference()];
  if (reference.config.media != Media::video) return;
  const auto boundary = fragmenter_->next_boundary();
  if (!boundary) return;
  // The picture nearest to the boundary, as the fragmenter counts it, not the first one behind it.
  const std::int64_t half =
      reference.caps ? reference.in_nanoseconds(reference.caps->nominal_duration) / 2 : 0;
  host_.want_key_unit(reference, std::max<std::int64_t>(0, *boundary - half));
}

GstFlowReturn FragmentedOutput::add(MuxInput &input, MuxSample sample) {
  if (shifted_[input.index])
    sample.sample.composition_offset += static_cast<std::int32_t>(input.timeline->reorder_shift());
  const auto boundary = fragmenter_->next_boundary();
  auto chunk = fragmenter_->before(input.index, sample.sample, sample.early);
  const GstFlowReturn flow = chunk ? emit(std::move(*chunk), &input) : GST_FLOW_OK;
  if (flow != GST_FLOW_OK) return flow;
  // A fragment has begun, also where the last chunk had left before it: a full chunk waits for no successor.
  if (fragmenter_->next_boundary() != boundary) announce_boundary();
  if (input.protector)
    if (auto done = encrypt(input, sample); !done) return refuse(done.error());
  const Sample placed = sample.sample;
  const bool known = sample.duration_known;
  pending_[input.index].push_back(std::move(sample));
  chunk = fragmenter_->add(input.index, placed, known);
  if (!chunk) return GST_FLOW_OK;
  return emit(std::move(*chunk));
}

Result<void> FragmentedOutput::encrypt(MuxInput &input, MuxSample &sample) {
  GstBuffer *own = gst_buffer_make_writable(sample.buffer.release());
  sample.buffer = BufferRef::adopt(own);
  MappedBuffer map(own, GST_MAP_READWRITE);
  if (!map) return fail(ErrorCode::io, "A sample's memory cannot be written, so it cannot be encrypted.");
  auto protection = input.protector->encrypt({map.data(), map.size()});
  if (!protection) return tl::unexpected(protection.error());
  sample.protection = std::make_unique<SampleProtection>(std::move(*protection));
  return {};
}

// The last duration of each run reaches the sample that follows. `settled`: the track where it does already.
void FragmentedOutput::settle(Chunk &chunk, const MuxInput *settled) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    MuxInput &input = *inputs_[i];
    auto &run = chunk.runs[i];
    if (run.empty() || &input == settled) continue;
    // The sample after this run has a place already, or will be put where the run ends.
    if (input.head)
      run.back().duration =
          static_cast<std::uint32_t>(input.head->sample.decode_time - run.back().decode_time);
    else
      input.timeline->freeze();
  }
}

std::vector<FragmentTrack> FragmentedOutput::fragment_tracks(const Chunk &chunk) const {
  std::vector<FragmentTrack> tracks;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const MuxInput &input = *inputs_[i];
    FragmentTrack &track = tracks.emplace_back();
    track.id = input.config.id;
    track.sample_description_index = formats_[i];
    track.composition_offsets = input.config.media == Media::video;
    track.signed_offsets = !shifted_[i];
    if (!input.protector) continue;
    std::vector<SampleProtection> protections;
    for (std::size_t k = 0; k < chunk.runs[i].size(); ++k)
      protections.push_back(std::move(*pending_[i][k].protection));
    track.complete = [&input, protections = std::move(protections)](Node &traf) {
      add_sample_encryption(traf, input.protector->settings(), protections);
    };
  }
  if (const TimecodeTrack *timecode = host_.timecode()) tracks.emplace_back().id = timecode->config.id;
  return tracks;
}

std::size_t FragmentedOutput::reference_of(const Chunk &chunk) const {
  if (!chunk.runs[fragmenter_->reference()].empty()) return fragmenter_->reference();
  const auto found = std::ranges::find_if(chunk.runs, [](const auto &run) { return !run.empty(); });
  return static_cast<std::size_t>(found - chunk.runs.begin());
}

// styp … moof and the header of the mdat, as one buffer.
Result<BufferRef> FragmentedOutput::chunk_header(const Chunk &chunk, std::size_t reference) {
  auto made = fragment_header(sequence_number_++, chunk, fragment_tracks(chunk));
  if (!made) return tl::unexpected(made.error());
  const bool whole = settings_.chunk_duration == 0;
  auto before = front_.boxes({chunk.starts_fragment, whole, finishing_, variant_ == Variant::cmaf},
                             chunk.runs[reference], pending_[reference]);
  if (variant_ == Variant::cmaf) check_.chunk(before, *made);
  auto bytes = write_trees(before);
  if (!bytes) return tl::unexpected(bytes.error());
  if (settings_.mfra && chunk.starts_fragment && !chunk.runs[0].empty()) {
    const Sample &first = chunk.runs[0].front();
    random_access_.push_back(
        {static_cast<std::uint64_t>(std::max<std::int64_t>(first.decode_time + first.composition_offset, 0)),
         offset_ + bytes->size()});
  }
  offset_ += bytes->size() + made->bytes.size() + made->data_size;
  if (bytes->empty())
    bytes = std::move(made->bytes);
  else
    append(*bytes, made->bytes);
  BufferRef buffer = buffer_of(std::move(*bytes));
  GST_BUFFER_FLAGS(buffer.get()) =
      GST_BUFFER_FLAG_HEADER | (chunk.starts_fragment ? 0 : GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

void FragmentedOutput::stamp(GstBuffer *buffer, const Chunk &chunk, std::size_t reference) const {
  const auto &run = chunk.runs[reference];
  std::int64_t earliest = pending_[reference].front().running_time;
  for (std::size_t i = 0; i < run.size(); ++i)
    earliest = std::min(earliest, pending_[reference][i].running_time);
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(std::max<std::int64_t>(earliest, 0));
  GST_BUFFER_DTS(buffer) =
      static_cast<GstClockTime>(inputs_[reference]->in_nanoseconds(run.front().decode_time));
}

void FragmentedOutput::add_samples(GstBufferList *list, const Chunk &chunk) {
  GstBuffer *last = nullptr;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const MuxInput &input = *inputs_[i];
    for (const Sample &sample : chunk.runs[i]) {
      MuxSample taken = std::move(pending_[i].front());
      pending_[i].pop_front();
      last = gst_buffer_make_writable(taken.buffer.release());
      GST_BUFFER_FLAG_UNSET(last, kOldFlags);
      GST_BUFFER_FLAG_SET(last, GST_BUFFER_FLAG_DELTA_UNIT);
      const std::int64_t start = input.in_nanoseconds(sample.decode_time);
      GST_BUFFER_PTS(last) = static_cast<GstClockTime>(std::max<std::int64_t>(taken.running_time, 0));
      GST_BUFFER_DTS(last) = static_cast<GstClockTime>(start);
      GST_BUFFER_DURATION(last) =
          static_cast<GstClockTime>(input.in_nanoseconds(sample.decode_time + sample.duration) - start);
      gst_buffer_list_add(list, last);
    }
  }
  if (timecode_) {
    last = timecode_.release();
    gst_buffer_list_add(list, last);
  }
  if (last) GST_BUFFER_FLAG_SET(last, GST_BUFFER_FLAG_MARKER);
}

// In nanoseconds; 0 where the track has nothing in the chunk.
std::int64_t FragmentedOutput::end_of(const Chunk &chunk, std::size_t track) const {
  const auto &run = chunk.runs[track];
  return run.empty() ? 0 : inputs_[track]->in_nanoseconds(run.back().decode_time + run.back().duration);
}

void FragmentedOutput::add_text(Chunk &chunk, std::int64_t until) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    TextInput *text = inputs_[i]->text.get();
    while (auto made = text && text->joins ? text->next(until) : std::nullopt) {
      MuxSample sample = sample_of(*inputs_[i], std::move(*made));
      chunk.runs[i].push_back(sample.sample);
      pending_[i].push_back(std::move(sample));
    }
  }
}

// One label per chunk, that of its first picture: the last run, of a track that is no input.
void FragmentedOutput::add_timecode(Chunk &chunk) {
  const TimecodeTrack *track = host_.timecode();
  if (!track) return;
  auto &labels = chunk.runs.emplace_back();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const MuxInput &input = *inputs_[i];
    const auto &run = chunk.runs[i];
    if (!input.config.chapter_or_timecode || run.empty()) continue;
    const std::int64_t start = track->ticks(input, run.front().decode_time);
    const std::int64_t end = track->ticks(input, run.back().decode_time + run.back().duration);
    if (end <= start) return;
    labels.push_back({start, static_cast<std::uint32_t>(end - start), 0, 4, true, false});
    timecode_ = buffer_of(timecode_sample(track->frame_number(input, pending_[i].front())));
    GST_BUFFER_FLAG_SET(timecode_.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    return;
  }
}

GstFlowReturn FragmentedOutput::emit(Chunk chunk, const MuxInput *settled) {
  settle(chunk, settled);
  add_text(chunk, end_of(chunk, reference_of(chunk)));
  const std::size_t reference = reference_of(chunk);
  add_timecode(chunk);
  GST_DEBUG_OBJECT(inputs_[reference]->pad.get(),
                   "cut %s %u, which ends at %" GST_STIME_FORMAT ", %zu samples",
                   chunk.starts_fragment ? "fragment" : "chunk", sequence_number_,
                   GST_STIME_ARGS(end_of(chunk, reference)), chunk.runs[reference].size());
  auto header = chunk_header(chunk, reference);
  if (!header) return refuse(header.error());
  auto list = BufferListRef::adopt(gst_buffer_list_new());
  if (header_) {
    stamp(header_.get(), chunk, reference);
    gst_buffer_list_add(list.get(), header_.release());
  }
  GstBuffer *moof = header->get();
  stamp(moof, chunk, reference);
  const auto &run = chunk.runs[reference];
  const MuxInput &timed = *inputs_[reference];
  GST_BUFFER_DURATION(moof) =
      static_cast<GstClockTime>(timed.in_nanoseconds(run.back().decode_time + run.back().duration) -
                                timed.in_nanoseconds(run.front().decode_time));
  gst_buffer_list_add(list.get(), header->release());
  add_samples(list.get(), chunk);
  return host_.push(std::move(list));
}

GstFlowReturn FragmentedOutput::format_changed(MuxInput &input) {
  auto chunk = fragmenter_->drain();
  const GstFlowReturn flow = chunk ? emit(std::move(*chunk)) : GST_FLOW_OK;
  if (flow != GST_FLOW_OK) return flow;
  formats_[input.index] = input.format_index;
  auto made = header();
  if (!made) return refuse(made.error());
  header_ = std::move(*made);
  host_.set_caps(variant_, header_);
  return GST_FLOW_OK;
}

GstFlowReturn FragmentedOutput::finish() {
  finishing_ = true;
  auto chunk = fragmenter_->drain();
  if (!chunk) chunk.emplace().runs.resize(inputs_.size());
  for (const MuxInput *input : inputs_) // cues that outlast the pictures
    if (input->text && input->text->joins)
      add_text(*chunk, std::max(end_of(*chunk, fragmenter_->reference()),
                                input->in_nanoseconds(input->text->track().last_end())));
  if (std::ranges::all_of(chunk->runs, [](const auto &run) { return run.empty(); })) chunk.reset();
  const GstFlowReturn flow = chunk ? emit(std::move(*chunk)) : GST_FLOW_OK;
  if (flow != GST_FLOW_OK || random_access_.empty()) return flow;
  auto bytes = random_access_box(inputs_.front()->config.id, random_access_);
  if (!bytes) return refuse(bytes.error());
  BufferRef index = buffer_of(std::move(*bytes));
  GST_BUFFER_FLAGS(index.get()) = GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_MARKER;
  auto list = BufferListRef::adopt(gst_buffer_list_new());
  gst_buffer_list_add(list.get(), index.release());
  return host_.push(std::move(list));
}

} // namespace

std::unique_ptr<MuxOutput> make_fragmented_output(MuxHost &host, const MuxSettings &settings,
                                                  Variant variant) {
  return std::make_unique<FragmentedOutput>(host, settings, variant);
}

} // namespace hull
