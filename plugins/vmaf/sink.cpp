#include "plugins/vmaf/sink.h"

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "plugins/vmaf/messages.h"
#include "plugins/vmaf/source_facts.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <utility>

#define GST_CAT_DEFAULT hull::category<VmafSink>()

namespace hull {
namespace {

GstFlowReturn chain_thunk(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  try {
    return Shell<VmafSink>::of(parent).chain(Shell<VmafPad>::of(pad), BufferRef::adopt(buffer));
  } catch (const std::exception &error) {
    GST_ELEMENT_ERROR(parent, RESOURCE, FAILED, ("Scoring stopped: %s.", error.what()), (nullptr));
    return GST_FLOW_ERROR;
  }
}

gboolean event_thunk(GstPad *pad, GstObject *parent, GstEvent *event) {
  try {
    return Shell<VmafSink>::of(parent).event(Shell<VmafPad>::of(pad), EventRef::adopt(event));
  } catch (const std::exception &error) {
    GST_ELEMENT_ERROR(parent, RESOURCE, FAILED, ("Scoring stopped: %s.", error.what()), (nullptr));
    return FALSE;
  }
}

/// A model file alone stands in for the default.
std::string models_of(const VmafSinkSettings &settings) {
  return settings.models.empty() && settings.model_location.empty() ? "vmaf_v0.6.1" : settings.models;
}

vmaf::ComparisonOptions comparison_options(const VmafSinkSettings &settings) {
  vmaf::ComparisonOptions options;
  options.models = models_of(settings);
  options.model_file = settings.model_location;
  options.psnr = settings.metrics == VmafMetrics::psnr;
  options.subsample = settings.subsample;
  options.threads = settings.threads;
  options.height = static_cast<int>(settings.score_height);
  return options;
}

vmaf::MatchRules match_rules(const VmafSinkSettings &settings) {
  return {settings.alignment == VmafAlignment::index, static_cast<std::int64_t>(settings.tolerance),
          settings.auto_align};
}

std::optional<std::int64_t> matched_time(GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  return static_cast<std::int64_t>(time);
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

constexpr GstClockTime kTick = GST_SECOND / 4;
constexpr unsigned kTicksToWarning = 20, kTicksToError = 40;
constexpr std::size_t kMostFrames = 512, kMostBytes = std::size_t{1} << 30; ///< that wait on one input

Error lack_of_links(bool reference_is_linked) {
  return {
      ErrorCode::settings,
      fmt::format("Nothing can be scored: no {} is linked. Link the reference to the pad reference and each "
                  "video to compare with it to a pad distorted_%u.",
                  reference_is_linked ? "distorted input" : "reference")};
}

/// Bits per sample; 0 before caps came.
int depth_of(const std::optional<GstVideoInfo> &info) {
  return info ? static_cast<int>(GST_VIDEO_INFO_COMP_DEPTH(&*info, 0)) : 0;
}

void set_times(VmafFrame &frame, GstClockTime pts, const GstSegment &segment) {
  if (!GST_CLOCK_TIME_IS_VALID(pts) || segment.format != GST_FORMAT_TIME) return;
  const GstClockTime shown = std::max(pts, segment.start);
  frame.running_time = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, shown);
  frame.stream_time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, shown);
}

/// Whether a buffer lies before its segment, as decoders' lead-in does after a seek.
bool before_segment(GstBuffer *buffer, const GstSegment &segment) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer), duration = GST_BUFFER_DURATION(buffer);
  if (!GST_CLOCK_TIME_IS_VALID(pts) || segment.format != GST_FORMAT_TIME || pts >= segment.start)
    return false;
  return !GST_CLOCK_TIME_IS_VALID(duration) || pts + duration <= segment.start;
}

} // namespace

void VmafSink::class_init(GstElementClass *klass) {
  gst_element_class_set_static_metadata(klass, "VMAF measurement", "Sink/Analyzer/Video",
                                        "Scores distorted videos against a reference, equal to libvmaf",
                                        "gst-plugins-hull");
  const auto caps = CapsRef::adopt(gst_caps_from_string(kVmafCaps));
  gst_element_class_add_pad_template(klass, gst_pad_template_new_with_gtype("reference", GST_PAD_SINK,
                                                                            GST_PAD_ALWAYS, caps.get(),
                                                                            shell_type<VmafPad>()));
  gst_element_class_add_pad_template(klass, gst_pad_template_new_with_gtype("distorted_%u", GST_PAD_SINK,
                                                                            GST_PAD_REQUEST, caps.get(),
                                                                            shell_type<VmafPad>()));
  klass->request_new_pad = thunk<&VmafSink::request_new_pad>;
  klass->release_pad = thunk<&VmafSink::release_pad>;
  klass->change_state = thunk<&VmafSink::change_state>;
}

