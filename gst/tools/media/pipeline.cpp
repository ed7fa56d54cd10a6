#include "gst/tools/media/pipeline.h"

#include <fmt/format.h>

namespace hull::tools {
namespace {

// Where Debian keeps what the tool uses of others.
const char *package_of(const std::string &factory) {
  if (factory.starts_with("avenc") || factory.starts_with("avdec")) return "gstreamer1.0-libav";
  if (factory == "deinterlace" || factory == "videocrop") return "gstreamer1.0-plugins-good";
  if (factory.ends_with("parse")) return "gstreamer1.0-plugins-bad";
  return "gstreamer1.0-plugins-base";
}

// Text goes in as it is: names of files need not be UTF-8, and may begin with a quote.
void set_property(GObject *object, const char *name, const std::string &value) {
  const GParamSpec *known = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
  if (known && known->value_type == G_TYPE_STRING)
    g_object_set(object, name, value.c_str(), nullptr);
  else
    gst_util_set_object_arg(object, name, value.c_str());
}

// Where a preroll ends in one thread while another goes on to PLAYING, a bin may note the two the other way
// round (GStreamer 1.22), and then keeps an end of stream to itself until it hears again that it plays.
void remind(GstElement *pipeline) {
  GST_OBJECT_LOCK(pipeline);
  const bool plays =
      GST_STATE(pipeline) == GST_STATE_PLAYING && GST_STATE_PENDING(pipeline) == GST_STATE_VOID_PENDING;
  GST_OBJECT_UNLOCK(pipeline);
  if (plays)
    gst_element_post_message(pipeline,
                             gst_message_new_state_changed(GST_OBJECT(pipeline), GST_STATE_PLAYING,
                                                           GST_STATE_PLAYING, GST_STATE_VOID_PENDING));
}

} // namespace

Error error_of(GstMessage *message) {
  GError *error = nullptr;
  char *debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  const OwnedText debug_owner(debug);
  std::string from = "the pipeline";
  if (GST_IS_ELEMENT(message->src))
    if (GstElementFactory *factory = gst_element_get_factory(GST_ELEMENT(message->src)))
      from = GST_OBJECT_NAME(factory);
  Error result{ErrorCode::bad_data, error ? error->message : "no reason given"};
  if (error && g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT)) {
    result = {ErrorCode::no_space,
              "the disk is full; free some space and run the same command again, finished "
              "work is kept"};
  } else if (error && (g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
                       g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND))) {
    result = {ErrorCode::not_found,
              fmt::format("no decoder for this source is installed ({}); try the package "
                          "gstreamer1.0-libav",
                          error->message)};
  } else if (error && error->domain == GST_RESOURCE_ERROR) {
    result.code = ErrorCode::io;
    result.text = fmt::format("{}: {}", from, error->message);
  } else {
    result.text = fmt::format("{}: {}", from, result.text);
  }
  g_clear_error(&error);
  return result;
}

Pipeline::Pipeline() : pipeline_(ElementRef::retain(gst_pipeline_new(nullptr))) {}

Pipeline::~Pipeline() {
  if (abandoned_)
    gst_object_ref(pipeline_.get());
  else
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

void Pipeline::remember(Error error) {
  if (failed_) return;
  failed_ = true;
  problem_ = std::move(error);
}

GstElement *Pipeline::add(const char *factory, const Properties &properties) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (!element) {
    remember({ErrorCode::not_found,
              fmt::format("the element {} is missing; install {}", factory, package_of(factory))});
    return nullptr;
  }
  for (const auto &[name, value] : properties)
    set_property(G_OBJECT(element), name, value);
  gst_bin_add(bin(), element);
  return element;
}

GstElement *Pipeline::add_track_file(const std::string &path) {
  return add("hullmp4sink", {{"location", path}, {"sync", "false"}, {"sidx", "true"}});
}

GstElement *Pipeline::filter(const std::string &caps) {
  return add("capsfilter", {{"caps", caps}});
}

void Pipeline::link(std::initializer_list<GstElement *> chain) {
  GstElement *previous = nullptr;
  for (GstElement *element : chain) {
    if (!element) return; // add() has remembered why
    if (previous && !gst_element_link(previous, element))
      remember({ErrorCode::state,
                fmt::format("{} does not link to {}", GST_OBJECT_NAME(previous), GST_OBJECT_NAME(element))});
    previous = element;
  }
}

void Pipeline::post(const char *name) {
  gst_element_post_message(pipeline_.get(), gst_message_new_application(GST_OBJECT(pipeline_.get()),
                                                                        gst_structure_new_empty(name)));
}

void Pipeline::finish() {
  post("hull-finish");
}

void Pipeline::abandon() {
  abandoned_ = true;
}

void Pipeline::wake() {
  post("hull-wake");
}

Result<void> Pipeline::handle(GstMessage *message, bool &done) {
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ERROR:
    return tl::unexpected(error_of(message));
  case GST_MESSAGE_EOS:
    done = true;
    break;
  case GST_MESSAGE_APPLICATION:
    done = gst_message_has_name(message, "hull-finish");
    break;
  default:
    break;
  }
  return {};
}

Result<void> Pipeline::run(const std::atomic<int> &stop, const std::function<void()> &tick) {
  if (failed_) return tl::unexpected(problem_);
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  const auto wanted =
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_APPLICATION);
  Result<void> result;
  for (bool done = false; !done && !abandoned_ && result;) {
    if (stop.load()) {
      result = fail(ErrorCode::stopped, "stopped");
      break;
    }
    const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(bus.get(), 100 * GST_MSECOND, wanted));
    if (message) result = handle(message.get(), done);
    remind(pipeline_.get());
    if (tick) tick();
  }
  if (!abandoned_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (failed_) return tl::unexpected(problem_);
  return result;
}

} // namespace hull::tools
