#include "gst/tools/media/source.h"

#include "gst/tools/support/files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>

namespace hull::tools {
namespace {

constexpr unsigned kSmallest = 34; // below, VMAF's fourth scale has no picture left
constexpr unsigned kHeights[] = {360, 540, 720, 1080, 1440, 2160};

using Info = ObjectRef<GstDiscovererInfo>;

template <class T> struct List {
  explicit List(GList *list) : head(list) {}
  List(const List &) = delete;
  List &operator=(const List &) = delete;
  ~List() { gst_discoverer_stream_info_list_free(head); }
  T *first() const { return head ? static_cast<T *>(head->data) : nullptr; }
  GList *head;
};

std::string caps_text(GstDiscovererStreamInfo *stream, const char *field) {
  const auto caps = CapsRef::adopt(gst_discoverer_stream_info_get_caps(stream));
  if (!caps || gst_caps_is_empty(caps.get())) return {};
  const GstStructure *s = gst_caps_get_structure(caps.get(), 0);
  if (!field) return gst_structure_get_name(s);
  const char *value = gst_structure_get_string(s, field);
  return value ? value : "";
}

Result<void> refuse_hdr(GstDiscovererVideoInfo *video, const std::string &path) {
  GstVideoColorimetry colorimetry{};
  const std::string text = caps_text(GST_DISCOVERER_STREAM_INFO(video), "colorimetry");
  if (text.empty() || !gst_video_colorimetry_from_string(&colorimetry, text.c_str())) return {};
  if (colorimetry.transfer != GST_VIDEO_TRANSFER_SMPTE2084 &&
      colorimetry.transfer != GST_VIDEO_TRANSFER_ARIB_STD_B67)
    return {};
  return fail(ErrorCode::unsupported,
              fmt::format("{} is HDR ({}), which 8-bit H.264 cannot carry; tone-map it to SDR first", path,
                          colorimetry.transfer == GST_VIDEO_TRANSFER_SMPTE2084 ? "PQ" : "HLG"));
}

std::string describe(const CapsRef &caps) {
  return OwnedText(gst_pb_utils_get_codec_description(caps.get())).c_str();
}

bool has_decoder(const CapsRef &caps) {
  const char *name = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
  if (g_str_equal(name, "audio/x-raw") || g_str_equal(name, "video/x-raw")) return true; // needs none
  GList *decoders =
      gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER, GST_RANK_MARGINAL);
  GList *fitting = gst_element_factory_list_filter(decoders, caps.get(), GST_PAD_SINK, FALSE);
  const bool has = fitting != nullptr;
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(decoders);
  return has;
}

bool carried(const CapsRef &caps) {
  const GstStructure *s = gst_caps_get_structure(caps.get(), 0);
  int version = 0;
  gst_structure_get_int(s, "mpegversion", &version);
  return (gst_structure_has_name(s, "audio/mpeg") && version == 4) ||
         gst_structure_has_name(s, "audio/x-opus");
}

// The first sound that the package can hold; others are none.
void read_audio(GstDiscovererInfo *info, Source &source) {
  const List<GstDiscovererStreamInfo> streams(gst_discoverer_info_get_audio_streams(info));
  for (GList *at = streams.head; at; at = at->next) {
    const auto caps =
        CapsRef::adopt(gst_discoverer_stream_info_get_caps(static_cast<GstDiscovererStreamInfo *>(at->data)));
    if (!caps || gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get())) continue;
    const char *codec = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
    if (!carried(caps) && !has_decoder(caps)) {
      source.left_out.push_back(describe(caps) + ", which nobody here decodes");
      continue;
    }
    if (source.audio) {
      source.left_out.push_back(describe(caps) + ", since there is other sound");
      continue;
    }
    source.audio = true;
    source.audio_codec = codec;
    source.audio_carried = carried(caps);
  }
}

/// Phones store pictures as their sensor lies and say how to turn them.
void read_orientation(GstDiscovererVideoInfo *video, Source &source) {
  const GstTagList *tags = gst_discoverer_stream_info_get_tags(GST_DISCOVERER_STREAM_INFO(video));
  GstVideoOrientationMethod method = GST_VIDEO_ORIENTATION_IDENTITY;
  if (!tags || !gst_video_orientation_from_tag(const_cast<GstTagList *>(tags), &method) ||
      method == GST_VIDEO_ORIENTATION_IDENTITY)
    return;
  auto *type = static_cast<GEnumClass *>(g_type_class_ref(GST_TYPE_VIDEO_ORIENTATION_METHOD));
  source.turn = g_enum_get_value(type, method)->value_nick;
  g_type_class_unref(type);
  if (method == GST_VIDEO_ORIENTATION_180 || method == GST_VIDEO_ORIENTATION_HORIZ ||
      method == GST_VIDEO_ORIENTATION_VERT)
    return;
  std::swap(source.width, source.height);
  std::swap(source.par_n, source.par_d);
}

