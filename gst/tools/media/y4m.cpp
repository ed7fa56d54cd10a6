#include "gst/tools/media/y4m.h"

#include "gst/core/time.h"
#include "gst/glue/map.h"
#include "gst/tools/support/files.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <utility>

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

namespace hull::tools {
namespace {

constexpr std::uint64_t kLongestHeader = 4096;

bool read_pair(std::string_view text, int &a, int &b) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  return std::from_chars(text.data(), text.data() + colon, a).ec == std::errc() &&
         std::from_chars(text.data() + colon + 1, text.data() + text.size(), b).ec == std::errc();
}

// Pixel formats by their name in the header and by GStreamer's.
constexpr std::pair<std::string_view, const char *> kFormats[] = {
    {"420", "I420"},         {"420jpeg", "I420"},     {"420mpeg2", "I420"},    {"420paldv", "I420"},
    {"422", "Y42B"},         {"444", "Y444"},         {"mono", "GRAY8"},       {"420p10", "I420_10LE"},
    {"422p10", "I422_10LE"}, {"444p10", "Y444_10LE"}, {"420p12", "I420_12LE"}, {"422p12", "I422_12LE"},
    {"444p12", "Y444_12LE"}};

// The format's rows are packed; GStreamer's own layout rounds them up to four bytes.
struct PackedPlanes {
  explicit PackedPlanes(const Y4mHeader &h) : format(gst_video_format_from_string(h.format.c_str())) {
    const GstVideoFormatInfo *info = gst_video_format_get_info(format);
    count = GST_VIDEO_FORMAT_INFO_N_PLANES(info);
    for (guint i = 0; i < count; ++i) {
      offsets[i] = size;
      strides[i] = static_cast<gint>(GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(info, i, h.width)) *
                   GST_VIDEO_FORMAT_INFO_PSTRIDE(info, i);
      size += static_cast<gsize>(strides[i]) *
              static_cast<gsize>(GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(info, i, h.height));
    }
  }
  GstVideoFormat format;
  guint count = 0;
  gsize offsets[GST_VIDEO_MAX_PLANES] = {}, size = 0;
  gint strides[GST_VIDEO_MAX_PLANES] = {};
};

Result<void> set_format(Y4mHeader &h, std::string_view name) {
  for (const auto &[word, format] : kFormats)
    if (word == name) {
      h.format = format;
      h.frame_bytes = PackedPlanes(h).size;
      return {};
    }
  return fail(ErrorCode::unsupported,
              fmt::format("the Y4M pixel format C{} is not handled; convert the source to "
                          "4:2:0, 4:2:2 or 4:4:4 with 8, 10 or 12 bits, or to mono with 8",
                          name));
}

struct File {
  explicit File(const std::string &path) : handle(std::fopen(path.c_str(), "rb")) {}
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() {
    if (handle) std::fclose(handle);
  }
  std::FILE *handle;
};

// A FRAME line may carry parameters; nobody writes them, but the format allows it.
bool skip_frame_line(std::FILE *file) {
  char word[5];
  if (std::fread(word, 1, 5, file) != 5 || std::string_view(word, 5) != "FRAME") return false;
  for (int c = std::fgetc(file); c != '\n'; c = std::fgetc(file))
    if (c == EOF) return false;
  return true;
}

struct Feeder {
  Feeder(const std::string &path, const Y4mHeader &h) : file(path), header(h) {}
  File file;
  Y4mHeader header;
  std::uint64_t next = 0;
};

void feed(GstAppSrc *source, guint, gpointer data) {
  auto &feeder = *static_cast<Feeder *>(data);
  const Y4mHeader &h = feeder.header;
  auto buffer = BufferRef::adopt(gst_buffer_new_allocate(nullptr, h.frame_bytes, nullptr));
  bool whole = skip_frame_line(feeder.file.handle);
  if (whole) {
    MappedBuffer map(buffer.get(), GST_MAP_WRITE);
    whole = map && std::fread(map.data(), 1, h.frame_bytes, feeder.file.handle) == h.frame_bytes;
  }
  if (!whole) {
    gst_app_src_end_of_stream(source);
    return;
  }
  const auto time = [&h](std::uint64_t n) {
    return static_cast<GstClockTime>(rescale(static_cast<std::int64_t>(n) * h.fps_d, kNanoseconds, h.fps_n));
  };
  GST_BUFFER_PTS(buffer.get()) = time(feeder.next);
  GST_BUFFER_DURATION(buffer.get()) = time(feeder.next + 1) - time(feeder.next);
  PackedPlanes planes(h);
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, planes.format, h.width, h.height,
                                 planes.count, planes.offsets, planes.strides);
  ++feeder.next;
  gst_app_src_push_buffer(source, buffer.release());
}

} // namespace

