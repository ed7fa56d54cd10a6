// A gate for a build or a delivery: two videos in, scores and the worst frames out, and a status that says whether the
// second is good enough.
//
//   quality_gate REFERENCE ENCODED [LEAST]      LEAST: of the mean VMAF, default 90
//
// 0: good enough. 1: it is not. 2: it could not be scored.

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gst/gst.h>

namespace {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
template <class T> using Owned = std::unique_ptr<T, Unref>;

struct Frame {
  double score = 0;
  guint64 running_time = 0;
};

struct Scores {
  std::vector<Frame> frames;
  double mean = 0, lowest = 0;
  guint64 unmatched = 0;
};

// Each file behind a decoder of its own; names are set as properties, so that no character of them can be a pipeline's.
Owned<GstElement> make_pipeline(const char *reference, const char *encoded) {
  GError *error = nullptr;
  Owned<GstElement> pipeline(
      gst_parse_launch("filesrc name=reference ! decodebin ! queue ! videoconvert ! v.reference "
                       "filesrc name=encoded ! decodebin ! queue ! videoconvert ! v.distorted_0 "
                       "hullvmafsink name=v",
                       &error));
  if (error) {
    std::cerr << error->message << '\n';
    g_clear_error(&error);
    return nullptr;
  }
  for (const auto &[name, file] : {std::pair{"reference", reference}, std::pair{"encoded", encoded}})
    g_object_set(Owned<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline.get()), name)).get(), "location",
                 file, nullptr);
  return pipeline;
}

// hull-vmaf-frame comes as frames are scored, hull-vmaf-result at the end.
void take(const GstStructure *said, Scores &scores) {
  if (gst_structure_has_name(said, "hull-vmaf-frame")) {
    Frame frame;
    gst_structure_get_double(said, "score", &frame.score);
    gst_structure_get_uint64(said, "running-time", &frame.running_time);
    scores.frames.push_back(frame);
  } else if (gst_structure_has_name(said, "hull-vmaf-result")) {
    gst_structure_get_double(said, "mean", &scores.mean);
    gst_structure_get_double(said, "min", &scores.lowest);
    gst_structure_get_uint64(said, "unmatched", &scores.unmatched);
  }
}

std::optional<Scores> score(const char *reference, const char *encoded) {
  const auto pipeline = make_pipeline(reference, encoded);
  if (!pipeline) return std::nullopt;
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::optional<Scores> scores(std::in_place);
  for (bool ended = false; !ended;) {
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE,
                                   static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING |
                                                               GST_MESSAGE_EOS | GST_MESSAGE_ELEMENT));
    GError *error = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT) {
      if (const GstStructure *said = gst_message_get_structure(message)) take(said, *scores);
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
      ended = true;
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
      gst_message_parse_warning(message, &error, nullptr);
      std::cerr << "warning: " << error->message << '\n';
    } else {
      gst_message_parse_error(message, &error, nullptr);
      std::cerr << "error: " << error->message << '\n';
      scores.reset();
      ended = true;
    }
    g_clear_error(&error);
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return scores;
}

void print(Scores &scores) {
  std::cout << std::fixed << std::setprecision(3) << scores.frames.size() << " frames, VMAF " << scores.mean
            << ", lowest " << scores.lowest << '\n';
  if (scores.unmatched > 0) std::cout << scores.unmatched << " frames had no partner\n";
  const std::size_t count = std::min<std::size_t>(scores.frames.size(), 3);
  std::partial_sort(scores.frames.begin(), scores.frames.begin() + static_cast<std::ptrdiff_t>(count),
                    scores.frames.end(), [](const Frame &a, const Frame &b) { return a.score < b.score; });
  for (std::size_t i = 0; i < count; ++i)
    std::cout << scores.frames[i].score << " at " << static_cast<double>(scores.frames[i].running_time) / 1e9
              << " s\n";
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  double least = 90;
  bool usable = argc == 3 || argc == 4;
  if (argc == 4) {
    const std::string_view text(argv[3]);
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), least);
    usable = wrong == std::errc{} && end == text.data() + text.size();
  }
  if (!usable) {
    std::cerr << "usage: " << argv[0] << " REFERENCE ENCODED [LEAST]\n";
    return 2;
  }
  auto scores = score(argv[1], argv[2]);
  if (!scores || scores->frames.empty()) return 2;
  print(*scores);
  return scores->mean >= least ? 0 : 1;
}
