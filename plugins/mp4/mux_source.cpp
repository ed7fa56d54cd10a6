#include "plugins/mp4/mux_source.h"

#include "plugins/mp4/mux_log.h"
#include "plugins/mp4/payloads.h"

#include <string>

namespace hull {

using mux::is_whole;
using mux::Variant;

namespace {

constexpr const char *kNames[] = {"iso", "iso-fragmented", "cmaf", "apple"};
constexpr Variant kVariants[] = {Variant::iso, Variant::iso_fragmented, Variant::cmaf, Variant::apple};

CapsRef caps_of(Variant variant) {
  return CapsRef::adopt(gst_caps_new_simple("video/quicktime", "variant", G_TYPE_STRING,
                                            kNames[static_cast<std::size_t>(variant)], nullptr));
}

void add_header(GstCaps *caps, Bytes header) {
  const auto buffer = BufferRef::adopt(gst_buffer_new_memdup(header.data(), header.size()));
  GValue array = G_VALUE_INIT, value = G_VALUE_INIT;
  g_value_init(&array, GST_TYPE_ARRAY);
  g_value_init(&value, GST_TYPE_BUFFER);
  gst_value_set_buffer(&value, buffer.get());
  gst_value_array_append_and_take_value(&array, &value);
  gst_caps_set_value(caps, "streamheader", &array);
  g_value_unset(&array);
}

} // namespace

void MuxSource::reset() {
  begun_ = false;
  format_.reset();
}

Result<Variant> MuxSource::choose_variant() const {
  const auto allowed = CapsRef::adopt(gst_pad_get_allowed_caps(pad_));
  if (!allowed || gst_caps_is_empty(allowed.get()))
    return fail(ErrorCode::unsupported,
                "What follows the muxer takes none of video/quicktime with variant iso, "
                "iso-fragmented, cmaf or apple.");
  const auto query = QueryRef::adopt(gst_query_new_seeking(GST_FORMAT_BYTES));
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(pad_, query.get()))
    gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
  for (guint i = 0; i < gst_caps_get_size(allowed.get()); ++i) {
    const auto caps = CapsRef::adopt(gst_caps_copy_nth(allowed.get(), i));
    for (const Variant variant : kVariants)
      if (gst_caps_can_intersect(caps.get(), caps_of(variant).get()) && (seekable || !is_whole(variant)))
        return variant;
  }
  return fail(ErrorCode::settings,
              "A whole file (variant=iso or apple) is completed where it began, and what follows the muxer "
              "cannot go back. "
              "Put hullmp4sink or filesink behind it, or let it take variant=iso-fragmented or cmaf.");
}

bool MuxSource::asks_yes(const char *question) const {
  const auto query =
      QueryRef::adopt(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(question)));
  return gst_pad_peer_query(pad_, query.get());
}

bool MuxSource::keeps_room() const {
  return asks_yes("hull-mp4-keeps-room");
}

bool MuxSource::replaces_header() const {
  return asks_yes("hull-mp4-replaces-header");
}

void MuxSource::push_event(GstEvent *event) {
  begin();
  gst_pad_push_event(pad_, event);
}

void MuxSource::begin() {
  if (begun_) return;
  begun_ = true;
  const std::string id = "hullmp4mux-" + std::to_string(g_random_int());
  GstEvent *start = gst_event_new_stream_start(id.c_str());
  gst_event_set_group_id(start, gst_util_group_id_next());
  gst_pad_push_event(pad_, start);
}

void MuxSource::set_caps(Variant variant, Bytes header) {
  const CapsRef caps = caps_of(variant);
  if (!header.empty()) add_header(caps.get(), header);
  GST_INFO_OBJECT(pad_, "caps %" GST_PTR_FORMAT, caps.get());
  push_event(gst_event_new_caps(caps.get()));
  const GstFormat format = is_whole(variant) ? GST_FORMAT_BYTES : GST_FORMAT_TIME;
  if (format_ == format) return;
  format_ = format;
  GstSegment segment;
  gst_segment_init(&segment, format);
  push_event(gst_event_new_segment(&segment));
}

void MuxSource::seek(std::uint64_t offset) {
  GST_DEBUG_OBJECT(pad_, "going to byte %" G_GUINT64_FORMAT, offset);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = segment.time = offset;
  push_event(gst_event_new_segment(&segment));
}

GstFlowReturn MuxSource::push(std::vector<mux::Piece> pieces) {
  begin();
  auto list = BufferListRef::adopt(gst_buffer_list_new_sized(static_cast<guint>(pieces.size())));
  for (mux::Piece &piece : pieces)
    gst_buffer_list_add(list.get(), buffer_of(std::move(piece)).release());
  return gst_pad_push_list(pad_, list.release());
}

void MuxSource::preroll(Variant variant) {
  GST_DEBUG_OBJECT(pad_, "letting what follows preroll");
  set_caps(variant, {});
  if (!is_whole(variant)) return push_event(gst_event_new_gap(0, GST_CLOCK_TIME_NONE));
  // A sink that is not there yet, as in splitmuxsink, needs none.
  (void)push(std::vector<mux::Piece>(1));
}

void MuxSource::end() {
  push_event(gst_event_new_eos());
}

void MuxSource::hold(GstClockTime held) {
  if (held_.exchange(held) == held) return;
  auto *element = GST_ELEMENT(GST_OBJECT_PARENT(pad_));
  gst_element_post_message(element, gst_message_new_latency(GST_OBJECT(element)));
}

} // namespace hull
