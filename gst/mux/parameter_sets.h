#pragma once

#include "gst/core/bytes.h"
#include "gst/h264/params.h"
#include "gst/h264/slice.h"

#include <map>
#include <optional>

namespace hull::mux {

/// Parameter sets of an H.264 track: those of its record and those that came in band since.
class ParameterSets {
 public:
  /// `record`: codec_data of stream-format avc or avc3; false when it cannot be read.
  bool configure(Bytes record);
  unsigned length_size() const { return length_size_; }
  /// Remembers `nal` if it is an SPS or PPS.
  void take(const h264::Nal &nal);

  struct Active {
    const h264::Sps &sps;
    const h264::Pps &pps;
  };
  /// The sets a slice uses; nothing when they have not come.
  std::optional<Active> of_slice(const h264::Nal &slice) const;
  /// Pictures that a decoder holds back at most, by any of the sets.
  unsigned reorder_frames() const;

 private:
  unsigned length_size_ = 4;
  std::map<std::uint32_t, h264::Sps> sps_;
  std::map<std::uint32_t, h264::Pps> pps_;
};

/// An AVC configuration record with the fields that High profiles have behind their parameter sets (chroma
/// format, bit depths: ISO/IEC 14496-15 5.3.3.1), which h264parse leaves out; anything else as it is.
ByteVector whole_record(ByteVector record);

} // namespace hull::mux
