#pragma once

// Rules of CMAF tracks (ISO/IEC 23000-19), one function per rule. The muxer asks before it emits, and `atoms
// check` asks a file. Clause numbers are those the public validators cite; see docs/guides/atoms.md for what
// is known of each rule and how surely.

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/rules/rule.h"

namespace hull::isobmff::cmaf {

using rules::Certainty;
using rules::conforms;
using rules::Finding;
using rules::Findings;
using rules::Level;
using rules::name;
using rules::Rule;

/// All rules, in the order of their ids.
std::span<const Rule> rules();
const Rule &rule(std::string_view id);

/// What the rules for chunks need to know of the header.
struct Track {
  std::uint32_t track_id = 0;
  std::uint32_t timescale = 0;
  FourCC handler;
  FourCC sample_entry;
  FourCC protected_format; ///< sample entry before encryption; sample_entry where nothing is encrypted
  bool has_edit_list = false;
  bool cmf2 = false;
  TrackExtends defaults;
  bool is_video() const { return handler == FourCC("vide"); }
};
Track track_of(const Node &ftyp, const Node &moov);

/// One moof with its mdat and the boxes in front of them. Offsets in the file, or counted from any origin
/// that the two share.
struct Chunk {
  std::vector<const Node *> before; ///< styp, sidx, prft, emsg … since the chunk before
  const Node *moof = nullptr;
  std::uint64_t moof_offset = 0;
  const Node *after = nullptr;    ///< the box behind the moof, which must be its mdat
  std::uint64_t mdat_payload = 0; ///< offset of the mdat's first payload byte
  std::uint64_t mdat_size = 0;    ///< of the payload
};

/// What a run of chunks left behind for the next one.
struct Progress {
  std::uint64_t chunks = 0;
  std::uint32_t sequence_number = 0;
  std::uint64_t next_decode_time = 0;
  int video_run_version = -1;
  bool last_segment = false; ///< a styp said lmsg
  bool has_segments = false; ///< there are styp boxes: they tell where segments start
};

// Rules of the header. `moov` as parsed or built; a missing box is a finding, never a crash.
void cmf_01(const Node &ftyp, Findings &out);
void cmf_02(const Node &moov, Findings &out);
void cmf_03(const Node &moov, Findings &out);
void cmf_04(const Node &moov, Findings &out);
void cmf_05(const Node &moov, Findings &out);
void cmf_06(const Node &moov, Findings &out);
void cmf_07(const Node &moov, Findings &out);
void cmf_08(const Node &moov, Findings &out);
void cmf_10_header(const Node &moov, Findings &out);
void cmf_11(const Node &moov, Findings &out);
void cmf_21_header(const Track &track, const Node &moov, Findings &out);
void cmf_24_header(const Node &moov, Findings &out);
void cmf_26(const Node &moov, Findings &out);

// Rules of a chunk.
void cmf_09(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out);
void cmf_10(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out);
void cmf_12(const Chunk &chunk, Findings &out);
void cmf_13(const Chunk &chunk, Findings &out);
void cmf_14(const Chunk &chunk, const Progress &progress, Findings &out);
void cmf_15(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out);
void cmf_16(const Chunk &chunk, Findings &out);
void cmf_17(const Chunk &chunk, const Progress &progress, Findings &out);
void cmf_18(const Track &track, const Chunk &chunk, Findings &out);
void cmf_19(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out);
void cmf_20(const Track &track, const Chunk &chunk, Findings &out);
void cmf_21(const Track &track, const Chunk &chunk, Findings &out);
void cmf_22(const Track &track, const Chunk &chunk, Findings &out);
void cmf_24(const Chunk &chunk, Findings &out);

/// One sidx against the fragments it names: their sizes with what stands in front of them, and start times.
struct FragmentPlace {
  std::uint64_t size = 0;
  std::uint64_t duration = 0;
  std::uint64_t earliest_presentation = 0;
};
void cmf_23(const Track &track, const Node &sidx, std::span<const FragmentPlace> fragments, Findings &out);

/// Tracks of one switching set: same media type and sample entry family, fragments that start together.
struct SwitchingTrack {
  Track track;
  std::vector<std::uint64_t> fragment_starts; ///< decode times
};
void cmf_25(std::span<const SwitchingTrack> tracks, Findings &out);

/// Sums over the samples of a moof's first traf, defaults applied.
struct ChunkSums {
  std::uint64_t samples = 0;
  std::uint64_t bytes = 0;
  std::uint64_t duration = 0;
  std::uint64_t decode_time = 0;
  std::int64_t earliest_presentation = 0; ///< composition times, before any edit list
  std::int64_t latest_presentation = 0;   ///< of the last sample's start
  std::uint32_t first_flags = 0;
};
ChunkSums sums_of(const Track &track, const Node &moof);

/// Asks all rules in the order boxes come; keep one per track.
class Checker {
 public:
  Findings header(const Node &ftyp, const Node &moov);
  Findings chunk(const Chunk &chunk);
  const Track &track() const { return track_; }
  const Progress &progress() const { return progress_; }

 private:
  Track track_;
  Progress progress_;
};

/// All rules on a file: a track file, or an init segment with media segments appended. At most `most`
/// findings are kept; the memory does not grow with the file. unsupported: no movie, or one without mvex
/// (progressive).
Result<Findings> check_file(Source &source, std::size_t most = 1000);

} // namespace hull::isobmff::cmaf
