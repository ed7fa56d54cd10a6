#pragma once

// Figures of libvmaf's integer_adm for the default viewing distance (3.0) and display height (1080).

#include <cstdint>

namespace hull::vmaf {

inline constexpr std::int32_t kWaveletLow[4] = {15826, 27411, 7345, -4240};
inline constexpr std::int32_t kWaveletHigh[4] = {-4240, -7345, 27411, -15826};
inline constexpr std::int32_t kWaveletDc = 46342; ///< sum of the low taps

/// cos^2 of one degree, rounded to single precision.
inline constexpr double kCosOneDegreeSquared = static_cast<double>(0.9996954202651978f);

/// Contrast sensitivity, level 0 in fixed point: factor, rounding term and shift of bands h, v, d.
inline constexpr std::int32_t kCsf0[3] = {36453, 36453, 49417};
inline constexpr std::int32_t kCsf0Round[3] = {16384, 16384, 65535};
inline constexpr int kCsf0Shift[3] = {15, 15, 17};
inline constexpr int kMask0Shift[3] = {10, 10, 12};
inline constexpr int kSquare0Shift[3] = {29, 29, 30};

/// Levels 1..3: {h and v, d} in units of 2^-32.
inline constexpr std::int64_t kCsf[4][2] = {
    {0, 0}, {137373792, 61414028}, {186284160, 104783920}, {196165808, 134487184}};
/// The same sensitivities as floats, all levels.
inline constexpr float kCsfFloat[4][2] = {{0.0173815377f, 0.005890687f},
                                          {0.0319848284f, 0.0142990677f},
                                          {0.0433726609f, 0.0243969075f},
                                          {0.0456734113f, 0.0313127376f}};

/// Denominator: shift of the squares, and the total shift of the cubes, per level.
inline constexpr int kCubeShift[4] = {0, 31, 30, 31};
inline constexpr int kCubeTotal[4] = {18, 32, 27, 23};
/// Numerator: total shift of the cubes, levels 1..3; level 0 has one per band.
inline constexpr int kMaskTotal0[3] = {52, 52, 57};
inline constexpr int kMaskTotal[4] = {0, 45, 39, 36};

inline constexpr int kDwtHorizontalShift[4] = {16, 15, 16, 15};
inline constexpr double kAdmNoiseWeight = 0.03125;

} // namespace hull::vmaf
