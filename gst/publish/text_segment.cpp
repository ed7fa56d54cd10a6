#include "gst/publish/text_segment.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/formats/webvtt.h"

#include <fmt/format.h>
#include <vector>

namespace hull::publish {
namespace {

using namespace isobmff;

struct TimedCue {
  std::int64_t start = 0, end = 0; // ticks
  StoredCue stored;
};

// A cue goes on where the sample before had it too.
void add_sample(std::vector<TimedCue> &cues, const std::vector<StoredCue> &stored, std::int64_t start,
                std::int64_t end) {
  for (const StoredCue &cue : stored) {
    TimedCue *before = nullptr;
    for (TimedCue &known : cues)
      if (known.end == start && cue.source_id >= 0 && known.stored.source_id == cue.source_id)
        before = &known;
    if (before)
      before->end = end;
    else
      cues.push_back({start, end, cue});
  }
}

Result<void> add_chunk(std::vector<TimedCue> &cues, Bytes bytes) {
  const auto boxes = parse_boxes(bytes);
  if (!boxes) return tl::unexpected(boxes.error());
  for (const Node &moof : *boxes) {
    const auto *tfhd = find_box<TrackFragmentHeader>(moof, "traf/tfhd");
    const auto *tfdt = find_box<TrackFragmentDecodeTime>(moof, "traf/tfdt");
    const auto *trun = find_box<TrackRun>(moof, "traf/trun");
    if (moof.type() != FourCC("moof") || !tfhd || !tfdt || !trun) continue;
    auto time = static_cast<std::int64_t>(tfdt->base_media_decode_time);
    std::uint64_t at = moof.offset + static_cast<std::uint64_t>(std::int64_t{trun->data_offset});
    for (std::uint32_t i = 0; i < trun->sample_count; ++i) {
      const TrackRun::Sample own = i < trun->samples.size() ? trun->samples[i] : TrackRun::Sample{};
      const std::uint32_t size = trun->flags & TrackRun::kSize ? own.size : tfhd->default_sample_size;
      const std::uint32_t duration =
          trun->flags & TrackRun::kDuration ? own.duration : tfhd->default_sample_duration;
      if (size == 0 || at > bytes.size() || size > bytes.size() - at)
        return fail(ErrorCode::bad_data, "A text sample lies outside of its chunk.", at);
      const auto stored = read_vtt_sample(bytes.subspan(at, size));
      if (!stored) return tl::unexpected(stored.error());
      add_sample(cues, *stored, time, time + duration);
      time += duration;
      at += size;
    }
  }
  return {};
}

} // namespace

Result<std::string> webvtt_segment(std::span<const std::shared_ptr<const ByteVector>> chunks,
                                   std::uint32_t timescale, std::int64_t start) {
  std::vector<TimedCue> cues;
  for (const auto &chunk : chunks)
    if (auto added = add_chunk(cues, *chunk); !added) return tl::unexpected(added.error());
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 33; // of the 90 kHz clock
  std::string text = fmt::format("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{},LOCAL:{}\n\n",
                                 static_cast<std::uint64_t>(rescale(start, 90'000, timescale)) % kWrap,
                                 vtt_time(rescale(start, kNanoseconds, timescale)));
  for (const TimedCue &cue : cues) {
    const VttCue &said = cue.stored.cue;
    if (!said.identifier.empty()) text += said.identifier + "\n";
    text += vtt_time(rescale(cue.start, kNanoseconds, timescale)) + " --> " +
            vtt_time(rescale(cue.end, kNanoseconds, timescale));
    if (!said.settings.empty()) text += " " + said.settings;
    text += "\n" + said.payload + "\n\n";
  }
  return text;
}

} // namespace hull::publish
