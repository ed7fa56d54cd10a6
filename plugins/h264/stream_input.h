#pragma once

#include "gst/core/result.h"
#include "gst/h264/sei.h"
#include "gst/h264/slice.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace hull::h264 {

/// What hullh264dec must know of the stream before the library sees it. Reads both stream formats, keeps the
/// parameter sets, finds those that each picture names, and hands on what the library takes: slices of the
/// primary picture, and parameter sets in a form that makes it give each picture out at once.
class StreamInput {
 public:
  /// stream-format=avc with this codec_data.
  Result<void> use_avc(Bytes codec_data);
  /// The same before codec_data has come: lengths of four bytes, parameter sets in the stream.
  void assume_avc() { length_size_ = 4; }
  void use_byte_stream() { length_size_ = 0; }
  bool is_avc() const { return length_size_ != 0; }
  unsigned length_size() const { return length_size_; }

  /// Parameter sets that a picture names. Slice headers point into them.
  struct Sequence {
    Sps sps;
    ByteVector nal;
  };
  struct PictureSets {
    std::shared_ptr<const Sequence> sequence;
    Pps pps;
    ByteVector nal;
  };

  struct AccessUnit {
    bool has_slice = false;
    bool has_idr = false;
    bool is_reference = false;                ///< a slice that others may refer to
    bool damaged = false;                     ///< lengths that run past the end, slices cut or unreadable
    bool bidirectional = false;               ///< a B slice
    bool new_sequence = false;                ///< the first picture of another active sequence parameter set
    bool new_decoder = false;                 ///< and one that the library must be opened anew for
    std::shared_ptr<const Sequence> sequence; ///< null: the sets that the picture names have not come
    std::vector<SliceHeader> headers;         ///< of the slices that could be read
    Bytes sets;   ///< parameter sets that the library needs before this picture; valid until the next call
    Bytes slices; ///< with start codes; valid until the next call
    std::vector<SeiMessage> sei;
    std::optional<Error> refusal; ///< why the library cannot decode this picture, and what can
  };
  AccessUnit read(Bytes sample);

  /// The library was opened anew: it knows no parameter sets.
  void restate_parameter_sets();

  /// The sequence that the last picture belongs to, or the one codec_data leads to; null when there is none.
  const std::shared_ptr<const Sequence> &sequence() const { return active_; }
  bool has_parameter_sets() const { return !sps_.empty(); }
  /// Why the library cannot decode `sequence`: a sentence for an error; nullopt when it can.
  static std::optional<Error> refusal(const Sps &sps);
  void forget();

 private:
  void learn(const Nal &nal);
  std::shared_ptr<const PictureSets> sets_of(const Nal &slice);
  void activate(AccessUnit &unit, const std::shared_ptr<const Sequence> &sequence, bool may_change);
  void take_slices(AccessUnit &unit, const std::vector<Nal> &slices);
  void tell(const std::shared_ptr<const PictureSets> &sets);

  unsigned length_size_ = 0;
  std::map<std::uint32_t, std::shared_ptr<const Sequence>> sps_;    // by id: at most 32
  std::map<std::uint32_t, std::shared_ptr<const PictureSets>> pps_; // by id: at most 256
  std::shared_ptr<const Sequence> active_;
  // What the library knows, by id.
  std::map<std::uint32_t, std::shared_ptr<const Sequence>> told_sps_;
  std::map<std::uint32_t, std::shared_ptr<const PictureSets>> told_pps_;
  std::vector<std::shared_ptr<const PictureSets>> in_use_; // headers of the last unit point into them
  ByteVector sets_, slices_;
};

} // namespace hull::h264
