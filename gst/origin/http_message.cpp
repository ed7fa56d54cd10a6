#include "gst/origin/http_message.h"

#include "gst/core/number.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>

namespace hull::origin {
namespace {

/// RFC 9110 5.6.7.
std::string date_now() {
  static thread_local std::time_t written = 0;
  static thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != written) {
    const auto date =
        Ref<GDateTime, g_date_time_ref, g_date_time_unref>::adopt(g_date_time_new_from_unix_utc(now));
    text = OwnedText(soup_date_time_to_string(date.get(), SOUP_DATE_HTTP)).c_str();
    written = now;
  }
  return text;
}

// "/path?query", or the whole URL that a client of a proxy sends. False: it is neither.
bool take_target(std::string_view target, HttpRequest &request) {
  if (target == "*") return request.path = "*", request.method == "OPTIONS";
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.starts_with(scheme)) {
      const std::size_t slash = target.find('/', scheme.size());
      target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
  if (!target.starts_with('/')) return false;
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos)
    request.query = TableRef::adopt(soup_form_decode(std::string(target.substr(mark + 1)).c_str()));
  const std::string_view path = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  char *plain =
      g_uri_unescape_segment(path.data(), path.data() + path.size(), nullptr); // null: %00, or no hex
  if (!plain) return false;
  request.path = OwnedText(plain).c_str();
  return true;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return g_ascii_isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// Field lines that two readers may read in two ways let one request hide in another (RFC 9112 5.1, 5.2):
// libsoup leaves them out, or takes them as it likes.
bool plain_fields(std::string_view head) {
  std::size_t at = head.find('\n', std::min(head.find_first_not_of("\r\n"), head.size()));
  while (at != std::string_view::npos && ++at < head.size()) {
    const std::size_t end = head.find('\n', at);
    std::string_view line = head.substr(at, end == std::string_view::npos ? end : end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (!line.empty() && (colon == std::string_view::npos || !is_token(line.substr(0, colon)))) return false;
    at = end;
  }
  return true;
}

// One number, and no second way to say how long a body is (RFC 9112 6.2, 6.3).
bool plain_length(const char *length, const char *encoding) {
  if (!length) return true;
  const std::string_view digits(length);
  return !encoding && !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

const char *length_of(const HttpRequest &request) {
  return soup_message_headers_get_list(request.headers.get(), "Content-Length");
}

void cut_body(std::vector<BodySlice> &body, std::uint64_t from, std::uint64_t size) {
  std::vector<BodySlice> kept;
  for (BodySlice &slice : body) {
    const std::uint64_t skip = std::min<std::uint64_t>(from, slice.bytes.size());
    from -= skip;
    slice.bytes = slice.bytes.substr(skip, size);
    size -= slice.bytes.size();
    if (!slice.bytes.empty()) kept.push_back(std::move(slice));
  }
  body = std::move(kept);
}

// "bytes=-N" with an N that is more than there is: all of it (RFC 9110 14.1.2), which libsoup refuses.
bool is_whole_suffix(std::string_view range, std::uint64_t total) {
  constexpr std::string_view kUnit = "bytes=-";
  if (!range.starts_with(kUnit)) return false;
  const auto size = to_number<std::uint64_t>(range.substr(kUnit.size()));
  return size && *size > total && total > 0;
}

// "bytes=9-3" is no range, and what is none is not there (RFC 9110 14.1.1, 14.2).
bool is_backward(std::string_view range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range.starts_with(kUnit)) return false;
  range.remove_prefix(kUnit.size());
  const auto from = take_number<std::uint64_t>(range);
  if (!from || !range.starts_with('-')) return false;
  const auto last = to_number<std::uint64_t>(range.substr(1));
  return last && *last < *from;
}

// Whether the client has what would be sent (RFC 9110 13.1.2), by the weak comparison of 8.8.3.2.
bool is_known(const HttpReply &reply, const HttpRequest &request) {
  const char *named = soup_message_headers_get_list(request.headers.get(), "If-None-Match");
  if (!named || reply.etag.empty()) return false;
  std::string_view rest = named;
  if (rest == "*") return true;
  for (std::size_t begin; (begin = rest.find('"')) != std::string_view::npos;) {
    const std::size_t end = rest.find('"', begin + 1);
    if (end == std::string_view::npos) return false;
    if (rest.substr(begin, end + 1 - begin) == reply.etag) return true;
    rest.remove_prefix(end + 1);
  }
  return false;
}

/// One range of a whole body; several, or one of another body, get all of it (RFC 9110 13.1.5, 14.2).
void apply_range(HttpReply &reply, const HttpRequest &request, std::uint64_t total) {
  const char *of = soup_message_headers_get_one(request.headers.get(), "If-Range");
  if (of && (reply.etag.empty() || reply.etag != of)) return;
  const char *wanted = soup_message_headers_get_one(request.headers.get(), "Range");
  if (!wanted) return;
  if (is_whole_suffix(wanted, total)) {
    reply.status = 206;
    reply.add("Content-Range", fmt::format("bytes 0-{}/{}", total - 1, total));
    return;
  }
  if (is_backward(wanted)) return;
  SoupRange *ranges = nullptr;
  int count = 0;
  const bool any =
      soup_message_headers_get_ranges(request.headers.get(), static_cast<goffset>(total), &ranges, &count);
  const std::uint64_t from = any ? static_cast<std::uint64_t>(ranges[0].start) : 0;
  const std::uint64_t last =
      any ? std::min<std::uint64_t>(static_cast<std::uint64_t>(ranges[0].end), total - 1) : 0;
  if (any) soup_message_headers_free_ranges(request.headers.get(), ranges);
  if (any && count != 1) return;
  if (any && from < total && from <= last) {
    reply.status = 206;
    reply.add("Content-Range", fmt::format("bytes {}-{}/{}", from, last, total));
    cut_body(reply.body, from, last - from + 1);
    return;
  }
  if (!std::string_view(wanted).starts_with("bytes=")) return;
  reply.status = 416;
  reply.add("Content-Range", fmt::format("bytes */{}", total));
  reply.body.clear();
}

const char *phrase(int status) {
  return status == 431 ? "Request Header Fields Too Large"
                       : soup_status_get_phrase(static_cast<guint>(status));
}

std::uint64_t size_of(const std::vector<BodySlice> &body) {
  std::uint64_t total = 0;
  for (const BodySlice &slice : body)
    total += slice.bytes.size();
  return total;
}

} // namespace

BodySlice slice_of(const publish::Chunk &chunk) {
  return {chunk, {reinterpret_cast<const char *>(chunk->data()), chunk->size()}};
}

BodySlice slice_of(std::shared_ptr<const std::string> text) {
  const std::string_view bytes(*text);
  return {std::move(text), bytes};
}

BodySlice slice_of(std::string text) {
  return slice_of(std::make_shared<const std::string>(std::move(text)));
}

const char *HttpRequest::parameter(const char *name) const {
  return query ? static_cast<const char *>(g_hash_table_lookup(query.get(), name)) : nullptr;
}

bool HttpRequest::accepts_gzip() const {
  return soup_message_headers_header_contains(headers.get(), "Accept-Encoding", "gzip");
}

int parse_request(const std::string &head, HttpRequest &request) {
  request = {};
  if (!plain_fields(head)) return 400;
  request.headers = HeadersRef::adopt(soup_message_headers_new(SOUP_MESSAGE_HEADERS_REQUEST));
  char *method = nullptr, *target = nullptr;
  SoupHTTPVersion version = SOUP_HTTP_1_1;
  const guint status = soup_headers_parse_request(head.c_str(), static_cast<int>(head.size()),
                                                  request.headers.get(), &method, &target, &version);
  const OwnedText owned_method(method), owned_target(target);
  if (status != SOUP_STATUS_OK) return static_cast<int>(status);
  request.method = owned_method.c_str();
  request.http_1_0 = version == SOUP_HTTP_1_0;
  const auto says = [&request](const char *word) {
    return soup_message_headers_header_contains(request.headers.get(), "Connection", word) != FALSE;
  };
  const char *encoding = soup_message_headers_get_list(request.headers.get(), "Transfer-Encoding");
  if (!plain_length(length_of(request), encoding)) return 400;
  const int status_now = complete_request(owned_target.c_str(), request);
  request.has_body = request.has_body || encoding;
  // What follows a body that nobody asked for is not read as a request.
  request.keep_alive = !request.has_body && (request.http_1_0 ? says("keep-alive") : !says("close"));
  return status_now;
}

int complete_request(std::string_view target, HttpRequest &request) {
  const char *length = length_of(request);
  request.has_body = length && std::string_view(length) != "0";
  request.keep_alive = true;
  if (!is_token(request.method)) return 400; // RFC 9110 9.1; libsoup takes none at all
  const char *host = soup_message_headers_get_list(request.headers.get(), "Host");
  if (host ? std::string_view(host).find(',') != std::string_view::npos : !request.http_1_0) return 400;
  return take_target(target, request) ? 200 : 400;
}

HttpReply::HttpReply(int code, const char *type, const std::string &cache_control, BodySlice text)
    : status(code) {
  add("Content-Type", type);
  add("Cache-Control", cache_control);
  if (!text.bytes.empty()) body.push_back(std::move(text));
}

void HttpReply::add(const char *name, std::string_view value) {
  headers += fmt::format("{}: {}\r\n", name, value);
}

std::string header_lines(HttpReply &reply, const HttpRequest &request, const std::string &common) {
  const std::uint64_t total = size_of(reply.body);
  const bool whole = reply.status == 200 && !reply.growing;
  if (whole && !reply.etag.empty()) reply.add("ETag", reply.etag);
  if (whole && is_known(reply, request)) {
    reply.status = 304;
    reply.body.clear();
  } else if (whole && request.method == "GET") {
    apply_range(reply, request, total);
  }
  std::string length;
  if (!reply.growing && reply.status != 204 && reply.status != 304)
    length = fmt::format("Content-Length: {}\r\n", request.method == "HEAD" ? total : size_of(reply.body));
  if (request.method == "HEAD") reply.body.clear();
  return fmt::format("Date: {}\r\n{}{}{}", date_now(), common, reply.headers, length);
}

std::string write_head(HttpReply &reply, const HttpRequest &request, const std::string &common) {
  const std::string lines = header_lines(reply, request, common);
  const bool last = !request.keep_alive || (reply.growing && request.http_1_0);
  return fmt::format("HTTP/1.1 {} {}\r\n{}{}{}\r\n", reply.status, phrase(reply.status), lines,
                     reply.growing && !request.http_1_0 ? "Transfer-Encoding: chunked\r\n" : "",
                     last               ? "Connection: close\r\n"
                     : request.http_1_0 ? "Connection: keep-alive\r\n"
                                        : "");
}

} // namespace hull::origin
