// Chapters, from the application, from upstream and by signal while a recording runs: ffprobe reads them back from Nero's
// list and, where that is taken away, from QuickTime's track.

#include "gst/core/mutex.h"
#include "gst/core/number.h"
#include "gst/isobmff/file/layout.h"
#include "tests/plugins/mp4_support.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>

namespace hull {
namespace {

using namespace mp4test;

struct Mark {
  double seconds;
  std::string title;
};
using Marks = std::vector<Mark>;

// What ffprobe lists; a chapter without a title is a gap before the first one.
Marks read_back(const std::string &file) {
  Marks marks;
  std::istringstream lines(
      output_of("ffprobe -v error -show_entries chapter=start_time:chapter_tags=title -of "
                "default=nokey=1:noprint_wrappers=1 '" +
                file + "'"));
  std::string seconds, title;
  while (std::getline(lines, seconds) && std::getline(lines, title))
    marks.push_back({to_number<double>(seconds).value_or(-1), title});
  return marks;
}

void expect_marks(const Marks &found, const Marks &wanted, const std::string &what) {
  ASSERT_EQ(found.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(found[i].seconds, wanted[i].seconds, 0.0021) << what << ": " << wanted[i].title;
    EXPECT_EQ(found[i].title, wanted[i].title) << what;
  }
}

// A copy of the file whose list of chapters no reader knows any more.
std::string without_list(const std::string &file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto at = bytes.find("chpl");
  if (at != bytes.npos) bytes.replace(at, 4, "free");
  const std::string copy = file + ".track.mp4";
  std::ofstream(copy, std::ios::binary) << bytes;
  return copy;
}

std::string source(double seconds, int rate = 30) {
  return "videotestsrc num-buffers=" + std::to_string(std::lround(seconds * rate)) +
         " ! video/x-raw,width=96,height=64,framerate=" + std::to_string(rate) +
         "/1 ! x264enc speed-preset=ultrafast tune=zerolatency key-int-max=15 ! m. "
         "audiotestsrc samplesperbuffer=1024 num-buffers=" +
         std::to_string(std::lround(seconds * 44100 / 1024)) + " ! avenc_aac ! m. ";
}

void set_toc(const ElementRef &pipeline, const Marks &marks) {
  const auto mux = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "m"));
  GstToc *toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL);
  for (const Mark &mark : marks) {
    GstTocEntry *entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, std::to_string(mark.seconds).c_str());
    const auto start = static_cast<gint64>(mark.seconds * GST_SECOND);
    gst_toc_entry_set_start_stop_times(entry, start, start + GST_SECOND);
    gst_toc_entry_set_tags(entry, gst_tag_list_new(GST_TAG_TITLE, mark.title.c_str(), nullptr));
    gst_toc_append_entry(toc, entry);
  }
  gst_toc_setter_set_toc(GST_TOC_SETTER(mux.get()), toc);
  gst_toc_unref(toc);
}

struct Shape {
  std::string name;
  const char *rest; ///< behind the muxer
  bool track;       ///< the file has QuickTime's track
};
void PrintTo(const Shape &shape, std::ostream *out) {
  *out << shape.name;
}
const Shape kShapes[] = {
    {"hybrid", "hullmp4sink layout=hybrid location=", true},
    {"insert", "hullmp4sink layout=insert location=", true},
    {"tail", "video/quicktime,variant=iso ! hullmp4sink layout=tail location=", true},
    {"reserve", "hullmp4sink layout=reserve location=", true},
    {"file", "video/quicktime,variant=iso ! filesink location=", true},
    {"quicktime", "video/quicktime,variant=apple ! filesink location=", true},
    {"fragmented", "video/quicktime,variant=iso-fragmented ! filesink location=", false},
};

class Shapes : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (!have_ffmpeg() || !has("x264enc") || !has("avenc_aac"))
      GTEST_SKIP() << "ffprobe and encoders are asked";
  }
  ElementRef recorder(double seconds) const {
    return parse("hullmp4mux name=m fragment-duration=1000000000 ! " + std::string(GetParam().rest) + file +
                 " " + source(seconds));
  }
  void expect(const Marks &wanted) const {
    expect_marks(read_back(file), wanted, "the file");
    if (GetParam().track) expect_marks(read_back(without_list(file)), wanted, "its track");
  }
  Folder folder;
  const std::string file = folder / "film.mp4";
};

