#include "gst/core/fields.h"

#include <gtest/gtest.h>

namespace hull {
namespace {

struct Entry {
  std::uint32_t size = 0;
  std::int16_t offset = 0;
  void fields(Fields &f) {
    f.u("size", 32, size);
    f.i("offset", 16, offset);
  }
};

struct Sample {
  std::uint8_t version = 0;
  bool wide = false;
  std::uint64_t duration = 0;
  std::vector<Entry> entries;
  std::string name;
  ByteVector tail;
  void fields(Fields &f) {
    f.u("version", 7, version);
    f.flag("wide", wide);
    f.u("duration", wide ? 64 : 32, duration);
    f.count("entry_count", 32, entries, 48);
    for (Entry &entry : entries)
      f.group("entry", entry);
    f.text("name", name);
    f.rest("tail", tail);
  }
};

ByteVector written(Sample &sample) {
  Writer writer;
  sample.fields(writer);
  EXPECT_TRUE(writer.ok()) << writer.error().text;
  return writer.out().data();
}

TEST(Fields, WriteThenReadGivesTheSameBytesAndTheSizerKnowsThem) {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    Sample made;
    Filler filler(seed);
    made.fields(filler);
    if (!made.wide) made.duration &= 0xffffffffu;
    const ByteVector bytes = written(made);
    Sizer sizer;
    made.fields(sizer);
    EXPECT_EQ(sizer.position(), bytes.size() * 8) << "seed " << seed;
    Sample read;
    Reader reader(bytes);
    read.fields(reader);
    ASSERT_TRUE(reader.ok()) << "seed " << seed << ": " << reader.error().text;
    EXPECT_EQ(written(read), bytes) << "seed " << seed;
  }
}

TEST(Reader, RefusesACountThatCannotFit) {
  const ByteVector bytes = from_hex("00 00000000 ffffffff 00");
  Sample read;
  Reader reader(bytes);
  read.fields(reader);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().offset, 9u);
  EXPECT_TRUE(read.entries.empty());
}

TEST(Reader, FailsAtEveryTruncationBeforeTheText) {
  Sample made{1, true, 99, {{5, -3}, {6, 7}}, "name", {}};
  const ByteVector bytes = written(made);
  for (std::size_t size = 0; size < bytes.size() - 5; ++size) {
    Sample read;
    Reader reader(Bytes(bytes).first(size));
    read.fields(reader);
    EXPECT_FALSE(reader.ok()) << size;
  }
}

TEST(Writer, RefusesAValueThatDoesNotFit) {
  Sample made;
  made.version = 200; // 7 bits
  Writer writer;
  made.fields(writer);
  EXPECT_FALSE(writer.ok());
}

TEST(Tracer, NamesEveryFieldWithItsPlace) {
  Sample made{1, false, 99, {{5, -3}}, "ab", {1, 2}};
  Tracer tracer;
  made.fields(tracer);
  ASSERT_EQ(tracer.list.size(), 9u);
  EXPECT_EQ(tracer.list[2].name, "duration");
  EXPECT_EQ(tracer.list[2].bit_offset, 8u);
  EXPECT_EQ(tracer.list[4].kind, Traced::Kind::group);
  EXPECT_EQ(tracer.list[5].name, "size");
  EXPECT_EQ(tracer.list[5].depth, 1u);
  EXPECT_EQ(tracer.list[8].bit_offset, 8u * (1 + 4 + 4 + 6 + 3));
}

} // namespace
} // namespace hull
