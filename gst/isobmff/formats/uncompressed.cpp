#include "gst/isobmff/formats/uncompressed.h"

#include "gst/isobmff/boxes/codec.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

// 23001-17 table 1.
enum Component : std::uint8_t { mono = 0, y = 1, cb = 2, cr = 3, r = 4, g = 5, b = 6, alpha = 7, pad = 12 };
enum Sampling : std::uint8_t { s444 = 0, s422 = 1, s420 = 2 };
enum Interleave : std::uint8_t { planes = 0, pixels = 1, mixed = 2, multi_y = 5 };

struct Layout {
  std::string_view name;
  std::vector<Component> components; ///< in the order of the bytes
  Sampling sampling;
  Interleave interleave;
  std::uint8_t bits = 8;
  bool little_endian = false; ///< of numbers with 2 bytes
};

const Layout kLayouts[] = {
    {"GRAY8", {mono}, s444, planes},
    {"GRAY16_LE", {mono}, s444, planes, 16, true},
    {"GRAY16_BE", {mono}, s444, planes, 16},
    {"I420", {y, cb, cr}, s420, planes},
    {"YV12", {y, cr, cb}, s420, planes},
    {"Y42B", {y, cb, cr}, s422, planes},
    {"Y444", {y, cb, cr}, s444, planes},
    {"I420_10LE", {y, cb, cr}, s420, planes, 10, true},
    {"I422_10LE", {y, cb, cr}, s422, planes, 10, true},
    {"Y444_10LE", {y, cb, cr}, s444, planes, 10, true},
    {"NV12", {y, cb, cr}, s420, mixed},
    {"NV21", {y, cr, cb}, s420, mixed},
    {"YUY2", {y, cb, y, cr}, s422, multi_y},
    {"UYVY", {cb, y, cr, y}, s422, multi_y},
    {"RGB", {r, g, b}, s444, pixels},
    {"BGR", {b, g, r}, s444, pixels},
    {"RGBA", {r, g, b, alpha}, s444, pixels},
    {"BGRA", {b, g, r, alpha}, s444, pixels},
    {"ARGB", {alpha, r, g, b}, s444, pixels},
    {"ABGR", {alpha, b, g, r}, s444, pixels},
    {"RGBx", {r, g, b, pad}, s444, pixels},
    {"BGRx", {b, g, r, pad}, s444, pixels},
    {"xRGB", {pad, r, g, b}, s444, pixels},
    {"xBGR", {pad, b, g, r}, s444, pixels},
    {"GBR", {g, b, r}, s444, planes},
};

Opaque sealed(Box &&box) {
  auto payload = write_payload(box);
  return Opaque(box.type, payload ? std::move(*payload) : ByteVector());
}

// Whether a row of some plane ends between the multiples of four bytes at which rows begin.
bool has_padded_rows(const Layout &layout, std::uint32_t width) {
  const std::uint32_t number = layout.bits > 8 ? 2 : 1;
  const auto ragged = [](std::uint32_t bytes) { return bytes % 4 != 0; };
  switch (layout.interleave) {
  case pixels:
    return ragged(width * number * static_cast<std::uint32_t>(layout.components.size()));
  case multi_y:
    return ragged(width * 2);
  case mixed:
    return ragged(width);
  default:
    return ragged(width * number) || (layout.sampling != s444 && ragged(width / 2 * number));
  }
}

UncompressedFrameConfig configuration(const Layout &layout, std::uint32_t width) {
  UncompressedFrameConfig uncc;
  for (std::uint16_t i = 0; i < layout.components.size(); ++i)
    uncc.components.push_back({i, static_cast<std::uint8_t>(layout.bits - 1), 0,
                               static_cast<std::uint8_t>(layout.bits > 8 && layout.bits < 16 ? 2 : 0)});
  uncc.sampling_type = layout.sampling;
  uncc.interleave_type = layout.interleave;
  uncc.components_little_endian = layout.little_endian;
  if (has_padded_rows(layout, width)) uncc.row_align_size = 4;
  return uncc;
}

} // namespace

Result<SampleFormat> uncompressed_format(std::string_view name, std::uint32_t width, std::uint32_t height) {
  const auto layout = std::ranges::find(kLayouts, name, &Layout::name);
  if (layout == std::end(kLayouts))
    return fail(ErrorCode::unsupported,
                "Raw video of format " + std::string(name) +
                    " has no place in an MP4 file here. Put videoconvert in front of the "
                    "muxer.");
  const bool halves_width = layout->sampling != s444, halves_height = layout->sampling == s420;
  if ((halves_width && width % 2 != 0) || (halves_height && height % 2 != 0))
    return fail(
        ErrorCode::unsupported,
        "Raw video of format " + std::string(name) +
            " needs an even width, and height where chroma has half of it. Crop it by one, or convert to "
            "Y444 or RGB.");
  SampleFormat format;
  format.entry = "uncv";
  ComponentDefinition cmpd;
  for (const Component component : layout->components)
    cmpd.components.push_back({component, {}});
  format.codec_boxes.push_back(sealed(std::move(cmpd)));
  format.codec_boxes.push_back(sealed(configuration(*layout, width)));
  return format;
}

} // namespace hull::isobmff