/// Pads are children, so that gst-launch-1.0 can set distorted_0::offset.
void VmafSink::add_interfaces(GType type) {
  static const GInterfaceInfo info{[](gpointer table, gpointer) {
                                     auto *proxy = static_cast<GstChildProxyInterface *>(table);
                                     proxy->get_children_count = [](GstChildProxy *parent) -> guint {
                                       const ObjectLock lock(parent);
                                       return GST_ELEMENT(parent)->numsinkpads;
                                     };
                                     proxy->get_child_by_index = [](GstChildProxy *parent,
                                                                    guint index) -> GObject * {
                                       const ObjectLock lock(parent);
                                       gpointer pad = g_list_nth_data(GST_ELEMENT(parent)->sinkpads, index);
                                       return pad ? G_OBJECT(gst_object_ref(pad)) : nullptr;
                                     };
                                   },
                                   nullptr, nullptr};
  g_type_add_interface_static(type, GST_TYPE_CHILD_PROXY, &info);
}

VmafSink::VmafSink(GstElement *self) : self_(self) {
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
  GstPadTemplate *templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "reference");
  auto *pad = GST_PAD(g_object_new(shell_type<VmafPad>(), "name", "reference", "direction", GST_PAD_SINK,
                                   "template", templ, nullptr));
  reference_ = &Shell<VmafPad>::of(pad);
  add_pad(pad);
}

VmafSink::~VmafSink() = default;

void VmafSink::add_pad(GstPad *pad) {
  gst_pad_set_chain_function(pad, chain_thunk);
  gst_pad_set_event_function(pad, event_thunk);
  gst_element_add_pad(self_, pad);
}

/// The name of the next distorted input where none was asked for.
std::string VmafSink::free_name() const {
  const Lock lock(mutex_);
  const auto taken = [this](const std::string &name) HULL_REQUIRES(mutex_) {
    return std::any_of(distorted_.begin(), distorted_.end(),
                       [&name](const VmafPad *pad) { return name == pad->name(); });
  };
  unsigned number = 0;
  while (taken("distorted_" + std::to_string(number)))
    ++number;
  return "distorted_" + std::to_string(number);
}

/// Makes an input known, if it may come.
Result<void> VmafSink::register_input(VmafPad &pad) {
  const Lock lock(mutex_);
  if (!scores_.empty()) return fail(ErrorCode::state, "no inputs can be added once scoring has begun");
  for (const VmafPad *other : pads())
    if (!std::strcmp(other->name(), pad.name()))
      return fail(ErrorCode::settings, std::string("there is a pad called ") + pad.name() + " already");
  VmafInput &mine = input(pad);
  mine.reset();
  mine.id = ++newest_input_;
  mine.flushing = flushing_;
  matcher_.add(mine.id, 0);
  distorted_.push_back(&pad);
  return {};
}

GstPad *VmafSink::request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *) {
  const std::string chosen = name ? name : free_name();
  const auto pad = PadRef::retain(GST_PAD(g_object_new(
      shell_type<VmafPad>(), "name", chosen.c_str(), "direction", GST_PAD_SINK, "template", templ, nullptr)));
  VmafPad &made = Shell<VmafPad>::of(pad.get());
  if (const auto known = register_input(made); !known) {
    GST_WARNING_OBJECT(self_, "%s", known.error().text.c_str());
    return nullptr;
  }
  add_pad(pad.get());
  gst_child_proxy_child_added(GST_CHILD_PROXY(self_), G_OBJECT(pad.get()), chosen.c_str());
  const std::int32_t offset = made.snapshot().offset; // gst-launch has set the pad's properties by now
  const Lock lock(mutex_);
  matcher_.set_offset(input(made).id, offset);
  return pad.get();
}

