// Sound whose delay and padding are known: what is decoded begins and ends where the input did, and the file says how many
// samples a decoder needs before it is right.

#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/rules/cmaf.h"
#include "gst/isobmff/rules/iso.h"
#include "tests/plugins/mp4_support.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

#include <gst/audio/audio.h>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

constexpr std::size_t kFrames = 50'000; // of stereo at 48 kHz
constexpr std::size_t kFrameBytes = 4;

std::string file_bytes(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A sweep: a frame more or less shows everywhere.
void write_sound(const std::string &path) {
  std::ofstream out(path, std::ios::binary);
  for (std::size_t i = 0; i < kFrames; ++i) {
    const double t = static_cast<double>(i) / 48'000;
    for (const double amplitude : {9000.0, 6000.0}) {
      const auto value =
          static_cast<std::int16_t>(amplitude * std::sin(2 * 3.141592653589793 * (200 + 900 * t) * t));
      out.put(static_cast<char>(value & 0xff));
      out.put(static_cast<char>(value >> 8));
    }
  }
}

struct Coder {
  const char *name;
  const char *encoder;   ///< and its parser
  const char *reference; ///< behind the encoder: a file that ffmpeg decodes
  unsigned delay; ///< frames that the probe says the encoder puts in front; 0: it says so itself, or has none
  unsigned packet;          ///< frames of a packet
  unsigned reference_delay; ///< frames of the decoded reference in front of the sound
  int roll;                 ///< packets that a decoder needs before it is right
  bool quicktime;
};

const Coder kCoders[] = {
    {"opus", "opusenc ! ", "oggmux", 0, 960, 0, -4, false},
    {"opus_parsed", "opusenc ! opusparse ! ", "oggmux", 0, 960, 0, -4, false},
    {"opus_60", "opusenc frame-size=60 ! opusparse ! ", "oggmux", 0, 2880, 0, -2, false},
    {"opus_5", "opusenc frame-size=5 ! ", "oggmux", 0, 240, 0, -16, false},
    {"flac", "flacenc ! flacparse ! ", "identity", 0, 4608, 0, 0, false},
    {"aac", "avenc_aac ! aacparse ! ", "audio/mpeg,stream-format=adts", 1024, 1024, 1024, -1, true},
    {"mp3", "lamemp3enc ! mpegaudioparse ! ", "identity", 1105, 1152, 1105, 0, true},
};

struct Layout {
  const char *name;
  const char *rest;
  bool whole;
  bool quicktime;
};

const Layout kLayouts[] = {
    {"hybrid", "hullmp4mux ! hullmp4sink layout=hybrid location=", true, false},
    {"insert", "hullmp4mux ! hullmp4sink layout=insert location=", true, false},
    {"iso", "hullmp4mux ! video/quicktime,variant=iso ! filesink location=", true, false},
    {"apple", "hullmp4mux ! video/quicktime,variant=apple ! filesink location=", true, true},
    {"fragmented",
     "hullmp4mux fragment-duration=400000000 ! video/quicktime,variant=iso-fragmented ! filesink location=",
     false, false},
    {"cmaf", "hullmp4mux fragment-duration=400000000 ! video/quicktime,variant=cmaf ! filesink location=",
     false, false},
};

// Says of the first packet what is dropped in front, of the last what is behind.
struct Delay {
  unsigned front = 0, packet = 0;
  std::uint64_t packets = 0;
};

GstPadProbeReturn say_delay(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &delay = *static_cast<Delay *>(data);
  GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const std::uint64_t all = (kFrames + delay.front + delay.packet - 1) / delay.packet;
  const std::uint64_t number = delay.packets++;
  if (number >= all) return GST_PAD_PROBE_DROP;
  if (number == 0) gst_buffer_add_audio_clipping_meta(buffer, GST_FORMAT_DEFAULT, delay.front, 0);
  if (number == all - 1)
    gst_buffer_add_audio_clipping_meta(buffer, GST_FORMAT_DEFAULT, 0,
                                       all * delay.packet - delay.front - kFrames);
  // As encoders do that say it: time begins with the sound.
  const GstClockTime before = gst_util_uint64_scale_round(delay.front, GST_SECOND, 48'000);
  if (number > 0) GST_BUFFER_PTS(buffer) -= before;
  GST_BUFFER_DTS(buffer) = GST_BUFFER_PTS(buffer);
  GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale_round(delay.packet, GST_SECOND, 48'000);
  return GST_PAD_PROBE_OK;
}

class Gapless : public testing::TestWithParam<std::tuple<Coder, Layout>> {
 protected:
  void SetUp() override {
    if (!have_ffmpeg()) GTEST_SKIP() << "needs ffmpeg";
    if (layout.quicktime && !coder.quicktime) GTEST_SKIP() << "QuickTime files do not hold it";
    const std::string encoder = std::string(coder.encoder).substr(0, std::string(coder.encoder).find(' '));
    if (!has(encoder.c_str())) GTEST_SKIP() << "needs " << encoder;
    write_sound(folder / "in.raw");
  }
  std::string encoded() const {
    return "filesrc location=" + (folder / "in.raw") +
           " ! rawaudioparse format=pcm pcm-format=s16le sample-rate=48000 num-channels=2 ! audioconvert ! " +
           coder.encoder;
  }
  Ran write() const {
    const ElementRef pipeline = parse(encoded() + "identity name=i ! " + layout.rest + file);
    Delay delay{coder.delay, coder.packet, 0};
    const auto identity = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "i"));
    const auto pad = PadRef::adopt(gst_element_get_static_pad(identity.get(), "src"));
    if (coder.delay) gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, say_delay, &delay, nullptr);
    return run(pipeline);
  }
  // Of a file in fragments ffmpeg decodes what lies in front of time 0, too, and says so by its time.
  std::string decoded(const std::string &path, bool from_zero = false) const {
    return output_of("ffmpeg -v fatal " + std::string(from_zero ? "-copyts " : "") + "-i '" + path + "' " +
                     (from_zero ? "-af atrim=start=0 " : "") + "-f s16le -");
  }
  const Coder &coder = std::get<0>(GetParam());
  const Layout &layout = std::get<1>(GetParam());
  Folder folder;
  const std::string file = folder / "out.mp4";
};

