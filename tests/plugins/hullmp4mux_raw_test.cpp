// Media without compression, and what is nearly that: the bytes that went into the muxer are those that others read back.

#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/rules/cmaf.h"
#include "gst/isobmff/rules/iso.h"
#include "tests/plugins/mp4_support.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

std::string file_bytes(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string entry_of(const std::string &file) {
  auto source = FileSource::open(file);
  if (!source) return {};
  auto found = locate(*source, "moov/trak/mdia/minf/stbl/stsd/*");
  return found ? found->node->type().text() : found.error().text;
}

// The rules a file breaks, one a line.
std::string broken_rules(const std::string &file, bool cmaf) {
  auto source = FileSource::open(file);
  if (!source) return source.error().text;
  auto findings = iso::check_file(*source);
  if (!findings) return findings.error().text;
  if (cmaf)
    for (const auto &finding : cmaf::check_file(*source).value_or(rules::Findings()))
      findings->push_back(finding);
  std::string text;
  for (const rules::Finding &finding : *findings)
    text += std::string(finding.rule) + ": " + finding.text + '\n';
  return text;
}

bool have_mp4box_js() {
  const char *source = std::getenv("HULL_SOURCE");
  return source && std::filesystem::exists(std::string(source) + "/tests/browser/node_modules/mp4box") &&
         output_of("node --version").starts_with("v");
}

// What mp4box.js finds in a file: its line of words, and the samples' bytes in `out`.
std::string of_mp4box_js(const std::string &file, const std::string &out) {
  return output_of("node '" + std::string(std::getenv("HULL_SOURCE")) + "/tests/browser/media.mjs' '" + file +
                   "' '" + out + "'");
}

// Writes `source` as it is and in each variant.
Ran write_all(const Folder &folder, const std::string &source, const std::vector<std::string> &variants) {
  std::string pipeline = source + " ! tee name=t  t. ! queue ! filesink location=" + (folder / "source");
  for (const std::string &variant : variants)
    pipeline += "  t. ! queue ! hullmp4mux fragment-duration=500000000 ! video/quicktime,variant=" + variant +
                " ! filesink location=" + (folder / variant);
  return launch(pipeline);
}

struct Sound {
  const char *name;
  const char *caps;
  const char *entry, *quicktime; ///< sample entries
  unsigned frame_bytes;
  unsigned rate;
  const char *codec;  ///< ffprobe's of the QuickTime file
  const char *ffmpeg; ///< its raw format of these numbers
  const char *pcmc;   ///< type and content of that box, in hex
  bool iso_by_ffmpeg; ///< its version 5 knows the ISO entry
};

const Sound kSounds[] = {
    {"s16le", "audio/x-raw,format=S16LE,rate=48000,channels=2", "ipcm", "sowt", 4, 48000, "pcm_s16le",
     "s16le", "70636d43 00000000 01 10", true},
    {"s16be_mono", "audio/x-raw,format=S16BE,rate=44100,channels=1", "ipcm", "twos", 2, 44100, "pcm_s16be",
     "s16be", "70636d43 00000000 00 10", true},
    {"s24le", "audio/x-raw,format=S24LE,rate=48000,channels=2", "ipcm", "in24", 6, 48000, "pcm_s24le",
     "s24le", "70636d43 00000000 01 18", false},
    {"s32be", "audio/x-raw,format=S32BE,rate=48000,channels=2", "ipcm", "in32", 8, 48000, "pcm_s32be",
     "s32be", "70636d43 00000000 00 20", false},
    {"f32le", "audio/x-raw,format=F32LE,rate=48000,channels=2", "fpcm", "fl32", 8, 48000, "pcm_f32le",
     "f32le", "70636d43 00000000 01 20", false},
    {"f64be", "audio/x-raw,format=F64BE,rate=48000,channels=1", "fpcm", "fl64", 8, 48000, "pcm_f64be",
     "f64be", "70636d43 00000000 00 40", false},
    {"s24le_96k_5_1", "audio/x-raw,format=S24LE,rate=96000,channels=6,channel-mask=(bitmask)0x3f", "ipcm",
     "lpcm", 18, 96000, "pcm_s24le", "s24le", "70636d43 00000000 01 18", false},
};

class Sounds : public testing::TestWithParam<Sound> {};

TEST_P(Sounds, ComeBackByteForByteAndAFrameIsASample) {
  const Sound &sound = GetParam();
  if (!have_ffmpeg()) GTEST_SKIP() << "needs ffmpeg";
  const Folder folder;
  const Ran ran = write_all(folder,
                            "audiotestsrc num-buffers=40 samplesperbuffer=1000 wave=pink-noise ! " +
                                std::string(sound.caps),
                            {"iso", "iso-fragmented", "cmaf", "apple"});
  ASSERT_EQ(ran.error, "");
  EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
  const std::string source = file_bytes(folder / "source");
  ASSERT_EQ(source.size(), 40'000u * sound.frame_bytes);

  const std::string quicktime = folder / "apple";
  EXPECT_EQ(entry_of(quicktime), sound.quicktime);
  EXPECT_EQ(probed(quicktime, "a", "codec_name"), sound.codec);
  EXPECT_EQ(probed(quicktime, "a", "sample_rate"), std::to_string(sound.rate));
  EXPECT_EQ(probed(quicktime, "a", "nb_frames"), "40000");
  EXPECT_EQ(broken_rules(quicktime, false), "");
  EXPECT_TRUE(output_of("ffmpeg -v error -i '" + quicktime + "' -c copy -f " + sound.ffmpeg + " -") ==
              source);
  if (has("qtdemux") && sound.quicktime != std::string("lpcm")) { // of that it reads one buffer now and then
    const Ran read =
        launch("filesrc location=" + quicktime + " ! qtdemux ! filesink location=" + (folder / "read"));
    EXPECT_EQ(read.error, "");
    EXPECT_TRUE(file_bytes(folder / "read") == source)
        << "qtdemux reads something else of " << file_bytes(folder / "read").size() << " bytes";
  }
  for (const char *variant : {"iso", "iso-fragmented", "cmaf"}) {
    SCOPED_TRACE(variant);
    const std::string file = folder / variant;
    EXPECT_EQ(entry_of(file), sound.entry);
    EXPECT_EQ(probed(file, "a", "sample_rate"), std::to_string(sound.rate));
    EXPECT_EQ(broken_rules(file, variant == std::string("cmaf")), "");
    const ByteVector pcmc = from_hex(sound.pcmc);
    EXPECT_NE(file_bytes(file).find(std::string(pcmc.begin(), pcmc.end())), std::string::npos);
    if (sound.iso_by_ffmpeg) {
      EXPECT_TRUE(output_of("ffmpeg -v error -i '" + file + "' -c copy -f " + sound.ffmpeg + " -") == source);
    }
    if (!have_mp4box_js()) continue;
    std::istringstream said(of_mp4box_js(file, folder / "read"));
    std::string entry, count, ticks, scale;
    said >> entry >> count >> ticks >> scale;
    EXPECT_EQ(entry, sound.entry);
    EXPECT_EQ(count, variant == std::string("iso") ? "40000" : "40");
    EXPECT_EQ(ticks, "40000");
    EXPECT_EQ(scale, std::to_string(sound.rate));
    EXPECT_TRUE(file_bytes(folder / "read") == source) << "mp4box.js reads something else";
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Sounds, testing::ValuesIn(kSounds),
                         [](const auto &info) { return std::string(info.param.name); });

struct Law {
  const char *name, *encoder, *entry, *codec;
};

class Laws : public testing::TestWithParam<Law> {};

TEST_P(Laws, AreReadByOthersInEachVariant) {
  const Law &law = GetParam();
  if (!have_ffmpeg() || !has(law.encoder)) GTEST_SKIP() << "needs ffmpeg and " << law.encoder;
  const Folder folder;
  const std::vector<std::string> variants = {"iso", "iso-fragmented", "cmaf", "apple"};
  const Ran ran =
      write_all(folder,
                "audiotestsrc num-buffers=20 samplesperbuffer=400 ! audio/x-raw,rate=8000,channels=1 ! " +
                    std::string(law.encoder),
                variants);
  ASSERT_EQ(ran.error, "");
  const std::string source = file_bytes(folder / "source");
  ASSERT_EQ(source.size(), 8'000u);
  for (const std::string &variant : variants) {
    SCOPED_TRACE(variant);
    EXPECT_EQ(entry_of(folder / variant), law.entry);
    EXPECT_EQ(probed(folder / variant, "a", "codec_name"), std::string("pcm_") + law.codec);
    EXPECT_EQ(broken_rules(folder / variant, variant == "cmaf"), "");
    EXPECT_TRUE(output_of("ffmpeg -v error -i '" + (folder / variant) + "' -c copy -f " + law.codec + " -") ==
                source);
    if (has("qtdemux")) {
      const Ran read = launch("filesrc location=" + (folder / variant) +
                              " ! qtdemux ! filesink location=" + (folder / "read"));
      EXPECT_EQ(read.error, "");
      EXPECT_TRUE(file_bytes(folder / "read") == source)
          << "qtdemux reads something else of " << file_bytes(folder / "read").size() << " bytes";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Laws,
                         testing::Values(Law{"a", "alawenc", "alaw", "alaw"},
                                         Law{"mu", "mulawenc", "ulaw", "mulaw"}),
                         [](const auto &info) { return std::string(info.param.name); });

// A hole of a second between frames: what follows keeps its time in a table of single frames.
TEST(Mp4Raw, AHoleInSoundLengthensTheFrameBeforeIt) {
  if (!have_mp4box_js()) GTEST_SKIP() << "needs node and mp4box.js in tests/browser/node_modules";
  const Folder folder;
  const ElementRef pipeline = parse(
      "appsrc name=src format=time caps=audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1 ! "
      "m.audio_0 hullmp4mux name=m ! video/quicktime,variant=iso ! filesink location=" +
      (folder / "hole.mp4"));
  const auto src = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "src"));
  for (const int tenth : {0, 1, 2, 13, 14, 15, 16, 17}) {
    GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 1600, nullptr);
    gst_buffer_memset(buffer, 0, static_cast<guint8>(tenth), 1600);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(tenth) * 100 * GST_MSECOND;
    ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(src.get()), buffer), GST_FLOW_OK);
  }
  gst_app_src_end_of_stream(GST_APP_SRC(src.get()));
  ASSERT_EQ(run(pipeline).error, "");
  std::istringstream said(of_mp4box_js(folder / "hole.mp4", folder / "read"));
  std::string entry, count, ticks;
  said >> entry >> count >> ticks;
  EXPECT_EQ(count, "6400");
  EXPECT_EQ(ticks, "14400");
  EXPECT_EQ(broken_rules(folder / "hole.mp4", false), "");
}

struct Picture {
  const char *name, *format;
  unsigned width, height;
  std::size_t bytes;
  const char *cmpd, *uncc, *rows; ///< what mp4box.js says
};

const Picture kPictures[] = {
    {"I420", "I420", 64, 48, 4608, "component_types=1.2.3", "sampling_type=2,interleave_type=0,",
     "row_align_size=0,"},
    {"I420_of_odd_rows", "I420", 62, 46, 64 * 46 + 32 * 46, "component_types=1.2.3",
     "sampling_type=2,interleave_type=0,", "row_align_size=4,"},
    {"NV12", "NV12", 64, 48, 4608, "component_types=1.2.3", "sampling_type=2,interleave_type=2,",
     "row_align_size=0,"},
    {"UYVY", "UYVY", 64, 48, 6144, "component_types=2.1.3.1", "sampling_type=1,interleave_type=5,",
     "row_align_size=0,"},
    {"RGB_of_odd_rows", "RGB", 63, 47, 192 * 47, "component_types=4.5.6",
     "sampling_type=0,interleave_type=1,", "row_align_size=4,"},
    {"BGRx", "BGRx", 64, 48, 12288, "component_types=6.5.4.12", "sampling_type=0,interleave_type=1,",
     "row_align_size=0,"},
    {"I420_10LE", "I420_10LE", 64, 48, 9216, "component_types=1.2.3", "sampling_type=2,interleave_type=0,",
     "row_align_size=0,"},
    {"GRAY16_LE", "GRAY16_LE", 64, 48, 6144, "component_types=0", "sampling_type=0,interleave_type=0,",
     "row_align_size=0,"},
};

class Pictures : public testing::TestWithParam<Picture> {};

TEST_P(Pictures, ComeBackByteForByte) {
  const Picture &picture = GetParam();
  if (!have_mp4box_js()) GTEST_SKIP() << "needs node and mp4box.js in tests/browser/node_modules";
  const Folder folder;
  const Ran ran = write_all(folder,
                            "videotestsrc num-buffers=10 pattern=snow ! video/x-raw,format=" +
                                std::string(picture.format) + ",width=" + std::to_string(picture.width) +
                                ",height=" + std::to_string(picture.height) + ",framerate=10/1",
                            {"iso", "iso-fragmented", "cmaf"});
  ASSERT_EQ(ran.error, "");
  const std::string source = file_bytes(folder / "source");
  ASSERT_EQ(source.size(), 10 * picture.bytes);
  for (const char *variant : {"iso", "iso-fragmented", "cmaf"}) {
    SCOPED_TRACE(variant);
    const std::string said = of_mp4box_js(folder / variant, folder / "read");
    EXPECT_TRUE(said.starts_with("uncv 10 ")) << said;
    EXPECT_NE(said.find(picture.uncc), said.npos) << said;
    EXPECT_NE(said.find(picture.rows), said.npos) << said;
    EXPECT_NE(said.find(picture.cmpd), said.npos) << said;
    EXPECT_TRUE(file_bytes(folder / "read") == source) << "mp4box.js reads something else";
    EXPECT_EQ(broken_rules(folder / variant, variant == std::string("cmaf")), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Pictures, testing::ValuesIn(kPictures),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Mp4Raw, Vp8IsReadByOthersInEachVariant) {
  if (!have_ffmpeg() || !has("vp8enc") || !has("vp8dec")) GTEST_SKIP() << "needs ffmpeg, vp8enc and vp8dec";
  const Folder folder;
  const std::vector<std::string> variants = {"iso", "iso-fragmented", "cmaf"};
  const Ran ran =
      write_all(folder,
                "videotestsrc num-buffers=24 ! video/x-raw,width=64,height=64,framerate=24/1 ! vp8enc "
                "deadline=1 cpu-used=8 keyframe-max-dist=12",
                variants);
  ASSERT_EQ(ran.error, "");
  const std::string source = file_bytes(folder / "source");
  for (const std::string &variant : variants) {
    SCOPED_TRACE(variant);
    const std::string file = folder / variant;
    EXPECT_EQ(entry_of(file), "vp08");
    EXPECT_EQ(probed(file, "v", "codec_name"), "vp8");
    EXPECT_EQ(probed(file, "v", "nb_read_packets"), "24");
    EXPECT_TRUE(output_of("ffmpeg -v error -i '" + file + "' -c copy -f rawvideo -") == source);
    EXPECT_EQ(launch("filesrc location=" + file + " ! qtdemux ! vp8dec ! fakesink").error, "");
    EXPECT_EQ(broken_rules(file, variant == "cmaf"), "");
  }
}

// GStreamer 1.22 has no encoder: the record is made up, its first bytes are what a record begins with.
TEST(Mp4Raw, VvcKeepsItsRecordBehindVersionAndFlags) {
  for (const char *format : {"vvc1", "vvi1"}) {
    const Folder folder;
    const ElementRef pipeline =
        parse("appsrc name=src format=time caps=video/x-h266,stream-format=" + std::string(format) +
              ",alignment=au,width=64,height=64,framerate=25/1,codec_data=(buffer)ff00105f0102 ! "
              "hullmp4mux ! video/quicktime,variant=iso ! filesink location=" +
              (folder / "vvc.mp4"));
    const auto src = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "src"));
    for (int i = 0; i < 5; ++i) {
      GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 100, nullptr);
      gst_buffer_memset(buffer, 0, static_cast<guint8>(i), 100);
      GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = static_cast<GstClockTime>(i) * 40 * GST_MSECOND;
      GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
      if (i > 0) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
      ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(src.get()), buffer), GST_FLOW_OK);
    }
    gst_app_src_end_of_stream(GST_APP_SRC(src.get()));
    ASSERT_EQ(run(pipeline).error, "");
    EXPECT_EQ(entry_of(folder / "vvc.mp4"), format);
    auto source = FileSource::open(folder / "vvc.mp4");
    auto vvcc = locate(*source, std::string("moov/trak/mdia/minf/stbl/stsd/") + format + "/vvcC");
    ASSERT_TRUE(vvcc) << vvcc.error().text;
    EXPECT_EQ(to_hex(*write_payload(*vvcc->node->box)), "00000000ff00105f0102");
    EXPECT_EQ(broken_rules(folder / "vvc.mp4", false), "");
  }
}

