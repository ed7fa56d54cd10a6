#pragma once

#include "gst/glue/ref.h"
#include "gst/glue/shell.h"
#include "gst/vmaf/session.h"
#include "plugins/vmaf/frame.h"
#include "plugins/vmaf/log_file.h"
#include "plugins/vmaf/pad.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull {

enum class VmafAlignment { timestamp, index };
enum class VmafMetrics : unsigned { none = 0, psnr = 1 };

struct VmafSinkSettings {
  std::string models = "vmaf_v0.6.1";
  std::string model_location;
  std::string location;
  vmaf::LogLayout format = vmaf::LogLayout::json;
  VmafMetrics metrics = VmafMetrics::none;
  VmafAlignment alignment = VmafAlignment::timestamp;
  std::uint64_t tolerance = 0;
  std::uint32_t score_height = 0;
  std::uint32_t subsample = 1;
  std::uint32_t threads = 1;
  double threshold = 0;
  bool frame_messages = true;
  std::uint32_t kept_frames = 32768;
  std::uint32_t auto_align = 0;
};

/// hullvmafsink: one reference, any number of distorted inputs, scores out. Each pad holds one buffer; the
/// thread that completes a set of partners scores it while the others wait, so nothing queues.
class VmafSink : public Configured<VmafSinkSettings> {
 public:
  using Base = GstElement;
  using BaseClass = GstElementClass;
  static constexpr char kTypeName[] = "HullVmafSink";
  static GType parent_type() { return GST_TYPE_ELEMENT; }
  static std::span<const Property<VmafSinkSettings>> properties();
  static void class_init(GstElementClass *klass);
  explicit VmafSink(GstElement *self);
  ~VmafSink();

  GstPad *request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
  void release_pad(GstPad *pad);
  GstStateChangeReturn change_state(GstStateChange transition);
  StructureRef stats() const;

  GstFlowReturn chain(VmafPad &pad, BufferRef buffer);
  bool event(VmafPad &pad, EventRef event);

 private:
  enum class Turn { wait, score, ended };
  using Lock = std::unique_lock<std::mutex>;

  VmafPad &adopt_pad(GstPad *pad);
  void reset();
  // Called with the state lock held.
  Turn settle();
  bool settle_pad(VmafPad &pad, const VmafSlot &reference, bool &matched);
  std::optional<gint64> distance(const VmafPad &pad, const VmafSlot &reference) const;
  void drain_after_reference();
  bool search(Lock &lock);
  std::size_t search_frames() const;
  GstFlowReturn advance(Lock &lock);
  bool complete(Lock &lock);
  // Called with busy_ set and the state lock released.
  Result<void> score_set(const std::vector<VmafPad *> &matched);
  Result<void> start_session(const vmaf::Picture &reference, const std::vector<VmafPad *> &all);
  Result<void> finish();
  Result<void> align();
  Result<void> open_logs();
  Result<void> finish_logs();
  struct Moment {
    GstClockTime pts, running_time, stream_time, duration;
  };
  Result<void> post_ready(const Moment &moment);
  vmaf::ReportHead head_of(const VmafPad &pad) const;
  void post_frame(const vmaf::FrameScore &score, const Moment &moment);
  void post_summary(const VmafPad &pad);
  std::string result_of(const VmafPad &pad) const;
  std::vector<std::pair<std::string, std::string>> notes_of(const VmafPad &pad) const;
  GstClockTime tolerance() const;
  void update_caps(VmafPad &pad, GstCaps *caps);

  GstElement *self_;
  VmafPad *reference_;

  mutable std::mutex
      state_mutex_; // never held across a message, scoring or file writing; settings_ may be taken inside
  std::condition_variable changed_;
  std::vector<VmafPad *> distorted_;
  VmafSinkSettings active_; ///< as they were when the stream started
  bool searching_ = false;  ///< auto-align holds the first frames
  bool busy_ = false;       ///< a thread is scoring; slots and session are its own
  bool flushing_ = true;
  bool failed_ = false;
  bool ended_ = false;
  std::uint32_t seqnum_ = 0;

  // Owned by the scoring thread while busy_; the log and the mean are read under log_mutex_.
  mutable std::mutex log_mutex_; // leaf
  std::unique_ptr<vmaf::Session> session_;
  std::vector<VmafPad *> streams_; ///< by stream index
  VmafFormat format_;
  struct Held;
  std::unique_ptr<Held> previous_; ///< the reference before, mapped
  std::vector<VmafFitter> fitters_;
  VmafFitter reference_fitters_[2];
  VmafChroma reference_chroma_;
  std::vector<VmafChroma> chroma_;      ///< by stream index
  std::vector<VmafLogFile> files_;      ///< by stream index, where location is set
  std::vector<vmaf::FrameScore> ready_; ///< scored, not posted yet
  Moment pending_moment_{}, current_moment_{};
  gint64 scoring_us_ = 0;
};

} // namespace hull
