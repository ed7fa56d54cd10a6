// hullh264dec on parameter sets in any order and place, on NAL units it shall ignore, and on sequences that
// change. Each stream must give the pictures of the stream it was made from, bit by bit.

#include "tests/plugins/h264_mutations.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

class H264DecSets : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

bool has(const char *factory) {
  return static_cast<bool>(ElementRef::retain(gst_element_factory_make(factory, nullptr)));
}

struct Stream {
  std::string caps; // behind "video/x-h264,"
  std::vector<ByteVector> units;
  ByteVector codec_data;
};

struct Frame {
  ByteVector bytes;
  GstClockTime time;
  int width, height;
  bool flagged;
  bool operator==(const Frame &) const = default;
};

struct Frames {
  std::vector<Frame> list;
  std::string error;
};

ByteVector packed(GstBuffer *buffer, const GstVideoInfo &info) {
  ByteVector bytes;
  MappedFrame frame(info, buffer, GST_MAP_READ);
  for (unsigned c = 0; c < 3; ++c)
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame.get(), c); ++y)
      append(bytes, Bytes(frame.plane(c) + y * frame.stride(c),
                          static_cast<std::size_t>(GST_VIDEO_FRAME_COMP_WIDTH(frame.get(), c))));
  return bytes;
}

Frames decode_stream(const Stream &stream, const std::string &decoder = "hullh264dec") {
  Frames frames;
  GError *failed = nullptr;
  const auto pipeline = ElementRef::retain(gst_parse_launch(
      ("appsrc name=in format=time ! " + decoder + " ! appsink name=out sync=false").c_str(), &failed));
  const auto in = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  const auto out = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  const auto caps = CapsRef::adopt(gst_caps_from_string(("video/x-h264," + stream.caps).c_str()));
  if (!stream.codec_data.empty()) {
    const auto data =
        BufferRef::adopt(gst_buffer_new_memdup(stream.codec_data.data(), stream.codec_data.size()));
    gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  }
  g_object_set(in.get(), "caps", caps.get(), "max-bytes", guint64{0}, nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstClockTime time = 0;
  GstFlowReturn flow;
  for (const ByteVector &unit : stream.units) {
    const auto buffer = BufferRef::adopt(gst_buffer_new_memdup(unit.data(), unit.size()));
    GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = time;
    time += 40 * GST_MSECOND;
    g_signal_emit_by_name(in.get(), "push-buffer", buffer.get(), &flow);
  }
  g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
  for (;;) {
    GstSample *pulled = nullptr;
    g_signal_emit_by_name(out.get(), "try-pull-sample", guint64{10 * GST_SECOND}, &pulled);
    if (!pulled) break;
    const auto sample = SampleRef::adopt(pulled);
    GstBuffer *buffer = gst_sample_get_buffer(pulled);
    GstVideoInfo info;
    gst_video_info_from_caps(&info, gst_sample_get_caps(pulled));
    frames.list.push_back({packed(buffer, info), GST_BUFFER_PTS(buffer), info.width, info.height,
                           static_cast<bool>(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED))});
  }
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  if (const auto message = MessageRef::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR))) {
    gst_message_parse_error(message.get(), &failed, nullptr);
    frames.error = failed->message;
    g_clear_error(&failed);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return frames;
}

std::vector<Units> nal_lists(const Played &coded) {
  std::vector<Units> list;
  for (const BufferRef &buffer : coded.buffers) {
    const ByteVector bytes = bytes_of(buffer.get());
    Units units;
    for (const Nal &nal : split_annexb(bytes))
      units.emplace_back(nal.data.begin(), nal.data.end());
    list.push_back(units);
  }
  return list;
}

std::vector<Units> coded(const std::string &profile, const std::string &size = "width=80,height=64") {
  return nal_lists(play("videotestsrc num-buffers=12 pattern=ball ! video/x-raw,framerate=25/1," + size +
                        " ! hullh264enc key-int-max=6 ! video/x-h264,stream-format=byte-stream,profile=" +
                        profile + " ! appsink name=out"));
}

Stream byte_stream(const std::vector<Units> &list) {
  Stream stream{"stream-format=byte-stream,alignment=au,framerate=25/1", {}, {}};
  for (const Units &units : list) {
    ByteVector bytes;
    for (const ByteVector &unit : units)
      append_annexb(bytes, unit);
    stream.units.push_back(bytes);
  }
  return stream;
}

