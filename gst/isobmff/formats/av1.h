#pragma once

#include "gst/isobmff/boxes/entry.h"

namespace hull::isobmff {

/// av1C from a temporal unit that has a sequence header (OBUs with size fields), for streams whose source
/// gives no record. AV1 specification 5.5 and AV1 in ISO BMFF 2.3. bad_data when there is no sequence header.
Result<Av1CodecConfiguration> av1_configuration(Bytes temporal_unit);

} // namespace hull::isobmff