TEST(Mp4Raw, ExtraBrandsStandBehindTheFilesOwn) {
  for (const char *variant : {"iso", "cmaf", "apple"}) {
    const Folder folder;
    const std::string file = folder / "brands.mp4";
    ASSERT_EQ(launch("audiotestsrc num-buffers=5 ! audio/x-raw,format=S16LE ! hullmp4mux "
                     "extra-brands=\"dash, iso9,M4A\" ! "
                     "video/quicktime,variant=" +
                     std::string(variant) + " ! filesink location=" + file)
                  .error,
              "");
    auto source = FileSource::open(file);
    auto ftyp = locate(*source, "ftyp");
    ASSERT_TRUE(ftyp);
    const auto *type = std::as_const(*ftyp->node).as<FileType>();
    const std::vector<FourCC> wanted = {"dash", "iso9", "M4A "};
    ASSERT_GT(type->compatible_brands.size(), wanted.size());
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), type->compatible_brands.end() - 3)) << variant;
  }
}

TEST(Mp4Raw, ABrandOfFiveLettersIsRefusedInWords) {
  const Folder folder;
  for (const char *variant : {"iso", "cmaf"}) {
    const Ran ran =
        launch("audiotestsrc num-buffers=5 ! audio/x-raw,format=S16LE ! hullmp4mux extra-brands=iso9,iso10 ! "
               "video/quicktime,variant=" +
               std::string(variant) + " ! filesink location=" + (folder / "x.mp4"));
    EXPECT_NE(ran.error.find("'iso10' is no brand"), std::string::npos) << ran.error;
  }
}

struct Refusal {
  const char *name, *source, *variant, *says;
};

const Refusal kRefusals[] = {
    {"odd_chroma", "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=63,height=48", "iso",
     "even width"},
    {"odd_chroma_rows", "videotestsrc num-buffers=3 ! video/x-raw,format=NV12,width=64,height=47", "cmaf",
     "even width"},
    {"fields",
     "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=48 ! capssetter "
     "caps=video/x-raw,interlace-mode=interleaved",
     "iso", "deinterlace"},
    {"uncv_in_quicktime", "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=64,height=48", "apple",
     "variant=apple takes"},
    {"vp8_in_quicktime", "videotestsrc num-buffers=3 ! vp8enc", "apple", "variant=apple takes"},
};

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, AreInWords) {
  const Refusal &refusal = GetParam();
  const Folder folder;
  const Ran ran =
      launch(std::string(refusal.source) + " ! hullmp4mux ! video/quicktime,variant=" + refusal.variant +
             " ! filesink location=" + (folder / "x.mp4"));
  EXPECT_NE(ran.error.find(refusal.says), std::string::npos) << ran.error;
}

INSTANTIATE_TEST_SUITE_P(Each, Refusals, testing::ValuesIn(kRefusals),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
