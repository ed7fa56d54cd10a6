#include "plugins/cmaf/gathering_stream.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace hull::cmaf {
namespace {

constexpr gsize kHeld = 2048; // a head and the frames that may follow it
constexpr char kKey[] = "hull-gathering";

constexpr std::string_view kEnd = "\r\n0\r\n\r\n"; // of the last chunk's data and of the reply

/// What libsoup writes next of a chunked reply, RFC 9112 7.1. After `data` of the last chunk all is sent, and
/// what it still writes is left out.
enum class Expected { anything, head, frame, data, end, left_out, left_out_end };

/// GOutputStream over that of a connection.
struct GatheringOutput {
  GOutputStream parent;
  GSocketConnection *connection;
  GPollableOutputStream *base;
  Expected expected;
  guint64 chunk_left;  ///< data of the chunk whose size was written
  guint64 body, total; ///< data sent of this reply, and all of it; 0 = not known yet
  gsize held_size;
  char held[kHeld];
};

GatheringOutput &self_of(gpointer stream) {
  return *static_cast<GatheringOutput *>(stream);
}

gssize would_block(GError **error) {
  g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "the socket is full");
  return -1;
}

void hold(GatheringOutput &self, std::string_view text) {
  std::copy(text.begin(), text.end(), self.held + self.held_size);
  self.held_size += text.size();
}

/// Whether `text` is kept for what follows it, or not needed any more; moves on to what follows.
bool takes(GatheringOutput &self, std::string_view text) {
  switch (self.expected) {
  case Expected::head:
    if (self.held_size + text.size() + 64 > kHeld) return false;
    hold(self, text);
    if (text.ends_with("\r\n\r\n")) self.expected = Expected::frame;
    return true;
  case Expected::frame: {
    if (text == "\r\n") return hold(self, text), true;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), self.chunk_left, 16);
    const bool size = error == std::errc{} && text.substr(static_cast<gsize>(end - text.data())) == "\r\n";
    self.expected = !size ? Expected::anything : self.chunk_left ? Expected::data : Expected::end;
    if (size) hold(self, text);
    return size;
  }
  case Expected::left_out:
    if (text == "0\r\n") self.expected = Expected::left_out_end;
    return true;
  case Expected::left_out_end:
    self.expected = Expected::anything;
    return true;
  default:
    return false;
  }
}

/// What the socket took of `data`, which goes behind all that is held and before `end`.
gssize send(GatheringOutput &self, std::string_view data, std::string_view end, GError **error) {
  gsize written = 0;
  GOutputVector vectors[3];
  gsize count = 0;
  for (const std::string_view part : {std::string_view(self.held, self.held_size), data, end})
    if (!part.empty()) vectors[count++] = {part.data(), part.size()};
  const GPollableReturn result =
      g_pollable_output_stream_writev_nonblocking(self.base, vectors, count, &written, nullptr, error);
  if (result == G_POLLABLE_RETURN_FAILED) return -1;
  if (result == G_POLLABLE_RETURN_WOULD_BLOCK) return would_block(error);
  const gsize before = std::min(written, self.held_size);
  std::memmove(self.held, self.held + before, self.held_size - before);
  self.held_size -= before;
  written -= before;
  if (written == 0 && !data.empty()) return would_block(error);
  const gsize taken = std::min(written, data.size());
  if (taken == data.size()) hold(self, end.substr(written - taken));
  return static_cast<gssize>(taken);
}

gssize write_nonblocking(GPollableOutputStream *stream, const void *data, gsize size, GError **error) {
  GatheringOutput &self = self_of(stream);
  const std::string_view text(static_cast<const char *>(data), size);
  if (self.expected == Expected::left_out && self.held_size && send(self, {}, {}, error) < 0) return -1;
  if (takes(self, text)) return static_cast<gssize>(size);
  const bool last = self.expected == Expected::data && self.total && self.body + size == self.total;
  const gssize written = send(self, text, last ? kEnd : std::string_view(), error);
  if (written < 0) return written;
  const auto count = static_cast<guint64>(written);
  if (self.expected == Expected::data) {
    self.body += count;
    self.chunk_left -= std::min(self.chunk_left, count);
    if (self.chunk_left == 0) self.expected = last ? Expected::left_out : Expected::frame;
  } else if (count == size) {
    self.expected = Expected::anything;
  }
  return written;
}

