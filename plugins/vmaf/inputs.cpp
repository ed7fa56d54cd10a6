#include "plugins/vmaf/inputs.h"

#include "gst/glue/raise.h"
#include "plugins/vmaf/sink_log.h"

#include <algorithm>
#include <cstring>

namespace hull {
namespace {

vmaf::MatchRules match_rules(const VmafSinkSettings &settings) {
  return {settings.alignment == VmafAlignment::index, static_cast<std::int64_t>(settings.tolerance),
          settings.auto_align};
}

std::optional<std::int64_t> matched_time(GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  return static_cast<std::int64_t>(time);
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

void log_first(const VmafPad &pad, const VmafFrame &frame) {
  GST_INFO_OBJECT(pad.self(), "first frame at running time %" GST_TIME_FORMAT ", cropped by %u %u %u %u",
                  GST_TIME_ARGS(frame.running_time), frame.crop.crop_left, frame.crop.crop_top,
                  frame.crop.crop_right, frame.crop.crop_bottom);
}

} // namespace

void VmafInputs::reset(const VmafSinkSettings &settings) {
  const Lock lock(mutex);
  flushing = failed = ended = paused = complete = seeking = false;
  matcher = vmaf::FrameMatcher(match_rules(settings));
  of(*reference).reset();
  for (VmafPad *pad : distorted) {
    of(*pad).reset();
    matcher.add(of(*pad).id, pad->snapshot().offset);
  }
}

std::vector<std::deque<vmaf::TimedFrame>> VmafInputs::restart(const VmafSinkSettings &settings) {
  std::vector<std::deque<vmaf::TimedFrame>> flushed;
  const Lock lock(mutex);
  for (const VmafPad *pad : pads())
    flushed.push_back(matcher.flush(of(*pad).id));
  failed = ended = complete = false;
  matcher = vmaf::FrameMatcher(match_rules(settings));
  of(*reference).eos = false;
  for (VmafPad *pad : distorted) {
    of(*pad).eos = false;
    matcher.add(of(*pad).id, pad->snapshot().offset);
  }
  ++progress;
  changed.notify_all();
  return flushed;
}

Result<void> VmafInputs::add(VmafPad &pad) {
  const Lock lock(mutex);
  if (complete) return fail(ErrorCode::state, "no inputs can be added once scoring has begun");
  for (const VmafPad *other : pads())
    if (!std::strcmp(other->name(), pad.name()))
      return fail(ErrorCode::settings, std::string("there is a pad called ") + pad.name() + " already");
  VmafInput &mine = of(pad);
  mine.reset();
  mine.id = ++newest;
  mine.flushing = flushing;
  matcher.add(mine.id, 0);
  distorted.push_back(&pad);
  return {};
}

std::string VmafInputs::free_name() const {
  const Lock lock(mutex);
  const auto taken = [this](const std::string &name) HULL_REQUIRES(mutex) {
    return std::any_of(distorted.begin(), distorted.end(),
                       [&name](const VmafPad *pad) { return name == pad->name(); });
  };
  unsigned number = 0;
  while (taken("distorted_" + std::to_string(number)))
    ++number;
  return "distorted_" + std::to_string(number);
}

bool VmafInputs::close(VmafPad &pad) {
  const Lock lock(mutex);
  of(pad).flushing = true;
  std::erase(distorted, &pad);
  changed.notify_all();
  return !flushing;
}

std::deque<vmaf::TimedFrame> VmafInputs::remove(const VmafPad &pad) {
  const Lock lock(mutex);
  auto flushed = matcher.flush(of(pad).id);
  matcher.remove(of(pad).id);
  return flushed;
}

GstFlowReturn VmafInputs::take(VmafPad &pad, BufferRef buffer) {
  auto frame = std::make_shared<VmafFrame>();
  frame->crop = pad.snapshot();
  bool searching = false;
  {
    Lock lock(mutex);
    VmafInput &mine = of(pad);
    while (flow(mine) == GST_FLOW_OK && !matcher.has_room(mine.id))
      changed.wait(lock);
    if (flow(mine) != GST_FLOW_OK) return flow(mine);
    if (mine.stale) return GST_FLOW_OK;
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
    searching = matcher.searching();
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
    const Lock lock(mutex);
    VmafInput &mine = of(pad);
    if (flow(mine) != GST_FLOW_OK) return flow(mine);
    if (mine.stale) return GST_FLOW_OK;
    mine.last_time = frame->running_time;
    matcher.push(mine.id, {matched_time(frame->running_time), frame_duration(frame->info), frame},
                 thumbnail ? &*thumbnail : nullptr);
    ++progress;
    first = matcher.input(mine.id).counts.received == 1;
  }
  if (first) log_first(pad, *frame);
  return GST_FLOW_OK;
}

std::deque<vmaf::TimedFrame> VmafInputs::flush(VmafPad &pad) {
  const Lock lock(mutex);
  VmafInput &mine = of(pad);
  mine.flushing = mine.eos = mine.stale = false;
  gst_segment_init(&mine.segment, GST_FORMAT_TIME);
  return matcher.flush(mine.id);
}

std::vector<std::deque<vmaf::TimedFrame>> VmafInputs::flush() {
  const Lock lock(mutex);
  complete = false;
  std::vector<std::deque<vmaf::TimedFrame>> flushed;
  for (const VmafPad *pad : pads())
    flushed.push_back(matcher.flush(of(*pad).id));
  return flushed;
}

GstFlowReturn VmafInputs::fail_with(const Error &error) {
  raise(element, error);
  const Lock lock(mutex);
  failed = true;
  changed.notify_all();
  return GST_FLOW_ERROR;
}

GstFlowReturn VmafInputs::flow() const {
  if (flushing) return GST_FLOW_FLUSHING;
  return failed ? GST_FLOW_ERROR : GST_FLOW_OK;
}

GstFlowReturn VmafInputs::flow(const VmafInput &input) const {
  return input.flushing ? GST_FLOW_FLUSHING : flow();
}

std::vector<VmafPad *> VmafInputs::pads() const {
  std::vector<VmafPad *> all{reference};
  all.insert(all.end(), distorted.begin(), distorted.end());
  return all;
}

VmafPad *VmafInputs::find(vmaf::InputId id) const {
  const auto found = std::find_if(distorted.begin(), distorted.end(),
                                  [id](const VmafPad *pad) { return pad->input_.id == id; });
  return found == distorted.end() ? nullptr : *found;
}

std::string VmafInputs::name_of(vmaf::InputId id) const {
  const Lock lock(mutex);
  const VmafPad *pad = find(id);
  return pad ? pad->name() : "a released input";
}

bool VmafInputs::is_linked(vmaf::InputId id) const {
  const Lock lock(mutex);
  const VmafPad *pad = find(id);
  return pad && gst_pad_is_linked(pad->self());
}

} // namespace hull
