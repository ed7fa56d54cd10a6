// Timecode tracks, QuickTime's form of a file, and room kept for the movie box.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/progressive.h"
#include "tests/plugins/mp4_harness.h"

#include <algorithm>
#include <cstdlib>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

std::string top_level(const std::string &file) {
  auto source = FileSource::open(file);
  std::string types;
  if (source)
    (void)for_each_box(*source, [&types](Node &node) {
      types += node.type().text() + " ";
      return true;
    });
  return types;
}

#define PICTURES(rate)                                                                                       \
  "videotestsrc num-buffers=90 ! video/x-raw,width=64,height=64,framerate=" rate                             \
  " ! x264enc key-int-max=30 ! h264parse ! "

std::string timecodes(const std::string &file) {
  std::string text =
      output_of("ffprobe -v error -show_entries stream_tags=timecode -of csv=p=0 '" + file + "'");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

TEST(Mp4Timecode, FfprobeReadsTheLabelThatWasSet) {
  if (!have_ffmpeg() || !has("x264enc")) GTEST_SKIP() << "needs ffmpeg and x264enc";
  const Folder folder;
  for (const std::string variant : {"iso", "apple", "iso-fragmented"}) {
    SCOPED_TRACE(variant);
    const std::string file = folder / (variant + ".mp4");
    const Ran ran =
        launch(PICTURES("30000/1001") "hullmp4mux timecode=\"10:59:58;20\" send-force-keyunit=false "
                                      "fragment-duration=1000000000 ! video/quicktime,variant=" +
               variant + " ! filesink location=" + file);
    ASSERT_EQ(ran.error, "");
    EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
    EXPECT_EQ(timecodes(file), "10:59:58;20 10:59:58;20 "); // of the pictures and of the track itself
    auto source = FileSource::open(file);
    ASSERT_TRUE(source);
    auto tref = locate(*source, "moov/trak[0]/tref/tmcd");
    ASSERT_TRUE(tref);
    EXPECT_EQ(std::as_const(*tref->node).as<TrackReferences>()->track_ids, std::vector<std::uint32_t>{2});
    EXPECT_EQ(bool(locate(*source, "moov/trak[1]/mdia/minf/gmhd/tmcd/tcmi")), variant == "apple");
    EXPECT_EQ(bool(locate(*source, "moov/trak[1]/mdia/minf/nmhd")), variant != "apple");
    if (has("qtdemux")) {
      EXPECT_EQ(launch("filesrc location=" + file + " ! qtdemux ! h264parse ! avdec_h264 ! fakesink").error,
                "");
    }
  }
}

TEST(Mp4Timecode, ARecordingHasALabelPerFragmentAndOneTrackAfterwards) {
  if (!have_ffmpeg() || !has("x264enc")) GTEST_SKIP() << "needs ffmpeg and x264enc";
  const Folder folder;
  const std::string file = folder / "recording.mp4";
  ASSERT_EQ(launch(PICTURES("25/1") "hullmp4mux timecode=01:00:00:24 send-force-keyunit=false "
                                    "fragment-duration=1200000000 ! hullmp4sink location=" +
                   file)
                .error,
            "");
  EXPECT_EQ(timecodes(file), "01:00:00:24 01:00:00:24 ");
  auto source = FileSource::open(file);
  auto stsz = locate(*source, "moov/trak[1]/mdia/minf/stbl/stsz");
  ASSERT_TRUE(stsz);
  EXPECT_EQ(std::as_const(*stsz->node).as<SampleSize>()->sample_count, 3u);
  auto mdhd = locate(*source, "moov/trak[1]/mdia/mdhd");
  ASSERT_TRUE(mdhd);
  EXPECT_EQ(std::as_const(*mdhd->node).as<MediaHeader>()->duration, 90u); // frames
}

TEST(Mp4Timecode, PicturesSayTheirs) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint i = 0; i < 60; ++i) {
    auto buffer = Mux::sample(Mux::frame(i), Mux::frame(i), Mux::frame(i + 1) - Mux::frame(i), i % 30 == 0);
    gst_buffer_add_video_time_code_meta_full(buffer.get(), 30, 1, nullptr, GST_VIDEO_TIME_CODE_FLAGS_NONE, 0,
                                             1, 2 + i / 30, i % 30, 0);
    gst_harness_push(video, buffer.release());
  }
  const ByteVector bytes = joined(mux.finish());
  auto boxes = parse_boxes(bytes).value();
  const auto *entry = find_box<TimecodeSampleEntry>(boxes[0].type() == FourCC("ftyp") ? boxes[1] : boxes[0],
                                                    "trak[1]/mdia/minf/stbl/stsd/tmcd");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->timescale, 30u);
  EXPECT_EQ(entry->number_of_frames, 30u);
  const auto *trun = find_box<TrackRun>(boxes[2], "traf[1]/trun");
  ASSERT_TRUE(trun);
  EXPECT_EQ(load_be(&bytes[boxes[2].offset + static_cast<std::size_t>(trun->data_offset)], 4), 62u * 30u);
}

