#include "gst/isobmff/boxes/fragment.h"

#include <bit>

namespace hull::isobmff {

void MovieFragmentHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.u("sequence_number", 32, sequence_number);
}

void TrackFragmentHeader::fields(Fields &f) {
  FullBox::fields(f);
  f.u("track_ID", 32, track_id);
  if (flags & kBaseDataOffset) f.u("base_data_offset", 64, base_data_offset);
  if (flags & kSampleDescriptionIndex) f.u("sample_description_index", 32, sample_description_index);
  if (flags & kDefaultDuration) f.u("default_sample_duration", 32, default_sample_duration);
  if (flags & kDefaultSize) f.u("default_sample_size", 32, default_sample_size);
  if (flags & kDefaultFlags) f.u("default_sample_flags", 32, default_sample_flags);
}

void TrackFragmentDecodeTime::fields(Fields &f) {
  FullBox::fields(f);
  f.u("baseMediaDecodeTime", f.wide_when(version != 0), base_media_decode_time);
}

void TrackRun::fields(Fields &f) {
  FullBox::fields(f);
  f.wide_when(version != 0); // offsets are signed then
  const unsigned per_sample = flags & (kDuration | kSize | kFlags | kCompositionOffset);
  if (per_sample) {
    f.count("sample_count", 32, samples, static_cast<unsigned>(std::popcount(per_sample)) * 32);
    sample_count = static_cast<std::uint32_t>(samples.size());
  } else {
    f.u("sample_count", 32, sample_count);
    samples.clear();
  }
  if (flags & kDataOffset) f.i("data_offset", 32, data_offset);
  if (flags & kFirstSampleFlags) f.u("first_sample_flags", 32, first_sample_flags);
  for (Sample &s : samples) {
    if (flags & kDuration) f.u("sample_duration", 32, s.duration);
    if (flags & kSize) f.u("sample_size", 32, s.size);
    if (flags & kFlags) f.u("sample_flags", 32, s.flags);
    if (!(flags & kCompositionOffset)) continue;
    auto offset = static_cast<std::uint32_t>(s.composition_offset);
    if (version == 0)
      f.u("sample_composition_time_offset", 32, offset);
    else
      f.i("sample_composition_time_offset", 32, s.composition_offset);
    if (version == 0) s.composition_offset = static_cast<std::int32_t>(offset);
  }
}

void TrackFragmentRandomAccess::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version == 1);
  f.u("track_ID", 32, track_id);
  f.reserved(26);
  f.u("length_size_of_traf_num", 2, length_size_of_traf_num);
  f.u("length_size_of_trun_num", 2, length_size_of_trun_num);
  f.u("length_size_of_sample_num", 2, length_size_of_sample_num);
  const unsigned traf = (length_size_of_traf_num + 1) * 8, trun = (length_size_of_trun_num + 1) * 8,
                 sample = (length_size_of_sample_num + 1) * 8;
  f.count("number_of_entry", 32, entries, 2 * width + traf + trun + sample);
  for (Entry &entry : entries) {
    f.u("time", width, entry.time);
    f.u("moof_offset", width, entry.moof_offset);
    f.u("traf_number", traf, entry.traf_number);
    f.u("trun_number", trun, entry.trun_number);
    f.u("sample_number", sample, entry.sample_number);
  }
}

void MovieFragmentRandomAccessOffset::fields(Fields &f) {
  FullBox::fields(f);
  f.u("parent_size", 32, mfra_size);
}

} // namespace hull::isobmff