// Where the packets end, counted in frames from time 0 on, which is where the sound begins.
long shown_frames(const std::string &file, bool whole) {
  const std::string wanted = whole ? "packet=pts,duration" : "stream=start_pts,duration_ts";
  std::istringstream lines(
      output_of("ffprobe -v error -show_entries " + wanted + " -of csv=p=0 '" + file + "'"));
  std::string line;
  long first = 0, end = 0;
  for (bool any = false; std::getline(lines, line); any = true) {
    long start = 0, duration = 0;
    char comma = 0;
    std::istringstream(line) >> start >> comma >> duration;
    if (!any) first = start;
    end = start + duration;
  }
  EXPECT_LE(first, 0);
  return end;
}

TEST_P(Gapless, ItBeginsAndEndsWhereTheInputDid) {
  ASSERT_EQ(write().error, "");
  ASSERT_EQ(launch(encoded() + coder.reference + " ! filesink location=" + (folder / "reference")).error, "");
  EXPECT_EQ(shown_frames(file, layout.whole), static_cast<long>(kFrames));
  const std::string wanted =
      decoded(folder / "reference").substr(coder.reference_delay * kFrameBytes, kFrames * kFrameBytes);
  ASSERT_EQ(wanted.size(), kFrames * kFrameBytes);
  // ffmpeg shows the last packet of lossy sound to its end.
  const std::string read = decoded(file, !layout.whole);
  ASSERT_GE(read.size(), wanted.size());
  EXPECT_LT(read.size(), wanted.size() + coder.packet * kFrameBytes);
  EXPECT_TRUE(read.compare(0, wanted.size(), wanted) == 0);
}

// qtdemux begins with the packet in which the edit does, which decoders of AAC and MP3 need one before; what it shows ends
// at the edit's end.
TEST_P(Gapless, ADecoderThatGoesByTheEditEndsThereToo) {
  if (!layout.whole) GTEST_SKIP() << "the header of fragments does not know their end";
  if (coder.delay > 0 || coder.name == std::string("opus_5"))
    GTEST_SKIP() << "qtdemux leaves out what the decoder needs";
  ASSERT_EQ(write().error, "");
  const Ran ran = launch("filesrc location=" + file +
                         " ! qtdemux ! decodebin ! audioconvert ! audio/x-raw,format=S16LE,channels=2 ! "
                         "filesink location=" +
                         (folder / "out.raw"));
  ASSERT_EQ(ran.error, "");
  EXPECT_EQ(file_bytes(folder / "out.raw").size() / kFrameBytes, kFrames);
}

