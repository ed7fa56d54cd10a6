#pragma once

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"
#include "plugins/h264/picture_coder.h"
#include "plugins/h264/plane_reader.h"

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <gst/video/video.h>

namespace hull::h264 {

/// Several encoders that each take every n-th group of pictures. The encoders live as long as the pool, so
/// their rate control remembers; results come out in the order of submission.
class GopPool {
 public:
  struct Job {
    BufferRef picture;
    bool starts_gop = false;
    EncoderSettings settings; ///< looked at where a group starts, and so is the rate
    std::uint32_t fps_num = 30, fps_den = 1;
    std::size_t extra = 0, key_extra = 0; ///< as PictureCoder::Request
  };
  /// A coded picture with memory of its own.
  struct Done {
    ByteVector bytes;
    std::vector<std::size_t> sizes; ///< of the NAL units in `bytes`
    bool skipped = false, refused = false, unreadable = false, idr = false;
    unsigned temporal_id = 0, attempts = 1;
    bool raised = false;
    std::optional<Error> error;
    Coded view() const; ///< lives as long as this
  };

  static Result<std::unique_ptr<GopPool>> open(const CodecConfig &config, const GstVideoInfo &info,
                                               unsigned workers);
  ~GopPool(); ///< gives up what is not done
  GopPool(const GopPool &) = delete;
  GopPool &operator=(const GopPool &) = delete;

  /// The first job must start a group.
  void submit(Job job);
  /// The oldest picture: waits for it when `wait`; none when it is not done, or nothing is in the pool.
  std::optional<Done> take(bool wait);
  std::size_t in_flight() const;
  unsigned workers() const { return static_cast<unsigned>(workers_.size()); }
  const Codec &first() const { return workers_[0]->coder->codec(); }

 private:
  struct Slot {
    Job job;
    std::optional<Done> done; // put in and taken under mutex_
  };
  using Queue = std::deque<std::shared_ptr<Slot>>;
  struct Worker {
    std::size_t index;
    std::unique_ptr<PictureCoder> coder;
    CodecConfig config;
    PlaneReader reader;
    std::int64_t milliseconds = 0;
    std::thread thread;
  };
  explicit GopPool(const GstVideoInfo &info) : info_(info) {}
  void work(Worker &worker);
  std::shared_ptr<Slot> next_of(std::size_t worker);
  void finish(Slot &slot, Done done);
  Done encode(Worker &worker, const Job &job) const;
  static void take_over(Worker &worker, const Job &job);

  GstVideoInfo info_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t current_ = 0; // the worker of the group being submitted; streaming thread only
  bool any_ = false;
  mutable Mutex mutex_; // leaf: never held while encoding
  Condition submitted_, finished_;
  Queue order_ HULL_GUARDED_BY(mutex_);
  std::vector<Queue> queues_ HULL_GUARDED_BY(mutex_); // one per worker
  bool stopping_ HULL_GUARDED_BY(mutex_) = false;
};

} // namespace hull::h264