Result<Source> finish(Source source) {
  if (source.interlaced) source.fps_n *= 2; // every field becomes a picture
  source.display = display_size(source.width, source.height, source.par_n, source.par_d);
  if (source.seconds <= 0 && source.frames)
    source.seconds = static_cast<double>(source.frames) / source.fps();
  if (!source.frames && source.seconds > 0)
    source.frames = static_cast<std::uint64_t>(std::llround(source.seconds * source.fps()));
  return source;
}

Result<Source> from_y4m(Source source) {
  const auto file = open_y4m(source.path);
  if (!file) return tl::unexpected(file.error());
  if (file->frames == 0)
    return fail(ErrorCode::bad_data, source.path + " holds no picture; it has only a header");
  const Y4mHeader &h = file->header;
  source.y4m = h;
  source.width = h.width;
  source.height = h.height;
  source.par_n = h.par_n;
  source.par_d = h.par_d;
  source.fps_n = h.fps_n;
  source.fps_d = h.fps_d;
  source.interlaced = h.interlaced;
  source.bit_depth = h.format == "I420_10LE" ? 10 : 8;
  source.frames = file->frames * (h.interlaced ? 2 : 1);
  source.video_codec = "uncompressed (Y4M)";
  return finish(std::move(source));
}

Result<Source> from_stream(GstDiscovererInfo *info, Source source) {
  const List<GstDiscovererVideoInfo> streams(gst_discoverer_info_get_video_streams(info));
  GstDiscovererVideoInfo *video = streams.first();
  if (!video || gst_discoverer_video_info_is_image(video)) {
    const List<GstDiscovererStreamInfo> sound(gst_discoverer_info_get_audio_streams(info));
    return fail(ErrorCode::not_found, source.path + (sound.head ? " holds only audio; name a file with video"
                                                                : " holds no video stream"));
  }
  source.width = gst_discoverer_video_info_get_width(video);
  source.height = gst_discoverer_video_info_get_height(video);
  source.par_n = static_cast<int>(gst_discoverer_video_info_get_par_num(video));
  source.par_d = static_cast<int>(gst_discoverer_video_info_get_par_denom(video));
  if (source.par_n <= 0 || source.par_d <= 0) source.par_n = source.par_d = 1;
  read_orientation(video, source);
  source.fps_n = static_cast<int>(gst_discoverer_video_info_get_framerate_num(video));
  source.fps_d = static_cast<int>(gst_discoverer_video_info_get_framerate_denom(video));
  source.variable_rate = source.fps_n <= 0 || source.fps_d <= 0;
  if (source.variable_rate) source.fps_n = 25, source.fps_d = 1;
  source.interlaced = gst_discoverer_video_info_is_interlaced(video);
  if (const unsigned depth = gst_discoverer_video_info_get_depth(video); depth > 24) source.bit_depth = 10;
  const auto caps = CapsRef::adopt(gst_discoverer_stream_info_get_caps(GST_DISCOVERER_STREAM_INFO(video)));
  if (caps) source.video_codec = OwnedText(gst_pb_utils_get_codec_description(caps.get())).c_str();
  const auto top = ObjectRef<GstDiscovererStreamInfo>::adopt(gst_discoverer_info_get_stream_info(info));
  source.elementary = top && !GST_IS_DISCOVERER_CONTAINER_INFO(top.get());
  const GstClockTime duration = gst_discoverer_info_get_duration(info);
  if (!source.elementary && GST_CLOCK_TIME_IS_VALID(duration))
    source.seconds = static_cast<double>(duration) / GST_SECOND;
  if (auto ok = refuse_hdr(video, source.path); !ok) return tl::unexpected(ok.error());
  read_audio(info, source);
  return finish(std::move(source));
}

bool decodes_pictures(GstDiscovererInfo *info) {
  const List<GstDiscovererVideoInfo> streams(gst_discoverer_info_get_video_streams(info));
  GstDiscovererVideoInfo *video = streams.first();
  if (!video || gst_discoverer_video_info_get_width(video) == 0) return false;
  const auto caps = CapsRef::adopt(gst_discoverer_stream_info_get_caps(GST_DISCOVERER_STREAM_INFO(video)));
  return caps && has_decoder(caps);
}

