#include "gst/isobmff/cmaf.h"
#include "plugins/mp4/mux_output.h"

#include <algorithm>

namespace hull {

using namespace isobmff;

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
        sequence_number_(settings.start_sequence_number) {}

  Result<void> start(const std::vector<MuxInput *> &inputs) override;
  GstFlowReturn add(MuxInput &input, MuxSample sample) override;
  GstFlowReturn format_changed(MuxInput &input) override;
  void split(std::int64_t time) override { fragmenter_->split(time); }
  GstFlowReturn finish() override;

 private:
  Result<BufferRef> header() const;
  GstFlowReturn emit(Chunk chunk, const MuxInput *settled = nullptr);
  void announce_boundary();

  MuxHost &host_;
  MuxSettings settings_;
  Variant variant_;
  std::uint32_t sequence_number_;
  std::vector<MuxInput *> inputs_;
  std::vector<std::deque<MuxSample>> pending_;
  std::optional<Fragmenter> fragmenter_;
  BufferRef header_; // waits for the first fragment
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

Result<BufferRef> FragmentedOutput::header() const {
  const InitOptions options = init_options(variant_, inputs_);
  std::vector<TrackConfig> tracks;
  for (const MuxInput *input : inputs_)
    tracks.push_back(input->config);
  std::vector<Node> boxes;
  boxes.push_back(file_type_box(options));
  boxes.push_back(init_movie_box(tracks, options));
  if (variant_ == Variant::cmaf)
    for (const cmaf::Finding &finding : cmaf::Checker().header(boxes[0], boxes[1]))
      if (finding.level == cmaf::Level::must)
        host_.caution({ErrorCode::bad_data,
                       std::string("The CMAF header breaks ") + finding.rule + ": " + finding.text + "."});
  auto bytes = write_trees(boxes);
  if (!bytes) return tl::unexpected(bytes.error());
  BufferRef buffer = buffer_of(std::move(*bytes));
  GST_BUFFER_FLAGS(buffer.get()) = GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_HEADER;
  return buffer;
}

Result<void> FragmentedOutput::start(const std::vector<MuxInput *> &inputs) {
  inputs_ = inputs;
  if (variant_ == Variant::cmaf && inputs.size() != 1)
    return fail(ErrorCode::settings, "A CMAF track file holds one track: use one muxer per stream, or "
                                     "video/quicktime,variant=iso-fragmented for several in one file.");
  std::vector<Fragmenter::Track> tracks;
  std::size_t reference = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TrackConfig &config = inputs[i]->config;
    tracks.push_back({config.timescale, config.media != Media::video});
    if (config.media == Media::video && inputs[reference]->config.media != Media::video) reference = i;
  }
  Fragmenter::Settings cut;
  cut.fragment_duration = static_cast<std::int64_t>(settings_.fragment_duration);
  cut.chunk_duration = static_cast<std::int64_t>(settings_.chunk_duration);
  cut.manual = settings_.manual_split;
  if (settings_.fragment_origin >= 0) cut.grid_origin = settings_.fragment_origin;
  fragmenter_.emplace(cut, tracks, reference);
  pending_.resize(inputs.size());
  // Several tracks need one zero: pictures get unsigned offsets and an edit that starts after the reordering,
  // which more readers place right than signed offsets alone. CMAF wants signed offsets and no edit.
  if (variant_ != Variant::cmaf)
    for (MuxInput *input : inputs_)
      if (input->config.media == Media::video) input->config.priming = input->timeline->reorder_shift();
  auto made = header();
  if (!made) return tl::unexpected(made.error());
  header_ = std::move(*made);
  host_.set_caps(variant_, header_);
  return {};
}

void FragmentedOutput::announce_boundary() {
  if (!settings_.send_force_keyunit || settings_.manual_split) return;
  MuxInput &reference = *inputs_[fragmenter_->reference()];
  if (reference.config.media != Media::video) return;
  if (const auto boundary = fragmenter_->next_boundary()) host_.want_key_unit(reference, *boundary);
}

GstFlowReturn FragmentedOutput::add(MuxInput &input, MuxSample sample) {
  if (variant_ != Variant::cmaf && input.config.media == Media::video)
    sample.sample.composition_offset += static_cast<std::int32_t>(input.timeline->reorder_shift());
  const auto boundary = fragmenter_->next_boundary();
  auto chunk = fragmenter_->before(input.index, sample.sample);
  const GstFlowReturn flow = chunk ? emit(std::move(*chunk), &input) : GST_FLOW_OK;
  if (flow != GST_FLOW_OK) return flow;
  // A fragment has begun, also where the last chunk had left before it: a full chunk waits for no successor.
  if (fragmenter_->next_boundary() != boundary) announce_boundary();
  const Sample placed = sample.sample;
  const bool known = sample.duration_known;
  pending_[input.index].push_back(std::move(sample));
  chunk = fragmenter_->add(input.index, placed, known);
  if (!chunk) return GST_FLOW_OK;
  return emit(std::move(*chunk));
}