TEST(Mp4Timecode, ALabelThatIsNoneIsRefused) {
  const auto error = [](const char *label) {
    return launch(std::string(PICTURES("25/1") "hullmp4mux timecode=") + label +
                  " ! video/quicktime,variant=iso ! filesink location=/dev/null")
        .error;
  };
  if (!has("x264enc")) GTEST_SKIP() << "needs x264enc";
  EXPECT_NE(error("tomorrow").find("hh:mm:ss:ff"), std::string::npos);
  EXPECT_NE(error("01:00:00:25").find("hh:mm:ss:ff"), std::string::npos);
  EXPECT_NE(error("\"01:00:00;00\"").find("hh:mm:ss:ff"), std::string::npos) << "25/s drops no numbers";
}

TEST(Mp4Apple, WritesWhatQuickTimeReads) {
  if (!have_ffmpeg() || !has("x265enc") || !has("avenc_aac"))
    GTEST_SKIP() << "needs ffmpeg, x265enc, avenc_aac";
  const Folder folder;
  const std::string file = folder / "film.mov";
  const Ran ran =
      launch("videotestsrc num-buffers=50 ! video/x-raw,width=64,height=64,framerate=25/1,"
             "colorimetry=bt709 ! x265enc key-int-max=25 ! h265parse ! "
             "video/x-h265,stream-format=hvc1 ! taginject tags=\"title=Film,artist=Me\" ! mux.video_0 "
             "audiotestsrc num-buffers=86 samplesperbuffer=1024 ! audio/x-raw,rate=44100,channels=2 ! "
             "avenc_aac ! aacparse ! mux.audio_0 hullmp4mux name=mux ! "
             "video/quicktime,variant=apple ! hullmp4sink layout=insert location=" +
             file);
  ASSERT_EQ(ran.error, "");
  EXPECT_EQ(top_level(file).substr(0, 10), "ftyp moov ");
  auto source = FileSource::open(file);
  ASSERT_TRUE(source);
  const auto ftyp = locate(*source, "ftyp");
  EXPECT_EQ(std::as_const(*ftyp->node).as<FileType>()->major_brand, FourCC("qt  "));
  const auto colr = locate(*source, "moov/trak[0]/mdia/minf/stbl/stsd/hvc1/colr");
  ASSERT_TRUE(colr);
  EXPECT_EQ(std::as_const(*colr->node).as<ColourInformation>()->colour_type, FourCC("nclc"));
  EXPECT_TRUE(locate(*source, "moov/trak[1]/mdia/minf/stbl/stsd/mp4a/wave/esds"));
  EXPECT_TRUE(locate(*source, "moov/trak[1]/mdia/minf/hdlr"));
  EXPECT_EQ(probed(file, "v", "codec_tag_string"), "hvc1");
  EXPECT_EQ(probed(file, "v", "nb_read_packets"), "50");
  EXPECT_EQ(probed(file, "v", "color_primaries"), "bt709");
  EXPECT_EQ(probed(file, "a", "codec_name"), "aac");
  EXPECT_EQ(probed(file, "a", "sample_rate"), "44100");
  const std::string said = output_of("ffprobe -v error -show_entries format_tags -show_entries "
                                     "stream_tags=handler_name '" +
                                     file + "'");
  EXPECT_NE(said.find("com.apple.quicktime.title=Film"), std::string::npos) << said;
  EXPECT_NE(said.find("handler_name=VideoHandler"), std::string::npos) << said;
  EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
  if (has("qtdemux")) {
    EXPECT_EQ(launch("filesrc location=" + file +
                     " ! qtdemux name=d d.video_0 ! queue ! h265parse ! avdec_h265 ! "
                     "fakesink d.audio_0 ! queue ! avdec_aac ! fakesink")
                  .error,
              "");
  }
  const std::string seen = output_of("mediainfo --Inform='General;%Format% %CodecID%' '" + file + "'");
  if (seen.find("not found") == std::string::npos) {
    EXPECT_NE(seen.find("qt"), std::string::npos) << seen;
  }
}

