#pragma once

// Files that were cut or damaged. First everything is read and a plan made: what is kept, what is given up,
// and what would be written. Only then is the file touched, and only in ways that lose nothing at any moment:
// a new movie box is put in front by insertion, or behind, or into a copy; a header of 8 or 16 bytes that no
// sample needs is all that is ever overwritten.

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/recover_survey.h"

#include <memory>
#include <string>
#include <vector>

namespace hull::isobmff {

struct RecoverOptions {
  std::string output; ///< empty: the file itself is repaired
  std::string like;   ///< a good file of the same camera or encoder, for media without tables
  Placement placement = Placement::automatic;
  bool keep_fragments = false; ///< a fragmented file stays one
};

/// What shall be done to a file.
enum class Remedy {
  none,    ///< it is whole, or nothing can be gained
  headers, ///< a few box headers are made right
  movie,   ///< it gets a new movie box
};

struct ByteRange {
  std::uint64_t offset = 0, size = 0;
  std::string what; ///< "moof", "media of no known track" …
};

/// A track before and after.
struct TrackRecovery {
  std::uint32_t id = 0;
  std::string format;        ///< of its sample entry: avc1, mp4a …
  std::uint64_t samples = 0; ///< kept
  std::uint64_t missing = 0; ///< named by the tables, but not in the file
  bool rebuilt = false;      ///< its tables were made from the media
  std::string problem;       ///< why nothing could be kept; empty else
};

/// A few bytes to be written over others.
struct HeaderPatch {
  std::uint64_t offset = 0;
  ByteVector bytes;
};

struct RecoveryPlan {
  Remedy remedy = Remedy::none;
  std::vector<std::string> found; ///< what is wrong, a sentence each; empty when the file is whole
  std::vector<ByteRange> kept;    ///< media that the repaired file names, in file order
  std::vector<ByteRange> given_up;
  std::vector<TrackRecovery> tracks;
  std::uint64_t fragments = 0; ///< of which samples are kept

  // How it is done. Offsets count from `skipped`.
  std::uint64_t size = 0;    ///< of the file behind `skipped`
  std::uint64_t skipped = 0; ///< zeros in front that an interrupted insertion left
  std::vector<HeaderPatch> patches;
  /// The new movie box for a file whose bytes moved back by `shift`; valid as long as the plan.
  std::function<Result<Node>(std::int64_t shift)> movie;
  ByteVector head; ///< ftyp and what else goes in front of the movie box in a new file
  bool begins_with_ftyp = false;
  std::vector<Piece> pieces; ///< of the top level
  std::uint64_t kept_bytes() const;
};

/// Reads the file and decides. Fails when nothing can be made of it; the error says what would help.
Result<RecoveryPlan> plan_recovery(const std::string &path, const RecoverOptions &options = {});

/// What was done.
struct Recovered {
  std::uint64_t fragments = 0; ///< with samples that were kept
  std::uint64_t cut_bytes = 0; ///< given up; they stay in the file, but nothing names them
  Relocation placed;
  Remedy remedy = Remedy::none;
};

/// Does what the plan says to the file, or to the new file `options.output`.
Result<Recovered> carry_out(RecoveryPlan &plan, const std::string &path, const RecoverOptions &options = {});

/// Both in one.
Result<Recovered> recover(const std::string &path, Placement placement = Placement::automatic,
                          bool keep_fragments = false);

} // namespace hull::isobmff
