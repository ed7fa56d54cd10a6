#include "gst/tools/support/child_process.h"
#include "gst/tools/support/fetch.h"

#include <gio/gio.h>

namespace hull::tools {
std::string negotiated_protocol(const std::string &url) {
  if (!url.starts_with("https://")) return "http/1.1";
  const auto client = GRef<GSocketClient>::adopt(g_socket_client_new());
  g_socket_client_set_timeout(client.get(), 10);
  const std::string host = url.substr(8, url.find('/', 8) - 8);
  const auto plain = GRef<GSocketConnection>::adopt(
      g_socket_client_connect_to_host(client.get(), host.c_str(), 443, nullptr, nullptr));
  const auto identity = GRef<GSocketConnectable>::adopt(g_network_address_parse(host.c_str(), 443, nullptr));
  if (!plain || !identity) return {};
  const auto secure =
      GRef<GIOStream>::adopt(g_tls_client_connection_new(G_IO_STREAM(plain.get()), identity.get(), nullptr));
  if (!secure) return {};
  // Only the protocol is asked for: whether the certificate is good shows when something is fetched.
  g_signal_connect(secure.get(), "accept-certificate",
                   G_CALLBACK(+[](GTlsConnection *, GTlsCertificate *, GTlsCertificateFlags,
                                  gpointer) -> gboolean { return TRUE; }),
                   nullptr);
  const char *const offered[] = {"h2", "http/1.1", nullptr};
  auto *connection = G_TLS_CONNECTION(secure.get());
  g_tls_connection_set_advertised_protocols(connection, offered);
  if (!g_tls_connection_handshake(connection, nullptr, nullptr)) return {};
  const char *agreed = g_tls_connection_get_negotiated_protocol(connection);
  return agreed ? agreed : "http/1.1";
}

} // namespace hull::tools
