#include "gst/mux/chunk_front.h"

#include "gst/isobmff/file/file.h"

namespace hull::mux {

using namespace isobmff;

void ChunkFront::add_prft(std::vector<Node> &boxes, std::span<const Sample> run,
                          const std::deque<MuxSample> &samples) const {
  // Who puts clocks on samples puts them on all; asking each would cost more than writing it.
  if (run.empty() || samples.empty()) return;
  const auto ntp = host_.payloads().capture_time(samples.front().payload);
  const std::int64_t shown = run.front().decode_time + run.front().composition_offset;
  if (ntp && shown >= 0)
    boxes.push_back(producer_reference_time_box(track_.track_id, *ntp, static_cast<std::uint64_t>(shown),
                                                ClockMoment::constant_offset));
}

void ChunkFront::add_requested(std::vector<Node> &boxes) {
  for (const ByteVector &bytes : host_.take_fragment_boxes()) {
    auto node = check_injected(bytes, FourCC{}, boxes, cmaf_ ? &track_ : nullptr);
    if (!node) {
      host_.caution(node.error());
      continue;
    }
    boxes.push_back(std::move(*node));
  }
}

std::vector<Node> ChunkFront::boxes(const SegmentPlace &place, std::span<const Sample> run,
                                    const std::deque<MuxSample> &samples) {
  std::vector<Node> boxes;
  if (settings_.styp && (place.starts_fragment || place.last)) boxes.push_back(segment_type_box(place));
  if (!place.starts_fragment) return boxes; // CMF-15: messages wait for a segment's start
  if (settings_.prft) add_prft(boxes, run, samples);
  add_requested(boxes);
  return boxes;
}

void ChunkCheck::tell(const cmaf::Findings &findings, const char *what) {
  for (const cmaf::Finding &finding : findings)
    if (finding.level == cmaf::Level::must && told_.insert(finding.rule).second)
      host_.caution(
          {ErrorCode::bad_data, std::string(what) + " breaks " + finding.rule + ": " + finding.text + "."});
}

void ChunkCheck::header(const Node &ftyp, const Node &moov) {
  tell(checker_.header(ftyp, moov), "The CMAF header");
}

void ChunkCheck::chunk(const std::vector<Node> &before, const FragmentHeader &header) {
  const Node mdat("mdat");
  cmaf::Chunk chunk;
  for (const Node &node : before)
    chunk.before.push_back(&node);
  chunk.moof = &header.moof;
  chunk.after = &mdat;
  chunk.mdat_payload = header.bytes.size();
  chunk.mdat_size = header.data_size;
  tell(checker_.chunk(chunk), "A CMAF chunk");
}

} // namespace hull::mux
