#include "gst/tools/report/pictures.h"

#include "gst/glue/map.h"
#include "gst/tools/media/front.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

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

std::string jpeg_of(const Source &source, std::uint64_t number, const ladder::Resolution &size,
                    const std::atomic<int> &stop) {
  std::string jpeg;
  for (const bool seek : {true, false}) {
    Pipeline pipeline;
    Front front(pipeline, source, {number, 1}, seek);
    GstElement *encoder = pipeline.add("jpegenc", {{"quality", "85"}});
    pipeline.link({front.out, pipeline.add("hullscale"),
                   pipeline.filter(fmt::format("video/x-raw,width={},height={}", size.width, size.height)),
                   encoder, pipeline.add("fakesink", {{"sync", "false"}})});
    if (!encoder) return {};
    const auto pad = PadRef::adopt(gst_element_get_static_pad(encoder, "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, keep_jpeg, &jpeg, nullptr);
    const auto ran = pipeline.run(stop, [&] { front.tick(); });
    if (ran && !front.missed()) return jpeg;
    if (!ran) return {};
  }
  return jpeg;
}

// A rung's own file, which has the title's clock from zero.
Source source_of(const Record &rung, const Source &title, const std::string &folder) {
  Source s;
  s.path = folder + "/" + rung.media;
  s.width = rung.res.width;
  s.height = rung.res.height;
  s.display = rung.res;
  s.fps_n = title.fps_n;
  s.fps_d = title.fps_d;
  s.steady = title.counted();
  return s;
}

} // namespace

std::optional<WorstPicture> worst_picture(const Source &source, const Record &rung, const std::string &folder,
                                          const Cache &cache, bool make, const std::atomic<int> &stop) {
  if (rung.vmaf.empty()) return std::nullopt;
  const auto lowest = std::min_element(rung.vmaf.begin(), rung.vmaf.end());
  WorstPicture worst{static_cast<std::uint64_t>(lowest - rung.vmaf.begin()), *lowest, {}, {}};
  const std::string key = sha256("worst 1 " HULL_VERSION " " + rung.key);
  if (const auto known = cache.get_json(key); known && known->contains("rung") && known->contains("source")) {
    worst.source = known->value("source", "");
    worst.rung = known->value("rung", "");
    return worst;
  }
  if (!make) return std::nullopt;
  const ladder::Resolution size = shown(source.display);
  worst.source = jpeg_of(source, worst.number, size, stop);
  worst.rung = jpeg_of(source_of(rung, source, folder), worst.number, size, stop);
  if (worst.source.empty() || worst.rung.empty()) return std::nullopt;
  (void)cache.put_json(key, {{"source", worst.source}, {"rung", worst.rung}}); // next time it is made again
  return worst;
}

} // namespace hull::tools