void VmafSink::release_pad(GstPad *pad) {
  VmafPad *leaving = &Shell<VmafPad>::of(pad);
  bool running = false;
  {
    const Lock lock(mutex_);
    input(*leaving).flushing = true;
    std::erase(distorted_, leaving);
    running = !flushing_;
  }
  changed_.notify_all();
  gst_pad_set_active(pad, FALSE);       // its thread has left us afterwards
  std::deque<vmaf::TimedFrame> flushed; // buffers go without the lock
  {
    const Lock lock(mutex_);
    flushed = matcher_.flush(input(*leaving).id);
    matcher_.remove(input(*leaving).id);
  }
  gst_child_proxy_child_removed(GST_CHILD_PROXY(self_), G_OBJECT(pad), leaving->name());
  gst_element_remove_pad(self_, pad);
  if (running) advance(); // the others may have waited for this one
}

GstStateChangeReturn VmafSink::change_state(GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    const VmafSinkSettings settings = snapshot();
    // A wrong model name or file must not wait for the first frame.
    if (auto models = vmaf::choose_models(models_of(settings), settings.model_location, 0); !models) {
      raise(self_, models.error());
      return GST_STATE_CHANGE_FAILURE;
    }
    reset();
    ticker_.start(self_, kTick, [](GstClock *, GstClockTime, GstClockID, gpointer self) -> gboolean {
      Shell<VmafSink>::of(self).watch();
      return TRUE;
    });
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    ticker_.stop();
    const Lock lock(mutex_);
    flushing_ = true;
    changed_.notify_all();
  }
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED || transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    const Lock lock(mutex_);
    paused_ = transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
    ++progress_;
  }
  const GstStateChangeReturn changed = Shell<VmafSink>::parent_class()->change_state(self_, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) clear();
  return changed;
}

void VmafSink::reset() {
  const VmafSinkSettings settings = snapshot();
  const Lock lock(mutex_);
  active_ = settings;
  flushing_ = failed_ = ended_ = paused_ = false;
  matcher_ = vmaf::FrameMatcher(match_rules(settings));
  input(*reference_).reset();
  for (VmafPad *pad : distorted_) {
    input(*pad).reset();
    matcher_.add(input(*pad).id, pad->snapshot().offset);
  }
  scoring_ = std::make_unique<Scoring>(
      Scoring{Scorer(comparison_options(settings)), vmaf::ScoreFiles(settings.location, settings.format)});
  state_ = {};
  scores_.clear();
}

/// No thread is in the element any more: lets the buffers go. Results stay.
void VmafSink::clear() {
  std::vector<std::deque<vmaf::TimedFrame>> flushed; // buffers go without the lock
  std::unique_ptr<MappedPicture> previous;
  Lock lock(mutex_);
  while (!scoring_)
    changed_.wait(lock);
  previous = scoring_->scorer.release();
  flushed.push_back(matcher_.flush(vmaf::kReferenceInput));
  for (const VmafPad *pad : distorted_)
    flushed.push_back(matcher_.flush(input(*pad).id));
}

bool VmafSink::event(VmafPad &pad, EventRef event) {
  switch (GST_EVENT_TYPE(event.get())) {
  case GST_EVENT_CAPS: {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event.get(), &caps);
    update_caps(pad, caps);
    return true;
  }
  case GST_EVENT_SEGMENT: {
    GstSegment segment;
    gst_event_copy_segment(event.get(), &segment);
    GST_INFO_OBJECT(pad.self(), "%" GST_SEGMENT_FORMAT, static_cast<void *>(&segment));
    const Lock lock(mutex_);
    input(pad).segment = segment;
    return true;
  }
  case GST_EVENT_EOS: {
    std::uint64_t frames = 0;
    {
      const Lock lock(mutex_);
      input(pad).eos = true;
      seqnum_ = gst_event_get_seqnum(event.get());
      ++progress_;
      frames = matcher_.input(input(pad).id).counts.received;
    }
    GST_INFO_OBJECT(pad.self(), "ends after %" G_GUINT64_FORMAT " frames", frames);
    return advance() == GST_FLOW_OK;
  }
  case GST_EVENT_FLUSH_START: {
    const Lock lock(mutex_);
    input(pad).flushing = true;
    changed_.notify_all();
    return true;
  }
  case GST_EVENT_FLUSH_STOP:
    flush(pad);
    return true;
  default:
    return true;
  }
}

