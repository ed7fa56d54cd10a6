#pragma once

// Fields of a box by name: what `atoms ls`, `cat` and `set` show and change.

#include "gst/isobmff/boxes/box.h"

#include <functional>

namespace hull::isobmff {

/// How a field's bits are to be read by a person.
enum class FieldKind { number, signed_number, fixed, fourcc, language, text, bytes, group };

struct FieldValue {
  std::string name;
  FieldKind kind = FieldKind::number;
  bool is_signed = false;       ///< of a number
  unsigned depth = 0;           ///< groups around it
  unsigned fraction_bits = 0;   ///< of a fixed-point number
  std::uint64_t bit_offset = 0; ///< from the first byte of the payload
  std::uint64_t bit_width = 0;
  std::uint64_t value = 0; ///< a signed number as its two's complement in 64 bits
  ByteVector data;         ///< bytes and text; cut at FieldLimits::bytes
  bool cut = false;        ///< `data` is not all
};

struct FieldLimits {
  std::size_t fields = 1000; ///< further ones are counted, not listed
  std::size_t bytes = 4096;  ///< longer bytes and texts are cut
};

struct FieldList {
  std::vector<FieldValue> fields;
  std::uint64_t left_out = 0;
};

/// The fields of a box in the order of its bytes, reserved ones left out.
FieldList list_fields(Box &box, const FieldLimits &limits = {});

/// The same for any structure: `visit` hands it to the visitor.
FieldList list_fields(const std::function<void(Fields &)> &visit, const FieldLimits &limits = {});

/// A value as `set` takes it: numbers in decimal, fixed point as a decimal fraction, four-character codes and
/// languages as letters, bytes in hex.
std::string format_value(const FieldValue &field);

/// The field `name` or `name[i]` (the i-th of that name, counted from 0). not_found names those there are.
Result<FieldValue> get_field(Box &box, std::string_view name);

/// Sets a field from a text as format_value writes it; numbers may also be 0x…, bytes `text:…`. A value that
/// does not fit, or that the box cannot be written with, is `settings` and leaves the box as it was; so does
/// a count, which follows from its entries.
Result<void> set_field(Box &box, std::string_view name, std::string_view text);

} // namespace hull::isobmff
