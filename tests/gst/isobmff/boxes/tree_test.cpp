#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/boxes/tree.h"

#include <gtest/gtest.h>

namespace hull::isobmff {
namespace {

std::vector<Node> parsed(Bytes bytes, const ParseLimits &limits = {}) {
  auto nodes = parse_boxes(bytes, limits);
  EXPECT_TRUE(nodes) << nodes.error().text;
  return nodes ? std::move(*nodes) : std::vector<Node>{};
}

// What was read is written back, whatever it was.
void expect_identity(Bytes bytes, const ParseLimits &limits = {}) {
  auto nodes = parsed(bytes, limits);
  MemorySource source(bytes);
  const auto written = write_trees(nodes, &source);
  ASSERT_TRUE(written) << written.error().text;
  EXPECT_EQ(to_hex(*written), to_hex(bytes));
}

Node small_movie() {
  Node moov("moov");
  moov.add<MovieHeader>().timescale = 600;
  Node &trak = moov.add("trak");
  trak.add<TrackHeader>().width = 1920 << 16;
  Node &mdia = trak.add("mdia");
  mdia.add<MediaHeader>();
  mdia.add<Handler>().name = "pictures";
  Node &stbl = mdia.add("minf").add("stbl");
  Node &stsd = stbl.add(Node(SampleDescription{}));
  Node &avc1 = stsd.add(Node(VisualSampleEntry("avc1")));
  avc1.add(CodecConfiguration("avcC", {1, 2, 3}));
  avc1.add<PixelAspectRatio>();
  stbl.add<ChunkOffset>().chunk_offsets = {7, 8, 9};
  return moov;
}

TEST(Tree, BuiltTreeIsReadBackWithItsPlaces) {
  Node moov = small_movie();
  const auto bytes = write_tree(moov);
  ASSERT_TRUE(bytes) << bytes.error().text;
  EXPECT_EQ(tree_size(moov), bytes->size());
  auto nodes = parsed(*bytes);
  ASSERT_EQ(nodes.size(), 1u);
  const auto *entry = find_box<VisualSampleEntry>(nodes[0], "trak/mdia/minf/stbl/stsd/avc1");
  ASSERT_TRUE(entry);
  const auto *description = find_box<SampleDescription>(nodes[0], "trak/mdia/minf/stbl/stsd");
  ASSERT_TRUE(description);
  EXPECT_EQ(description->entry_count, 1u);
  const Node *tkhd = find(nodes, "moov/trak[0]/tkhd");
  ASSERT_TRUE(tkhd);
  EXPECT_EQ(load_be(bytes->data() + tkhd->offset + 4, 4), TrackHeader::kType.value);
  EXPECT_EQ(tkhd->size, 92u);
  EXPECT_FALSE(find(nodes, "moov/trak[1]/tkhd"));
  EXPECT_FALSE(find(nodes, "moov/trak[x]/tkhd"));
  EXPECT_EQ(find(nodes, "moov/*[1]/tkhd"), tkhd);
  expect_identity(*bytes);
}

TEST(Tree, WritesBackEveryTruncationAsItWas) {
  Node moov = small_movie();
  ByteVector bytes = write_tree(moov).value();
  append(bytes, from_hex("0000000c 6d646174 01020304"));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    expect_identity(Bytes(bytes).first(size));
}

TEST(Tree, WritesBackEveryBrokenByteAsItWas) {
  Node moov = small_movie();
  const ByteVector sound = write_tree(moov).value();
  for (std::size_t i = 0; i < sound.size(); ++i) {
    for (const std::uint8_t value : {0x00, 0x01, 0x7f, 0xff}) {
      ByteVector bytes = sound;
      bytes[i] = value;
      expect_identity(bytes);
    }
  }
}

TEST(Tree, UnknownAndUuidBoxesStayByteForByte) {
  expect_identity(from_hex("00000010 7878787a 0102030405060708"
                           "0000001a 75756964 00112233445566778899aabbccddeeff beef"
                           "00000001 66726565 0000000000000012 abcd"));
  auto nodes = parsed(from_hex("0000001a 75756964 00112233445566778899aabbccddeeff beef"));
  EXPECT_TRUE(find(nodes, "uuid:00112233445566778899aabbccddeeff"));
  EXPECT_FALSE(find(nodes, "uuid:ff112233445566778899aabbccddeeff"));
}

TEST(Tree, TheMediaAreNeverLoaded) {
  ByteVector bytes = from_hex("00000000 6d646174");
  bytes.resize(100'000, 7);
  auto nodes = parsed(bytes);
  const auto *media = std::as_const(nodes.at(0)).as<Stored>();
  ASSERT_TRUE(media);
  EXPECT_EQ(media->offset, 8u);
  EXPECT_EQ(media->size, 99'992u);
  EXPECT_FALSE(write_tree(nodes[0])) << "the bytes are not in the tree";
  expect_identity(bytes);
}

TEST(Tree, LargeSampleTablesMayStayInTheFile) {
  Node stbl("stbl");
  stbl.add<SampleSize>().entry_sizes.resize(1000, 7);
  stbl.add<ChunkOffset>().chunk_offsets = {1, 2, 3};
  const auto bytes = write_tree(stbl).value();
  ParseLimits limits;
  limits.opaque_bytes = limits.sample_table_bytes = 1000;
  const auto nodes = parsed(bytes, limits);
  const auto *sizes = nodes.at(0).children.at(0).as<Stored>();
  ASSERT_TRUE(sizes);
  EXPECT_EQ(sizes->size, 12u + 4000u);
  EXPECT_TRUE(nodes.at(0).children.at(1).as<ChunkOffset>());
  expect_identity(bytes, limits);
  limits.sample_table_bytes = 1 << 16;
  limits.table_bytes = 1000; // of what stands elsewhere
  EXPECT_TRUE(parsed(bytes, limits).at(0).children.at(0).as<SampleSize>());
}

TEST(Tree, DepthBombStaysFlat) {
  ByteVector bomb;
  constexpr unsigned kDepth = 20'000;
  for (unsigned i = 0; i < kDepth; ++i) {
    append_be(bomb, 4, (kDepth - i) * 8);
    append_be(bomb, 4, FourCC("moov").value);
  }
  auto nodes = parsed(bomb);
  unsigned depth = 0;
  const Node *node = &nodes.at(0);
  while (!node->children.empty()) {
    node = &node->children[0];
    ++depth;
  }
  EXPECT_EQ(depth, ParseLimits{}.depth);
  EXPECT_FALSE(node->problem.empty());
  expect_identity(bomb);
}

TEST(Tree, ManyEmptyBoxesStayWithinTheBudget) {
  constexpr std::size_t kCount = 50'000;
  ByteVector bytes;
  append_box_header(bytes, "moov", kCount * 8);
  for (std::size_t i = 0; i < kCount; ++i)
    append_box_header(bytes, "trak", 0);
  ParseLimits limits;
  limits.nodes = 100;
  auto nodes = parsed(bytes, limits);
  EXPECT_LE(nodes.at(0).children.size(), 100u);
  expect_identity(bytes, limits);
}

TEST(Tree, CountOfSampleEntriesThatLiesIsKeptAndNamed) {
  const ByteVector bytes = from_hex("00000010 73747364 00000000 ffffffff");
  auto nodes = parsed(bytes);
  EXPECT_NE(nodes.at(0).problem.find("4294967295"), std::string::npos);
  expect_identity(bytes);
}

TEST(Tree, ReservedBitsThatAreSetSurviveUntilTheBoxIsEdited) {
  ByteVector bytes = write_box(SoundMediaHeader{}).value();
  bytes.back() = 1;
  auto nodes = parsed(bytes);
  EXPECT_EQ(write_trees(nodes).value(), bytes);
  nodes[0].as<SoundMediaHeader>()->balance = -1;
  EXPECT_EQ(to_hex(*write_trees(nodes)), "00000010736d686400000000ffff0000");
}

TEST(Tree, QuickTimeMetaAndUserDataTerminatorAreUnderstood) {
  // udta { meta without version { hdlr }, four zero bytes }
  ByteVector hdlr = write_box(Handler{}).value();
  ByteVector meta;
  append_box_header(meta, "meta", hdlr.size());
  append(meta, hdlr);
  ByteVector udta;
  append_box_header(udta, "udta", meta.size() + 4);
  append(udta, meta);
  udta.resize(udta.size() + 4);
  auto nodes = parsed(udta);
  EXPECT_TRUE(find(nodes, "udta/meta/hdlr"));
  EXPECT_EQ(nodes[0].tail.size(), 4u);
  expect_identity(udta);
}

TEST(Tree, TagsNameThemselves) {
  Node ilst("ilst");
  TagData title;
  title.value = {'h', 'i'};
  ilst.add(FourCC(0xa96e616du)).add(title);
  const auto bytes = write_tree(ilst).value();
  auto nodes = parsed(bytes);
  const Node *data = find(nodes, "ilst/\xc2\xa9nam/data");
  ASSERT_TRUE(data);
  EXPECT_EQ(std::as_const(*data).as<TagData>()->value, title.value);
  EXPECT_EQ(find(nodes, "ilst/0xa96e616d/data"), data);
}

TEST(Tree, AfterTheLastWholeBoxComesARawRest) {
  auto nodes = parsed(from_hex("00000008 66726565 00000100 6d6f6f76"));
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_TRUE(nodes[1].raw);
  EXPECT_EQ(nodes[1].offset, 8u);
}

} // namespace
} // namespace hull::isobmff
