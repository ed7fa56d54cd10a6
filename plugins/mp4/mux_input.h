#pragma once

#include "gst/mux/decode_times.h"
#include "gst/mux/picture_order.h"
#include "gst/mux/stamp_judge.h"
#include "gst/mux/track.h"
#include "plugins/mp4/mux_pad.h"
#include "plugins/mp4/track_caps.h"

#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace hull {

/// Running time of a timestamp, negative in front of the segment's start; none where it has no meaning.
std::optional<std::int64_t> running_time(const GstSegment &segment, GstClockTime time);

class MuxInput;

/// Hears the serialized events of the inputs where they stand between the samples.
class MuxInputEvents {
 public:
  virtual ~MuxInputEvents() = default;
  virtual void handle_event(MuxInput &input, EventRef event) = 0;
  /// A buffer has come whose caps could not be taken.
  virtual void refuse(const MuxInput &input) = 0;
};

/// A track and the pad that it comes from: what is in its queue becomes samples on a timeline.
class MuxInput : public mux::Track {
 public:
  /// `max_gap`: nanoseconds. `moves` is of all inputs.
  MuxInput(GstPad *from, MuxInputEvents &events, std::shared_ptr<mux::SharedMoves> moves,
           std::int64_t max_gap);

  mux::Repairs repairs() const;
  const char *name() const { return GST_PAD_NAME(pad.get()); }

  enum class Change { none, begun, format };
  /// What the pad's caps say: a track begins, goes on with another sample entry, or as before.
  Result<Change> set_caps(const GstCaps *caps);
  void set_tags(const GstTagList *tags);
  void begin_segment(GstEvent *event);
  /// The sample before a gap lasts until the next one, and nobody waits for this track meanwhile.
  void note_gap(GstClockTime time, GstClockTime duration);

  /// The header can name it: it has data, or has told enough and may have some later.
  bool can_be_track() const;
  /// What is not there yet does not come any more.
  bool done() const;
  /// Places the next sample of the track, which becomes `head`; false when there is none yet. `started`: the
  /// header has been written.
  bool fill(bool started);
  /// Takes one buffer, event or end of a text track in; false when there is none.
  bool pump_text();

  PadRef pad;
  std::shared_ptr<InputQueue> queue;
  GstSegment segment;
  CapsRef last_caps;
  std::optional<Error> caps_error; ///< the newest caps cannot be taken
  std::optional<TrackCaps> caps;
  std::int64_t head_time = 0; ///< decode time of the head in nanoseconds, for the order between tracks
  static constexpr std::int64_t kNotIdle = std::numeric_limits<std::int64_t>::min();
  std::int64_t idle_until = kNotIdle; ///< running time up to which gaps say that no sample comes
  bool in_file = false;               ///< the header names this track
  std::string orientation;            ///< of pictures, as GST_TAG_IMAGE_ORIENTATION says it
  bool has_siblings = false;          ///< other inputs exist
  bool released = false;              ///< the pad has left the element
  bool ended = false;                 ///< EOS came
  bool has_segment = false;           ///< since the run began
  bool has_begun = false;             ///< a buffer or a gap came
  bool dropped_late = false;          ///< it came after a header that can name no more tracks
  bool given_up = false;              ///< nothing came for too long: nobody waits for it
  std::uint64_t dropped = 0;          ///< samples before the first sync sample, or that cannot be placed
  std::uint64_t empty = 0;            ///< buffers without bytes
  std::uint64_t samples = 0;
  std::int64_t last_time = 0; ///< running time of the last of them, nanoseconds

 private:
  bool take_arrival(Arrival &arrival);
  bool fill_text(bool started);
  void take_text(GstBuffer *buffer);
  void change_format(const ByteVector &entry);
  void begin_track(const ByteVector &entry);
  void begin_stamps();
  bool begun() const { return placed_ > 0 || !unsettled_.empty(); }
  bool caps_are_next();
  bool take(Arrival arrival);
  bool settle_next();
  void place(BufferRef buffer, const mux::Stamp &stamp, bool sync);
  bool complete_format(GstBuffer *buffer);
  std::uint32_t decoded_samples(GstBuffer *buffer) const;
  bool clip_sound(GstBuffer *buffer, mux::Stamp &stamp) const;
  void place_leading(const mux::Stamp &next);
  void order_picture(GstBuffer *buffer, bool sync, mux::Stamp &stamp);

  MuxInputEvents &events_;
  std::shared_ptr<mux::SharedMoves> moves_;
  std::int64_t max_gap_;
  std::deque<Arrival> arrivals_;
  struct Unsettled {
    BufferRef buffer;
    bool sync;
  };
  struct Leading {
    BufferRef buffer;
    mux::Stamp stamp;
    std::optional<std::int64_t> time; // Arrival::time
  };
  std::vector<Leading> leading_;    // of which nothing is shown: they wait for the first that is
  std::deque<Unsettled> unsettled_; // as many as wait in judge_
  std::optional<mux::StampJudge> judge_;
  std::optional<mux::DecodeTimes> decode_times_; // of pictures
  std::vector<ByteVector> described_;            // sample entries of config.formats as the caps gave them
  mux::PictureOrder order_;                      // of H.264 whose buffers have no PTS
  std::int64_t idr_time_ = 0;                    // decode time of the last IDR picture, nanoseconds
  std::uint64_t placed_ = 0;                     // samples on the timeline
};

} // namespace hull