TEST(Mp4Apple, OtherSoundsAreReadToo) {
  if (!have_ffmpeg()) GTEST_SKIP() << "needs ffmpeg";
  const Folder folder;
  const struct {
    const char *source, *codec;
  } kSounds[] = {{"lamemp3enc ! mpegaudioparse", "mp3"},
                 {"avenc_ac3 ! ac3parse", "ac3"},
                 {"avenc_eac3 ! ac3parse", "eac3"}};
  for (const auto &sound : kSounds) {
    if (!has(std::string(sound.source, 0, std::string(sound.source).find(' ')).c_str())) continue;
    const std::string file = folder / (std::string(sound.codec) + ".mov");
    ASSERT_EQ(launch(std::string("audiotestsrc num-buffers=40 samplesperbuffer=1536 ! "
                                 "audio/x-raw,rate=48000,channels=2 ! audioconvert ! ") +
                     sound.source +
                     " ! hullmp4mux ! video/quicktime,variant=apple ! filesink location=" + file)
                  .error,
              "");
    EXPECT_EQ(probed(file, "a", "codec_name"), sound.codec);
    EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
  }
}

TEST(Mp4Apple, RefusesWhatApplesPlayersDoNotTake) {
  if (!has("opusenc")) GTEST_SKIP() << "needs opusenc";
  EXPECT_NE(launch("audiotestsrc num-buffers=10 ! opusenc ! hullmp4mux ! video/quicktime,variant=apple ! "
                   "filesink location=/dev/null")
                .error.find("variant=apple takes"),
            std::string::npos);
}

