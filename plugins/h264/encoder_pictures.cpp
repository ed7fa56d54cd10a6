// Pictures of hullh264enc on their way: into an encoder or the pool, and out as buffers.

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "plugins/h264/captions.h"
#include "plugins/h264/encoder.h"
#include "plugins/h264/picture_meta.h"

#include <algorithm>
#include <iterator>

#define GST_CAT_DEFAULT hull::category<hull::h264::Encoder>()

namespace hull::h264 {

// Running times, since timestamps may start again in a new segment. A picture that does not come after the
// one before is moved right behind it: without reordering its decoding time would go back too.
void Encoder::keep_time_rising(GstVideoCodecFrame *frame) {
  constexpr GstClockTime kLeast = GST_MSECOND;
  const GstClockTime before = last_time_;
  GstClockTime now = gst_segment_to_running_time(&self_->input_segment, GST_FORMAT_TIME, frame->pts);
  const bool both = GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(before);
  if (both && now <= before) {
    GST_DEBUG_OBJECT(self_, "a picture %" GST_TIME_FORMAT " before the one it follows is moved behind it",
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
  errors_.raise(error);
  gst_video_codec_frame_unref(frame);
  return GST_FLOW_ERROR;
}

GstFlowReturn Encoder::handle_frame(GstVideoCodecFrame *frame) {
  keep_time_rising(frame);
  if (!std::exchange(any_, true))
    GST_INFO_OBJECT(self_, "first picture at %" GST_TIME_FORMAT, GST_TIME_ARGS(frame->pts));
  apply_settings();
  if (auto done = look_for_time_code(frame->input_buffer); !done) return fail_frame(frame, done.error());
  return pool_ ? encode_in_pool(frame) : encode_now(frame);
}

// Time codes stand in picture timing messages, which the SPS announces.
Result<void> Encoder::look_for_time_code(GstBuffer *buffer) {
  if (has_time_codes_ || !gst_buffer_get_video_time_code_meta(buffer)) return {};
  has_time_codes_ = true;
  if (collect(0) != GST_FLOW_OK) return {}; // that is said already
  force_next_ = true;
  if (auto done = configure_writer(); !done) return done;
  return set_caps();
}

// Key units are counted here, so that one more of them, where a picture had to be coded again, moves no
// other.
bool Encoder::starts_group(GstVideoCodecFrame *frame) {
  const bool force = std::exchange(force_next_, false) || GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame);
  const std::uint32_t interval = key_interval(applied_, fps());
  const bool starts = force || since_key_ >= interval;
  if (starts)
    GST_DEBUG_OBJECT(self_, "picture at %" GST_TIME_FORMAT " is to be a key unit: %s",
                     GST_TIME_ARGS(frame->pts),
                     GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame) ? "asked for"
                     : force                                        ? "a sequence begins"
                                                                    : "its turn has come");
  since_key_ = starts ? 1 : since_key_ + 1;
  return starts;
}

GstFlowReturn Encoder::encode_now(GstVideoCodecFrame *frame) {
  const auto buffer = BufferRef::retain(frame->input_buffer); // outlives the frame, and so does the mapping
  MappedFrame picture(input_->info, buffer.get(), GST_MAP_READ);
  if (!picture) {
    Coded none;
    none.skipped = none.unreadable = true;
    return put_out(frame, clock_, none);
  }
  if (applied_.ltr)
    feedback_.deliver(coder_->codec(), writer_.library_idr_pic_id(), writer_.written_idr_pic_id());
  PictureCoder::Request request{reader_.read(*picture.get())};
  const GstClockTime before = std::exchange(last_clock_, clock_);
  request.seconds =
      GST_CLOCK_TIME_IS_VALID(before) ? timing_.seconds(clock_) - timing_.seconds(before) : 1 / fps();
  request.milliseconds = milliseconds();
  request.key = starts_group(frame);
  request.extra = bytes_around(buffer.get(), false);
  request.key_extra = bytes_around(buffer.get(), true);
  const auto coded = coder_->code(request);
  if (!coded) return fail_frame(frame, coded.error());
  key_left_out_ |= coded->skipped && request.key;
  return put_out(frame, clock_, *coded);
}

GstFlowReturn Encoder::encode_in_pool(GstVideoCodecFrame *frame) {
  GstBuffer *buffer = frame->input_buffer;
  pool_->submit({BufferRef::retain(buffer), starts_group(frame), config_.settings, config_.fps_num,
                 config_.fps_den, bytes_around(buffer, false), bytes_around(buffer, true)});
  pooled_.push_back({frame, clock_});
  return collect(most_in_pool_);
}

GstFlowReturn Encoder::collect(std::size_t leave) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (pool_ && flow == GST_FLOW_OK && !pooled_.empty()) {
    const auto done = pool_->take(pooled_.size() > leave);
    if (!done) break;
    const Waiting waiting = pooled_.front();
    pooled_.pop_front();
    flow = done->error ? fail_frame(waiting.frame, *done->error)
                       : put_out(waiting.frame, waiting.clock, done->view());
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
    errors_.raise(opened.error());
    return FALSE;
  }
  return TRUE;
}

