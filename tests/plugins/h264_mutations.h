#pragma once

// Damaged copies of the conformance streams, the same on every machine: 14 streams, each damaged in 14 ways.

#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <random>

namespace hull::h264 {

inline const std::vector<std::string> kMutatedStreams = {
    "BA_MW_D.264",         "BANM_MW_D.264", "CI_MW_D.264",    "MIDR_MW_D.264", "MPS_MW_A.264",
    "NRF_MW_E.264",        "MR1_BT_A.h264", "NL1_Sony_D.jsv", "SVA_BA2_D.264", "BAMQ1_JVC_C.264",
    "test_qcif_cabac.264", "Static.264",    "SarVui.264",     "BA1_FT_C.264"};

enum class Damage {
  one_flip,
  twenty_flips,
  many_flips,
  half,
  last_tenth,
  lost_1,
  lost_5,
  lost_20,
  no_first_sps,
  no_first_idr,
  sps_flip,
  pps_flip,
  cut,
  swapped,
};
inline constexpr int kDamages = 14;

using Units = std::vector<ByteVector>;

inline Units units_of(const std::string &file) {
  std::ifstream stream(file, std::ios::binary);
  const ByteVector bytes{std::istreambuf_iterator<char>(stream), {}};
  Units units;
  for (const Nal &nal : split_annexb(bytes))
    units.emplace_back(nal.data.begin(), nal.data.end());
  return units;
}

/// `units` with `damage` done by a generator seeded with `seed`.
inline Units damaged(Units units, Damage damage, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto type = [](const ByteVector &unit) { return Nal{unit}.type(); };
  const auto flip = [&](ByteVector &unit) {
    if (unit.size() > 1)
      unit[1 + random() % (unit.size() - 1)] ^= static_cast<std::uint8_t>(1u << random() % 8);
  };
  const auto lose = [&](unsigned percent) {
    std::erase_if(units,
                  [&](const ByteVector &unit) { return Nal{unit}.is_slice() && random() % 100 < percent; });
  };
  const auto first = [&](NalType wanted) {
    return std::find_if(units.begin(), units.end(),
                        [&](const ByteVector &unit) { return type(unit) == wanted; });
  };
  const auto flips = [&](int count) {
    while (count-- > 0)
      flip(units[random() % units.size()]);
  };
  switch (damage) {
  case Damage::one_flip:
    flips(1);
    break;
  case Damage::twenty_flips:
    flips(20);
    break;
  case Damage::many_flips:
    flips(300);
    break;
  case Damage::half:
    units.resize(units.size() / 2);
    if (!units.empty()) units.back().resize(units.back().size() / 2 + 1);
    break;
  case Damage::last_tenth:
    units.resize(units.size() - units.size() / 10);
    if (!units.empty()) units.back().resize(units.back().size() / 2 + 1);
    break;
  case Damage::lost_1:
    lose(1);
    break;
  case Damage::lost_5:
    lose(5);
    break;
  case Damage::lost_20:
    lose(20);
    break;
  case Damage::no_first_sps:
    if (const auto at = first(NalType::sps); at != units.end()) units.erase(at);
    break;
  case Damage::no_first_idr:
    if (const auto at = first(NalType::idr_slice); at != units.end()) units.erase(at);
    break;
  case Damage::sps_flip:
    if (const auto at = first(NalType::sps); at != units.end()) flip(*at);
    break;
  case Damage::pps_flip:
    if (const auto at = first(NalType::pps); at != units.end()) flip(*at);
    break;
  case Damage::cut:
    for (ByteVector &unit : units)
      if (Nal{unit}.is_slice() && random() % 20 == 0) unit.resize(1 + random() % unit.size());
    break;
  case Damage::swapped:
    for (std::size_t i = 1; i < units.size(); ++i)
      if (random() % 20 == 0) std::swap(units[i - 1], units[i]);
    break;
  }
  return units;
}

/// Access units with start codes, cut where a slice with first_mb_in_slice 0 or a unit in front of it begins.
inline std::vector<ByteVector> access_units(const Units &units) {
  std::vector<ByteVector> list;
  ByteVector next;
  bool open = false;
  for (const ByteVector &unit : units) {
    const Nal nal{unit};
    if (open && starts_access_unit(nal)) {
      list.push_back(std::exchange(next, {}));
      open = false;
    }
    append_annexb(next, unit);
    open |= nal.is_slice();
  }
  if (!next.empty()) list.push_back(next);
  return list;
}

/// Pushes access units through `element` and counts what comes out.
struct Decoded {
  std::size_t pictures = 0, flagged = 0;
  std::string error;
};

inline Decoded decode(const std::vector<ByteVector> &access_units, const std::string &element) {
  const Played played =
      play("appsrc name=in format=time "
           "caps=\"video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1\" ! " +
               element + " ! appsink name=out",
           [&](GstElement *pipeline) {
             const auto in = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
             GstClockTime time = 0;
             GstFlowReturn flow;
             g_object_set(in.get(), "max-bytes", guint64{0}, nullptr);
             for (const ByteVector &unit : access_units) {
               GstBuffer *buffer = gst_buffer_new_memdup(unit.data(), unit.size());
               GST_BUFFER_PTS(buffer) = time;
               GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
               time += 40 * GST_MSECOND;
               g_signal_emit_by_name(in.get(), "push-buffer", buffer, &flow);
               gst_buffer_unref(buffer);
             }
             g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
           });
  Decoded decoded{played.buffers.size(), 0, played.error};
  for (const BufferRef &buffer : played.buffers)
    decoded.flagged += GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED);
  return decoded;
}

} // namespace hull::h264
