// Every codec the muxer takes, in every variant, as other people's readers see it, sample by sample against
// the source where they tell so much; and what decrypters make of encrypted tracks.

#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/rules/cmaf.h"
#include "tests/plugins/mp4_support.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include <gst/audio/audio.h>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

struct Codec {
  const char *name;
  const char *needs; ///< element that may be missing
  const char *source;
  bool video;
  const char *entry;     ///< sample entry
  const char *ffprobe;   ///< codec_name
  const char *mediainfo; ///< Format, as older and newer versions say it
  const char *decoder;   ///< of GStreamer, behind qtdemux; all are in what ./dev installs
};

#define PICTURES "videotestsrc num-buffers=24 pattern=ball ! video/x-raw,width=64,height=64,framerate=24/1 ! "
#define SOUND                                                                                                \
  "audiotestsrc num-buffers=40 samplesperbuffer=1152 ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! "

const Codec kCodecs[] = {
    {"avc1", "x264enc", PICTURES "x264enc key-int-max=12 ! h264parse ! video/x-h264,stream-format=avc ! ",
     true, "avc1", "h264", "AVC", "h264parse ! avdec_h264"},
    {"avc3", "x264enc",
     PICTURES "x264enc key-int-max=12 ! h264parse config-interval=-1 ! video/x-h264,stream-format=avc3 ! ",
     true, "avc3", "h264", "AVC", "h264parse ! avdec_h264"},
    {"hvc1", "x265enc", PICTURES "x265enc key-int-max=12 ! h265parse ! video/x-h265,stream-format=hvc1 ! ",
     true, "hvc1", "hevc", "HEVC", "h265parse ! avdec_h265"},
    {"hev1", "x265enc",
     PICTURES "x265enc key-int-max=12 ! h265parse config-interval=-1 ! video/x-h265,stream-format=hev1 ! ",
     true, "hev1", "hevc", "HEVC", "h265parse ! avdec_h265"},
    {"av1", "av1enc", PICTURES "av1enc cpu-used=8 ! av1parse ! ", true, "av01", "av1", "AV1",
     "av1parse ! av1dec"},
    {"vp9", "vp9enc", PICTURES "vp9enc deadline=1 cpu-used=8 ! vp9parse ! ", true, "vp09", "vp9", "vp09|VP9",
     "vp9dec"},
    {"aac", "avenc_aac", SOUND "avenc_aac ! aacparse ! ", false, "mp4a", "aac", "AAC", "avdec_aac"},
    {"mp3", "lamemp3enc", SOUND "lamemp3enc ! mpegaudioparse ! ", false, "mp4a", "mp3", "MPEG Audio",
     "mpegaudioparse ! avdec_mp3"},
    {"opus", "opusenc", SOUND "opusenc ! opusparse ! ", false, "Opus", "opus", "Opus", "opusdec"},
    {"flac", "flacenc", SOUND "flacenc ! flacparse ! ", false, "fLaC", "flac", "FLAC", "flacdec"},
    {"ac3", "avenc_ac3", SOUND "avenc_ac3 ! ac3parse ! ", false, "ac-3", "ac3", "AC-3", "avdec_ac3"},
    {"eac3", "avenc_eac3", SOUND "avenc_eac3 ! ac3parse ! ", false, "ec-3", "eac3", "E-AC-3", "avdec_eac3"},
};

class Codecs : public testing::TestWithParam<Codec> {};

// Hashes of the packets, whatever container they are in.
std::string packets_of(const std::string &file, const std::string &options = {}) {
  return output_of("ffmpeg -v error " + options + " -i '" + file +
                   "' -map 0 -c copy -f framehash - 2>/dev/null | grep -v '^#' | awk -F', *' '{print $6}'");
}

// The CMAF rules a file breaks, one per line.
std::string broken_rules(const std::string &file) {
  auto source = FileSource::open(file);
  if (!source) return source.error().text;
  const auto findings = cmaf::check_file(*source);
  if (!findings) return findings.error().text;
  std::string text;
  for (const cmaf::Finding &finding : *findings)
    if (finding.level == cmaf::Level::must) text += std::string(finding.rule) + ": " + finding.text + '\n';
  return text;
}

