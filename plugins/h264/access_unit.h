#pragma once

#include "gst/core/result.h"
#include "gst/h264/params.h"
#include "gst/h264/sei.h"
#include "gst/h264/slice.h"

#include <algorithm>
#include <list>
#include <optional>
#include <vector>

namespace hull::h264 {

/// Colour, shape and time of the pictures, as the VUI says them.
struct VuiWishes {
  Ratio pixel_aspect_ratio{1, 1};
  bool has_colour = false;
  bool full_range = false;
  std::uint8_t colour_primaries = 2, transfer_characteristics = 2, matrix_coefficients = 2;
  std::uint32_t fps_num = 0, fps_den = 1; ///< 0: no timing_info
  bool fixed_frame_rate = false;
  bool constrained_high = false; ///< set constraint_set4_flag and constraint_set5_flag
  std::uint8_t level_idc = 0;    ///< 9 stands for 1b; 0: as the library says
  std::optional<Hrd> hrd;
  bool time_codes = false; ///< pic_timing messages carry them
};

/// Makes access units of what the library wrote: our parameter sets for its own, delimiter and SEI in front,
/// an idr_pic_id that differs from the one before, start codes or lengths.
class AccessUnitWriter {
 public:
  struct Format {
    bool avc = false; ///< length-prefixed, parameter sets only in codec_data
    bool access_unit_delimiter = false;
  };

  /// Takes the library's parameter sets and puts `wishes` into the SPS.
  Result<void> configure(Bytes sps, Bytes pps, const VuiWishes &wishes, Format format);

  struct Input {
    const std::vector<Nal> *nals = nullptr;
    bool idr = false;
    bool all_headers = false; ///< avc: parameter sets in the stream too
    const std::vector<SeiMessage> *sei = nullptr;
  };
  /// The NAL units of one access unit in order. The views last until the next call.
  std::vector<Bytes> assemble(const Input &input);

  /// Bytes that `units` take in the stream, and the same bytes written to `out`.
  static std::size_t size_of(const std::vector<Bytes> &units);
  void write(const std::vector<Bytes> &units, std::uint8_t *out) const;

  const Sps &sps() const { return parsed_sps_; }
  const ByteVector &sps_nal() const { return sps_; }
  const ByteVector &pps_nal() const { return pps_; }
  bool cabac() const { return parsed_pps_.entropy_coding_mode_flag; }
  /// idr_pic_id of the running sequence as the library counts and as it stands in the stream.
  unsigned library_idr_pic_id() const { return library_idr_pic_id_; }
  unsigned written_idr_pic_id() const { return static_cast<unsigned>(std::max(last_idr_pic_id_, 0)); }
  int last_qp() const { return last_qp_; }    ///< of the first slice of the last access unit, -1 when unread
  double mean_qp() const { return mean_qp_; } ///< over its slices

 private:
  Bytes keep(ByteVector bytes);
  Bytes idr_slice(const Nal &nal);
  void look_at_slices(const std::vector<Nal> &nals, bool idr);
  void look_at_first(const SliceHeader &header, bool idr);

  Format format_;
  ByteVector sps_, pps_;
  Sps parsed_sps_;
  Pps parsed_pps_;
  std::list<ByteVector> kept_; // memory behind what assemble() returned
  int last_idr_pic_id_ = -1;   // of the access unit before
  int wanted_idr_pic_id_ = -1; // of this one; -1 leaves the library's
  unsigned library_idr_pic_id_ = 0;
  int last_qp_ = -1;
  double mean_qp_ = 0;
};

} // namespace hull::h264
