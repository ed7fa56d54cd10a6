#include "gst/origin/http2.h"

#include <algorithm>
#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

namespace hull::origin {
namespace {

constexpr std::uint32_t kStreams = 100;            // of one client at once, as RFC 9113 6.5.2 advises
constexpr std::uint64_t kMostThrownAway = 1 << 20; // of a request's body
constexpr std::uint64_t kFramesAhead = 64'000;     // bytes that may wait for the socket as frames

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t *>(const_cast<char *>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

/// "Name: value\r\n" lines as fields that point into `lines`, whose names become lower case (RFC 9113 8.2).
std::vector<nghttp2_nv> fields_of(std::string &lines) {
  std::vector<nghttp2_nv> fields;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t colon = lines.find(": ", at), end = lines.find("\r\n", at);
    const auto letter = [&lines](std::size_t i) { return lines.begin() + static_cast<std::ptrdiff_t>(i); };
    std::transform(letter(at), letter(colon), letter(at), g_ascii_tolower);
    const std::string_view line = std::string_view(lines).substr(at, end - at);
    fields.push_back(field(line.substr(0, colon - at), line.substr(colon - at + 2)));
    at = end + 2;
  }
  return fields;
}

std::string_view text(const std::uint8_t *bytes, std::size_t size) {
  return {reinterpret_cast<const char *>(bytes), size};
}

} // namespace

class Http2::Stream final : public Exchange {
 public:
  enum class State {
    reading,   ///< its head is coming
    asked,     ///< a request without an answer
    answering, ///< more of the answer may come
    whole,     ///< all of the answer is here
    closed
  };

  Stream(Http2 &connection, std::int32_t id)
      : Exchange(connection.number_, connection.address_), connection_(connection), id_(id) {
    request_.headers = HeadersRef::adopt(soup_message_headers_new(SOUP_MESSAGE_HEADERS_REQUEST));
  }

  // Of the request. Pseudo-fields come first, and nghttp2 has looked at all of them (RFC 9113 8.2, 8.3).
  void take(const std::string &name, const std::string &value) {
    head_size_ += name.size() + value.size() + 32;
    if (head_size_ > kLongestHead) return;
    if (name == ":method")
      request_.method = value;
    else if (name == ":path")
      target_ = value;
    else if (name == ":authority" || (name == "host" && !has_host_))
      has_host_ = true, soup_message_headers_append(request_.headers.get(), "Host", value.c_str());
    else if (name.front() != ':' && name != "host")
      soup_message_headers_append(request_.headers.get(), name.c_str(), value.c_str());
  }

  /// True: the request is whole and right; else it is refused already.
  bool complete() {
    state_ = State::asked;
    const int status = head_size_ > kLongestHead ? 431 : complete_request(target_, request_);
    if (status != 200) reply(HttpReply(status, "text/plain", "no-store"));
    return status == 200;
  }

  void reply(HttpReply reply) override {
    if (state_ != State::asked) return;
    std::string lines = header_lines(reply, request_, connection_.common_);
    std::vector<nghttp2_nv> fields = fields_of(lines);
    const std::string status = std::to_string(reply.status);
    fields.insert(fields.begin(), field(":status", status));
    for (BodySlice &slice : reply.body)
      add(std::move(slice));
    const bool growing = reply.growing && request_.method != "HEAD";
    state_ = growing ? State::answering : State::whole;
    nghttp2_data_provider body{};
    body.source.ptr = this;
    body.read_callback = [](nghttp2_session *, std::int32_t, std::uint8_t *, std::size_t room,
                            std::uint32_t *flags, nghttp2_data_source *source,
                            void *) { return static_cast<Stream *>(source->ptr)->offer(room, *flags); };
    const bool empty = !growing && queued_ == 0;
    if (nghttp2_submit_response(connection_.session_, id_, fields.data(), fields.size(),
                                empty ? nullptr : &body) != 0)
      cut();
  }

  void append(BodySlice slice) override {
    if (state_ != State::answering) return;
    add(std::move(slice));
    resume();
  }

  void finish() override {
    if (state_ != State::answering) return;
    state_ = State::whole;
    resume();
  }

  void flush() override { connection_.send(); }
  std::uint64_t queued() const override { return queued_; }
  bool alive() const override { return state_ != State::closed && !connection_.wire_.broken(); }

  void cut() override {
    if (state_ == State::closed) return;
    state_ = State::closed; // a frame that is begun still takes its bytes: they go with close()
    nghttp2_submit_rst_stream(connection_.session_, NGHTTP2_FLAG_NONE, id_, NGHTTP2_INTERNAL_ERROR);
  }

