// Pictures of hullh264enc on their way: into an encoder or the pool, and out as buffers.

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "plugins/h264/captions.h"
#include "plugins/h264/encoder.h"
#include "plugins/h264/log.h"

#include <algorithm>

#define GST_CAT_DEFAULT encoder_category()

namespace hull::h264 {

// Running times, since timestamps may start again in a new segment. A picture that does not come after the
// one before is moved right behind it: without reordering its decoding time would go back too.
void Encoder::keep_time_rising(GstVideoCodecFrame *frame) {
  constexpr GstClockTime kLeast = GST_MSECOND;
  const GstClockTime before = last_time_;
  GstClockTime now = gst_segment_to_running_time(&self_->input_segment, GST_FORMAT_TIME, frame->pts);
  const bool both = GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(before);
  if (both && now <= before) {
    GST_WARNING_OBJECT(self_, "a picture %" GST_TIME_FORMAT " before the one it follows is moved behind it",
                       GST_TIME_ARGS(before - now));
    frame->pts += before + kLeast - now;
    now = before + kLeast;
  }
  const GstClockTime one = gst_util_uint64_scale(GST_SECOND, config_.fps_den, config_.fps_num);
  clock_ += both ? now - before : one;
  if (GST_CLOCK_TIME_IS_VALID(now)) last_time_ = now;
}

// The rate control divides by differences: they must be there and positive.
std::int64_t Encoder::milliseconds() {
  last_milliseconds_ = std::max(last_milliseconds_ + 1, static_cast<std::int64_t>(clock_ / GST_MSECOND));
  return last_milliseconds_;
}

GstFlowReturn Encoder::fail_frame(GstVideoCodecFrame *frame, const Error &error) {
  raise(GST_ELEMENT(self_), error);
  gst_video_codec_frame_unref(frame);
  return GST_FLOW_ERROR;
}

GstFlowReturn Encoder::handle_frame(GstVideoCodecFrame *frame) {
  keep_time_rising(frame);
  if (auto done = apply_settings(); !done) return fail_frame(frame, done.error());
  return pool_ ? encode_in_pool(frame) : encode_now(frame);
}

GstFlowReturn Encoder::encode_now(GstVideoCodecFrame *frame) {
  const auto buffer = BufferRef::retain(frame->input_buffer); // outlives the frame, and so does the mapping
  MappedFrame picture(input_->info, buffer.get(), GST_MAP_READ);
  if (!picture) {
    warn(GST_ELEMENT(self_), {ErrorCode::bad_data, "A picture could not be read and is left out."});
    return put_out(frame, {{}, true});
  }
  if (applied_.ltr) feedback_.deliver(*codec_, writer_.library_idr_pic_id(), writer_.written_idr_pic_id());
  const bool force = std::exchange(force_next_, false) || GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame);
  auto coded = codec_->encode(reader_.read(*picture.get()), milliseconds(), force);
  return coded ? put_out(frame, *coded) : fail_frame(frame, coded.error());
}

GstFlowReturn Encoder::encode_in_pool(GstVideoCodecFrame *frame) {
  const bool force = std::exchange(force_next_, false) || GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame);
  const bool starts = force || since_key_ >= key_interval(applied_, fps());
  since_key_ = starts ? 1 : since_key_ + 1;
  pool_->submit({BufferRef::retain(frame->input_buffer), starts, config_.settings});
  pooled_.push_back(frame);
  return collect(most_in_pool_);
}

GstFlowReturn Encoder::collect(std::size_t leave) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (pool_ && flow == GST_FLOW_OK && !pooled_.empty()) {
    const auto done = pool_->take(pooled_.size() > leave);
    if (!done) break;
    GstVideoCodecFrame *frame = pooled_.front();
    pooled_.pop_front();
    flow = done->error ? fail_frame(frame, *done->error) : put_out(frame, done->view());
  }
  return flow;
}

GstFlowReturn Encoder::finish() {
  return collect(0);
}

gboolean Encoder::flush() {
  force_next_ = true; // whoever decodes has forgotten what later pictures would refer to
  since_key_ = 0;
  last_time_ = GST_CLOCK_TIME_NONE;
  if (!pool_) return TRUE;
  if (auto opened = open_codecs(); !opened) {
    raise(GST_ELEMENT(self_), opened.error());
    return FALSE;
  }
  return TRUE;
}

GstFlowReturn Encoder::put_out(GstVideoCodecFrame *frame, const Coded &coded) {
  if (coded.skipped) {
    counters_.dropped();
    return gst_video_encoder_finish_frame(self_, frame); // without data: the base class reports a drop
  }
  const std::vector<SeiMessage> sei = sei_of(frame->input_buffer, applied_.captions);
  const bool all_headers = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME_HEADERS(frame);
  const auto units = writer_.assemble({&coded.nals, coded.idr, all_headers, &sei});
  counters_.coded(AccessUnitWriter::size_of(units), coded.idr, writer_.last_qp(), coded.temporal_id);
  if (const auto kbps = counters_.overshoot())
    warn(GST_ELEMENT(self_),
         {ErrorCode::settings,
          "The bitrate cannot be held: " + std::to_string(static_cast<int>(*kbps)) +
              " kbit/s come out though the quantizer is at qp-max. Make the pictures smaller, "
              "raise qp-max or bitrate, or set frame-skip."});
  if (coded.idr) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  frame->dts = frame->pts; // no reordering
  return push_units(frame, units, coded);
}

GstBuffer *Encoder::make_buffer(const std::vector<Bytes> &units) {
  GstBuffer *buffer = gst_video_encoder_allocate_output_buffer(self_, AccessUnitWriter::size_of(units));
  MappedBuffer map(buffer, GST_MAP_WRITE);
  if (map) writer_.write(units, map.data());
  return buffer;
}

void Encoder::mark(GstBuffer *buffer, const Coded &coded) {
  const Nal &last = coded.nals.back();
  if (last.is_slice() && last.ref_idc() == 0) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DROPPABLE);
  if (applied_.temporal_layers == 1) return;
  if (GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, kLayerMeta))
    gst_structure_set(gst_custom_meta_get_structure(meta), "temporal-id", G_TYPE_UINT, coded.temporal_id,
                      nullptr);
}

GstFlowReturn Encoder::push_units(GstVideoCodecFrame *frame, const std::vector<Bytes> &units,
                                  const Coded &coded) {
  if (!choice_.nal_alignment) {
    frame->output_buffer = make_buffer(units);
    mark(frame->output_buffer, coded);
    return gst_video_encoder_finish_frame(self_, frame);
  }
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    frame->output_buffer = make_buffer({units[i]});
    mark(frame->output_buffer, coded);
    if (const GstFlowReturn flow = gst_video_encoder_finish_subframe(self_, frame); flow != GST_FLOW_OK) {
      gst_video_codec_frame_unref(frame);
      return flow;
    }
  }
  frame->output_buffer = make_buffer({units.back()});
  mark(frame->output_buffer, coded);
  GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_MARKER); // the last of its access unit
  return gst_video_encoder_finish_frame(self_, frame);
}

} // namespace hull::h264