// A whole file's edit says exactly how many frames are shown.
TEST_P(Gapless, TheEditIsAsLongAsTheSound) {
  if (!layout.whole || coder.name == std::string("flac")) GTEST_SKIP() << "no edit";
  ASSERT_EQ(write().error, "");
  auto source = FileSource::open(file);
  auto boxes = source ? parse_boxes(*source) : Result<std::vector<Node>>(tl::unexpected(source.error()));
  ASSERT_TRUE(boxes);
  for (const Node &box : *boxes) {
    if (box.type() != FourCC("moov")) continue;
    const auto *mvhd = box.get<MovieHeader>();
    const auto *elst = find_box<EditList>(box, "trak/edts/elst");
    ASSERT_TRUE(mvhd && elst && elst->entries.size() == 1);
    EXPECT_EQ(elst->entries[0].segment_duration * 48'000, kFrames * mvhd->timescale);
  }
}

// The distance that sgpd says for the group of all samples; 0: no such group.
int roll_of(const std::string &path) {
  auto source = FileSource::open(path);
  auto boxes = source ? parse_boxes(*source) : Result<std::vector<Node>>(tl::unexpected(source.error()));
  if (!boxes) return 1;
  std::uint64_t described = 0, grouped = 0;
  int distance = 0;
  const auto look = [&](const Node &parent) {
    for (const Node &box : parent.children) {
      if (const auto *stsz = box.as<SampleSize>())
        described += std::max<std::size_t>(stsz->sample_count, stsz->entry_sizes.size());
      if (const auto *trun = box.as<TrackRun>()) described += trun->sample_count;
      if (const auto *sgpd = box.as<SampleGroupDescription>(); sgpd && sgpd->entries.size() == 1)
        distance = static_cast<std::int16_t>(load_be(sgpd->entries[0].data(), 2));
      if (const auto *sbgp = box.as<SampleToGroup>(); sbgp && sbgp->grouping_type == FourCC("roll"))
        for (const auto &entry : sbgp->entries)
          grouped += entry.group_description_index == 1 ? entry.sample_count : 0;
    }
  };
  for (const Node &box : *boxes) {
    if (const Node *stbl = find(box, "trak/mdia/minf/stbl")) look(*stbl);
    if (const Node *traf = find(box, "traf")) look(*traf);
  }
  if (distance == 0) return grouped == 0 ? 0 : 1;
  EXPECT_GT(described, 0u);
  return described == grouped ? distance : 1;
}

TEST_P(Gapless, TheFileSaysHowFarADecoderMustRoll) {
  ASSERT_EQ(write().error, "");
  EXPECT_EQ(roll_of(file), coder.roll);
  auto source = FileSource::open(file);
  ASSERT_TRUE(source);
  auto findings = iso::check_file(*source).value_or(rules::Findings());
  if (layout.name == std::string("cmaf"))
    for (const auto &finding : cmaf::check_file(*source).value_or(rules::Findings()))
      findings.push_back(finding);
  for (const auto &finding : findings)
    ADD_FAILURE() << finding.rule << ": " << finding.text;
}

// Players that do not go by edit lists know this tag: delay, padding and length in hexadecimal.
TEST_P(Gapless, AacFilesHaveTheTagOfITunes) {
  if (coder.name != std::string("aac") || !layout.whole || layout.quicktime) GTEST_SKIP() << "no such tag";
  ASSERT_EQ(write().error, "");
  EXPECT_EQ(output_of("ffprobe -v error -show_entries format_tags=iTunSMPB -of csv=p=0 '" + file + "'")
                .substr(0, 45),
            " 00000000 00000400 000000B0 000000000000C350 ");
}

INSTANTIATE_TEST_SUITE_P(Sound, Gapless,
                         testing::Combine(testing::ValuesIn(kCoders), testing::ValuesIn(kLayouts)),
                         [](const auto &info) {
                           return std::string(std::get<0>(info.param).name) + "_" +
                                  std::get<1>(info.param).name;
                         });

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