  void close() {
    state_ = State::closed;
    body_.clear();
    queued_ = 0;
  }
  /// The last of its answer has left.
  void sent() { sent_at_ = g_get_monotonic_time(); }
  void request_ended() { request_ended_ = true; }
  bool answers() const { return state_ != State::reading; }
  bool grows() const { return state_ == State::answering; }
  bool stalls(gint64 before, std::uint64_t bytes) {
    return state_ != State::closed && queued_ > 0 && pace_.lags(before, bytes);
  }
  /// It is answered, but the client never ends its request.
  bool lingers(gint64 before) const { return sent_at_ && !request_ended_ && *sent_at_ < before; }
  /// Bytes of a request's body, which nobody wants. Some clients read no answer before all of theirs are
  /// taken, so as many more may come, up to a bound.
  bool throws_away(std::size_t size) { return (thrown_away_ += size) <= kMostThrownAway; }

  /// The next `size` bytes of the answer go out behind the head of a frame.
  void give(std::size_t size, Wire &wire) {
    pace_.take(size);
    queued_ -= size;
    while (size > 0) {
      BodySlice &slice = body_.front();
      const std::size_t part = std::min(size, slice.bytes.size());
      wire.add({slice.owner, slice.bytes.substr(0, part)});
      slice.bytes.remove_prefix(part);
      size -= part;
      if (slice.bytes.empty()) body_.pop_front();
    }
  }

 private:
  void add(BodySlice slice) {
    if (slice.bytes.empty()) return;
    if (queued_ == 0) pace_.begin();
    queued_ += slice.bytes.size();
    body_.push_back(std::move(slice));
  }

  // How much nghttp2 may put into the next frame; it comes back with give().
  ssize_t offer(std::size_t room, std::uint32_t &flags) {
    const std::size_t size = std::min<std::size_t>(room, queued_);
    const bool last = state_ != State::answering && size == queued_;
    deferred_ = size == 0 && !last;
    if (deferred_) return NGHTTP2_ERR_DEFERRED;
    flags |= NGHTTP2_DATA_FLAG_NO_COPY | (last ? NGHTTP2_DATA_FLAG_EOF : 0);
    return static_cast<ssize_t>(size);
  }

  void resume() {
    if (std::exchange(deferred_, false)) nghttp2_session_resume_data(connection_.session_, id_);
  }

  Http2 &connection_;
  const std::int32_t id_;
  State state_ = State::reading;
  std::string target_;
  std::size_t head_size_ = 0;
  std::uint64_t thrown_away_ = 0;
  bool has_host_ = false, request_ended_ = false;
  std::optional<gint64> sent_at_; ///< µs
  bool deferred_ = false;         ///< nghttp2 does not ask before resume()
  std::deque<BodySlice> body_;
  std::uint64_t queued_ = 0;
  Pace pace_;
};

struct Http2::Callbacks {
  static Http2 &self(void *user) { return *static_cast<Http2 *>(user); }

  static int begin_headers(nghttp2_session *, const nghttp2_frame *frame, void *user) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    const std::int32_t id = frame->hd.stream_id;
    self(user).streams_[id] = std::make_unique<Stream>(self(user), id);
    return 0;
  }

  static int header(nghttp2_session *, const nghttp2_frame *frame, const std::uint8_t *name,
                    std::size_t name_size, const std::uint8_t *value, std::size_t value_size, std::uint8_t,
                    void *user) {
    Stream *stream = self(user).find(frame->hd.stream_id);
    if (stream && frame->headers.cat == NGHTTP2_HCAT_REQUEST) // not trailers
      stream->take(std::string(text(name, name_size)), std::string(text(value, value_size)));
    return 0;
  }

  static int received(nghttp2_session *, const nghttp2_frame *frame, void *user) {
    Http2 &http = self(user);
    Stream *stream = http.find(frame->hd.stream_id);
    if (!stream || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) return 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->request_ended();
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    ++http.answering_;
    if (stream->complete()) http.asked_.push_back(stream);
    return 0;
  }

  // Bytes that count for no window again are the last of their stream, not of its connection.
  static int body(nghttp2_session *session, std::uint8_t, std::int32_t id, const std::uint8_t *,
                  std::size_t size, void *user) {
    Stream *stream = self(user).find(id);
    return stream && stream->throws_away(size) ? nghttp2_session_consume(session, id, size)
                                               : nghttp2_session_consume_connection(session, size);
  }

  static int send_body(nghttp2_session *, nghttp2_frame *, const std::uint8_t *head, std::size_t size,
                       nghttp2_data_source *source, void *user) {
    constexpr std::size_t kFrameHead = 9; // RFC 9113 4.1
    Http2 &http = self(user);
    if (http.wire_.queued() >= kFramesAhead) return NGHTTP2_ERR_WOULDBLOCK; // asked again
    http.wire_.add(slice_of(std::string(text(head, kFrameHead))));
    auto &stream = *static_cast<Stream *>(source->ptr);
    stream.give(size, http.wire_);
    if (http.notes_drained_ && stream.queued() == 0 && stream.grows() && size > 0)
      http.drained_.push_back(&stream);
    return 0;
  }

