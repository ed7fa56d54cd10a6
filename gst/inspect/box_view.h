#pragma once

// Trees of boxes for people: text, JSON, HTML.

#include "gst/core/json.h"
#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/tree.h"

namespace hull::inspect {

struct ViewOptions {
  bool all_fields = false; ///< one line per field with its place, instead of the telling ones beside the type
  isobmff::FieldLimits limits{200, 256};
};

/// A box type as a path names it: "moov", "©nam" for QuickTime's tags, "0x00000001" where it is no text.
std::string type_text(isobmff::FourCC type);

/// One line per box, children indented: offset, size, type, fields. Ends with a line feed.
std::string box_text(isobmff::Node &node, const ViewOptions &options = {});

/// {"type", "offset", "size", "header_size", "fields", "children", "problem"…}. Fields that come several
/// times are arrays; numbers above 2^53 stay integers. `left_out` counts fields past the limit.
Json box_json(isobmff::Node &node, const ViewOptions &options = {});

/// One field: {"name", "value", "offset", "bits"}, the offset counted in bytes from the file's start.
Json field_json(const isobmff::FieldValue &field, std::uint64_t payload_offset);

/// A page of its own with all boxes as folding lists; no script, no outside reference.
std::string box_html(std::vector<isobmff::Node> &nodes, const std::string &title,
                     const ViewOptions &options = {});

} // namespace hull::inspect
