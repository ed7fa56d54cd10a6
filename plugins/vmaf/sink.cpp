#include "plugins/vmaf/sink.h"

#include "gst/glue/raise.h"
#include "plugins/vmaf/held.h"

#include <algorithm>
#include <cmath>

namespace hull {
namespace {

const GEnumValue kAlignmentValues[] = {
    {0, "Frames whose running times agree within the tolerance", "timestamp"},
    {1, "The n-th frame of each input", "index"},
    {0, nullptr, nullptr}};
const EnumTable kAlignments{"HullVmafSinkAlignment", kAlignmentValues};
const GEnumValue kFormatValues[] = {{0, "JSON as libvmaf writes it, with more pooled figures", "json"},
                                    {1, "Comma-separated values as libvmaf writes them", "csv"},
                                    {2, "XML as libvmaf writes it", "xml"},
                                    {0, nullptr, nullptr}};
const EnumTable kFormats{"HullVmafSinkFormat", kFormatValues};
const GEnumValue kMetricValues[] = {{1, "PSNR of Y, Cb and Cr", "psnr"}, {0, nullptr, nullptr}};
const EnumTable kMetrics{"HullVmafSinkMetrics", kMetricValues};

const Property<VmafSinkSettings> kProperties[] = {
    property<&VmafSinkSettings::models>("models",
                                        "VMAF models, comma-separated: vmaf_v0.6.1, vmaf_v0.6.1neg, "
                                        "vmaf_4k_v0.6.1, phone, auto (4k above 1440 lines)"),
    property<&VmafSinkSettings::model_location>(
        "model-location", "Path of one more model as libvmaf's JSON, a collection included"),
    property<&VmafSinkSettings::location>(
        "location",
        "File for the scores, written frame by frame, - for standard output; further inputs get their pad's "
        "name inserted"),
    property<&VmafSinkSettings::format>("format", "Layout of the file at location", Mutable::ready, kFormats),
    flags_property<&VmafSinkSettings::metrics>("metrics", "Measures besides VMAF", Mutable::ready, kMetrics),
    property<&VmafSinkSettings::alignment>("alignment", "What makes frames partners", Mutable::ready,
                                           kAlignments),
    property<&VmafSinkSettings::tolerance>(
        "tolerance", "How far running times of partners may lie apart in ns; 0 = half a reference frame"),
    property<&VmafSinkSettings::auto_align>("auto-align",
                                            "Look for each input's offset among +- this many frames, by "
                                            "their pictures; holds this many frames and "
                                            "12 per input until it is found; 0 = off",
                                            Mutable::ready, 0, 600),
    property<&VmafSinkSettings::score_height>(
        "score-height", "Score at this many lines, the width in proportion; 0 = the reference's size",
        Mutable::ready, 0, 16384),
    property<&VmafSinkSettings::subsample>(
        "subsample", "Score every n-th frame only; odd values meet all frame types", Mutable::ready, 1, 1000),
    property<&VmafSinkSettings::threads>("threads", "Threads that share each frame; 0 = one per processor",
                                         Mutable::ready, 0, 64),
    property<&VmafSinkSettings::threshold>("threshold",
                                           "Fail at EOS when an input's mean score is below this; 0 = never",
                                           Mutable::ready, 0, 100),
    property<&VmafSinkSettings::frame_messages>(
        "frame-messages", "Post an element message for every scored frame", Mutable::playing),
    property<&VmafSinkSettings::kept_frames>("kept-frames",
                                             "Newest frames per input whose scores stay in memory for the "
                                             "pad's result; pooled figures and a file at "
                                             "location cover all frames",
                                             Mutable::ready, 1, G_MAXINT),
    computed<&VmafSink::stats>("stats", "Frames and mean score so far, one structure per input"),
};

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

} // namespace

std::span<const Property<VmafSinkSettings>> VmafSink::properties() {
  return kProperties;
}

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

VmafSink::VmafSink(GstElement *self) : self_(self) {
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
  GstPadTemplate *templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "reference");
  reference_ = &adopt_pad(GST_PAD(g_object_new(shell_type<VmafPad>(), "name", "reference", "direction",
                                               GST_PAD_SINK, "template", templ, nullptr)));
}

VmafSink::~VmafSink() = default;

VmafPad &VmafSink::adopt_pad(GstPad *pad) {
  gst_pad_set_chain_function(pad, chain_thunk);
  gst_pad_set_event_function(pad, event_thunk);
  VmafPad &made = Shell<VmafPad>::of(pad);
  made.reset();
  gst_element_add_pad(self_, pad);
  return made;
}

GstPad *VmafSink::request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *) {
  std::string chosen;
  {
    const std::lock_guard lock(state_mutex_);
    if (session_) {
      GST_WARNING_OBJECT(self_, "no inputs can be added once scoring has begun");
      return nullptr;
    }
    if (name) {
      chosen = name;
    } else {
      for (unsigned i = 0; chosen.empty(); ++i) {
        const std::string candidate = "distorted_" + std::to_string(i);
        const bool taken = std::any_of(distorted_.begin(), distorted_.end(), [&](const VmafPad *pad) {
          return candidate == GST_OBJECT_NAME(pad->self());
        });
        if (!taken) chosen = candidate;
      }
    }
  }
  auto *pad = GST_PAD(g_object_new(shell_type<VmafPad>(), "name", chosen.c_str(), "direction", GST_PAD_SINK,
                                   "template", templ, nullptr));
  VmafPad &made = adopt_pad(pad);
  made.read_result = [this, &made] { return result_of(made); };
  made.read_score = [this, &made] {
    const std::lock_guard lock(log_mutex_);
    return session_ && made.stream < streams_.size() && streams_[made.stream] == &made
               ? session_->mean(made.stream)
               : std::nan("");
  };
  const std::lock_guard lock(state_mutex_);
  made.flushing = flushing_;
  distorted_.push_back(&made);
  return pad;
}

