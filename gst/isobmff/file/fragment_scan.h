#pragma once

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/sample_table.h"

#include <map>
#include <optional>

namespace hull::isobmff {

/// The samples of one trun, with every default filled in.
struct FragmentRun {
  std::uint32_t track = 0;
  std::uint64_t decode_time = 0; ///< ticks
  std::uint64_t offset = 0;      ///< of its first sample in the file
  std::uint32_t description = 1;
  std::vector<Sample> samples;
};

/// Reads the runs of moofs in file order: what trex says, and where each track's time has got to.
class FragmentRuns {
 public:
  void read_movie(const Node &moov);
  bool knows(std::uint32_t track) const { return defaults_.contains(track); }
  /// nullopt where a traf names an unknown track or cannot be read; with `lenient` such trafs are left out.
  std::optional<std::vector<FragmentRun>> read(const Node &moof, bool lenient = false);

 private:
  bool read_track(const Node &traf, std::uint64_t moof_offset, std::uint64_t &next_data,
                  std::vector<FragmentRun> &runs);
  std::map<std::uint32_t, TrackExtends> defaults_;
  std::map<std::uint32_t, std::uint64_t> ends_;
};

/// What one track's fragments hold, gathered from its moofs.
struct ScannedTrack {
  SampleTable table;
  std::uint64_t first_decode_time = 0; ///< ticks
  std::int64_t media_start = 0;        ///< ticks: where the init segment's edit list begins
  bool any = false;

  /// Appends a run's samples as one chunk; a gap in time lengthens the sample before it.
  void add(const FragmentRun &run, bool with_table);
};

/// Where the edit lists of an init segment begin, by track.
void read_media_starts(const Node &moov, std::map<std::uint32_t, ScannedTrack> &tracks);

/// A fragment for an index: from its first box to the next fragment's.
struct ScannedFragment {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::int64_t earliest_presentation = 0; ///< ticks of the indexed track
  std::int64_t end = 0;                   ///< ticks: where its last sample ends
};

/// A file's top level, and its fragments if it has any. Memory: the packed sample tables.
struct FragmentScan {
  std::optional<Node> ftyp, moov;
  std::uint64_t ftyp_end = 0;
  std::uint64_t gap = 0; ///< offset of the 16-byte free behind ftyp, 0 = none
  std::uint64_t moov_offset = 0, moov_end = 0;
  std::uint64_t first_media = 0; ///< offset of the first moof or mdat, or of a styp, prft … in front of it
  std::uint64_t whole_end = 0;   ///< end of the last box that is whole and, if a moof, has its mdat
  std::uint64_t size = 0;
  std::uint64_t moofs = 0;
  bool has_mdat = false;                        ///< an mdat that belongs to no moof
  bool has_index = false;                       ///< a sidx in front of the media
  std::map<std::uint32_t, ScannedTrack> tracks; ///< by track_ID
  std::vector<ScannedFragment> fragments;       ///< only of files with one track
};

/// Reads `source`. With `tables` the samples are gathered; with `fragments` the index. Unknown tracks and
/// broken moofs end the scan there: what came before counts.
Result<FragmentScan> scan_fragments(Source &source, bool tables, bool fragments);

} // namespace hull::isobmff
