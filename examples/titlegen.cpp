// Renders a synthetic title, the same bytes on every machine, as 8-bit 4:2:0 YUV4MPEG2 on standard output:
//
//   hull-titlegen KIND WIDTH HEIGHT FPS FRAMES > clip.y4m
//
//   cartoon  flat fills and outlines, slow pan, drawn on twos: cheap to code, sharp edges want resolution
//   action   textured pitch under a shaking pan, players, spray, grain, a cut every 30 frames: dear to code
//   talk     a soft head before a blurred wall with light grain: little changes
//   mix      shots of 24 frames that cut between the three, for shot detection
//
// Geometry is in lines of a 1080-line picture, so every size shows the same scene.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Colour {
  float y, u, v; // luma 0..1, chroma -0.5..0.5, BT.709
};

Colour rgb(float r, float g, float b) {
  const float y = 0.2126f * r + 0.7152f * g + 0.0722f * b;
  return {y, (b - y) / 1.8556f, (r - y) / 1.5748f};
}

Colour blend(Colour a, Colour b, float t) {
  return {a.y + (b.y - a.y) * t, a.u + (b.u - a.u) * t, a.v + (b.v - a.v) * t};
}

std::uint32_t hash(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  std::uint32_t h = a * 0x8da6b343u + b * 0xd8163841u + c * 0xcb1ab31fu + 0x165667b1u;
  h = (h ^ h >> 15) * 0x2c1b3c6du;
  h = (h ^ h >> 12) * 0x297a2d39u;
  return h ^ h >> 15;
}

float chance(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return static_cast<float>(hash(a, b, c) >> 8) * (1.f / 16777216.f);
}

/// A tile of fractal noise, 0..1, looked up with wrap-around and bilinear interpolation. `octaves` below the
/// tile's size keep it periodic; `gain` sets how fine detail compares with coarse.
class Noise {
 public:
  Noise(unsigned octaves, float gain, std::uint32_t seed) : texels_(kSize * kSize) {
    float amplitude = 1, total = 0;
    unsigned cells = 8;
    for (unsigned octave = 0; octave < octaves; ++octave, cells *= 2, amplitude *= gain) {
      total += amplitude;
      for (unsigned y = 0; y < kSize; ++y)
        for (unsigned x = 0; x < kSize; ++x)
          texels_[y * kSize + x] += amplitude * lattice(x, y, cells, seed + octave);
    }
    for (float &texel : texels_)
      texel /= total;
  }

  /// One period is 1024 units.
  float at(float x, float y) const {
    const float fx = std::floor(x), fy = std::floor(y), u = x - fx, v = y - fy;
    const auto ix = static_cast<std::uint32_t>(static_cast<std::int32_t>(fx)),
               iy = static_cast<std::uint32_t>(static_cast<std::int32_t>(fy));
    const float a = texel(ix, iy), b = texel(ix + 1, iy), c = texel(ix, iy + 1), d = texel(ix + 1, iy + 1);
    return a + (b - a) * u + (c - a) * v + (a - b - c + d) * u * v;
  }

 private:
  static constexpr unsigned kSize = 1024;
  float texel(std::uint32_t x, std::uint32_t y) const { return texels_[(y % kSize) * kSize + x % kSize]; }
  static float lattice(unsigned x, unsigned y, unsigned cells, std::uint32_t seed) {
    const float px = static_cast<float>(x * cells) / kSize, py = static_cast<float>(y * cells) / kSize;
    const auto cx = static_cast<unsigned>(px), cy = static_cast<unsigned>(py);
    const auto ease = [](float t) { return t * t * (3 - 2 * t); };
    const float u = ease(px - static_cast<float>(cx)), v = ease(py - static_cast<float>(cy));
    const auto corner = [&](unsigned dx, unsigned dy) {
      return chance((cx + dx) % cells, (cy + dy) % cells, seed);
    };
    const float top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * u;
    const float bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * u;
    return top + (bottom - top) * v;
  }
  std::vector<float> texels_;
};

struct Canvas {
  int width, height;
  float scale; // pixels per line of a 1080-line picture
  std::vector<Colour> pixels;

  Canvas(int w, int h)
      : width(w), height(h), scale(static_cast<float>(h) / 1080.f), pixels(static_cast<std::size_t>(w) * h) {}

  /// Every pixel from a function of its place, in two halves side by side.
  template <class Shade> void fill(Shade shade) {
    const auto rows = [&](int from, int to) {
      for (int y = from; y < to; ++y)
        for (int x = 0; x < width; ++x)
          pixels[static_cast<std::size_t>(y) * width + x] =
              shade(static_cast<float>(x) / scale, static_cast<float>(y) / scale);
    };
    std::thread half(rows, 0, height / 2);
    rows(height / 2, height);
    half.join();
  }

