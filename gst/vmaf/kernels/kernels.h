#pragma once

// Every loop over pixels that VMAF needs, behind one table. kernels_*_scalar.cpp is the specification; other
// sets must give the same bits for every size. All sums are integers, so neither the order of rows nor the
// number of threads can change a score.
//
// Rows that a horizontal filter reads carry kRowPad valid samples on both sides (the caller mirrors them),
// and every row buffer may be read and written kRowSlack samples past its width, so no kernel needs a scalar
// tail.

#include "gst/core/cpu.h"

#include <cstddef>
#include <cstdint>

namespace hull::vmaf {

inline constexpr int kRowPad = 32;   ///< samples before x = 0, and mirrored samples after the last
inline constexpr int kRowSlack = 64; ///< samples past width + kRowPad that may be touched

/// Gain limits evaluated in one pass: [0] the usual 100, [1] 1.0 as the NEG models ask.
inline constexpr int kGains = 2;
inline constexpr double kGainLimit[kGains] = {100.0, 1.0};

/// How samples of a 16-bit plane become the numbers of the specification.
struct Scaling {
  int drop = 0;          ///< right shift on load
  int mean_shift = 16;   ///< rounding shift of the filtered samples
  int square_shift = 16; ///< rounding shift of the filtered products; 0 = none
};

/// Output rows that VIF's passes make at once.
inline constexpr int kVifRows = 4;

/// One filtered row: means (none of products of two pictures), and the products' 32-bit sums as two halves.
struct FilteredRow {
  std::uint16_t *mean = nullptr;
  std::uint16_t *high = nullptr;
  std::uint16_t *low = nullptr;
};

/// What pairs need of the reference: unrounded means and variances of kVifRows rows, in a set's own order.
struct VifMoments {
  std::uint32_t *mean[kVifRows] = {};
  std::int32_t *variance[kVifRows] = {};
};

/// A symmetric low-pass of odd length whose taps add up to 65536.
struct Filter {
  const std::uint16_t *taps;
  int length;
  int radius() const { return length / 2; }
  /// Pairs of source rows behind kVifRows output rows; the first row is `radius` above the first output's.
  int pairs() const { return (length + kVifRows) / 2; }
};
extern const Filter kVifFilter[4];

struct VifSums {
  std::int64_t num_log[kGains] = {};
  std::int64_t den_log = 0;
  std::int64_t num_flat = 0;
  std::int64_t den_flat = 0;
};

/// Which gain limits a kernel has to evaluate.
struct Gains {
  bool normal = true;
  bool neg = false;
};

/// Rows of the three detail bands.
template <class T> struct Bands {
  T *h = nullptr;
  T *v = nullptr;
  T *d = nullptr;
};

/// What is left of a row for the masking step, one per gain limit: |restored| on the CSF's scale and the two
/// masking images, each summed over the bands.
struct MaskRow {
  std::int32_t *signal[3] = {};
  std::int32_t *neighbour = nullptr;
  std::int32_t *centre = nullptr;
};

/// A contrast sensitivity: of level 0 in fixed point (bands h and v 2^21, d 2^23), then {h and v, d} of levels
/// 1..3 in units of 2^-32.
struct CsfFactors {
  std::int32_t level0[3];
  std::int32_t levels[4][2];
};

/// A sensitivity and the gain limit it goes with.
struct AdmView {
  CsfFactors csf;
  int gain = 0; ///< index into kGainLimit
};

/// Most views that one pass serves.
inline constexpr int kAdmViews = 8;

/// A view's images of a row: what was restored, masked by what was added, and the other way round.
struct AdmViewRow {
  MaskRow restored, additive;
};

/// What CAMBI looks for. Bin v - low of a column counts the value v there; kCambiDifferences empty bins on
/// both sides keep v + d and v - d inside.
struct CambiRange {
  int low = 0, high = 0;             ///< values that are counted
  int differences = 0;               ///< largest step d
  int visible = 0;                   ///< v + differences + d must be above this
  const int *last = nullptr;         ///< by d: the largest v whose step d is seen
  const int *weight = nullptr;       ///< by d
  const float *reciprocal = nullptr; ///< 1 / n
};
inline constexpr int kCambiDifferences = 32;

struct AdmMaskShifts {
  int row[3]; ///< rounding shift of a pixel's cube, bands h, v, d
};

struct Kernels {
  const char *name;

  // VIF, vertical. Two neighbouring rows become a pair: their samples, twice as many words as one row has, in
  // a form that each set has for itself. Bytes exist at scale 0 only.
  void (*vif_prepare_8)(const std::uint8_t *const *rows, int width, std::uint16_t *pair);
  void (*vif_prepare_16)(const std::uint16_t *const *rows, int drop, int width, std::uint16_t *pair);
  /// filter.pairs() pairs become kVifRows rows of filtered samples and squares.
  void (*vif_columns_8)(const std::uint16_t *const *pairs, const Filter &filter, int width,
                        const FilteredRow *out);
  void (*vif_columns_16)(const std::uint16_t *const *pairs, const Filter &filter, const Scaling &scaling,
                         int width, const FilteredRow *out);
  /// The same of a distorted picture, and its products with the reference.
  void (*vif_cross_columns_8)(const std::uint16_t *const *reference, const std::uint16_t *const *distorted,
                              const Filter &filter, int width, const FilteredRow *out,
                              const FilteredRow *cross);
  void (*vif_cross_columns_16)(const std::uint16_t *const *reference, const std::uint16_t *const *distorted,
                               const Filter &filter, const Scaling &scaling, int width,
                               const FilteredRow *out, const FilteredRow *cross);
  // VIF, horizontal: kVifRows filtered rows of which the first `count` are scored.
  /// The reference's moments, and its share of the sums.
  void (*vif_reference)(const FilteredRow *rows, int count, const Filter &filter, int width,
                        const VifMoments &moments, VifSums &sums);
  /// A distorted picture's rows and the products', then the sums of the pair.
  void (*vif_pair)(const FilteredRow *distorted, const FilteredRow *cross, int count, const Filter &filter,
                   int width, const VifMoments &reference, Gains gains, VifSums &sums);
  /// Low-pass for the next scale: filter.length rows, one output row, then every second column.
  void (*smooth_8)(const std::uint8_t *const *rows, const Filter &filter, int width, std::uint16_t *out);
  void (*smooth_16)(const std::uint16_t *const *rows, const Filter &filter, const Scaling &scaling, int width,
                    std::uint16_t *out);
  void (*halve)(const std::uint16_t *row, const Filter &filter, int out_width, std::uint16_t *out);

