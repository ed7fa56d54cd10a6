#include "gst/glue/ref.h"
#include "gst/tools/cli/commands.h"
#include "gst/tools/media/pipeline.h"
#include "gst/tools/media/y4m.h"
#include "gst/tools/report/vmaf_report.h"
#include "gst/tools/support/command.h"
#include "gst/tools/support/files.h"
#include "gst/tools/support/progress.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <thread>

namespace hull::tools {
namespace {

struct Arguments {
  std::string reference;
  std::vector<std::string> distorted;
  std::string models = "auto", model_file, output, format = "json", html, align = "auto", progress = "auto";
  bool psnr = false;
  unsigned threads = 0, subsample = 1, score_height = 0, bit_depth = 0;
  int offset = 0;
  double threshold = 0;
};

std::atomic<int> g_stop{0};

void on_signal(int) {
  g_stop = 1;
}

/// Elementary streams carry no times worth pairing by.
bool is_elementary(const std::string &path) {
  const std::string end = std::filesystem::path(path).extension().string();
  constexpr const char *kEndings[] = {".264", ".h264", ".avc",  ".26l", ".jvt",
                                      ".jsv", ".265",  ".h265", ".hevc"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&end](const char *known) { return end == known; });
}

/// Decoders in, scores out.
class Scoring {
 public:
  explicit Scoring(const Arguments &arguments) : arguments_(arguments) {
    std::string align = arguments.align;
    if (align == "auto") {
      const bool counted = is_elementary(arguments.reference) ||
                           std::any_of(arguments.distorted.begin(), arguments.distorted.end(), is_elementary);
      align = counted ? "index" : "timestamp";
    }
    timed_ = align == "timestamp";
    sink_ = pipeline_.add("hullvmafsink", {{"models", arguments.models},
                                           {"model-location", arguments.model_file},
                                           {"alignment", align},
                                           {"metrics", arguments.psnr ? "psnr" : "0"},
                                           {"threads", std::to_string(arguments.threads)},
                                           {"subsample", std::to_string(arguments.subsample)},
                                           {"score-height", std::to_string(arguments.score_height)},
                                           {"bit-depth", std::to_string(arguments.bit_depth)},
                                           {"kept-frames", "2147483647"},
                                           {"location", arguments.output},
                                           {"format", arguments.format}});
    if (!sink_) return;
    branch(arguments.reference, PadRef::adopt(gst_element_get_static_pad(sink_, "reference")));
    for (const std::string &path : arguments.distorted) {
      pads_.push_back(PadRef::adopt(gst_element_request_pad_simple(sink_, "distorted_%u")));
      if (arguments.offset) g_object_set(pads_.back().get(), "offset", arguments.offset, nullptr);
      branch(path, pads_.back());
    }
    bus_ = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline_.element()));
    gst_bus_enable_sync_message_emission(bus_.get());
    g_signal_connect(bus_.get(), "sync-message::element", G_CALLBACK(on_element), this);
  }
  ~Scoring() {
    if (bus_) gst_bus_disable_sync_message_emission(bus_.get());
  }

  Result<std::vector<ScoredFile>> run(Progress &progress) {
    progress.remaining(1);
    progress.phase("scoring", 1);
    if (auto ran = pipeline_.run(g_stop, [&] { tell(progress); }); !ran) return tl::unexpected(ran.error());
    progress.end_phase();
    std::vector<ScoredFile> files;
    for (std::size_t i = 0; i < pads_.size(); ++i) {
      char *text = nullptr;
      g_object_get(pads_[i].get(), "result", &text, nullptr);
      const OwnedText owned(text);
      files.push_back({arguments_.distorted[i], Json::parse(owned.c_str())});
      if (!files.back().result.is_object())
        return fail(ErrorCode::state, "hullvmafsink left no result for " + arguments_.distorted[i]);
    }
    return files;
  }

  const std::vector<FrameTime> &times() const { return times_; }

 private:
  void branch(const std::string &path, const PadRef &target) {
    // Few: pictures are large, and scoring is slower than decoding.
    GstElement *queue =
        pipeline_.add("queue", {{"max-size-buffers", "4"}, {"max-size-bytes", "0"}, {"max-size-time", "0"}});
    if (!queue) return;
    const auto y4m = read_y4m_header(path);
    if (y4m)
      pipeline_.link({add_y4m_source(pipeline_, path, *y4m, 0), queue});
    else if (y4m.error().code == ErrorCode::unsupported)
      pipeline_.remember(y4m.error());
    else
      decode(path, queue);
    const auto out = PadRef::adopt(gst_element_get_static_pad(queue, "src"));
    if (gst_pad_link(out.get(), target.get()) != GST_PAD_LINK_OK)
      pipeline_.remember({ErrorCode::state, "hullvmafsink cannot be linked"});
  }

  void decode(const std::string &path, GstElement *queue) {
    GstElement *file = pipeline_.add("filesrc", {{"location", path}});
    GstElement *decoder = pipeline_.add("decodebin");
    if (!file || !decoder) return;
    pipeline_.link({file, decoder});
    g_signal_connect(decoder, "pad-added", G_CALLBACK(on_pad), queue);
    g_signal_connect(decoder, "no-more-pads", G_CALLBACK(on_no_more_pads), queue);
    g_object_set_data_full(G_OBJECT(queue), "path", g_strdup(path.c_str()), g_free);
  }

  /// Without a video stream the scorer would wait for ever.
  static void on_no_more_pads(GstElement *decoder, GstElement *queue) {
    const auto in = PadRef::adopt(gst_element_get_static_pad(queue, "sink"));
    if (gst_pad_is_linked(in.get())) return;
    const auto *path = static_cast<const char *>(g_object_get_data(G_OBJECT(queue), "path"));
    GST_ELEMENT_ERROR(decoder, STREAM, WRONG_TYPE,
                      ("%s holds no video; name a file with a video stream", path), (nullptr));
  }

  /// The first video stream is scored, everything else is let go.
  static void on_pad(GstElement *decoder, GstPad *pad, GstElement *queue) {
    const auto caps = CapsRef::adopt(gst_pad_get_current_caps(pad));
    const bool video = caps && gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), "video/x-raw");
    const auto in = PadRef::adopt(gst_element_get_static_pad(queue, "sink"));
    if (video && !gst_pad_is_linked(in.get()) && gst_pad_link(pad, in.get()) == GST_PAD_LINK_OK) return;
    GstElement *drain = gst_element_factory_make("fakesink", nullptr);
    if (!drain) return;
    g_object_set(drain, "async", FALSE, nullptr);
    const auto parent = ElementRef::adopt(GST_ELEMENT(gst_element_get_parent(decoder)));
    gst_bin_add(GST_BIN(parent.get()), drain);
    gst_element_sync_state_with_parent(drain);
    const auto drain_pad = PadRef::adopt(gst_element_get_static_pad(drain, "sink"));
    gst_pad_link(pad, drain_pad.get());
  }

  /// In a streaming thread: the scoring one, so one at a time.
  static void on_element(GstBus *, GstMessage *message, Scoring *self) {
    const GstStructure *fields = gst_message_get_structure(message);
    if (!fields || !gst_structure_has_name(fields, "hull-vmaf-frame")) return;
    guint64 index = 0, pts = GST_CLOCK_TIME_NONE;
    gst_structure_get_uint64(fields, "index", &index);
    gst_structure_get_uint64(fields, "pts", &pts);
    if (GST_CLOCK_TIME_IS_VALID(pts)) self->position_ = static_cast<gint64>(pts);
    if (self->arguments_.html.empty()) return;
    while (self->times_.size() <= index)
      self->times_.push_back({self->times_.size(), GST_CLOCK_TIME_NONE});
    if (self->timed_) self->times_[index].pts = pts;
  }

  void tell(Progress &progress) {
    gint64 duration = 0;
    if (gst_element_query_duration(sink_, GST_FORMAT_TIME, &duration) && duration > 0)
      progress.share(std::min(1.0, static_cast<double>(position_.load()) / static_cast<double>(duration)));
  }

  const Arguments &arguments_;
  bool timed_ = true;
  std::atomic<gint64> position_{0};
  std::vector<FrameTime> times_; ///< written while the pipeline runs, read after
  Pipeline pipeline_;
  GstElement *sink_ = nullptr;
  std::vector<PadRef> pads_;
  ObjectRef<GstBus> bus_;
};

