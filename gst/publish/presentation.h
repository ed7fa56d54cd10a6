#pragma once

// What a manifest describes: tracks made of segments. HOWTO publish finished CMAF track files:
//
//   Presentation show;
//   for (const std::string &path : files) {
//     auto track = read_track(path);                  // one file = one track: moov, [sidx], moof mdat …
//     if (!track) return tl::make_unexpected(track.error());
//     show.tracks.push_back(std::move(*track));
//   }
//   assign_ids(show);                                 // "v1", "v2", "a1" …; skip it when the ids are yours
//   write(dir + "/master.m3u8", hls_multivariant(show));                                  // playlist.h
//   for (const Track &t : show.tracks) write(dir + "/" + playlist_name(t), hls_media(t)); // "v1.m3u8"
//   write(dir + "/manifest.mpd", dash_mpd(show));                                         // mpd.h
//
// URIs are relative to the manifests: read_track sets `uri` to the file's name without its folders, so the
// manifests stand beside the track files; change `uri` to put them elsewhere.

#include "gst/core/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hull::publish {

enum class Kind { video, audio, text };

/// Bytes of a file; absent when `size` is 0.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// One addressable piece of a track. Times are in the track's timescale, on the presentation timeline.
struct Segment {
  std::string uri;        ///< own file, unescaped; empty = `range` of the track's file
  ByteRange range;        ///< with an own file: its whole length, offset 0
  std::int64_t start = 0; ///< earliest presentation time
  std::int64_t duration = 0;
  bool starts_with_sap = true;
};

struct FrameRate {
  std::uint32_t numerator = 0; ///< 0 = unknown
  std::uint32_t denominator = 1;
};

struct Track {
  std::string id;   ///< Representation@id and stem of the media playlist; letters, digits, '-', '_', '.'
  std::string path; ///< where read_track found it
  std::string uri;  ///< as manifests name it, unescaped; with segment files: the initialisation segment
  Kind kind = Kind::video;
  std::string codecs;   ///< RFC 6381: "avc1.64001f", "mp4a.40.2", "opus", "wvtt"
  std::string language; ///< BCP 47; "und" = unknown
  std::string name;     ///< for people; empty = made from the language
  std::uint32_t track_id = 1;
  std::uint32_t timescale = 1;
  unsigned width = 0, height = 0; ///< picture size shown, in square pixels where the file says so
  unsigned sar_width = 1, sar_height = 1;
  FrameRate frame_rate;
  unsigned sample_rate = 0, channels = 0;
  ByteRange init;  ///< ftyp and moov
  ByteRange index; ///< sidx; size 0 = none
  std::vector<Segment> segments;
  std::string media_template;     ///< segment files: their common name with $Number$, e.g. "v1-$Number$.m4s"
  std::uint64_t start_number = 1; ///< the number of segments[0] in media_template
  std::uint64_t peak_bandwidth = 0;    ///< bit/s, over the sets of segments RFC 8216bis 4.4.6.2 names
  std::uint64_t average_bandwidth = 0; ///< bit/s

  std::int64_t duration() const; ///< of all segments, in ticks
  double seconds() const { return static_cast<double>(duration()) / timescale; }
};

struct Presentation {
  std::vector<Track> tracks;
};

/// Reads a finished CMAF track file: `path` with ftyp, moov with one track, an optional sidx, then moof and
/// mdat. Segments are the sidx's references; without one they begin at each styp, else at each fragment that
/// starts with a sync sample. Measures both bandwidths. Fails with not_found, io, bad_data, or unsupported
/// when the file is not fragmented, is not CMAF or holds several tracks. Memory: the moov and one moof at a
/// time.
Result<Track> read_track(const std::string &path);

/// Fills in empty ids: "v1", "v2" … from the highest picture down, "a1" …, "t1" …
void assign_ids(Presentation &presentation);

/// The greatest rate in bit/s over runs of segments that last half to one and a half target durations, which
/// is what RFC 8216bis 4.4.6.2 calls the peak; 0 where no run does.
double peak_rate(const Track &track);

/// Sets average_bandwidth and peak_bandwidth, which is peak_rate() and no less than the average.
void measure_bandwidth(Track &track);

/// Longest segment, in seconds rounded to the nearest integer, at least 1: the HLS target duration.
unsigned target_duration(const Track &track);

/// RFC 3986 escape of a relative reference; '/' stays.
std::string escape_uri(std::string_view text);
/// Escape of text and attribute values in XML; characters XML 1.0 cannot hold become '?'.
std::string escape_xml(std::string_view text);

} // namespace hull::publish
