#include "plugins/vmaf/scoring_loop.h"

#include "gst/glue/raise.h"
#include "plugins/vmaf/messages.h"
#include "plugins/vmaf/sink_log.h"

#include <fmt/format.h>
#include <utility>

namespace hull {
namespace {

vmaf::ComparisonOptions comparison_options(const VmafSinkSettings &settings) {
  vmaf::ComparisonOptions options;
  options.models = models_of(settings);
  options.model_file = settings.model_location;
  options.psnr = settings.metrics == VmafMetrics::psnr;
  options.subsample = settings.subsample;
  options.threads = settings.threads;
  options.height = static_cast<int>(settings.score_height);
  options.bits = static_cast<int>(settings.bit_depth);
  return options;
}

const char *text_of(vmaf::LeftOut::Why why) {
  switch (why) {
  case vmaf::LeftOut::Why::unmatched:
    return "belongs to no reference frame";
  case vmaf::LeftOut::Why::repeated:
    return "repeats the timestamp before it";
  case vmaf::LeftOut::Why::missing:
    break;
  }
  return "of the reference has no partner";
}

/// Bits per sample; 0 before caps came.
int depth_of(const std::optional<GstVideoInfo> &info) {
  return info ? static_cast<int>(GST_VIDEO_INFO_COMP_DEPTH(&*info, 0)) : 0;
}

} // namespace

void ScoringLoop::reset(const VmafSinkSettings &settings) {
  scorer_.emplace(comparison_options(settings));
  files_ = vmaf::ScoreFiles(settings.location, settings.format);
}

HeldPictures ScoringLoop::release() {
  Lock lock(inputs_.mutex);
  while (inputs_.scoring)
    inputs_.changed.wait(lock);
  return scorer_->release();
}

GstFlowReturn ScoringLoop::advance() {
  while (auto work = take_work()) {
    Result<void> done;
    try {
      done = run(*work);
    } catch (const std::exception &error) {
      done = fail(ErrorCode::state, std::string("Scoring stopped: ") + error.what() + ".");
    }
    if (!done) raise(inputs_.element, done.error());
    give_back(std::move(*work), done.has_value());
  }
  const Lock lock(inputs_.mutex);
  return inputs_.flow();
}

std::optional<ScoringLoop::Work> ScoringLoop::take_work() {
  std::vector<vmaf::LeftOut> left_out; // buffers go without the lock
  std::optional<Work> work;
  {
    const Lock lock(inputs_.mutex);
    if (inputs_.scoring || inputs_.ended || inputs_.flow() != GST_FLOW_OK) return std::nullopt;
    work = choose_work();
    inputs_.scoring = work.has_value();
    left_out = inputs_.matcher.take_left_out();
    if (!left_out.empty()) ++inputs_.progress;
    inputs_.changed.notify_all(); // what is left out made room
  }
  log(left_out);
  return work;
}

/// Without the frames that an input lacks because it is not linked: start() says so once.
void ScoringLoop::log(const std::vector<vmaf::LeftOut> &left_out) const {
  for (const vmaf::LeftOut &one : left_out) {
    if (one.why == vmaf::LeftOut::Why::missing && !inputs_.is_linked(one.input)) continue;
    GST_DEBUG_OBJECT(inputs_.element, "%s: frame %" G_GUINT64_FORMAT " at %" GST_TIME_FORMAT " %s",
                     inputs_.name_of(one.input).c_str(), one.number,
                     GST_TIME_ARGS(frame_of(one.frame)->running_time), text_of(one.why));
  }
}

std::optional<ScoringLoop::Work> ScoringLoop::choose_work() {
  vmaf::FrameMatcher &matcher = inputs_.matcher;
  matcher.set_ended(vmaf::kReferenceInput, inputs_.of(*inputs_.reference).eos);
  for (const VmafPad *pad : inputs_.distorted) {
    const VmafInput &input = inputs_.of(*pad);
    matcher.set_ended(input.id, input.eos || !gst_pad_is_linked(pad->self()));
  }
  if (auto task = matcher.start_search()) return std::move(*task);
  if (auto set = matcher.next()) return std::move(*set);
  if (!matcher.finished()) return std::nullopt;
  inputs_.ended = true;
  return End{};
}

void ScoringLoop::give_back(Work work, bool succeeded) {
  work = End{}; // buffers go without the lock
  const Lock lock(inputs_.mutex);
  inputs_.scoring = false;
  inputs_.matcher.scored();
  ++inputs_.progress;
  inputs_.failed |= !succeeded;
  inputs_.changed.notify_all();
}

Result<void> ScoringLoop::run(const Work &work) {
  if (const auto *task = std::get_if<vmaf::AlignmentTask>(&work)) return align(*task);
  if (const auto *set = std::get_if<vmaf::FrameSet>(&work)) return score(*set);
  return finish();
}

Result<void> ScoringLoop::align(const vmaf::AlignmentTask &task) {
  const vmaf::Alignments found = vmaf::find_alignments(task);
  bool ended = false;
  {
    const Lock lock(inputs_.mutex);
    ended = inputs_.matcher.end_search(found);
  }
  for (const auto &[id, alignment] : found)
    GST_INFO_OBJECT(inputs_.element,
                    "%s: offset %d of at most %d frames is %s, squared difference %.2f against %.2f without "
                    "and %.2f at the next best",
                    inputs_.name_of(id).c_str(), alignment.offset, task.reach,
                    vmaf::name_of(alignment.verdict), alignment.error, alignment.error_at_zero,
                    alignment.runner_up);
  if (!ended) return {};
  for (const auto &[id, alignment] : found)
    if (auto good = accept(alignment, inputs_.name_of(id), static_cast<unsigned>(task.reach)); !good)
      return good;
  return {};
}

/// A wrong offset makes wrong scores that look like right ones.
Result<void> ScoringLoop::accept(const vmaf::Alignment &alignment, const std::string &pad,
                                 unsigned searched) {
  using Verdict = vmaf::Alignment::Verdict;
  if (alignment.verdict == Verdict::sure) return {};
  const Error doubt{ErrorCode::bad_data, vmaf::doubt_about(alignment, pad, searched)};
  if (alignment.verdict == Verdict::unlike || alignment.verdict == Verdict::beyond)
    return tl::unexpected(doubt);
  warn(inputs_.element, doubt);
  return {};
}

Result<void> ScoringLoop::score(const vmaf::FrameSet &set) {
  if (!scorer_->started())
    if (auto started = start(set); !started) return started;
  const auto scored = scorer_->score(set);
  if (!scored) return tl::unexpected(scored.error());
  return record(*scored);
}

Result<void> ScoringLoop::start(const vmaf::FrameSet &first) {
  if (auto started = scorer_->start(first, choose_inputs()); !started) return started;
  const ScorerState state = scorer_->state();
  std::vector<std::string> pads;
  for (const ScorerState::Stream &stream : state.streams)
    pads.push_back(stream.pad);
  if (auto opened = files_.open(pads, *state.columns, state.format.width, state.format.height); !opened)
    return opened;
  log_choices(state);
  results_.begin(state);
  return {};
}

/// The linked ones. From here on none can be added: the scorer would not know it.
std::vector<ScoredInput> ScoringLoop::choose_inputs() {
  std::vector<ScoredInput> linked, unlinked;
  {
    const Lock lock(inputs_.mutex);
    inputs_.complete = true;
    for (const VmafPad *pad : inputs_.distorted) {
      const VmafInput &input = inputs_.of(*pad);
      (gst_pad_is_linked(pad->self()) ? linked : unlinked)
          .push_back({input.id, pad->name(), depth_of(input.info)});
    }
  }
  for (const ScoredInput &input : unlinked)
    GST_INFO_OBJECT(inputs_.element, "%s is not linked: left out", input.pad.c_str());
  return linked;
}

void ScoringLoop::log_choices(const ScorerState &state) const {
  for (const auto &[key, model] : state.models)
    GST_INFO_OBJECT(inputs_.element, "model %s as %s", model.c_str(), key.c_str());
  for (const ScorerState::Stream &stream : state.streams)
    GST_INFO_OBJECT(inputs_.element, "%s is scored at %dx%d, %d bits", stream.pad.c_str(), state.format.width,
                    state.format.height, state.format.bits);
}

/// Scores become readable, then they are written and posted.
Result<void> ScoringLoop::record(const ScoredFrames &frames) {
  if (frames.empty()) results_.add({}, scorer_->state()); // its count of frames went on
  for (const ScoredFrame &frame : frames)
    if (auto recorded = record(frame); !recorded) return recorded;
  return {};
}

Result<void> ScoringLoop::record(const ScoredFrame &frame) {
  const std::vector<std::string> pads = results_.add(frame.scores, scorer_->state());
  for (const vmaf::FrameScore &score : frame.scores) {
    if (auto written = files_.write(score); !written) return written;
    const std::string &pad = pads[score.stream];
    GST_LOG_OBJECT(inputs_.element, "%s: reference frame %" G_GUINT64_FORMAT " scores %.3f", pad.c_str(),
                   score.frame, score.score());
    if (!pad.empty() && settings_.snapshot().frame_messages) post(frame_message(pad, score, frame.times));
  }
  return {};
}

/// All inputs have ended: last frames, files, messages, EOS.
Result<void> ScoringLoop::finish() {
  if (!scorer_->started()) return tl::unexpected(lack_of_frames());
  if (auto recorded = record(scorer_->finish()); !recorded) return recorded;
  const std::size_t streams = scorer_->state().streams.size();
  for (std::size_t i = 0; i < streams; ++i)
    if (auto posted = post_result(i); !posted) return posted;
  for (std::size_t i = 0; files_.wanted() && i < streams; ++i)
    if (const auto report = results_.report(i))
      if (auto written = files_.finish(i, report->log, report->head); !written) return written;
  for (std::size_t i = 0; i < streams; ++i)
    if (auto good = results_.check_threshold(i); !good) return good;
  post_eos();
  return {};
}

Error ScoringLoop::lack_of_frames() const {
  const Lock lock(inputs_.mutex);
  return {ErrorCode::bad_data,
          fmt::format(
              "No frame was scored: the reference brought {} frames and {} distorted inputs are linked. Both "
              "sides must deliver frames whose running times agree; alignment=index ignores the times.",
              inputs_.matcher.input(vmaf::kReferenceInput).counts.received, inputs_.distorted.size())};
}

Result<void> ScoringLoop::post_result(std::size_t stream) {
  const auto figures = results_.figures(stream);
  if (!figures) return {};
  const auto &[pad, scores, counts] = *figures;
  GST_INFO_OBJECT(inputs_.element,
                  "%s: %" G_GUINT64_FORMAT " frames scored, mean %.3f; matched %" G_GUINT64_FORMAT
                  ", missing %" G_GUINT64_FORMAT ", unmatched %" G_GUINT64_FORMAT
                  ", repeated %" G_GUINT64_FORMAT,
                  pad.c_str(), scores.frames(), scores.mean(), counts.matched, counts.missing,
                  counts.unmatched, counts.repeated);
  if (scores.frames() == 0)
    return fail(
        ErrorCode::bad_data,
        fmt::format("No frame of {} was scored: {} came, {} of them belong to no reference frame. Check the "
                    "timestamps and offset, or use alignment=index.",
                    pad, counts.received, counts.unmatched));
  post(result_message(pad, scores, counts));
  return {};
}

void ScoringLoop::post(StructureRef fields) {
  gst_element_post_message(inputs_.element,
                           gst_message_new_element(GST_OBJECT(inputs_.element), fields.release()));
}

void ScoringLoop::post_eos() {
  GstMessage *message = gst_message_new_eos(GST_OBJECT(inputs_.element));
  std::uint32_t seqnum = 0;
  {
    const Lock lock(inputs_.mutex);
    seqnum = inputs_.seqnum;
  }
  if (seqnum) gst_message_set_seqnum(message, seqnum);
  gst_element_post_message(inputs_.element, message);
}

} // namespace hull
