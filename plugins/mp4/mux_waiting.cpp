#include "plugins/mp4/mux_waiting.h"

#include "gst/glue/raise.h"
#include "plugins/mp4/mux_log.h"

#include <algorithm>
#include <limits>

namespace hull {

namespace {

constexpr std::int64_t kStartPatience = 2 * GST_SECOND; // with live inputs that have nothing yet
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();
constexpr gint64 kSilencePatience = 5 * G_TIME_SPAN_SECOND; // with inputs that never had data

std::optional<GstClockTime> upstream_latency(GstElement *element) {
  std::optional<GstClockTime> most;
  for (const PadRef &pad : sink_pads(element)) {
    const auto query = QueryRef::adopt(gst_query_new_latency());
    if (!gst_pad_peer_query(pad.get(), query.get())) continue;
    gboolean live = FALSE;
    GstClockTime least = 0;
    gst_query_parse_latency(query.get(), &live, &least, nullptr);
    if (live) most = std::max(most.value_or(0), least);
  }
  return most;
}

} // namespace

std::vector<PadRef> sink_pads(GstElement *element, guint32 *cookie) {
  std::vector<PadRef> pads;
  GST_OBJECT_LOCK(element);
  if (cookie) *cookie = element->pads_cookie;
  for (GList *l = element->sinkpads; l; l = l->next)
    pads.push_back(PadRef::retain(GST_PAD(l->data)));
  GST_OBJECT_UNLOCK(element);
  return pads;
}

void MuxWaiting::refresh_latency() {
  upstream_latency_ = upstream_latency(element_);
  queues_.set_live(upstream_latency_.has_value());
}

void MuxWaiting::look_at_clock(GstClockTime own_latency, bool time_passed) {
  late_ = MuxInput::kNotIdle;
  latency_.reset();
  if (!upstream_latency_) return;
  latency_ = *upstream_latency_ + own_latency;
  const auto clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(element_));
  if (!clock) return;
  late_ = static_cast<std::int64_t>(gst_clock_get_time(clock.get())) -
          static_cast<std::int64_t>(gst_element_get_base_time(element_)) -
          static_cast<std::int64_t>(*latency_);
  if (time_passed) late_ = std::max(late_, next_deadline());
}

// Until when the sample that waits does so. Before the header more is at stake: an input that comes after it
// is lost, so microphones and cameras that start slowly have more time.
std::int64_t MuxWaiting::next_deadline() const {
  return next_time_ == MuxInput::kNotIdle || started_ ? next_time_ : next_time_ + kStartPatience;
}

InputQueues::Limit MuxWaiting::limit() const {
  InputQueues::Limit limit;
  limit.monotonic_time = silent_until_;
  if (!is_live() || next_time_ == MuxInput::kNotIdle) return limit;
  limit.clock = ObjectRef<GstClock>::adopt(gst_element_get_clock(element_));
  limit.time = gst_element_get_base_time(element_) + static_cast<GstClockTime>(next_deadline()) + *latency_;
  return limit;
}

bool MuxWaiting::is_late(const MuxInput &input) const {
  return input.head && input.head->running_time <= late_;
}

bool MuxWaiting::header_is_late(const MuxInput &input) const {
  return input.head && input.head->running_time + kStartPatience <= late_;
}

bool MuxWaiting::header_needs(const MuxInput &input) const {
  if (input.done()) return false;
  if (input.text) return !input.text->has_begun() && !is_live(); // live text may take its time
  return !input.timeline || (!input.head && input.idle_until == MuxInput::kNotIdle);
}

bool MuxWaiting::may_have_before(const MuxInput &input, std::int64_t time) const {
  if (input.done()) return false;
  if (input.text && input.text->joins) return !is_live() && input.text->horizon() <= time;
  return !input.head && input.idle_until <= time;
}

bool MuxWaiting::anything_before(std::int64_t time) const {
  return std::ranges::any_of(inputs_, [&](const auto &input) { return may_have_before(*input, time); });
}

template <class Predicate> void MuxWaiting::wait_where(Predicate waits) {
  next_time_ = MuxInput::kNotIdle;
  for (auto &input : inputs_) {
    input->queue->wait_for(waits(*input));
    if (!input->head) continue;
    const std::int64_t time = std::max<std::int64_t>(input->head->running_time, 0);
    if (next_time_ == MuxInput::kNotIdle || time < next_time_) next_time_ = time;
  }
}

void MuxWaiting::wait_to_start() {
  const auto needed = [this](const MuxInput &input) { return header_needs(input); };
  const auto is_needed = [&](const auto &input) { return needed(*input); };
  const auto has_head = [](const auto &input) { return bool(input->head); };
  if (std::ranges::any_of(inputs_, is_needed) && std::ranges::any_of(inputs_, has_head))
    wait_where(needed);
  else
    wait_for_anything();
}

void MuxWaiting::wait_for_samples_before(std::int64_t time) {
  wait_where([&](const MuxInput &input) { return may_have_before(input, time); });
}

void MuxWaiting::wait_for_anything() {
  wait_for_samples_before(kEver);
}

void MuxWaiting::give_up_silent_inputs() {
  if (queues_.take_overfull()) return give_up_what_starves();
  std::vector<MuxInput *> silent;
  bool others = false;
  for (auto &input : inputs_) {
    // Its end may still wait behind samples that wait for the silent ones.
    const bool over = input->done() || input->queue->has_ended();
    if (!over && input->has_begun) return silent_until_.reset();
    others |= over && input->has_begun;
    if (!over) silent.push_back(input.get());
  }
  if (!others || silent.empty()) return silent_until_.reset();
  const gint64 now = g_get_monotonic_time();
  if (!silent_until_) silent_until_ = now + kSilencePatience;
  for (MuxInput *input : silent)
    if (now >= *silent_until_ || !gst_pad_is_linked(input->pad.get()))
      give_up(*input, "all other inputs have ended");
}

void MuxWaiting::give_up_what_starves() {
  for (auto &input : inputs_)
    if (!input->done() && input->queue->starves()) give_up(*input, "the other inputs can hold no more");
}

void MuxWaiting::give_up(MuxInput &input, const char *why) {
  input.given_up = true;
  GST_DEBUG_OBJECT(input.pad.get(), "waited for no longer: %s", why);
  if (!gst_pad_is_linked(input.pad.get())) return;
  warn(element_, {ErrorCode::state, std::string(input.name()) +
                                        (input.has_begun ? " has stopped" : " has had no data") +
                                        " and is waited for no longer, since " + why +
                                        ". Send gap events or EOS where an input has nothing."});
}

} // namespace hull
