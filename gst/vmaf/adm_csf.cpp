// Contrast sensitivity of libvmaf's integer_adm by viewing distance: Watson's formula, or its tables.

#include "gst/vmaf/adm.h"
#include "gst/vmaf/kernels/adm_constants.h"

#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace hull::vmaf {
namespace {

struct Table {
  int mode, height;
  double distance;
  float gain[2][kLevels]; ///< h and v, then d
};

constexpr Table kTables[] = {
    {2,
     1080,
     3.0,
     {{0.01183f, 0.025026f, 0.04295f, 0.058621f}, {0.004302f, 0.011778f, 0.023918f, 0.035901f}}},
    {2,
     2160,
     1.5,
     {{0.01183f, 0.025026f, 0.04295f, 0.058621f}, {0.004302f, 0.011778f, 0.023918f, 0.035901f}}},
    {2,
     1080,
     5.0,
     {{0.004212f, 0.014809f, 0.029642f, 0.047464f}, {0.000984f, 0.005852f, 0.0146f, 0.027574f}}},
    {2, 2160, 3.0, {{0.00226f, 0.01183f, 0.025026f, 0.04295f}, {0.000479f, 0.004302f, 0.011778f, 0.023918f}}},
    {2,
     2160,
     5.0,
     {{0.000092f, 0.004212f, 0.014809f, 0.029642f}, {0.000050f, 0.000984f, 0.005852f, 0.0146f}}},
    {2,
     720,
     5.0,
     {{0.010144f, 0.022561f, 0.040309f, 0.05672f}, {0.003463f, 0.010282f, 0.021839f, 0.034641f}}},
    {3,
     1080,
     3.0,
     {{0.011249f, 0.022606f, 0.035930f, 0.045673f}, {0.004097f, 0.010921f, 0.021430f, 0.031313f}}},
    {3,
     2160,
     1.5,
     {{0.011249f, 0.022606f, 0.035930f, 0.045673f}, {0.004097f, 0.010921f, 0.021430f, 0.031313f}}},
    {3,
     1080,
     5.0,
     {{0.004052f, 0.013939f, 0.026298f, 0.038833f}, {0.000927f, 0.005544f, 0.013415f, 0.024515f}}},
    {3,
     2160,
     3.0,
     {{0.002166f, 0.011249f, 0.022606f, 0.035930f}, {0.000447f, 0.004097f, 0.010921f, 0.021430f}}},
    {3,
     2160,
     5.0,
     {{0.000077f, 0.004052f, 0.013939f, 0.026298f}, {0.000045f, 0.000927f, 0.005544f, 0.013415f}}},
    {3,
     720,
     5.0,
     {{0.009689f, 0.020577f, 0.034162f, 0.044523f}, {0.003302f, 0.009579f, 0.019661f, 0.030318f}}},
};

/// Watson's threshold of the 9/7 wavelet, luma; `diagonal` = band d.
float watson(double degrees, int level, bool diagonal) {
  constexpr float kAmplitude[2][kLevels] = {{0.67234f, 0.41317f, 0.22727f, 0.11792f},
                                            {0.72709f, 0.49428f, 0.28688f, 0.15214f}};
  constexpr float k = 0.466f;
  constexpr double f0 = 0.401f, a = 0.495f;
  const double g = diagonal ? static_cast<double>(0.534f) : 1.0;
  const auto r = static_cast<float>(degrees);
  const auto t = static_cast<float>(std::log10(std::pow(2.0, level + 1) * f0 * g / static_cast<double>(r)));
  const float exponent = k * t * t;
  const auto threshold = static_cast<float>(2 * a * std::pow(10.0, static_cast<double>(exponent)) /
                                            static_cast<double>(kAmplitude[diagonal][level]));
  return 1.0f / threshold;
}

tl::unexpected<Error> no_table(const AdmOptions &options) {
  return fail(ErrorCode::unsupported,
              fmt::format("ADM has no contrast sensitivity of mode {} for a distance of {:g} heights of {} "
                          "lines; models of v1.0.16 ask for 3 or 5 of 1080, 1.5 or 3 of 2160.",
                          options.csf_mode, options.distance, options.height));
}

CsfFactors factors_of(const AdmCsf &csf, bool usual) {
  CsfFactors made{};
  for (std::size_t b = 0; b < 3; ++b)
    made.level0[b] = usual ? kCsf0[b]
                           : static_cast<std::uint16_t>(static_cast<double>(csf.gain[0][b / 2]) *
                                                        (b == 2 ? 1 << 23 : 1 << 21));
  for (std::size_t level = 1; level < kLevels; ++level)
    for (std::size_t b = 0; b < 2; ++b)
      made.levels[level][b] =
          static_cast<std::int32_t>(static_cast<double>(csf.gain[level][b]) * std::pow(2.0, 32));
  return made;
}

} // namespace

Result<AdmPass> adm_pass(const AdmOptions &options) {
  const double lines = options.distance * options.height;
  if (lines < 3240 || options.csf_mode == 1) return no_table(options);
  if (options.gain != kGainLimit[0] && options.gain != kGainLimit[1])
    return fail(ErrorCode::unsupported,
                fmt::format("ADM is built in with gain limits of 1 and 100, not of {:g}.", options.gain));
  AdmCsf csf{};
  bool found = false;
  for (const Table &table : kTables) {
    if (options.csf_mode != table.mode || options.height != table.height ||
        options.distance != table.distance)
      continue;
    found = true;
    for (std::size_t level = 0; level < kLevels; ++level)
      for (std::size_t b = 0; b < 2; ++b)
        csf.gain[level][b] = table.gain[b][level];
  }
  if (options.csf_mode == 0) {
    for (int level = 0; level < kLevels; ++level)
      for (const bool diagonal : {false, true})
        csf.gain[level][diagonal] = watson(lines * std::numbers::pi / 180.0, level, diagonal);
  } else if (!found) {
    return no_table(options);
  }
  csf.factors = factors_of(csf, options.csf_mode == 0 && std::abs(lines - 3240) < 1e-8);
  return AdmPass{csf, options.gain == kGainLimit[1], options.noise};
}

} // namespace hull::vmaf
