#include "gst/isobmff/boxes/file.h"

namespace hull::isobmff {

void FileType::fields(Fields &f) {
  f.code("major_brand", major_brand.value);
  f.u("minor_version", 32, minor_version);
  f.fill("compatible_brands", compatible_brands, 32);
  for (FourCC &brand : compatible_brands)
    f.code("compatible_brand", brand.value);
}

void TypeCombination::fields(Fields &f) {
  f.fill("compatible_brands", compatible_brands, 32);
  for (FourCC &brand : compatible_brands)
    f.code("compatible_brand", brand.value);
}

void ProgressiveDownloadInfo::fields(Fields &f) {
  FullBox::fields(f);
  f.fill("entries", entries, 64);
  for (Entry &entry : entries) {
    f.u("rate", 32, entry.rate);
    f.u("initial_delay", 32, entry.initial_delay);
  }
}

void SegmentIndex::Reference::fields(Fields &f) {
  f.flag("reference_type", reference_type);
  f.u("referenced_size", 31, referenced_size);
  f.u("subsegment_duration", 32, subsegment_duration);
  f.flag("starts_with_SAP", starts_with_sap);
  f.u("SAP_type", 3, sap_type);
  f.u("SAP_delta_time", 28, sap_delta_time);
}

void SegmentIndex::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version != 0);
  f.u("reference_ID", 32, reference_id);
  f.u("timescale", 32, timescale);
  f.u("earliest_presentation_time", width, earliest_presentation_time);
  f.u("first_offset", width, first_offset);
  f.reserved(16);
  f.count("reference_count", 16, references, 96);
  for (Reference &reference : references)
    f.group("reference", reference);
}

void SubsegmentIndex::Range::fields(Fields &f) {
  f.u("level", 8, level);
  f.u("range_size", 24, range_size);
}

void SubsegmentIndex::Subsegment::fields(Fields &f) {
  f.count("range_count", 32, ranges, 32);
  for (Range &range : ranges)
    f.group("range", range);
}

void SubsegmentIndex::fields(Fields &f) {
  FullBox::fields(f);
  f.count("subsegment_count", 32, subsegments, 32);
  for (Subsegment &subsegment : subsegments)
    f.group("subsegment", subsegment);
}

void ProducerReferenceTime::fields(Fields &f) {
  FullBox::fields(f);
  f.u("reference_track_ID", 32, reference_track_id);
  f.u("ntp_timestamp", 64, ntp_timestamp);
  f.u("media_time", f.wide_when(version != 0), media_time);
}

void EventMessage::fields(Fields &f) {
  FullBox::fields(f);
  if (version == 0) {
    f.text("scheme_id_uri", scheme_id_uri);
    f.text("value", value);
  }
  f.u("timescale", 32, timescale);
  if (version == 0)
    f.u("presentation_time_delta", 32, presentation_time_delta);
  else
    f.u("presentation_time", 64, presentation_time);
  f.u("event_duration", 32, event_duration);
  f.u("id", 32, id);
  if (version != 0) {
    f.text("scheme_id_uri", scheme_id_uri);
    f.text("value", value);
  }
  f.rest("message_data", message_data);
}

} // namespace hull::isobmff
