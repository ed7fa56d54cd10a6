#include "gst/inspect/codec_view.h"

#include "gst/h264/avcc.h"
#include "gst/isobmff/boxes/entry.h"

namespace hull::inspect {
namespace {

using isobmff::FieldKind;
using isobmff::FieldList;
using isobmff::FieldValue;

// Appends `part` as a group called `name`, moved to `bit_offset`.
void append_group(FieldList &list, const char *name, const FieldList &part, std::uint64_t bit_offset) {
  FieldValue group;
  group.name = name;
  group.kind = FieldKind::group;
  group.bit_offset = bit_offset;
  list.fields.push_back(group);
  for (FieldValue field : part.fields) {
    field.depth += 1;
    field.bit_offset += bit_offset;
    list.fields.push_back(std::move(field));
  }
  list.left_out += part.left_out;
}

FieldList avc_fields(Bytes record, const isobmff::FieldLimits &limits) {
  auto parsed = h264::parse_decoder_configuration(record);
  if (!parsed) return {};
  FieldList list = isobmff::list_fields([&](Fields &f) { parsed->fields(f); }, limits);
  std::vector<std::uint64_t> places; // of the NAL units, in the order of the record
  for (const FieldValue &field : list.fields)
    if (field.kind == FieldKind::bytes) places.push_back(field.bit_offset + 8);
  std::size_t unit = 0;
  const auto place = [&] { return unit < places.size() ? places[unit++] : 0; };
  h264::Sps sps;
  for (const auto &set : parsed->sequence_parameter_sets) {
    auto read = set.data.empty() ? Result<h264::Sps>(fail(ErrorCode::bad_data, "empty"))
                                 : h264::parse_sps(h264::Nal{set.data});
    const std::uint64_t at = place();
    if (!read) continue;
    sps = *read;
    append_group(list, "seq_parameter_set", isobmff::list_fields([&](Fields &f) { sps.fields(f); }, limits),
                 at);
  }
  for (const auto &set : parsed->picture_parameter_sets) {
    auto read = set.data.empty() ? Result<h264::Pps>(fail(ErrorCode::bad_data, "empty"))
                                 : h264::parse_pps(h264::Nal{set.data}, &sps);
    const std::uint64_t at = place();
    if (read)
      append_group(list, "pic_parameter_set",
                   isobmff::list_fields([&](Fields &f) { read->fields(f); }, limits), at);
  }
  return list;
}

FieldList esds_fields(Bytes descriptor) {
  const auto summary = isobmff::read_es_descriptor(descriptor);
  if (!summary) return {};
  FieldList list;
  const auto add = [&](const char *name, std::uint64_t value) {
    FieldValue &field = list.fields.emplace_back();
    field.name = name;
    field.value = value;
  };
  add("ES_ID", summary->es_id);
  add("objectTypeIndication", summary->object_type_indication);
  add("streamType", summary->stream_type);
  add("bufferSizeDB", summary->buffer_size_db);
  add("maxBitrate", summary->max_bitrate);
  add("avgBitrate", summary->avg_bitrate);
  FieldValue &info = list.fields.emplace_back();
  info.name = "DecoderSpecificInfo";
  info.kind = FieldKind::bytes;
  info.data = summary->decoder_specific_info;
  info.bit_width = info.data.size() * 8;
  return list;
}

} // namespace

FieldList codec_fields(const isobmff::Node &node, const isobmff::FieldLimits &limits) {
  if (const auto *config = node.as<isobmff::CodecConfiguration>();
      config && config->type == isobmff::FourCC("avcC"))
    return avc_fields(config->configuration, limits);
  if (const auto *esds = node.as<isobmff::ElementaryStreamDescriptor>()) return esds_fields(esds->descriptor);
  return {};
}

} // namespace hull::inspect
