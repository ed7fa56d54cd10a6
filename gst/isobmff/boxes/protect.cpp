#include "gst/isobmff/boxes/protect.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

void uuid_field(Fields &f, const char *name, Uuid &value) {
  ByteVector bytes(value.begin(), value.end());
  f.bytes(name, bytes, value.size());
  if (bytes.size() == value.size()) std::ranges::copy(bytes, value.begin());
}

} // namespace

void OriginalFormat::fields(Fields &f) {
  f.code("data_format", data_format.value);
}

void SchemeType::fields(Fields &f) {
  FullBox::fields(f);
  f.code("scheme_type", scheme_type.value);
  f.u("scheme_version", 32, scheme_version);
  if (flags & 1) f.text("scheme_uri", scheme_uri);
}

void TrackEncryption::fields(Fields &f) {
  FullBox::fields(f);
  f.u("reserved", 8, reserved);
  if (version == 0) {
    f.reserved(8);
  } else {
    f.u("default_crypt_byte_block", 4, default_crypt_byte_block);
    f.u("default_skip_byte_block", 4, default_skip_byte_block);
  }
  f.u("default_isProtected", 8, default_is_protected);
  f.u("default_Per_Sample_IV_Size", 8, default_per_sample_iv_size);
  uuid_field(f, "default_KID", default_kid);
  if (default_is_protected != 1 || default_per_sample_iv_size != 0) return;
  auto size = static_cast<std::uint64_t>(default_constant_iv.size());
  f.u("default_constant_IV_size", 8, size);
  f.bytes("default_constant_IV", default_constant_iv, size);
}

void SampleEncryption::fields(Fields &f) {
  FullBox::fields(f);
  f.u("sample_count", 32, sample_count);
  f.rest("samples", samples);
}

void ProtectionSystemHeader::fields(Fields &f) {
  FullBox::fields(f);
  uuid_field(f, "SystemID", system_id);
  if (version > 0) {
    f.count("KID_count", 32, kids, 128);
    for (Uuid &kid : kids)
      uuid_field(f, "KID", kid);
  }
  auto size = static_cast<std::uint64_t>(data.size());
  f.u("DataSize", 32, size);
  f.bytes("Data", data, size);
}

void SampleAuxiliaryInfoSizes::fields(Fields &f) {
  FullBox::fields(f);
  if (flags & kHasType) {
    f.code("aux_info_type", aux_info_type.value);
    f.u("aux_info_type_parameter", 32, aux_info_type_parameter);
  }
  f.u("default_sample_info_size", 8, default_sample_info_size);
  if (default_sample_info_size != 0) {
    f.u("sample_count", 32, sample_count);
    return;
  }
  f.count("sample_count", 32, sample_info_sizes, 8);
  sample_count = static_cast<std::uint32_t>(sample_info_sizes.size());
  for (auto &size : sample_info_sizes)
    f.u("sample_info_size", 8, size);
}

void SampleAuxiliaryInfoOffsets::fields(Fields &f) {
  FullBox::fields(f);
  if (flags & kHasType) {
    f.code("aux_info_type", aux_info_type.value);
    f.u("aux_info_type_parameter", 32, aux_info_type_parameter);
  }
  const unsigned width = f.wide_when(version != 0);
  f.count("entry_count", 32, offsets, width);
  for (auto &offset : offsets)
    f.u("offset", width, offset);
}

void PiffSampleEncryption::fields(Fields &f) {
  FullBox::fields(f);
  if (flags & kOverride) {
    f.u("AlgorithmID", 24, algorithm_id);
    f.u("IV_size", 8, iv_size);
    uuid_field(f, "KID", kid);
  }
  f.u("sample_count", 32, sample_count);
  f.rest("samples", samples);
}

void PiffTrackEncryption::fields(Fields &f) {
  FullBox::fields(f);
  f.u("default_AlgorithmID", 24, default_algorithm_id);
  f.u("default_IV_size", 8, default_iv_size);
  uuid_field(f, "default_KID", default_kid);
}

void SmoothFragmentTime::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version != 0);
  f.u("fragment_absolute_time", width, fragment_absolute_time);
  f.u("fragment_duration", width, fragment_duration);
}

void SmoothFragmentReferences::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned width = f.wide_when(version != 0);
  f.count("fragment_count", 8, entries, width * 2);
  for (Entry &entry : entries) {
    f.u("fragment_absolute_time", width, entry.fragment_absolute_time);
    f.u("fragment_duration", width, entry.fragment_duration);
  }
}

} // namespace hull::isobmff