// Messages of a picture, in the order of 7.4.1.2.3: the buffering period first.
std::vector<SeiMessage> Encoder::sei_for(GstBuffer *buffer, GstClockTime clock, bool key) {
  std::vector<SeiMessage> messages = timing_.messages(clock, key, time_code_of(buffer));
  if (key) append_hdr_messages(*input_, messages);
  std::ranges::move(sei_of(buffer, applied_.captions), std::back_inserter(messages));
  return messages;
}

// What goes around the slices, or a little more: the rate control must know before it codes.
std::size_t Encoder::bytes_around(GstBuffer *buffer, bool key) const {
  constexpr std::size_t kDelimiter = 6, kTiming = 48, kHdr = 48, kUnit = 8, kRenumbering = 48;
  std::size_t bytes = applied_.aud ? kDelimiter : 0;
  if (timing_.has_hrd() || timing_.has_time_codes()) bytes += kTiming;
  for (const SeiMessage &message : sei_of(buffer, applied_.captions))
    bytes += message.payload.size() * 9 / 8 + kUnit;
  if (!key) return bytes;
  return bytes + kHdr + kRenumbering + writer_.sps_nal().size() + writer_.pps_nal().size() + 2 * kUnit;
}

GstFlowReturn Encoder::leave_out(GstVideoCodecFrame *frame, const Coded &coded) {
  counters_.dropped();
  GST_DEBUG_OBJECT(self_, "picture at %" GST_TIME_FORMAT " is left out: %s", GST_TIME_ARGS(frame->pts),
                   coded.refused      ? "no quantizer helps"
                   : coded.unreadable ? "its memory cannot be read"
                                      : "frame-skip holds the bitrate");
  warn_about(kRefusedPicture, coded.refused,
             "OpenH264 could not code a picture at any quantizer; it is left out.");
  warn_about(kUnreadablePicture, coded.unreadable,
             "A picture could not be read and is left out: its buffer is smaller than its caps say, or its "
             "memory cannot be mapped.");
  return gst_video_encoder_finish_frame(self_, frame); // without data: the base class reports a drop
}

void Encoder::log_picture(GstVideoCodecFrame *frame, const Coded &coded, std::size_t size) const {
  if (coded.idr)
    GST_DEBUG_OBJECT(self_, "key unit at %" GST_TIME_FORMAT "%s", GST_TIME_ARGS(frame->pts),
                     key_left_out_ ? ", as the picture that was to be one was left out" : "");
  GST_LOG_OBJECT(self_, "picture at %" GST_TIME_FORMAT ": %zu bytes at quantizer %d, coded %u times",
                 GST_TIME_ARGS(frame->pts), size, writer_.last_qp(), coded.attempts);
}