TEST_P(Shapes, WhatTheApplicationListsIsReadBack) {
  const Marks marks = {{0, "Anfang"}, {1.5, "Überblick € 日本"}, {3, std::string(200, 'x')}, {3.25, "Ende"}};
  const ElementRef pipeline = recorder(4);
  set_toc(pipeline, marks);
  EXPECT_EQ(run(pipeline).error, "");
  expect(marks);
}

// QuickTime's track counts from its first sample: what is before the first chapter has no title.
TEST_P(Shapes, TheFirstOneMayBeginLate) {
  const ElementRef pipeline = recorder(3);
  set_toc(pipeline, {{1, "one"}, {2, "two"}, {50, "behind the end"}});
  EXPECT_EQ(run(pipeline).error, "");
  Marks found = read_back(GetParam().track ? without_list(file) : file);
  std::erase_if(found, [](const Mark &mark) { return mark.title.empty() || mark.seconds > 40; });
  expect_marks(found, {{1, "one"}, {2, "two"}}, "the file");
}

TEST_P(Shapes, NoChaptersNoBoxes) {
  EXPECT_EQ(run(recorder(1)).error, "");
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(bytes.find("chpl"), bytes.npos);
  EXPECT_EQ(bytes.find("ChapterHandler"), bytes.npos);
}

INSTANTIATE_TEST_SUITE_P(Chapters, Shapes, testing::ValuesIn(kShapes),
                         [](const auto &info) { return info.param.name; });

// Asks for a chapter when the picture of that number enters the muxer.
struct Signaller {
  ElementRef mux;
  int pictures = 0;
  std::vector<std::pair<int, std::string>> wanted;
};

GstPadProbeReturn count_picture(GstPad *, GstPadProbeInfo *, gpointer data) {
  auto &signaller = *static_cast<Signaller *>(data);
  const int number = signaller.pictures++;
  for (const auto &[at, title] : signaller.wanted) {
    if (at != number) continue;
    gchar *refused = nullptr;
    g_signal_emit_by_name(signaller.mux.get(), "add-chapter", title.c_str(),
                          static_cast<guint64>(at) * GST_SECOND / 30, &refused);
    EXPECT_EQ(refused, nullptr) << refused;
    g_free(refused);
  }
  return GST_PAD_PROBE_OK;
}

void signal_at(const ElementRef &pipeline, Signaller &signaller) {
  signaller.mux = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "m"));
  const auto pad = ObjectRef<GstPad>::adopt(gst_element_get_static_pad(signaller.mux.get(), "video_0"));
  ASSERT_TRUE(pad);
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, count_picture, &signaller, nullptr);
}

class Live : public Shapes {};

TEST_P(Live, EventsInTheStream) {
  const ElementRef pipeline = recorder(4);
  Signaller signaller;
  signal_at(pipeline, signaller);
  const auto pad = ObjectRef<GstPad>::adopt(gst_element_get_static_pad(signaller.mux.get(), "video_0"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *muxed, GstPadProbeInfo *, gpointer data) {
        const int number = static_cast<Signaller *>(data)->pictures;
        if (number == 2 || number == 46) // the probe before has counted this one
          gst_pad_send_event(
              muxed,
              gst_event_new_custom(
                  GST_EVENT_CUSTOM_DOWNSTREAM,
                  gst_structure_new("hull-mp4-chapter", "title", G_TYPE_STRING, number == 2 ? "one" : "two",
                                    "running-time", G_TYPE_UINT64, (number - 2) * GST_SECOND / 30, nullptr)));
        return GST_PAD_PROBE_OK;
      },
      &signaller, nullptr);
  EXPECT_EQ(run(pipeline).error, "");
  expect({{0, "one"}, {44 / 30.0, "two"}});
}

TEST_P(Live, SignalsWhileItRuns) {
  const ElementRef pipeline = recorder(6);
  Signaller signaller;
  signaller.wanted = {{0, "first"}, {70, "goal"}, {71, "again"}, {150, "late"}};
  signal_at(pipeline, signaller);
  EXPECT_EQ(run(pipeline).error, "");
  expect({{0, "first"}, {70 / 30.0, "goal"}, {71 / 30.0, "again"}, {5, "late"}});
}

