#pragma once

#include "gst/isobmff/file/segment.h"
#include "gst/isobmff/file/track.h"
#include "gst/isobmff/rules/cmaf.h"
#include "gst/mux/output.h"

#include <deque>
#include <set>

namespace hull::mux {

/// What stands in front of a chunk's moof: styp, prft and what the application adds (emsg, uuid). Refusals
/// become warnings.
class ChunkFront {
 public:
  ChunkFront(OutputHost &host, const MuxSettings &settings, bool cmaf)
      : host_(host), settings_(settings), cmaf_(cmaf) {}

  /// A header has been made; fragments that come belong to it.
  void begin(const isobmff::cmaf::Track &track) { track_ = track; }

  /// Boxes for the next chunk, whose samples of the reference track are `run` and `samples`.
  std::vector<isobmff::Node> boxes(const isobmff::SegmentPlace &place, std::span<const isobmff::Sample> run,
                                   const std::deque<MuxSample> &samples);

 private:
  void add_prft(std::vector<isobmff::Node> &boxes, std::span<const isobmff::Sample> run,
                const std::deque<MuxSample> &samples) const;
  void add_requested(std::vector<isobmff::Node> &boxes);

  OutputHost &host_;
  MuxSettings settings_;
  bool cmaf_;
  isobmff::cmaf::Track track_;
};

/// Asks the CMAF rules before a chunk leaves; each broken rule is warned about once.
class ChunkCheck {
 public:
  explicit ChunkCheck(OutputHost &host) : host_(host) {}
  void header(const isobmff::Node &ftyp, const isobmff::Node &moov);
  void chunk(const std::vector<isobmff::Node> &before, const isobmff::FragmentHeader &header);
  const isobmff::cmaf::Track &track() const { return checker_.track(); }

 private:
  void tell(const isobmff::cmaf::Findings &findings, const char *what);
  OutputHost &host_;
  isobmff::cmaf::Checker checker_;
  std::set<std::string_view> told_;
};

} // namespace hull::mux
