#pragma once

// What every reply of the origin shares.

#include "gst/core/bytes.h"
#include "gst/publish/live.h"

#include <libsoup/soup.h>
#include <string>

namespace hull::cmaf {

/// Cross-origin headers for players on other pages; `origin` empty = none.
void add_cors(SoupServerMessage *message, const std::string &origin);
void set_header(SoupServerMessage *message, const char *name, const std::string &value);
/// For headers that list several things.
void append_header(SoupServerMessage *message, const char *name, const std::string &value);
/// A whole body in memory. libsoup answers Range requests from it.
void reply(SoupServerMessage *message, int status, const char *type, std::string_view body,
           const std::string &cache_control);
/// A chunk of the window, not copied: the bytes live until the last reader has them.
void append_chunk(SoupMessageBody *body, const publish::Chunk &chunk);
bool accepts_gzip(SoupServerMessage *message);
/// RFC 1952; empty when zlib fails.
std::string gzip(std::string_view text);

} // namespace hull::cmaf
