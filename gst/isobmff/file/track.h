#pragma once

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/file/sample.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hull::isobmff {

enum class Media { video, audio, text, subtitle, timecode, chapters };

/// A box or tree as bytes that can be kept and used again: nodes are not copied.
Result<Opaque> packed(Node node);

/// H.273 code points of a picture, as colr stores them.
struct Colour {
  std::uint16_t primaries = 2, transfer = 2, matrix = 2;
  bool full_range = false;
};

/// One description of a track's samples: what becomes a sample entry. Codec records are opaque bytes and
/// boxes.
struct SampleFormat {
  FourCC entry;                    ///< avc1, mp4a, Opus …
  std::vector<Opaque> codec_boxes; ///< avcC, esds, dOps … inside the entry; tmcd and text: the entry itself
  bool quicktime = false;          ///< as QuickTime files have it: wave around sound's boxes, nclc
  std::uint32_t frame_samples = 0; ///< of sound in QuickTime files: samples of a packet

  // Pictures.
  std::uint16_t width = 0, height = 0; ///< coded pixels
  std::uint32_t par_numerator = 1, par_denominator = 1;
  std::optional<Colour> colour;
  std::vector<Opaque> picture_boxes; ///< clap, mdcv, clli, fiel

  // Sound.
  std::uint16_t channels = 2;
  std::uint16_t sample_bits = 16;
  std::uint32_t sample_rate = 0;
  std::uint32_t frame_bytes = 0; ///< of sound without compression: one number of each channel; else 0

  // Text.
  std::string text_namespace;
  bool imsc1_text = false; ///< the documents name IMSC1's text profile

  std::uint32_t average_bitrate = 0, maximum_bitrate = 0; ///< bit/s, 0 = unknown: no btrt
  std::optional<EncryptionSettings> protection;           ///< the entry is encv or enca with a sinf

  Node entry_box() const;
};

/// A codec-neutral track: everything an init segment or a movie box says about it but its samples.
struct TrackConfig {
  std::uint32_t id = 1;
  Media media = Media::video;
  std::uint32_t timescale = 0;
  std::vector<SampleFormat> formats; ///< at least one; sample_description_index counts them from 1
  std::string language = "und";      ///< ISO 639-2, or an RFC 5646 tag, which also becomes elng
  Matrix matrix = kUnityMatrix;
  std::int16_t alternate_group = 0; ///< tracks of which a reader plays one; 0 = none
  bool enabled = true;              ///< a reader plays it unless it is told otherwise
  std::string handler_name;
  std::string kind_scheme, kind_value;              ///< role of the track, empty: none
  std::optional<std::uint32_t> chapter_or_timecode; ///< track referenced by tref/tmcd
  /// Media time at which the presentation starts (audio priming), ticks.
  std::int64_t priming = 0;
  /// Presentation time at which the track starts, in nanoseconds of the movie (progressive: an empty edit).
  std::int64_t delay = 0;
  /// Samples of sound that a decoder needs before it is right, negative as in the group "roll"; 0 = none.
  std::int16_t roll_distance = 0;
  bool quicktime = false;    ///< handlers and headers as QuickTime files have them
  std::vector<Opaque> extra; ///< the track's udta and what an application added
};

/// What an init segment adds to its tracks.
struct InitOptions {
  FourCC major_brand{"iso6"};
  std::uint32_t minor_version = 0;
  std::vector<FourCC> compatible_brands;
  bool cmaf = false;                              ///< tkhd.duration 0, at most one edit, no stss …
  std::uint64_t creation_time = 0;                ///< seconds since 1904
  std::optional<std::uint64_t> fragment_duration; ///< mehd, in units of movie_timescale()
  std::vector<Opaque> movie_boxes;                ///< pssh, udta, and what an application added; after mvex
};

/// Units a second of a movie of these tracks: those of its first sound, so that edits end at a sample, else 1000.
std::uint32_t movie_timescale(const std::vector<TrackConfig> &tracks);

/// ftyp of an init segment.
Node file_type_box(const InitOptions &options);

/// moov with empty sample tables and mvex: ISO/IEC 14496-12 8.2, 8.8; CMAF 7.3.1.
Node init_movie_box(const std::vector<TrackConfig> &tracks, const InitOptions &options);

/// trak down to an stbl that holds only stsd; the caller adds the tables and, before mdia, an edit list.
/// Times are in the units of their boxes: `movie_duration` in the movie's, `media_duration` in ticks.
Node track_box(const TrackConfig &track, std::uint64_t movie_duration, std::uint64_t media_duration,
               std::uint64_t creation_time);

/// Brands of a CMAF track beyond the structural ones: the media profiles its format falls under.
std::vector<FourCC> cmaf_profile_brands(const TrackConfig &track);

/// What a chunk needs to know about each track.
struct FragmentTrack {
  std::uint32_t id = 1;
  std::uint32_t sample_description_index = 1;
  bool composition_offsets = false; ///< pictures: the run has offsets
  bool signed_offsets = false;      ///< version 1 always (CMAF), not only for a run with a negative one
  bool rolls = false;               ///< its samples are of the group "roll" that the header describes
  std::function<void(Node &traf)> complete; ///< adds what follows trun: senc, saiz, saio …
};

/// What stands in front of a chunk's samples.
struct FragmentHeader {
  Node moof;
  ByteVector bytes; ///< moof and the header of its mdat
  std::uint64_t moof_size = 0;
  std::uint64_t data_size = 0; ///< of the samples
};

/// How a chunk's samples lie in its mdat: for each track the number of samples in each slice. The slices follow
/// each other; in a slice, the tracks do. Empty: one slice.
using Slices = std::vector<std::vector<std::size_t>>;

/// Slices of at most `length` nanoseconds of decode time, so that a reader finds sound near its pictures.
/// `timescales`: of the first runs' tracks; the others get no slices.
Slices slices_of(const Chunk &chunk, const std::vector<std::uint32_t> &timescales, std::int64_t length);

/// moof and the header of the mdat that follows: the sample data come next, track by track in the
/// order of `tracks`, slice after slice. Every default stands in tfhd (CMAF cmf2), base_data_offset is absent, tfdt is
/// version 1. A sample data size above 4 GiB gives mdat a 64-bit size; a data offset beyond 2 GiB is
/// `unsupported`.
Result<FragmentHeader> fragment_header(std::uint32_t sequence_number, const Chunk &chunk,
                                       const std::vector<FragmentTrack> &tracks, const Slices &slices = {});

} // namespace hull::isobmff
