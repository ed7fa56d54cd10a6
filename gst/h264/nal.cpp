#include "gst/h264/nal.h"

#include "gst/core/bits.h"

#include <algorithm>
#include <cstring>

namespace hull::h264 {

std::size_t find_start_code(Bytes stream, std::size_t from) {
  const std::uint8_t *data = stream.data();
  const std::size_t size = stream.size();
  // memchr finds the 01 of the prefix; zeros are far more common in coded data than ones.
  for (std::size_t at = from + 2; at < size;) {
    const void *found = std::memchr(data + at, 1, size - at);
    if (!found) return size;
    const auto one = static_cast<std::size_t>(static_cast<const std::uint8_t *>(found) - data);
    if (data[one - 1] == 0 && data[one - 2] == 0) return one - 2;
    at = one + 1;
  }
  return size;
}

std::vector<Nal> split_annexb(Bytes stream) {
  std::vector<Nal> nals;
  std::size_t start = find_start_code(stream, 0);
  while (start < stream.size()) {
    const std::size_t begin = start + 3;
    const std::size_t next = find_start_code(stream, begin);
    std::size_t end = next;
    while (end > begin && stream[end - 1] == 0)
      --end;
    if (end > begin) nals.push_back({stream.subspan(begin, end - begin)});
    start = next;
  }
  return nals;
}

Result<std::vector<Nal>> split_length_prefixed(Bytes sample, unsigned length_size) {
  std::vector<Nal> nals;
  std::size_t at = 0;
  while (at < sample.size()) {
    if (sample.size() - at < length_size)
      return fail(ErrorCode::bad_data, "the sample ends inside the length of a NAL unit", at);
    const std::uint64_t length = load_be(sample.data() + at, length_size);
    at += length_size;
    if (length > sample.size() - at)
      return fail(ErrorCode::bad_data,
                  "a NAL unit of " + std::to_string(length) + " bytes runs past the end of its sample", at);
    if (length > 0) nals.push_back({sample.subspan(at, length)});
    at += length;
  }
  return nals;
}

void append_annexb(ByteVector &out, Bytes nal) {
  append(out, kStartCode);
  append(out, nal);
}

void append_length_prefixed(ByteVector &out, Bytes nal, unsigned length_size) {
  append_be(out, length_size, nal.size());
  append(out, nal);
}

ByteVector unescape(Bytes nal_without_header) {
  ByteVector rbsp;
  rbsp.reserve(nal_without_header.size());
  unsigned zeros = 0;
  for (const std::uint8_t byte : nal_without_header) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    rbsp.push_back(byte);
  }
  return rbsp;
}

ByteVector escape(std::uint8_t header, Bytes rbsp) {
  ByteVector nal;
  nal.reserve(rbsp.size() + rbsp.size() / 64 + 2);
  nal.push_back(header);
  unsigned zeros = 0;
  for (const std::uint8_t byte : rbsp) {
    if (zeros >= 2 && byte <= 3) {
      nal.push_back(3);
      zeros = 0;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    nal.push_back(byte);
  }
  // A NAL unit must not end in a zero byte (cabac_zero_words do).
  if (nal.size() > 1 && nal.back() == 0) nal.push_back(3);
  return nal;
}

std::uint64_t payload_bits(Bytes rbsp) {
  std::size_t size = rbsp.size();
  while (size > 0 && rbsp[size - 1] == 0)
    --size;
  if (size == 0) return 0;
  const unsigned zeros = static_cast<unsigned>(__builtin_ctz(rbsp[size - 1]));
  return size * 8ull - zeros - 1;
}

bool starts_access_unit(const Nal &nal) {
  const auto type = static_cast<unsigned>(nal.type());
  return (type >= 6 && type <= 9) || (type >= 14 && type <= 18) ||
         (nal.is_slice() && nal.type() != NalType::partition_b && nal.type() != NalType::partition_c &&
          first_mb_in_slice(nal) == 0);
}

std::uint32_t first_mb_in_slice(const Nal &slice) {
  // Eight bytes hold the longest legal code; emulation prevention cannot shorten what is read of it.
  const ByteVector head = unescape(slice.data.subspan(1, std::min<std::size_t>(slice.data.size() - 1, 8)));
  BitReader in(head);
  const std::uint64_t value = in.ue();
  return in.ok() ? static_cast<std::uint32_t>(value) : ~0u;
}

} // namespace hull::h264
