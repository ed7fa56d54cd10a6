#include "plugins/h264/counters.h"

#include <algorithm>

namespace hull::h264 {
namespace {

constexpr double kWindowSeconds = 2, kTolerance = 1.1;

} // namespace

void Counters::expect(double target_kbps, double fps, unsigned qp_max) {
  const std::lock_guard lock(mutex_);
  target_kbps_ = target_kbps;
  fps_ = fps;
  qp_max_ = qp_max;
  told_ = false;
  window_.clear();
  window_bytes_ = window_quantizers_ = 0;
}

void Counters::reset() {
  const std::lock_guard lock(mutex_);
  frames_ = dropped_ = keys_ = bytes_ = quantizers_ = again_ = overruns_ = 0;
  std::fill(std::begin(layers_), std::end(layers_), 0);
  last_qp_ = 0;
}

void Counters::coded(std::size_t bytes, bool key, int qp, unsigned temporal_id) {
  const std::lock_guard lock(mutex_);
  ++frames_;
  keys_ += key;
  bytes_ += bytes;
  quantizers_ += static_cast<unsigned>(std::max(qp, 0));
  last_qp_ = qp;
  ++layers_[std::min(temporal_id, 3u)];
  window_.push_back({bytes, qp});
  window_bytes_ += bytes;
  window_quantizers_ += static_cast<unsigned>(std::max(qp, 0));
  while (static_cast<double>(window_.size()) > std::max(2.0, fps_ * kWindowSeconds)) {
    window_bytes_ -= window_.front().bytes;
    window_quantizers_ -= static_cast<unsigned>(std::max(window_.front().qp, 0));
    window_.pop_front();
  }
}

void Counters::dropped() {
  const std::lock_guard lock(mutex_);
  ++dropped_;
}

void Counters::coded_again() {
  const std::lock_guard lock(mutex_);
  ++again_;
}

void Counters::overran() {
  const std::lock_guard lock(mutex_);
  ++overruns_;
}

double Counters::window_kbps() const {
  return window_.empty()
             ? 0
             : static_cast<double>(window_bytes_) * 8 * fps_ / static_cast<double>(window_.size()) / 1000;
}

std::optional<double> Counters::overshoot() {
  const std::lock_guard lock(mutex_);
  const bool full = static_cast<double>(window_.size() + 1) > fps_ * kWindowSeconds;
  if (told_ || !full || target_kbps_ <= 0) return std::nullopt;
  const double kbps = window_kbps();
  const double quantizer = static_cast<double>(window_quantizers_) / static_cast<double>(window_.size());
  if (kbps < target_kbps_ * kTolerance || quantizer + 0.5 < qp_max_) return std::nullopt;
  told_ = true;
  return kbps;
}

StructureRef Counters::structure() const {
  const std::lock_guard lock(mutex_);
  const double average = frames_ ? static_cast<double>(quantizers_) / static_cast<double>(frames_) : 0;
  GstStructure *made = gst_structure_new(
      "hullh264enc-stats", "frames", G_TYPE_UINT64, frames_, "dropped", G_TYPE_UINT64, dropped_, "key-units",
      G_TYPE_UINT64, keys_, "bytes", G_TYPE_UINT64, bytes_, "bitrate", G_TYPE_DOUBLE, window_kbps(),
      "average-quantizer", G_TYPE_DOUBLE, average, "last-quantizer", G_TYPE_INT, last_qp_,
      "bitrate-unreachable", G_TYPE_BOOLEAN, static_cast<gboolean>(told_), "coded-again", G_TYPE_UINT64,
      again_, "overruns", G_TYPE_UINT64, overruns_, nullptr);
  GValue layers = G_VALUE_INIT, one = G_VALUE_INIT;
  g_value_init(&layers, GST_TYPE_ARRAY);
  for (const std::uint64_t count : layers_) {
    g_value_init(&one, G_TYPE_UINT64);
    g_value_set_uint64(&one, count);
    gst_value_array_append_and_take_value(&layers, &one);
  }
  gst_structure_take_value(made, "frames-per-layer", &layers);
  return StructureRef::adopt(made);
}

} // namespace hull::h264
