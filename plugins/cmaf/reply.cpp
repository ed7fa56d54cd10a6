#include "plugins/cmaf/reply.h"

#include "plugins/cmaf/listener.h"

namespace hull::cmaf {

void set_header(SoupServerMessage *message, const char *name, const std::string &value) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), name, value.c_str());
}

void append_header(SoupServerMessage *message, const char *name, const std::string &value) {
  soup_message_headers_append(soup_server_message_get_response_headers(message), name, value.c_str());
}

void add_cors(SoupServerMessage *message, const std::string &origin) {
  if (origin.empty()) return;
  set_header(message, "Access-Control-Allow-Origin", origin);
  set_header(message, "Access-Control-Expose-Headers", "Date, Age, Content-Length, Content-Range, Server");
  set_header(message, "Timing-Allow-Origin", origin);
  if (origin != "*") set_header(message, "Vary", "Origin");
}

void reply(SoupServerMessage *message, int status, const char *type, std::string_view body,
           const std::string &cache_control) {
  soup_server_message_set_status(message, static_cast<guint>(status), nullptr);
  set_header(message, "Cache-Control", cache_control);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
}

void append_chunk(SoupMessageBody *body, const publish::Chunk &chunk) {
  auto *held = new publish::Chunk(chunk);
  GBytes *bytes = g_bytes_new_with_free_func(
      chunk->data(), chunk->size(), [](gpointer data) { delete static_cast<publish::Chunk *>(data); }, held);
  soup_message_body_append_bytes(body, bytes);
  g_bytes_unref(bytes);
}

bool accepts_gzip(SoupServerMessage *message) {
  return soup_message_headers_header_contains(soup_server_message_get_request_headers(message),
                                              "Accept-Encoding", "gzip");
}

std::string gzip(std::string_view text) {
  const auto compressor =
      GRef<GZlibCompressor>::adopt(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
  std::string out(text.size() + text.size() / 8 + 64, '\0');
  gsize read = 0, written = 0;
  const GConverterResult result =
      g_converter_convert(G_CONVERTER(compressor.get()), text.data(), text.size(), out.data(), out.size(),
                          G_CONVERTER_INPUT_AT_END, &read, &written, nullptr);
  if (result != G_CONVERTER_FINISHED) return {};
  out.resize(written);
  return out;
}

} // namespace hull::cmaf
