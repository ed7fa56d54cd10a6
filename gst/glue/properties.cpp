#include "gst/glue/properties.h"

namespace hull {
namespace {

// Two elements' class_init may run in two threads; GType names must be registered once.
Mutex registration_mutex;

} // namespace

GType enum_type(const EnumTable &table) {
  const Lock lock(registration_mutex);
  if (const GType known = g_type_from_name(table.type_name)) return known;
  const GType made = g_enum_register_static(table.type_name, table.values.data());
  gst_type_mark_as_plugin_api(made, GstPluginAPIFlags(0));
  return made;
}

GType flags_type(const EnumTable &table) {
  const Lock lock(registration_mutex);
  if (const GType known = g_type_from_name(table.type_name)) return known;
  // GFlagsValue has GEnumValue's members with an unsigned value; the copy lives as long as the type, for
  // good.
  auto *values = g_new0(GFlagsValue, table.values.size());
  for (std::size_t i = 0; i < table.values.size(); ++i)
    values[i] = {static_cast<guint>(table.values[i].value), table.values[i].value_name,
                 table.values[i].value_nick};
  const GType made = g_flags_register_static(table.type_name, values);
  gst_type_mark_as_plugin_api(made, GstPluginAPIFlags(0));
  return made;
}

GParamFlags param_flags(Mutable when, bool readable_only) {
  int flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  if (!readable_only) flags |= G_PARAM_WRITABLE;
  switch (when) {
  case Mutable::ready:
    flags |= GST_PARAM_MUTABLE_READY;
    break;
  case Mutable::paused:
    flags |= GST_PARAM_MUTABLE_PAUSED;
    break;
  case Mutable::playing:
    flags |= GST_PARAM_MUTABLE_PLAYING;
    break;
  case Mutable::never:
    break;
  }
  return static_cast<GParamFlags>(flags);
}

} // namespace hull
