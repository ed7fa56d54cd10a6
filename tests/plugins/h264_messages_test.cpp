// One cause, one message: whatever is wrong with what comes in or with the settings, and however often
// upstream tries, the bus hears of it once, with the place that found it.

#include "tests/plugins/h264_feeder.h"
#include "tests/plugins/h264_support.h"
#include "tests/support/message_place.h"

#include <functional>
#include <gtest/gtest.h>
#include <ostream>

namespace hull::h264 {
namespace {

constexpr std::size_t kFrame = 64 * 64 * 3 / 2;
constexpr char kRaw[] = "video/x-raw,format=I420,width=64,height=64,framerate=25/1";

void push_many(Feeder &feeder, int count, const std::function<BufferRef(int)> &make) {
  for (int i = 0; i < count; ++i)
    feeder.push(make(i));
  feeder.end();
}

using Messages = std::map<std::string, Feeder::Said>;

// One message, once, with these words; `source` stands at the place that it names.
void expect_one(const Messages &messages, const std::string &words, const std::string &source) {
  std::string all;
  for (const auto &[text, said] : messages)
    all += std::to_string(said.times) + " times " + text + "\n" + said.debug + "\n";
  ASSERT_EQ(messages.size(), 1u) << all;
  EXPECT_NE(messages.begin()->first.find(words), std::string::npos) << all;
  EXPECT_EQ(messages.begin()->second.times, 1) << all;
  EXPECT_NE(test::source_at(messages.begin()->second.debug).find(source), std::string::npos) << all;
}

struct Cause {
  const char *name;
  std::string element, caps, downstream, words;
  bool noise = false;
  int count = 9;
  std::size_t size = kFrame;
  std::string source = words;
};
void PrintTo(const Cause &cause, std::ostream *out) {
  *out << cause.name;
}

std::string raw(const char *size) {
  return std::string("video/x-raw,format=I420,framerate=25/1,") + size;
}

class EncoderMessages : public testing::TestWithParam<Cause> {};

TEST_P(EncoderMessages, EachCauseIsSaidOnce) {
  const Cause &cause = GetParam();
  Feeder feeder("hullh264enc " + cause.element, cause.downstream.empty() ? "ANY" : cause.downstream);
  feeder.caps(cause.caps.empty() ? kRaw : cause.caps);
  push_many(feeder, cause.count,
            [&](int i) { return cause.noise ? noise_frame(cause.size, i) : grey_frame(cause.size, i); });
  expect_one(feeder.messages(), cause.words, cause.source);
}

INSTANTIATE_TEST_SUITE_P(
    Caps, EncoderMessages,
    testing::Values(Cause{"odd", "", raw("width=65,height=64"), "", "even width and height"},
                    Cause{"small", "", raw("width=8,height=8"), "", "below 16x16"},
                    Cause{"large", "", raw("width=8192,height=4096"), "", "macroblocks"},
                    Cause{"interlaced", "", raw("width=64,height=64,interlace-mode=interleaved"), "",
                          "deinterlace"},
                    Cause{"level", "", raw("width=1280,height=720"), "video/x-h264,level=(string)1",
                          "no level that holds"}),
    [](const auto &info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Settings, EncoderMessages,
    testing::Values(Cause{"max_below_bitrate", "bitrate=500 max-bitrate=100", "", "", "is below bitrate"},
                    Cause{"no_cap", "rate-control=capped-quality", "", "", "needs max-bitrate"},
                    Cause{"quantizers", "qp-min=40 qp-max=20", "", "", "above qp-max"},
                    Cause{"groups_with_ltr", "parallel=gop ltr=true", "", "", "parallel=gop"},
                    Cause{"cabac", "entropy-coding=cabac", "", "video/x-h264,profile=baseline",
                          "entropy-coding=cabac"},
                    Cause{"rows", "slice-mode=rows", raw("width=64,height=1088"), "", "slice-mode=rows",
                          false, 9, 64 * 1088 * 3 / 2},
                    Cause{"too_many_slices", "slice-mode=fixed num-slices=35", "", "", "num-slices=35 became",
                          false, 9, kFrame, "num-slices="},
                    Cause{"level_of_downstream", "bitrate=5000", "", "video/x-h264,level=(string)1",
                          "is more than level", false, 9, kFrame, "limit(\"bitrate\""}),
    [](const auto &info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Frames, EncoderMessages,
    testing::Values(Cause{"short_buffers", "", "", "", "could not be read", false, 9, 100},
                    Cause{"short_buffers_in_groups", "parallel=gop threads=2 key-int-max=2", "", "",
                          "could not be read", false, 9, 100},
                    Cause{"quantizer_raised", "rate-control=cqp quantizer=0", "", "", "quantizer=0 would",
                          true, 9, kFrame, "would make more bits"},
                    Cause{"bitrate_out_of_reach", "bitrate=1", "", "", "cannot be held", true, 200},
                    Cause{"buffer_too_small", "bitrate=50 max-bitrate=50 vbv-buffer=40", "", "",
                          "larger than the buffer", true, 40}),
    [](const auto &info) { return std::string(info.param.name); });

// What the encoder makes of grey frames, as the decoder gets it.
Played coded(const std::string &caps, const std::string &settings = "") {
  return play("videotestsrc num-buffers=9 ! " + std::string(kRaw) + " ! hullh264enc " + settings +
              " ! video/x-h264," + caps + " ! appsink name=out");
}

// The stream with another sequence parameter set, in front of all its pictures.
std::vector<BufferRef> restated(const Played &stream, const std::function<void(Sps &)> &change) {
  std::vector<BufferRef> made;
  for (const BufferRef &buffer : stream.buffers) {
    ByteVector bytes;
    const ByteVector unit = bytes_of(buffer.get());
    for (const Nal &nal : split_annexb(unit)) {
      if (nal.type() != NalType::sps) {
        append_annexb(bytes, nal.data);
        continue;
      }
      Sps sps = *parse_sps(nal);
      change(sps);
      append_annexb(bytes, *write_sps(sps));
    }
    const auto copy = BufferRef::adopt(gst_buffer_new_memdup(bytes.data(), bytes.size()));
    gst_buffer_copy_into(copy.get(), buffer.get(), GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
    made.push_back(copy);
  }
  return made;
}

struct DecoderCause {
  const char *name;
  std::string caps, words;
  std::function<std::vector<BufferRef>()> make;
  std::string settings;
  std::string source = words;
};
void PrintTo(const DecoderCause &cause, std::ostream *out) {
  *out << cause.name;
}

class DecoderMessages : public testing::TestWithParam<DecoderCause> {};

// libopenh264's known fault is a cause of its own, said once in a process.
Messages without_known_fault(Messages messages) {
  std::erase_if(messages, [](const auto &one) { return one.first.find("CVE-") != std::string::npos; });
  return messages;
}

TEST_P(DecoderMessages, EachCauseIsSaidOnce) {
  const DecoderCause &cause = GetParam();
  const auto buffers = cause.make();
  if (buffers.empty()) GTEST_SKIP() << "x264enc is not installed";
  Feeder feeder("hullh264dec " + cause.settings, "ANY");
  feeder.caps(cause.caps);
  push_many(feeder, static_cast<int>(buffers.size()),
            [&](int i) { return buffers[static_cast<std::size_t>(i)]; });
  expect_one(without_known_fault(feeder.messages()), cause.words, cause.source);
}

constexpr char kByteStream[] = "video/x-h264,stream-format=byte-stream,alignment=au";

std::vector<BufferRef> with_sps(const std::function<void(Sps &)> &change) {
  return restated(coded("profile=high,stream-format=byte-stream", "key-int-max=3"), change);
}

std::vector<BufferRef> noise() {
  std::vector<BufferRef> made;
  for (int i = 0; i < 9; ++i)
    made.push_back(noise_frame(500, i));
  return made;
}

INSTANTIATE_TEST_SUITE_P(
    Streams, DecoderMessages,
    testing::Values(
        DecoderCause{"ten_bits", kByteStream, "10-bit",
                     [] {
                       return with_sps([](Sps &sps) {
                         sps.profile_idc = 110;
                         sps.bit_depth_luma_minus8 = sps.bit_depth_chroma_minus8 = 2;
                       });
                     },
                     "", "refused(*strange"},
        DecoderCause{"chroma_422", kByteStream, "4:2:2",
                     [] {
                       return with_sps([](Sps &sps) {
                         sps.profile_idc = 122;
                         sps.chroma_format_idc = 2;
                       });
                     },
                     "", "refused(*strange"},
        DecoderCause{"interlaced", kByteStream, "interlaced",
                     [] { return with_sps([](Sps &sps) { sps.frame_mbs_only_flag = false; }); }, "",
                     "refused(*strange"},
        DecoderCause{"no_codec_data", "video/x-h264,stream-format=avc,alignment=au", "no codec_data",
                     [] { return coded("stream-format=avc").buffers; }, ""},
        DecoderCause{"bad_codec_data", "video/x-h264,stream-format=avc,alignment=au,codec_data=(buffer)0042",
                     "", [] { return coded("stream-format=avc").buffers; }, ""},
        DecoderCause{
            "b_pictures", kByteStream, "B pictures",
            [] {
              return play(
                         "videotestsrc num-buffers=40 ! video/x-raw,format=I420,width=64,height=64 ! x264enc "
                         "bframes=2 b-adapt=false key-int-max=10 ! "
                         "video/x-h264,stream-format=byte-stream ! appsink name=out")
                  .buffers;
            },
            "inexact-pictures=refuse"},
        DecoderCause{"noise", kByteStream, "No valid frames", noise, "", ""}),
    [](const auto &info) { return std::string(info.param.name); });

TEST(FeedbackMessages, WhatIsNoSessionIsSaidOnce) {
  Feeder feeder("hullrtpfeedback", "ANY");
  g_signal_emit_by_name(feeder.element(), "attach", feeder.element());
  g_signal_emit_by_name(feeder.element(), "attach", nullptr);
  feeder.caps(kByteStream);
  push_many(feeder, 9, [](int i) { return grey_frame(100, i); });
  expect_one(feeder.messages(), "attach needs an RTPSession", "attach needs an RTPSession");
}

} // namespace
} // namespace hull::h264

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