std::string entry_of(const std::string &file) {
  auto source = FileSource::open(file);
  if (!source) return {};
  auto found = locate(*source, "moov/trak/mdia/minf/stbl/stsd/*");
  return found ? found->node->type().text() : found.error().text;
}

TEST_P(Codecs, IsReadByEverybodyInEveryVariant) {
  const Codec &codec = GetParam();
  if (!have_ffmpeg() || !has(codec.needs)) GTEST_SKIP() << "needs ffmpeg and " << codec.needs;
  const Folder folder;
  const char *kind = codec.video ? "v" : "a";
  const std::vector<std::string> variants = {"iso", "iso-fragmented", "cmaf"};
  std::string pipeline = std::string(codec.source) + "tee name=t"; // encoders do not all repeat themselves
  for (const std::string &variant : variants)
    pipeline += " t. ! queue ! hullmp4mux send-force-keyunit=false fragment-duration=500000000 ! "
                "video/quicktime,variant=" +
                variant + " ! filesink location=" + (folder / (variant + ".mp4"));
  const Ran ran = launch(pipeline);
  ASSERT_EQ(ran.error, "");
  EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
  std::string first_packets;
  for (const std::string &variant : variants) {
    SCOPED_TRACE(variant);
    const std::string file = folder / (variant + ".mp4");
    EXPECT_EQ(entry_of(file), codec.entry);
    EXPECT_EQ(probed(file, kind, "codec_name"), codec.ffprobe);
    if (codec.video) {
      EXPECT_EQ(probed(file, kind, "nb_read_packets"), "24");
    }
    EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
    const std::string packets = packets_of(file);
    EXPECT_GT(packets.size(), 500u);
    if (first_packets.empty()) first_packets = packets;
    EXPECT_EQ(packets, first_packets);
    const std::string said = output_of(std::string("mediainfo --Inform='") +
                                       (codec.video ? "Video" : "Audio") + ";%Format%' '" + file + "'");
    if (said.find("not found") == std::string::npos) {
      const std::string name = '|' + said.substr(0, said.find('\n')) + '|';
      EXPECT_NE(('|' + std::string(codec.mediainfo) + '|').find(name), std::string::npos) << name;
    }
    if (has("qtdemux")) {
      const Ran played = launch("filesrc location=" + file + " ! qtdemux ! " + codec.decoder + " ! fakesink");
      EXPECT_EQ(played.error, "");
      EXPECT_TRUE(played.warnings.empty());
    }
    if (variant == "cmaf") {
      EXPECT_EQ(broken_rules(file), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Codecs, testing::ValuesIn(kCodecs),
                         [](const auto &info) { return std::string(info.param.name); });

struct Sample {
  double time, end; ///< seconds since the first sample decodes
  std::size_t size;
};

// What went into a muxer, or what a reader says of its file.
struct Samples {
  std::string codec;
  double claimed = 0; ///< length of the movie; 0 where the file does not say
  std::vector<Sample> all;

  void add(double time, double duration, std::size_t size) {
    if (all.empty()) first_ = time;
    all.push_back({time - first_, time - first_ + duration, size});
  }

 private:
  double first_ = 0;
};

GstPadProbeReturn note_sample(GstPad *, GstPadProbeInfo *info, gpointer samples) {
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  double duration = double(GST_BUFFER_DURATION(buffer)) / GST_SECOND;
  if (const auto *clipping = gst_buffer_get_audio_clipping_meta(buffer)) // opusparse names the whole packet
    duration -= double(clipping->end) / 48000;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) // stream headers have none
    static_cast<Samples *>(samples)->add(double(GST_BUFFER_DTS_OR_PTS(buffer)) / GST_SECOND, duration,
                                         gst_buffer_get_size(buffer));
  return GST_PAD_PROBE_OK;
}

// One line of samples.mjs.
Samples parse_samples(const std::string &line) {
  std::istringstream words(line);
  Samples samples;
  words >> samples.codec >> samples.claimed;
  double time = 0, duration = 0;
  for (std::size_t size = 0; words >> time >> duration >> size;)
    samples.add(time, duration, size);
  return samples;
}

// Decode times are rounded to the track's timescale, the length of the movie to milliseconds.
constexpr double kTick = 0.0011;

void expect_without_gaps(const Samples &samples) {
  for (std::size_t i = 1; i < samples.all.size(); ++i)
    EXPECT_NEAR(samples.all[i].time, samples.all[i - 1].end, 1e-9) << "sample " << i;
}

// `lead` is what is decoded of the first sample and never heard: the source's times leave it out.
void expect_same(const Samples &read, const Samples &source, double lead) {
  ASSERT_EQ(read.all.size(), source.all.size());
  for (std::size_t i = 0; i < read.all.size(); ++i) {
    EXPECT_NEAR(read.all[i].time, source.all[i].time + (i ? lead : 0), kTick) << "sample " << i;
    EXPECT_EQ(read.all[i].size, source.all[i].size) << "sample " << i;
  }
  EXPECT_NEAR(read.all.back().end, source.all.back().end + lead, kTick);
  expect_without_gaps(read);
}

const std::vector<std::string> kLayouts = {"iso", "iso-fragmented", "cmaf", "hybrid"};

std::string of_layouts(const Folder &folder, const std::string &name, const std::string &source) {
  std::string pipeline = source + "tee name=t";
  for (const std::string &layout : kLayouts)
    pipeline += " t. ! queue ! hullmp4mux send-force-keyunit=false fragment-duration=500000000 ! " +
                (layout == "hybrid" ? "video/quicktime,variant=iso-fragmented ! hullmp4sink layout=hybrid"
                                    : "video/quicktime,variant=" + layout + " ! filesink async=false") +
                " location=" + (folder / (name + "." + layout + ".mp4"));
  return pipeline;
}

// What mp4box.js says of each file, in their order; empty and a failure where it cannot read one or
// complains.
std::vector<Samples> of_mp4box_js(const std::vector<std::string> &files) {
  std::string command = "node '" + std::string(std::getenv("HULL_SOURCE")) + "/tests/browser/samples.mjs'";
  for (const std::string &file : files)
    command += " '" + file + "'";
  // It calls the dfLa of ffmpeg's and qtmux's files too short as well.
  const std::string said = output_of(command + " 2>&1 | grep -v \"box 'dfLa'\"");
  std::istringstream lines(said);
  std::vector<Samples> read;
  for (std::string line; std::getline(lines, line);)
    read.push_back(parse_samples(line));
  if (read.size() == files.size()) return read;
  ADD_FAILURE() << said;
  return {};
}

bool have_mp4box_js() {
  const char *source = std::getenv("HULL_SOURCE");
  return source && std::filesystem::exists(std::string(source) + "/tests/browser/node_modules/mp4box") &&
         output_of("node --version").starts_with("v");
}

TEST(Mp4Samples, Mp4boxJsAndShakaFindThoseOfTheSource) {
  if (!have_mp4box_js()) GTEST_SKIP() << "needs node and mp4box.js in tests/browser/node_modules";
  const char *shaka = std::getenv("HULL_SHAKA_PACKAGER");
  const Folder folder;
  std::string skipped = shaka ? "" : "Shaka Packager: HULL_SHAKA_PACKAGER names none. ";
  std::vector<std::string> files;
  std::vector<std::pair<const Codec *, Samples>> sources; // of each file
  for (const Codec &codec : kCodecs) {
    SCOPED_TRACE(codec.name);
    if (!has(codec.needs)) {
      skipped += std::string(codec.name) + ": needs " + codec.needs + ". ";
      continue;
    }
    const ElementRef pipeline = parse(of_layouts(folder, codec.name, codec.source));
    Samples source;
    const auto tee = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "t"));
    const auto pad = ObjectRef<GstPad>::adopt(gst_element_get_static_pad(tee.get(), "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, note_sample, &source, nullptr);
    ASSERT_EQ(run(pipeline).error, "");
    ASSERT_GT(source.all.size(), 5u);
    // It clears its caches of 32 MiB for each file, unless they are small.
    std::string repackage = std::string(shaka ? shaka : "") + " --io_cache_size 1048576";
    // MP3 in MP4 it refuses from ffmpeg and qtmux too.
    const bool repackaged = shaka && std::string(codec.name) != "mp3";
    for (const std::string &layout : kLayouts) {
      const std::string file = folder / (std::string(codec.name) + "." + layout + ".mp4");
      files.push_back(file);
      sources.emplace_back(&codec, source);
      if (!repackaged) continue;
      files.push_back(file + ".shaka.mp4");
      sources.emplace_back(&codec, source);
      repackage += " in=" + file + ",stream=" + (codec.video ? "video" : "audio") + ",output=" + files.back();
    }
    if (!repackaged) continue;
    const std::string said = output_of(repackage);
    ASSERT_NE(said.find("Packaging completed successfully"), std::string::npos) << said;
  }
  const std::vector<Samples> read = of_mp4box_js(files);
  for (std::size_t i = 0; i < read.size(); ++i) {
    SCOPED_TRACE(files[i].substr(files[i].rfind('/') + 1));
    const auto &[codec, source] = sources[i];
    EXPECT_EQ(read[i].codec.substr(0, 4), codec->entry);
    expect_same(read[i], source, codec->name == std::string("opus") ? 312.0 / 48000 : 0);
    if (files[i].ends_with(".iso.mp4") || files[i].ends_with(".hybrid.mp4")) {
      EXPECT_NEAR(read[i].claimed, source.all.back().end, kTick);
    }
  }
  if (!skipped.empty()) GTEST_SKIP() << skipped;
}

// Shaka Packager takes no text out of MP4, its own neither.
TEST(Mp4Samples, Mp4boxJsFindsTextWhereTheSourceHasIt) {
  if (!have_mp4box_js()) GTEST_SKIP() << "needs node and mp4box.js in tests/browser/node_modules";
  const struct {
    const char *entry, *caps, *text;
    std::vector<double> borders; ///< what is shown changes at these seconds
  } kTexts[] = {
      {"wvtt",
       "application/x-subtitle-vtt",
       "WEBVTT\n\n00:00:00.300 --> 00:00:01.200\none\n\n00:00:01.000 --> 00:00:02.250\ntwo\n\n"
       "00:00:03.000 --> 00:00:03.750\nthree\n",
       {0, 0.3, 1, 1.2, 2.25, 3, 3.75}},
      {"stpp",
       "application/ttml+xml",
       "<?xml version=\"1.0\"?><tt xmlns=\"http://www.w3.org/ns/ttml\" xml:lang=\"en\"><body><div>"
       "<p begin=\"1s\" end=\"2s\">one</p><p begin=\"2.5s\" end=\"3.75s\">two</p></div></body></tt>",
       {0, 3.75}}};
  const Folder folder;
  std::vector<std::string> files;
  for (const auto &text : kTexts) {
    const std::string in = folder / text.entry;
    std::ofstream(in) << text.text;
    const Ran ran =
        launch(of_layouts(folder, text.entry, "filesrc location=" + in + " ! " + text.caps + " ! "));
    ASSERT_EQ(ran.error, "");
    for (const std::string &layout : kLayouts)
      files.push_back(folder / (std::string(text.entry) + "." + layout + ".mp4"));
  }
  const std::vector<Samples> read = of_mp4box_js(files);
  for (std::size_t i = 0; i < read.size(); ++i) {
    SCOPED_TRACE(files[i].substr(files[i].rfind('/') + 1));
    const auto &text = kTexts[i / kLayouts.size()];
    EXPECT_TRUE(read[i].codec.starts_with(text.entry)) << read[i].codec;
    ASSERT_FALSE(read[i].all.empty());
    expect_without_gaps(read[i]);
    std::vector<double> borders, wanted = text.borders;
    for (const Sample &sample : read[i].all)
      borders.push_back(sample.time);
    borders.push_back(read[i].all.back().end);
    // Fragments cut what is shown for longer, and the last one is filled to its end.
    const bool whole = files[i].ends_with(".iso.mp4");
    const bool says_its_length = whole || files[i].ends_with(".hybrid.mp4");
    if (!whole)
      for (double cut = 0.5; cut <= 4; cut += 0.5)
        wanted.push_back(cut);
    std::ranges::sort(wanted);
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    EXPECT_EQ(borders, wanted);
    EXPECT_EQ(read[i].claimed, says_its_length ? wanted.back() : 0);
  }
}

// A queue takes anything, so the link goes to the first template whatever comes out of it.
TEST(Links, BehindAQueueAnyKindFindsItsPad) {
  if (!have_ffmpeg() || !has("opusenc")) GTEST_SKIP() << "needs ffprobe and opusenc";
  const Folder folder;
  const std::string file = folder / "a.mp4";
  const Ran ran = launch(
      "hullmp4mux name=m ! hullmp4sink location=" + file +
      " audiotestsrc num-buffers=50 ! opusenc ! queue ! m. "
      "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=64,height=64 ! hullh264enc bitrate=200 ! "
      "queue ! m. audiotestsrc num-buffers=50 ! opusenc ! queue ! m.video_5");
  ASSERT_EQ(ran.error, "");
  EXPECT_EQ(ran.warnings, std::vector<std::string>{});
  EXPECT_EQ(output_of("ffprobe -v error -show_entries stream=codec_type -of csv=p=0 " + file),
            "audio\nvideo\naudio\n");
}

TEST(Tracks, SeveralSoundsAreAlternativesWithTheirLanguages) {
  if (!have_ffmpeg() || !has("opusenc") || !has("taginject"))
    GTEST_SKIP() << "needs ffprobe, opusenc, taginject";
  for (const char *variant : {"iso", "iso-fragmented"}) {
    const Folder folder;
    const std::string file = folder / "a.mp4";
    const auto sound = [](const std::string &language) {
      return " audiotestsrc num-buffers=50 ! opusenc ! taginject tags=language-code=" + language + " ! m.";
    };
    const Ran ran = launch("hullmp4mux name=m ! video/quicktime,variant=" + std::string(variant) +
                           " ! filesink location=" + file + sound("en") + sound("de") + sound("fra"));
    ASSERT_EQ(ran.error, "");
    EXPECT_EQ(output_of("ffprobe -v error -show_entries stream_disposition=default:stream_tags=language "
                        "-of compact=p=0:nk=1 " +
                        file),
              "1|eng\n0|deu\n0|fra\n");
  }
}

TEST(Tags, ThoseOfTheApplicationStandBesideTheStreams) {
  if (!have_ffmpeg() || !has("opusenc")) GTEST_SKIP() << "needs ffprobe and opusenc";
  const Folder folder;
  const std::string file = folder / "a.mp4";
  const auto pipeline = ElementRef::adopt(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      ("audiotestsrc num-buffers=20 ! opusenc ! hullmp4mux name=m ! hullmp4sink location=" + file).c_str(),
      nullptr))));
  const auto mux = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "m"));
  ASSERT_TRUE(GST_IS_TAG_SETTER(mux.get()) && GST_IS_PRESET(mux.get()));
  gst_tag_setter_add_tags(GST_TAG_SETTER(mux.get()), GST_TAG_MERGE_REPLACE, GST_TAG_TITLE, "Harbour",
                          GST_TAG_ARTIST, "Nobody", nullptr);
  ASSERT_EQ(run(pipeline).error, "");
  EXPECT_EQ(output_of("ffprobe -v error -show_entries format_tags=title,artist -of compact=p=0:nk=1 " + file),
            "Harbour|Nobody\n");
}