  static int sent(nghttp2_session *, const nghttp2_frame *frame, void *user) {
    const bool answer = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    Stream *stream =
        answer && frame->hd.flags & NGHTTP2_FLAG_END_STREAM ? self(user).find(frame->hd.stream_id) : nullptr;
    if (stream) stream->sent();
    return 0;
  }

  static int closed(nghttp2_session *, std::int32_t id, std::uint32_t, void *user) {
    self(user).close(id);
    return 0;
  }

  static nghttp2_session_callbacks *table() {
    static nghttp2_session_callbacks *const made = [] {
      nghttp2_session_callbacks *table = nullptr;
      nghttp2_session_callbacks_new(&table);
      nghttp2_session_callbacks_set_on_begin_headers_callback(table, begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(table, header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(table, received);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, body);
      nghttp2_session_callbacks_set_send_data_callback(table, send_body);
      nghttp2_session_callbacks_set_on_frame_send_callback(table, sent);
      nghttp2_session_callbacks_set_on_stream_close_callback(table, closed);
      return table;
    }();
    return made;
  }

  static nghttp2_option *options() {
    static nghttp2_option *const made = [] {
      nghttp2_option *option = nullptr;
      nghttp2_option_new(&option);
      nghttp2_option_set_no_auto_window_update(option, 1);
      nghttp2_option_set_no_closed_streams(option, 1); // they only serve the old priorities
      return option;
    }();
    return made;
  }
};

Http2::Http2(Wire &wire, std::uint64_t number, const std::string &address, const std::string &common)
    : wire_(wire), number_(number), address_(address), common_(common) {
  nghttp2_session_server_new2(&session_, Callbacks::table(), this, Callbacks::options());
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreams},
                                             {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kLongestHead},
                                             {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}; // RFC 9218 2.1
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
}

Http2::~Http2() {
  nghttp2_session_del(session_);
}

void Http2::take(std::string_view bytes) {
  const auto taken =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
  if (taken < 0) wire_.cut(); // no HTTP/2, or no memory; what breaks its rules gets a GOAWAY instead
}

// A client that asks for more and takes nothing is not read: its frames would gather here.
bool Http2::wants_bytes() const {
  return nghttp2_session_want_read(session_) != 0 && wire_.queued() < kFramesAhead;
}

Http2::Stream *Http2::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Exchange *Http2::next_request() {
  if (asked_.empty()) return nullptr;
  Stream *next = asked_.front();
  asked_.pop_front();
  return next;
}

Exchange *Http2::next_drained() {
  if (drained_.empty()) return nullptr;
  Stream *next = drained_.front();
  drained_.pop_front();
  return next;
}

Exchange *Http2::next_gone() {
  if (told_ < gone_.size()) return gone_[told_++].get();
  told_ = 0;
  return nullptr;
}

void Http2::forget_gone() {
  gone_.clear();
}

std::vector<Exchange *> Http2::exchanges() {
  std::vector<Exchange *> all;
  for (const auto &[id, stream] : streams_)
    all.push_back(stream.get());
  for (const auto &stream : gone_)
    all.push_back(stream.get());
  return all;
}

std::optional<gint64> Http2::idle_since() const {
  return answering_ == 0 ? std::optional(since_) : std::nullopt;
}

unsigned Http2::drop_stalled(gint64 before, std::uint64_t bytes) {
  unsigned dropped = 0;
  for (const auto &[id, stream] : streams_)
    if (stream->stalls(before, bytes))
      stream->cut(), ++dropped;
    else if (stream->lingers(before))
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
  return dropped;
}

void Http2::say_goodbye() {
  nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

bool Http2::ended() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

void Http2::make_frames() {
  while (wire_.queued() < kFramesAhead) {
    const std::uint8_t *bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) return wire_.cut();
    if (size == 0) return;
    wire_.add(slice_of(std::string(text(bytes, static_cast<std::size_t>(size)))));
  }
}

void Http2::send() {
  do {
    make_frames();
    if (wire_.queued() == 0) return;
    wire_.write();
  } while (wire_.queued() == 0 && !wire_.broken());
}

void Http2::go_on() {
  notes_drained_ = true;
  send();
  notes_drained_ = false;
}

void Http2::close(std::int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream *stream = found->second.get();
  std::erase(asked_, stream);
  std::erase(drained_, stream);
  if (stream->answers() && --answering_ == 0) since_ = g_get_monotonic_time();
  stream->close();
  gone_.push_back(std::move(found->second));
  streams_.erase(found);
}

} // namespace hull::origin
