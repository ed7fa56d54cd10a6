#pragma once

#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/tree.h"

namespace hull::inspect {

/// What the bytes of a codec configuration box say: the record of avcC with its SPS and PPS, the descriptors
/// of esds. Empty for other boxes and for records that cannot be read. Places count from the box's payload;
/// inside a parameter set they are those of its RBSP, so that they can lie before their byte in the file by
/// the emulation prevention bytes in front of it.
isobmff::FieldList codec_fields(const isobmff::Node &node, const isobmff::FieldLimits &limits = {});

} // namespace hull::inspect
