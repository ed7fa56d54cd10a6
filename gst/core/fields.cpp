#include "gst/core/fields.h"

#include <algorithm>

namespace hull {
namespace {

// Entries without a bit of their own (a trun whose samples have only defaults) can be counted without data
// behind them; more than this is an attack, not a run.
constexpr std::uint64_t kMaxEmptyEntries = 1u << 20;

// A random 32-bit length must not cost 4 GiB.
constexpr std::uint64_t kMostFilledBytes = 1u << 12;

bool fits(std::uint64_t value, unsigned width) {
  return width >= 64 || value >> width == 0;
}

} // namespace

// Reader

void Reader::short_of(const char *name) {
  fail(std::string("the data ends inside ") + name);
}

void Reader::bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &) {
  if (remaining() < width) {
    short_of(name);
    value = 0;
    return;
  }
  value = ok() ? in_.u(width) : 0;
}

void Reader::exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) {
  value = 0; // what was not read, or is out of its range, must not become somebody's index
  const std::uint64_t read = ok() ? in_.ue() : 0;
  if (!in_.ok()) return short_of(name);
  if (read > max)
    return fail(std::string(name) + " is " + std::to_string(read) + ", above its limit " +
                std::to_string(max));
  value = read;
}

void Reader::signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) {
  value = 0;
  const std::int64_t read = ok() ? in_.se() : 0;
  if (!in_.ok()) return short_of(name);
  if (ok() && (read < min || read > max))
    return fail(std::string(name) + " is " + std::to_string(read) + ", outside its range");
  value = read;
}

void Reader::bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) {
  value.clear();
  if (size > remaining() / 8) return short_of(name);
  if (in_.aligned()) {
    const Bytes part = in_.data().subspan(in_.position() / 8, size);
    value.assign(part.begin(), part.end());
    in_.skip(size * 8);
    return;
  }
  value.resize(size);
  for (auto &byte : value)
    byte = static_cast<std::uint8_t>(in_.u(8));
}

void Reader::rest(const char *name, std::vector<std::uint8_t> &value) {
  bytes(name, value, remaining() / 8);
}

void Reader::text(const char *, std::string &value) {
  value.clear();
  while (remaining() >= 8) {
    const auto c = static_cast<char>(in_.u(8));
    if (c == 0) return;
    value += c;
  }
}

std::uint64_t Reader::entries(const char *name, std::uint64_t n, std::uint64_t entry_bits) {
  const std::uint64_t most = entry_bits ? remaining() / entry_bits : kMaxEmptyEntries;
  if (n > most) {
    fail(std::string(name) + " is " + std::to_string(n) + ", but the data holds at most " +
         std::to_string(most));
    return 0;
  }
  return n;
}

std::uint64_t Reader::fill_count(std::uint64_t, std::uint64_t entry_bits) {
  return remaining() / entry_bits;
}

bool Reader::another(std::uint64_t, std::uint64_t, std::uint64_t entry_bits) {
  return remaining() > 0 && remaining() >= entry_bits;
}

// Writer

void Writer::bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &) {
  if (!fits(value, width)) return fail(std::string(name) + " does not fit its field");
  out_.u(width, value);
}

void Writer::exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) {
  if (value > max) return fail(std::string(name) + " is above its limit");
  out_.ue(value);
}

void Writer::signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) {
  if (value < min || value > max) return fail(std::string(name) + " is outside its range");
  out_.se(value);
}

void Writer::bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) {
  if (value.size() != size) return fail(std::string(name) + " has the wrong length");
  out_.bytes(value);
}

void Writer::rest(const char *, std::vector<std::uint8_t> &value) {
  out_.bytes(value);
}

void Writer::text(const char *name, std::string &value) {
  if (value.find('\0') != std::string::npos) return fail(std::string(name) + " has a zero inside");
  out_.bytes({reinterpret_cast<const std::uint8_t *>(value.data()), value.size()});
  out_.u(8, 0);
}

// Walker

