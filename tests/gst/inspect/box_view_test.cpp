#include "gst/inspect/box_view.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"

#include <gtest/gtest.h>

namespace hull::inspect {
namespace {

using namespace isobmff;

std::vector<Node> reread(Node node) {
  const auto bytes = write_tree(node);
  EXPECT_TRUE(bytes);
  return parse_boxes(*bytes).value();
}

TEST(BoxText, HasOneLinePerBoxWithItsPlace) {
  Node trak("trak");
  trak.add<TrackHeader>().width = 1920 << 16;
  auto nodes = reread(std::move(trak));
  EXPECT_EQ(box_text(nodes[0]), "           0          100  trak\n"
                                "           8           92    tkhd  flags=3  track_ID=1  duration=0  layer=0 "
                                " alternate_group=0  volume=0  "
                                "width=1920  height=0\n");
}

TEST(BoxText, HostileTextsCannotReachTheTerminal) {
  Node moov("moov");
  moov.add<ExtendedLanguage>().extended_language = "\x1b[2J";
  auto nodes = reread(std::move(moov));
  EXPECT_EQ(box_text(nodes[0]).find('\x1b'), std::string::npos);
}

TEST(BoxJson, RepeatedFieldsAreArraysAndGroupsObjects) {
  Node stbl("stbl");
  stbl.add<ChunkOffset>().chunk_offsets = {5, 6, 7};
  auto nodes = reread(std::move(stbl));
  const auto json = box_json(nodes[0]);
  EXPECT_EQ(json["children"][0]["fields"]["chunk_offset"], Json({5, 6, 7}));
  EXPECT_EQ(json["children"][0]["offset"], 8);
}

TEST(BoxJson, LongTablesAreCutAndCounted) {
  Node stbl("stbl");
  stbl.add<ChunkOffset>().chunk_offsets.assign(10'000, 1);
  auto nodes = reread(std::move(stbl));
  ViewOptions view;
  view.limits.fields = 10;
  EXPECT_EQ(box_json(nodes[0], view)["children"][0]["left_out"], 10'003 - 10);
}

TEST(BoxJson, SequenceParameterSetOfAvcCIsShown) {
  // made by x264: 64x48, High
  const auto record =
      from_hex("0164000affe100186764000aacd9447b011000000300100000030140f122596001000668ebe0e4b22cfdf8f800");
  Node entry(VisualSampleEntry("avc1"));
  entry.add(CodecConfiguration("avcC", record));
  const auto json = box_json(entry);
  const auto &codec = json["children"][0]["codec"];
  EXPECT_EQ(codec["avc_profile_indication"], 100);
  EXPECT_EQ(codec["seq_parameter_set"]["pic_width_in_mbs_minus1"], 3);
}

TEST(BoxHtml, EscapesWhatAFileSays) {
  Node moov("moov");
  moov.add<ExtendedLanguage>().extended_language = "<script>";
  auto nodes = reread(std::move(moov));
  const std::string page = box_html(nodes, "a & b");
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("a &amp; b"), std::string::npos);
}

} // namespace
} // namespace hull::inspect
