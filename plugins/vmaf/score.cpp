// Scoring one set of partners, and what is said about it.

#include "gst/glue/raise.h"
#include "plugins/vmaf/held.h"
#include "plugins/vmaf/sink.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <thread>
#include <utility>

namespace hull {
namespace {

constexpr std::uint64_t kBarInterval = 5; ///< frames from look to look for black bars

} // namespace

Result<void> VmafSink::start_session(const vmaf::Picture &reference, const std::vector<VmafPad *> &all) {
  if (all.empty())
    return fail(ErrorCode::settings,
                "No distorted input is linked: there is nothing to compare with the reference.");
  int bits = reference.y.bits;
  for (const VmafPad *pad : all)
    if (pad->slot) bits = std::max(bits, bits_of(pad->slot->info));
  format_ = {reference.y.width, reference.y.height, bits};
  if (active_.score_height) {
    format_.height = static_cast<int>(active_.score_height);
    format_.width = static_cast<int>(gst_util_uint64_scale_round(static_cast<guint64>(reference.y.width),
                                                                 active_.score_height,
                                                                 static_cast<guint64>(reference.y.height)));
    format_.width += format_.width & 1;
  }
  if (auto size = vmaf::check_size(format_.width, format_.height); !size) return size;
  vmaf::SessionOptions options;
  auto models = vmaf::choose_models(active_.models, active_.model_location, format_.height);
  if (!models) return tl::unexpected(models.error());
  options.models = std::move(*models);
  options.psnr = active_.metrics == VmafMetrics::psnr;
  options.subsample = active_.subsample;
  options.kept_frames = active_.kept_frames;
  options.threads = active_.threads ? active_.threads : std::max(1u, std::thread::hardware_concurrency());
  fitters_ = std::vector<VmafFitter>(all.size());
  chroma_ = std::vector<VmafChroma>(all.size());
  auto session =
      std::make_unique<vmaf::Session>(format_.width, format_.height, all.size(), std::move(options),
                                      [this](const vmaf::FrameScore &score) { ready_.push_back(score); });
  {
    const std::lock_guard lock(log_mutex_);
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i]->stream = i;
    streams_ = all;
    session_ = std::move(session);
  }
  return open_logs();
}