  /// An anti-aliased ellipse; `rim` > 0 draws a dark outline of that width, `soft` blurs the edge.
  void ellipse(float cx, float cy, float rx, float ry, Colour colour, float rim = 0, float soft = 0) {
    cx *= scale, cy *= scale, rx *= scale, ry *= scale, rim *= scale;
    const float edge = std::max(1.f, soft * scale), reach = rim + edge + 1, least = std::min(rx, ry);
    const int x0 = std::max(0, static_cast<int>(cx - rx - reach)),
              x1 = std::min(width, static_cast<int>(cx + rx + reach) + 1);
    const int y0 = std::max(0, static_cast<int>(cy - ry - reach)),
              y1 = std::min(height, static_cast<int>(cy + ry + reach) + 1);
    const Colour dark = rgb(0.07f, 0.05f, 0.09f);
    for (int y = y0; y < y1; ++y)
      for (int x = x0; x < x1; ++x) {
        const float dx = (static_cast<float>(x) - cx) / rx, dy = (static_cast<float>(y) - cy) / ry;
        const float distance = (std::sqrt(dx * dx + dy * dy) - 1) * least;
        Colour &pixel = pixels[static_cast<std::size_t>(y) * width + x];
        if (rim > 0) pixel = blend(pixel, dark, std::clamp((rim - distance) / edge + 0.5f, 0.f, 1.f));
        pixel = blend(pixel, colour, std::clamp(-distance / edge + 0.5f, 0.f, 1.f));
      }
  }

  /// Noise that is new in every frame; `strength` in 8-bit code values.
  void grain(float strength, int frame) {
    const auto seed = static_cast<std::uint32_t>(frame) * 2;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        pixels[static_cast<std::size_t>(y) * width + x].y +=
            (chance(x, y, seed) + chance(x, y, seed + 1) - 1) * strength * (2.45f / 219);
  }
};

const Noise &turf() {
  static const Noise noise(7, 0.75f, 50);
  return noise;
}
const Noise &cloth() {
  static const Noise noise(6, 0.6f, 91);
  return noise;
}
const Noise &wall() {
  static const Noise noise(2, 0.4f, 7);
  return noise;
}

void cartoon(Canvas &canvas, int frame) {
  const float pan = static_cast<float>(frame) * 2,
              time = static_cast<float>(frame / 2 * 2) / 25; // camera on ones, drawing on twos
  canvas.fill([&](float x, float y) {
    const float world = x + pan;
    Colour c = y < 260   ? rgb(0.36f, 0.66f, 0.95f)
               : y < 480 ? rgb(0.47f, 0.75f, 0.97f)
                         : rgb(0.62f, 0.84f, 0.98f);
    const auto hill = [&](float top, Colour colour) {
      c = blend(c, rgb(0.05f, 0.1f, 0.05f), std::clamp((y - top + 4) * canvas.scale + 0.5f, 0.f, 1.f));
      c = blend(c, colour, std::clamp((y - top) * canvas.scale + 0.5f, 0.f, 1.f));
    };
    hill(620 + 70 * std::sin(world * 0.0031f) + 30 * std::sin(world * 0.0113f), rgb(0.35f, 0.68f, 0.3f));
    hill(800 + 40 * std::sin(world * 0.0047f + 1), rgb(0.48f, 0.8f, 0.34f));
    return c;
  });
  canvas.ellipse(1560, 190, 95, 95, rgb(1, 0.88f, 0.3f), 4);
  for (int i = 0; i < 4; ++i) {
    const float x = std::fmod(static_cast<float>(i) * 620 + time * 40 - pan * 0.5f + 8000, 2400.f) - 240,
                y = 170 + 60 * static_cast<float>(i % 3);
    for (const float rim : {4.f, 0.f})
      for (int k = -2; k <= 2; ++k)
        canvas.ellipse(x + static_cast<float>(k) * 52, y - (k & 1 ? 18.f : 0.f), 60, 42, rgb(1, 1, 1), rim);
  }
  for (int i = 0; i < 7; ++i) {
    const float x = static_cast<float>(i) * 470 - pan + 100;
    canvas.ellipse(x, 740, 13, 110, rgb(0.55f, 0.36f, 0.2f), 4);
    canvas.ellipse(x, 610, 80, 92, rgb(0.16f, 0.55f, 0.24f), 5);
  }
  const std::array<Colour, 3> coats{rgb(0.92f, 0.25f, 0.22f), rgb(0.95f, 0.6f, 0.12f),
                                    rgb(0.5f, 0.3f, 0.75f)};
  for (int i = 0; i < 3; ++i) { // three that hop
    const float n = static_cast<float>(i), lift = std::fabs(std::sin(time * (5 + n) + n * 2)),
                squash = lift < 0.25f ? 1.18f - 0.18f * lift : 1;
    const float x = 420 + 480 * n + 60 * std::sin(time * 1.3f + n), y = 880 - 190 * lift;
    canvas.ellipse(x, y, 84 * squash, 84 / squash, coats[static_cast<std::size_t>(i)], 6);
    for (const float side : {-1.f, 1.f}) {
      canvas.ellipse(x + 28 * side, y - 24, 20, 26, rgb(1, 1, 1), 4);
      canvas.ellipse(x + 28 * side + 6, y - 20, 9, 12, rgb(0.05f, 0.05f, 0.08f));
    }
    canvas.ellipse(x, y + 34, 34, 10 + 8 * lift, rgb(0.35f, 0.05f, 0.08f), 4);
  }
}

