#include "gst/tools/report/pictures.h"

#include "gst/glue/map.h"
#include "gst/tools/media/decoded_source.h"
#include "gst/tools/support/cores.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <thread>

namespace hull::tools {
namespace {

constexpr unsigned kWidest = 800; // wide enough to see blocks, small enough to mail

ladder::Resolution shown(const ladder::Resolution &display) {
  if (display.width <= kWidest) return display;
  const auto height = static_cast<unsigned>(std::lround(display.height * (kWidest / 2.0) / display.width));
  return {kWidest, std::max(2u, height * 2)};
}

GstPadProbeReturn keep_jpeg(GstPad *, GstPadProbeInfo *info, gpointer data) {
  const MappedBuffer map(gst_pad_probe_info_get_buffer(info), GST_MAP_READ);
  if (!map) return GST_PAD_PROBE_OK;
  const Bytes bytes = map.bytes();
  const OwnedText text(g_base64_encode(bytes.data(), bytes.size()));
  *static_cast<std::string *>(data) = text.c_str();
  return GST_PAD_PROBE_OK;
}

// One picture on its way out of a title.
struct Drawing {
  Drawing(const Source &source, std::uint64_t number, const ladder::Resolution &size, bool seek)
      : decoded(pipeline, source, {number, 1}, seek) {
    GstElement *encoder = pipeline.add("jpegenc", {{"quality", "85"}});
    pipeline.link({decoded.out, pipeline.add("hullscale"),
                   pipeline.filter(fmt::format("video/x-raw,width={},height={}", size.width, size.height)),
                   encoder, pipeline.add("fakesink", {{"sync", "false"}})});
    decoded.on_hang = [this] {
      hangs = true;
      pipeline.abandon();
    };
    if (!encoder) return;
    const auto pad = PadRef::adopt(gst_element_get_static_pad(encoder, "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, keep_jpeg, &jpeg, nullptr);
  }

  std::string jpeg;
  bool hangs = false;
  Pipeline pipeline;
  DecodedSource decoded;
};

// Empty where there is none: a report without it is still a report.
std::string jpeg_of(const Source &source, std::uint64_t number, const ladder::Resolution &size,
                    const std::atomic<int> &stop) {
  for (const bool seek : {true, false}) {
    auto drawing = std::make_unique<Drawing>(source, number, size, seek);
    const auto ran = drawing->pipeline.run(stop, [&] { drawing->decoded.tick(); });
    if (drawing->hangs) {
      (void)drawing.release(); // threads that hang in it may go on one day
      return {};
    }
    if (!ran) return {};
    if (!drawing->decoded.missed()) return drawing->jpeg;
  }
  return {};
}

// A rung's own file, which has the title's clock from its first picture on.
Source source_of(const RenditionResult &rung, const Source &title, const std::string &folder) {
  Source s;
  s.path = folder + "/" + rung.media;
  s.width = rung.res.width;
  s.height = rung.res.height;
  s.display = rung.res;
  s.fps_n = title.fps_n;
  s.fps_d = title.fps_d;
  s.steady = title.counted();
  s.start_ns = title.late_ns;
  return s;
}

std::string key_of(const RenditionResult &rung) {
  return sha256("worst 1 " HULL_VERSION " " + rung.key);
}

// Which picture it is; nothing without scores.
std::optional<WorstPicture> worst_of(const RenditionResult &rung) {
  if (rung.vmaf.empty()) return std::nullopt;
  const auto lowest = std::min_element(rung.vmaf.begin(), rung.vmaf.end());
  return WorstPicture{static_cast<std::uint64_t>(lowest - rung.vmaf.begin()), *lowest, {}, {}};
}

std::optional<WorstPicture> known_picture(const RenditionResult &rung, const Cache &cache) {
  auto worst = worst_of(rung);
  const auto known = worst ? cache.get_json(key_of(rung)) : std::nullopt;
  if (!known || !known->contains("rung") || !known->contains("source")) return std::nullopt;
  worst->source = known->value("source", "");
  worst->rung = known->value("rung", "");
  return worst;
}

std::optional<WorstPicture> make_picture(const Source &source, const RenditionResult &rung,
                                         const std::string &folder, const Cache &cache,
                                         const std::atomic<int> &stop) {
  auto worst = worst_of(rung);
  if (!worst) return std::nullopt;
  const ladder::Resolution size = shown(source.display);
  worst->source = jpeg_of(source, worst->number, size, stop);
  worst->rung = jpeg_of(source_of(rung, source, folder), worst->number, size, stop);
  if (worst->source.empty() || worst->rung.empty()) return std::nullopt;
  // A cache that takes nothing costs only the time to make it again.
  (void)cache.put_json(key_of(rung), {{"source", worst->source}, {"rung", worst->rung}});
  return worst;
}

} // namespace

WorstPictures known_worst_pictures(const TitleResult &title, const std::string &folder) {
  WorstPictures pictures(title.rungs.size());
  const auto cache = Cache::open(folder + "/cache");
  for (std::size_t i = 0; cache && i < pictures.size(); ++i)
    pictures[i] = known_picture(title.rungs[i].result, *cache);
  return pictures;
}

WorstPictures make_worst_pictures(const TitleResult &title, const std::string &folder,
                                  const std::atomic<int> &stop) {
  WorstPictures pictures = known_worst_pictures(title, folder);
  const auto cache = Cache::open(folder + "/cache");
  if (!cache) return pictures;
  std::atomic<std::size_t> next{0};
  const auto draw = [&] {
    for (std::size_t i = next++; i < pictures.size(); i = next++)
      if (!pictures[i]) pictures[i] = make_picture(title.source, title.rungs[i].result, folder, *cache, stop);
  };
  // One picture keeps about one core busy: what decodes it works step after step.
  std::vector<std::jthread> others;
  for (unsigned n = 1; n < usable_cores(); ++n)
    others.emplace_back(draw);
  draw();
  others.clear();
  return pictures;
}

} // namespace hull::tools
