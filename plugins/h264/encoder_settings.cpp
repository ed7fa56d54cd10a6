// Properties of hullh264enc while it runs: what can be done of them, and words where something cannot.

#include "gst/glue/raise.h"
#include "gst/h264/avcc.h"
#include "plugins/h264/encoder.h"

#include <algorithm>

#define GST_CAT_DEFAULT hull::category<hull::h264::Encoder>()

namespace hull::h264 {
namespace {

// What only the next start can take over stays as it was.
EncoderSettings with_live(EncoderSettings to, const EncoderSettings &from) {
  to.rate_control = from.rate_control;
  to.bitrate = from.bitrate;
  to.max_bitrate = from.max_bitrate;
  to.vbv_buffer = from.vbv_buffer;
  to.quantizer = from.quantizer;
  to.qp_min = from.qp_min;
  to.qp_max = from.qp_max;
  to.key_int_max = from.key_int_max;
  to.complexity = from.complexity;
  to.frame_skip = from.frame_skip;
  return to;
}

std::string limit(const char *property, std::uint64_t wanted, const std::string &why, std::uint64_t most) {
  return std::string(property) + "=" + std::to_string(wanted) + " is more than " + why + ": " +
         std::to_string(most) +
         " holds. To have more, set max-bitrate and vbv-buffer to the most that may come before the stream "
         "starts.";
}

} // namespace

// Says `words` when `wrong` begins, and may say them again after it ended.
void Encoder::warn_about(unsigned what, bool wrong, const std::string &words, Place at) {
  const bool known = warned_ & what;
  // An overrun may come with each key picture: that is one cause, said once.
  if (wrong && !known) {
    warned_ |= what;
    warn(GST_ELEMENT(self_), {ErrorCode::settings, words, Error::kNoOffset, at});
  }
}

// The stream has signalled its level and its buffer; what is above them waits for the next start.
EncoderSettings Encoder::within_limits(EncoderSettings wanted) {
  const bool held = wanted.rate_control != RateControl::cqp;
  const std::uint64_t target = target_kbps(wanted, config_.width, config_.height, fps());
  const std::string level =
      std::string("level ") + level_of(choice_.level_idc)->name + " of this stream holds";
  warn_about(kBitrateLimited, held && target > choice_.most_kbps,
             limit("bitrate", target, level, choice_.most_kbps));
  if (target > choice_.most_kbps) wanted.bitrate = static_cast<std::uint32_t>(choice_.most_kbps);
  std::uint64_t most = choice_.most_kbps, buffer = choice_.most_buffer;
  std::string signalled = level;
  if (any_ && timing_.has_hrd()) {
    const Hrd &hrd = writer_.sps().vui.nal_hrd;
    most = (bit_rate(hrd) + 999) / 1000;
    buffer = (buffer_size(hrd) + 999) / 1000;
    signalled = "the stream has signalled";
  }
  warn_about(kMaximumLimited, held && wanted.max_bitrate > most,
             limit("max-bitrate", wanted.max_bitrate, signalled, most));
  wanted.max_bitrate = std::min(wanted.max_bitrate, static_cast<std::uint32_t>(most));
  const std::uint64_t bits = std::uint64_t{wanted.max_bitrate} * wanted.vbv_buffer / 1000;
  const auto fitting =
      static_cast<std::uint32_t>(wanted.max_bitrate ? buffer * 1000 / wanted.max_bitrate : 0);
  warn_about(kBufferLimited, held && bits > buffer,
             limit("vbv-buffer", wanted.vbv_buffer, signalled, fitting));
  if (bits > buffer) wanted.vbv_buffer = std::max(1u, fitting);
  return wanted;
}

void Encoder::log_rate(const char *since) const {
  const EncoderSettings &s = applied_;
  GST_INFO_OBJECT(self_,
                  "%s rate-control=%s at %.0f kbit/s, max-bitrate=%u vbv-buffer=%u quantizer=%u qp=%u..%u, a "
                  "key unit every %u pictures",
                  since, name_of(s.rate_control), expected_kbps(), s.max_bitrate, s.vbv_buffer, s.quantizer,
                  s.qp_min, s.qp_max, key_interval(s, fps()));
}

// What the library was opened with, and why: none of it changes before the next sequence.
void Encoder::log_layout() const {
  const auto caps = CapsRef::adopt(gst_pad_get_current_caps(GST_VIDEO_ENCODER_SRC_PAD(self_)));
  GST_INFO_OBJECT(self_, "src: caps %" GST_PTR_FORMAT, static_cast<void *>(caps.get()));
  GST_INFO_OBJECT(self_, "profile %s, level %s, which holds %" G_GUINT64_FORMAT " kbit/s, %s",
                  choice_.profile.c_str(), level_name(writer_.sps()).c_str(), choice_.most_kbps,
                  writer_.cabac() ? "CABAC" : "CAVLC");
  if (pool_)
    GST_INFO_OBJECT(self_, "%u encoders take groups of pictures in turn, at most %zu pictures wait",
                    pool_->workers(), most_in_pool_);
  else
    GST_INFO_OBJECT(self_, "slice-mode=%s num-slices=%u, coded by %u threads", name_of(applied_.slice_mode),
                    config_.settings.slices, config_.slice_threads);
}

void Encoder::apply_settings() {
  const EncoderSettings now = snapshot();
  if (now == seen_) return;
  seen_ = now;
  warned_ &= ~(kBitrateLimited | kMaximumLimited | kBufferLimited | kRaisedQuantizer);
  applied_ = within_limits(with_live(applied_, now));
  const std::uint32_t slices = config_.settings.slices;
  config_.settings = applied_;
  config_.settings.slices = slices;
  counters_.expect(expected_kbps(), fps(), applied_.qp_max);
  log_rate("from now on codes with");
  // Encoders of a pool take it over where their next group starts.
  if (coder_) coder_->adapt(config_.settings, config_.fps_num, config_.fps_den);
}

} // namespace hull::h264