// As after a kill: a copy of what is on the disk before the end.
class Killed : public Shapes {}; // whole files have no movie box before their end
TEST_P(Killed, ARecordingHasThem) {
  const std::string killed = folder / "killed.mp4";
  const ElementRef pipeline = recorder(6);
  Signaller signaller;
  signaller.wanted = {{31, "goal"}, {70, "again"}};
  signal_at(pipeline, signaller);
  // The signals came with pictures long before the bytes of the last second reach the disk.
  const auto pad = ObjectRef<GstPad>::adopt(gst_element_get_static_pad(signaller.mux.get(), "src"));
  struct Copy {
    std::string from, to;
  } copy{file, killed};
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER_LIST,
      [](GstPad *, GstPadProbeInfo *info, gpointer data) {
        const auto &wanted = *static_cast<Copy *>(data);
        const GstClockTime time =
            GST_BUFFER_PTS(gst_buffer_list_get(GST_PAD_PROBE_INFO_BUFFER_LIST(info), 0));
        if (time < 4 * GST_SECOND || std::filesystem::exists(wanted.to)) return GST_PAD_PROBE_OK;
        std::filesystem::copy_file(wanted.from, wanted.to);
        return GST_PAD_PROBE_OK;
      },
      &copy, nullptr);
  EXPECT_EQ(run(pipeline).error, "");
  const Marks wanted = {{31 / 30.0, "goal"}, {70 / 30.0, "again"}};
  expect_marks(read_back(killed), wanted, "killed");
  ASSERT_TRUE(isobmff::unfragment(killed, isobmff::Placement::automatic).has_value());
  for (const std::string &recovered : {killed, without_list(killed)}) {
    Marks found = read_back(recovered);
    std::erase_if(found, [](const Mark &mark) { return mark.title.empty(); });
    expect_marks(found, wanted, "recovered");
  }
}

INSTANTIATE_TEST_SUITE_P(Chapters, Killed, testing::Values(kShapes[0]),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Chapters, Live,
                         testing::ValuesIn(std::vector<Shape>(std::begin(kShapes), std::end(kShapes) - 1)),
                         [](const auto &info) { return info.param.name; });

// Each file of a recording in parts has the chapters of its part, counted from its start.
TEST(ChapterFiles, APartHasItsOwn) {
  if (!have_ffmpeg() || !has("x264enc") || !has("avenc_aac"))
    GTEST_SKIP() << "ffprobe and encoders are asked";
  const Folder folder;
  const ElementRef pipeline = parse("hullmp4mux name=m fragment-duration=1000000000 ! hullmp4sink "
                                    "layout=hybrid max-size-time=2000000000 location=" +
                                    (folder / "part%d.mp4") + " " + source(6));
  set_toc(pipeline, {{0, "zero"}, {0.5, "half"}, {3, "three"}, {5.5, "end"}});
  EXPECT_EQ(run(pipeline).error, "");
  expect_marks(read_back(folder / "part0.mp4"), {{0, "zero"}, {0.5, "half"}}, "part 0");
  expect_marks(read_back(folder / "part1.mp4"), {{0, "half"}, {1, "three"}}, "part 1");
  expect_marks(read_back(folder / "part2.mp4"), {{0, "three"}, {1.5, "end"}}, "part 2");
}

// ffmpeg makes a Matroska file with chapters, which its demuxer announces as a table of contents.
TEST(ChapterFiles, FromAnotherContainer) {
  if (!have_ffmpeg() || !has("matroskademux")) GTEST_SKIP() << "ffmpeg makes the file";
  const Folder folder;
  std::ofstream(folder / "meta")
      << ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1200\ntitle=eins\n"
         "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1200\nEND=3000\ntitle=zwei\n";
  output_of(
      "ffmpeg -v error -y -f lavfi -i testsrc=size=96x64:rate=30:duration=3 -f lavfi -i sine=duration=3 -i " +
      (folder / "meta") + " -map_metadata 2 -c:v libx264 -c:a aac " + (folder / "in.mkv"));
  const Marks wanted = {{0, "eins"}, {1.2, "zwei"}};
  expect_marks(read_back(folder / "in.mkv"), wanted, "the source");
  for (const char *layout : {"hybrid", "insert"}) {
    const std::string out = folder / (std::string(layout) + ".mp4");
    EXPECT_EQ(launch("filesrc location=" + (folder / "in.mkv") +
                     " ! matroskademux name=d  d. ! queue ! h264parse ! m.  "
                     "d. ! queue ! aacparse ! m.  hullmp4mux name=m ! hullmp4sink location=" +
                     out + " layout=" + layout)
                  .error,
              "");
    expect_marks(read_back(out), wanted, layout);
  }
}

