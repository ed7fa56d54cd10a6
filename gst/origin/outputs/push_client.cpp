#include "gst/origin/outputs/push_client.h"

namespace hull::origin {
namespace {

constexpr unsigned kTimeout = 4; // seconds without a byte; ING-11: about one segment

} // namespace

PushClient::PushClient(const std::string &url, std::string method)
    : url_(url), method_(std::move(method)), cancellable_(GRef<GCancellable>::adopt(g_cancellable_new())) {
  if (GUri *parsed = g_uri_parse(
          url.c_str(), static_cast<GUriFlags>(int{G_URI_FLAGS_HAS_PASSWORD} | int{G_URI_FLAGS_ENCODED}),
          nullptr)) {
    if (const char *user = g_uri_get_userinfo(parsed)) {
      const OwnedText plain(g_uri_unescape_string(user, nullptr));
      const std::string text = plain.c_str();
      const OwnedText code(g_base64_encode(reinterpret_cast<const guchar *>(text.data()), text.size()));
      authorization_ = std::string("Basic ") + code.c_str();
    }
    g_uri_unref(parsed);
  }
  reconnect();
}

PushClient::~PushClient() {
  soup_session_abort(session_.get());
}

void PushClient::reconnect() {
  session_ = GRef<SoupSession>::adopt(soup_session_new_with_options(
      "timeout", kTimeout, "user-agent", "gst-plugins-hull", "max-conns-per-host", 1, nullptr));
  soup_session_remove_feature_by_type(session_.get(), SOUP_TYPE_AUTH_MANAGER);
}

GRef<SoupMessage> PushClient::message(const char *method, const std::string &name) const {
  auto made = GRef<SoupMessage>::adopt(soup_message_new(method, (url_ + name).c_str()));
  if (made && !authorization_.empty())
    soup_message_headers_replace(soup_message_get_request_headers(made.get()), "Authorization",
                                 authorization_.c_str());
  return made;
}

PushReply PushClient::send(SoupMessage *message) {
  if (!message) return {0, "it is no HTTP URL"};
  GError *error = nullptr;
  GBytes *answer = soup_session_send_and_read(session_.get(), message, cancellable_.get(), &error);
  PushReply reply;
  reply.status = answer ? soup_message_get_status(message) : 0;
  const char *phrase = soup_message_get_reason_phrase(message);
  reply.why = error ? error->message : phrase ? phrase : "";
  if (answer) g_bytes_unref(answer);
  g_clear_error(&error);
  return reply;
}

PushReply PushClient::put(const std::string &name, const std::string &type, std::string_view body) {
  const auto made = message(method_.c_str(), name);
  if (!made) return send(nullptr);
  GBytes *bytes = g_bytes_new(body.data(), body.size());
  soup_message_set_request_body_from_bytes(made.get(), type.c_str(), bytes);
  g_bytes_unref(bytes);
  return send(made.get());
}

PushReply PushClient::put_growing(const std::string &name, const std::string &type, GInputStream *body) {
  const auto made = message(method_.c_str(), name);
  if (!made) return send(nullptr);
  soup_message_set_request_body(made.get(), type.c_str(), body, -1);
  return send(made.get());
}

PushReply PushClient::remove(const std::string &name) {
  return send(message("DELETE", name).get());
}

} // namespace hull::origin
