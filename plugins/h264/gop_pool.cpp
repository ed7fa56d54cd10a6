#include "plugins/h264/gop_pool.h"

#include "gst/glue/map.h"

#include <algorithm>
#include <cmath>

namespace hull::h264 {

Coded GopPool::Done::view() const {
  Coded coded;
  coded.skipped = skipped;
  coded.refused = refused;
  coded.unreadable = unreadable;
  coded.idr = idr;
  coded.temporal_id = temporal_id;
  coded.attempts = attempts;
  coded.raised = raised;
  std::size_t at = 0;
  for (const std::size_t size : sizes) {
    coded.nals.push_back({Bytes(bytes).subspan(at, size)});
    at += size;
  }
  return coded;
}

Result<std::unique_ptr<GopPool>> GopPool::open(const CodecConfig &config, const GstVideoInfo &info,
                                               unsigned workers) {
  std::unique_ptr<GopPool> pool(new GopPool(info));
  for (unsigned i = 0; i < workers; ++i) {
    auto coder = PictureCoder::open(config);
    if (!coder) return tl::unexpected(coder.error());
    auto worker = std::make_unique<Worker>();
    worker->index = i;
    worker->coder = std::move(*coder);
    worker->config = config;
    pool->workers_.push_back(std::move(worker));
  }
  {
    const Lock lock(pool->mutex_);
    pool->queues_.resize(workers);
  }
  for (auto &worker : pool->workers_)
    worker->thread = std::thread([&pool = *pool, &worker = *worker] { pool.work(worker); });
  return pool;
}

GopPool::~GopPool() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    for (Queue &queue : queues_)
      queue.clear();
  }
  submitted_.notify_all();
  for (auto &worker : workers_)
    if (worker->thread.joinable()) worker->thread.join();
}

void GopPool::submit(Job job) {
  if (job.starts_gop && std::exchange(any_, true)) current_ = (current_ + 1) % workers_.size();
  auto slot = std::make_shared<Slot>();
  slot->job = std::move(job);
  {
    const Lock lock(mutex_);
    order_.push_back(slot);
    queues_[current_].push_back(std::move(slot));
  }
  submitted_.notify_all();
}

std::optional<GopPool::Done> GopPool::take(bool wait) {
  Lock lock(mutex_);
  if (order_.empty()) return std::nullopt;
  while (wait && !order_.front()->done)
    finished_.wait(lock);
  if (!order_.front()->done) return std::nullopt;
  const auto slot = std::move(order_.front());
  order_.pop_front();
  return std::move(slot->done);
}

std::size_t GopPool::in_flight() const {
  const Lock lock(mutex_);
  return order_.size();
}

std::shared_ptr<GopPool::Slot> GopPool::next_of(std::size_t worker) {
  Lock lock(mutex_);
  while (!stopping_ && queues_[worker].empty())
    submitted_.wait(lock);
  if (stopping_) return nullptr;
  auto slot = std::move(queues_[worker].front());
  queues_[worker].pop_front();
  return slot;
}

void GopPool::finish(Slot &slot, Done done) {
  slot.job.picture = BufferRef(); // before the lock: it may free a large picture
  const Lock lock(mutex_);
  slot.done = std::move(done);
  finished_.notify_all();
}

void GopPool::work(Worker &worker) {
  while (const auto slot = next_of(worker.index)) {
    Done done;
    try {
      done = encode(worker, slot->job);
    } catch (const std::exception &error) {
      done.error = Error{ErrorCode::state, std::string("An internal step failed: ") + error.what() + "."};
    }
    finish(*slot, std::move(done));
  }
}

void GopPool::take_over(Worker &worker, const Job &job) {
  CodecConfig &known = worker.config;
  if (known.settings == job.settings && known.fps_num == job.fps_num && known.fps_den == job.fps_den) return;
  known.settings = job.settings;
  known.fps_num = job.fps_num;
  known.fps_den = job.fps_den;
  worker.coder->adapt(job.settings, job.fps_num, job.fps_den);
}

GopPool::Done GopPool::encode(Worker &worker, const Job &job) const {
  Done done;
  if (job.starts_gop) take_over(worker, job);
  MappedFrame picture(info_, job.picture.get(), GST_MAP_READ);
  if (!picture) {
    done.skipped = done.unreadable = true;
    return done;
  }
  // A clock of its own: to this encoder its groups follow each other without a gap.
  const double seconds = 1 / worker.config.fps();
  worker.milliseconds += std::max<std::int64_t>(1, std::llround(seconds * 1000));
  auto coded = worker.coder->code({worker.reader.read(*picture.get()), seconds, worker.milliseconds,
                                   job.starts_gop, job.extra, job.key_extra});
  if (!coded) {
    done.error = coded.error();
    return done;
  }
  done.skipped = coded->skipped;
  done.refused = coded->refused;
  done.idr = coded->idr;
  done.temporal_id = coded->temporal_id;
  done.attempts = coded->attempts;
  done.raised = coded->raised;
  for (const Nal &nal : coded->nals) {
    append(done.bytes, nal.data);
    done.sizes.push_back(nal.data.size());
  }
  return done;
}

} // namespace hull::h264
