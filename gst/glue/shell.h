#pragma once

// A GObject whose instance holds one C++ object, Impl: GObject's functions find it, and call its methods.
//
// HOWTO: a class that derives from Configured<Settings> (properties.h) and has
//
//   using Base = GstVideoEncoder;
//   using BaseClass = GstVideoEncoderClass;
//   static constexpr char kTypeName[] = "HullH264Enc";
//   static GType parent_type() { return GST_TYPE_VIDEO_ENCODER; }
//   static std::span<const Property<Settings>> properties();
//   static void class_init(BaseClass *klass); // metadata, pad templates, virtual functions (below)
//   explicit Impl(Base *self);                // runs in instance_init; the destructor runs in finalize
//
// An element also names the category of its log lines (log.h):
//
//   static constexpr char kCategory[] = "hullh264enc", kDescription[] = "H.264 encoder";
//
// These two are optional:
//
//   static void add_interfaces(GType type);
//   void property_changed(const char *name); // after a property was set; no lock is held
//
// class_init installs a method as a virtual function with `klass->start = thunk<&Impl::start>`.
// shell_type<Impl>() is the GType, Shell<Impl>::of(instance) the object of an instance.

#include "gst/glue/log.h"
#include "gst/glue/properties.h"

#include <exception>
#include <type_traits>

#include <gst/gst.h>

namespace hull {

template <class Impl> struct Shell {
  typename Impl::Base parent;
  Impl *impl;

  static Impl &of(gpointer instance) { return *static_cast<Shell *>(instance)->impl; }
  static typename Impl::BaseClass *parent_class() {
    return static_cast<typename Impl::BaseClass *>(parent_class_);
  }
  static inline gpointer parent_class_ = nullptr;
};

namespace detail {

/// What a virtual function returns when C++ threw: the value that means failure in its type.
template <class Return> Return failed() {
  if constexpr (std::is_same_v<Return, GstFlowReturn>)
    return GST_FLOW_ERROR;
  else if constexpr (!std::is_void_v<Return>)
    return Return{};
}

template <auto Method, class Signature = decltype(Method)> struct Thunk;
template <auto Method, class Impl, class Return, class... Args>
struct Thunk<Method, Return (Impl::*)(Args...)> {
  template <class Self> using Function = Return (*)(Self *, Args...);
  template <class Self> operator Function<Self>() const { return &call<Self>; }

  template <class Self> static Return call(Self *self, Args... args) {
    try {
      return (Shell<Impl>::of(self).*Method)(args...);
    } catch (const std::exception &error) { // std::bad_alloc, mostly: it must not cross into C
      GST_ELEMENT_ERROR(self, RESOURCE, FAILED, ("An internal step failed: %s.", error.what()), (nullptr));
      return failed<Return>();
    }
  }
};

} // namespace detail

/// A C function pointer for a virtual function, whatever the class of its first argument. Exceptions end here
/// and become an element error. For GObjects that are not elements use of() by hand.
template <auto Method> constexpr detail::Thunk<Method> thunk{};

/// The GType of Impl, registered on first use.
template <class Impl> GType shell_type() {
  static const GType type = [] {
    GTypeQuery parent;
    g_type_query(Impl::parent_type(), &parent);
    GTypeInfo info{};
    info.class_size = static_cast<guint16>(parent.class_size);
    info.instance_size = sizeof(Shell<Impl>);
    info.class_init = [](gpointer klass, gpointer) {
      using S = Shell<Impl>;
      S::parent_class_ = g_type_class_peek_parent(klass);
      if constexpr (requires { Impl::kCategory; }) category<Impl>();
      auto *object_class = static_cast<GObjectClass *>(klass);
      object_class->finalize = [](GObject *object) {
        auto *shell = reinterpret_cast<S *>(object);
        delete shell->impl;
        shell->impl = nullptr;
        static_cast<GObjectClass *>(S::parent_class_)->finalize(object);
      };
      object_class->get_property = [](GObject *object, guint id, GValue *value, GParamSpec *) {
        Impl::properties()[id - 1].get(S::of(object), value);
      };
      object_class->set_property = [](GObject *object, guint id, const GValue *value, GParamSpec *) {
        Impl &impl = S::of(object);
        Impl::properties()[id - 1].set(impl, value);
        if constexpr (requires { impl.property_changed(""); })
          impl.property_changed(Impl::properties()[id - 1].name);
      };
      guint id = 0;
      for (const auto &entry : Impl::properties())
        g_object_class_install_property(object_class, ++id, entry.spec(entry));
      Impl::class_init(static_cast<typename Impl::BaseClass *>(klass));
    };
    info.instance_init = [](GTypeInstance *instance, gpointer) {
      auto *shell = reinterpret_cast<Shell<Impl> *>(instance);
      shell->impl = new Impl(&shell->parent);
    };
    const GType made = g_type_register_static(Impl::parent_type(), Impl::kTypeName, &info, GTypeFlags(0));
    if constexpr (requires { Impl::add_interfaces(made); }) Impl::add_interfaces(made);
    // Elements stand in the documentation's index by themselves; other types of ours must say that they
    // belong.
    if (!g_type_is_a(made, GST_TYPE_ELEMENT)) gst_type_mark_as_plugin_api(made, GstPluginAPIFlags(0));
    return made;
  }();
  return type;
}

} // namespace hull
