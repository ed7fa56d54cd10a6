#include "plugins/h264/negotiate.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::h264 {
namespace {

struct Profile {
  const char *name;
  std::uint8_t idc;
};
// OpenH264's High has no 8x8 transform, so Main codes the same pictures in fewer header bits and plays on
// more devices: it comes first.
constexpr Profile kProfiles[] = {
    {"main", 77}, {"high", 100}, {"constrained-high", 100}, {"constrained-baseline", 66}, {"baseline", 66}};

bool takes(const GstStructure *structure, const char *field, const char *value) {
  const GValue *allowed = gst_structure_get_value(structure, field);
  if (!allowed) return true;
  GValue wanted = G_VALUE_INIT;
  g_value_init(&wanted, G_TYPE_STRING);
  g_value_set_static_string(&wanted, value);
  const bool can = gst_value_intersect(nullptr, allowed, &wanted);
  g_value_unset(&wanted);
  return can;
}

// 1b holds little more than 1 and few decoders know it: only for those who ask for it by name.
constexpr std::uint8_t kLevels[] = {10, 11, 12, 13, 20, 21, 22, 30, 31, 32,
                                    40, 41, 42, 50, 51, 52, 60, 61, 62};

const Level *choose_level(const GstStructure *structure, const Demand &demand) {
  for (const std::uint8_t idc : kLevels) {
    const Level *level = level_of(idc);
    if (fits(demand, *level) && takes(structure, "level", level->name)) return level;
  }
  const Level *const other = level_of(9);
  const bool named = gst_structure_has_field(structure, "level") && takes(structure, "level", other->name);
  return named && fits(demand, *other) ? other : nullptr;
}

// The level that holds most of the bitrate, where the pictures fit.
const Level *choose_largest(const GstStructure *structure, Demand demand) {
  demand.bitrate_kbps = demand.buffer_kbits = 0;
  const Level *best = nullptr;
  for (const Level &level : all_levels())
    if (fits(demand, level) && takes(structure, "level", level.name) &&
        (!best || level.max_br >= best->max_br))
      best = &level;
  return best;
}

} // namespace

Result<OutputChoice> choose_output(GstCaps *allowed, Demand demand) {
  const auto any = CapsRef::adopt(gst_caps_new_empty_simple("video/x-h264"));
  if (!allowed || gst_caps_is_any(allowed) || gst_caps_is_empty(allowed)) allowed = any.get();
  bool level_failed = false;
  for (guint i = 0; i < gst_caps_get_size(allowed); ++i) {
    const GstStructure *structure = gst_caps_get_structure(allowed, i);
    const auto *profile = std::ranges::find_if(
        kProfiles, [structure](const Profile &p) { return takes(structure, "profile", p.name); });
    if (profile == std::end(kProfiles)) continue;
    demand.high_profile = profile->idc == 100;
    const Level *level = choose_level(structure, demand);
    if (!level) level = choose_largest(structure, demand);
    if (!level) {
      level_failed = true;
      continue;
    }
    OutputChoice choice;
    choice.avc = !takes(structure, "stream-format", "byte-stream");
    choice.nal_alignment = !takes(structure, "alignment", "au");
    choice.profile = profile->name;
    choice.profile_idc = profile->idc;
    choice.level_idc = level->level_idc;
    choice.most_kbps = level->max_br * (demand.high_profile ? 1250ull : 1000ull) / 1000;
    choice.most_buffer = level->max_cpb * (demand.high_profile ? 1250ull : 1000ull) / 1000;
    return choice;
  }
  demand.bitrate_kbps = demand.buffer_kbits = 0;
  const Level &highest = all_levels().back();
  if (level_failed)
    return fail(
        ErrorCode::settings,
        fmt::format(
            "Downstream allows no level that holds {}x{} at {}/{} frames per second: it takes level {}{}. "
            "Allow that level, or lower size or frame rate.",
            demand.width, demand.height, demand.fps_num, demand.fps_den,
            fits(demand, highest) ? "" : "above ", lowest_level(demand).name));
  return fail(ErrorCode::settings, "Downstream allows none of the profiles constrained-baseline, baseline, "
                                   "main, high and constrained-high.");
}

CapsRef output_caps(const OutputChoice &choice, const std::string &level) {
  return CapsRef::adopt(gst_caps_new_simple(
      "video/x-h264", "stream-format", G_TYPE_STRING, choice.avc ? "avc" : "byte-stream", "alignment",
      G_TYPE_STRING, choice.nal_alignment ? "nal" : "au", "profile", G_TYPE_STRING, choice.profile.c_str(),
      "level", G_TYPE_STRING, level.c_str(), nullptr));
}

} // namespace hull::h264
