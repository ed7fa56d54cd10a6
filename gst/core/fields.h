#pragma once

// One declaration of a box or a syntax structure gives its reader, writer, size, trace, editor and test
// values.
//
// HOWTO declare a structure: give it members with the specification's names and one function
//
//   void fields(Fields &f) {
//     f.u("version", 8, version);                        // unsigned, 8 bits
//     f.i("data_offset", 32, data_offset);               // two's complement
//     f.fixed("width", 16, 16, width);                   // fixed point, signed where the member is
//     f.code("handler_type", handler_type.value);        // four characters
//     if (version == 1) f.u("duration", 64, duration);   // conditions read members that came before
//     f.count("entry_count", 32, entries, 64);           // a count and its entries' least size in bits
//     for (Entry &e : entries) f.group("entry", e);      // e has fields() of its own
//     f.reserved(16);                                    // written as zero, read and ignored
//   }
//
// Errors are sticky: after the first one every read yields 0 and the caller asks ok() once. The visitors are
// virtual, not templates: libjxl measured smaller programs that way, and so a declaration compiles once.

#include "gst/core/bits.h"
#include "gst/core/result.h"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace hull {

/// What a number's bits mean to a reader of it; reading and writing them does not depend on it.
struct FieldForm {
  enum class Kind { number, fourcc, language };
  Kind kind = Kind::number;
  bool is_signed = false;     ///< two's complement
  unsigned fraction_bits = 0; ///< of a fixed-point number
};

class Fields {
 public:
  virtual ~Fields() = default;

