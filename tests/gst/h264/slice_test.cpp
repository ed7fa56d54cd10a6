#include "gst/h264/slice.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

namespace hull::h264 {
namespace {

ByteVector read_shared(const std::string &name) {
  const char *shared = std::getenv("HULL_SHARED");
  if (!shared) return {};
  std::ifstream file(std::string(shared) + "/media/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Sets {
  std::map<unsigned, Sps> sps;
  std::map<unsigned, Pps> pps;
  void learn(const Nal &nal) {
    if (nal.type() == NalType::sps) {
      if (auto read = parse_sps(nal)) sps[read->seq_parameter_set_id] = *read;
    } else if (nal.type() == NalType::pps) {
      if (auto read = parse_pps(nal)) pps[read->pic_parameter_set_id] = *read;
    }
  }
};

struct Seen {
  unsigned slices = 0, idr = 0, b = 0;
};

// Reads every header of a stream, writes it back and compares the bits; renumbers every IDR and back.
Seen walk(const ByteVector &stream) {
  Sets sets;
  Seen seen;
  for (const Nal &nal : split_annexb(stream)) {
    sets.learn(nal);
    if (nal.type() != NalType::slice && nal.type() != NalType::idr_slice) continue;
    const Pps &pps = sets.pps.at(slice_pps_id(nal));
    const Sps &sps = sets.sps.at(pps.seq_parameter_set_id);
    std::uint64_t bits = 0;
    auto header = parse_slice_header(nal, sps, pps, &bits);
    EXPECT_TRUE(header) << header.error().text;
    if (!header) break;
    ++seen.slices;
    seen.b += header->type() == SliceType::b;
    EXPECT_TRUE(header->qp() >= 0 && header->qp() <= 51);
    Writer writer;
    header->fields(writer);
    EXPECT_TRUE(writer.ok());
    EXPECT_EQ(writer.position(), bits);
    const ByteVector rbsp = unescape(nal.data.subspan(1));
    BitReader was(rbsp), is(writer.out().data());
    for (std::uint64_t i = 0; i < bits; ++i)
      if (was.u(1) != is.u(1)) return ADD_FAILURE() << "bit " << i, seen;
    if (!header->is_idr()) continue;
    ++seen.idr;
    const auto other = with_idr_pic_id(nal, sps, pps, 1000);
    EXPECT_EQ(parse_slice_header({*other}, sps, pps)->idr_pic_id, 1000);
    const auto back = with_idr_pic_id({*other}, sps, pps, header->idr_pic_id);
    EXPECT_EQ(to_hex(*back), to_hex(nal.data)) << "IDR " << seen.idr;
  }
  return seen;
}

TEST(SliceHeader, CabacStreamWithBFramesReadsAndWritesAlike) {
  const auto stream = read_shared("flower_720p30_high_b.264");
  if (stream.empty()) GTEST_SKIP() << "../shared/media is absent";
  const Seen seen = walk(stream);
  EXPECT_GT(seen.b, 20u);
  EXPECT_GT(seen.idr, 0u);
}

TEST(SliceHeader, ConformanceStreamsReadAndWriteAlike) {
  for (const char *name : {"BA_MW_D.264", "MR1_BT_A.h264", "SVA_FM1_E.264", "MIDR_MW_D.264", "NRF_MW_E.264",
                           "test_qcif_cabac.264", "QCIF_2P_I_allIPCM.264", "MPS_MW_A.264"}) {
    SCOPED_TRACE(name);
    const auto stream = read_shared(std::string("h264/") + name);
    if (stream.empty()) GTEST_SKIP() << "../shared/media is absent";
    EXPECT_GT(walk(stream).slices, 1u);
  }
}

TEST(SliceHeader, HostileHeadersEndInAnError) {
  const Sps sps;
  const Pps pps;
  EXPECT_FALSE(parse_slice_header({from_hex("65")}, sps, pps));
  EXPECT_FALSE(parse_slice_header({from_hex("65 0000000000000000")}, sps, pps));
  EXPECT_EQ(slice_pps_id({from_hex("6500")}), ~0u);
}

} // namespace
} // namespace hull::h264