const std::string kKey = "76a6c65c5ea762046bd749a2e632ccbb", kKid = "a7e61c373e219033c21091fa607bf3b8";

struct Secret {
  const char *scheme;
  int codec; ///< index in kCodecs
};

class Encrypted : public testing::TestWithParam<Secret> {};

// Reference: what the same pipeline writes in the clear. Encoders repeat themselves, so packets must be
// equal.
TEST_P(Encrypted, IsDecryptedByFfmpegAndShaka) {
  const auto [scheme, index] = GetParam();
  const Codec &codec = kCodecs[index];
  if (!have_ffmpeg() || !has(codec.needs)) GTEST_SKIP() << "needs ffmpeg and " << codec.needs;
  const Folder folder;
  const std::string clear = folder / "clear.mp4", secret = folder / "secret.mp4",
                    plain = folder / "plain.mp4";
  const std::string mux = " t. ! queue ! hullmp4mux send-force-keyunit=false fragment-duration=60000000000 ";
  const std::string to = " ! video/quicktime,variant=cmaf ! filesink location=";
  const Ran ran = launch(std::string(codec.source) + "tee name=t" + mux + to + clear + mux +
                         "encryption=" + scheme + " key=" + kKey + " key-id=" + kKid + to + secret);
  ASSERT_EQ(ran.error, "");
  EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
  const std::string want = packets_of(clear);
  EXPECT_EQ(packets_of(secret, "-decryption_key " + kKey), want);
  EXPECT_NE(packets_of(secret), want);
  auto source = FileSource::open(secret);
  ASSERT_TRUE(source);
  EXPECT_EQ(broken_rules(secret), "");
  EXPECT_TRUE(locate(*source, "moov/pssh"));
  const char *shaka = std::getenv("HULL_SHAKA_PACKAGER");
  if (!shaka) GTEST_SKIP() << "Shaka Packager was not asked: HULL_SHAKA_PACKAGER names none";
  const std::string said = output_of(
      std::string(shaka) + " in=" + secret + ",stream=" + (codec.video ? "video" : "audio") +
      ",output=" + plain + " --enable_raw_key_decryption --keys label=:key_id=" + kKid + ":key=" + kKey);
  EXPECT_EQ(packets_of(plain), want) << said;
}