  /// Unsigned field of `width` bits, 0..64.
  template <std::unsigned_integral T> void u(const char *name, unsigned width, T &value) {
    number(name, width, value, {});
  }
  /// Two's complement field of `width` bits, 1..64.
  template <std::signed_integral T> void i(const char *name, unsigned width, T &value) {
    number(name, width, value, {.is_signed = true});
  }
  /// Fixed point, signed where `value` is: 16.16 of a matrix, 8.8 of a volume. `value` holds all bits.
  template <std::integral T>
  void fixed(const char *name, unsigned integer_bits, unsigned fraction_bits, T &value) {
    number(name, integer_bits + fraction_bits, value,
           {.is_signed = std::is_signed_v<T>, .fraction_bits = fraction_bits});
  }
  /// Four characters.
  void code(const char *name, std::uint32_t &value) {
    number(name, 32, value, {.kind = FieldForm::Kind::fourcc});
  }
  /// A language as three packed letters, ISO/IEC 14496-12 8.4.2.
  void language(const char *name, std::uint16_t &value) {
    number(name, 16, value, {.kind = FieldForm::Kind::language});
  }
  /// Says that another version of the structure differs from this one only in wider (or signed) fields, and
  /// whether this is the wider one. Returns the width of such a field, 32 or 64 bits. A writer whose values
  /// do not fit asks has_wider_form() and may take the wider version.
  unsigned wide_when(bool wide) {
    has_wider_form_ = !wide;
    return wide ? 64 : 32;
  }
  bool has_wider_form() const { return has_wider_form_; }
  void flag(const char *name, bool &value) {
    std::uint64_t wide = value;
    bits(name, 1, wide, {});
    value = wide != 0;
  }
  /// Exp-Golomb, H.264 9.1. Values above `max` are an error.
  template <std::unsigned_integral T> void ue(const char *name, T &value, std::uint64_t max = 0xfffffffeu) {
    std::uint64_t wide = value;
    exp_golomb(name, wide, std::min<std::uint64_t>(max, std::numeric_limits<T>::max()));
    value = static_cast<T>(wide);
  }
  template <std::signed_integral T>
  void se(const char *name, T &value, std::int64_t min = std::numeric_limits<T>::min(),
          std::int64_t max = std::numeric_limits<T>::max()) {
    std::int64_t wide = value;
    signed_exp_golomb(name, wide, min, max);
    value = static_cast<T>(wide);
  }
  /// Exactly `size` bytes; the reader fills `value`, the writer refuses another length.
  virtual void bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) = 0;
  /// All bytes to the end of the structure.
  virtual void rest(const char *name, std::vector<std::uint8_t> &value) = 0;
  /// UTF-8 up to and with a zero byte. A reader takes a missing zero at the very end as the end of the text.
  virtual void text(const char *name, std::string &value) = 0;
  /// Bits a writer sets to `value` and a reader ignores.
  void reserved(unsigned width, std::uint64_t value = 0) {
    std::uint64_t ignored = value;
    bits(kReserved, width, ignored, {});
  }
  /// A count of `width` bits and the vector it sizes. `entry_bits` is the least size of one entry: a reader
  /// refuses more entries than the remaining data can hold, so a hostile count costs nothing.
  template <class T>
  void count(const char *name, unsigned width, std::vector<T> &entries, std::uint64_t entry_bits) {
    std::uint64_t n = entries.size();
    bits(name, width, n, {});
    sized(name, entries, n, entry_bits);
  }
  /// Entries that were counted before, checked as count() does; a writer's must be as many.
  template <class T>
  void known_count(const char *name, std::vector<T> &entries, std::uint64_t n, std::uint64_t entry_bits) {
    if (!reading() && n != entries.size()) return fail(std::string(name) + " has the wrong length");
    if (sized(name, entries, n, entry_bits); ok_ && entries.size() != n)
      fail(std::string(name) + " is too long");
  }
  /// Entries that fill the structure to its end, `entry_bits` each.
  template <class T> void fill(const char *name, std::vector<T> &entries, std::uint64_t entry_bits) {
    sized(name, entries, fill_count(entries.size(), entry_bits), entry_bits);
  }
  /// Structures of varied sizes that fill this one to its end, each of `entry_bits` at least.
  /// `prepare` tells an entry what it needs to know of the structure.
  template <class T, class Prepare = decltype([](T &) {})>
  void groups(const char *name, std::vector<T> &entries, std::uint64_t entry_bits, Prepare prepare = {}) {
    std::size_t i = 0;
    for (; ok_ && another(i, entries.size(), entry_bits); ++i) {
      if (i == entries.size()) entries.emplace_back();
      prepare(entries[i]);
      group(name, entries[i]);
    }
    entries.resize(i);
  }
  /// Whether a field at the end of the structure is there: a reader sees bytes left, others know it.
  bool optional(bool there) { return reading() ? another(0, there, 8) : there; }
  /// A nested structure.
  template <class T> void group(const char *name, T &value) {
    open(name);
    value.fields(*this);
    close();
  }
  /// What the specification says a value is when its field is absent; only a reader sets it.
  template <class T> void infer(T &value, std::type_identity_t<T> inferred) {
    if (reading()) value = inferred;
  }
  /// A reader stops here; a writer reports that the structure cannot be written.
  void fail(std::string text, Place at = Place::here()) {
    if (ok_) {
      ok_ = false;
      error_ = {ErrorCode::bad_data, std::move(text), position() / 8, at};
    }
  }

  virtual bool reading() const { return false; }
  /// Bits before the current one, from the start of the structure.
  virtual std::uint64_t position() const = 0;
  /// Bits a reader has left; other visitors have none.
  virtual std::uint64_t remaining() const { return 0; }
  bool ok() const { return ok_; }
  const Error &error() const { return error_; }

  static constexpr const char *kReserved = "reserved";

 protected:
  virtual void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) = 0;
  virtual void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) = 0;
  virtual void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min,
                                 std::int64_t max) = 0;
  virtual void open(const char *) {}
  virtual void close() {}
  /// How many entries a vector gets: checked by a reader, chosen by the filler, left alone by the rest.
  virtual std::uint64_t entries(const char *, std::uint64_t n, std::uint64_t) { return n; }
  virtual std::uint64_t fill_count(std::uint64_t n, std::uint64_t) { return n; }
  /// Whether an entry follows after `i` of the `n` there were.
  virtual bool another(std::uint64_t i, std::uint64_t n, std::uint64_t) { return i < n; }

 private:
  template <std::integral T> void number(const char *name, unsigned width, T &value, const FieldForm &form) {
    const unsigned spare = 64 - width;
    auto wide = static_cast<std::uint64_t>(value);
    if constexpr (std::is_signed_v<T>) {
      if (!fits_signed(value, width)) fail(std::string(name) + " does not fit its field");
      wide = wide << spare >> spare;
    }
    bits(name, width, wide, form);
    if constexpr (std::is_signed_v<T>)
      value = static_cast<T>(static_cast<std::int64_t>(wide << spare) >> spare);
    else
      value = static_cast<T>(wide);
  }
  template <class T>
  void sized(const char *name, std::vector<T> &items, std::uint64_t n, std::uint64_t entry_bits) {
    n = entries(name, n, entry_bits);
    if (ok_ && n != items.size()) items.resize(n);
    if (!ok_) items.clear();
  }
  static bool fits_signed(std::int64_t value, unsigned width) {
    return width >= 64 ||
           (value >= -(std::int64_t{1} << (width - 1)) && value < std::int64_t{1} << (width - 1));
  }

  bool ok_ = true;
  bool has_wider_form_ = false;
  Error error_;
};

