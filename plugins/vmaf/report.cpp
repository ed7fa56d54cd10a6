// The end of a stream: results as text, files, messages, the gate.

#include "gst/glue/raise.h"
#include "plugins/vmaf/held.h"
#include "plugins/vmaf/sink.h"

#include <cmath>
#include <fmt/format.h>

namespace hull {
namespace {

std::string colorimetry(const GstVideoInfo &info) {
  const OwnedText text(gst_video_colorimetry_to_string(&info.colorimetry));
  return text.c_str();
}

/// What makes a comparison doubtful; empty when nothing does.
std::vector<std::string> doubts(const GstVideoInfo &reference, const GstVideoInfo &distorted) {
  std::vector<std::string> found;
  const auto &r = reference.colorimetry, &d = distorted.colorimetry;
  if (r.range != d.range && r.range != GST_VIDEO_COLOR_RANGE_UNKNOWN &&
      d.range != GST_VIDEO_COLOR_RANGE_UNKNOWN)
    found.push_back("full and limited range are compared with each other; convert one of them first");
  if (r.transfer != d.transfer && r.transfer != GST_VIDEO_TRANSFER_UNKNOWN &&
      d.transfer != GST_VIDEO_TRANSFER_UNKNOWN &&
      !gst_video_transfer_function_is_equivalent(
          r.transfer, static_cast<guint>(GST_VIDEO_INFO_COMP_DEPTH(&reference, 0)), d.transfer,
          static_cast<guint>(GST_VIDEO_INFO_COMP_DEPTH(&distorted, 0))))
    found.push_back("the transfer functions differ");
  for (const GstVideoTransferFunction hdr : {GST_VIDEO_TRANSFER_SMPTE2084, GST_VIDEO_TRANSFER_ARIB_STD_B67})
    if (r.transfer == hdr || d.transfer == hdr) {
      found.push_back("PQ or HLG pictures: no VMAF model was trained on HDR");
      break;
    }
  if (GST_VIDEO_INFO_INTERLACE_MODE(&reference) != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE ||
      GST_VIDEO_INFO_INTERLACE_MODE(&distorted) != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE)
    found.push_back("interlaced pictures are scored as they are; deinterlace both sides first");
  return found;
}

std::string text_list(const std::vector<std::string> &texts) {
  std::string list = "[";
  for (const std::string &text : texts)
    list += (list.size() > 1 ? ", " : "") + vmaf::json_text(text);
  return list + "]";
}

std::string figure(double value) {
  return std::isfinite(value) ? fmt::format("{:.3f}", value) : "null";
}

std::string bars_text(const vmaf::Bars &bars) {
  if (!bars.any()) return "none";
  return fmt::format("left {} right {} top {} bottom {}", bars.left, bars.right, bars.top, bars.bottom);
}

/// Black bars are easy to code, so they lift the score, and on one side only they wreck it.
void warn_of_bars(const vmaf::Bars &reference, const vmaf::Bars &distorted,
                  std::vector<std::string> &warnings) {
  if (!reference.any() && !distorted.any()) return;
  warnings.push_back(
      fmt::format("black bars (reference: {}; this input: {}) are scored too; cut them off with the "
                  "pads' crop properties",
                  bars_text(reference), bars_text(distorted)));
}

std::string source(const GstVideoInfo &info, const VmafPadSettings &settings) {
  return fmt::format(
      "{{\"width\": {}, \"height\": {}, \"format\": {}, \"colorimetry\": {}, \"crop\": [{}, {}, {}, {}]}}",
      GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info), vmaf::json_text(GST_VIDEO_INFO_NAME(&info)),
      vmaf::json_text(colorimetry(info)), settings.crop_left, settings.crop_top, settings.crop_right,
      settings.crop_bottom);
}

} // namespace