NalType type_of(const ByteVector &unit) {
  return Nal{unit}.type();
}

void expect_same(const Frames &got, const Frames &wanted) {
  EXPECT_EQ(got.error, "");
  ASSERT_EQ(got.list.size(), wanted.list.size());
  for (std::size_t i = 0; i < got.list.size(); ++i)
    EXPECT_TRUE(got.list[i] == wanted.list[i]) << i;
}

// Sequence parameter sets that no slice names.
std::vector<std::pair<const char *, ByteVector>> strangers(const Sps &own) {
  const auto made = [&own](const std::function<void(Sps &)> &change) {
    Sps sps = own;
    sps.seq_parameter_set_id = 7;
    change(sps);
    return *write_sps(sps);
  };
  return {{"interlaced", made([](Sps &sps) { sps.frame_mbs_only_flag = false; })},
          {"larger", made([](Sps &sps) { sps.pic_width_in_mbs_minus1 = 44; })},
          {"ten bits", made([](Sps &sps) {
             sps.profile_idc = 110;
             sps.bit_depth_luma_minus8 = 2;
           })},
          {"4:2:2", made([](Sps &sps) {
             sps.profile_idc = 122;
             sps.chroma_format_idc = 2;
           })},
          {"other colour", made([](Sps &sps) {
             sps.vui.video_signal_type_present_flag = true;
             sps.vui.video_full_range_flag = true;
           })}};
}

TEST_F(H264DecSets, SetsThatNoSliceNamesChangeNothing) {
  for (const char *profile : {"constrained-baseline", "main", "high"}) {
    const auto list = coded(profile);
    const Frames wanted = decode_stream(byte_stream(list));
    ASSERT_EQ(wanted.list.size(), 12u);
    const Sps own = *parse_sps({list[0][0]});
    for (const auto &[name, stranger] : strangers(own))
      for (const NalType before : {NalType::sps, NalType::pps, NalType::idr_slice, NalType::slice}) {
        SCOPED_TRACE(std::string(profile) + " " + name + " before type " + std::to_string(int(before)));
        auto changed = list;
        for (Units &units : changed)
          for (std::size_t i = 0; i < units.size(); ++i)
            if (type_of(units[i]) == before)
              units.insert(units.begin() + static_cast<std::ptrdiff_t>(i++), stranger);
        expect_same(decode_stream(byte_stream(changed)), wanted);
      }
  }
}

TEST_F(H264DecSets, UnitsToIgnoreChangeNothing) {
  const auto list = coded("main");
  const Frames wanted = decode_stream(byte_stream(list));
  std::vector<ByteVector> ignored;
  for (std::uint8_t type = 0; type < 32; ++type)
    if (type == 0 || type == 6 || type == 12 || type > 12) ignored.push_back({type, 0x11, 0x22, 0x33, 0x80});
  for (const ByteVector &unit : ignored)
    for (const bool behind : {false, true}) {
      SCOPED_TRACE("type " + std::to_string(unit[0]) + (behind ? " behind" : " in front of") + " each unit");
      auto changed = list;
      for (Units &units : changed) {
        Units more;
        for (const ByteVector &own : units) {
          if (!behind) more.push_back(unit);
          more.push_back(own);
          if (behind) more.push_back(unit);
        }
        units = more;
      }
      expect_same(decode_stream(byte_stream(changed)), wanted);
    }
}

TEST_F(H264DecSets, SetsMayComeAgainAndInAnyOrder) {
  for (const char *profile : {"constrained-baseline", "main", "high"}) {
    SCOPED_TRACE(profile);
    const auto list = coded(profile);
    const Frames wanted = decode_stream(byte_stream(list));
    const ByteVector sps = list[0][0], pps = list[0][1];
    ASSERT_EQ(type_of(sps), NalType::sps);
    ASSERT_EQ(type_of(pps), NalType::pps);
    auto again = list, swapped = list, once = list;
    for (Units &units : again)
      units.insert(units.begin(), {sps, pps, sps, pps});
    for (Units &units : swapped)
      if (type_of(units[0]) == NalType::sps) std::swap(units[0], units[1]);
    for (std::size_t i = 1; i < once.size(); ++i)
      std::erase_if(once[i], [](const ByteVector &unit) {
        return type_of(unit) == NalType::sps || type_of(unit) == NalType::pps;
      });
    for (const auto &one : {again, swapped, once})
      expect_same(decode_stream(byte_stream(one)), wanted);
    // In a buffer of their own.
    Stream apart = byte_stream(once);
    apart.units[0] = byte_stream({{list[0].begin() + 2, list[0].end()}}).units[0];
    apart.units.insert(apart.units.begin(), byte_stream({{sps, pps}}).units[0]);
    const Frames late = decode_stream(apart);
    ASSERT_EQ(late.list.size(), 12u);
    for (std::size_t i = 0; i < 12; ++i)
      EXPECT_EQ(late.list[i].bytes, wanted.list[i].bytes);
  }
}