// Samples that wait for the other track when new caps come still belong to the old sample entry.
TEST(Mp4Formats, EachSampleNamesTheEntryItCameWith) {
  Mux mux("iso-fragmented", "fragment-duration=1000000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc), *audio = mux.pad("audio_0", Mux::kAac);
  for (guint64 i = 0; i < 45; ++i)
    Mux::push_frame(video, i, i % 15 == 0);
  std::string other = Mux::kAvc;
  other.replace(other.find("width=64"), 8, "width=80");
  gst_harness_set_src_caps_str(video, other.c_str());
  for (guint64 i = 45; i < 90; ++i)
    Mux::push_frame(video, i, i % 15 == 0);
  for (guint64 i = 0; i < 140; ++i) {
    const GstClockTime time = gst_util_uint64_scale(i, 1024 * GST_SECOND, 48'000);
    gst_harness_push(audio, Mux::sample(time, time, 21'333'333, true).release());
  }
  auto boxes = parse_boxes(joined(mux.finish())).value();
  std::uint64_t first = 0, second = 0;
  for (const Node &moof : boxes)
    for (const Node &traf : moof.children) {
      const auto *tfhd = traf.get<TrackFragmentHeader>();
      if (!tfhd) continue;
      if (tfhd->track_id == 2) {
        EXPECT_EQ(tfhd->sample_description_index, 1u) << "sound has one entry";
        continue;
      }
      for (const Node &child : traf.children)
        if (const auto *trun = child.as<TrackRun>())
          (tfhd->sample_description_index == 1 ? first : second) += trun->sample_count;
    }
  EXPECT_EQ(first, 45u);
  EXPECT_EQ(second, 45u);
}

TEST(Mp4Avc, RecordsOfHighProfilesAreWhole) {
  if (!has("x264enc")) GTEST_SKIP() << "needs x264enc";
  const Folder folder;
  const std::string file = folder / "high.mp4";
  for (const auto &[profile, tail] : {std::pair{"high", "fdf8f800"}, {"high-10", "fdfafa00"}}) {
    const std::string format = std::string(profile) == "high" ? "I420" : "I420_10LE";
    ASSERT_EQ(launch("videotestsrc num-buffers=5 ! video/x-raw,format=" + format +
                     ",width=64,height=64 ! x264enc ! video/x-h264,profile=" + profile +
                     " ! h264parse ! hullmp4mux ! video/quicktime,variant=cmaf ! filesink location=" + file)
                  .error,
              "");
    auto source = FileSource::open(file);
    auto avcc = locate(*source, "moov/trak/mdia/minf/stbl/stsd/avc1/avcC");
    ASSERT_TRUE(avcc);
    const ByteVector &record = std::as_const(*avcc->node).as<CodecConfiguration>()->configuration;
    EXPECT_EQ(to_hex(Bytes(record).last(4)), tail) << profile;
  }
}

// Boxes in front of the media, and what was said, for a recording that expects `expected`.
struct Kept {
  Ran ran;
  std::string boxes;
  std::uint64_t size = 0, written = 0;
};
Kept keep_room(const Folder &folder, const std::string &expected) {
  Kept kept;
  const std::string file = folder / "kept.mp4";
  const ElementRef pipeline = parse(PICTURES("30/1") "hullmp4mux " + expected +
                                    " ! hullmp4sink name=sink layout=reserve location=" + file);
  kept.ran = run(pipeline);
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  g_object_get(sink.get(), "bytes-written", &kept.written, nullptr);
  kept.boxes = top_level(file);
  kept.size = std::filesystem::file_size(file);
  EXPECT_EQ(probed(file, "v", "nb_read_packets"), "90");
  EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
  return kept;
}

TEST(Mp4Reserve, TheMovieBoxGoesIntoItsRoom) {
  if (!have_ffmpeg() || !has("x264enc")) GTEST_SKIP() << "needs ffmpeg and x264enc";
  const Folder folder;
  const Kept kept = keep_room(folder, "reserved-max-duration=3000000000");
  EXPECT_EQ(kept.ran.error, "");
  EXPECT_TRUE(kept.ran.warnings.empty()) << kept.ran.warnings.front();
  EXPECT_EQ(kept.boxes, "ftyp moov free free mdat ");
  EXPECT_LT(kept.written, kept.size + 100) << "nothing is written twice";
}

TEST(Mp4Reserve, WhatDoesNotFitIsInserted) {
  if (!have_ffmpeg() || !has("x264enc")) GTEST_SKIP() << "needs ffmpeg and x264enc";
  const Folder folder;
  // 8 KiB are kept at least: a long title takes them.
  const std::string title = "taginject tags=\"title=" + std::string(9000, 'x') + "\" ! ";
  const std::string file = folder / "long.mp4";
  const Ran ran = launch(std::string(PICTURES("30/1")) + title +
                         "hullmp4mux reserved-max-duration=1 ! hullmp4sink layout=reserve location=" + file);
  EXPECT_EQ(ran.error, "");
  ASSERT_FALSE(ran.warnings.empty());
  EXPECT_NE(ran.warnings[0].find("Set reserved-max-duration to more"), std::string::npos) << ran.warnings[0];
  EXPECT_EQ(probed(file, "v", "nb_read_packets"), "90");
  EXPECT_EQ(output_of("ffmpeg -v error -i '" + file + "' -f null -"), "");
}

TEST(Mp4Reserve, WhoDoesNotKnowTheLengthIsTold) {
  const Folder folder;
  const std::string file = folder / "unknown.mp4";
  const ElementRef pipeline = parse("appsrc name=source format=time ! mux.audio_0 hullmp4mux name=mux ! "
                                    "hullmp4sink layout=reserve location=" +
                                    file);
  const auto source = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "source"));
  const auto caps = CapsRef::adopt(gst_caps_from_string(Mux::kAac));
  gst_app_src_set_caps(GST_APP_SRC(source.get()), caps.get());
  for (guint i = 0; i < 5; ++i)
    gst_app_src_push_buffer(
        GST_APP_SRC(source.get()),
        Mux::sample(i * 20 * GST_MSECOND, i * 20 * GST_MSECOND, 20 * GST_MSECOND, true).release());
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  const Ran ran = run(pipeline);
  EXPECT_EQ(ran.error, "");
  ASSERT_FALSE(ran.warnings.empty());
  EXPECT_NE(ran.warnings[0].find("set reserved-max-duration"), std::string::npos) << ran.warnings[0];
  EXPECT_EQ(top_level(file).substr(0, 10), "ftyp moov ");
}