// libsoup ends a chunked body on a thread of its own, which may block; nobody else writes meanwhile.
gssize write_blocking(GOutputStream *stream, const void *data, gsize size, GCancellable *cancellable,
                      GError **error) {
  GatheringOutput &self = self_of(stream);
  const std::string_view text(static_cast<const char *>(data), size);
  const bool ended = self.expected == Expected::left_out || self.expected == Expected::left_out_end;
  if (!ended && takes(self, text)) return static_cast<gssize>(size);
  const bool fits = !ended && self.held_size + size <= kHeld;
  if (fits) hold(self, text);
  auto *base = G_OUTPUT_STREAM(self.base);
  if (self.held_size &&
      !g_output_stream_write_all(base, self.held, self.held_size, nullptr, cancellable, error))
    return -1;
  self.held_size = 0;
  if (ended)
    takes(self, text);
  else
    self.expected = Expected::anything;
  return fits || ended ? static_cast<gssize>(size)
                       : g_output_stream_write(base, data, size, cancellable, error);
}

void class_init(gpointer klass, gpointer) {
  static gpointer parent_class;
  parent_class = g_type_class_peek_parent(klass);
  static_cast<GOutputStreamClass *>(klass)->write_fn = write_blocking;
  static_cast<GObjectClass *>(klass)->finalize = [](GObject *object) {
    GatheringOutput &self = self_of(object);
    g_object_set_data(G_OBJECT(g_socket_connection_get_socket(self.connection)), kKey, nullptr);
    g_object_unref(self.connection);
    static_cast<GObjectClass *>(parent_class)->finalize(object);
  };
}

void pollable_init(gpointer interface, gpointer) {
  auto *pollable = static_cast<GPollableOutputStreamInterface *>(interface);
  pollable->is_writable = [](GPollableOutputStream *stream) {
    return g_pollable_output_stream_is_writable(self_of(stream).base);
  };
  pollable->create_source = [](GPollableOutputStream *stream, GCancellable *cancellable) {
    GSource *base = g_pollable_output_stream_create_source(self_of(stream).base, nullptr);
    GSource *source = g_pollable_source_new_full(stream, base, cancellable);
    g_source_unref(base);
    return source;
  };
  pollable->write_nonblocking = write_nonblocking;
}

GType output_type() {
  static const GType type = [] {
    GTypeQuery parent;
    g_type_query(G_TYPE_OUTPUT_STREAM, &parent);
    GTypeInfo info{};
    info.class_size = static_cast<guint16>(parent.class_size);
    info.instance_size = sizeof(GatheringOutput);
    info.class_init = class_init;
    const GType made =
        g_type_register_static(G_TYPE_OUTPUT_STREAM, "HullCmafGatheringOutput", &info, GTypeFlags(0));
    const GInterfaceInfo pollable{pollable_init, nullptr, nullptr};
    g_type_add_interface_static(made, G_TYPE_POLLABLE_OUTPUT_STREAM, &pollable);
    return made;
  }();
  return type;
}

} // namespace

GRef<GIOStream> make_gathering_stream(GSocketConnection *connection) {
  auto *base = G_IO_STREAM(connection);
  auto *output = static_cast<GatheringOutput *>(g_object_new(output_type(), nullptr));
  output->connection = G_SOCKET_CONNECTION(g_object_ref(connection));
  output->base = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(base));
  g_object_set_data(G_OBJECT(g_socket_connection_get_socket(connection)), kKey, output);
  auto made = GRef<GIOStream>::adopt(
      g_simple_io_stream_new(g_io_stream_get_input_stream(base), G_OUTPUT_STREAM(output)));
  g_object_unref(output);
  return made;
}

void begin_chunked_reply(GSocket *socket) {
  auto *output = static_cast<GatheringOutput *>(g_object_get_data(G_OBJECT(socket), kKey));
  if (!output) return;
  output->expected = Expected::head;
  output->body = output->total = 0;
}

void end_chunked_reply(GSocket *socket, std::uint64_t body) {
  if (auto *output = static_cast<GatheringOutput *>(g_object_get_data(G_OBJECT(socket), kKey)))
    output->total = body;
}

} // namespace hull::cmaf