// A trim: seek in PAUSED, then record. The application may be quicker than the parser, which forgets the chapters and tags
// that it holds back when the flush comes.
struct Trim {
  std::string name;
  const char *rest;
  bool track;
};
void PrintTo(const Trim &trim, std::ostream *out) {
  *out << trim.name;
}

class Trims : public testing::TestWithParam<Trim> {
 protected:
  void SetUp() override {
    if (!have_ffmpeg() || !has("matroskademux")) GTEST_SKIP() << "ffmpeg makes the file";
    std::ofstream(folder / "meta") << ";FFMETADATA1\ntitle=Der Film\n"
                                      "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1200\ntitle=eins\n"
                                      "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1200\nEND=3000\ntitle=zwei\n"
                                      "[CHAPTER]\nTIMEBASE=1/1000\nSTART=3000\nEND=6000\ntitle=drei\n";
    output_of("ffmpeg -v error -y -f lavfi -i testsrc=size=96x64:rate=30:duration=6 -f lavfi -i "
              "sine=duration=6 -i " +
              (folder / "meta") + " -map_metadata 2 -c:v libx264 -g 30 -c:a aac " + source);
  }
  ElementRef recorder() const {
    return parse("filesrc location=" + source +
                 " ! matroskademux name=d  d. ! h264parse name=p ! m.  d. ! aacparse ! m.  "
                 "hullmp4mux name=m ! " +
                 GetParam().rest + out);
  }
  static void seek(const ElementRef &pipeline) {
    gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
    ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND),
              GST_STATE_CHANGE_SUCCESS);
    const auto flags = static_cast<GstSeekFlags>(static_cast<int>(GST_SEEK_FLAG_FLUSH) |
                                                 static_cast<int>(GST_SEEK_FLAG_ACCURATE));
    ASSERT_TRUE(gst_element_seek(pipeline.get(), 1, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, 2 * GST_SECOND,
                                 GST_SEEK_TYPE_SET, 5 * GST_SECOND));
  }
  // matroskademux names a wrong stream time where a seek comes before it has read its first cluster.
  void expect_marks_after(std::int64_t stream_time, const std::string &what) const {
    const double from = static_cast<double>(stream_time) / GST_SECOND;
    Marks wanted;
    for (const Mark &mark : Marks{{0, "eins"}, {1.2, "zwei"}, {3, "drei"}}) {
      if (mark.seconds <= from) wanted.clear();
      wanted.push_back({std::max(mark.seconds - from, 0.0), mark.title});
    }
    expect_marks(read_back(out), wanted, what);
    if (GetParam().track) expect_marks(read_back(without_list(out)), wanted, what + ", the track");
    EXPECT_EQ(output_of("ffprobe -v error -show_entries format_tags=title -of csv=p=0 " + out), "Der Film\n")
        << what;
  }
  Folder folder;
  const std::string source = folder / "in.mkv", out = folder / "out.mp4";
};

// Holds the parser up behind its caps until the flush comes, and remembers its segment.
struct Watched {
  Mutex mutex;
  Condition changed;
  bool held HULL_GUARDED_BY(mutex) = false;
  std::int64_t stream_time HULL_GUARDED_BY(mutex) = 0;
};

GstPadProbeReturn watch(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &watched = *static_cast<Watched *>(data);
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  const GstEventType type = GST_EVENT_TYPE(event);
  Lock lock(watched.mutex);
  if (type == GST_EVENT_FLUSH_START) {
    watched.held = false;
    watched.changed.notify_all();
  }
  while (watched.held && (type == GST_EVENT_TAG || type == GST_EVENT_TOC || type == GST_EVENT_SEGMENT))
    watched.changed.wait(lock);
  if (type == GST_EVENT_SEGMENT) {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    watched.stream_time = static_cast<std::int64_t>(segment->time);
  }
  return GST_PAD_PROBE_OK;
}

void watch_parser(const ElementRef &pipeline, Watched &watched) {
  const auto parser = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "p"));
  const auto pad = PadRef::adopt(gst_element_get_static_pad(parser.get(), "src"));
  gst_pad_add_probe(pad.get(),
                    static_cast<GstPadProbeType>(static_cast<int>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) |
                                                 static_cast<int>(GST_PAD_PROBE_TYPE_EVENT_FLUSH)),
                    watch, &watched, nullptr);
}

std::int64_t last_stream_time(Watched &watched) {
  const Lock lock(watched.mutex);
  return watched.stream_time;
}

