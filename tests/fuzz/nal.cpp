// Any bytes, taken as an Annex B stream: every NAL unit is read as what its header says. What must hold: what
// was read can be written, and reads the same again.

#include "gst/h264/avcc.h"
#include "gst/h264/sei.h"
#include "gst/h264/slice.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace {

using namespace hull;
using namespace hull::h264;

void require(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz nal: %s\n", what);
  std::abort();
}

struct Sets {
  std::map<unsigned, Sps> sps;
  std::map<unsigned, Pps> pps;
};

void take_sps(const Nal &nal, Sets &sets) {
  const auto sps = parse_sps(nal);
  if (!sps) return;
  const auto written = write_sps(*sps);
  require(written.has_value(), "an SPS that was read can be written");
  const auto again = parse_sps({*written});
  require(again.has_value(), "a written SPS can be read");
  require(again->width() == sps->width() && again->height() == sps->height(), "its size stays");
  require(sps->max_dpb_frames() <= 16 && sps->reorder_frames() <= 16, "picture buffers are bounded");
  codec_string(*sps);
  profile_name(*sps);
  level_name(*sps);
  beyond_progressive_420_8bit(*sps);
  sets.sps[sps->seq_parameter_set_id] = *sps;
}

void take_pps(const Nal &nal, Sets &sets) {
  const auto pps = parse_pps(nal);
  if (!pps) return;
  require(write_pps(*pps).has_value(), "a PPS that was read can be written");
  sets.pps[pps->pic_parameter_set_id] = *pps;
}

void take_slice(const Nal &nal, const Sets &sets) {
  const auto pps = sets.pps.find(slice_pps_id(nal));
  if (pps == sets.pps.end()) return;
  const auto sps = sets.sps.find(pps->second.seq_parameter_set_id);
  if (sps == sets.sps.end()) return;
  const auto header = parse_slice_header(nal, sps->second, pps->second);
  if (!header || !header->is_idr()) return;
  const auto renumbered = with_idr_pic_id(nal, sps->second, pps->second, 77);
  if (!renumbered) return;
  const auto again = parse_slice_header({*renumbered}, sps->second, pps->second);
  require(again.has_value() && again->idr_pic_id == 77, "a renumbered slice has its new number");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Bytes input(data, size);
  Sets sets;
  for (const Nal &nal : split_annexb(input)) {
    starts_access_unit(nal);
    if (nal.type() == NalType::sps) take_sps(nal, sets);
    if (nal.type() == NalType::pps) take_pps(nal, sets);
    if (nal.is_slice()) take_slice(nal, sets);
    if (nal.type() == NalType::sei) {
      const auto messages = parse_sei(nal);
      if (messages)
        for (const SeiMessage &message : *messages)
          caption_triplets(message);
    }
    const ByteVector rbsp = unescape(nal.data.subspan(1));
    if (!rbsp.empty() && rbsp.back() != 0) {
      const ByteVector escaped = escape(nal.data[0], rbsp);
      require(unescape(Bytes(escaped).subspan(1)) == rbsp, "escaping is undone by unescaping");
    }
  }
  for (const unsigned length_size : {1u, 2u, 4u})
    split_length_prefixed(input, length_size);
  parse_decoder_configuration(input);
  return 0;
}
