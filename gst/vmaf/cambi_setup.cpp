// CAMBI's figures: when a step of luminance is seen, window and mask by the picture's size.

#include "gst/core/number.h"
#include "gst/vmaf/cambi.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace hull::vmaf {
namespace {

constexpr int kBlack = 64, kWhite = 940; // codes of 10 bits, limited range always
constexpr int kMostCounted = 4226;       ///< samples of a window, exclusive
constexpr int kWeights[kCambiDifferences + 1] = {0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8,
                                                 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};

/// cd/m2 of a code.
double luminance(int code, Eotf eotf) {
  const double v = static_cast<double>(std::clamp(code, kBlack, kWhite) - kBlack) / (kWhite - kBlack);
  if (eotf == Eotf::bt1886) {
    constexpr double kGamma = 2.4, kDark = 0.01, kBright = 300;
    const double dark = std::pow(kDark, 1 / kGamma), range = std::pow(kBright, 1 / kGamma) - dark;
    return std::pow(range, kGamma) * std::pow(std::max(v + dark / range, 0.0), kGamma);
  }
  const double t = std::pow(v, 1 / 78.84375);
  return 10000 * std::pow(std::max(t - 0.8359375, 0.0) / (18.8515625 - 18.6875 * t), 1 / 0.1593017578125);
}

/// The largest code from which a step of `difference` codes is seen; 1023 where it is seen from all.
int last_seen(int difference, const CambiOptions &options) {
  const auto seen = [&](int code) {
    const double low = luminance(code, options.eotf);
    return luminance(code + difference, options.eotf) - low > options.tvi_threshold * low;
  };
  if (!seen(kBlack)) return 0;
  if (!seen(kBlack + 1)) return kBlack;
  int low = kBlack, high = kWhite - difference - 1;
  if (seen(high)) return seen(high + 1) ? 1023 : high;
  while (true) {
    const int middle = low + (high - low) / 2;
    if (!seen(middle))
      high = middle;
    else if (!seen(middle + 1))
      return middle;
    else
      low = middle;
  }
}

int first_visible(const CambiOptions &options) {
  int code = kBlack;
  while (code < kWhite && luminance(code, options.eotf) < options.visible_luminance)
    ++code;
  return code == kBlack ? 0 : code;
}

int log2_up(unsigned n) {
  return n < 2 ? 0 : std::bit_width(n - 1);
}

bool is_large(int width, int height, int lines) {
  const int across = lines == 1080 ? 1920 : lines == 1440 ? 2560 : 3840;
  return (lines == 1080 || lines == 1440 || lines == 2160) &&
         std::int64_t{width} * height >= std::int64_t{across} * lines;
}

int window_of(int width, int height, const CambiOptions &options, bool halved) {
  int window = options.window * (width + height) / 375 >> 4;
  if (halved) window = (window + 1) >> 1;
  return window | 1;
}

/// 1 / n as libvmaf's table prints it, with nine digits.
float printed_reciprocal(int n) {
  return *to_number<float>(fmt::format("{:.9g}", 1.0 / n));
}

} // namespace

CambiSetup::CambiSetup(int picture_width, int picture_height, int picture_bits, const CambiOptions &wanted)
    : options(wanted), width(picture_width), height(picture_height) {
  const bool smaller = options.enc_width > 0 && options.enc_height > 0 && options.enc_width <= width &&
                       options.enc_height <= height;
  if (smaller) {
    width = options.enc_width;
    height = options.enc_height;
  }
  soften = (options.enc_bits ? options.enc_bits : picture_bits) < 10;
  halved = is_large(width, height, options.speedup);
  window = window_of(width, height, options, halved);
  mask_limit = (49 + 3 * (log2_up(static_cast<unsigned>((width >> 6) * (height >> 6))) - 11) - 1) >> 1;
  range.differences = 1 << options.max_log_contrast;
  for (int d = 1; d <= range.differences; ++d)
    last[d] = last_seen(d, options);
  range.visible = first_visible(options);
  range.low = std::max(0, range.visible - 3 * range.differences + 1);
  // Where all that could be seen is too dark, nothing is left to count.
  range.high = std::max(range.low - 1, std::min(1024, last[range.differences] + range.differences));
  range.last = last;
  range.weight = kWeights;
  reciprocal.assign(static_cast<std::size_t>(2 * window * window + 1), 0);
  for (int n = 1; n < static_cast<int>(reciprocal.size()); ++n)
    reciprocal[static_cast<std::size_t>(n)] = printed_reciprocal(n);
  range.reciprocal = reciprocal.data();
}

Result<void> check_cambi(int width, int height, const CambiOptions &options) {
  if (width < 216 && height < 216)
    return fail(
        ErrorCode::unsupported,
        fmt::format("CAMBI, which this VMAF model reads, is not defined for pictures of {}x{}: a side "
                    "must have 216 pixels at least. Score at a larger size, or take vmaf_v0.6.1.",
                    width, height));
  const int window = window_of(width, height, options, is_large(width, height, options.speedup));
  if (window * window < kMostCounted) return {};
  return fail(
      ErrorCode::unsupported,
      fmt::format("Pictures of {}x{} are too large for CAMBI, which this VMAF model reads. Score at a "
                  "smaller size.",
                  width, height));
}

CambiOptions coded_options(CambiOptions options, const Coding &coding, int width, int height) {
  if (!options.enc_width || !options.enc_height) {
    options.enc_width = coding.width;
    options.enc_height = coding.height;
  }
  const bool smaller = options.enc_width > 0 && options.enc_height > 0 && options.enc_width <= width &&
                       options.enc_height <= height;
  if (!smaller || !check_cambi(options.enc_width, options.enc_height, options)) {
    options.enc_width = width;
    options.enc_height = height;
  }
  if (!options.enc_bits) options.enc_bits = coding.bits;
  return options;
}

} // namespace hull::vmaf
