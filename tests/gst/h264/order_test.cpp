// Picture order, output order and references, on slice headers made by hand.

#include "gst/h264/picture_order.h"
#include "gst/h264/references.h"

#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

struct Maker {
  Sps sps;
  Pps pps;
  Maker() { sps.max_num_ref_frames = 2; }
  SliceHeader slice(std::uint32_t frame_num, unsigned ref_idc = 1, SliceType type = SliceType::p) const {
    SliceHeader header(sps, pps, NalType::slice, ref_idc);
    header.frame_num = frame_num;
    header.slice_type = static_cast<std::uint8_t>(type);
    return header;
  }
  SliceHeader idr() const {
    SliceHeader header(sps, pps, NalType::idr_slice, 1);
    header.slice_type = static_cast<std::uint8_t>(SliceType::i);
    return header;
  }
  SliceHeader counted(std::uint32_t lsb, unsigned ref_idc = 1) const {
    auto header = slice(0, ref_idc);
    header.pic_order_cnt_lsb = lsb;
    return header;
  }
};

TEST(H264PictureOrder, TypeZeroGoesOnWhereTheLsbWraps) {
  const Maker make; // lsb of 4 bits
  PictureOrder order;
  EXPECT_EQ(order.count(make.idr()), 0);
  for (int wanted : {8, 4, 14, 10, 16, 24, 20, 30}) {
    const bool reference = wanted != 4 && wanted != 10 && wanted != 20;
    EXPECT_EQ(order.count(make.counted(static_cast<std::uint32_t>(wanted) % 16, reference)), wanted);
  }
  EXPECT_EQ(order.count(make.idr()), 0);
}

TEST(H264PictureOrder, OperationFiveBeginsAnew) {
  const Maker make;
  PictureOrder order;
  order.count(make.idr());
  order.count(make.counted(10));
  auto clears = make.counted(12);
  clears.adaptive_ref_pic_marking_mode_flag = true;
  clears.markings.push_back({5});
  EXPECT_EQ(order.count(clears), 0);
  EXPECT_EQ(order.count(make.counted(2)), 2);
}

TEST(H264PictureOrder, TypesOneAndTwoFollowFrameNum) {
  Maker make;
  make.sps.pic_order_cnt_type = 2; // frame_num of 4 bits
  PictureOrder order;
  order.count(make.idr());
  EXPECT_EQ(order.count(make.slice(1)), 2);
  EXPECT_EQ(order.count(make.slice(2, 0)), 3);
  for (std::uint32_t i = 3; i < 40; ++i)
    EXPECT_EQ(order.count(make.slice(i % 16)), static_cast<int>(2 * i));
  make.sps.pic_order_cnt_type = 1;
  make.sps.offset_for_ref_frame = {4, 2};
  make.sps.offset_for_non_ref_pic = -3;
  order.reset();
  EXPECT_EQ(order.count(make.idr()), 0);
  EXPECT_EQ(order.count(make.slice(1)), 4);
  EXPECT_EQ(order.count(make.slice(2)), 6);
  EXPECT_EQ(order.count(make.slice(3, 0)), 6 - 3);
  EXPECT_EQ(order.count(make.slice(3)), 10);
}

// Pushes pictures by their order counts; gives back what came out, a bar after each picture that went in.
std::string output(const Sps &sps, const std::vector<std::pair<int, bool>> &pictures) {
  OutputOrder order;
  order.begin(sps);
  std::string out;
  for (const auto &[count, bidirectional] : pictures) {
    order.add(static_cast<std::uint64_t>(count), count, bidirectional);
    while (const auto id = order.ready())
      out += std::to_string(*id) + " ";
    out += "| ";
  }
  while (const auto id = order.next())
    out += std::to_string(*id) + " ";
  return out;
}

Sps saying(unsigned reorder) {
  Sps sps;
  sps.profile_idc = 100;
  sps.level_idc = 40;
  sps.pic_width_in_mbs_minus1 = 119;
  sps.pic_height_in_map_units_minus1 = 67;
  sps.vui_parameters_present_flag = sps.vui.bitstream_restriction_flag = reorder < 16;
  sps.vui.max_num_reorder_frames = static_cast<std::uint8_t>(reorder);
  return sps;
}
constexpr unsigned kSilent = 16;