/// Fills a structure from bytes.
class Reader final : public Fields {
 public:
  explicit Reader(Bytes data) : in_(data) {}
  void bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) override;
  void rest(const char *name, std::vector<std::uint8_t> &value) override;
  void text(const char *name, std::string &value) override;
  bool reading() const override { return true; }
  std::uint64_t position() const override { return in_.position(); }
  std::uint64_t remaining() const override { return ok() ? in_.remaining() : 0; }

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override;
  void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) override;
  void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) override;
  std::uint64_t entries(const char *name, std::uint64_t n, std::uint64_t entry_bits) override;
  std::uint64_t fill_count(std::uint64_t n, std::uint64_t entry_bits) override;
  bool another(std::uint64_t i, std::uint64_t n, std::uint64_t entry_bits) override;

 private:
  void short_of(const char *name);
  BitReader in_;
};

/// Appends a structure's bytes.
class Writer final : public Fields {
 public:
  void bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) override;
  void rest(const char *name, std::vector<std::uint8_t> &value) override;
  void text(const char *name, std::string &value) override;
  std::uint64_t position() const override { return out_.position(); }
  BitWriter &out() { return out_; }

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override;
  void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) override;
  void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) override;

 private:
  BitWriter out_;
};

/// Visits a structure in place and knows the position of each field: the base of what sizes, traces and
/// edits.
class Walker : public Fields {
 public:
  void bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) override;
  void rest(const char *name, std::vector<std::uint8_t> &value) override;
  void text(const char *name, std::string &value) override;
  std::uint64_t position() const override { return position_; }

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override;
  void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) override;
  void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) override;

 private:
  std::uint64_t position_ = 0;
};

/// Counts: position() after the visit is the size in bits.
using Sizer = Walker;

/// A field as it stands in the bitstream. `depth` counts the groups it is in; a group itself has kind group.
struct Traced {
  enum class Kind { unsigned_number, signed_number, bytes, text, group };
  std::string name;
  Kind kind = Kind::unsigned_number;
  unsigned depth = 0;
  std::uint64_t bit_offset = 0;
  std::uint64_t bit_width = 0;
  std::uint64_t value = 0; ///< numbers; a signed one is stored as its two's complement
  ByteVector data;         ///< bytes and text
};

/// Lists a structure's fields with their places.
class Tracer final : public Walker {
 public:
  void bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) override;
  void rest(const char *name, std::vector<std::uint8_t> &value) override;
  void text(const char *name, std::string &value) override;
  std::vector<Traced> list;

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override;
  void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) override;
  void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) override;
  void open(const char *name) override;
  void close() override { --depth_; }

 private:
  unsigned depth_ = 0;
};

/// Fills a structure with values that are legal for each field's width: input of round-trip tests and
/// fuzzers.
class Filler final : public Walker {
 public:
  explicit Filler(std::uint32_t seed) : random_(seed) {}
  void bytes(const char *name, std::vector<std::uint8_t> &value, std::uint64_t size) override;
  void rest(const char *name, std::vector<std::uint8_t> &value) override;
  void text(const char *name, std::string &value) override;
  bool reading() const override { return true; } // so that inferred values are set as a reader would

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override;
  void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) override;
  void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) override;
  std::uint64_t entries(const char *name, std::uint64_t n, std::uint64_t entry_bits) override;
  std::uint64_t fill_count(std::uint64_t n, std::uint64_t entry_bits) override;
  bool another(std::uint64_t i, std::uint64_t n, std::uint64_t entry_bits) override;

 private:
  ByteVector random_bytes(std::uint64_t size);
  std::mt19937 random_;
};

} // namespace hull