void action(Canvas &canvas, int frame) {
  const int shot = frame / 30, local = frame % 30;
  const auto seed = static_cast<std::uint32_t>(50 + shot * 13);
  const float f = static_cast<float>(frame), speed = shot & 1 ? -17.f : 23.f;
  const float shift_x = speed * f + 7 * std::sin(f * 1.9f) + static_cast<float>(shot) * 400,
              shift_y = 5 * std::sin(f * 2.3f);
  const float zoom = 1 + 0.004f * static_cast<float>(local);
  const Noise &noise = turf();
  canvas.fill([&](float x, float y) {
    const float wx = (x - 960) / zoom + shift_x, wy = (y - 540) / zoom + shift_y;
    const float grass = noise.at(wx * 0.9f, wy * 0.9f + static_cast<float>(seed));
    Colour c =
        blend(rgb(0.1f, 0.28f, 0.06f), rgb(0.42f, 0.68f, 0.22f), std::clamp(grass * 1.6f - 0.3f, 0.f, 1.f));
    if (wy < -160) { // the stand
      const float seat = chance(static_cast<std::uint32_t>(static_cast<int>(std::floor(wx / 14))),
                                static_cast<std::uint32_t>(static_cast<int>(std::floor(wy / 18))),
                                seed + static_cast<std::uint32_t>(frame / 6));
      c = blend(rgb(0.15f, 0.15f, 0.2f), rgb(0.95f * seat, 0.6f * grass, 1 - seat), 0.3f + 0.7f * grass);
    }
    return c;
  });
  for (std::uint32_t i = 0; i < 26; ++i) { // players
    const float x =
        std::fmod(chance(i, 1, seed) * 2600 + (chance(i, 2, seed) - 0.5f) * 60 * f - shift_x * 0.9f + 520000,
                  2600.f) -
        300;
    const float y = 420 + chance(i, 3, seed) * 600, size = 0.5f + y / 1400,
                stride = 22 * std::sin(f * 0.9f + static_cast<float>(i)) * size;
    canvas.ellipse(x + stride, y + 70 * size, 13 * size, 46 * size, rgb(0.75f, 0.55f, 0.42f));
    canvas.ellipse(x - stride, y + 70 * size, 13 * size, 46 * size, rgb(0.7f, 0.5f, 0.4f));
    canvas.ellipse(x, y, 34 * size, 54 * size, i & 1 ? rgb(0.85f, 0.1f, 0.12f) : rgb(0.95f, 0.95f, 1));
    canvas.ellipse(x, y - 72 * size, 20 * size, 24 * size, rgb(0.8f, 0.62f, 0.5f));
  }
  for (std::uint32_t i = 0; i < 300; ++i) // spray
    canvas.ellipse(chance(i, static_cast<std::uint32_t>(frame), seed) * 1920,
                   300 + chance(i, static_cast<std::uint32_t>(frame), seed + 1) * 780, 2.2f, 2.2f,
                   rgb(1, 1, 0.9f));
  canvas.grain(4, frame);
}

