#include "gst/vmaf/result_notes.h"

#include "gst/vmaf/scaler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::vmaf {
namespace {

/// What scores are compared with to the last digit.
constexpr const char *kUpstream = "libvmaf v3.2.0-13-gf85a8536, C path";

std::string text_list(const std::vector<std::string> &texts) {
  std::string list = "[";
  for (const std::string &text : texts)
    list += (list.size() > 1 ? ", " : "") + json_text(text);
  return list + "]";
}

std::string figure(double value) {
  return std::isfinite(value) ? fmt::format("{:.3f}", value) : "null";
}

std::string bars_text(const Letterbox &bars) {
  if (!bars.any()) return "none";
  return fmt::format("left {} right {} top {} bottom {}", bars.left, bars.right, bars.top, bars.bottom);
}

std::string models_note(const ResultFacts &facts) {
  std::string models = "{";
  for (const auto &[key, name] : facts.models)
    models += fmt::format("{}{}: {}", models.size() > 1 ? ", " : "", json_text(key), json_text(name));
  return models + "}";
}

/// Of each model the generation, which scores of another one cannot be compared with; null for a file's.
std::string generations_note(const ResultFacts &facts) {
  std::string generations = "{";
  for (const auto &[key, name] : facts.models) {
    const char *generation = name.starts_with("vmaf_v1.")                                        ? "\"v1\""
                             : name.starts_with("vmaf_v0.6") || name.starts_with("vmaf_4k_v0.6") ? "\"v0.6\""
                                                                                                 : "null";
    generations += fmt::format("{}{}: {}", generations.size() > 1 ? ", " : "", json_text(key), generation);
  }
  return generations + "}";
}

std::string alignment_note(const ResultFacts &facts) {
  const MatchCounts &c = facts.counts;
  return fmt::format(
      "{{\"by\": \"{}\", \"offset\": {}, \"tolerance_ns\": {}, \"reference_frames\": {}, \"matched\": {}, "
      "\"missing\": {}, \"unmatched\": {}, \"repeated\": {}, \"untimed\": {}, \"caps_changes\": {}}}",
      facts.by_index ? "index" : "timestamp", facts.offset, facts.tolerance, facts.reference_frames,
      c.matched, c.missing, c.unmatched, c.repeated, c.untimed, facts.caps_changes);
}

std::string search_note(const ResultFacts &facts) {
  return fmt::format("{{\"searched\": {}, \"offset\": {}, \"error\": {}, \"error_at_zero\": {}, "
                     "\"runner_up\": {}, \"verdict\": \"{}\"}}",
                     facts.searched, facts.offset, figure(facts.alignment->error),
                     figure(facts.alignment->error_at_zero), figure(facts.alignment->runner_up),
                     name_of(facts.alignment->verdict));
}

std::string source_note(const SourceFacts &source) {
  return fmt::format(
      "{{\"width\": {}, \"height\": {}, \"format\": {}, \"colorimetry\": {}, \"crop\": [{}, {}, {}, {}]}}",
      source.width, source.height, json_text(source.format), json_text(source.colorimetry), source.crop_left,
      source.crop_top, source.crop_right, source.crop_bottom);
}

std::vector<std::string> warnings_of(const ResultFacts &facts) {
  std::vector<std::string> warnings = facts.doubts;
  // Black bars are easy to code, so they lift the score, and on one side only they wreck it.
  if (facts.reference_bars.any() || facts.bars.any())
    warnings.push_back(
        fmt::format("black bars (reference: {}; this input: {}) are scored too; cut them off with the "
                    "pads' crop properties",
                    bars_text(facts.reference_bars), bars_text(facts.bars)));
  if (facts.alignment && facts.alignment->verdict != Alignment::Verdict::sure)
    warnings.push_back(doubt_about(*facts.alignment, facts.input, facts.searched));
  const MatchCounts &c = facts.counts;
  if (c.missing)
    warnings.push_back(fmt::format("{} reference frames had no partner and are not scored", c.missing));
  if (c.unmatched) warnings.push_back(fmt::format("{} frames belong to no reference frame", c.unmatched));
  if (c.repeated) warnings.push_back(fmt::format("{} frames repeat a timestamp", c.repeated));
  if (facts.promoted) warnings.push_back("bit depths differ: the shallower side was shifted up");
  if (facts.frames_scored > facts.frames_kept)
    warnings.push_back(
        fmt::format("only the newest {} of {} frames are kept; a file at location has all of them",
                    facts.frames_kept, facts.frames_scored));
  return warnings;
}

} // namespace

std::string doubt_about(const Alignment &alignment, const std::string &input, unsigned searched) {
  switch (alignment.verdict) {
  case Alignment::Verdict::sure:
    break;
  case Alignment::Verdict::still:
    return fmt::format("auto-align: the pictures of {} stand still where they were compared, so they show no "
                       "offset; {} is taken. Set the pad's offset if it is another.",
                       input, alignment.offset);
  case Alignment::Verdict::ambiguous:
    return fmt::format("auto-align: offset {} of {} is doubtful, since another one agrees nearly as well "
                       "(squared difference {:.2f} against {:.2f}). Set the pad's offset if it is another.",
                       alignment.offset, input, alignment.error, alignment.runner_up);
  case Alignment::Verdict::beyond:
    return fmt::format("auto-align: the offset of {} lies beyond {} frames. Raise auto-align, to {} say.",
                       input, searched, 3 * searched + 10);
  case Alignment::Verdict::unlike:
    return fmt::format(
        "auto-align: at no offset within {} frames does {} show the reference's pictures "
        "(squared difference {:.2f} at the best, {}). Raise auto-align, to {} say, if it can be "
        "further off; otherwise set the pad's offset and crop, or leave auto-align out.",
        searched, input, alignment.error, alignment.offset, 3 * searched + 10);
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> result_notes(const ResultFacts &facts) {
  std::vector<std::pair<std::string, std::string>> notes;
  notes.emplace_back("pad", json_text(facts.input));
  notes.emplace_back("models", models_note(facts));
  notes.emplace_back("generations", generations_note(facts));
  notes.emplace_back("equals", json_text(kUpstream));
  notes.emplace_back("scaler", facts.scaled ? json_text(kScalerName) : "null");
  notes.emplace_back("bit_depth", fmt::format("{}", facts.bits));
  if (facts.banding)
    notes.emplace_back("cambi",
                       fmt::format("{{\"enc_width\": {}, \"enc_height\": {}, \"enc_bitdepth\": {}}}",
                                   facts.banding->width, facts.banding->height, facts.banding->bits));
  if (facts.chroma_estimated)
    notes.emplace_back("chroma_estimated_frames", fmt::format("{}", *facts.chroma_estimated));
  notes.emplace_back("alignment", alignment_note(facts));
  if (facts.alignment) notes.emplace_back("auto_align", search_note(facts));
  if (facts.reference) notes.emplace_back("reference", source_note(*facts.reference));
  if (facts.distorted) notes.emplace_back("distorted", source_note(*facts.distorted));
  notes.emplace_back("warnings", text_list(warnings_of(facts)));
  notes.emplace_back("subsample", fmt::format("{}", facts.subsample));
  const auto is_v06 = [](const auto &model) { return !model.second.starts_with("vmaf_v1."); };
  if (std::any_of(facts.models.begin(), facts.models.end(), is_v06))
    notes.emplace_back(
        "first_frame",
        "\"has no motion (integer_motion2 is 0), so its score is lower than its neighbours'\"");
  return notes;
}

} // namespace hull::vmaf
