#include "plugins/cmaf/clock.h"

#include "gst/glue/ref.h"
#include "gst/publish/utc.h"

#include <string_view>

namespace hull::cmaf {
namespace {

constexpr std::int64_t kNtpTo1970 = 2'208'988'800 * std::int64_t{1'000'000'000};
constexpr std::int64_t kLeapSeconds =
    37 * std::int64_t{1'000'000'000}; // TAI - UTC since 2017, IERS Bulletin C

/// UTC of running time 0 by a pipeline clock that knows the time of day.
std::optional<std::int64_t> from_clock(GstClock *clock, std::int64_t base_time) {
  const std::string_view type = G_OBJECT_TYPE_NAME(clock);
  if (type == "GstNtpClock") return base_time - kNtpTo1970;
  if (type == "GstPtpClock") return base_time - kLeapSeconds;
  if (!GST_IS_SYSTEM_CLOCK(clock)) return std::nullopt;
  GstClockType kind = GST_CLOCK_TYPE_MONOTONIC;
  g_object_get(clock, "clock-type", &kind, nullptr);
  if (kind == GST_CLOCK_TYPE_REALTIME) return base_time;
  if (kind == GST_CLOCK_TYPE_TAI) return base_time - kLeapSeconds;
  return std::nullopt;
}

} // namespace

void WallClock::reference(std::int64_t utc, std::int64_t running_time) {
  const Lock lock(mutex_);
  if (!epoch_ && !reference_) reference_ = utc - running_time;
}

std::int64_t WallClock::epoch(GstElement *element) {
  const Lock lock(mutex_);
  if (epoch_) return *epoch_;
  if (reference_) {
    epoch_ = reference_;
    return *epoch_;
  }
  const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(element));
  const std::int64_t base = static_cast<std::int64_t>(gst_element_get_base_time(element));
  const bool playing = clock && base > 0;
  if (playing) epoch_ = from_clock(clock.get(), base);
  if (!epoch_) {
    const std::int64_t now = playing ? static_cast<std::int64_t>(gst_clock_get_time(clock.get())) - base : 0;
    epoch_ = publish::utc_now() - now;
  }
  return *epoch_;
}

std::int64_t WallClock::now(GstElement *element) {
  std::optional<std::int64_t> epoch;
  {
    const Lock lock(mutex_);
    epoch = epoch_;
  }
  const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(element));
  const GstClockTime base = gst_element_get_base_time(element);
  if (!epoch || !clock || base == 0) return publish::utc_now();
  return *epoch + static_cast<std::int64_t>(gst_clock_get_time(clock.get())) -
         static_cast<std::int64_t>(base);
}

std::optional<std::int64_t> reference_utc(GstBuffer *buffer) {
  gpointer state = nullptr;
  while (GstMeta *meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, GST_REFERENCE_TIMESTAMP_META_API_TYPE)) {
    const auto *reference = reinterpret_cast<GstReferenceTimestampMeta *>(meta);
    const char *name = gst_structure_get_name(gst_caps_get_structure(reference->reference, 0));
    if (g_str_equal(name, "timestamp/x-unix")) return static_cast<std::int64_t>(reference->timestamp);
    if (g_str_equal(name, "timestamp/x-ntp"))
      return static_cast<std::int64_t>(reference->timestamp) - kNtpTo1970;
  }
  return std::nullopt;
}

} // namespace hull::cmaf