int score(const Arguments &arguments) {
  static const std::map<std::string, Progress::Style> kStyles = {{"auto", Progress::Style::automatic},
                                                                 {"plain", Progress::Style::plain},
                                                                 {"json", Progress::Style::json},
                                                                 {"none", Progress::Style::quiet}};
  std::vector<std::string> paths = arguments.distorted;
  paths.push_back(arguments.reference);
  for (const std::string &path : paths) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return report(file_error(ENOENT, "read", path));
    if (std::filesystem::file_size(path, ignored) == 0)
      return report(Error{ErrorCode::bad_data, path + " is empty"});
  }
  if (auto started = start_gstreamer(); !started) return report(started.error());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  Scoring scoring(arguments);
  Result<std::vector<ScoredFile>> files;
  {
    Progress progress(kStyles.at(arguments.progress));
    files = scoring.run(progress);
  }
  if (!files) return report(files.error());
  if (arguments.output != "-") fmt::print("{}", score_table(*files));
  for (const ScoredFile &file : *files)
    for (const auto &warning : file.result["warnings"])
      fmt::print(stderr, "{}: {}\n", file.path, warning.get<std::string>());
  if (!arguments.html.empty()) {
    const auto html = score_html(arguments.reference, *files, scoring.times());
    if (!html) return report(html.error());
    if (auto written = write_file(arguments.html, *html); !written) return report(written.error());
  }
  for (const ScoredFile &file : *files)
    if (const double mean = file.result["pooled_metrics"]["vmaf"].value("mean", 0.0);
        mean < arguments.threshold)
      return report(
          Error{ErrorCode::bad_data, fmt::format("the mean VMAF of {} is {:.3f}, below the threshold of {:g}",
                                                 file.path, mean, arguments.threshold)});
  return kDone;
}

} // namespace

