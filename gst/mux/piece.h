#pragma once

#include "gst/core/bytes.h"
#include "gst/mux/payload.h"

namespace hull::mux {

/// When a piece is decoded and shown, nanoseconds of running time.
struct PieceTime {
  std::int64_t presentation = 0, decode = 0;
  std::optional<std::int64_t> duration;
};

/// What leaves the muxer: bytes that it made, or a sample's payload, and what is known of them.
struct Piece {
  enum class Kind {
    header,       ///< ftyp and moov of fragments
    chunk_header, ///< styp … moof and the header of mdat
    sample,       ///< bytes of a sample in a fragment
    index,        ///< mfra
    file          ///< of a whole file: the place in the stream is all that counts
  };
  Kind kind = Kind::file;
  ByteVector bytes; ///< where there is no payload
  Payload payload;
  std::size_t track = 0;         ///< among the tracks of the header; of a chunk, the one that it is cut by
  std::optional<PieceTime> time; ///< none in whole files
  bool sync = false;             ///< a chunk header: it starts a fragment. A sample: a sync sample
  bool ends_chunk = false;
  bool ends_segment = false; ///< as far as it is known when the chunk leaves
};

} // namespace hull::mux