// `settled`: the track whose last duration in the chunk already reaches the sample that follows.
GstFlowReturn FragmentedOutput::emit(Chunk chunk, const MuxInput *settled) {
  std::vector<FragmentTrack> tracks;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    MuxInput &input = *inputs_[i];
    const bool pictures = input.config.media == Media::video;
    tracks.push_back({input.config.id, input.format_index, pictures, variant_ == Variant::cmaf, {}});
    auto &run = chunk.runs[i];
    if (run.empty() || &input == settled) continue;
    // The sample after this run has a place already, or will be put where the run ends.
    if (input.head)
      run.back().duration =
          static_cast<std::uint32_t>(input.head->sample.decode_time - run.back().decode_time);
    else
      input.timeline->freeze();
  }
  auto bytes = fragment_header(sequence_number_++, chunk, tracks);
  if (!bytes) {
    host_.report(bytes.error());
    return GST_FLOW_ERROR;
  }
  auto list = BufferListRef::adopt(gst_buffer_list_new());
  const std::size_t reference =
      chunk.runs[fragmenter_->reference()].empty()
          ? static_cast<std::size_t>(std::find_if(chunk.runs.begin(), chunk.runs.end(),
                                                  [](const auto &run) { return !run.empty(); }) -
                                     chunk.runs.begin())
          : fragmenter_->reference();
  const auto &run = chunk.runs[reference];
  const MuxInput &timed = *inputs_[reference];
  std::int64_t earliest = pending_[reference].front().running_time;
  for (std::size_t i = 0; i < run.size(); ++i)
    earliest = std::min(earliest, pending_[reference][i].running_time);
  const std::int64_t start = run.front().decode_time;
  const std::int64_t end = run.back().decode_time + run.back().duration;

  const auto stamp = [&](GstBuffer *buffer) {
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(std::max<std::int64_t>(earliest, 0));
    GST_BUFFER_DTS(buffer) = static_cast<GstClockTime>(timed.in_nanoseconds(start));
  };
  if (header_) {
    stamp(header_.get());
    gst_buffer_list_add(list.get(), header_.release());
  }
  BufferRef moof = buffer_of(std::move(*bytes));
  stamp(moof.get());
  GST_BUFFER_DURATION(moof.get()) =
      static_cast<GstClockTime>(timed.in_nanoseconds(end) - timed.in_nanoseconds(start));
  GST_BUFFER_FLAGS(moof.get()) =
      GST_BUFFER_FLAG_HEADER | (chunk.starts_fragment ? 0 : GST_BUFFER_FLAG_DELTA_UNIT);
  gst_buffer_list_add(list.get(), moof.release());
  GstBuffer *last = nullptr;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    for (const Sample &sample : chunk.runs[i]) {
      MuxSample taken = std::move(pending_[i].front());
      pending_[i].pop_front();
      last = gst_buffer_make_writable(taken.buffer.release());
      GST_BUFFER_FLAG_UNSET(last, kOldFlags);
      GST_BUFFER_FLAG_SET(last, GST_BUFFER_FLAG_DELTA_UNIT);
      const std::int64_t decode = sample.decode_time;
      GST_BUFFER_PTS(last) = static_cast<GstClockTime>(std::max<std::int64_t>(taken.running_time, 0));
      GST_BUFFER_DTS(last) = static_cast<GstClockTime>(inputs_[i]->in_nanoseconds(decode));
      GST_BUFFER_DURATION(last) = static_cast<GstClockTime>(
          inputs_[i]->in_nanoseconds(decode + sample.duration) - inputs_[i]->in_nanoseconds(decode));
      gst_buffer_list_add(list.get(), last);
    }
  }
  if (last) GST_BUFFER_FLAG_SET(last, GST_BUFFER_FLAG_MARKER);
  return host_.push(std::move(list));
}

GstFlowReturn FragmentedOutput::format_changed(MuxInput &) {
  auto chunk = fragmenter_->drain();
  const GstFlowReturn flow = chunk ? emit(std::move(*chunk)) : GST_FLOW_OK;
  if (flow != GST_FLOW_OK) return flow;
  auto made = header();
  if (!made) {
    host_.report(made.error());
    return GST_FLOW_ERROR;
  }
  header_ = std::move(*made);
  host_.set_caps(variant_, header_);
  return GST_FLOW_OK;
}

GstFlowReturn FragmentedOutput::finish() {
  auto chunk = fragmenter_->drain();
  return chunk ? emit(std::move(*chunk)) : GST_FLOW_OK;
}

} // namespace

std::unique_ptr<MuxOutput> make_fragmented_output(MuxHost &host, const MuxSettings &settings,
                                                  Variant variant) {
  return std::make_unique<FragmentedOutput>(host, settings, variant);
}

} // namespace hull
