// ES_Descriptor of 14496-1 7.2.6: tag, length in groups of seven bits, content.

#include "gst/isobmff/boxes/entry.h"

namespace hull::isobmff {
namespace {

constexpr std::uint8_t kEsTag = 3, kDecoderConfigTag = 4, kDecoderSpecificTag = 5, kSlConfigTag = 6;

void append_descriptor(ByteVector &out, std::uint8_t tag, const ByteVector &content) {
  out.push_back(tag);
  unsigned groups = 1;
  while (content.size() >> (7 * groups))
    ++groups;
  while (groups-- > 0)
    out.push_back(static_cast<std::uint8_t>((content.size() >> (7 * groups) & 0x7f) | (groups ? 0x80 : 0)));
  append(out, content);
}

struct Descriptor {
  std::uint8_t tag = 0;
  Bytes content;
};

// Takes the first descriptor off `rest`; tag 0 at the end or where the length does not fit.
Descriptor next_descriptor(Bytes &rest) {
  if (rest.size() < 2) return {};
  const std::uint8_t tag = rest[0];
  std::size_t at = 1, length = 0;
  for (unsigned groups = 0; groups < 4 && at < rest.size(); ++groups) {
    const std::uint8_t byte = rest[at++];
    length = length << 7 | (byte & 0x7f);
    if (!(byte & 0x80)) break;
  }
  if (length > rest.size() - at) return {};
  const Bytes content = rest.subspan(at, length);
  rest = rest.subspan(at + length);
  return {tag, content};
}

void read_decoder_config(BitReader in, EsdsSummary &summary) {
  summary.object_type_indication = static_cast<std::uint8_t>(in.u(8));
  summary.stream_type = static_cast<std::uint8_t>(in.u(6));
  in.skip(2);
  summary.buffer_size_db = static_cast<std::uint32_t>(in.u(24));
  summary.max_bitrate = static_cast<std::uint32_t>(in.u(32));
  summary.avg_bitrate = static_cast<std::uint32_t>(in.u(32));
}

} // namespace

ByteVector make_es_descriptor(const EsdsSummary &summary) {
  BitWriter config;
  config.u(8, summary.object_type_indication);
  config.u(6, summary.stream_type);
  config.u(1, 0);
  config.u(1, 1);
  config.u(24, summary.buffer_size_db);
  config.u(32, summary.max_bitrate);
  config.u(32, summary.avg_bitrate);
  ByteVector decoder = config.take();
  if (!summary.decoder_specific_info.empty())
    append_descriptor(decoder, kDecoderSpecificTag, summary.decoder_specific_info);
  ByteVector es;
  append_be(es, 2, summary.es_id);
  es.push_back(0); // no dependence, URL or OCR stream; priority 0
  append_descriptor(es, kDecoderConfigTag, decoder);
  append_descriptor(es, kSlConfigTag, {2});
  ByteVector out;
  append_descriptor(out, kEsTag, es);
  return out;
}

Result<EsdsSummary> read_es_descriptor(Bytes descriptor) {
  const auto broken = [](const char *what) {
    return fail(ErrorCode::bad_data, std::string("esds: ") + what);
  };
  const Descriptor es = next_descriptor(descriptor);
  if (es.tag != kEsTag || es.content.size() < 3) return broken("there is no ES_Descriptor");
  EsdsSummary summary;
  summary.es_id = static_cast<std::uint16_t>(load_be(es.content.data(), 2));
  const unsigned flags = es.content[2];
  std::size_t skip = 3 + (flags & 0x80 ? 2 : 0);
  if (flags & 0x40) skip += skip < es.content.size() ? 1u + es.content[skip] : 1u; // URL
  if (flags & 0x20) skip += 2;
  if (skip > es.content.size()) return broken("the ES_Descriptor is too short");
  Bytes rest = es.content.subspan(skip);
  const Descriptor config = next_descriptor(rest);
  if (config.tag != kDecoderConfigTag || config.content.size() < 13)
    return broken("there is no DecoderConfigDescriptor");
  read_decoder_config(BitReader(config.content), summary);
  Bytes inner = config.content.subspan(13);
  if (const Descriptor info = next_descriptor(inner); info.tag == kDecoderSpecificTag)
    summary.decoder_specific_info.assign(info.content.begin(), info.content.end());
  return summary;
}

} // namespace hull::isobmff