Result<void> VmafSink::score_set(const std::vector<VmafPad *> &partners) {
  const VmafSlot &slot = *reference_->slot;
  auto current = std::make_unique<Held>(slot);
  if (!current->frame) return fail(ErrorCode::bad_data, "A reference buffer cannot be mapped for reading.");
  auto picture = picture_of(current->frame, reference_->snapshot());
  if (!picture) return tl::unexpected(picture.error());
  if (!session_) {
    std::vector<VmafPad *> linked = distorted_;
    std::erase_if(linked, [](const VmafPad *pad) { return !gst_pad_is_linked(pad->self()); });
    if (auto started = start_session(*picture, linked); !started) return started;
  }
  const bool psnr = active_.metrics == VmafMetrics::psnr;
  if (psnr) reference_chroma_.separate(current->frame, reference_->snapshot(), *picture);
  const int bits = format_.bits;
  if (picture->y.bits > bits)
    return fail(ErrorCode::unsupported,
                "The reference went to more bits per sample while scores were being taken; convert "
                "it to one format before hullvmafsink.");
  vmaf::Picture target = *picture;
  if (format_.width != picture->y.width || format_.height != picture->y.height || bits != picture->y.bits) {
    if (previous_ && !active_.score_height &&
        (previous_->picture.y.width != picture->y.width || previous_->picture.y.height != picture->y.height))
      return fail(
          ErrorCode::unsupported,
          fmt::format(
              "The reference changed from {}x{} to {}x{} while scores were being taken. Score the parts "
              "separately, or set score-height so that both are scaled to one size.",
              previous_->picture.y.width, previous_->picture.y.height, picture->y.width, picture->y.height));
    for (vmaf::Plane *plane : {&target.y, &target.cb, &target.cr}) {
      const int xs = plane != &target.y && picture->cb.width < picture->y.width;
      const int ys = plane != &target.y && picture->cb.height < picture->y.height;
      plane->width = format_.width >> xs;
      plane->height = format_.height >> ys;
      plane->bits = bits;
      plane->drop = 0;
    }
    current->fitter = previous_ ? 1 - previous_->fitter : 0;
    target = reference_fitters_[current->fitter].fit(*picture, target, true);
  }
  current->picture = target;
  if (session_->frames() % kBarInterval == 0) reference_->bars.look(picture->y);

  std::vector<std::unique_ptr<MappedFrame>> frames;
  std::vector<vmaf::Picture> pictures(streams_.size());
  std::vector<const vmaf::Picture *> distorted(streams_.size());
  for (VmafPad *pad : partners) {
    frames.push_back(std::make_unique<MappedFrame>(pad->slot->info, pad->slot->buffer.get(), GST_MAP_READ));
    if (!*frames.back())
      return fail(ErrorCode::bad_data, std::string("A buffer on pad ") + GST_OBJECT_NAME(pad->self()) +
                                           " cannot be mapped for reading.");
    auto planes = picture_of(*frames.back(), pad->snapshot());
    if (!planes) return tl::unexpected(planes.error());
    if (planes->y.bits > bits)
      return fail(
          ErrorCode::unsupported,
          fmt::format(
              "Pad {} went from {} to {} bits per sample while scores were being taken; convert it to one "
              "format before hullvmafsink.",
              GST_OBJECT_NAME(pad->self()), bits, planes->y.bits));
    if (psnr) chroma_[pad->stream].separate(*frames.back(), pad->snapshot(), *planes);
    if (session_->frames() % kBarInterval == 0) pad->bars.look(planes->y);
    if (session_->frames() % active_.subsample != 0) continue; // scaled for nobody
    pictures[pad->stream] = fitters_[pad->stream].fit(*planes, target, psnr);
    distorted[pad->stream] = &pictures[pad->stream];
  }
  pending_moment_ = current_moment_;
  current_moment_ = {GST_BUFFER_PTS(slot.buffer.get()), slot.running_time, slot.stream_time,
                     GST_BUFFER_DURATION(slot.buffer.get())};
  const gint64 before = g_get_monotonic_time();
  {
    const std::lock_guard lock(log_mutex_);
    session_->push(target, previous_ ? &previous_->picture.y : nullptr, distorted);
  }
  scoring_us_ += g_get_monotonic_time() - before;
  previous_ = std::move(current);
  return post_ready(pending_moment_);
}

Result<void> VmafSink::post_ready(const Moment &moment) {
  // Taken out first: whoever listens may read properties of ours.
  for (const vmaf::FrameScore &score : std::exchange(ready_, {})) {
    if (files_[score.stream].is_open()) {
      const std::string row = vmaf::log_row(active_.format, *score.names, score.frame, score.values.data(),
                                            session_->scored(score.stream) == 1);
      if (auto written = files_[score.stream].write(row); !written) return written;
    }
    post_frame(score, moment);
  }
  return {};
}

void VmafSink::post_frame(const vmaf::FrameScore &score, const Moment &moment) {
  const VmafPad *pad = streams_[score.stream];
  if (!pad || !snapshot().frame_messages) return;
  const auto &names = *score.names;
  GstStructure *fields = gst_structure_new(
      "hull-vmaf-frame", "pad", G_TYPE_STRING, GST_OBJECT_NAME(pad->self()), "index", G_TYPE_UINT64,
      score.frame, "score", G_TYPE_DOUBLE, score.score, "pts", G_TYPE_UINT64, moment.pts, "running-time",
      G_TYPE_UINT64, moment.running_time, "stream-time", G_TYPE_UINT64, moment.stream_time, "duration",
      G_TYPE_UINT64, moment.duration, nullptr);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!std::isnan(score.values[i]))
      gst_structure_set(fields, names[i].c_str(), G_TYPE_DOUBLE, score.values[i], nullptr);
  gst_element_post_message(self_, gst_message_new_element(GST_OBJECT(self_), fields));
}

} // namespace hull
