#include "plugins/vmaf/results.h"

#include "plugins/vmaf/source_facts.h"

#include <fmt/format.h>
#include <limits>
#include <utility>

namespace hull {

void VmafResults::reset(const VmafSinkSettings &settings) {
  const Lock lock(inputs_.mutex);
  settings_ = settings;
  state_ = {};
  scores_.clear();
}

void VmafResults::begin(ScorerState state) {
  const Lock lock(inputs_.mutex);
  scores_.assign(state.streams.size(), vmaf::StreamScores(*state.columns, settings_.kept_frames));
  state_ = std::move(state);
}

std::vector<std::string> VmafResults::add(const std::vector<vmaf::FrameScore> &scores, ScorerState state) {
  std::vector<std::string> pads(state.streams.size());
  const Lock lock(inputs_.mutex);
  for (const vmaf::FrameScore &score : scores) {
    scores_[score.stream].add(score);
    const ScorerState::Stream &stream = state.streams[score.stream];
    if (inputs_.find(stream.input)) pads[score.stream] = stream.pad;
  }
  std::swap(state_, state);
  return pads;
}

std::optional<VmafResults::Figures> VmafResults::figures(std::size_t stream) const {
  const Lock lock(inputs_.mutex);
  const VmafPad *pad = inputs_.find(state_.streams[stream].input);
  if (!pad) return std::nullopt;
  return Figures{pad->name(), scores_[stream], inputs_.matched(*pad).counts};
}

std::optional<VmafResults::Report> VmafResults::report(std::size_t stream) const {
  const Lock lock(inputs_.mutex);
  const VmafPad *pad = inputs_.find(state_.streams[stream].input);
  if (!pad) return std::nullopt;
  return report_of(stream, *pad);
}

Result<void> VmafResults::check_threshold(std::size_t stream) const {
  const Lock lock(inputs_.mutex);
  const VmafPad *pad = inputs_.find(state_.streams[stream].input);
  const double mean = scores_[stream].mean();
  if (!pad || settings_.threshold <= 0 || mean >= settings_.threshold) return {};
  return fail(ErrorCode::bad_data,
              fmt::format("The mean VMAF of {} is {:.3f}, below the threshold of {:.3f}.", pad->name(), mean,
                          settings_.threshold));
}

std::string VmafResults::json_of(const VmafPad &pad) const {
  Report report;
  {
    const Lock lock(inputs_.mutex);
    const auto stream = stream_of(pad);
    if (!stream) return {};
    report = report_of(*stream, pad);
  }
  return vmaf::to_text(vmaf::LogLayout::json, report.log, report.head);
}

double VmafResults::mean_of(const VmafPad &pad) const {
  const Lock lock(inputs_.mutex);
  const auto stream = stream_of(pad);
  return stream ? scores_[*stream].mean() : std::numeric_limits<double>::quiet_NaN();
}

StructureRef VmafResults::stats() const {
  GstStructure *stats = gst_structure_new_empty("hull-vmaf-stats");
  const Lock lock(inputs_.mutex);
  gst_structure_set(stats, "frames", G_TYPE_UINT64, state_.frames, nullptr);
  for (std::size_t i = 0; i < state_.streams.size(); ++i) {
    const VmafPad *pad = inputs_.find(state_.streams[i].input);
    if (!pad) continue;
    const vmaf::MatchCounts &counts = inputs_.matched(*pad).counts;
    const auto inner = StructureRef::adopt(gst_structure_new(
        pad->name(), "frames", G_TYPE_UINT64, scores_[i].frames(), "score", G_TYPE_DOUBLE, scores_[i].mean(),
        "missing", G_TYPE_UINT64, counts.missing, "unmatched", G_TYPE_UINT64, counts.unmatched, "repeated",
        G_TYPE_UINT64, counts.repeated, nullptr));
    gst_structure_set(stats, pad->name(), GST_TYPE_STRUCTURE, inner.get(), nullptr);
  }
  return StructureRef::adopt(stats);
}

std::optional<std::size_t> VmafResults::stream_of(const VmafPad &pad) const {
  const vmaf::InputId id = inputs_.of(pad).id;
  if (inputs_.find(id) != &pad) return std::nullopt; // it is being released: its counts may be gone
  for (std::size_t i = 0; i < state_.streams.size(); ++i)
    if (state_.streams[i].input == id) return i;
  return std::nullopt;
}

vmaf::ResultFacts VmafResults::facts_of(std::size_t stream, const VmafPad &pad) const {
  const ScorerState::Stream &scored = state_.streams[stream];
  const vmaf::MatchInput &matched = inputs_.matched(pad);
  const auto &reference = inputs_.of(*inputs_.reference).info, &distorted = inputs_.of(pad).info;
  vmaf::ResultFacts facts;
  facts.input = scored.pad;
  facts.models = state_.models;
  facts.scaled = scored.scaled;
  facts.promoted = scored.promoted;
  facts.bits = state_.format.bits;
  facts.by_index = settings_.alignment == VmafAlignment::index;
  facts.tolerance = inputs_.matcher.tolerance();
  facts.reference_frames = state_.frames;
  facts.caps_changes = inputs_.of(pad).caps_changes;
  facts.searched = settings_.auto_align;
  facts.offset = matched.offset;
  facts.alignment = matched.alignment;
  facts.counts = matched.counts;
  if (reference) facts.reference = source_facts(*reference, inputs_.reference->snapshot());
  if (distorted) facts.distorted = source_facts(*distorted, pad.snapshot());
  if (reference && distorted)
    facts.doubts = doubts_about(*reference, inputs_.reference->snapshot(), *distorted, pad.snapshot());
  facts.doubts.insert(facts.doubts.end(), scored.cautions.begin(), scored.cautions.end());
  facts.banding = scored.banding;
  facts.chroma_estimated = scored.estimated;
  facts.reference_bars = state_.reference_bars;
  facts.bars = scored.bars;
  facts.frames_kept = scores_[stream].log().size();
  facts.frames_scored = scores_[stream].frames();
  facts.subsample = settings_.subsample;
  return facts;
}

VmafResults::Report VmafResults::report_of(std::size_t stream, const VmafPad &pad) const {
  return {{state_.format.width, state_.format.height, state_.fps, vmaf::result_notes(facts_of(stream, pad))},
          scores_[stream].log()};
}

} // namespace hull