void VmafSink::flush(VmafPad &pad) {
  std::deque<vmaf::TimedFrame> flushed; // buffers go without the lock
  {
    const Lock lock(mutex_);
    VmafInput &mine = input(pad);
    mine.flushing = mine.eos = false;
    gst_segment_init(&mine.segment, GST_FORMAT_TIME);
    flushed = matcher_.flush(mine.id);
  }
  GST_DEBUG_OBJECT(pad.self(), "flushed: %zu waiting frames let go", flushed.size());
}

void VmafSink::update_caps(VmafPad &pad, GstCaps *caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) {
    const OwnedText text(gst_caps_to_string(caps));
    raise(self_, Error{ErrorCode::unsupported, std::string("Caps on pad ") + pad.name() +
                                                   " describe no raw video: " + text.c_str() + "."});
    return;
  }
  GST_INFO_OBJECT(pad.self(), "%" GST_PTR_FORMAT, static_cast<void *>(caps));
  const Lock lock(mutex_);
  VmafInput &mine = input(pad);
  if (mine.info && !gst_video_info_is_equal(&*mine.info, &info)) ++mine.caps_changes;
  mine.info = info;
}

GstFlowReturn VmafSink::flow(const VmafInput &input) const {
  if (flushing_ || input.flushing) return GST_FLOW_FLUSHING;
  return failed_ ? GST_FLOW_ERROR : GST_FLOW_OK;
}

GstFlowReturn VmafSink::chain(VmafPad &pad, BufferRef buffer) {
  const GstFlowReturn taken = take_frame(pad, std::move(buffer));
  if (taken != GST_FLOW_OK) return taken;
  return advance();
}

/// Room comes when partners do. Where they do not, since a branch holds more pictures than the queue of the
/// other lets through, more frames are taken in; where that does not help either, it is said.
void VmafSink::watch() {
  std::optional<Error> error, warning;
  {
    const Lock lock(mutex_);
    if (!stands_still()) return;
    const bool unlinked = distorted_.empty() || !gst_pad_is_linked(reference_->self());
    if (unlinked && still_ticks_ >= kTicksToError)
      error = lack_of_links(gst_pad_is_linked(reference_->self()));
    else if (!unlinked && !make_room() && still_ticks_ >= kTicksToWarning && !std::exchange(warned_, true))
      warning = silence();
  }
  if (error) fail_with(*error);
  if (warning) warn(self_, *warning);
}

/// Whether frames or ends have come and nothing has happened for a while that should have.
bool VmafSink::stands_still() {
  const auto waits = [this](const VmafPad *pad) HULL_REQUIRES(mutex_) {
    return input(*pad).eos || !matcher_.input(input(*pad).id).frames.empty();
  };
  const auto all = pads();
  const bool idle = flushing_ || failed_ || ended_ || paused_ || !scoring_;
  if (idle || std::exchange(seen_progress_, progress_) != progress_ ||
      std::none_of(all.begin(), all.end(), waits)) {
    still_ticks_ = 0;
    warned_ = false;
    return false;
  }
  ++still_ticks_;
  return true;
}

/// Lets inputs hold more frames where one has no room while another brings nothing.
bool VmafSink::make_room() {
  std::size_t bytes = 1;
  bool full = false;
  for (const VmafPad *pad : pads()) {
    const VmafInput &mine = input(*pad);
    full |= !mine.eos && !matcher_.has_room(mine.id);
    if (mine.info) bytes = std::max<std::size_t>(bytes, GST_VIDEO_INFO_SIZE(&*mine.info));
  }
  if (!full || !matcher_.grow(std::clamp<std::size_t>(kMostBytes / bytes, 16, kMostFrames))) return false;
  changed_.notify_all();
  return true;
}

Error VmafSink::silence() const {
  const auto starving = matcher_.starving();
  std::string silent, waiting;
  for (const VmafPad *pad : pads()) {
    const std::size_t frames = matcher_.input(input(*pad).id).frames.size();
    if (std::find(starving.begin(), starving.end(), input(*pad).id) != starving.end())
      silent += (silent.empty() ? "" : ", ") + std::string(pad->name());
    else
      waiting += fmt::format("{}{} frames on {}", waiting.empty() ? "" : ", ", frames, pad->name());
  }
  return {ErrorCode::state,
          fmt::format("Scoring waits for {}, where no frame has come for {} s, with {}. See what "
                      "holds that branch up.",
                      silent, kTicksToWarning / 4, waiting)};
}

