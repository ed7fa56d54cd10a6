#include "plugins/h264/counters.h"

#include <algorithm>

namespace hull::h264 {
namespace {

constexpr double kWindowSeconds = 2, kTolerance = 1.1;

} // namespace

void Counters::expect(double target_kbps, double fps, unsigned qp_max) {
  const Lock lock(mutex_);
  target_kbps_ = target_kbps;
  fps_ = fps;
  qp_max_ = qp_max;
  told_ = false;
  window_ = {};
}

void Counters::reset() {
  const Lock lock(mutex_);
  totals_ = {};
}

void Counters::coded(std::size_t bytes, bool key, int qp, unsigned temporal_id) {
  const Lock lock(mutex_);
  ++totals_.frames;
  totals_.keys += key;
  totals_.bytes += bytes;
  totals_.quantizers += static_cast<unsigned>(std::max(qp, 0));
  totals_.last_qp = qp;
  ++totals_.layers[std::min(temporal_id, 3u)];
  window_.entries.push_back({bytes, qp});
  window_.bytes += bytes;
  window_.quantizers += static_cast<unsigned>(std::max(qp, 0));
  while (static_cast<double>(window_.entries.size()) > std::max(2.0, fps_ * kWindowSeconds)) {
    window_.bytes -= window_.entries.front().bytes;
    window_.quantizers -= static_cast<unsigned>(std::max(window_.entries.front().qp, 0));
    window_.entries.pop_front();
  }
}

void Counters::dropped() {
  const Lock lock(mutex_);
  ++totals_.dropped;
}

void Counters::coded_again() {
  const Lock lock(mutex_);
  ++totals_.again;
}

void Counters::overran() {
  const Lock lock(mutex_);
  ++totals_.overruns;
}

Counters::Totals Counters::totals() const {
  const Lock lock(mutex_);
  return totals_;
}

double Counters::window_kbps() const {
  return window_.entries.empty() ? 0
                                 : static_cast<double>(window_.bytes) * 8 * fps_ /
                                       static_cast<double>(window_.entries.size()) / 1000;
}

std::optional<double> Counters::overshoot() {
  const Lock lock(mutex_);
  const bool full = static_cast<double>(window_.entries.size() + 1) > fps_ * kWindowSeconds;
  if (told_ || !full || target_kbps_ <= 0) return std::nullopt;
  const double kbps = window_kbps();
  const double quantizer =
      static_cast<double>(window_.quantizers) / static_cast<double>(window_.entries.size());
  if (kbps < target_kbps_ * kTolerance || quantizer + 0.5 < qp_max_) return std::nullopt;
  told_ = true;
  return kbps;
}

StructureRef Counters::structure() const {
  const Lock lock(mutex_);
  const double average =
      totals_.frames ? static_cast<double>(totals_.quantizers) / static_cast<double>(totals_.frames) : 0;
  GstStructure *made = gst_structure_new(
      "hullh264enc-stats", "frames", G_TYPE_UINT64, totals_.frames, "dropped", G_TYPE_UINT64, totals_.dropped,
      "key-units", G_TYPE_UINT64, totals_.keys, "bytes", G_TYPE_UINT64, totals_.bytes, "bitrate",
      G_TYPE_DOUBLE, window_kbps(), "average-quantizer", G_TYPE_DOUBLE, average, "last-quantizer", G_TYPE_INT,
      totals_.last_qp, "bitrate-unreachable", G_TYPE_BOOLEAN, static_cast<gboolean>(told_), "coded-again",
      G_TYPE_UINT64, totals_.again, "overruns", G_TYPE_UINT64, totals_.overruns, nullptr);
  GValue layers = G_VALUE_INIT, one = G_VALUE_INIT;
  g_value_init(&layers, GST_TYPE_ARRAY);
  for (const std::uint64_t count : totals_.layers) {
    g_value_init(&one, G_TYPE_UINT64);
    g_value_set_uint64(&one, count);
    gst_value_array_append_and_take_value(&layers, &one);
  }
  gst_structure_take_value(made, "frames-per-layer", &layers);
  return StructureRef::adopt(made);
}

} // namespace hull::h264
