#pragma once

#include "gst/core/result.h"
#include "gst/h264/avcc.h"
#include "gst/h264/params.h"

#include <map>
#include <optional>
#include <string>

namespace hull::h264 {

/// What hullh264dec must know of the stream before the library sees it: turns both stream formats into start
/// codes, remembers parameter sets for a decoder that starts anew, and reads the SPS.
class StreamInput {
 public:
  /// stream-format=avc with this codec_data.
  Result<void> use_avc(Bytes codec_data);
  /// The same before codec_data has come: lengths of four bytes, parameter sets in the stream.
  void assume_avc() { length_size_ = 4; }
  void use_byte_stream() { length_size_ = 0; }
  bool is_avc() const { return length_size_ != 0; }
  unsigned length_size() const { return length_size_; }

  struct AccessUnit {
    Bytes data; ///< with start codes; valid until the next call
    bool has_slice = false;
    bool has_idr = false;
    bool is_reference = false; ///< a slice that others may refer to
  };
  /// Never fails for a byte-stream; lengths that run past the end cut the unit there and are reported by
  /// `damaged`.
  AccessUnit read(Bytes sample, bool &damaged);

  /// The next unit read gets all known parameter sets in front: for a decoder that was opened anew.
  void restate_parameter_sets() { restate_ = true; }

  /// The last sequence parameter set that could be read.
  const std::optional<Sps> &sps() const { return sps_; }
  /// Whether the last read() met a sequence parameter set with other content than the one before.
  bool sps_changed() const { return sps_changed_; }
  /// Why the library cannot decode the stream, and what can: a sentence for an error; nullopt when it can.
  std::optional<std::string> refusal() const;
  void forget();

 private:
  void learn(const Nal &nal);

  unsigned length_size_ = 0;
  bool restate_ = false;
  bool sps_changed_ = false;
  std::optional<Sps> sps_;
  std::optional<unsigned> strange_map_type_; ///< of slice groups that the library does not know
  std::map<std::uint32_t, ByteVector> sps_nals_, pps_nals_; // by id: at most 32 and 256
  ByteVector annexb_;
};

} // namespace hull::h264