std::vector<VmafPad *> VmafSink::pads() const {
  std::vector<VmafPad *> all{reference_};
  all.insert(all.end(), distorted_.begin(), distorted_.end());
  return all;
}

/// Gives a buffer to the matcher as soon as that has room.
GstFlowReturn VmafSink::take_frame(VmafPad &pad, BufferRef buffer) {
  auto frame = std::make_shared<VmafFrame>();
  frame->crop = pad.snapshot();
  bool searching = false;
  {
    Lock lock(mutex_);
    VmafInput &mine = input(pad);
    while (flow(mine) == GST_FLOW_OK && !matcher_.has_room(mine.id))
      changed_.wait(lock);
    if (flow(mine) != GST_FLOW_OK) return flow(mine);
    if (mine.eos) return GST_FLOW_EOS;
    if (!mine.info) return GST_FLOW_NOT_NEGOTIATED;
    if (before_segment(buffer.get(), mine.segment)) {
      lock.unlock();
      GST_DEBUG_OBJECT(pad.self(), "a frame before the segment is left out: %" GST_PTR_FORMAT,
                       static_cast<void *>(buffer.get()));
      return GST_FLOW_OK;
    }
    frame->info = *mine.info;
    set_times(*frame, GST_BUFFER_PTS(buffer.get()), mine.segment);
    searching = matcher_.searching();
  }
  frame->buffer = std::move(buffer);
  std::optional<vmaf::Thumbnail> thumbnail;
  if (searching) {
    const auto mapped = MappedPicture::map(frame, pad.name());
    if (!mapped) return fail_with(mapped.error());
    thumbnail = vmaf::thumbnail((*mapped)->picture.y);
  }
  GST_LOG_OBJECT(pad.self(), "frame at running time %" GST_TIME_FORMAT, GST_TIME_ARGS(frame->running_time));
  bool first = false;
  {
    const Lock lock(mutex_);
    const VmafInput &mine = input(pad);
    if (flow(mine) != GST_FLOW_OK) return flow(mine);
    matcher_.push(mine.id, {matched_time(frame->running_time), frame_duration(frame->info), frame},
                  thumbnail ? &*thumbnail : nullptr);
    ++progress_;
    first = matcher_.input(mine.id).counts.received == 1;
  }
  if (first) log_first(pad, *frame);
  return GST_FLOW_OK;
}

void VmafSink::log_first(const VmafPad &pad, const VmafFrame &frame) const {
  GST_INFO_OBJECT(pad.self(), "first frame at running time %" GST_TIME_FORMAT ", cropped by %u %u %u %u",
                  GST_TIME_ARGS(frame.running_time), frame.crop.crop_left, frame.crop.crop_top,
                  frame.crop.crop_right, frame.crop.crop_bottom);
}

GstFlowReturn VmafSink::fail_with(const Error &error) {
  raise(self_, error);
  const Lock lock(mutex_);
  failed_ = true;
  changed_.notify_all();
  return GST_FLOW_ERROR;
}

/// Does whatever there is to do by now. One thread at a time; the others go back to waiting for room.
GstFlowReturn VmafSink::advance() {
  while (auto work = take_work()) {
    Result<void> done;
    try {
      done = run(*work);
    } catch (const std::exception &error) {
      done = fail(ErrorCode::state, std::string("Scoring stopped: ") + error.what() + ".");
    }
    if (!done) raise(self_, done.error());
    put_back(std::move(*work), done.has_value());
  }
  const Lock lock(mutex_);
  if (flushing_) return GST_FLOW_FLUSHING;
  return failed_ ? GST_FLOW_ERROR : GST_FLOW_OK;
}

std::optional<VmafSink::Work> VmafSink::take_work() {
  std::vector<vmaf::LeftOut> left_out; // buffers go without the lock
  std::optional<Work> work;
  {
    const Lock lock(mutex_);
    if (!scoring_ || failed_ || flushing_ || ended_) return std::nullopt;
    work = choose_work();
    if (work) work->scoring = std::move(scoring_);
    left_out = matcher_.take_left_out();
    if (!left_out.empty()) ++progress_;
    changed_.notify_all(); // what is left out made room
  }
  for (const vmaf::LeftOut &one : left_out)
    GST_DEBUG_OBJECT(self_, "%s: frame %" G_GUINT64_FORMAT " at %" GST_TIME_FORMAT " %s",
                     name_of(one.input).c_str(), one.number, GST_TIME_ARGS(frame_of(one.frame)->running_time),
                     text_of(one.why));
  return work;
}

