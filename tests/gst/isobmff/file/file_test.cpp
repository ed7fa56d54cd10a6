#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/file.h"
#include "gst/isobmff/file/layout.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

namespace hull::isobmff {
namespace {

namespace fs = std::filesystem;

std::string output_of(const std::string &command) {
  std::string text;
  FILE *pipe = ::popen(command.c_str(), "r");
  if (!pipe) return text;
  char part[4096];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe))
    text.append(part, n);
  ::pclose(pipe);
  return text;
}

std::string packets_of(const std::string &path) {
  return output_of("ffmpeg -v error -i " + path + " -map 0 -c copy -f framemd5 - 2>/dev/null");
}

ByteVector user_data(std::size_t size) {
  ByteVector bytes;
  append_box_header(bytes, "udta", size + 8);
  append_box_header(bytes, "abcd", size);
  bytes.resize(bytes.size() + size, 'x');
  return bytes;
}

struct Layout {
  const char *name;
  const char *arguments; ///< of ffmpeg, or empty: mp4mux in fragments
  const char *folder;
};

class FileEdits : public testing::TestWithParam<Layout> {
 protected:
  void SetUp() override {
    folder_ = fs::path(GetParam().folder) / ("hull_edit_" + std::to_string(::getpid()));
    std::error_code error;
    if (!fs::create_directories(folder_, error)) GTEST_SKIP() << folder_ << " cannot be made";
    path_ = (folder_ / "clip.mp4").string();
    const std::string source =
        "ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120:r=25:d=2 -f lavfi -i sine=d=2 "
        "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac ";
    const std::string make = source + GetParam().arguments + " " + path_ + " 2>/dev/null";
    if (std::system(make.c_str()) != 0) GTEST_SKIP() << "ffmpeg with libx264 is absent";
    packets_ = packets_of(path_);
    ASSERT_GT(packets_.size(), 1000u);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string field(const char *path) {
    auto source = FileSource::open(path_);
    const FieldPath parts = split_field(path);
    auto found = locate(*source, parts.box);
    if (!found) return found.error().text;
    const auto value = get_field(*found->node->box, parts.field);
    return value ? format_value(*value) : value.error().text;
  }
  // Nothing of the media may change, and no byte of the file may be left over.
  void expect_same_packets(const char *after) {
    EXPECT_EQ(packets_of(path_), packets_) << after;
    auto source = FileSource::open(path_);
    const auto end = for_each_box(*source, [](Node &node) {
      EXPECT_EQ(node.problem, "");
      return true;
    });
    EXPECT_EQ(end.value(), source->size()) << after;
    EXPECT_FALSE(fs::exists(path_ + ".part"));
  }

  fs::path folder_;
  std::string path_, packets_;
};

TEST_P(FileEdits, AFieldOfTheSameSizeIsWrittenInPlace) {
  const auto size = fs::file_size(path_);
  const auto report = set_in_file(path_, "moov/trak[0]/mdia/mdhd.language", "fre");
  ASSERT_TRUE(report) << report.error().text;
  EXPECT_EQ(report->method, EditMethod::in_place);
  EXPECT_LE(report->bytes_written, 4u);
  EXPECT_EQ(fs::file_size(path_), size);
  EXPECT_EQ(field("moov/trak[0]/mdia/mdhd.language"), "fre");
  expect_same_packets("set");
  EXPECT_EQ(set_in_file(path_, "moov/trak[0]/mdia/mdhd.language", "fre")->method, EditMethod::none);
}

TEST_P(FileEdits, GrowingAndShrinkingKeepsEveryOffsetRight) {
  for (const std::size_t size : {0u, 1u, 300u, 5000u, 200'000u}) {
    const auto report = insert_in_file(path_, {InsertPlace::Side::inside, "moov/trak[0]"}, user_data(size));
    ASSERT_TRUE(report) << report.error().text;
    expect_same_packets("insert");
    const auto second = insert_in_file(path_, {InsertPlace::Side::inside, "moov/trak[0]"}, user_data(size));
    ASSERT_FALSE(second) << "a second udta";
    const auto removed = remove_from_file(path_, "moov/trak[0]/udta");
    ASSERT_TRUE(removed) << removed.error().text;
    expect_same_packets("remove");
  }
}

TEST_P(FileEdits, ANameThatGetsLongerKeepsTheMediaRight) {
  const auto report = set_in_file(path_, "moov/trak[1]/mdia/hdlr.name", std::string(333, 'n'));
  ASSERT_TRUE(report) << report.error().text;
  EXPECT_EQ(field("moov/trak[1]/mdia/hdlr.name"), std::string(333, 'n'));
  expect_same_packets(name(report->method));
}

TEST_P(FileEdits, WhatIsRefusedLeavesTheFileAlone) {
  const auto size = fs::file_size(path_);
  EXPECT_FALSE(set_in_file(path_, "moov/trak[0]/tkhd.width", "999999999999"));
  EXPECT_FALSE(set_in_file(path_, "moov/trak[7]/tkhd.width", "1"));
  EXPECT_FALSE(set_in_file(path_, "moov/trak[0]/tkhd", "1"));
  EXPECT_FALSE(remove_from_file(path_, "moov/mvhd"));
  EXPECT_FALSE(remove_from_file(path_, "mdat"));
  EXPECT_FALSE(insert_in_file(path_, {InsertPlace::Side::inside, "moov"}, from_hex("00000008 6d6f6f76")));
  EXPECT_FALSE(insert_in_file(path_, {InsertPlace::Side::inside, "moov"}, from_hex("00000009 75647461")));
  EXPECT_FALSE(insert_in_file(path_, {InsertPlace::Side::inside, "moov/mvhd"}, user_data(1)));
  EXPECT_EQ(fs::file_size(path_), size);
  expect_same_packets("refusals");
}

const Layout kLayouts[] = {
    {"moov_last", "", "/tmp"},
    {"moov_first", "-movflags +faststart", "/tmp"},
    {"moov_first_no_insert", "-movflags +faststart", "/dev/shm"},
    {"fragments", "-movflags +frag_keyframe+empty_moov+default_base_moof", "/tmp"},
    {"fragments_absolute_mfra", "-movflags +frag_keyframe+empty_moov", "/tmp"},
    {"fragments_absolute_mfra_no_insert", "-movflags +frag_keyframe+empty_moov", "/dev/shm"},
    {"fragments_sidx", "-movflags +frag_keyframe+empty_moov+default_base_moof+global_sidx", "/tmp"},
};
INSTANTIATE_TEST_SUITE_P(Layouts, FileEdits, testing::ValuesIn(kLayouts),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(ShiftOffsets, BecomesCo64WhereItMustAndLeavesEarlierOffsetsAlone) {
  Node moov("moov");
  Node &stbl = moov.add("trak").add("stbl");
  stbl.add<ChunkOffset>().chunk_offsets = {100, 0xfffffff0u};
  ASSERT_EQ(shift_offsets(moov, 200, 0x100).value(), true);
  const auto *wide = find_box<ChunkLargeOffset>(moov, "trak/stbl/co64");
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->chunk_offsets, (std::vector<std::uint64_t>{100, 0x1000000f0}));
  EXPECT_FALSE(shift_offsets(moov, 0, -200)) << "100 would become negative";
}

struct Refusal {
  const char *name;
  const char *hex;
  const char *parent; ///< "" = the top level
  const char *rule;   ///< "" = allowed
};

class Injected : public testing::TestWithParam<Refusal> {};

TEST_P(Injected, IsAllowedOrRefusedByItsRule) {
  const Refusal &c = GetParam();
  cmaf::Track track;
  track.track_id = 1;
  track.timescale = 90'000;
  const FourCC parent = *c.parent ? FourCC::from(c.parent) : FourCC{};
  std::vector<Node> siblings;
  siblings.emplace_back(FourCC("udta"));
  const auto node = check_injected(from_hex(c.hex), parent, siblings, &track);
  if (!*c.rule) {
    EXPECT_TRUE(node) << node.error().text;
  } else {
    ASSERT_FALSE(node);
    EXPECT_NE(node.error().text.find(c.rule), std::string::npos) << node.error().text;
  }
}

const Refusal kRefusals[] = {
    {"uuid", "00000018 75756964 00112233445566778899aabbccddeeff", "", ""},
    {"unknown", "00000009 7878787a 01", "moov", ""},
    {"pssh_in_moov", "00000020 70737368 00000000 1077efecc0b24d02ace33c1e52e2fb4b 00000000", "moov", ""},
    {"pssh_on_top", "00000020 70737368 00000000 1077efecc0b24d02ace33c1e52e2fb4b 00000000", "", "6.2"},
    {"emsg", "00000024 656d7367 01000000 00015f90 0000000000000000 00000000 00000001 7800 7900", "", ""},
    {"emsg_other_timescale",
     "00000024 656d7367 01000000 000003e8 0000000000000000 00000000 00000001 7800 7900", "", "CMF-15"},
    {"emsg_cut", "00000010 656d7367 01000000 00015f90", "", "4.2"},
    {"emsg_in_moov", "00000024 656d7367 01000000 00015f90 0000000000000000 00000000 00000001 7800 7900",
     "moov", "6.2"},
    {"udta_twice", "00000008 75647461", "moov", "6.2"},
    {"udta_on_top", "00000008 75647461", "", "6.2"},
    {"meta_on_top", "0000000c 6d657461 00000000", "", "CMF-02"},
    {"second_moov", "00000008 6d6f6f76", "", "6.2"},
    {"mdat", "00000009 6d646174 00", "", "6.2"},
    {"two_boxes", "00000008 66726565 00000008 66726565", "", "4.2"},
    {"to_the_end", "00000000 66726565", "", "4.2"},
    {"too_long", "00000010 66726565", "", "4.2"},
    {"empty", "", "", "4.2"},
    {"prft_of_another_track", "00000020 70726674 01000000 00000002 0000000000000000 0000000000000000", "",
     "CMF-22"},
};
INSTANTIATE_TEST_SUITE_P(Rules, Injected, testing::ValuesIn(kRefusals),
                         [](const auto &info) { return std::string(info.param.name); });

// An image and a sound movie in one file: meta names the image's bytes, moov those of a chunk.
struct ImageFile {
  explicit ImageFile(std::uint8_t base_offset_size, bool moov_last = false) {
    folder = fs::temp_directory_path() / ("hull_image_" + std::to_string(::getpid()));
    fs::create_directories(folder);
    path = (folder / "image.heic").string();
    FileType ftyp;
    ftyp.major_brand = "mif1";
    Node meta{Meta{}};
    meta.add<Handler>().handler_type = "pict";
    auto &iloc = meta.add<ItemLocation>();
    iloc.base_offset_size = base_offset_size;
    iloc.items = {{.item_id = 1, .extents = {{0, 0, 5}}}, {.item_id = 2, .extents = {{0, 0, 5}}}};
    Node moov("moov");
    moov.add<MovieHeader>();
    auto &stco = moov.add("trak").add("mdia").add("minf").add("stbl").add<ChunkOffset>();
    stco.chunk_offsets = {0};
    const std::uint64_t media =
        write_box(ftyp)->size() + *tree_size(meta) + (moov_last ? 0 : *tree_size(moov)) + 8;
    for (std::uint64_t i = 0; i < 2; ++i) {
      auto &item = iloc.items[i];
      item.base_offset = base_offset_size ? media : 0;
      item.extents[0].extent_offset = 5 * i + (base_offset_size ? 0 : media);
    }
    stco.chunk_offsets = {static_cast<std::uint32_t>(media + 10)};
    ByteVector bytes = *write_box(ftyp);
    append(bytes, *write_tree(meta));
    if (!moov_last) append(bytes, *write_tree(moov));
    append_box_header(bytes, "mdat", 15);
    append(bytes, from_hex("61616161616262626262 6363636363"));
    if (moov_last) append(bytes, *write_tree(moov));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  ~ImageFile() { fs::remove_all(folder); }

  std::string at(std::uint64_t offset) const {
    std::ifstream in(path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(offset));
    char text[5] = {};
    in.read(text, 5);
    return {text, 5};
  }
  // What item 1, item 2 and the chunk are said to be.
  std::string media() const {
    auto source = FileSource::open(path);
    const auto nodes = parse_boxes(*source);
    std::string said;
    for (const Node &node : *nodes) {
      if (const auto *iloc = node.get<ItemLocation>())
        for (const auto &item : iloc->items)
          said += at(item.base_offset + item.extents[0].extent_offset);
      if (const auto *stco = find_box<ChunkOffset>(node, "trak/mdia/minf/stbl/stco"))
        said += at(stco->chunk_offsets[0]);
    }
    return said;
  }
  fs::path folder;
  std::string path;
};

class ImageEdits : public testing::TestWithParam<int> {};

TEST_P(ImageEdits, KeepTheBytesOfItemsAndChunks) {
  ByteVector box;
  append_box_header(box, "abcd", 20'000);
  box.resize(box.size() + 20'000);
  for (const char *parent : {"meta", "moov"}) {
    const ImageFile image(static_cast<std::uint8_t>(GetParam()));
    ASSERT_EQ(image.media(), "aaaaabbbbbccccc");
    const auto done = insert_in_file(image.path, {InsertPlace::Side::inside, parent}, box);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_GT(done->shifted, 0u);
    EXPECT_EQ(image.media(), "aaaaabbbbbccccc") << "after a box was put into " << parent;
  }
}

TEST_P(ImageEdits, LeaveMoovBehindMediaThatItemsName) {
  const ImageFile image(static_cast<std::uint8_t>(GetParam()), true);
  ASSERT_EQ(image.media(), "aaaaabbbbbccccc");
  EXPECT_FALSE(fast_start(image.path, Placement::automatic));
  EXPECT_EQ(image.media(), "aaaaabbbbbccccc");
}

INSTANTIATE_TEST_SUITE_P(Boxes, ImageEdits, testing::Values(0, 4, 8));

} // namespace
} // namespace hull::isobmff