std::vector<std::pair<std::string, std::string>> VmafSink::notes_of(const VmafPad &pad) const {
  std::vector<std::pair<std::string, std::string>> notes;
  notes.emplace_back("pad", vmaf::json_text(GST_OBJECT_NAME(pad.self())));
  std::string models = "{";
  for (const vmaf::NamedModel &named : session_->models())
    models += fmt::format("{}{}: {}", models.size() > 1 ? ", " : "", vmaf::json_text(named.key),
                          vmaf::json_text(named.model.name));
  notes.emplace_back("models", models + "}");
  const VmafFitter &fitter = fitters_[pad.stream];
  notes.emplace_back("scaler", fitter.scaled() ? vmaf::json_text(vmaf::kScalerName) : "null");
  notes.emplace_back("bit_depth", fmt::format("{}", format_.bits));
  const auto &c = pad.counts;
  notes.emplace_back(
      "alignment",
      fmt::format(
          "{{\"by\": \"{}\", \"offset\": {}, \"tolerance_ns\": {}, \"reference_frames\": {}, \"matched\": "
          "{}, "
          "\"missing\": {}, \"unmatched\": {}, \"repeated\": {}, \"untimed\": {}, \"caps_changes\": {}}}",
          active_.alignment == VmafAlignment::index ? "index" : "timestamp", pad.offset, tolerance(),
          session_->frames(), c.matched, c.missing, c.unmatched, c.repeated, c.untimed, c.caps_changes));
  if (pad.aligned)
    notes.emplace_back(
        "auto_align",
        fmt::format("{{\"searched\": {}, \"offset\": {}, \"error\": {}, \"error_at_zero\": {}}}",
                    active_.auto_align, pad.offset, figure(pad.aligned->error),
                    figure(pad.aligned->error_at_zero)));
  if (reference_->info) notes.emplace_back("reference", source(*reference_->info, reference_->snapshot()));
  if (pad.info) notes.emplace_back("distorted", source(*pad.info, pad.snapshot()));
  std::vector<std::string> warnings;
  if (reference_->info && pad.info) warnings = doubts(*reference_->info, *pad.info);
  warn_of_bars(reference_->bars.bars(), pad.bars.bars(), warnings);
  if (c.missing)
    warnings.push_back(fmt::format("{} reference frames had no partner and are not scored", c.missing));
  if (c.unmatched) warnings.push_back(fmt::format("{} frames belong to no reference frame", c.unmatched));
  if (c.repeated) warnings.push_back(fmt::format("{} frames repeat a timestamp", c.repeated));
  if (fitter.promoted()) warnings.push_back("bit depths differ: the shallower side was shifted up");
  const auto &log = session_->log(pad.stream);
  if (log.total() > log.size())
    warnings.push_back(
        fmt::format("only the newest {} of {} frames are kept; a file at location has all of them",
                    log.size(), log.total()));
  notes.emplace_back("warnings", text_list(warnings));
  notes.emplace_back("subsample", fmt::format("{}", active_.subsample));
  notes.emplace_back("first_frame",
                     "\"has no motion (integer_motion2 is 0), so its score is lower than its neighbours'\"");
  return notes;
}

vmaf::ReportHead VmafSink::head_of(const VmafPad &pad) const {
  const double fps =
      scoring_us_ > 0 ? 1e6 * static_cast<double>(session_->frames()) / static_cast<double>(scoring_us_) : 0;
  return {format_.width, format_.height, fps, notes_of(pad)};
}

std::string VmafSink::result_of(const VmafPad &pad) const {
  const std::lock_guard state_lock(state_mutex_);
  const std::lock_guard lock(log_mutex_);
  if (!session_ || pad.stream >= streams_.size() || streams_[pad.stream] != &pad) return {};
  return vmaf::to_text(vmaf::LogLayout::json, session_->log(pad.stream), head_of(pad));
}

/// Files grow with the stream. Several inputs cannot share standard output that way: theirs follow each other
/// at the end.
Result<void> VmafSink::open_logs() {
  files_ = std::vector<VmafLogFile>(streams_.size());
  if (active_.location.empty() || (active_.location == "-" && streams_.size() > 1)) return {};
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const std::string path =
        i == 0 ? active_.location : with_pad_name(active_.location, GST_OBJECT_NAME(streams_[i]->self()));
    if (auto opened = files_[i].open(path); !opened) return opened;
    const std::string head =
        vmaf::log_begin(active_.format, session_->log(i).names(), format_.width, format_.height);
    if (auto written = files_[i].write(head); !written) return written;
  }
  return {};
}

Result<void> VmafSink::finish_logs() {
  for (std::size_t i = 0; i < streams_.size() && !active_.location.empty(); ++i) {
    if (!streams_[i]) continue;
    std::string text;
    {
      const std::lock_guard state_lock(state_mutex_);
      const std::lock_guard lock(log_mutex_);
      const auto &log = session_->log(i);
      const vmaf::ReportHead head = head_of(*streams_[i]);
      text = files_[i].is_open() ? vmaf::log_end(active_.format, log, head)
                                 : vmaf::to_text(active_.format, log, head);
    }
    if (!files_[i].is_open())
      if (auto opened = files_[i].open("-"); !opened) return opened;
    if (auto written = files_[i].write(text); !written) return written;
    if (auto closed = files_[i].close(); !closed) return closed;
  }
  return {};
}

