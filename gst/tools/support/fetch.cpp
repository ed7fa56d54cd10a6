#include "gst/tools/support/fetch.h"

#include "gst/glue/map.h"
#include "gst/glue/ref.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <cctype>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

namespace hull::tools {
namespace {

constexpr std::size_t kLargest = 64u << 20;
constexpr GstClockTime kTimeout = 20 * GST_SECOND;

/// What souphttpsrc tells of the reply: a structure of header names and values, in any case of letters.
void take_headers(const GstStructure *event, publish::HttpReply &reply) {
  guint status = 0;
  if (gst_structure_get_uint(event, "http-status-code", &status)) reply.status = static_cast<int>(status);
  const GValue *value = gst_structure_get_value(event, "response-headers");
  const GstStructure *headers = value ? gst_value_get_structure(value) : nullptr;
  for (int i = 0; headers && i < gst_structure_n_fields(headers); ++i) {
    const char *name = gst_structure_nth_field_name(headers, static_cast<guint>(i));
    std::string key = name;
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    const char *text = gst_structure_get_string(headers, name);
    if (!text) continue;
    if (key == "content-type") reply.content_type = text;
    if (key == "content-length") reply.content_length = true;
    if (key == "content-encoding") reply.content_encoding = text;
    if (key == "cache-control") reply.cache_control = text;
    if (key == "access-control-allow-origin") reply.access_control_allow_origin = text;
  }
}

Result<publish::HttpReply> get(const std::string &url, bool errors_too) {
  const auto pipeline = ElementRef::retain(gst_pipeline_new(nullptr));
  GstElement *source = gst_element_factory_make("souphttpsrc", nullptr);
  GstElement *sink = gst_element_factory_make("appsink", nullptr);
  if (!source || !sink)
    return fail(ErrorCode::not_found,
                "Reading a URL needs the element souphttpsrc (gstreamer1.0-plugins-good).");
  g_object_set(source, "location", url.c_str(), "compress", TRUE, "timeout", 15u, "retries", 1, nullptr);
  g_object_set(sink, "sync", FALSE, "max-buffers", 64u, nullptr);
  gst_bin_add_many(GST_BIN(pipeline.get()), source, sink, nullptr);
  gst_element_link(source, sink);
  publish::HttpReply reply;
  const auto pad = PadRef::adopt(gst_element_get_static_pad(sink, "sink"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad *, GstPadProbeInfo *info, gpointer data) {
        GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
        const GstStructure *structure = gst_event_get_structure(event);
        if (structure && gst_structure_has_name(structure, "http-headers"))
          take_headers(structure, *static_cast<publish::HttpReply *>(data));
        return GST_PAD_PROBE_OK;
      },
      &reply, nullptr);
  const gint64 start = g_get_monotonic_time();
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  bool first = true;
  while (const auto sample = SampleRef::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink), kTimeout))) {
    if (first) reply.seconds = static_cast<double>(g_get_monotonic_time() - start) / 1e6;
    first = false;
    const MappedBuffer map(gst_sample_get_buffer(sample.get()), GST_MAP_READ);
    const Bytes bytes = map.bytes();
    reply.body.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    if (reply.body.size() > kLargest) break;
  }
  reply.total_seconds = static_cast<double>(g_get_monotonic_time() - start) / 1e6;
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto error = MessageRef::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (error) {
    const GstStructure *details = nullptr;
    gst_message_parse_error_details(error.get(), &details);
    guint status = 0;
    if (details && gst_structure_get_uint(details, "http-status-code", &status) && status >= 400 &&
        errors_too) {
      reply.status = static_cast<int>(status);
      return reply;
    }
    GError *why = nullptr;
    gst_message_parse_error(error.get(), &why, nullptr);
    const std::string text = why ? why->message : "no reason given";
    g_clear_error(&why);
    return fail(ErrorCode::io, url + ": " + text);
  }
  return reply;
}

} // namespace

bool is_url(const std::string &location) {
  return location.starts_with("http://") || location.starts_with("https://");
}

std::string resolve(const std::string &base, const std::string &reference) {
  if (!is_url(base) && !is_url(reference)) { // files beside each other
    const std::size_t slash = base.rfind('/');
    return slash == std::string::npos ? reference : base.substr(0, slash + 1) + reference;
  }
  const OwnedText resolved(g_uri_resolve_relative(is_url(base) ? base.c_str() : nullptr, reference.c_str(),
                                                  G_URI_FLAGS_ENCODED, nullptr));
  const std::string text = resolved.c_str();
  return text.empty() ? reference : text;
}

Result<publish::HttpReply> ask(const std::string &location) {
  return is_url(location) ? get(location, true) : fetch(location);
}

Result<publish::HttpReply> fetch(const std::string &location) {
  if (is_url(location)) return get(location, false);
  auto text = read_file(location);
  if (!text) return tl::unexpected(text.error());
  publish::HttpReply reply;
  reply.status = 200;
  reply.body = std::move(*text);
  return reply;
}

} // namespace hull::tools
