// Bytes of boxes as their specifications have them, and what they say.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/boxes/tree.h"

#include <gtest/gtest.h>

namespace hull::isobmff {
namespace {

struct Kind {
  const char *name;
  const char *parent; ///< four characters
  const char *bytes;
  const char *says; ///< fields with their values; numbers that are 0 are left out
};

const Kind kKinds[] = {
    // Items: ISO/IEC 14496-12 8.11.
    {"pitm", "meta", "0000000e 7069746d 00000000 0002", "item_ID=2"},
    {"pitm_wide", "meta", "00000010 7069746d 01000000 00010000", "version=1 item_ID=65536"},
    {"iloc_in_file", "meta", "0000001e 696c6f63 00000000 4400 0001 0005 0000 0001 00000200 00000400",
     "offset_size=4 length_size=4 item_count=1 item_ID=5 extent_count=1 extent_offset=512 "
     "extent_length=1024"},
    {"iloc_in_idat", "meta", "00000020 696c6f63 01000000 4400 0001 0001 0001 0000 0001 00000008 00000010",
     "version=1 offset_size=4 length_size=4 item_count=1 item_ID=1 construction_method=1 extent_count=1 "
     "extent_offset=8 extent_length=16"},
    {"iloc_with_base", "meta",
     "00000028 696c6f63 02000000 0480 00000001 00000007 0000 0000 0000000000001000 0001 00000400",
     "version=2 length_size=4 base_offset_size=8 item_count=1 item_ID=7 base_offset=4096 extent_count=1 "
     "extent_length=1024"},
    {"infe_hvc1", "iinf", "00000015 696e6665 02000000 0001 0000 68766331 00",
     "version=2 item_ID=1 item_type=hvc1 item_name="},
    {"infe_mime", "iinf", "0000001c 696e6665 02000000 0003 0000 6d696d65 00 612f6200 677a00",
     "version=2 item_ID=3 item_type=mime item_name= content_type=a/b content_encoding=gz"},
    {"infe_mime_plain", "iinf", "00000019 696e6665 02000000 0003 0000 6d696d65 00 612f6200",
     "version=2 item_ID=3 item_type=mime item_name= content_type=a/b"},
    {"iref", "meta", "0000001a 69726566 00000000 0000000e 74686d62 0002 0001 0001",
     "size=14 type=thmb from_item_ID=2 reference_count=1 to_item_ID=1"},
    {"iref_of_wide_ids", "meta",
     "00000034 69726566 01000000 00000016 64696d67 00000001 0002 00000002 00010003"
     "00000012 6175786c 00000004 0001 00000001",
     "version=1 size=22 type=dimg from_item_ID=1 reference_count=2 to_item_ID=2 to_item_ID=65539 "
     "size=18 type=auxl from_item_ID=4 reference_count=1 to_item_ID=1"},
    {"ipma", "iprp", "00000015 69706d61 00000000 00000001 0001 02 8102",
     "entry_count=1 item_ID=1 association_count=2 essential=1 property_index=1 property_index=2"},
    {"ipma_of_wide_indices", "iprp", "00000017 69706d61 00000001 00000001 0001 02 8001 0102",
     "flags=1 entry_count=1 item_ID=1 association_count=2 essential=1 property_index=1 property_index=258"},
    {"altr", "grpl", "0000001c 616c7472 00000000 00000064 00000002 00000001 00000002",
     "group_id=100 num_entities_in_group=2 entity_id=1 entity_id=2 more="},
    // Properties of images: ISO/IEC 23008-12 6.5.
    {"ispe", "ipco", "00000014 69737065 00000000 00000fc0 00000bd0", "image_width=4032 image_height=3024"},
    {"pixi", "ipco", "00000010 70697869 00000000 03 080808",
     "num_channels=3 bits_per_channel=8 bits_per_channel=8 bits_per_channel=8"},
    {"irot", "ipco", "00000009 69726f74 03", "angle=3"},
    {"imir", "ipco", "00000009 696d6972 01", "axis=1"},
    {"auxC", "ipco", "00000014 61757843 00000000 75726e3a 612d6200", "aux_type=urn:a-b aux_subtype="},
    {"a1lx", "ipco", "0000000f 61316c78 00 0064 00c8 0000", "layer_size=100 layer_size=200"},
    // Codecs.
    {"pcmC", "ipcm", "0000000e 70636d43 00000000 01 18", "format_flags=1 PCM_sample_size=24"},
    {"damr", "samr", "00000011 64616d72 46464d50 00 81ff 00 01",
     "vendor=FFMP mode_set=33279 frames_per_sample=1"},
    {"alac", "alac", "00000024 616c6163 00000000 00001000 00 10 28 0a 0e 02 00ff 00000000 00000000 0000ac44",
     "frameLength=4096 bitDepth=16 pb=40 mb=10 kb=14 numChannels=2 maxRun=255 sampleRate=44100 "
     "channel_layout="},
    {"mhaC", "mha1", "0000000f 6d686143 01 0d 02 0002 abcd",
     "configurationVersion=1 mpegh3daProfileLevelIndication=13 referenceChannelLayout=2 "
     "mpegh3daConfigLength=2 mpegh3daConfig=abcd"},
    {"mhaP", "mhm1", "0000000a 6d686150 01 10", "numCompatibleSets=1 CompatibleSetIndication=16"},
    {"iacb", "iamf", "0000000d 69616362 01 8201 f806",
     "configurationVersion=1 configOBUs_size=130 configOBUs_size=1 configOBUs=f806"},
    {"dmlp", "mlpa", "00000012 646d6c70 0000f000 0f0e 00000000", "format_info=61440 peak_data_rate=1927"},
    {"d263", "s263", "0000000f 64323633 46464d50 00 0a 00", "vendor=FFMP H263_Level=10"},
    {"ccst", "hvc1", "00000010 63637374 00000000 7c000000", "intra_pred_used=1 max_ref_per_pic=15"},
    {"auxi", "av01", "00000010 61757869 00000000 75723a00", "text=ur:"},
    {"amve", "hvc1", "00000010 616d7665 002fe9a0 3d13 4042",
     "ambient_illuminance=3140000 ambient_light_x=15635 ambient_light_y=16450"},
    {"cmpd", "uncv", "00000012 636d7064 00000003 0004 0005 0006",
     "component_count=3 component_type=4 component_type=5 component_type=6"},
    {"uncC_rgb", "uncv",
     "0000003b 756e6343 00000000 00000000 00000003 0000070000 0001070000 0002070000 00 01 00 00"
     "00000000 00000000 00000000 00000000 00000000",
     "component_count=3 component_bit_depth_minus_one=7 component_index=1 component_bit_depth_minus_one=7 "
     "component_index=2 component_bit_depth_minus_one=7 interleave_type=1"},
    {"uncC_profile", "uncv", "00000010 756e6343 01000000 72676233", "version=1 profile=rgb3"},
    {"taic", "ipco", "0000001d 74616963 00000000 ffffffffffffffff 000f4240 7fffffff 40",
     "time_uncertainty=18446744073709551615 clock_resolution=1000000 clock_drift_rate=2147483647 "
     "clock_type=1"},
    // Movies and samples.
    {"iods", "moov", "00000015 696f6473 00000000 1007004fff fffe7fff", "descriptor=1007004ffffffe7fff"},
    {"trep", "mvex", "00000010 74726570 00000000 00000002", "track_ID=2"},
    {"tsel", "udta", "00000014 7473656c 00000000 00000001 62697472", "switch_group=1 attribute=bitr"},
    {"csgp_of_4_bits", "stbl", "00000016 63736770 00000000 726f6c6c 00000001 25 10",
     "grouping_type=roll pattern_count=1 pattern_length=2 sample_count=5 sample_group_description_index=1"},
    {"csgp_of_8_bits", "stbl", "0000001b 63736770 00000055 70726f6c 00000007 00000001 01 54 05",
     "flags=85 grouping_type=prol grouping_type_parameter=7 pattern_count=1 pattern_length=1 "
     "sample_count=84 sample_group_description_index=5"},
    {"padb", "stbl", "00000012 70616462 00000000 00000003 2530", "sample_count=3 pad=2 pad=5 pad=3"},
    {"hmhd", "minf", "0000001c 686d6864 00000000 05aa 0400 00002710 00001388 00000000",
     "maxPDUsize=1450 avgPDUsize=1024 maxbitrate=10000 avgbitrate=5000"},
    // What cameras and players add.
    {"A9xyz", "udta", "00000016 a978797a 000a 15c7 2b35312e352b302e312f",
     "size=10 language=eng text=2b35312e352b302e312f"},
    {"A9nam_of_Macintosh", "udta", "00000012 a96e616d 0002 0000 6162 0000 000b", // two languages
     "size=2 text=6162 language=11 text="},
    {"loci", "udta", "00000023 6c6f6369 00000000 15c7 626100 00 ffe00000 00338000 00000000 656100 6e00",
     "language=eng name=ba longitude=-32 latitude=51.5 astronomical_body=ea additional_notes=n"},
    {"chpl", "udta", "0000001e 6368706c 01000000 00 00000001 0000000000989680 04 6f6e6521",
     "version=1 chapter_count=1 start=10000000 title_size=4 title=6f6e6521"},
    {"clef", "tapt", "00000014 636c6566 00000000 07800000 04380000", "width=1920 height=1080"},
    {"ID32", "meta", "00000012 49443332 00000000 15c7 49443304", "language=eng ID3v2_data=49443304"},
    {"kywd_of_3gpp", "udta", "00000012 6b797764 00000000 15c7 01 02 6100",
     "language=eng keyword_count=1 keyword_size=2 keyword=6100"},
    {"kywd_of_iMovie", "udta", "0000000e 6b797764 694d6f766965", "text=694d6f766965"},
    {"Xtra", "udta",
     "00000028 58747261 00000020 00000008 574d2f5469746c65 00000001 0000000c 0008 6f006b000000",
     "entry_size=32 name_size=8 name=574d2f5469746c65 value_count=1 value_size=12 value_type=8 "
     "value=6f006b000000"},
};

// A field as `name=value`, empty where it is the number 0.
std::string text_of(const FieldValue &field) {
  const bool is_number = field.kind != FieldKind::text && field.kind != FieldKind::bytes;
  if (field.kind == FieldKind::group || (is_number && field.value == 0)) return {};
  return field.name + '=' + format_value(field) + ' ';
}

class Kinds : public testing::TestWithParam<Kind> {};

TEST_P(Kinds, SaysWhatItsBytesSayAndIsWrittenBack) {
  const ByteVector bytes = from_hex(GetParam().bytes);
  const auto header = read_box_header(bytes, bytes.size());
  ASSERT_TRUE(header) << header.error().text;
  ASSERT_EQ(header->size, bytes.size());
  const Bytes payload = Bytes(bytes).subspan(header->header_size);
  const auto box = make_box(header->type, FourCC::from(GetParam().parent), payload);
  ASSERT_TRUE(box);
  const auto used = read_payload(*box, payload);
  ASSERT_TRUE(used) << used.error().text;
  EXPECT_EQ(*used, payload.size());
  EXPECT_EQ(to_hex(*write_payload(*box)), to_hex(payload));
  std::string says;
  for (const FieldValue &field : list_fields(*box).fields)
    says += text_of(field);
  if (!says.empty()) says.pop_back();
  EXPECT_EQ(says, GetParam().says);
}

INSTANTIATE_TEST_SUITE_P(Boxes, Kinds, testing::ValuesIn(kKinds),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(ItemLocation, RefusesNumbersOfMoreThanEightBytes) {
  const auto box = read_box<ItemLocation>(from_hex("00000010 696c6f63 00000000 9400 0000"));
  ASSERT_FALSE(box);
}

TEST(ItemReferences, RefusesAReferenceThatDoesNotFillItsBox) {
  const auto box =
      read_box<ItemReferences>(from_hex("0000001a 69726566 00000000 0000000f 74686d62 0002 0001 0001"));
  ASSERT_FALSE(box);
}

TEST(PrimaryItem, BecomesVersion1WhenItsItemNeedsIt) {
  PrimaryItem item;
  item.item_id = 0x10000;
  EXPECT_EQ(to_hex(*write_box(item)), "000000107069746d0100000000010000");
}

TEST(CompactSampleToGroup, IsNotWrittenWithOtherIndicesThanItsPatternsHave) {
  CompactSampleToGroup groups;
  groups.patterns = {{2, 10}};
  groups.sample_group_description_index = {1};
  EXPECT_FALSE(write_box(groups));
}

TEST(SampleEntries, OfQuickTimesRawAreSoundWhereTheyHaveChannels) {
  const auto sound = from_hex("0000000000000001 00000000 00000000 0001 0008 0000 0000 1f400000");
  EXPECT_TRUE(dynamic_cast<AudioSampleEntry *>(make_box("raw ", "stsd", sound).get()));
  const auto picture = from_hex("0000000000000001 00000000 00000000 00000200 00000200 0140 00f0");
  EXPECT_TRUE(dynamic_cast<VisualSampleEntry *>(make_box("raw ", "stsd", picture).get()));
}

TEST(Uuids, OfSmoothStreamingAreKnown) {
  // tfxd, version 1: a fragment of 2 s at 120 s, in 100 ns.
  const auto bytes = from_hex("0000002c 75756964 6d1d9b0542d544e680e2141daff757b2 01000000"
                              "0000000047868c00 0000000001312d00");
  auto nodes = parse_boxes(bytes);
  ASSERT_TRUE(nodes);
  auto time = get_field(*nodes->at(0).box, "fragment_absolute_time");
  ASSERT_TRUE(time) << time.error().text;
  EXPECT_EQ(time->value, 1'200'000'000u);
  EXPECT_EQ(*write_trees(*nodes), bytes);
}

// Apple's spatial video: what the eyes are and how they are packed, boxes in boxes.
TEST(Trees, ReachIntoVideoExtendedUsage) {
  const auto bytes = from_hex("0000005a 76657875"
                              "0000003a 65796573 0000000d 73747269 00000000 03 0000000d 6865726f 00000000 01"
                              "00000018 63616d73 00000010 626c696e 00000000 00004b00"
                              "00000018 7061636b 00000010 706b696e 00000000 73696465");
  auto nodes = parse_boxes(bytes);
  ASSERT_TRUE(nodes);
  const auto value = [&](const char *path, const char *field) {
    const Node *node = find(*nodes, path);
    return node ? format_value(*get_field(*node->box, field)) : "nothing there";
  };
  EXPECT_EQ(value("vexu/eyes/stri", "value"), "3");
  EXPECT_EQ(value("vexu/eyes/hero", "value"), "1");
  EXPECT_EQ(value("vexu/eyes/cams/blin", "value"), "19200");
  EXPECT_EQ(value("vexu/pack/pkin", "code"), "side");
  EXPECT_EQ(*write_trees(*nodes), bytes);
}

// A key box of a metadata track has the number by which its samples name it.
TEST(Trees, ReachIntoTheKeysOfAMetadataTrack) {
  const auto stbl = from_hex("00000040 73747364 00000000 00000001"
                             "00000030 6d656278 000000000000 0001"
                             "00000020 6b657973 00000018 00000001 00000010 6b657964 6d647461 612e6263");
  auto nodes = parse_boxes(stbl);
  ASSERT_TRUE(nodes);
  const Node *key = find(*nodes, "stsd/mebx/keys/*/keyd");
  ASSERT_TRUE(key);
  EXPECT_EQ(format_value(*get_field(*key->box, "key_namespace")), "mdta");
  EXPECT_EQ(format_value(*get_field(*key->box, "key_value")), "612e6263");
  EXPECT_EQ(*write_trees(*nodes), stbl);
}

} // namespace
} // namespace hull::isobmff
