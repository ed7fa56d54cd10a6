#include "gst/isobmff/boxes/sample.h"

namespace hull::isobmff {
namespace {

// An offset that is unsigned in version 0 and signed from version 1 on.
void offset_field(Fields &f, const char *name, unsigned width, bool is_signed, std::int64_t &value) {
  if (is_signed) return f.i(name, width, value);
  if (value < 0) return f.fail(std::string(name) + " is negative");
  auto wide = static_cast<std::uint64_t>(value);
  f.u(name, width, wide);
  value = static_cast<std::int64_t>(wide);
}

} // namespace

void SampleDescription::fields(Fields &f) {
  FullBox::fields(f);
  f.u("entry_count", 32, entry_count);
}

void TimeToSample::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, entries, 64);
  for (Entry &entry : entries) {
    f.u("sample_count", 32, entry.sample_count);
    f.u("sample_delta", 32, entry.sample_delta);
  }
}

void CompositionOffset::fields(Fields &f) {
  FullBox::fields(f);
  f.wide_when(version != 0); // offsets are signed then
  f.count("entry_count", 32, entries, 64);
  for (Entry &entry : entries) {
    f.u("sample_count", 32, entry.sample_count);
    offset_field(f, "sample_offset", 32, version != 0, entry.sample_offset);
  }
}

void CompositionToDecode::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version != 0);
  f.i("compositionToDTSShift", width, composition_to_dts_shift);
  f.i("leastDecodeToDisplayDelta", width, least_decode_to_display_delta);
  f.i("greatestDecodeToDisplayDelta", width, greatest_decode_to_display_delta);
  f.i("compositionStartTime", width, composition_start_time);
  f.i("compositionEndTime", width, composition_end_time);
}

void SampleToChunk::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, entries, 96);
  for (Entry &entry : entries) {
    f.u("first_chunk", 32, entry.first_chunk);
    f.u("samples_per_chunk", 32, entry.samples_per_chunk);
    f.u("sample_description_index", 32, entry.sample_description_index);
  }
}

void SampleSize::fields(Fields &f) {
  FullBox::fields(f);
  f.u("sample_size", 32, sample_size);
  if (sample_size != 0) {
    f.u("sample_count", 32, sample_count);
    return;
  }
  f.count("sample_count", 32, entry_sizes, 32);
  sample_count = static_cast<std::uint32_t>(entry_sizes.size());
  for (auto &size : entry_sizes)
    f.u("entry_size", 32, size);
}

void CompactSampleSize::fields(Fields &f) {
  FullBox::fields(f);
  f.reserved(24);
  f.u("field_size", 8, field_size);
  if (field_size != 4 && field_size != 8 && field_size != 16) return f.fail("field_size must be 4, 8 or 16");
  f.count("sample_count", 32, entry_sizes, field_size);
  for (auto &size : entry_sizes)
    f.u("entry_size", field_size, size);
  if (field_size == 4 && entry_sizes.size() % 2) f.reserved(4);
}

void ChunkOffset::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, chunk_offsets, 32);
  for (auto &offset : chunk_offsets)
    f.u("chunk_offset", 32, offset);
}

void ChunkLargeOffset::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, chunk_offsets, 64);
  for (auto &offset : chunk_offsets)
    f.u("chunk_offset", 64, offset);
}

void SyncSample::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, sample_numbers, 32);
  for (auto &number : sample_numbers)
    f.u("sample_number", 32, number);
}

void SampleDependency::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("samples", samples);
}

void SampleGroupDescription::fields(Fields &f) {
  FullBox::fields(f);
  f.code("grouping_type", grouping_type.value);
  if (version == 0) {
    f.u("entry_count", 32, version0_count);
    return f.rest("entries", version0);
  }
  f.u("default_length", 32, default_length);
  if (version >= 2) f.u("default_group_description_index", 32, default_group_description_index);
  f.count("entry_count", 32, entries, default_length ? default_length * 8ull : 32);
  for (ByteVector &entry : entries) {
    auto length = default_length ? default_length : static_cast<std::uint32_t>(entry.size());
    if (!default_length) f.u("description_length", 32, length);
    f.bytes("description", entry, length);
  }
}

void SampleToGroup::fields(Fields &f) {
  FullBox::fields(f);
  f.code("grouping_type", grouping_type.value);
  if (version == 1) f.u("grouping_type_parameter", 32, grouping_type_parameter);
  f.count("entry_count", 32, entries, 64);
  for (Entry &entry : entries) {
    f.u("sample_count", 32, entry.sample_count);
    f.u("group_description_index", 32, entry.group_description_index);
  }
}

void SubSampleInformation::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version == 1) / 2;
  f.count("entry_count", 32, entries, 48);
  for (Entry &entry : entries) {
    f.u("sample_delta", 32, entry.sample_delta);
    f.count("subsample_count", 16, entry.subsamples, width + 48);
    for (SubSample &sub : entry.subsamples) {
      f.u("subsample_size", width, sub.subsample_size);
      f.u("subsample_priority", 8, sub.subsample_priority);
      f.u("discardable", 8, sub.discardable);
      f.u("codec_specific_parameters", 32, sub.codec_specific_parameters);
    }
  }
}

void CompactSampleToGroup::fields(Fields &f) {
  FullBox::fields(f);
  const auto width = [this](unsigned shift) { return 4u << (flags >> shift & 3); };
  const unsigned index_width = width(0), count_width = width(2), length_width = width(4);
  f.code("grouping_type", grouping_type.value);
  if (flags & kHasParameter) f.u("grouping_type_parameter", 32, grouping_type_parameter);
  f.count("pattern_count", 32, patterns, length_width + count_width);
  std::uint64_t indices = 0;
  for (Pattern &pattern : patterns) {
    f.u("pattern_length", length_width, pattern.pattern_length);
    f.u("sample_count", count_width, pattern.sample_count);
    indices += pattern.pattern_length;
  }
  f.known_count("sample_group_description_index", sample_group_description_index, indices, index_width);
  for (auto &index : sample_group_description_index)
    f.u("sample_group_description_index", index_width, index);
  if (f.position() % 8 != 0) f.reserved(4);
}

void PaddingBits::fields(Fields &f) {
  FullBox::fields(f);
  f.count("sample_count", 32, pads, 4);
  for (auto &pad : pads) {
    f.reserved(1);
    f.u("pad", 3, pad);
  }
  if (pads.size() % 2 != 0) f.reserved(4);
}

void DegradationPriority::fields(Fields &f) {
  FullBox::fields(f);
  f.fill("priorities", priorities, 16);
  for (auto &priority : priorities)
    f.u("priority", 16, priority);
}

void ShadowSync::fields(Fields &f) {
  FullBox::fields(f);
  f.count("entry_count", 32, entries, 64);
  for (Entry &entry : entries) {
    f.u("shadowed_sample_number", 32, entry.shadowed_sample_number);
    f.u("sync_sample_number", 32, entry.sync_sample_number);
  }
}

} // namespace hull::isobmff