Result<Source> discover(Source source) {
  GError *error = nullptr;
  const auto discoverer = ObjectRef<GstDiscoverer>::adopt(gst_discoverer_new(30 * GST_SECOND, &error));
  const OwnedText uri(g_filename_to_uri(std::filesystem::absolute(source.path).c_str(), nullptr, nullptr));
  const auto info = discoverer ? ObjectRef<GstDiscovererInfo>::adopt(
                                     gst_discoverer_discover_uri(discoverer.get(), uri.c_str(), &error))
                               : ObjectRef<GstDiscovererInfo>();
  const std::string reason = error ? error->message : "no reason given";
  g_clear_error(&error);
  const auto outcome = info ? gst_discoverer_info_get_result(info.get()) : GST_DISCOVERER_ERROR;
  // Phones and broadcasters add streams that nobody decodes: the pictures decide.
  if (outcome == GST_DISCOVERER_MISSING_PLUGINS && decodes_pictures(info.get()))
    return from_stream(info.get(), std::move(source));
  if (outcome == GST_DISCOVERER_OK) return from_stream(info.get(), std::move(source));
  if (outcome == GST_DISCOVERER_MISSING_PLUGINS)
    return fail(
        ErrorCode::not_found,
        fmt::format("no decoder for {} is installed; try the package gstreamer1.0-libav", source.path));
  if (outcome == GST_DISCOVERER_TIMEOUT)
    return fail(ErrorCode::io,
                fmt::format("{} gave no picture within 30 s; is the disk alive?", source.path));
  return fail(ErrorCode::bad_data,
              fmt::format("{} cannot be read as video, it is damaged, cut or of another kind ({})",
                          source.path, reason));
}

} // namespace

unsigned Source::gop() const {
  return std::max(1u, static_cast<unsigned>(std::lround(2 * fps())));
}

ladder::Resolution display_size(unsigned width, unsigned height, int par_n, int par_d) {
  const double square = static_cast<double>(width) * par_n / par_d;
  const unsigned even_width =
      par_n == par_d ? width & ~1u : static_cast<unsigned>(std::lround(square / 2)) * 2;
  return {std::max(2u, even_width), std::max(2u, height & ~1u)};
}

std::vector<ladder::Resolution> rung_sizes(const ladder::Resolution &display,
                                           const std::vector<unsigned> &heights) {
  std::vector<unsigned> wanted(heights);
  if (wanted.empty()) wanted.assign(std::begin(kHeights), std::end(kHeights));
  // Without heights of the user's the source's own size is always one of them.
  if (heights.empty() ||
      std::none_of(wanted.begin(), wanted.end(), [&](unsigned h) { return h <= display.height; }))
    wanted.push_back(display.height);
  std::sort(wanted.begin(), wanted.end());
  std::vector<ladder::Resolution> sizes;
  for (const unsigned height : wanted) {
    const unsigned even = height & ~1u;
    const double width = static_cast<double>(display.width) * even / display.height;
    const ladder::Resolution res{std::max(2u, static_cast<unsigned>(std::lround(width / 2)) * 2), even};
    const bool own = even == display.height;
    // A size within a tenth of the source's own would only repeat it.
    if (even > display.height || (heights.empty() && !own && even * 10 > display.height * 9)) continue;
    if (res.width < kSmallest || res.height < kSmallest) continue;
    if (sizes.empty() || sizes.back() != res) sizes.push_back(own ? display : res);
  }
  return sizes;
}

void tell_left_out(const Source &source) {
  for (const std::string &stream : source.left_out)
    fmt::print(stderr, "gst-hull-1.0: left out: {}\n", stream);
}

Result<void> check_scorable(const Source &source) {
  if (source.width >= kSmallest && source.height >= kSmallest) return {};
  return fail(ErrorCode::unsupported,
              fmt::format("{} is {}x{}; pictures smaller than {}x{} cannot be scored", source.path,
                          source.width, source.height, kSmallest, kSmallest));
}

Result<Source> probe(const std::string &path) {
  Source source;
  source.path = path;
  source.stamp = stamp_of(path);
  const auto identity = identity_of(path);
  if (!identity) return tl::unexpected(identity.error());
  source.identity = *identity;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) && std::filesystem::file_size(path, ignored) == 0)
    return fail(ErrorCode::bad_data, path + " is empty");
  char magic[9] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  if (std::string_view(magic, sizeof magic) == "YUV4MPEG2") return from_y4m(std::move(source));
  return discover(std::move(source));
}

} // namespace hull::tools
