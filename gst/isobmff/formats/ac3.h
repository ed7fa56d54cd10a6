#pragma once

// Sample entries of AC-3 and Enhanced AC-3 are made from the stream itself: ETSI TS 102 366, annex F.

#include "gst/isobmff/boxes/entry.h"

namespace hull::isobmff {

/// dac3 of a stream from one of its frames (syncword first). bad_data when it is none.
Result<Ac3Specific> ac3_specific(Bytes frame);

/// dec3 from one access unit: an independent substream's frames and those of its dependent ones.
/// bad_data when the bytes are no Enhanced AC-3.
Result<Ec3Specific> ec3_specific(Bytes access_unit);

} // namespace hull::isobmff