  // Motion: vertical pass over the difference of two pictures, five rows each; then the row's sum of |z|.
  void (*motion_vertical_8)(const std::uint8_t *const *previous, const std::uint8_t *const *current,
                            int width, std::int32_t *out);
  void (*motion_vertical_16)(const std::uint16_t *const *previous, const std::uint16_t *const *current,
                             int bits, int drop, int width, std::int32_t *out);
  std::uint64_t (*motion_horizontal)(const std::int32_t *row, int width);

  // ADM wavelet, one output row from four input rows; high may be null.
  void (*dwt_vertical_8)(const std::uint8_t *const *rows, int width, std::int16_t *low, std::int16_t *high);
  void (*dwt_vertical_16)(const std::uint16_t *const *rows, int bits, int drop, int width, std::int16_t *low,
                          std::int16_t *high);
  void (*dwt_vertical_level1)(const std::int16_t *const *rows, int width, std::int32_t *low,
                              std::int32_t *high);
  void (*dwt_vertical_32)(const std::int32_t *const *rows, int width, std::int32_t *low, std::int32_t *high);
  /// out[x] for x in [begin, end) from the padded row; `high_pass` picks the taps.
  void (*dwt_horizontal_16)(const std::int16_t *row, bool high_pass, int begin, int end, std::int16_t *out);
  void (*dwt_horizontal_32)(const std::int32_t *row, bool high_pass, int shift, int begin, int end,
                            std::int32_t *out);

  /// Sum of |x|^3 over [begin, end).
  std::uint64_t (*adm_cubes_0)(const std::int16_t *band, int begin, int end);
  std::uint64_t (*adm_cubes)(const std::int32_t *band, int level, int row_shift, int begin, int end);
  /// Decouple and CSF over [begin, end) for the gain limits asked.
  void (*adm_row_0)(const Bands<const std::int16_t> &reference, const Bands<const std::int16_t> &distorted,
                    int begin, int end, Gains gains, const MaskRow *out);
  void (*adm_row)(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
                  int level, int begin, int end, Gains gains, const MaskRow *out);
  /// The same for `count` views, out[i] for views[i].
  void (*adm_views_0)(const Bands<const std::int16_t> &reference, const Bands<const std::int16_t> &distorted,
                      int begin, int end, const AdmView *views, int count, const AdmViewRow *out);
  void (*adm_views)(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
                    int level, int begin, int end, const AdmView *views, int count, const AdmViewRow *out);
  /// Masked cubes of one row over [begin, end): `above` and `below` are neighbour rows with one valid sample
  /// outside the range; the result is added to sums[h, v, d].
  void (*adm_mask_0)(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
                     const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums);
  void (*adm_mask)(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
                   const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums);

  // CAMBI.
  /// Whether a sample equals its right and its lower neighbour; the row's last has no right one. `below` is
  /// `row` itself for the picture's last row.
  void (*cambi_flat)(const std::uint16_t *row, const std::uint16_t *below, int width, std::uint8_t *out);
  /// Of three neighbours in a row or in three rows the value that occurs twice, else the least.
  void (*cambi_mode)(const std::uint16_t *a, const std::uint16_t *b, const std::uint16_t *c, int width,
                     std::uint16_t *out);
  /// Adds `delta` to the bins of each masked sample of [begin, end) in `radius` columns on both sides.
  /// `bins` points at column 0 of the first counted value; rows of `stride` columns.
  void (*cambi_count)(const std::uint16_t *row, const std::uint8_t *mask, int begin, int end, int radius,
                      const CambiRange &range, std::uint16_t delta, std::uint16_t *bins,
                      std::ptrdiff_t stride);
  /// The contrast of each sample of [begin, end); 0 where not masked.
  void (*cambi_contrast)(const std::uint16_t *row, const std::uint8_t *mask, int begin, int end,
                         const CambiRange &range, const std::uint16_t *bins, std::ptrdiff_t stride,
                         float *out);

  // Scaling: `taps` (even) 14-bit coefficients per output sample, the sum rounded and shifted.
  /// out[x] from row[first[x]] on; `first` may be negative as far as the row is padded.
  void (*scale_row)(const std::int16_t *row, const std::int32_t *first, const std::int16_t *coefficients,
                    int taps, int shift, int width, std::int16_t *out);
  /// One output row from `taps` rows, clamped to `bits`; the shift is 28 - bits.
  void (*scale_columns_8)(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps,
                          int width, std::uint8_t *out);
  void (*scale_columns_16)(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps,
                           int bits, int width, std::uint16_t *out);

  /// Sum of squared differences of a row.
  std::uint64_t (*squared_error_8)(const std::uint8_t *a, const std::uint8_t *b, int width);
  std::uint64_t (*squared_error_16)(const std::uint16_t *a, const std::uint16_t *b, int drop, int width);
};

/// The table for `set`, or the best one below it that was built.
const Kernels &kernels(Cpu set);

} // namespace hull::vmaf
