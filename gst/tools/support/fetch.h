#pragma once

#include "gst/publish/lint/lint.h"

#include <string>

namespace hull::tools {

/// GET of an http or https URL by GStreamer's souphttpsrc, or a file's bytes: status 200, no headers.
/// Compressed replies are unpacked. not_found, io; at most 64 MiB and 20 s.
Result<publish::HttpReply> fetch(const std::string &location);

/// As fetch, but a reply of 400 and above is a reply: its status, without headers.
Result<publish::HttpReply> ask(const std::string &location);

bool is_url(const std::string &location);
/// `reference` as it stands in the document at `base`.
std::string resolve(const std::string &base, const std::string &reference);

/// What a server of `url` agrees to speak: "h2", or "http/1.1" without TLS or another choice; empty when it
/// cannot be reached.
std::string negotiated_protocol(const std::string &url);

} // namespace hull::tools