INSTANTIATE_TEST_SUITE_P(Each, Encrypted,
                         testing::Values(Secret{"cenc", 0}, Secret{"cbcs", 0}, Secret{"cenc", 2},
                                         Secret{"cbcs", 2}, Secret{"cenc", 6}, Secret{"cbcs", 6}),
                         [](const auto &info) {
                           return std::string(info.param.scheme) + "_" + kCodecs[info.param.codec].name;
                         });

TEST(Mp4Encryption, KeysMayComeFromTheSignal) {
  if (!have_ffmpeg() || !has("opusenc")) GTEST_SKIP() << "needs ffmpeg and opusenc";
  const Folder folder;
  const std::string secret = folder / "secret.mp4";
  const ElementRef pipeline =
      parse("audiotestsrc num-buffers=40 ! opusenc ! hullmp4mux name=mux encryption=cenc ! "
            "video/quicktime,variant=iso-fragmented ! filesink location=" +
            secret);
  const auto mux = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "mux"));
  g_signal_connect(mux.get(), "encryption-key",
                   G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer) -> GstStructure * {
                     EXPECT_STREQ(GST_PAD_NAME(pad), "audio_0");
                     return gst_structure_new("key", "key", G_TYPE_STRING, kKey.c_str(), "key-id",
                                              G_TYPE_STRING, kKid.c_str(), nullptr);
                   }),
                   nullptr);
  ASSERT_EQ(run(pipeline).error, "");
  auto source = FileSource::open(secret);
  ASSERT_TRUE(source);
  auto tenc = locate(*source, "moov/trak/mdia/minf/stbl/stsd/enca/sinf/schi/tenc");
  ASSERT_TRUE(tenc);
  EXPECT_EQ(std::as_const(*tenc->node).as<TrackEncryption>()->default_kid, parse_hex_16(kKid).value());
}

TEST(Mp4Encryption, WhatCannotBeIsRefusedWithItsReason) {
  const auto error = [](const std::string &mux, const char *variant) {
    return launch("audiotestsrc num-buffers=10 ! opusenc ! hullmp4mux " + mux +
                  " ! video/quicktime,variant=" + variant + " ! filesink location=/dev/null")
        .error;
  };
  EXPECT_NE(error("encryption=cenc", "cmaf").find("key-id of 32 hex digits"), std::string::npos);
  EXPECT_NE(error("encryption=cenc key=" + kKey + " key-id=12", "cmaf").find("32 hex"), std::string::npos);
  EXPECT_NE(error("encryption=cenc key=" + kKey + " key-id=" + kKid, "iso").find("in fragments"),
            std::string::npos);
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
