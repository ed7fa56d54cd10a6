#pragma once

// A connection whose chunked replies leave in one system call per chunk. libsoup writes a chunk's size, its
// bytes and its line end one by one; to a thousand viewers that is three thousand packets and wake-ups
// instead of one thousand.

#include "plugins/cmaf/listener.h"

namespace hull::cmaf {

/// Wraps `connection`; its bytes go through as they come.
GRef<GIOStream> make_gathering_stream(GSocketConnection *connection);

/// A reply in chunked coding is about to be written to `socket`: from here to its end the head and the frames
/// of chunks leave with the chunk that follows them. Does nothing to other sockets.
void begin_chunked_reply(GSocket *socket);
/// Its body will have `body` bytes: the end of the reply leaves with the last of them.
void end_chunked_reply(GSocket *socket, std::uint64_t body);

} // namespace hull::cmaf