void talk(Canvas &canvas, int frame) {
  const float time = static_cast<float>(frame) / 25, sway = 14 * std::sin(time * 1.1f),
              nod = 6 * std::sin(time * 1.7f);
  const Noise &back = wall();
  canvas.fill([&](float x, float y) {
    return blend(rgb(0.16f, 0.2f, 0.28f), rgb(0.45f, 0.4f, 0.33f), back.at(x * 0.5f, y * 0.5f));
  });
  const float x = 960 + sway, y = nod;
  canvas.ellipse(960 + sway * 0.5f, 1130, 470, 420, rgb(0.22f, 0.24f, 0.36f), 0, 6); // shoulders
  canvas.ellipse(x, 760 + y, 90, 130, rgb(0.7f, 0.52f, 0.42f), 0, 5);                // neck
  canvas.ellipse(x, 470 + y, 235, 290, rgb(0.22f, 0.14f, 0.1f), 0, 8);               // hair
  canvas.ellipse(x, 520 + y, 190, 245, rgb(0.83f, 0.64f, 0.53f), 0, 5);              // face
  canvas.ellipse(x, 640 + y, 62, 12 + 14 * std::fabs(std::sin(time * 9)), rgb(0.45f, 0.14f, 0.15f), 0, 3);
  const float lid = std::fmod(time, 2.2f) < 0.12f ? 3.f : 16.f;
  for (const float side : {-75.f, 75.f}) {
    canvas.ellipse(x + side, 480 + y, 30, lid, rgb(0.95f, 0.95f, 0.95f), 0, 2);
    canvas.ellipse(x + side, 480 + y, 13, std::min(13.f, lid), rgb(0.1f, 0.2f, 0.3f), 0, 2);
  }
  const Noise &detail = cloth(); // skin, hair and cloth move with the head
  for (int row = static_cast<int>(150 * canvas.scale); row < canvas.height; ++row)
    for (int column = 0; column < canvas.width; ++column) {
      const float px = static_cast<float>(column) / canvas.scale - sway,
                  py = static_cast<float>(row) / canvas.scale - nod;
      const float fade = std::clamp(std::min(px - 480, 1440 - px) / 200, 0.f, 1.f);
      if (fade > 0)
        canvas.pixels[static_cast<std::size_t>(row) * canvas.width + column].y +=
            (detail.at(px * 1.2f, py * 0.8f) - 0.5f) * 0.1f * fade;
    }
  canvas.grain(1.2f, frame);
}

using Draw = void (*)(Canvas &, int);

void mix(Canvas &canvas, int frame) {
  static constexpr std::array<Draw, 3> kShots{talk, action, cartoon};
  kShots[static_cast<std::size_t>(frame / 24) % kShots.size()](canvas, frame);
}

std::uint8_t code(float value, float black, float range, float low, float high) {
  return static_cast<std::uint8_t>(std::clamp(black + range * value + 0.5f, low, high));
}

bool write_frame(const Canvas &canvas, std::vector<std::uint8_t> &out) {
  const int w = canvas.width, h = canvas.height;
  std::uint8_t *luma = out.data(), *cb = luma + static_cast<std::size_t>(w) * h,
               *cr = cb + static_cast<std::size_t>(w / 2) * (h / 2);
  for (std::size_t i = 0; i < canvas.pixels.size(); ++i)
    luma[i] = code(canvas.pixels[i].y, 16, 219, 16, 235);
  for (int y = 0; y < h / 2; ++y)
    for (int x = 0; x < w / 2; ++x) {
      const Colour *top = &canvas.pixels[static_cast<std::size_t>(y) * 2 * w + x * 2], *bottom = top + w;
      *cb++ = code((top[0].u + top[1].u + bottom[0].u + bottom[1].u) / 4, 128, 224, 16, 240);
      *cr++ = code((top[0].v + top[1].v + bottom[0].v + bottom[1].v) / 4, 128, 224, 16, 240);
    }
  return std::fputs("FRAME\n", stdout) >= 0 && std::fwrite(out.data(), 1, out.size(), stdout) == out.size();
}

int number(const char *text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  return error == std::errc() && *end == 0 ? value : -1;
}

} // namespace

int main(int argc, char **argv) {
  struct Kind {
    std::string_view name;
    Draw draw;
  };
  static constexpr std::array<Kind, 4> kKinds{
      {{"cartoon", cartoon}, {"action", action}, {"talk", talk}, {"mix", mix}}};
  const auto *kind = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const Kind &k) { return argc == 6 && k.name == argv[1]; });
  const int width = argc == 6 ? number(argv[2]) : -1, height = argc == 6 ? number(argv[3]) : -1;
  const int rate = argc == 6 ? number(argv[4]) : -1, frames = argc == 6 ? number(argv[5]) : -1;
  if (kind == kKinds.end() || width < 16 || height < 16 || width > 8192 || height > 8192 || width % 2 ||
      height % 2 || rate < 1 || frames < 1) {
    fmt::print(stderr, "usage: hull-titlegen cartoon|action|talk|mix WIDTH HEIGHT FPS FRAMES > clip.y4m "
                       "(even sizes, 16 to 8192)\n");
    return 2;
  }
  Canvas canvas(width, height);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(width) * height * 3 / 2);
  // GStreamer 1.22's y4mdec reads no header longer than 80 bytes.
  fmt::print("YUV4MPEG2 W{} H{} F{}:1 Ip A1:1 C420mpeg2\n", width, height, rate);
  for (int frame = 0; frame < frames; ++frame) {
    kind->draw(canvas, frame);
    if (!write_frame(canvas, out)) {
      fmt::print(stderr, "hull-titlegen: writing failed; is the disk full?\n");
      return 1;
    }
  }
  return 0;
}