void VmafSink::release_pad(GstPad *pad) {
  VmafPad *leaving = &Shell<VmafPad>::of(pad);
  {
    Lock lock(state_mutex_);
    changed_.wait(lock, [this] { return !busy_; });
    leaving->flushing = true;
    leaving->read_result = nullptr;
    leaving->read_score = nullptr;
    std::erase(distorted_, leaving);
    const std::lock_guard log_lock(log_mutex_);
    std::replace(streams_.begin(), streams_.end(), leaving, static_cast<VmafPad *>(nullptr));
  }
  changed_.notify_all();
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(self_, pad);
  Lock lock(state_mutex_);
  if (!flushing_) advance(lock);
}

GstStateChangeReturn VmafSink::change_state(GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    const VmafSinkSettings settings = snapshot();
    // A wrong model name or file must not wait for the first frame.
    if (auto models = vmaf::choose_models(settings.models, settings.model_location, 0); !models) {
      raise(self_, models.error());
      return GST_STATE_CHANGE_FAILURE;
    }
    reset();
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    const std::lock_guard lock(state_mutex_);
    flushing_ = true;
    changed_.notify_all();
  }
  const GstStateChangeReturn changed = Shell<VmafSink>::parent_class()->change_state(self_, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    const std::lock_guard lock(state_mutex_);
    previous_.reset();
    reference_->slot.reset();
    reference_->waiting.clear();
    for (VmafPad *pad : distorted_) {
      pad->slot.reset();
      pad->waiting.clear();
    }
  }
  return changed;
}

void VmafSink::reset() {
  const std::lock_guard lock(state_mutex_);
  const std::lock_guard log_lock(log_mutex_);
  active_ = snapshot();
  flushing_ = failed_ = ended_ = busy_ = false;
  searching_ = active_.auto_align > 0;
  reference_->reset();
  for (VmafPad *pad : distorted_)
    pad->reset();
  session_.reset();
  files_.clear();
  ready_.clear();
  streams_.clear();
  previous_.reset();
  fitters_.clear();
  scoring_us_ = 0;
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
    const std::lock_guard lock(state_mutex_);
    gst_event_copy_segment(event.get(), &pad.segment);
    return true;
  }
  case GST_EVENT_EOS: {
    Lock lock(state_mutex_);
    pad.eos = true;
    seqnum_ = gst_event_get_seqnum(event.get());
    changed_.notify_all();
    return advance(lock) == GST_FLOW_OK;
  }
  case GST_EVENT_FLUSH_START: {
    const std::lock_guard lock(state_mutex_);
    pad.flushing = true;
    changed_.notify_all();
    return true;
  }
  case GST_EVENT_FLUSH_STOP: {
    Lock lock(state_mutex_);
    changed_.wait(lock, [this] { return !busy_; });
    pad.flushing = pad.eos = false;
    pad.slot.reset();
    pad.waiting.clear();
    pad.last_time = GST_CLOCK_TIME_NONE;
    gst_segment_init(&pad.segment, GST_FORMAT_TIME);
    return true;
  }
  default:
    return true;
  }
}

void VmafSink::update_caps(VmafPad &pad, GstCaps *caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) {
    const OwnedText text(gst_caps_to_string(caps));
    raise(self_, Error{ErrorCode::unsupported, std::string("Caps on pad ") + GST_OBJECT_NAME(pad.self()) +
                                                   " describe no raw video: " + text.c_str() + "."});
    return;
  }
  const std::lock_guard lock(state_mutex_);
  if (pad.info && !gst_video_info_is_equal(&*pad.info, &info)) ++pad.counts.caps_changes;
  pad.info = info;
}

GstFlowReturn VmafSink::chain(VmafPad &pad, BufferRef buffer) {
  Lock lock(state_mutex_);
  changed_.wait(lock, [&] {
    return flushing_ || pad.flushing || failed_ ||
           (searching_ ? pad.waiting.size() < search_frames() : !pad.slot);
  });
  if (flushing_ || pad.flushing) return GST_FLOW_FLUSHING;
  if (failed_) return GST_FLOW_ERROR;
  if (pad.eos) return GST_FLOW_EOS;
  if (!pad.info) return GST_FLOW_NOT_NEGOTIATED;
  VmafSlot slot;
  slot.info = *pad.info;
  GstClockTime pts = GST_BUFFER_PTS(buffer.get());
  if (GST_CLOCK_TIME_IS_VALID(pts) && pad.segment.format == GST_FORMAT_TIME) {
    if (pts < pad.segment.start && !(GST_CLOCK_TIME_IS_VALID(GST_BUFFER_DURATION(buffer.get())) &&
                                     pts + GST_BUFFER_DURATION(buffer.get()) > pad.segment.start)) {
      return GST_FLOW_OK; // before the segment, as decoders' lead-in is after a seek
    }
    slot.running_time =
        gst_segment_to_running_time(&pad.segment, GST_FORMAT_TIME, std::max(pts, pad.segment.start));
    slot.stream_time =
        gst_segment_to_stream_time(&pad.segment, GST_FORMAT_TIME, std::max(pts, pad.segment.start));
  }
  if (!GST_CLOCK_TIME_IS_VALID(slot.running_time)) ++pad.counts.untimed;
  slot.buffer = std::move(buffer);
  if (searching_)
    pad.waiting.push_back(std::move(slot));
  else
    pad.hold(std::move(slot));
  return advance(lock);
}

} // namespace hull