std::optional<VmafSink::Work> VmafSink::choose_work() {
  matcher_.set_ended(vmaf::kReferenceInput, input(*reference_).eos);
  for (const VmafPad *pad : distorted_)
    matcher_.set_ended(input(*pad).id, input(*pad).eos || !gst_pad_is_linked(pad->self()));
  if (auto task = matcher_.start_search()) return Work{nullptr, std::move(*task)};
  if (auto set = matcher_.next()) return Work{nullptr, std::move(*set)};
  if (!matcher_.finished()) return std::nullopt;
  ended_ = true;
  return Work{};
}

Result<void> VmafSink::run(Work &work) {
  if (const auto *task = std::get_if<vmaf::AlignmentTask>(&work.what)) return align(*task);
  if (const auto *set = std::get_if<vmaf::FrameSet>(&work.what)) return score(*work.scoring, *set);
  return finish(*work.scoring);
}

void VmafSink::put_back(Work work, bool succeeded) {
  work.what = End{}; // buffers go without the lock
  const Lock lock(mutex_);
  scoring_ = std::move(work.scoring);
  matcher_.scored();
  ++progress_;
  failed_ |= !succeeded;
  changed_.notify_all();
}

Result<void> VmafSink::align(const vmaf::AlignmentTask &task) {
  const vmaf::Alignments found = vmaf::find_alignments(task);
  bool ended = false;
  {
    const Lock lock(mutex_);
    ended = matcher_.end_search(found);
  }
  for (const auto &[id, alignment] : found)
    GST_INFO_OBJECT(self_,
                    "%s: offset %d of at most %d frames is %s, squared difference %.2f against %.2f without "
                    "and %.2f at the next best",
                    name_of(id).c_str(), alignment.offset, task.reach, vmaf::name_of(alignment.verdict),
                    alignment.error, alignment.error_at_zero, alignment.runner_up);
  if (!ended) return {};
  for (const auto &[id, alignment] : found)
    if (auto good = accept(alignment, name_of(id), static_cast<unsigned>(task.reach)); !good) return good;
  return {};
}

/// A wrong offset makes wrong scores that look like right ones.
Result<void> VmafSink::accept(const vmaf::Alignment &alignment, const std::string &pad, unsigned searched) {
  using Verdict = vmaf::Alignment::Verdict;
  if (alignment.verdict == Verdict::sure) return {};
  const Error doubt{ErrorCode::bad_data, vmaf::doubt_about(alignment, pad, searched)};
  if (alignment.verdict == Verdict::unlike || alignment.verdict == Verdict::beyond)
    return tl::unexpected(doubt);
  warn(self_, doubt);
  return {};
}

Result<void> VmafSink::start(Scoring &scoring, const vmaf::FrameSet &first) {
  std::vector<ScoredInput> inputs, unlinked;
  std::uint32_t kept_frames = 0;
  {
    const Lock lock(mutex_);
    kept_frames = active_.kept_frames;
    for (const VmafPad *pad : distorted_)
      (gst_pad_is_linked(pad->self()) ? inputs : unlinked)
          .push_back({input(*pad).id, pad->name(), depth_of(input(*pad).info)});
  }
  for (const ScoredInput &input : unlinked)
    GST_INFO_OBJECT(self_, "%s is not linked: left out", input.pad.c_str());
  if (auto started = scoring.scorer.start(first, inputs); !started) return started;
  ScorerState state = scoring.scorer.state();
  std::vector<std::string> pads;
  for (const ScorerState::Stream &stream : state.streams)
    pads.push_back(stream.pad);
  if (auto opened = scoring.files.open(pads, *state.columns, state.format.width, state.format.height);
      !opened)
    return opened;
  log_choices(state);
  const Lock lock(mutex_);
  scores_.assign(state.streams.size(), vmaf::StreamScores(*state.columns, kept_frames));
  state_ = std::move(state);
  return {};
}

void VmafSink::log_choices(const ScorerState &state) const {
  for (const auto &[key, model] : state.models)
    GST_INFO_OBJECT(self_, "model %s as %s", model.c_str(), key.c_str());
  for (const ScorerState::Stream &stream : state.streams)
    GST_INFO_OBJECT(self_, "%s is scored at %dx%d, %d bits", stream.pad.c_str(), state.format.width,
                    state.format.height, state.format.bits);
}