TEST_P(Trims, NameTheChaptersThatAreLeft) {
  for (int i = 0; i < 5 && !HasFailure(); ++i) {
    const ElementRef pipeline = recorder();
    Watched watched;
    watch_parser(pipeline, watched);
    ASSERT_NO_FATAL_FAILURE(seek(pipeline));
    if (i % 2 == 0) gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND);
    EXPECT_EQ(run(pipeline).error, "");
    expect_marks_after(last_stream_time(watched), "run " + std::to_string(i));
  }
}

TEST_P(Trims, NameThemWhereTheParserForgotThem) {
  const ElementRef pipeline = recorder();
  Watched watched;
  {
    const Lock lock(watched.mutex);
    watched.held = true;
  }
  watch_parser(pipeline, watched);
  ASSERT_NO_FATAL_FAILURE(seek(pipeline));
  EXPECT_EQ(run(pipeline).error, "");
  expect_marks_after(last_stream_time(watched), "the parser held up");
}

INSTANTIATE_TEST_SUITE_P(
    Chapters, Trims,
    testing::Values(Trim{"fragmented", "video/quicktime,variant=iso-fragmented ! filesink location=", false},
                    Trim{"hybrid", "hullmp4sink layout=hybrid location=", true},
                    Trim{"insert", "hullmp4sink layout=insert location=", true}),
    [](const auto &info) { return info.param.name; });

std::string add_chapter(const ElementRef &mux, guint64 time) {
  gchar *refused = nullptr;
  g_signal_emit_by_name(mux.get(), "add-chapter", "title", time, &refused);
  const OwnedText text(refused);
  return refused ? text.c_str() : "";
}

struct While {
  ElementRef mux;
  bool asked = false;
  std::string refused; ///< by add-chapter while the first bytes leave
};

// Before, while and after it is written, a file in `variant`; what the middle one said.
std::string refusal_of(const std::string &variant) {
  const Folder folder;
  const ElementRef pipeline =
      parse("videotestsrc num-buffers=60 ! x264enc key-int-max=15 ! hullmp4mux name=m ! "
            "video/quicktime,variant=" +
            variant + " ! filesink location=" + (folder / "a.mp4"));
  While asks{ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "m")), false, {}};
  EXPECT_NE(add_chapter(asks.mux, G_MAXUINT64 - 1), "") << "a time of 584 years";
  const auto pad = PadRef::adopt(gst_element_get_static_pad(asks.mux.get(), "src"));
  gst_pad_add_probe(
      pad.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      [](GstPad *, GstPadProbeInfo *, gpointer data) {
        auto &own = *static_cast<While *>(data);
        if (!std::exchange(own.asked, true)) own.refused = add_chapter(own.mux, 0);
        return GST_PAD_PROBE_OK;
      },
      &asks, nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto end = MessageRef::adopt(gst_bus_timed_pop_filtered(
      bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  EXPECT_TRUE(end && asks.asked);
  EXPECT_NE(add_chapter(asks.mux, 0), "") << "the file has ended";
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return asks.refused;
}

TEST(ChapterFiles, AreRefusedWhereTheyCannotBe) {
  if (!has("x264enc")) GTEST_SKIP() << "x264enc makes the pictures";
  EXPECT_NE(refusal_of("cmaf"), "");
  EXPECT_EQ(refusal_of("iso"), "");
}

// A recording's list has 255 places; a file that is written whole names all of them in its track.
TEST(ChapterFiles, MoreThanTheListHolds) {
  if (!have_ffmpeg() || !has("x264enc") || !has("avenc_aac"))
    GTEST_SKIP() << "ffprobe and encoders are asked";
  const Folder folder;
  Marks marks;
  for (int i = 0; i < 300; ++i)
    marks.push_back({0.01 * i, "number " + std::to_string(i)});
  for (const bool whole : {true, false}) {
    const std::string out = folder / (whole ? "whole.mp4" : "hybrid.mp4");
    const ElementRef pipeline = parse("hullmp4mux name=m ! hullmp4sink location=" + out +
                                      (whole ? " layout=insert " : " layout=hybrid ") + source(4));
    set_toc(pipeline, marks);
    const Ran ran = run(pipeline);
    EXPECT_EQ(ran.error, "");
    EXPECT_EQ(ran.warnings.size(), whole ? 0u : 1u);
    EXPECT_EQ(read_back(whole ? without_list(out) : out).size(), whole ? 300u : 255u);
  }
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
