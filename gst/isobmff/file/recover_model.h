#pragma once

// What the samples of a good file look like: by that, samples without tables are told apart.

#include "gst/isobmff/file/recover_movie.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

namespace hull::isobmff {

/// How a track's samples are recognised.
enum class SampleKind {
  avc,    ///< NAL units behind their lengths, H.264
  hevc,   ///< the same, H.265
  frames, ///< of sound, told by how they begin and end and how long they are: AAC, Opus …
  fixed,  ///< all of one size: PCM
  marked, ///< all begin with the same bytes: GPMF and other metadata
};

/// How often a frame of a track begins and ends with certain bytes and has a certain length. No codec is
/// decoded: AAC repeats its element, window and bands in the first two bytes and ends with an end mark and
/// zeros, Opus repeats its TOC byte, and both have narrow lengths.
class FrameStatistics {
 public:
  void add(Bytes frame);
  /// Once, when all are added.
  void settle();
  /// How much likelier these bytes begin a frame than stand anywhere, as a logarithm.
  double begins(std::uint8_t first, std::uint8_t second) const;
  double ends(std::uint8_t last) const { return last_[last]; }
  double length(std::uint32_t size) const { return size < lengths_.size() ? lengths_[size] : -30; }
  std::uint32_t longest() const { return static_cast<std::uint32_t>(lengths_.size()); }
  std::uint64_t count() const { return count_; }

 private:
  std::vector<std::uint32_t> sizes_;
  std::unordered_map<std::uint32_t, std::uint32_t> pairs_;
  std::array<std::uint32_t, 256> first_count_{}, last_count_{};
  std::array<double, 256> last_{};
  std::vector<double> lengths_;
  std::uint64_t count_ = 0;
};

/// The first bytes of a NAL unit.
struct NalUnit {
  std::uint8_t first = 0, second = 0, third = 0, fourth = 0;
};

struct ModelTrack {
  std::uint32_t id = 0;
  std::size_t index = 0; ///< among moov's children
  std::string format;    ///< of its sample entry: avc1, mp4a …
  SampleKind kind = SampleKind::frames;
  std::uint64_t samples = 0;
  std::uint32_t duration = 1; ///< of a sample, most often
  std::uint32_t smallest = 0, largest = 0;
  /// The first four bytes of its samples, where there are few kinds, and the size of such samples (0:
  /// differs).
  std::map<std::uint32_t, std::uint32_t> marks;
  bool many_marks = false;
  FrameStatistics statistics;
  // Pictures.
  unsigned length_size = 4;
  unsigned pictures_per_sample = 1;   ///< 2 where fields are coded one by one, 0: a NAL unit is a sample
  std::set<std::uint8_t> first_bytes; ///< of the first NAL unit of samples
  std::set<std::uint8_t> nal_bytes;   ///< of all NAL units
  std::set<unsigned> slice_types, parameter_sets; ///< of first slices: slice_type (H.264), PPS
  std::uint32_t longest_nal = 0;
  std::vector<std::int32_t> composition; ///< offsets by distance from a sync sample
  std::uint32_t packet_samples = 1;      ///< fixed: table samples in `smallest` bytes
};

class Model {
 public:
  ByteVector moov;
  std::vector<ModelTrack> tracks;
  std::uint64_t longest_gap = 0; ///< bytes between pictures
  std::uint32_t movie_timescale = 1000;
};

bool is_slice(SampleKind kind, const NalUnit &nal);
bool begins_picture(SampleKind kind, const NalUnit &nal); ///< its first slice
/// A unit that stands in front of a picture's first slice only.
bool precedes_picture(SampleKind kind, const NalUnit &nal);
bool is_sync(SampleKind kind, const NalUnit &nal);

/// What the header of a picture's first slice begins with; nullopt when its bytes cannot be one.
struct SliceStart {
  unsigned type = 0; ///< slice_type; H.265 says it later, 0 here
  unsigned parameter_set = 0;
};
std::optional<SliceStart> slice_start(SampleKind kind, const NalUnit &nal);

/// The file may be fragmented or not.
Result<std::unique_ptr<Model>> read_model(const std::string &path);

/// The movie box of a good file with empty tables and defaults for fragments: it says what the tracks are, and
/// the fragments of another file where their samples are.
Result<ByteVector> read_header_like(const std::string &path);

} // namespace hull::isobmff
