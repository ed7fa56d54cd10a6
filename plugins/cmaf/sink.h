#pragma once

#include "gst/glue/raise.h"
#include "gst/glue/shell.h"
#include "gst/origin/origin.h"
#include "gst/origin/outputs/output.h"
#include "plugins/cmaf/clock.h"
#include "plugins/cmaf/settings.h"
#include "plugins/cmaf/stream.h"

#include <map>
#include <memory>

namespace hull::cmaf {

/// hullcmafsink: pads, states, messages. A pad's stream is stream.h's, what is on air publish::Live's,
/// serving it Origin's.
class CmafSink : public Configured<SinkSettings> {
 public:
  using Base = GstBin;
  using BaseClass = GstBinClass;
  static constexpr char kTypeName[] = "HullCmafSink";
  static GType parent_type() { return GST_TYPE_BIN; }
  static std::span<const Property<SinkSettings>> properties();
  static void class_init(GstBinClass *klass);
  explicit CmafSink(GstBin *self);
  ~CmafSink();

  std::uint32_t actual_port() const;
  std::string url() const;
  StructureRef stats() const;
  void property_changed(const char *name);

 private:
  GstPad *request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
  void release_pad(GstPad *pad);
  GstStateChangeReturn change_state(GstStateChange transition);

  bool open_origin();
  void go_on_air();
  void go_off_air();
  void on_event(const publish::LiveEvent &event);
  bool application_wants_streams() const;
  void follow_texts();
  origin::AppHooks application_hooks();
  GstElement *element() const { return GST_ELEMENT(self_); }

  GstBin *self_;
  // Order: streams_mutex_ before any lock of Live or Origin. Neither is held across a message or a signal.
  mutable std::mutex streams_mutex_;
  std::map<std::string, std::unique_ptr<Stream>> streams_; // by pad name
  std::shared_ptr<publish::Live> live_;
  std::unique_ptr<origin::Origin> origin_;
  std::vector<std::unique_ptr<origin::Output>> outputs_;
  std::shared_ptr<WallClock> clock_;
  unsigned numbers_[3] = {};
};

} // namespace hull::cmaf
