#pragma once

#include "gst/isobmff/file/chapters.h"
#include "gst/mux/piece.h"
#include "gst/mux/settings.h"
#include "gst/mux/timecode_track.h"
#include "gst/mux/track.h"

#include <vector>

namespace hull::mux {

/// What an output needs from whoever runs it.
class OutputHost {
 public:
  virtual ~OutputHost() = default;
  /// false: nothing more is taken; the host knows why.
  [[nodiscard]] virtual bool push(std::vector<Piece> pieces) = 0;
  /// The next bytes go to this offset of the file; only in whole files.
  virtual void seek(std::uint64_t offset) = 0;
  /// What comes is `variant`; fragments begin with `header`, which is pushed with the first of them.
  virtual void set_header(Variant variant, Bytes header) = 0;
  virtual void report(const Error &error) = 0;  ///< ends the stream
  virtual void caution(const Error &error) = 0; ///< a warning
  /// Adds to a movie box what is not the tracks': pssh, tags, what the application wants.
  virtual void complete_movie(isobmff::Node &moov, Variant variant) = 0;
  /// The timecode track of the file's pictures, null where it has none.
  virtual const TimecodeTrack *timecode() const = 0;
  /// Bytes wanted in front of the media for the movie box of a whole file; 0 = none.
  virtual std::uint64_t movie_room() = 0;
  /// The chapters there are by now, in running time.
  virtual isobmff::Chapters chapters() const { return {}; }
  /// Another number whenever there are others.
  virtual unsigned chapters_version() const { return 0; }
  /// Whether a header that comes later takes the place of the first one.
  virtual bool replaces_header() const { return false; }
  /// Boxes the application wants in front of the fragment that starts now.
  virtual std::vector<ByteVector> take_fragment_boxes() = 0;
  /// A fragment has started; the next one is wanted at this running time.
  virtual void want_key_unit(Track &track, std::int64_t running_time) = 0;
  virtual const PayloadKeeper &payloads() const = 0;
  virtual const LogSink &log() const = 0;
};

/// Samples in, pieces out. Where a function says false, the host has been told why, or has said so itself.
class Output {
 public:
  virtual ~Output() = default;
  /// Tracks of the file, in order; called once, before the first sample. They outlive the output.
  [[nodiscard]] virtual bool start(const std::vector<Track *> &tracks) = 0;
  /// A track that came after start(); false where the header cannot name it any more.
  virtual bool add_track(Track &) { return false; }
  [[nodiscard]] virtual bool add(Track &track, MuxSample sample) = 0;
  /// The track has a new sample format (config.formats grew, format_index points at it).
  [[nodiscard]] virtual bool format_changed(Track &track) = 0;
  virtual void split(std::int64_t) {}
  [[nodiscard]] virtual bool finish() = 0;
};

std::unique_ptr<Output> make_fragmented_output(OutputHost &host, const MuxSettings &settings,
                                               Variant variant);
std::unique_ptr<Output> make_progressive_output(OutputHost &host, const MuxSettings &settings,
                                                Variant variant);

} // namespace hull::mux