Result<Y4mHeader> parse_y4m(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (!text.starts_with("YUV4MPEG2 ") || end == std::string_view::npos)
    return fail(ErrorCode::bad_data, "this is no YUV4MPEG2 file, or its header line has no end");
  Y4mHeader h;
  h.header_bytes = end + 1;
  std::string_view line = text.substr(10, end - 10), pixels = "420jpeg";
  while (!line.empty()) {
    const std::size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
    if (word.empty()) continue;
    const std::string_view value = word.substr(1);
    const auto number = [&value](unsigned &out) {
      std::from_chars(value.data(), value.data() + value.size(), out);
    };
    switch (word.front()) {
    case 'W':
      number(h.width);
      break;
    case 'H':
      number(h.height);
      break;
    case 'F':
      read_pair(value, h.fps_n, h.fps_d);
      break;
    case 'A':
      read_pair(value, h.par_n, h.par_d);
      break;
    case 'I':
      h.interlaced = value == "t" || value == "b" || value == "m";
      break;
    case 'C':
      pixels = value;
      break;
    case 'X':
      h.full_range |= value == "COLORRANGE=FULL";
      break;
    default:
      break;
    }
  }
  constexpr unsigned kLargest = 16384;
  if (h.width == 0 || h.height == 0 || h.width > kLargest || h.height > kLargest)
    return fail(ErrorCode::bad_data, fmt::format("the Y4M header gives the size {}x{}", h.width, h.height));
  if (h.fps_n <= 0 || h.fps_d <= 0) h.fps_n = 25, h.fps_d = 1;
  if (h.par_n <= 0 || h.par_d <= 0) h.par_n = h.par_d = 1;
  if (auto ok = set_format(h, pixels); !ok) return tl::unexpected(ok.error());
  return h;
}

Result<Y4mHeader> read_y4m_header(const std::string &path) {
  const File file(path);
  if (!file.handle) return tl::unexpected(file_error(errno, "open", path));
  std::string head(kLongestHeader, '\0');
  head.resize(std::fread(head.data(), 1, head.size(), file.handle));
  auto header = parse_y4m(head);
  if (!header) return fail(header.error().code, path + ": " + header.error().text);
  return header;
}

Result<Y4mFile> open_y4m(const std::string &path) {
  const auto header = read_y4m_header(path);
  if (!header) return tl::unexpected(header.error());
  const File file(path);
  struct stat status {};
  if (!file.handle || ::fstat(::fileno(file.handle), &status) != 0)
    return tl::unexpected(file_error(errno, "open", path));
  Y4mFile result{*header};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t at = header->header_bytes;
  std::fseek(file.handle, static_cast<long>(at), SEEK_SET);
  while (at < size && skip_frame_line(file.handle)) {
    at = static_cast<std::uint64_t>(std::ftell(file.handle)) + header->frame_bytes;
    if (at <= size) ++result.frames;
    std::fseek(file.handle, static_cast<long>(at), SEEK_SET);
  }
  if (at != size)
    return fail(ErrorCode::bad_data,
                fmt::format("{} is cut: picture {} is not whole; copy or render the file again", path,
                            result.frames + 1));
  return result;
}

GstElement *add_y4m_source(Pipeline &pipeline, const std::string &path, const Y4mHeader &h,
                           std::uint64_t first) {
  GstElement *source = pipeline.add("appsrc", {{"format", "time"}});
  auto feeder = std::make_unique<Feeder>(path, h);
  if (!source || !feeder->file.handle) return nullptr;
  std::fseek(feeder->file.handle, static_cast<long>(h.header_bytes), SEEK_SET);
  for (; feeder->next < first && skip_frame_line(feeder->file.handle); ++feeder->next)
    std::fseek(feeder->file.handle, static_cast<long>(h.frame_bytes), SEEK_CUR);
  const std::string caps = fmt::format(
      "video/x-raw,format={},width={},height={},framerate={}/{},pixel-aspect-ratio={}/{},"
      "interlace-mode={}{}",
      h.format, h.width, h.height, h.fps_n, h.fps_d, h.par_n, h.par_d,
      h.interlaced ? "interleaved" : "progressive", h.full_range ? ",colorimetry=(string)1:3:5:1" : "");
  const auto parsed = CapsRef::adopt(gst_caps_from_string(caps.c_str()));
  gst_app_src_set_caps(GST_APP_SRC(source), parsed.get());
  gst_app_src_set_max_bytes(GST_APP_SRC(source), 2 * h.frame_bytes);
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = feed;
  gst_app_src_set_callbacks(GST_APP_SRC(source), &callbacks, feeder.release(),
                            [](gpointer data) { delete static_cast<Feeder *>(data); });
  return source;
}

} // namespace hull::tools
