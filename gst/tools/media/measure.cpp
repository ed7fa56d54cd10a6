#include "gst/tools/media/measure.h"

#include "gst/core/json.h"
#include "gst/core/time.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <mutex>

#include <gst/video/video.h>

namespace hull::tools {
namespace {

// Pictures a queue holds. The sink takes one picture of every pad at a time, so a branch may run ahead of the
// slowest one by what its queue holds; encoders and decoders here keep at most two pictures back. Before
// encoders the pictures are shared by all quantizers of a size, so depth costs little there.
constexpr char kShared[] = "8", kOwn[] = "3";

// One rendition while the graph runs. Probes of one branch run in that branch's threads only.
struct Branch {
  const Rendition *rendition = nullptr;
  const MeasureJob *job = nullptr;
  GstElement *encoder = nullptr;
  PadRef score_pad;
  std::uint64_t entered = 0; // pictures given to the encoder
  std::uint64_t muxed = 0;   // offered to the track file
  Measured result;
};

GstElement *queue(Pipeline &pipeline, const char *depth) {
  return pipeline.add("queue",
                      {{"max-size-buffers", depth}, {"max-size-bytes", "0"}, {"max-size-time", "0"}});
}

void add_probe(GstElement *element, const char *pad_name, GstPadProbeCallback callback, gpointer data) {
  if (!element) return;
  const auto pad = PadRef::adopt(gst_element_get_static_pad(element, pad_name));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, callback, data, nullptr);
}

// Before a picture enters the encoder: its quantizer and whether it starts a group.
GstPadProbeReturn before_encoder(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  auto &branch = *static_cast<Branch *>(data);
  const std::uint64_t entered = branch.entered++;
  if (entered < branch.job->lead) return GST_PAD_PROBE_OK;
  const std::uint64_t number = entered - branch.job->lead;
  for (const QpChange &change : branch.rendition->schedule)
    if (change.picture == number)
      g_object_set(branch.encoder, "quantizer", static_cast<guint>(change.qp), nullptr);
  if (std::binary_search(branch.job->key_pictures.begin(), branch.job->key_pictures.end(), number))
    gst_pad_send_event(pad, gst_video_event_new_downstream_force_key_unit(
                                GST_BUFFER_PTS(gst_pad_probe_info_get_buffer(info)), GST_CLOCK_TIME_NONE,
                                GST_CLOCK_TIME_NONE, TRUE, 0));
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn after_encoder(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &branch = *static_cast<Branch *>(data);
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  branch.result.sizes.push_back(static_cast<std::uint32_t>(gst_buffer_get_size(buffer)));
  branch.result.keys.push_back(!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT));
  return GST_PAD_PROBE_OK;
}

// Only the window's own pictures go into the track file.
GstPadProbeReturn before_mux(GstPad *, GstPadProbeInfo *, gpointer data) {
  auto &branch = *static_cast<Branch *>(data);
  const std::uint64_t number = branch.muxed++, lead = branch.job->lead, count = branch.job->window.count;
  return number >= lead && (count == 0 || number < lead + count) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

// The window with the pictures around it.
Window read_window(const MeasureJob &job) {
  return {job.window.first - job.lead, job.window.count ? job.lead + job.window.count + job.tail : 0};
}

class Graph {
 public:
  Graph(const MeasureJob &job, bool seek)
      : job_(job), decoded_(pipeline_, job.source, read_window(job), seek) {}

  void build();
  Result<Measurement> run(const std::atomic<int> &stop, const std::function<void(std::uint64_t)> &progress);
  bool missed() const { return decoded_.missed(); }

 private:
  GstElement *scaled(const ladder::Resolution &res, GstElement *tee);
  void add_branch(const Rendition &rendition, GstElement *pictures);
  void add_media(Branch &branch, GstElement *encoded);
  void add_score(Branch &branch, GstElement *encoded);
  Result<void> collect(Branch &branch);
  void trim(Measured &measured, std::uint64_t pictures) const;
  static GstPadProbeReturn on_reference(GstPad *, GstPadProbeInfo *info, gpointer self);

  const MeasureJob &job_;
  Pipeline pipeline_;
  DecodedSource decoded_;
  GstElement *sink_ = nullptr; // hullvmafsink, absent when nothing is scored
  std::vector<std::unique_ptr<Branch>> branches_;
  GstClockTime first_pts_ = GST_CLOCK_TIME_NONE, end_pts_ = GST_CLOCK_TIME_NONE;
  std::uint64_t referenced_ = 0;
};

GstPadProbeReturn Graph::on_reference(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &self = *static_cast<Graph *>(data);
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  const std::uint64_t number = self.referenced_++, lead = self.job_.lead, count = self.job_.window.count;
  if (!GST_BUFFER_PTS_IS_VALID(buffer) || number < lead || (count && number >= lead + count))
    return GST_PAD_PROBE_OK;
  if (!GST_CLOCK_TIME_IS_VALID(self.first_pts_)) self.first_pts_ = GST_BUFFER_PTS(buffer);
  self.end_pts_ =
      GST_BUFFER_PTS(buffer) + (GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0);
  return GST_PAD_PROBE_OK;
}

GstElement *Graph::scaled(const ladder::Resolution &res, GstElement *tee) {
  GstElement *in = queue(pipeline_, kShared), *out = pipeline_.add("tee");
  if (res == job_.source.display) {
    pipeline_.link({tee, in, out});
    return out;
  }
  pipeline_.link({tee, in, pipeline_.add("hullscale"),
                  pipeline_.filter(fmt::format("video/x-raw,width={},height={},pixel-aspect-ratio=1/1",
                                               res.width, res.height)),
                  out});
  return out;
}

void Graph::build() {
  if (std::any_of(job_.renditions.begin(), job_.renditions.end(), [](const Rendition &r) { return r.score; }))
    sink_ = pipeline_.add("hullvmafsink", {{"models", job_.model},
                                           {"alignment", "index"},
                                           {"threads", "0"},
                                           {"subsample", std::to_string(job_.subsample)},
                                           {"frame-messages", "false"}});
  GstElement *tee = pipeline_.add("tee");
  pipeline_.link({decoded_.out, tee});
  add_probe(decoded_.out, "src", on_reference, this);
  if (sink_ && tee) {
    GstElement *reference = queue(pipeline_, "16");
    pipeline_.link({tee, reference});
    if (!gst_element_link_pads(reference, "src", sink_, "reference"))
      pipeline_.remember({ErrorCode::state, "hullvmafsink takes no reference pictures"});
  }
  std::map<std::pair<unsigned, unsigned>, GstElement *> sizes;
  for (const Rendition &rendition : job_.renditions) {
    GstElement *&pictures = sizes[{rendition.res.width, rendition.res.height}];
    if (!pictures) pictures = scaled(rendition.res, tee);
    add_branch(rendition, pictures);
  }
}

void Graph::add_branch(const Rendition &rendition, GstElement *pictures) {
  auto branch = std::make_unique<Branch>();
  branch->rendition = &rendition;
  branch->job = &job_;
  const int qp = rendition.schedule.empty() ? rendition.qp : rendition.schedule.front().qp;
  branch->encoder = pipeline_.add("hullh264enc", {{"rate-control", "cqp"},
                                                  {"quantizer", std::to_string(qp)},
                                                  {"key-int-max", std::to_string(0x3fffffff)},
                                                  {"threads", "1"}});
  GstElement *encoded = pipeline_.filter("video/x-h264,stream-format=avc,alignment=au,profile=high");
  pipeline_.link({pictures, queue(pipeline_, kShared), branch->encoder, encoded});
  add_probe(branch->encoder, "sink", before_encoder, branch.get());
  add_probe(branch->encoder, "src", after_encoder, branch.get());
  if (!rendition.media.empty() && rendition.score) {
    GstElement *both = pipeline_.add("tee");
    pipeline_.link({encoded, both});
    encoded = both;
  }
  if (!rendition.media.empty()) add_media(*branch, encoded);
  if (rendition.score) add_score(*branch, encoded);
  if (rendition.media.empty() && !rendition.score)
    pipeline_.link({encoded, pipeline_.add("fakesink", {{"sync", "false"}, {"async", "false"}})});
  branches_.push_back(std::move(branch));
}

// Every group is a fragment, so that segments of all rungs start together.
void Graph::add_media(Branch &branch, GstElement *encoded) {
  GstElement *waiting = queue(pipeline_, kShared);
  add_probe(waiting, "src", before_mux, &branch);
  pipeline_.link({encoded, waiting,
                  pipeline_.add("hullmp4mux", {{"fragment-duration", "1"}, {"send-force-keyunit", "false"}}),
                  pipeline_.filter("video/quicktime,variant=cmaf"),
                  pipeline_.add_track_file(branch.rendition->media)});
}

void Graph::add_score(Branch &branch, GstElement *encoded) {
  GstElement *decoder = pipeline_.add("hullh264dec"), *out = queue(pipeline_, kOwn);
  pipeline_.link({encoded, decoder, out});
  if (!sink_ || !out) return;
  branch.score_pad = PadRef::adopt(gst_element_request_pad_simple(sink_, "distorted_%u"));
  const auto source = PadRef::adopt(gst_element_get_static_pad(out, "src"));
  if (!branch.score_pad || GST_PAD_LINK_FAILED(gst_pad_link(source.get(), branch.score_pad.get())))
    pipeline_.remember({ErrorCode::state, "hullvmafsink takes no further rendition"});
}

Result<void> Graph::collect(Branch &branch) {
  if (!branch.rendition->score) return {};
  char *text = nullptr;
  g_object_get(branch.score_pad.get(), "result", &text, nullptr);
  const OwnedText owner(text);
  const auto json = Json::parse(owner.c_str());
  if (!json.is_object() || !json.contains("frames"))
    return fail(ErrorCode::state, "hullvmafsink left no result; please report this with the source");
  for (const Json &frame : json["frames"])
    branch.result.vmaf.push_back(frame["metrics"].value("vmaf", std::nan("")));
  return {};
}

// Takes the pictures around the window away again.
void Graph::trim(Measured &m, std::uint64_t pictures) const {
  const auto lead = static_cast<std::ptrdiff_t>(job_.lead);
  const auto core = static_cast<std::ptrdiff_t>(pictures);
  m.sizes.assign(m.sizes.begin() + lead, m.sizes.begin() + lead + core);
  m.keys = std::vector<bool>(m.keys.begin() + lead, m.keys.begin() + lead + core);
  if (m.vmaf.empty()) return;
  const std::ptrdiff_t step = job_.subsample;
  m.vmaf.assign(m.vmaf.begin() + lead / step, m.vmaf.begin() + lead / step + (core + step - 1) / step);
}

Result<Measurement> Graph::run(const std::atomic<int> &stop,
                               const std::function<void(std::uint64_t)> &progress) {
  const auto tick = [&] {
    decoded_.tick();
    if (progress) progress(decoded_.pictures());
  };
  if (auto ran = pipeline_.run(stop, tick); !ran) return tl::unexpected(ran.error());
  const std::uint64_t read = decoded_.pictures();
  Measurement result;
  if (read == 0) return fail(ErrorCode::bad_data, job_.source.path + " holds no picture that can be decoded");
  if (const Window wanted = read_window(job_); wanted.count && read != wanted.count)
    return fail(
        ErrorCode::bad_data,
        fmt::format("{} gave {} pictures from number {} on where there were {} before; did it change?",
                    job_.source.path, read, wanted.first, wanted.count));
  result.pictures = read - job_.lead - (job_.window.count ? job_.tail : 0);
  result.seconds = static_cast<double>(result.pictures) / job_.source.fps();
  if (job_.source.variable_rate && GST_CLOCK_TIME_IS_VALID(end_pts_) && end_pts_ > first_pts_)
    result.seconds = static_cast<double>(end_pts_ - first_pts_) / kNanoseconds;
  for (const auto &branch : branches_) {
    if (auto ok = collect(*branch); !ok) return tl::unexpected(ok.error());
    const std::uint64_t scored = (read + job_.subsample - 1) / job_.subsample;
    if (branch->result.sizes.size() != read ||
        (branch->rendition->score && branch->result.vmaf.size() != scored))
      return fail(
          ErrorCode::state,
          fmt::format("{} at quantizer {} gave {} pictures and {} scores for {} pictures of the source",
                      name_of(branch->rendition->res), branch->rendition->qp, branch->result.sizes.size(),
                      branch->result.vmaf.size(), read));
    trim(branch->result, result.pictures);
    branch->result.media_file = branch->rendition->media;
    result.renditions.push_back(std::move(branch->result));
  }
  return result;
}

} // namespace

Result<Measurement> measure(const MeasureJob &job, const std::atomic<int> &stop,
                            const std::function<void(std::uint64_t)> &progress) {
  Graph graph(job, true);
  graph.build();
  auto result = graph.run(stop, progress);
  if (!graph.missed()) return result;
  if (!job.reread)
    return fail(ErrorCode::unsupported,
                fmt::format("{} cannot be entered at picture {}", job.source.path, job.window.first));
  // The container's index leads elsewhere: slower, but sure.
  Graph whole(job, false);
  whole.build();
  return whole.run(stop, progress);
}

} // namespace hull::tools