// Every IDR picture names another pair of sets than the one before.
TEST_F(H264DecSets, SeveralSetsTakeTurns) {
  auto list = coded("constrained-baseline");
  const Frames wanted = decode_stream(byte_stream(list));
  const Sps sps = *parse_sps({list[0][0]});
  const Pps pps = *parse_pps({list[0][1]});
  Sps other_sps = sps;
  Pps other_pps = pps;
  other_sps.seq_parameter_set_id = 3;
  other_pps.seq_parameter_set_id = 3;
  const Units all = {*write_sps(other_sps), list[0][0], *write_pps(other_pps), list[0][1]};
  // The same id of a picture parameter set means another sequence from the second key unit on.
  for (std::size_t i = 0; i < list.size(); ++i)
    std::erase_if(list[i], [](const ByteVector &unit) {
      return type_of(unit) == NalType::sps || type_of(unit) == NalType::pps;
    });
  list[0].insert(list[0].begin(), all.begin(), all.end());
  list[6].insert(list[6].begin(), {all[0], all[2]});
  expect_same(decode_stream(byte_stream(list)), wanted);
}

TEST_F(H264DecSets, LevelsAboveTheLibrarysAreDecoded) {
  for (const int level : {60, 61, 62, 0, 99, 255}) {
    SCOPED_TRACE(level);
    auto list = coded("main");
    const Frames wanted = decode_stream(byte_stream(list));
    for (Units &units : list)
      for (ByteVector &unit : units)
        if (type_of(unit) == NalType::sps) unit[3] = static_cast<std::uint8_t>(level);
    expect_same(decode_stream(byte_stream(list)), wanted);
  }
}

TEST_F(H264DecSets, NewSizesLoseNoPictureWhateverWaits) {
  if (!has("x264enc") || !has("avdec_h264")) GTEST_SKIP() << "x264enc or avdec_h264 is not installed";
  for (const char *encoder :
       {"x264enc bframes=0 ! video/x-h264,profile=constrained-baseline",
        "x264enc bframes=0 ! video/x-h264,profile=main",
        "x264enc bframes=2 b-adapt=false ! video/x-h264,profile=main",
        "x264enc bframes=3 b-adapt=false option-string=b-pyramid=normal ! video/x-h264,profile=high"}) {
    SCOPED_TRACE(encoder);
    std::vector<Units> list;
    for (const char *size :
         {"width=80,height=64", "width=176,height=144", "width=48,height=32", "width=82,height=66"}) {
      const Played part =
          play(std::string("videotestsrc num-buffers=7 pattern=ball ! video/x-raw,framerate=25/1,") + size +
               " ! " + encoder + ",stream-format=byte-stream,alignment=au ! appsink name=out");
      const auto units = nal_lists(part);
      list.insert(list.end(), units.begin(), units.end());
    }
    const Frames ours = decode_stream(byte_stream(list));
    const Frames right = decode_stream(byte_stream(list), "avdec_h264 max-threads=1");
    EXPECT_EQ(ours.error, "");
    ASSERT_EQ(ours.list.size(), 28u);
    ASSERT_EQ(right.list.size(), 28u);
    for (std::size_t i = 0; i < 28; ++i) {
      EXPECT_EQ(ours.list[i].time, right.list[i].time) << i;
      EXPECT_EQ(ours.list[i].width, right.list[i].width) << i;
      if (!ours.list[i].flagged) {
        EXPECT_TRUE(ours.list[i].bytes == right.list[i].bytes) << i;
      }
    }
  }
}

