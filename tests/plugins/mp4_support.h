#pragma once

// What the tests of hullmp4mux and hullmp4sink share: samples made by hand, pipelines run to their end, and
// what ffprobe says of a file.

#include "gst/glue/ref.h"
#include "gst/isobmff/boxes/tree.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

namespace hull::mp4test {

inline bool has(const char *factory) {
  const auto found = ObjectRef<GstElementFactory>::adopt(gst_element_factory_find(factory));
  return bool(found);
}

struct Ran {
  std::string error; ///< empty after EOS
  std::vector<std::string> warnings;
};

/// Runs a pipeline to EOS or its first error; half a minute at most.
inline Ran run(const ElementRef &pipeline) {
  Ran result;
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (;;) {
    const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
        bus.get(), 30 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)));
    if (!message) {
      result.error = "no end within 30 s";
      break;
    }
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) break;
    GError *error = nullptr;
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_WARNING) {
      gst_message_parse_warning(message.get(), &error, nullptr);
      result.warnings.push_back(error->message);
      g_error_free(error);
      continue;
    }
    gst_message_parse_error(message.get(), &error, nullptr);
    result.error = error->message;
    g_error_free(error);
    break;
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return result;
}

inline ElementRef parse(const std::string &description) {
  GError *error = nullptr;
  auto pipeline = ElementRef::retain(gst_parse_launch(description.c_str(), &error));
  if (error) {
    ADD_FAILURE() << error->message;
    g_error_free(error);
  }
  return pipeline;
}

inline Ran launch(const std::string &description) {
  const ElementRef pipeline = parse(description);
  return pipeline ? run(pipeline) : Ran{"not a pipeline", {}};
}

inline std::string output_of(const std::string &command) {
  std::string text;
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return text;
  std::array<char, 4096> block;
  while (const std::size_t n = fread(block.data(), 1, block.size(), pipe))
    text.append(block.data(), n);
  pclose(pipe);
  return text;
}

inline bool have_ffmpeg() {
  return output_of("ffprobe -version").starts_with("ffprobe version");
}

/// Hashes of the decoded pictures of a file in presentation order.
inline std::string pictures_of(const std::string &path) {
  return output_of("ffmpeg -v error -i '" + path +
                   "' -map 0:v -f framemd5 - | grep -v '^#' | sed 's/.*, *//'");
}

/// One value of ffprobe for the first stream of `kind` (v or a).
inline std::string probed(const std::string &path, const char *kind, const char *entry) {
  std::string text = output_of("ffprobe -v error -count_packets -select_streams " + std::string(kind) +
                               ":0 -show_entries stream=" + entry + " -of csv=p=0 '" + path + "'");
  while (!text.empty() && (text.back() == '\n' || text.back() == ','))
    text.pop_back();
  return text;
}

/// A file in a folder of its own that goes away with it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hull-mp4-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string &name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

} // namespace hull::mp4test
