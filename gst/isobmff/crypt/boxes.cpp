// Boxes of common encryption: 23001-7 7 and 8, 14496-12 8.7.8, 8.7.9 and 8.12.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/crypt/crypt.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

constexpr std::uint8_t kCounterIvSize = 8;

FourCC protected_type(const Node &entry) {
  if (entry.as<VisualSampleEntry>()) return "encv";
  if (entry.as<AudioSampleEntry>()) return "enca";
  return entry.as<SubtitleSampleEntry>() ? "encs" : "enct";
}

std::size_t info_size(const SampleProtection &sample) {
  return sample.iv.size() + (sample.subsamples.empty() ? 0 : 2 + 6 * sample.subsamples.size());
}

} // namespace

void protect_sample_entry(Node &entry, const EncryptionSettings &settings) {
  const bool cbcs = settings.scheme == Scheme::cbcs;
  const FourCC before = entry.type();
  entry.box->type = protected_type(entry);
  Node &sinf = entry.add("sinf");
  sinf.add<OriginalFormat>().data_format = before;
  sinf.add<SchemeType>().scheme_type = cbcs ? FourCC("cbcs") : FourCC("cenc");
  auto &tenc = sinf.add("schi").add<TrackEncryption>();
  tenc.default_kid = settings.key.kid;
  if (!cbcs) {
    tenc.default_per_sample_iv_size = kCounterIvSize;
    return;
  }
  tenc.version = 1;
  tenc.default_per_sample_iv_size = 0;
  tenc.default_constant_iv.assign(settings.iv.begin(), settings.iv.end());
  if (settings.map == MapKind::nal_units) {
    tenc.default_crypt_byte_block = 1;
    tenc.default_skip_byte_block = 9;
  }
}

void add_sample_encryption(Node &traf, const EncryptionSettings &,
                           std::span<const SampleProtection> samples) {
  SampleEncryption senc;
  SampleAuxiliaryInfoSizes saiz;
  const bool subsamples = std::ranges::any_of(samples, [](const auto &s) { return !s.subsamples.empty(); });
  if (subsamples) senc.flags |= SampleEncryption::kUseSubSamples;
  for (const SampleProtection &sample : samples) {
    append(senc.samples, sample.iv);
    std::size_t size = info_size(sample);
    if (subsamples) {
      append_be(senc.samples, 2, sample.subsamples.size());
      if (sample.subsamples.empty()) size += 2;
      for (const Subsample &part : sample.subsamples) {
        append_be(senc.samples, 2, part.clear);
        append_be(senc.samples, 4, part.encrypted);
      }
    }
    saiz.sample_info_sizes.push_back(static_cast<std::uint8_t>(size));
  }
  senc.sample_count = static_cast<std::uint32_t>(samples.size());
  // With a constant IV and no map (cbcs audio) there is nothing to say of a sample.
  if (senc.samples.empty()) return;
  if (std::ranges::all_of(saiz.sample_info_sizes, [&](auto n) { return n == saiz.sample_info_sizes[0]; })) {
    saiz.default_sample_info_size = saiz.sample_info_sizes[0];
    saiz.sample_count = senc.sample_count;
    saiz.sample_info_sizes.clear();
  }
  SampleAuxiliaryInfoOffsets saio;
  saio.offsets = {0};
  traf.add(std::move(senc));
  traf.add(std::move(saiz));
  traf.add(std::move(saio));
}

Result<void> set_senc_offsets(Node &moof) {
  std::uint64_t at = 8;
  for (Node &traf : moof.children) {
    std::uint64_t inside = at + 8;
    for (Node &box : traf.children) {
      if (traf.type() == FourCC("traf") && box.type() == SampleEncryption::kType) {
        auto *saio = traf.get<SampleAuxiliaryInfoOffsets>();
        if (saio && saio->offsets.size() == 1) saio->offsets[0] = inside + 8 + 8; // header; version, count
      }
      const auto size = tree_size(box);
      if (!size) return tl::unexpected(size.error());
      inside += *size;
    }
    const auto size = tree_size(traf);
    if (!size) return tl::unexpected(size.error());
    at += *size;
  }
  return {};
}

Result<std::vector<SampleProtection>> read_sample_encryption(const SampleEncryption &senc, unsigned iv_size) {
  const auto broken = [] { return fail(ErrorCode::bad_data, "senc: the data end inside a sample"); };
  const bool subsamples = senc.flags & SampleEncryption::kUseSubSamples;
  const std::size_t least = iv_size + (subsamples ? 2 : 0);
  if (least == 0) return std::vector<SampleProtection>{};
  if (senc.sample_count > senc.samples.size() / least) return broken();
  std::vector<SampleProtection> list(senc.sample_count);
  Bytes rest = senc.samples;
  for (SampleProtection &sample : list) {
    if (rest.size() < least) return broken();
    sample.iv.assign(rest.begin(), rest.begin() + iv_size);
    rest = rest.subspan(iv_size);
    if (!subsamples) continue;
    const std::size_t count = load_be(rest.data(), 2);
    rest = rest.subspan(2);
    if (count > rest.size() / 6) return broken();
    for (std::size_t i = 0; i < count; ++i, rest = rest.subspan(6))
      sample.subsamples.push_back({static_cast<std::uint32_t>(load_be(rest.data(), 2)),
                                   static_cast<std::uint32_t>(load_be(rest.data() + 2, 4))});
  }
  return list;
}

ProtectionSystemHeader make_pssh(const Uuid &system_id, ByteVector data, std::span<const Uuid> kids) {
  ProtectionSystemHeader pssh;
  pssh.version = kids.empty() ? 0 : 1;
  pssh.system_id = system_id;
  pssh.kids.assign(kids.begin(), kids.end());
  pssh.data = std::move(data);
  return pssh;
}

ProtectionSystemHeader make_common_pssh(std::span<const Uuid> kids) {
  return make_pssh(kCommonSystemId, {}, kids);
}

} // namespace hull::isobmff
