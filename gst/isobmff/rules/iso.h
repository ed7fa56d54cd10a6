#pragma once

// Rules of whole files: ISO/IEC 14496-12, and QuickTime where it differs. One function per rule; `atoms check` asks
// them of any file. See docs/guides/atoms.md.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/boxes/shown.h"
#include "gst/isobmff/rules/rule.h"

#include <functional>
#include <map>
#include <optional>

namespace hull::isobmff::iso {

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

/// Bytes of the file.
struct Stretch {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t end() const { return offset + size; }
};

/// Where the file has media.
struct Media {
  std::vector<Stretch> places; ///< payloads of mdat, in the order of the file
  std::uint64_t file_size = 0;
  bool holds(const Stretch &stretch) const; ///< in one of them, or empty
};

/// The sample tables of a track, in whichever box they are. A table that is missing, broken or too large to be
/// read is nullptr and answers nothing.
struct Tables {
  const TimeToSample *times = nullptr;
  const CompositionOffset *compositions = nullptr;
  const SampleToChunk *chunks = nullptr;
  const SampleSize *sizes = nullptr;
  const CompactSampleSize *compact_sizes = nullptr;
  const ChunkOffset *offsets = nullptr;
  const ChunkLargeOffset *wide_offsets = nullptr;
  const SyncSample *syncs = nullptr;

  explicit Tables(const Node *stbl);
  bool complete() const; ///< sizes, chunks and their offsets are all there
  std::uint64_t samples() const;
  std::uint64_t size_of(std::uint64_t sample) const; ///< bytes, counted from 0
  std::uint64_t chunk_count() const;
  std::uint64_t chunk_offset(std::uint64_t chunk) const; ///< counted from 0
  std::uint64_t duration() const;                        ///< ticks: the sum of stts
};

/// A track of moov with what its rules look at. Points into moov.
struct Track {
  const Node *trak = nullptr;
  const Node *stbl = nullptr;
  std::uint32_t id = 0;
  FourCC handler;
  std::uint32_t timescale = 0;
  std::uint32_t descriptions = 0; ///< entries of stsd
  bool elsewhere = false;         ///< a data reference is another file
  /// QuickTime counts frames of constant size: so many frames are a packet of so many bytes. 0: stsz tells.
  std::uint32_t packet_frames = 0, packet_bytes = 0;
  Tables tables{nullptr};
};

struct Movie {
  const Node *moov = nullptr;
  bool quicktime = false;  ///< the file is QuickTime's, not ISO's
  bool fragmented = false; ///< moov has mvex
  std::uint32_t timescale = 0;
  std::vector<Track> tracks;
  std::map<std::uint32_t, std::size_t> by_id;       ///< places in `tracks`
  std::map<std::uint32_t, const Node *> extensions; ///< trex of each track
  const Track *track(std::uint32_t id) const;
  const TrackExtends *defaults(std::uint32_t id) const;
};
/// `ftyp` may be nullptr: files without one are QuickTime's.
Movie movie_of(const Node *ftyp, const Node &moov);

/// Calls `visit` for each chunk the tables describe: its number counted from 1, its bytes and its samples.
struct Chunk {
  std::uint64_t number = 1;
  Stretch bytes;
  std::uint64_t samples = 0;
};
void for_each_chunk(const Track &track, const std::function<void(const Chunk &)> &visit);

void report(Findings &out, const char *id, const Node *where, std::string text);
void report_as(Findings &out, const char *id, Level level, const Node *where, std::string text);

// Rules of any box and of the movie. A missing box is a finding, never a crash.
void iso_02(const Node &box, Findings &out);
void iso_03(const Movie &movie, Findings &out);
void iso_04(const Movie &movie, Findings &out);
void iso_05(const Movie &movie, Findings &out);
void iso_06(const Movie &movie, Findings &out);
void iso_07(const Movie &movie, Findings &out);
void iso_08(const Movie &movie, Findings &out);
void iso_09(const Movie &movie, Findings &out);
void iso_10(const Movie &movie, Findings &out);
void iso_11(const Movie &movie, const Media &media, Findings &out);
void iso_12(const Movie &movie, Findings &out);
void iso_13(const Movie &movie, Findings &out);
void iso_14(const Movie &movie, Findings &out);
void iso_15(const Movie &movie, Findings &out);
void iso_16(const Movie &movie, Findings &out);
void iso_17(const Movie &movie, Findings &out);
void iso_19(const Movie &movie, Findings &out);

/// Rules of fragments (ISO-08, ISO-18), one moof after the other.
class FragmentCheck {
 public:
  /// `movie` may be nullptr: a file of segments. It must outlive this.
  explicit FragmentCheck(const Movie *movie) : movie_(movie) {}
  void moof(const Node &moof, Findings &out);
  /// An mdat in the order of the file: what lies in it is settled.
  void media(const Stretch &payload);
  /// At the end of the file: samples that lie in no mdat.
  void finish(const Media &media, Findings &out);

 private:
  struct Run {
    Stretch bytes;
    std::uint64_t moof_offset = 0;
  };
  void traf(const Node &moof, const Node &traf, std::uint64_t &base, Findings &out);
  void time(const Node &traf, std::uint32_t track_id, Findings &out);
  const Movie *movie_;
  std::vector<Run> open_;
  std::map<std::uint32_t, std::uint64_t> next_times_; ///< where each track's samples ended
};

/// Rules of items (ISO-20): images of HEIF and AVIF.
void iso_20(const Node &meta, const Media &media, Findings &out);

/// All rules on a file. At most `most` findings are kept. unsupported: neither a movie nor fragments nor
/// items.
Result<Findings> check_file(Source &source, std::size_t most = 1000);

} // namespace hull::isobmff::iso