Result<void> VmafSink::score(Scoring &scoring, const vmaf::FrameSet &set) {
  if (!scoring.scorer.started())
    if (auto started = start(scoring, set); !started) return started;
  const auto scored = scoring.scorer.score(set);
  if (!scored) return tl::unexpected(scored.error());
  return record(scoring, *scored);
}

/// Scores become readable, then they are written and posted.
Result<void> VmafSink::record(Scoring &scoring, const ScoredFrame &frame) {
  ScorerState state = scoring.scorer.state();
  std::vector<std::string> pads(state.streams.size()); ///< of those that are still there
  {
    const Lock lock(mutex_);
    for (const vmaf::FrameScore &score : frame.scores) {
      scores_[score.stream].add(score);
      const ScorerState::Stream &stream = state.streams[score.stream];
      if (pad_of(stream.input)) pads[score.stream] = stream.pad;
    }
    std::swap(state_, state);
  }
  for (const vmaf::FrameScore &score : frame.scores) {
    if (auto written = scoring.files.write(score); !written) return written;
    const std::string &pad = pads[score.stream];
    GST_LOG_OBJECT(self_, "%s: reference frame %" G_GUINT64_FORMAT " scores %.3f", pad.c_str(), score.frame,
                   score.score());
    if (!pad.empty() && snapshot().frame_messages) post(frame_message(pad, score, frame.times));
  }
  return {};
}

/// All inputs have ended: last frame, files, messages, EOS.
Result<void> VmafSink::finish(Scoring &scoring) {
  if (!scoring.scorer.started()) {
    const Lock lock(mutex_);
    return fail(
        ErrorCode::bad_data,
        fmt::format(
            "No frame was scored: the reference brought {} frames and {} distorted inputs are linked. Both "
            "sides must deliver frames whose running times agree; alignment=index ignores the times.",
            matcher_.input(vmaf::kReferenceInput).counts.received, distorted_.size()));
  }
  if (auto recorded = record(scoring, scoring.scorer.finish()); !recorded) return recorded;
  const ScorerState state = scoring.scorer.state();
  for (std::size_t i = 0; i < state.streams.size(); ++i)
    if (auto posted = post_result(i); !posted) return posted;
  for (std::size_t i = 0; scoring.files.wanted() && i < state.streams.size(); ++i)
    if (auto written = finish_file(scoring.files, i); !written) return written;
  for (std::size_t i = 0; i < state.streams.size(); ++i)
    if (auto good = check_threshold(i); !good) return good;
  GstMessage *message = gst_message_new_eos(GST_OBJECT(self_));
  if (const std::uint32_t seqnum = last_seqnum()) gst_message_set_seqnum(message, seqnum);
  gst_element_post_message(self_, message);
  return {};
}

