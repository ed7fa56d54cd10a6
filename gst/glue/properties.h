#pragma once

// The properties of an element: a struct with their values, and a table with their names. The default of a
// property is its member's initialiser and stands nowhere else.
//
// HOWTO: the struct and the table, in a source file,
//
//   struct EncoderSettings {
//     std::uint32_t bitrate = 2048;
//     RateControl rate_control = RateControl::bitrate;
//   };
//
//   const Property<EncoderSettings> kProperties[] = {
//       property<&EncoderSettings::bitrate>(
//           "bitrate", "Target bitrate in kbit/s", Mutable::playing, 1, 240'000),
//       property<&EncoderSettings::rate_control>(
//           "rate-control", "What the encoder holds constant", Mutable::ready, kRateControls),
//       computed<&Encoder::stats>("stats", "Counters since start"),
//   };
//
// The element derives from Configured<EncoderSettings> and returns kProperties from properties(). It reads
// its settings with snapshot(), once per frame, so that no frame sees half of a change.

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"

#include <limits>
#include <span>
#include <string>
#include <type_traits>

#include <gst/gst.h>

namespace hull {

/// In which states a property may be set; the same words as GStreamer's documentation. A value set in a
/// higher state is kept for the next start.
enum class Mutable { ready, paused, playing, never };

/// Settings behind a lock.
template <class SettingsType> class Configured {
 public:
  using Settings = SettingsType;
  Settings snapshot() const {
    const Lock lock(settings_mutex_);
    return settings_;
  }
  /// One setting, where a copy of all would be too much: once per sample.
  template <class Value> Value read(Value Settings::*setting) const {
    const Lock lock(settings_mutex_);
    return settings_.*setting;
  }
  template <class Change> void configure(Change &&change) {
    const Lock lock(settings_mutex_);
    change(settings_);
  }

 private:
  mutable Mutex settings_mutex_; // leaf: held only to copy or assign
  Settings settings_ HULL_GUARDED_BY(settings_mutex_);
};

/// Values of an enum or flags property. `type_name` must be unique in the process: "HullVmafSinkFormat".
struct EnumTable {
  const char *type_name;
  std::span<const GEnumValue> values; ///< ends with {0, nullptr, nullptr}; for flags the values are bits
};

GType enum_type(const EnumTable &table);  ///< registered on first use
GType flags_type(const EnumTable &table); ///< registered on first use
GParamFlags param_flags(Mutable when, bool readable_only);

template <class Settings> struct Property {
  const char *name;
  const char *blurb;
  Mutable when;
  GParamSpec *(*spec)(const Property &);
  void (*get)(Configured<Settings> &, GValue *);
  void (*set)(Configured<Settings> &, const GValue *); ///< null for computed ones
  double minimum = 0, maximum = 0;                     ///< numbers; 64-bit limits are those of the type
  const EnumTable *table = nullptr;                    ///< enums and flags
  bool is_flags = false;
};

namespace detail {

template <class> struct MemberOf;
template <class Class, class Value> struct MemberOf<Value Class::*> {
  using Settings = Class;
  using Type = Value;
};
template <class> struct GetterOf;
template <class Class, class Value> struct GetterOf<Value (Class::*)() const> {
  using Impl = Class;
  using Type = Value;
};

template <class T>
GParamSpec *number_spec(const char *name, const char *blurb, double low, double high, T value,
                        GParamFlags flags) {
  // A double cannot hold the ends of 64-bit types, and converting beyond them is undefined.
  using Limits = std::numeric_limits<T>;
  const T min = low <= static_cast<double>(Limits::lowest()) ? Limits::lowest() : static_cast<T>(low);
  const T max = high >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(high);
  if constexpr (std::is_same_v<T, double>)
    return g_param_spec_double(name, nullptr, blurb, min, max, value, flags);
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return g_param_spec_int(name, nullptr, blurb, min, max, value, flags);
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return g_param_spec_uint(name, nullptr, blurb, min, max, value, flags);
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return g_param_spec_int64(name, nullptr, blurb, min, max, value, flags);
  else
    return g_param_spec_uint64(name, nullptr, blurb, min, max, value, flags);
}

template <class T> void to_value(const T &from, GValue *to) {
  if constexpr (std::is_same_v<T, bool>)
    g_value_set_boolean(to, from);
  else if constexpr (std::is_same_v<T, std::string>)
    g_value_set_string(to, from.empty() ? nullptr : from.c_str());
  else if constexpr (std::is_enum_v<T>)
    G_VALUE_HOLDS_FLAGS(to) ? g_value_set_flags(to, static_cast<guint>(from))
                            : g_value_set_enum(to, static_cast<int>(from));
  else if constexpr (std::is_same_v<T, double>)
    g_value_set_double(to, from);
  else if constexpr (std::is_same_v<T, std::int32_t>)
    g_value_set_int(to, from);
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    g_value_set_uint(to, from);
  else if constexpr (std::is_same_v<T, std::int64_t>)
    g_value_set_int64(to, from);
  else
    g_value_set_uint64(to, from);
}

template <class T> T from_value(const GValue *from) {
  if constexpr (std::is_same_v<T, bool>)
    return g_value_get_boolean(from);
  else if constexpr (std::is_same_v<T, std::string>) {
    const char *text = g_value_get_string(from);
    return text ? text : "";
  } else if constexpr (std::is_enum_v<T>)
    return static_cast<T>(G_VALUE_HOLDS_FLAGS(from) ? static_cast<int>(g_value_get_flags(from))
                                                    : g_value_get_enum(from));
  else if constexpr (std::is_same_v<T, double>)
    return g_value_get_double(from);
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return g_value_get_int(from);
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return g_value_get_uint(from);
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return g_value_get_int64(from);
  else
    return g_value_get_uint64(from);
}

template <auto Member> auto make(const char *name, const char *blurb, Mutable when) {
  using Settings = typename MemberOf<decltype(Member)>::Settings;
  using Type = typename MemberOf<decltype(Member)>::Type;
  Property<Settings> made{};
  made.name = name;
  made.blurb = blurb;
  made.when = when;
  made.get = [](Configured<Settings> &object, GValue *value) { to_value(object.snapshot().*Member, value); };
  made.set = [](Configured<Settings> &object, const GValue *value) {
    object.configure([value](Settings &settings) { settings.*Member = from_value<Type>(value); });
  };
  made.spec = [](const Property<Settings> &p) -> GParamSpec * {
    const Type initial = Settings{}.*Member;
    const GParamFlags flags = param_flags(p.when, false);
    if constexpr (std::is_same_v<Type, bool>)
      return g_param_spec_boolean(p.name, nullptr, p.blurb, initial, flags);
    else if constexpr (std::is_same_v<Type, std::string>)
      return g_param_spec_string(p.name, nullptr, p.blurb, initial.empty() ? nullptr : initial.c_str(),
                                 flags);
    else if constexpr (std::is_enum_v<Type>) {
      if (p.is_flags)
        return g_param_spec_flags(p.name, nullptr, p.blurb, flags_type(*p.table), static_cast<guint>(initial),
                                  flags);
      return g_param_spec_enum(p.name, nullptr, p.blurb, enum_type(*p.table), static_cast<int>(initial),
                               flags);
    } else
      return number_spec<Type>(p.name, p.blurb, p.minimum, p.maximum, initial, flags);
  };
  return made;
}

} // namespace detail

/// A bool, a string, or a number with the whole range of its type.
template <auto Member> auto property(const char *name, const char *blurb, Mutable when = Mutable::ready) {
  using Type = typename detail::MemberOf<decltype(Member)>::Type;
  auto made = detail::make<Member>(name, blurb, when);
  if constexpr (std::is_arithmetic_v<Type>) {
    made.minimum = static_cast<double>(std::numeric_limits<Type>::lowest());
    made.maximum = static_cast<double>(std::numeric_limits<Type>::max());
  }
  return made;
}

/// A number from `minimum` to `maximum`.
template <auto Member>
auto property(const char *name, const char *blurb, Mutable when, double minimum, double maximum) {
  auto made = detail::make<Member>(name, blurb, when);
  made.minimum = minimum;
  made.maximum = maximum;
  return made;
}

/// One of a table's values. `table` must live as long as the process.
template <auto Member>
auto property(const char *name, const char *blurb, Mutable when, const EnumTable &table) {
  auto made = detail::make<Member>(name, blurb, when);
  made.table = &table;
  return made;
}

/// Any combination of a table's bits.
template <auto Member>
auto flags_property(const char *name, const char *blurb, Mutable when, const EnumTable &table) {
  auto made = property<Member>(name, blurb, when, table);
  made.is_flags = true;
  return made;
}

/// A value the element works out when asked; not settable. Getter is `Value (Impl::*)() const`, Value a bool,
/// number, string or StructureRef.
template <auto Getter> auto computed(const char *name, const char *blurb) {
  using Impl = typename detail::GetterOf<decltype(Getter)>::Impl;
  using Value = typename detail::GetterOf<decltype(Getter)>::Type;
  using Settings = typename Impl::Settings;
  Property<Settings> made{};
  made.name = name;
  made.blurb = blurb;
  made.when = Mutable::never;
  made.get = [](Configured<Settings> &object, GValue *value) {
    Value result = (static_cast<const Impl &>(object).*Getter)();
    if constexpr (std::is_same_v<Value, StructureRef>)
      g_value_take_boxed(value, result.release());
    else
      detail::to_value(result, value);
  };
  made.spec = [](const Property<Settings> &p) -> GParamSpec * {
    const GParamFlags flags = param_flags(Mutable::never, true);
    // GST_TYPE_STRUCTURE is a variable that gst_init fills, so it is read here and not in the table.
    if constexpr (std::is_same_v<Value, StructureRef>)
      return g_param_spec_boxed(p.name, nullptr, p.blurb, GST_TYPE_STRUCTURE, flags);
    else if constexpr (std::is_same_v<Value, bool>)
      return g_param_spec_boolean(p.name, nullptr, p.blurb, false, flags);
    else if constexpr (std::is_same_v<Value, std::string>)
      return g_param_spec_string(p.name, nullptr, p.blurb, nullptr, flags);
    else
      return detail::number_spec<Value>(
          p.name, p.blurb, static_cast<double>(std::numeric_limits<Value>::lowest()),
          static_cast<double>(std::numeric_limits<Value>::max()), Value{}, flags);
  };
  return made;
}

} // namespace hull
