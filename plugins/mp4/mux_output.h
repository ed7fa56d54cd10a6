#pragma once

#include "gst/core/result.h"
#include "plugins/mp4/mux_input.h"
#include "plugins/mp4/timecode.h"

#include <functional>
#include <memory>

namespace hull {

/// The shape of the file, as the caps name it.
enum class Variant { iso, iso_fragmented, cmaf, apple };

/// Samples are named by one movie box, which is complete at the end, instead of by fragments.
inline bool is_whole(Variant variant) {
  return variant == Variant::iso || variant == Variant::apple;
}

enum class Encryption { none, cenc, cbcs };

struct MuxSettings {
  std::uint64_t fragment_duration = 2 * GST_SECOND;
  std::uint64_t chunk_duration = 0;
  std::uint64_t interleave_time = 500 * GST_MSECOND;
  bool send_force_keyunit = true;
  bool manual_split = false;
  std::int64_t fragment_origin = -1;
  std::uint32_t start_sequence_number = 1;
  bool styp = false;
  bool prft = true;
  bool mfra = false;
  Encryption encryption = Encryption::none;
  std::string key, key_id, iv;
  bool pssh = true;
  std::string timecode;
  std::uint64_t reserved_max_duration = 0;
  std::uint64_t latency = 0;
  std::uint64_t max_gap = 10 * GST_SECOND;
};

/// What an output needs from the element.
class MuxHost {
 public:
  virtual ~MuxHost() = default;
  virtual GstFlowReturn push(BufferListRef list) = 0;
  /// The next bytes go to this offset of the file.
  virtual void seek(std::uint64_t offset) = 0;
  virtual void set_caps(Variant variant, BufferRef header) = 0;
  virtual void report(const Error &error) = 0;  ///< ends the stream
  virtual void caution(const Error &error) = 0; ///< a warning
  /// Adds to a movie box what is not the tracks': pssh, tags, what the application wants.
  virtual void complete_movie(isobmff::Node &moov, Variant variant) = 0;
  /// The timecode track of the file's pictures, null where it has none.
  virtual const TimecodeTrack *timecode() const = 0;
  /// Bytes wanted in front of the media for the movie box of a whole file; 0 = none.
  virtual std::uint64_t movie_room(const std::vector<MuxInput *> &inputs) = 0;
  /// Boxes the application wants in front of the fragment that starts now.
  virtual std::vector<ByteVector> take_fragment_boxes() = 0;
  /// A fragment has started; the next one is wanted at this running time.
  virtual void want_key_unit(MuxInput &input, std::int64_t running_time) = 0;
};

/// Samples in, buffers out. All calls come from the muxing thread.
class MuxOutput {
 public:
  virtual ~MuxOutput() = default;
  /// Tracks of the file, in order; called once, before the first sample.
  virtual GstFlowReturn start(const std::vector<MuxInput *> &inputs) = 0;
  /// A track that came after start(); false where the header cannot name it any more.
  virtual bool add_track(MuxInput &) { return false; }
  virtual GstFlowReturn add(MuxInput &input, MuxSample sample) = 0;
  /// The track has a new sample format (config.formats grew, format_index points at it).
  virtual GstFlowReturn format_changed(MuxInput &input) = 0;
  virtual void split(std::int64_t) {}
  virtual GstFlowReturn finish() = 0;
};

std::unique_ptr<MuxOutput> make_fragmented_output(MuxHost &host, const MuxSettings &settings,
                                                  Variant variant);
std::unique_ptr<MuxOutput> make_progressive_output(MuxHost &host, const MuxSettings &settings,
                                                   Variant variant);

} // namespace hull