TEST(Mp4Reserve, UpstreamsLengthIsAskedFor) {
  if (!have_ffmpeg() || !has("x264enc") || !has("qtdemux")) GTEST_SKIP() << "needs ffmpeg, x264enc, qtdemux";
  const Folder folder;
  const std::string first = folder / "first.mp4", second = folder / "second.mp4";
  ASSERT_EQ(
      launch(PICTURES("30/1") "hullmp4mux ! video/quicktime,variant=iso ! filesink location=" + first).error,
      "");
  const Ran ran = launch("filesrc location=" + first +
                         " ! qtdemux ! h264parse ! hullmp4mux ! hullmp4sink "
                         "layout=reserve location=" +
                         second);
  EXPECT_EQ(ran.error, "");
  EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
  EXPECT_EQ(top_level(second), "ftyp moov free free mdat ");
  EXPECT_EQ(pictures_of(second), pictures_of(first));
}

// The estimate against what tables really take, over an hour of the worst kinds.
TEST(Mp4Reserve, TheEstimateHoldsForWhatEncodersMake) {
  SampleTable pictures, sound;
  std::uint64_t at = 1 << 20;
  for (std::uint32_t second = 0; second < 3600; ++second) {
    for (std::uint32_t half = 0; half < 2; ++half) {
      for (std::uint32_t i = 0; i < 15; ++i)
        pictures.add({0, 512, (i * 7 + second) % 3 == 1 ? 1024 : 0, 1000 + (i * 37 + second * 101) % 5000,
                      half == 0 && i == 0, false});
      pictures.end_chunk(at, 1);
      at += 80'000;
      for (std::uint32_t i = 0; i < 23 + half; ++i)
        sound.add({0, 1024, 0, 300 + (i * 13 + second) % 99, true, false});
      sound.end_chunk(at, 1);
      at += 9'000;
    }
  }
  std::vector<ProgressiveTrack> tracks(2);
  tracks[0].config.timescale = 15'360;
  tracks[1].config.timescale = 48'000;
  tracks[0].config.formats.resize(1);
  tracks[1].config.formats.resize(1);
  tracks[0].table = &pictures;
  tracks[1].table = &sound;
  Node moov = progressive_movie_box(tracks, {}, 0);
  const ExpectedTrack expected[] = {{30, true}, {46.875, false}};
  EXPECT_LT(tree_size(moov).value(), expected_movie_size(expected, 3'600'000'000'000, 500'000'000));
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
