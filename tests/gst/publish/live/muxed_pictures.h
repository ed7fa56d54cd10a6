#pragma once

// A presentation of one video track, cut as our muxer cuts it.

#include "gst/core/time.h"
#include "gst/mux/fragmenter.h"
#include "gst/publish/live/live.h"
#include "gst/publish/live/parts.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hull::publish {

class MuxedPictures {
 public:
  MuxedPictures(const LiveConfig &config, FrameRate rate) : live(config), rate_(rate) {
    track_.id = "v1";
    live.add_track(track_);
    track_.codecs = "avc1.42c01e";
    track_.timescale = std::max(12'800u, rate.numerator * (rate.numerator < 1000 ? 512 : 1));
    track_.frame_rate = rate;
    live.set_init(0, track_, std::make_shared<const ByteVector>(9));
    mux::Fragmenter::Settings cut;
    cut.fragment_duration = live.config().segment_duration;
    cut.chunk_duration = longest_chunk(live.config(), Kind::video, rate);
    cut.grid_origin = 0;
    muxer_.emplace(cut, std::vector<mux::Fragmenter::Track>{{track_.timescale, false}}, 0);
  }
  /// Pictures from `from` to `to` seconds, with a key picture where each segment is due. What is left out
  /// before was lost.
  void play(double from, double to) {
    const auto count = [this](double s) {
      return static_cast<std::int64_t>(s * rate_.numerator / rate_.denominator + 0.5);
    };
    for (std::int64_t i = count(from); i < count(to); ++i) {
      isobmff::Sample sample;
      sample.decode_time = time_of(i);
      sample.duration = static_cast<std::uint32_t>(time_of(i + 1) - sample.decode_time);
      sample.size = 9;
      const std::int64_t due = grid_of(due_);
      sample.sync = 2 * sample.decode_time + sample.duration >= 2 * due;
      while (sample.sync && 2 * sample.decode_time + sample.duration >= 2 * grid_of(due_))
        ++due_;
      publish(muxer_->before(0, sample));
      publish(muxer_->add(0, sample, true));
    }
  }

  Live live;

 private:
  std::int64_t time_of(std::int64_t picture) const {
    return rescale(picture * rate_.denominator, track_.timescale, rate_.numerator);
  }
  std::int64_t grid_of(std::int64_t number) const {
    return rescale(number * live.config().segment_duration, track_.timescale, kNanoseconds);
  }
  void publish(const std::optional<isobmff::Chunk> &cut) {
    if (!cut) return;
    const auto &samples = cut->runs[0];
    const isobmff::Sample &last = samples.back();
    const std::int64_t start = samples.front().decode_time;
    ChunkInfo chunk{std::make_shared<const ByteVector>(9),
                    start,
                    last.decode_time + last.duration - start,
                    last.duration,
                    cut->starts_fragment,
                    false,
                    samples.front().sync};
    const auto added = live.add_chunk(0, std::move(chunk));
    ASSERT_TRUE(added) << added.error().text;
  }

  FrameRate rate_;
  Track track_;
  std::optional<mux::Fragmenter> muxer_;
  std::int64_t due_ = 0;
};

} // namespace hull::publish