TEST_F(H264DecSets, AvcHasItsSetsInCapsInTheStreamOrInBoth) {
  const auto list = coded("main");
  const Frames wanted = decode_stream(byte_stream(list));
  const ByteVector record = *write_decoder_configuration(list[0][0], list[0][1]);
  for (const bool in_caps : {false, true})
    for (const bool in_stream : {false, true})
      for (const char *format : {"avc", "avc3"}) {
        if (!in_caps && !in_stream) continue;
        SCOPED_TRACE(std::string(format) + (in_caps ? " caps" : "") + (in_stream ? " stream" : ""));
        Stream stream{std::string("alignment=au,framerate=25/1,stream-format=") + format, {}, {}};
        if (in_caps) stream.codec_data = record;
        for (const Units &units : list) {
          ByteVector bytes;
          for (const ByteVector &unit : units)
            if (in_stream || (type_of(unit) != NalType::sps && type_of(unit) != NalType::pps))
              append_length_prefixed(bytes, unit);
          stream.units.push_back(bytes);
        }
        expect_same(decode_stream(stream), wanted);
      }
}

// A stream that is cut into: nothing comes before the first key unit, all from it on, and nothing else fails.
TEST_F(H264DecSets, BeforeTheFirstKeyUnitNothingIsWhole) {
  auto list = coded("main");
  const Frames wanted = decode_stream(byte_stream(list));
  const Units sets{list[0][0], list[0][1]};
  list[0] = sets; // the IDR picture is gone
  const Frames got = decode_stream(byte_stream(list));
  EXPECT_EQ(got.error, "");
  std::size_t whole = 0;
  for (const Frame &frame : got.list)
    if (!frame.flagged) {
      EXPECT_TRUE(std::ranges::find(wanted.list, frame) != wanted.list.end());
      ++whole;
    }
  EXPECT_EQ(whole, 6u);
}

// Intra refresh has no key units; its recovery points say when a stream that was joined is whole.
TEST_F(H264DecSets, IntraRefreshIsWholeFromItsRecoveryPointOn) {
  if (!has("x264enc") || !has("avdec_h264")) GTEST_SKIP() << "x264enc or avdec_h264 is not installed";
  auto list = nal_lists(play("videotestsrc num-buffers=60 pattern=zone-plate kx2=12 ky2=9 kt=3 ! "
                             "video/x-raw,format=I420,width=96,height=96,framerate=25/1 ! x264enc bframes=0 "
                             "intra-refresh=true key-int-max=12 ! video/x-h264,stream-format=byte-stream,"
                             "alignment=au,profile=main ! appsink name=out"));
  ASSERT_EQ(list.size(), 60u);
  const Frames right = decode_stream(byte_stream(list), "avdec_h264 max-threads=1");
  ASSERT_EQ(right.list.size(), 60u);
  std::erase_if(list[0], [](const ByteVector &unit) { return Nal{unit}.is_slice(); });
  const Frames joined = decode_stream(byte_stream(list));
  std::size_t whole = 0;
  for (const Frame &frame : joined.list) {
    if (frame.flagged) continue;
    ++whole;
    const auto same = std::ranges::find(right.list, frame.time, &Frame::time);
    ASSERT_TRUE(same != right.list.end());
    EXPECT_TRUE(same->bytes == frame.bytes) << frame.time / (40 * GST_MSECOND);
  }
  EXPECT_GT(whole, 20u);
  EXPECT_LT(whole, 60u);
}

// Slices of one picture may come in any order (Baseline).
TEST_F(H264DecSets, SlicesInAnyOrderMakeTheSamePicture) {
  const auto list = nal_lists(
      play("videotestsrc num-buffers=8 pattern=ball ! video/x-raw,width=96,height=96,framerate=25/1 ! "
           "hullh264enc slice-mode=rows ! video/x-h264,profile=baseline,"
           "stream-format=byte-stream ! appsink name=out"));
  const Frames wanted = decode_stream(byte_stream(list));
  ASSERT_EQ(wanted.list.size(), 8u);
  std::mt19937 random(3);
  auto shuffled = list;
  for (Units &units : shuffled) {
    const auto first =
        std::ranges::find_if(units, [](const ByteVector &unit) { return Nal{unit}.is_slice(); });
    std::shuffle(first, units.end(), random);
  }
  expect_same(decode_stream(byte_stream(shuffled)), wanted);
}

} // namespace
} // namespace hull::h264