void Walker::bits(const char *, unsigned width, std::uint64_t &, const FieldForm &) {
  position_ += width;
}
void Walker::exp_golomb(const char *, std::uint64_t &value, std::uint64_t) {
  position_ += ue_width(value);
}
void Walker::signed_exp_golomb(const char *, std::int64_t &value, std::int64_t, std::int64_t) {
  position_ += ue_width(se_code(value));
}
void Walker::bytes(const char *, std::vector<std::uint8_t> &value, std::uint64_t) {
  position_ += value.size() * 8;
}
void Walker::rest(const char *, std::vector<std::uint8_t> &value) {
  position_ += value.size() * 8;
}
void Walker::text(const char *, std::string &value) {
  position_ += (value.size() + 1) * 8;
}

// Tracer

void Tracer::bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) {
  list.push_back({name, Traced::Kind::unsigned_number, depth_, position(), width, value, {}});
  Walker::bits(name, width, value, form);
}

void Tracer::exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) {
  list.push_back({name, Traced::Kind::unsigned_number, depth_, position(), ue_width(value), value, {}});
  Walker::exp_golomb(name, value, max);
}

void Tracer::signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) {
  list.push_back({name,
                  Traced::Kind::signed_number,
                  depth_,
                  position(),
                  ue_width(se_code(value)),
                  static_cast<std::uint64_t>(value),
                  {}});
  Walker::signed_exp_golomb(name, value, min, max);
}

void Tracer::bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) {
  list.push_back({name, Traced::Kind::bytes, depth_, position(), value.size() * 8, 0, value});
  Walker::bytes(name, value, size);
}

void Tracer::rest(const char *name, std::vector<std::uint8_t> &value) {
  bytes(name, value, value.size());
}

void Tracer::text(const char *name, std::string &value) {
  list.push_back({name, Traced::Kind::text, depth_, position(), (value.size() + 1) * 8, 0,
                  ByteVector(value.begin(), value.end())});
  Walker::text(name, value);
}

void Tracer::open(const char *name) {
  list.push_back({name, Traced::Kind::group, depth_, position(), 0, 0, {}});
  ++depth_;
}

// Filler

void Filler::bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) {
  value = (std::uint64_t{random_()} << 32 | random_());
  // Small values are as likely as wide ones: conditions on versions and flags then take both ways.
  if (random_() % 2) value &= 3;
  if (width < 64) value &= (std::uint64_t{1} << width) - 1;
  Walker::bits(name, width, value, form);
}

void Filler::exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) {
  value = random_() % (std::min<std::uint64_t>(max, 0xfffffffeu) + 1);
  Walker::exp_golomb(name, value, max);
}

void Filler::signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) {
  const std::int64_t low = std::max<std::int64_t>(min, -0x7fffffff),
                     high = std::min<std::int64_t>(max, 0x7fffffff);
  value = low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  Walker::signed_exp_golomb(name, value, min, max);
}

ByteVector Filler::random_bytes(std::uint64_t size) {
  ByteVector data(size);
  for (auto &byte : data)
    byte = static_cast<std::uint8_t>(random_());
  return data;
}

void Filler::bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) {
  if (size > kMostFilledBytes) return fail(std::string(name) + " is too long to be filled");
  value = random_bytes(size);
  Walker::bytes(name, value, size);
}

void Filler::rest(const char *name, std::vector<std::uint8_t> &value) {
  value = random_bytes(random_() % 40);
  Walker::rest(name, value);
}

void Filler::text(const char *name, std::string &value) {
  value.clear();
  for (unsigned n = random_() % 12; n > 0; --n)
    value += static_cast<char>('a' + random_() % 26);
  Walker::text(name, value);
}

std::uint64_t Filler::entries(const char *, std::uint64_t n, std::uint64_t) {
  return n % 6;
}

std::uint64_t Filler::fill_count(std::uint64_t, std::uint64_t) {
  return random_() % 6;
}

bool Filler::another(std::uint64_t i, std::uint64_t, std::uint64_t) {
  return i < 6 && random_() % 4 != 0;
}

} // namespace hull
