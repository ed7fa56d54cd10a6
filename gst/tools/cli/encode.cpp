#include "gst/core/file.h"
#include "gst/tools/cli/commands.h"
#include "gst/tools/media/package.h"
#include "gst/tools/media/scan.h"
#include "gst/tools/support/command.h"
#include "gst/tools/support/files.h"
#include "gst/tools/support/progress.h"
#include "gst/tools/title/encode_plan.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <numeric>
#include <optional>
#include <unistd.h>

namespace hull::tools {
namespace {

std::atomic<int> g_stop{0}; // the only thing a signal handler may touch

void on_signal(int number) {
  if (g_stop.fetch_add(1) > 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

constexpr int kTrials[] = {22, 28, 34, 40};
// Aims inside the promise of 2 % and half a point; what the last pass is off by is reported.
constexpr double kRateAim = 0.01, kScoreAim = 0.25, kRatePromise = 0.02, kScorePromise = 0.5;
constexpr int kMostPasses = 8;
constexpr double kLeastStep = 0.5; // until both sides of what was asked are known

struct Arguments {
  std::string input, output;
  double bitrate_kbps = 0, vmaf = 0;
  unsigned gop = 0;
  bool no_audio = false;
};

// A file of the run that is removed with it, whatever happens.
struct Scratch {
  explicit Scratch(std::string name) : path(std::move(name)) {}
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  ~Scratch() { ::unlink(path.c_str()); }
  std::string path;
};

struct Outcome {
  double kbps = 0, vmaf = 0, quantizer = 0;
  int passes = 0;
  std::size_t groups = 0;
};

// A pass: its quantizer, and how far it came out above what was asked.
struct Tried {
  double quantizer, excess;
};

// Where a line through both meets what was asked; kept off the ends, so that each pass narrows the gap.
double between(const Tried &good, const Tried &poor) {
  const double share = std::clamp(good.excess / (good.excess - poor.excess), 0.1, 0.9);
  return good.quantizer + (poor.quantizer - good.quantizer) * share;
}

// The rate is a demuxer's estimate that changes while it reads, and some muxers refuse caps that change.
GstPadProbeReturn without_rate(GstPad *, GstPadProbeInfo *info, gpointer) {
  GstEvent *event = gst_pad_probe_info_get_event(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps *caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const auto plain = CapsRef::adopt(gst_caps_copy(caps));
  gst_structure_remove_field(gst_caps_get_structure(plain.get(), 0), "framerate");
  GstEvent *other = gst_event_new_caps(plain.get());
  gst_event_set_seqnum(other, gst_event_get_seqnum(event));
  gst_event_unref(event);
  info->data = other;
  return GST_PAD_PROBE_OK;
}

// A demuxer begins with the first sample however late that is; this keeps its time.
GstPadProbeReturn at_stream_time(GstPad *, GstPadProbeInfo *info, gpointer) {
  GstEvent *event = gst_pad_probe_info_get_event(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEGMENT) return GST_PAD_PROBE_OK;
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  if (!GST_CLOCK_TIME_IS_VALID(segment.time)) return GST_PAD_PROBE_OK;
  segment.base = segment.time;
  GstEvent *other = gst_event_new_segment(&segment);
  gst_event_set_seqnum(other, gst_event_get_seqnum(event));
  gst_event_unref(event);
  info->data = other;
  return GST_PAD_PROBE_OK;
}

void watch_events(GstElement *queue, GstPadProbeCallback callback) {
  if (!queue) return;
  const auto out = PadRef::adopt(gst_element_get_static_pad(queue, "src"));
  gst_pad_add_probe(out.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, callback, nullptr, nullptr);
}

class TwoPass {
 public:
  explicit TwoPass(const Arguments &arguments)
      : arguments_(arguments), video_(arguments.output + ".video.part") {}
  Result<Outcome> run();

 private:
  bool by_score() const { return arguments_.vmaf > 0; }
  Result<Measurement> pass(const std::string &name, std::vector<Rendition> renditions);
  Result<GroupCurves> first_pass();
  Result<Outcome> search(const GroupCurves &curves);
  Result<void> write(bool audio);

  const Arguments &arguments_;
  Progress progress_{Progress::Style::automatic};
  Source source_;
  std::vector<std::uint64_t> starts_;
  std::uint64_t pictures_ = 0;
  double seconds_ = 0;
  Scratch video_;
};

Result<Measurement> TwoPass::pass(const std::string &name, std::vector<Rendition> renditions) {
  MeasureJob job;
  job.source = source_;
  job.renditions = std::move(renditions);
  job.key_pictures = starts_;
  progress_.phase(name, static_cast<double>(pictures_));
  auto measured = measure(job, g_stop, [this](std::uint64_t n) {
    progress_.share(static_cast<double>(n) / static_cast<double>(std::max<std::uint64_t>(pictures_, 1)));
  });
  progress_.end_phase();
  return measured;
}

Result<GroupCurves> TwoPass::first_pass() {
  progress_.phase("finding scenes", static_cast<double>(source_.frames));
  const auto scanned = scan(source_, g_stop, [this](std::uint64_t n) {
    progress_.share(static_cast<double>(n) / static_cast<double>(std::max<std::uint64_t>(source_.frames, 1)));
  });
  progress_.end_phase();
  if (!scanned) return tl::unexpected(scanned.error());
  pictures_ = scanned->pictures;
  seconds_ = scanned->seconds;
  source_.late_ns = scanned->late_ns;
  starts_ = group_starts(scanned->shots, pictures_, arguments_.gop ? arguments_.gop : source_.gop());
  std::vector<Rendition> trials;
  for (const int quantizer : kTrials)
    trials.push_back({source_.display, quantizer, {}, by_score(), {}});
  auto measured = pass("first pass", std::move(trials));
  if (!measured) return tl::unexpected(measured.error());
  return GroupCurves(starts_, pictures_, {std::begin(kTrials), std::end(kTrials)}, measured->renditions);
}

Result<Outcome> TwoPass::search(const GroupCurves &curves) {
  const double wanted_bytes = arguments_.bitrate_kbps * 1000 / 8 * seconds_;
  double x =
      by_score() ? curves.quantizer_for_score(arguments_.vmaf) : curves.quantizer_for_bytes(wanted_bytes);
  Outcome outcome;
  std::optional<Tried> too_good, too_poor;
  double keys = x; // what key pictures go by: in small steps of x they stay, or the result would jump
  outcome.groups = starts_.size();
  for (outcome.passes = 1;; ++outcome.passes) {
    auto measured =
        pass(fmt::format("pass {}", outcome.passes + 1),
             {{source_.display, static_cast<int>(x), curves.schedule(x, keys), by_score(), video_.path}});
    if (!measured) return tl::unexpected(measured.error());
    const Measured &made = measured->renditions[0];
    const double bytes = std::accumulate(made.sizes.begin(), made.sizes.end(), 0.0);
    outcome.quantizer = x;
    outcome.kbps = bytes * 8 / 1000 / seconds_;
    if (by_score())
      outcome.vmaf =
          std::accumulate(made.vmaf.begin(), made.vmaf.end(), 0.0) / static_cast<double>(made.vmaf.size());
    const bool near = by_score() ? std::abs(outcome.vmaf - arguments_.vmaf) < kScoreAim
                                 : std::abs(bytes / wanted_bytes - 1) < kRateAim;
    const double excess = by_score() ? outcome.vmaf - arguments_.vmaf : std::log(bytes / wanted_bytes);
    (excess > 0 ? too_good : too_poor) = Tried{x, excess};
    double next = 0;
    if (too_good && too_poor) {
      next = between(*too_good, *too_poor);
    } else {
      // The curves' error at x moves the target, and the curves' slope does the rest.
      next = by_score() ? curves.quantizer_for_score(curves.score_at(x) - excess)
                        : curves.quantizer_for_bytes(curves.bytes_at(x) / std::exp(excess));
      if (std::abs(next - x) < kLeastStep)
        next = std::clamp(x + std::copysign(kLeastStep, excess), 0.0, 51.0);
    }
    if (near || outcome.passes == kMostPasses || std::abs(next - x) < 0.01) return outcome;
    x = next;
    if (std::abs(x - keys) > 1) {
      keys = x;
      too_good.reset();
      too_poor.reset();
    }
  }
}

// Runs a pipeline that writes `file` under the name of its part.
Result<void> run_into(AtomicFile &file, Pipeline &pipeline) {
  if (auto ran = pipeline.run(g_stop); !ran) return ran;
  if (const auto error = file.commit())
    return tl::unexpected(file_error(error.value(), "write", file.path()));
  return {};
}

// Muxes the coded pictures, and the sound of the source, into the file asked for.
Result<void> TwoPass::write(bool audio) {
  const std::string extension = std::filesystem::path(arguments_.output).extension();
  AtomicFile whole(arguments_.output);
  const Scratch sound(arguments_.output + ".audio.part");
  if (audio)
    if (auto packed = package_audio(source_, sound.path, g_stop); !packed) return packed;
  Pipeline pipeline;
  const bool elementary = extension == ".264" || extension == ".h264", mp4 = extension == ".mp4";
  GstElement *parse = pipeline.add("h264parse"), *sink = nullptr;
  GstElement *in = pipeline.add("filesrc", {{"location", video_.path}}), *demux = pipeline.add("qtdemux");
  pipeline.link({in, demux});
  const auto follow = [](GstElement *from, GstElement *to) {
    if (from && to)
      g_signal_connect(from, "pad-added", G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer to) {
                         const auto target =
                             PadRef::adopt(gst_element_get_static_pad(GST_ELEMENT(to), "sink"));
                         if (!gst_pad_is_linked(target.get())) gst_pad_link(pad, target.get());
                       }),
                       to);
  };
  follow(demux, parse);
  if (elementary) {
    sink = pipeline.add("filesink", {{"location", whole.part()}});
    pipeline.link({parse, pipeline.filter("video/x-h264,stream-format=byte-stream,alignment=au"), sink});
    return run_into(whole, pipeline);
  }
  GstElement *mux = pipeline.add(mp4 ? "hullmp4mux" : "matroskamux");
  sink = pipeline.add(mp4 ? "hullmp4sink" : "filesink", {{"location", whole.part()}});
  // By name: a queue fits every pad of a muxer, and the first one is for pictures.
  const auto into = [&](GstElement *queue, const char *pad) {
    if (queue && mux && !gst_element_link_pads(queue, "src", mux, pad))
      pipeline.remember({ErrorCode::state, std::string("the muxer gives no pad ") + pad});
  };
  GstElement *pictures = pipeline.add("queue");
  pipeline.link({parse, pictures});
  into(pictures, "video_%u");
  watch_events(pictures, without_rate);
  if (audio && pictures)
    gst_pad_set_offset(PadRef::adopt(gst_element_get_static_pad(pictures, "src")).get(),
                       static_cast<gint64>(source_.late_ns));
  if (mp4)
    pipeline.link({mux, pipeline.filter("video/quicktime,variant=iso"), sink});
  else
    pipeline.link({mux, sink});
  if (audio) {
    GstElement *file = pipeline.add("filesrc", {{"location", sound.path}}), *split = pipeline.add("qtdemux");
    GstElement *waiting = pipeline.add("queue");
    pipeline.link({file, split});
    follow(split, waiting);
    watch_events(waiting, at_stream_time);
    into(waiting, "audio_%u");
  }
  return run_into(whole, pipeline);
}

Result<Outcome> TwoPass::run() {
  auto source = probe(arguments_.input);
  if (!source) return tl::unexpected(source.error());
  if (by_score())
    if (auto scorable = check_scorable(*source); !scorable) return tl::unexpected(scorable.error());
  source_ = std::move(*source);
  tell_left_out(source_);
  const auto curves = first_pass();
  if (!curves) return tl::unexpected(curves.error());
  auto outcome = search(*curves);
  if (!outcome) return outcome;
  const bool missed = by_score() ? std::abs(outcome->vmaf - arguments_.vmaf) > kScorePromise
                                 : std::abs(outcome->kbps / arguments_.bitrate_kbps - 1) > kRatePromise;
  if (missed)
    return fail(ErrorCode::settings,
                by_score()
                    ? fmt::format("VMAF {:.1f} is out of reach for {}: quantizer {:.1f} gives {:.1f}. Ask "
                                  "for that, or for another size.",
                                  arguments_.vmaf, arguments_.input, outcome->quantizer, outcome->vmaf)
                    : fmt::format("{:.0f} kbit/s are out of reach for {}: quantizer {:.1f} gives {:.0f}. "
                                  "Ask for that, or for another size.",
                                  arguments_.bitrate_kbps, arguments_.input, outcome->quantizer,
                                  outcome->kbps));
  const std::string extension = std::filesystem::path(arguments_.output).extension();
  const bool audio = source_.audio && !arguments_.no_audio && extension != ".264" && extension != ".h264";
  if (auto written = write(audio); !written) return tl::unexpected(written.error());
  return outcome;
}

int run_encode(const Arguments &arguments) {
  if ((arguments.bitrate_kbps > 0) == (arguments.vmaf > 0))
    return report({ErrorCode::settings, "say either --bitrate KBPS or --vmaf SCORE"});
  const std::string extension = std::filesystem::path(arguments.output).extension();
  if (extension != ".mp4" && extension != ".mkv" && extension != ".264" && extension != ".h264")
    return report(
        {ErrorCode::settings,
         fmt::format("{} has no ending this command writes; use .mp4, .mkv or .264", arguments.output)});
  if (auto started = start_gstreamer(); !started) return report(started.error());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const auto outcome = TwoPass(arguments).run();
  if (!outcome) {
    if (outcome.error().code == ErrorCode::stopped) {
      fmt::print(stderr, "gst-hull-1.0: stopped; nothing was written\n");
      return 130;
    }
    return report(outcome.error());
  }
  fmt::print("{}  {:.0f} kbit/s  quantizer {:.2f}{}  {} groups, {} passes\n", arguments.output, outcome->kbps,
             outcome->quantizer, arguments.vmaf > 0 ? fmt::format("  VMAF {:.2f}", outcome->vmaf) : "",
             outcome->groups, outcome->passes + 1);
  return kDone;
}

} // namespace

void add_encode(Command &program) {
  auto arguments = std::make_shared<Arguments>();
  Command command = program.command(
      "encode", "Encode one file to an average bitrate or a mean VMAF, at one quantizer for all scenes");
  command.option("input", arguments->input, "File to encode").required();
  command.option("-o,--output", arguments->output, "File to write: .mp4, .mkv or .264").required();
  command.option("--bitrate", arguments->bitrate_kbps, "Average bitrate of the pictures in kbit/s")
      .positive();
  command.option("--vmaf", arguments->vmaf, "Mean VMAF (v0.6.1) to reach").range(1.0, 100.0);
  command.option("--key-int-max", arguments->gop, "Most pictures from one key unit to the next; default 2 s")
      .range(1, 100000);
  command.flag("--no-audio", arguments->no_audio, "Leave the sound out");
  command.does([arguments] { return run_encode(*arguments); });
}

} // namespace hull::tools
