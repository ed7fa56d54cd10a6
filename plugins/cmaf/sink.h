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
#include <optional>

namespace hull::cmaf {

/// hullcmafsink: pads, states, messages. A pad's stream is stream.h's, what is on air publish::Live's,
/// serving it Origin's.
class CmafSink : public Configured<SinkSettings> {
 public:
  using Base = GstBin;
  using BaseClass = GstBinClass;
  static constexpr char kTypeName[] = "HullCmafSink";
  static constexpr char kCategory[] = "hullcmafsink", kDescription[] = "Live publisher";
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

  struct OnAir {
    std::shared_ptr<publish::Live> live;
    std::shared_ptr<origin::Origin> origin;
    std::vector<std::shared_ptr<origin::Output>> outputs;
  };
  OnAir on_air() const;
  std::vector<std::shared_ptr<Stream>> streams() const;
  std::optional<std::string> choose_name(const GstPadTemplate *templ, const gchar *name);
  bool keep(const std::string &name, std::shared_ptr<Stream> stream);
  bool open_origin();
  void close_origin();
  void add_outputs(OnAir &air, const SinkSettings &settings);
  void go_on_air();
  void go_off_air();
  void on_event(const publish::LiveEvent &event);
  bool application_wants_streams() const;
  static void follow_texts(const std::vector<std::shared_ptr<Stream>> &streams);
  origin::AppHooks application_hooks();
  GstElement *element() const { return GST_ELEMENT(self_); }

  GstBin *self_;
  mutable Mutex mutex_; // leaf: held to copy or change what follows, nothing is called with it
  std::map<std::string, std::shared_ptr<Stream>> streams_ HULL_GUARDED_BY(mutex_); // by pad name
  OnAir air_ HULL_GUARDED_BY(mutex_);
  std::map<char, unsigned> next_numbers_ HULL_GUARDED_BY(mutex_); // by the first letter of the pad's name
};

} // namespace hull::cmaf