void add_vmaf(Command &program) {
  const auto arguments = std::make_shared<Arguments>();
  Command command = program.command("vmaf", "Score videos against a reference with VMAF");
  command.option("REF", arguments->reference, "Reference video").required();
  command.option("DIST", arguments->distorted, "Videos to score; other sizes are scaled to the reference")
      .required();
  command
      .option("--models", arguments->models,
              "vmaf_v0.6.1, vmaf_v0.6.1neg, vmaf_4k_v0.6.1, phone, auto; vmaf_v1.0.16_3d0h, _5d0h, "
              "_1d5h_2160, _3d0h_2160, _hfr_ with each, auto-v1; comma-separated")
      .shows_default();
  command.option("--model-file", arguments->model_file, "One more model, libvmaf's JSON");
  command.flag("--psnr", arguments->psnr, "Measure PSNR too");
  command.option("-o,--output", arguments->output,
                 "File for the scores of every frame, - for standard output");
  command.option("--format", arguments->format, "Its layout").one_of({"json", "csv", "xml"}).shows_default();
  command.option("--html", arguments->html, "Report with curves and the worst frames as pictures");
  command
      .option("--align", arguments->align,
              "What pairs frames: their times or their numbers; auto counts elementary streams")
      .one_of({"auto", "timestamp", "index"})
      .shows_default();
  command.option("--offset", arguments->offset, "Frames the distorted files run ahead");
  command.option("--score-height", arguments->score_height, "Score at this many lines").range(34, 16384);
  command.option("--bit-depth", arguments->bit_depth, "Score at 8, 10 or 12 bits per sample at least")
      .range(8, 12);
  command.option("--subsample", arguments->subsample, "Score every n-th frame").range(1, 1000);
  command.option("--threads", arguments->threads, "Threads per frame, 0 = one per processor").range(0, 64);
  command.option("--threshold", arguments->threshold, "Exit status 1 when a mean is below this")
      .range(0.0, 110.0);
  command.option("--progress", arguments->progress, "How progress is told")
      .one_of({"auto", "plain", "json", "none"})
      .shows_default();
  command.does([arguments] { return score(*arguments); });
}

} // namespace hull::tools
