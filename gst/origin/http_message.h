#pragma once

// One request and one reply of HTTP/1.1. What clients send is parsed by libsoup.

#include "gst/origin/gref.h"
#include "gst/publish/live/live.h"

#include <libsoup/soup.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hull::origin {

/// Bytes that live as long as somebody sends them, not copied.
struct BodySlice {
  std::shared_ptr<const void> owner; ///< none: they live for ever
  std::string_view bytes;
};
BodySlice slice_of(const publish::Chunk &chunk);
BodySlice slice_of(std::shared_ptr<const std::string> text);
BodySlice slice_of(std::string text);

using HeadersRef = Ref<SoupMessageHeaders, soup_message_headers_ref, soup_message_headers_unref>;
using TableRef = Ref<GHashTable, g_hash_table_ref, g_hash_table_unref>;

struct HttpRequest {
  std::string method;
  std::string path; ///< decoded, without its first slash
  TableRef query;
  HeadersRef headers;
  bool http_1_0 = false;
  bool keep_alive = false; ///< the client wants to go on with this connection
  bool has_body = false;

  /// Null when it is not in the query.
  const char *parameter(const char *name) const;
  bool accepts_gzip() const;
};

/// Of one request, HTTP/1.1's bytes or HTTP/2's fields as RFC 9113 10.5.1 counts them.
constexpr std::size_t kLongestHead = 32 * 1024;

/// Parses `head`, which ends before the empty line. Returns 200, or the status that refuses it.
int parse_request(const std::string &head, HttpRequest &request);
/// The same for HTTP/2, whose method and fields are in `request` already, the authority as Host.
int complete_request(std::string_view target, HttpRequest &request);

struct HttpReply {
  int status = 200;
  std::string headers; ///< lines with their ends
  std::vector<BodySlice> body;
  bool growing = false; ///< more of the body follows
  std::string etag;     ///< with its quotes, of a status 200 that is whole; empty: none

  HttpReply() = default;
  HttpReply(int code, const char *type, const std::string &cache_control, BodySlice text = {});
  void add(const char *name, std::string_view value);
};

/// The header lines of any HTTP. Cuts the body to the range that was asked for, or empties it for HEAD and where
/// the client has it already (304).
/// `common`: header lines of every reply.
std::string header_lines(HttpReply &reply, const HttpRequest &request, const std::string &common);
/// What goes over the wire of HTTP/1.1 before the body; the body is cut as header_lines does it.
std::string write_head(HttpReply &reply, const HttpRequest &request, const std::string &common);

} // namespace hull::origin