GstFlowReturn Encoder::put_out(GstVideoCodecFrame *frame, GstClockTime clock, const Coded &coded) {
  if (coded.skipped) return leave_out(frame, coded);
  const std::vector<SeiMessage> sei = sei_for(frame->input_buffer, clock, coded.idr);
  const bool all_headers = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME_HEADERS(frame);
  const auto units = writer_.assemble({&coded.nals, coded.idr, all_headers, &sei});
  const std::size_t size = AccessUnitWriter::size_of(units);
  timing_.sent(size);
  counters_.coded(size, coded.idr, writer_.last_qp(), coded.temporal_id);
  tell(coded);
  if (coded.idr) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  frame->dts = frame->pts; // no reordering
  log_picture(frame, coded, size);
  if (coded.idr) key_left_out_ = false;
  return push_units(frame, units, coded);
}

// What a user should hear of, once for as long as it holds.
void Encoder::tell(const Coded &coded) {
  if (coded.attempts > 1) counters_.coded_again();
  if (coded.overrun) counters_.overran();
  warn_about(
      kOverrun, coded.overrun,
      "A picture is larger than the buffer of max-bitrate has room for, though its quantizer is " +
          std::to_string(writer_.last_qp()) +
          ", the highest allowed. Make the pictures smaller, raise qp-max, max-bitrate or vbv-buffer, or set "
          "frame-skip; the property stats counts such pictures.");
  warn_about(kRaisedQuantizer, coded.raised,
             "quantizer=" + std::to_string(applied_.quantizer) +
                 " would make more bits of these pictures than OpenH264 "
                 "has room for: " +
                 std::to_string(writer_.last_qp()) + " is used where it must.");
  const bool fewer =
      applied_.slice_mode == SliceMode::fixed && applied_.slices && coded.slices() != applied_.slices;
  warn_about(kOtherSlices, fewer,
             "num-slices=" + std::to_string(applied_.slices) + " became " + std::to_string(coded.slices()) +
                 ": pictures of this size have no more rows of macroblocks to divide.");
  if (const auto kbps = counters_.overshoot())
    warn(GST_ELEMENT(self_),
         {ErrorCode::settings,
          "The bitrate cannot be held: " + std::to_string(static_cast<int>(*kbps)) +
              " kbit/s come out though the quantizer is at qp-max. Make the pictures smaller, "
              "raise qp-max or bitrate, or set frame-skip."});
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

void Encoder::describe(GstBuffer *buffer, const Coded &coded, std::size_t size) {
  if (GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, kPictureMeta))
    gst_structure_set(gst_custom_meta_get_structure(meta), "type", G_TYPE_STRING, coded.idr ? "idr" : "p",
                      "size", G_TYPE_UINT, static_cast<guint>(size), "quantizer", G_TYPE_DOUBLE,
                      writer_.mean_qp(), "temporal-id", G_TYPE_UINT, coded.temporal_id, "slices", G_TYPE_UINT,
                      static_cast<guint>(coded.slices()), nullptr);
}

GstFlowReturn Encoder::push_units(GstVideoCodecFrame *frame, const std::vector<Bytes> &units,
                                  const Coded &coded) {
  const std::size_t size = AccessUnitWriter::size_of(units);
  for (std::size_t i = 0; choice_.nal_alignment && i + 1 < units.size(); ++i) {
    frame->output_buffer = make_buffer({units[i]});
    mark(frame->output_buffer, coded);
    if (const GstFlowReturn flow = gst_video_encoder_finish_subframe(self_, frame); flow != GST_FLOW_OK) {
      gst_video_codec_frame_unref(frame);
      return flow;
    }
  }
  frame->output_buffer = choice_.nal_alignment ? make_buffer({units.back()}) : make_buffer(units);
  mark(frame->output_buffer, coded);
  describe(frame->output_buffer, coded, size);
  if (choice_.nal_alignment)
    GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_MARKER); // the last of its unit
  return gst_video_encoder_finish_frame(self_, frame);
}

} // namespace hull::h264
