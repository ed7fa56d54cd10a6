#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/crypt/aes.h"
#include "gst/isobmff/crypt/crypt.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <sstream>
#include <unistd.h>

namespace hull::isobmff {
namespace {

const char *const kKey = "76a6c65c5ea762046bd749a2e632ccbb";
const char *const kKid = "a7e61c373e219033c21091fa607bf3b8";

// Slice header sizes need the parameter sets; for the arithmetic any fixed number will do.
std::size_t forty_bytes_of_slices(void *, Bytes nal) {
  const unsigned type = nal[0] & 31;
  return type >= 1 && type <= 5 ? 40 : 0;
}

EncryptionSettings settings_for(Scheme scheme, MapKind map = MapKind::nal_units) {
  EncryptionSettings settings;
  settings.scheme = scheme;
  settings.key.kid = parse_hex_16(kKid).value();
  settings.key.key = parse_hex_16(kKey).value();
  settings.map = map;
  settings.slice_data = forty_bytes_of_slices;
  settings.iv = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  return settings;
}

ByteVector random_sample(std::mt19937 &random, unsigned units) {
  ByteVector sample;
  for (unsigned i = 0; i < units; ++i) {
    const std::size_t size = random() % 700;
    append_be(sample, 4, size);
    for (std::size_t k = 0; k < size; ++k)
      sample.push_back(static_cast<std::uint8_t>(random()));
  }
  return sample;
}

// NIST SP 800-38A F.5.1 and F.2.1, first block
TEST(Aes, EncryptsThePublishedBlocks) {
  const auto key = parse_hex_16("2b7e151628aed2a6abf7158809cf4f3c").value();
  ByteVector block = from_hex("6bc1bee22e409f96e93d7e117393172a");
  auto ctr = Aes::create(Aes::Mode::ctr, key).value();
  ctr.start(parse_hex_16("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").value());
  ctr.run(block);
  EXPECT_EQ(to_hex(block), "874d6191b620e3261bef6864990db6ce");
  block = from_hex("6bc1bee22e409f96e93d7e117393172a");
  auto cbc = Aes::create(Aes::Mode::cbc_encrypt, key).value();
  cbc.start(parse_hex_16("000102030405060708090a0b0c0d0e0f").value());
  cbc.run(block);
  EXPECT_EQ(to_hex(block), "7649abac8119b246cee98e9b12e9197d");
}

TEST(Crypt, KeysAreThirtyTwoHexDigits) {
  EXPECT_TRUE(parse_hex_16("a7e61c37-3e21-9033-c210-91fa607bf3b8"));
  EXPECT_FALSE(parse_hex_16("a7e6"));
  EXPECT_FALSE(parse_hex_16("a7e61c373e219033c21091fa607bf3bg"));
}

TEST(Crypt, MapsAddUpAndLeaveLengthsAndHeadersClear) {
  std::mt19937 random(1);
  for (const Scheme scheme : {Scheme::cenc, Scheme::cbcs}) {
    for (unsigned round = 0; round < 300; ++round) {
      const ByteVector sample = random_sample(random, random() % 20);
      const auto map = map_nal_units(sample, scheme, 4, forty_bytes_of_slices);
      ASSERT_TRUE(map) << map.error().text;
      std::uint64_t sum = 0;
      for (const Subsample &part : *map) {
        sum += part.clear + part.encrypted;
        EXPECT_LE(part.clear, 0xffffu);
        EXPECT_TRUE(scheme == Scheme::cbcs || part.encrypted % 16 == 0);
        EXPECT_TRUE(part.encrypted == 0 || part.clear >= 44);
      }
      EXPECT_EQ(sum, sample.size());
    }
  }
}

TEST(Crypt, ALongClearUnitIsSplitAndManyUnitsStayWritable) {
  ByteVector sample;
  append_be(sample, 4, 200'000);
  sample.resize(sample.size() + 200'000, 6); // SEI
  const auto map = map_nal_units(sample, Scheme::cbcs, 4, forty_bytes_of_slices);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->size(), 4u);
  std::mt19937 random(2);
  const auto many = map_nal_units(random_sample(random, 90), Scheme::cbcs, 4, forty_bytes_of_slices);
  ASSERT_TRUE(many);
  EXPECT_LE(many->size(), 40u);
}

TEST(Crypt, ALengthPastTheSampleIsRefused) {
  EXPECT_FALSE(map_nal_units(from_hex("00000005 65000000"), Scheme::cenc));
  EXPECT_FALSE(map_nal_units(from_hex("0000"), Scheme::cenc));
  EXPECT_FALSE(map_nal_units(from_hex("ffffffff 65"), Scheme::cenc));
}

TEST(Crypt, DecryptingGivesTheSampleBackAndEncryptingChangesOnlyWhatTheMapSays) {
  std::mt19937 random(3);
  for (const Scheme scheme : {Scheme::cenc, Scheme::cbcs}) {
    for (const MapKind kind : {MapKind::nal_units, MapKind::whole}) {
      const EncryptionSettings settings = settings_for(scheme, kind);
      auto encryptor = Encryptor::create(settings).value();
      const ByteVector iv(settings.iv.begin(), settings.iv.end());
      for (unsigned round = 0; round < 50; ++round) {
        const ByteVector plain = random_sample(random, 1 + random() % 5);
        ByteVector sample = plain;
        const auto protection = encryptor.encrypt(sample);
        ASSERT_TRUE(protection) << protection.error().text;
        std::size_t at = 0;
        for (const Subsample &part : protection->subsamples) {
          EXPECT_TRUE(std::equal(plain.begin() + at, plain.begin() + at + part.clear, sample.begin() + at));
          at += part.clear + part.encrypted;
        }
        EXPECT_TRUE(plain.size() <= 200 || kind != MapKind::whole || sample != plain);
        ASSERT_TRUE(decrypt_sample(scheme, settings.key, *protection, iv, kind, sample));
        EXPECT_EQ(sample, plain);
      }
    }
  }
}

TEST(Crypt, SencGoesThroughItsBytesAndBack) {
  Node traf("traf");
  const EncryptionSettings settings = settings_for(Scheme::cenc);
  const std::vector<SampleProtection> samples = {{{1, 2, 3, 4, 5, 6, 7, 8}, {{44, 160}, {60, 0}}},
                                                 {{1, 2, 3, 4, 5, 6, 7, 9}, {{99, 16}}}};
  add_sample_encryption(traf, settings, samples);
  const auto read = read_sample_encryption(*traf.get<SampleEncryption>(), 8);
  ASSERT_TRUE(read) << read.error().text;
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[1].iv, samples[1].iv);
  EXPECT_EQ((*read)[0].subsamples[0].encrypted, 160u);
  EXPECT_EQ(traf.get<SampleAuxiliaryInfoSizes>()->sample_info_sizes, (ByteVector{22, 16}));
  SampleEncryption hostile;
  hostile.sample_count = 0xffffffff;
  hostile.samples = {1, 2, 3};
  EXPECT_FALSE(read_sample_encryption(hostile, 8));
}

// A file of ffmpeg, encrypted by us in place: only the boxes and the protected bytes differ.
ByteVector encrypted_file(ByteVector bytes, const EncryptionSettings &settings) {
  auto nodes = parse_boxes(bytes).value();
  auto encryptor = Encryptor::create(settings).value();
  ByteVector out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node &node = nodes[i];
    if (node.type() == FourCC("sidx") || node.type() == FourCC("mfra")) continue;
    if (Node *entry = node.type() == FourCC("moov") ? find(node, "trak/mdia/minf/stbl/stsd/*") : nullptr) {
      protect_sample_entry(*entry, settings);
      node.add(make_common_pssh(std::span(&settings.key.kid, 1)));
    }
    if (node.type() == FourCC("moof")) {
      Node *traf = node.child("traf");
      auto *run = traf->get<TrackRun>();
      std::size_t at = nodes[i + 1].offset + nodes[i + 1].header_size;
      std::vector<SampleProtection> protections;
      for (const TrackRun::Sample &s : run->samples) {
        auto protection = encryptor.encrypt(std::span(bytes).subspan(at, s.size));
        EXPECT_TRUE(protection);
        protections.push_back(*protection);
        at += s.size;
      }
      const auto before = tree_size(node).value();
      add_sample_encryption(*traf, settings, protections);
      run->data_offset += static_cast<std::int32_t>(tree_size(node).value() - before);
      EXPECT_TRUE(set_senc_offsets(node));
    }
    MemorySource source(bytes);
    append(out, write_tree(node, &source).value());
  }
  return out;
}

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

// Sizes and hashes of the packets in the output of framemd5: Shaka shifts times, and pssh comes as side data.
std::string hashes(const std::string &text) {
  std::istringstream lines(text);
  std::string line, only;
  while (std::getline(lines, line)) {
    if (!line.starts_with("0,")) continue;
    std::size_t begin = 0;
    for (int field = 0; field < 4; ++field)
      begin = line.find(',', begin) + 1;
    only += line.substr(begin, line.find(", S=") - begin) + '\n';
  }
  return only;
}

class OtherDecrypters : public testing::TestWithParam<std::pair<Scheme, const char *>> {};

TEST_P(OtherDecrypters, FfmpegGetsTheSamePackets) {
  const auto [scheme, codec] = GetParam();
  const auto folder = std::filesystem::temp_directory_path() / ("hull_crypt_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string clear = (folder / "clear.mp4").string(), secret = (folder / "secret.mp4").string();
  const bool video = std::string_view(codec) == "libx264";
  // One fragment: without a sidx ffmpeg 5.1 reads ahead to the second moof and takes its map for the first.
  const std::string make =
      std::string("ffmpeg -v error -y -f lavfi -i ") +
      (video ? "testsrc2=s=320x240:r=25:d=2 -g 50 -bf 2 " : "sine=d=2 -frag_duration 9000000 ") + "-c " +
      codec + " -movflags +cmaf+frag_keyframe " + clear;
  if (std::system((make + " 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "ffmpeg with " << codec << " is absent";
  std::ifstream in(clear, std::ios::binary);
  const ByteVector bytes{std::istreambuf_iterator<char>(in), {}};
  const auto settings = settings_for(scheme, video ? MapKind::nal_units : MapKind::whole);
  const ByteVector changed = encrypted_file(bytes, settings);
  std::ofstream(secret, std::ios::binary)
      .write(reinterpret_cast<const char *>(changed.data()), static_cast<std::streamsize>(changed.size()));
  const std::string list = " -map 0 -c copy -f framemd5 - 2>&1";
  const std::string want = output_of("ffmpeg -v error -i " + clear + list);
  const std::string got =
      output_of("ffmpeg -v error -decryption_key " + std::string(kKey) + " -i " + secret + list);
  const std::string without = output_of("ffmpeg -v error -i " + secret + list);
  EXPECT_FALSE(hashes(want).empty());
  EXPECT_EQ(hashes(got), hashes(want));
  EXPECT_NE(hashes(without), hashes(want));
  if (const char *shaka = std::getenv("HULL_SHAKA_PACKAGER")) {
    const std::string plain = (folder / "plain.mp4").string();
    const std::string command =
        std::string(shaka) + " in=" + secret + ",stream=" + (video ? "video" : "audio") + ",output=" + plain +
        " --enable_raw_key_decryption --keys label=:key_id=" + kKid + ":key=" + kKey + " >/dev/null 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    EXPECT_EQ(hashes(output_of("ffmpeg -v error -i " + plain + list)), hashes(want));
  }
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Crypt, OtherDecrypters,
                         testing::Values(std::pair{Scheme::cenc, "libx264"},
                                         std::pair{Scheme::cbcs, "libx264"}, std::pair{Scheme::cenc, "aac"},
                                         std::pair{Scheme::cbcs, "aac"}));

} // namespace
} // namespace hull::isobmff
