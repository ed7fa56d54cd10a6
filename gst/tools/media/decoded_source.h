#pragma once

#include "gst/tools/media/pipeline.h"
#include "gst/tools/media/source.h"

#include <atomic>
#include <cstdint>
#include <functional>

namespace hull::tools {

/// Pictures [first, first + count) of a title; a count of 0 means all that follow.
struct Window {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const Window &) const = default;
};

/// The head of every graph: file, demuxer, decoder, then pictures in I420, progressive, with square pixels
/// and even sizes, timed by counting where the source has no varying clock of its own, and only those inside
/// the window. Sources that can be seeked are read from the window's start; the others from their own.
class DecodedSource {
 public:
  /// Adds the elements; link from `out`, a capsfilter. `seek` false: read from the source's start whatever it
  /// is.
  DecodedSource(Pipeline &pipeline, const Source &source, Window window = {}, bool seek = true);
  DecodedSource(const DecodedSource &) = delete;
  DecodedSource &operator=(const DecodedSource &) = delete;

  GstElement *out = nullptr;
  /// Called with every picture that leaves, with the time its container gave it; streaming thread.
  std::function<void(GstBuffer *)> on_time;
  /// When a picture that on_time is called with is shown, 0 where the source starts, GST_CLOCK_TIME_NONE where
  /// nobody says; streaming thread.
  GstClockTime running_time(const GstBuffer *buffer) const;
  /// Called by tick() in place of ending the program when no picture has come for two minutes.
  std::function<void()> on_hang;
  /// Pictures that left so far; any thread.
  std::uint64_t pictures() const { return pictures_.load(); }
  /// To be called ten times a second by the thread that runs the pipeline: seeks once the decoder is there,
  /// and ends the program with a sentence when no picture has come for two minutes and nobody set on_hang.
  void tick();
  /// After the run: the seek did not lead to the window's first picture, so nothing that left counts.
  bool missed() const { return seeking_.load() == Seeking::missed; }

 private:
  enum class Seeking { none, waiting, decoder_ready, sent, done, missed };

  static GstPadProbeReturn on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  static GstPadProbeReturn on_decoder(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  static void on_pad(GstElement *decoder, GstPad *pad, gpointer self);
  static gboolean on_continue(GstElement *decoder, GstPad *pad, GstCaps *caps, gpointer self);
  void read_file();
  GstPadProbeReturn take(GstPad *pad, GstPadProbeInfo *info);
  void end_window(GstPad *pad);
  GstClockTime time_of(std::uint64_t picture) const;
  void miss();

  Pipeline &pipeline_;
  const Source source_;
  const Window window_;
  GstElement *entry_ = nullptr;
  PadRef decoded_; // of the decoder; set before decoder_ready
  std::atomic<Seeking> seeking_{Seeking::none};
  GstSegment segment_{};   // what the source said; streaming thread only
  std::uint64_t seen_ = 0; // number of the next picture; streaming thread only
  std::atomic<std::uint64_t> pictures_{0};
  std::atomic<std::uint64_t> arrived_{0}; // from the decoder, inside the window or not
  std::atomic<bool> ended_{false};
  std::uint64_t seen_by_tick_ = 0;
  unsigned quiet_ticks_ = 0;
};

} // namespace hull::tools