Result<void> VmafSink::post_result(std::size_t stream) {
  vmaf::StreamScores scores;
  vmaf::MatchCounts counts;
  std::string pad;
  {
    const Lock lock(mutex_);
    const VmafPad *there = pad_of(state_.streams[stream].input);
    if (!there) return {};
    pad = there->name();
    scores = scores_[stream];
    counts = matcher_.input(input(*there).id).counts;
  }
  GST_INFO_OBJECT(self_,
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

Result<void> VmafSink::finish_file(vmaf::ScoreFiles &files, std::size_t stream) {
  vmaf::ReportHead head;
  vmaf::ScoreLog log;
  {
    const Lock lock(mutex_);
    const VmafPad *pad = pad_of(state_.streams[stream].input);
    if (!pad) return {};
    head = head_of(stream, *pad);
    log = scores_[stream].log();
  }
  return files.finish(stream, log, head);
}

Result<void> VmafSink::check_threshold(std::size_t stream) const {
  const Lock lock(mutex_);
  const VmafPad *pad = pad_of(state_.streams[stream].input);
  const double mean = scores_[stream].mean();
  if (!pad || active_.threshold <= 0 || mean >= active_.threshold) return {};
  return fail(ErrorCode::bad_data,
              fmt::format("The mean VMAF of {} is {:.3f}, below the threshold of {:.3f}.", pad->name(), mean,
                          active_.threshold));
}

void VmafSink::post(StructureRef fields) {
  gst_element_post_message(self_, gst_message_new_element(GST_OBJECT(self_), fields.release()));
}

std::uint32_t VmafSink::last_seqnum() const {
  const Lock lock(mutex_);
  return seqnum_;
}

VmafPad *VmafSink::pad_of(vmaf::InputId id) const {
  const auto found = std::find_if(distorted_.begin(), distorted_.end(),
                                  [&](const VmafPad *pad) { return pad->input_.id == id; });
  return found == distorted_.end() ? nullptr : *found;
}

std::string VmafSink::name_of(vmaf::InputId id) const {
  const Lock lock(mutex_);
  const VmafPad *pad = pad_of(id);
  return pad ? pad->name() : "a released input";
}

std::optional<std::size_t> VmafSink::stream_of(const VmafPad &pad) const {
  for (std::size_t i = 0; i < state_.streams.size(); ++i)
    if (state_.streams[i].input == input(pad).id) return i;
  return std::nullopt;
}

vmaf::ResultFacts VmafSink::facts_of(std::size_t stream, const VmafPad &pad) const {
  const ScorerState::Stream &scored = state_.streams[stream];
  const vmaf::MatchInput &matched = matcher_.input(scored.input);
  const auto &reference = input(*reference_).info, &distorted = input(pad).info;
  vmaf::ResultFacts facts;
  facts.input = scored.pad;
  facts.models = state_.models;
  facts.scaled = scored.scaled;
  facts.promoted = scored.promoted;
  facts.bits = state_.format.bits;
  facts.by_index = active_.alignment == VmafAlignment::index;
  facts.tolerance = matcher_.tolerance();
  facts.reference_frames = state_.frames;
  facts.caps_changes = input(pad).caps_changes;
  facts.searched = active_.auto_align;
  facts.offset = matched.offset;
  facts.alignment = matched.alignment;
  facts.counts = matched.counts;
  if (reference) facts.reference = source_facts(*reference, reference_->snapshot());
  if (distorted) facts.distorted = source_facts(*distorted, pad.snapshot());
  if (reference && distorted) facts.doubts = doubts_about(*reference, *distorted);
  facts.reference_bars = state_.reference_bars;
  facts.bars = scored.bars;
  facts.frames_kept = scores_[stream].log().size();
  facts.frames_scored = scores_[stream].frames();
  facts.subsample = active_.subsample;
  return facts;
}

vmaf::ReportHead VmafSink::head_of(std::size_t stream, const VmafPad &pad) const {
  return {state_.format.width, state_.format.height, state_.fps, vmaf::result_notes(facts_of(stream, pad))};
}

std::string VmafSink::result_of(const VmafPad &pad) const {
  vmaf::ReportHead head;
  vmaf::ScoreLog log;
  {
    const Lock lock(mutex_);
    const auto stream = stream_of(pad);
    if (!stream) return {};
    head = head_of(*stream, pad);
    log = scores_[*stream].log();
  }
  return vmaf::to_text(vmaf::LogLayout::json, log, head);
}

double VmafSink::score_of(const VmafPad &pad) const {
  const Lock lock(mutex_);
  const auto stream = stream_of(pad);
  return stream ? scores_[*stream].mean() : std::numeric_limits<double>::quiet_NaN();
}

StructureRef VmafSink::stats() const {
  GstStructure *stats = gst_structure_new_empty("hull-vmaf-stats");
  const Lock lock(mutex_);
  gst_structure_set(stats, "frames", G_TYPE_UINT64, state_.frames, nullptr);
  for (std::size_t i = 0; i < state_.streams.size(); ++i) {
    const VmafPad *pad = pad_of(state_.streams[i].input);
    if (!pad) continue;
    const vmaf::MatchCounts &counts = matcher_.input(input(*pad).id).counts;
    const auto inner = StructureRef::adopt(gst_structure_new(
        pad->name(), "frames", G_TYPE_UINT64, scores_[i].frames(), "score", G_TYPE_DOUBLE, scores_[i].mean(),
        "missing", G_TYPE_UINT64, counts.missing, "unmatched", G_TYPE_UINT64, counts.unmatched, "repeated",
        G_TYPE_UINT64, counts.repeated, nullptr));
    gst_structure_set(stats, pad->name(), GST_TYPE_STRUCTURE, inner.get(), nullptr);
  }
  return StructureRef::adopt(stats);
}

} // namespace hull