void VmafSink::post_summary(const VmafPad &pad) {
  const auto &log = session_->log(pad.stream);
  const std::string key = session_->models().front().key;
  std::size_t column = 0;
  while (log.names()[column] != key)
    ++column;
  const vmaf::Pooled pooled = log.pooled(column);
  gst_element_post_message(
      self_,
      gst_message_new_element(
          GST_OBJECT(self_),
          gst_structure_new("hull-vmaf-result", "pad", G_TYPE_STRING, GST_OBJECT_NAME(pad.self()), "frames",
                            G_TYPE_UINT64, session_->scored(pad.stream), "missing", G_TYPE_UINT64,
                            pad.counts.missing, "unmatched", G_TYPE_UINT64, pad.counts.unmatched, "mean",
                            G_TYPE_DOUBLE, pooled.mean, "harmonic-mean", G_TYPE_DOUBLE, pooled.harmonic_mean,
                            "min", G_TYPE_DOUBLE, pooled.min, "max", G_TYPE_DOUBLE, pooled.max, "stddev",
                            G_TYPE_DOUBLE, pooled.stddev, "p1", G_TYPE_DOUBLE, pooled.p1, "p5", G_TYPE_DOUBLE,
                            pooled.p5, "p10", G_TYPE_DOUBLE, pooled.p10, "p25", G_TYPE_DOUBLE, pooled.p25,
                            "p50", G_TYPE_DOUBLE, pooled.p50, nullptr)));
}

Result<void> VmafSink::finish() {
  if (!session_)
    return fail(
        ErrorCode::bad_data,
        fmt::format(
            "No frame was scored: the reference brought {} frames and {} distorted inputs are linked. Both "
            "sides must deliver frames whose running times agree; alignment=index ignores the times.",
            reference_->counts.received, distorted_.size()));
  {
    const std::lock_guard lock(log_mutex_);
    session_->finish();
  }
  if (auto posted = post_ready(current_moment_); !posted) return posted;
  for (const VmafPad *pad : streams_) {
    if (!pad) continue;
    if (session_->scored(pad->stream) == 0)
      return fail(
          ErrorCode::bad_data,
          fmt::format(
              "No frame of {} was scored: {} came, {} of them belong to no reference frame. Check the "
              "timestamps and offset, or use alignment=index.",
              GST_OBJECT_NAME(pad->self()), pad->counts.received, pad->counts.unmatched));
    post_summary(*pad);
  }
  if (auto written = finish_logs(); !written) return written;
  for (const VmafPad *pad : streams_)
    if (pad && active_.threshold > 0 && session_->mean(pad->stream) < active_.threshold)
      return fail(ErrorCode::bad_data,
                  fmt::format("The mean VMAF of {} is {:.3f}, below the threshold of {:.3f}.",
                              GST_OBJECT_NAME(pad->self()), session_->mean(pad->stream), active_.threshold));
  return {};
}

StructureRef VmafSink::stats() const {
  GstStructure *stats = gst_structure_new_empty("hull-vmaf-stats");
  const std::lock_guard state_lock(state_mutex_);
  const std::lock_guard lock(log_mutex_);
  gst_structure_set(stats, "frames", G_TYPE_UINT64, session_ ? session_->frames() : guint64{0}, nullptr);
  for (const VmafPad *pad : streams_) {
    if (!pad) continue;
    const auto inner = StructureRef::adopt(
        gst_structure_new(GST_OBJECT_NAME(pad->self()), "frames", G_TYPE_UINT64,
                          session_->scored(pad->stream), "score", G_TYPE_DOUBLE, session_->mean(pad->stream),
                          "missing", G_TYPE_UINT64, pad->counts.missing, "unmatched", G_TYPE_UINT64,
                          pad->counts.unmatched, "repeated", G_TYPE_UINT64, pad->counts.repeated, nullptr));
    gst_structure_set(stats, GST_OBJECT_NAME(pad->self()), GST_TYPE_STRUCTURE, inner.get(), nullptr);
  }
  return StructureRef::adopt(stats);
}

} // namespace hull
