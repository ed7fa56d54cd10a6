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

const Level *choose_level(const GstStructure *structure, const Demand &demand) {
  static constexpr std::uint8_t kLevels[] = {10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52};
  for (const std::uint8_t idc : kLevels) {
    const Level *level = level_of(idc);
    if (fits(demand, *level) && takes(structure, "level", level->name)) return level;
  }
  return nullptr;
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
    if (!level && !gst_structure_has_field(structure, "level")) level = level_of(52);
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
    return choice;
  }
  if (level_failed)
    return fail(
        ErrorCode::settings,
        fmt::format("Downstream allows no level that holds {}x{} at {}/{} frames per second and {} "
                    "kbit/s: it takes level {}. Allow that level, or lower size, frame rate or bitrate.",
                    demand.width, demand.height, demand.fps_num, demand.fps_den, demand.bitrate_kbps,
                    lowest_level(demand).name));
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