TEST(H264OutputOrder, GivesOutAsEarlyAsTheStreamAllows) {
  EXPECT_EQ(output(saying(0), {{0, false}, {2, false}, {8, false}}), "0 | 2 | 8 | ");
  EXPECT_EQ(output(saying(1), {{0, false}, {4, false}, {2, true}, {8, false}, {6, true}}),
            "| 0 | 2 | 4 | 6 | 8 ");
  EXPECT_EQ(output(saying(2), {{0, false}, {8, false}, {4, true}, {2, true}, {6, true}, {10, false}}),
            "| | 0 | 2 | 4 | 6 | 8 10 ");
}

TEST(H264OutputOrder, SilentStreamsKeepOnePictureUntilBSlicesCome) {
  EXPECT_EQ(output(saying(kSilent), {{0, false}, {2, false}, {4, false}}), "| 0 | 2 | 4 ");
  // Then as many as the level allows, but the next by count goes at once where that is certain.
  EXPECT_EQ(output(saying(kSilent), {{0, false}, {4, false}, {2, true}, {1, true}, {3, true}}),
            "| 0 | | 1 2 | 3 4 | ");
  std::vector<std::pair<int, bool>> pyramid{{0, false}};
  for (int i = 0; i < 24; i += 8)
    for (int count : {8, 4, 2, 6})
      pyramid.push_back({i + count, count != 8});
  EXPECT_EQ(output(saying(kSilent), pyramid), "| 0 | | | | 2 | 4 | 6 | 8 10 12 14 16 | | | 18 20 | 22 24 | ");
}

TEST(H264OutputOrder, AStreamThatReordersMoreThanItSaysGetsMoreRoom) {
  const std::string out =
      output(saying(0), {{0, false}, {4, false}, {2, true}, {8, false}, {6, true}, {12, false}});
  EXPECT_EQ(out, "0 | 4 | | 2 | 6 | 8 | 12 ");
}

TEST(H264References, WhatRefersToDamageIsDamagedAndNothingElse) {
  const Maker make;
  References refs;
  refs.add(make.idr(), Trust::exact);
  EXPECT_EQ(refs.of(make.slice(1)), Trust::exact);
  refs.add(make.slice(1), Trust::damaged);
  auto last = make.slice(2);
  EXPECT_EQ(refs.of(last), Trust::damaged); // the latest picture stands first in the list
  last.modifications[0] = {{0, 1}, {3, 0}}; // frame_num 2 - 2: the IDR picture
  EXPECT_EQ(refs.of(last), Trust::exact);
  last.num_ref_idx_active_minus1[0] = 1;
  EXPECT_EQ(refs.of(last), Trust::damaged); // the other stands behind it
  EXPECT_EQ(refs.of(make.slice(2, 1, SliceType::i)), Trust::exact);
  EXPECT_EQ(refs.of(make.slice(2, 1, SliceType::b)), Trust::damaged);
  refs.heal();
  EXPECT_EQ(refs.of(make.slice(2)), Trust::exact);
}

TEST(H264References, AGapIsDamageForAllThatFollows) {
  const Maker make;
  References refs;
  refs.add(make.idr(), Trust::exact);
  for (std::uint32_t i = 1; i < 40; ++i) {
    if (i == 20) continue; // lost, across the wrap of frame_num
    const auto picture = make.slice(i % 16);
    EXPECT_EQ(refs.begin(picture), i == 21);
    const Trust trust = refs.of(picture);
    EXPECT_EQ(trust, i < 20 ? Trust::exact : Trust::damaged) << i;
    refs.add(picture, trust);
  }
  EXPECT_FALSE(refs.begin(make.idr()));
}

TEST(H264References, LongTermPicturesOutliveTheGap) {
  const Maker make;
  References refs;
  auto idr = make.idr();
  idr.long_term_reference_flag = true;
  EXPECT_EQ(refs.add(idr, Trust::exact).size(), 1u);
  auto marks = make.slice(1);
  marks.adaptive_ref_pic_marking_mode_flag = true;
  SliceHeader::Marking one;
  one.memory_management_control_operation = 6;
  marks.markings = {one};
  const auto marked = refs.add(marks, Trust::exact);
  ASSERT_EQ(marked.size(), 1u);
  EXPECT_EQ(marked[0].frame_num, 1u);
  auto recovery = make.slice(9);
  recovery.modifications[0] = {{2, 0}, {3, 0}};
  EXPECT_TRUE(refs.begin(recovery));
  EXPECT_EQ(refs.of(recovery), Trust::exact);
}

} // namespace
} // namespace hull::h264
