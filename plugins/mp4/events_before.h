#pragma once

#include "gst/glue/ref.h"

#include <vector>

#include <gst/gst.h>

namespace hull {

/// The tags and the table of contents of the stream that `pad` receives, as its pad and the pads of parsers, queues and the
/// like in front of it remember them, nearest first. Elements that change the media end the search. From any thread.
std::vector<EventRef> events_before(GstPad *pad);

} // namespace hull
