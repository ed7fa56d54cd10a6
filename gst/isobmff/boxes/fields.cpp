#include "gst/isobmff/boxes/fields.h"

#include "gst/isobmff/boxes/movie.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <set>

namespace hull::isobmff {
namespace {

std::uint64_t widen(std::uint64_t value, unsigned width) {
  const unsigned spare = 64 - width;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << spare) >> spare);
}

FieldKind kind_of(const FieldForm &form) {
  if (form.kind == FieldForm::Kind::fourcc) return FieldKind::fourcc;
  if (form.kind == FieldForm::Kind::language) return FieldKind::language;
  if (form.fraction_bits > 0) return FieldKind::fixed;
  return form.is_signed ? FieldKind::signed_number : FieldKind::number;
}

FieldValue number_field(const char *name, unsigned depth, std::uint64_t offset, unsigned width,
                        std::uint64_t value, const FieldForm &form) {
  FieldValue field;
  field.name = name;
  field.kind = kind_of(form);
  field.is_signed = form.is_signed;
  field.fraction_bits = form.fraction_bits;
  field.depth = depth;
  field.bit_offset = offset;
  field.bit_width = width;
  field.value = form.is_signed && width > 0 ? widen(value, width) : value;
  return field;
}

// Walks a box and hands each field to `found` in its readable form, counting those of one name.
class Lister final : public Walker {
 public:
  explicit Lister(const FieldLimits &limits) : limits_(limits) {}

  FieldList list;

  void bytes(const char *name, ByteVector &value, std::uint64_t size) override {
    if (FieldValue *field = next(name, FieldKind::bytes)) fill(*field, value.data(), value.size());
    Walker::bytes(name, value, size);
  }
  void rest(const char *name, ByteVector &value) override { bytes(name, value, value.size()); }
  void text(const char *name, std::string &value) override {
    if (FieldValue *field = next(name, FieldKind::text)) {
      fill(*field, reinterpret_cast<const std::uint8_t *>(value.data()), value.size());
      field->bit_width = (value.size() + 1) * 8;
    }
    Walker::text(name, value);
  }

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override {
    if (name != kReserved && room())
      list.fields.push_back(number_field(name, depth_, position(), width, value, form));
    Walker::bits(name, width, value, form);
  }
  void exp_golomb(const char *name, std::uint64_t &value, std::uint64_t max) override {
    if (room()) list.fields.push_back(number_field(name, depth_, position(), ue_width(value), value, {}));
    Walker::exp_golomb(name, value, max);
  }
  void signed_exp_golomb(const char *name, std::int64_t &value, std::int64_t min, std::int64_t max) override {
    if (FieldValue *field = next(name, FieldKind::signed_number)) {
      field->is_signed = true;
      field->value = static_cast<std::uint64_t>(value);
      field->bit_width = ue_width(se_code(value));
    }
    Walker::signed_exp_golomb(name, value, min, max);
  }
  void open(const char *name) override {
    next(name, FieldKind::group);
    ++depth_;
  }
  void close() override { --depth_; }

 private:
  bool room() {
    if (list.fields.size() < limits_.fields) return true;
    ++list.left_out;
    return false;
  }
  FieldValue *next(const char *name, FieldKind kind) {
    if (!room()) return nullptr;
    FieldValue &field = list.fields.emplace_back();
    field.name = name;
    field.kind = kind;
    field.depth = depth_;
    field.bit_offset = position();
    return &field;
  }
  void fill(FieldValue &field, const std::uint8_t *data, std::size_t size) {
    field.bit_width = size * 8;
    field.cut = size > limits_.bytes;
    field.data.assign(data, data + std::min(size, limits_.bytes));
  }

  const FieldLimits &limits_;
  unsigned depth_ = 0;
};

struct FieldName {
  std::string name;
  std::uint64_t index = 0;
};

FieldName parse_name(std::string_view text) {
  FieldName parsed{std::string(text)};
  const auto bracket = text.rfind('[');
  if (bracket == text.npos || !text.ends_with(']')) return parsed;
  const char *begin = text.data() + bracket + 1, *end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(begin, end, parsed.index);
  if (error == std::errc{} && stop == end) parsed.name = text.substr(0, bracket);
  return parsed;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return negative ? ~value + 1 : value;
}

Result<std::uint64_t> parse_value(const FieldValue &like, std::string_view text) {
  const auto refuse = [&](const char *want) {
    return fail(ErrorCode::settings, fmt::format("'{}' cannot be set to '{}': {}", like.name, text, want));
  };
  const unsigned width = static_cast<unsigned>(like.bit_width);
  std::uint64_t value = 0;
  if (like.kind == FieldKind::fourcc) {
    if (text.empty() || text.size() > 4) return refuse("a four-character code is wanted");
    return FourCC::from(text).value;
  }
  if (like.kind == FieldKind::language) {
    if (text.size() != 3 || (pack_language(text) == pack_language("und") && text != "und"))
      return refuse("three small letters of ISO 639-2 are wanted, such as eng");
    return pack_language(text);
  }
  if (like.kind == FieldKind::fixed && text.find_first_of(".eE") != text.npos && !text.starts_with("0x")) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return refuse("a number is wanted");
    if (!(std::abs(number) < 1e9)) return refuse("the number does not fit");
    value =
        static_cast<std::uint64_t>(std::llround(std::ldexp(number, static_cast<int>(like.fraction_bits))));
  } else if (const auto number = parse_number(text)) {
    value = *number;
    if (like.kind == FieldKind::fixed && !text.starts_with("0x")) {
      const auto whole = static_cast<std::int64_t>(value);
      if (whole > 0xffffffffll || whole < -0xffffffffll) return refuse("the number does not fit");
      value = static_cast<std::uint64_t>(whole * (std::int64_t{1} << like.fraction_bits));
    }
  } else {
    return refuse("a number is wanted");
  }
  const bool minus = text.starts_with('-');
  const bool fits = width >= 64 || (minus ? widen(value, width) == value : value >> width == 0);
  if (!fits) return refuse("the number does not fit");
  if (minus && !like.is_signed) return refuse("the field has no sign");
  return width >= 64 ? value : value & ((std::uint64_t{1} << width) - 1);
}

Result<ByteVector> parse_bytes(const FieldValue &like, std::string_view text) {
  if (text.starts_with("text:")) {
    text.remove_prefix(5);
    return ByteVector(text.begin(), text.end());
  }
  const ByteVector bytes = from_hex(text);
  const auto digits = std::ranges::count_if(text, [](char c) { return c != ' '; });
  if (static_cast<std::size_t>(digits) != bytes.size() * 2)
    return fail(ErrorCode::settings, fmt::format("'{}' takes hex digits, or text:… for a text", like.name));
  return bytes;
}

// Visits a box and puts the new value where the field's turn comes.
class Setter final : public Walker {
 public:
  Setter(FieldName wanted, std::uint64_t number, ByteVector data)
      : wanted_(std::move(wanted)), number_(number), data_(std::move(data)) {}

  void bytes(const char *name, ByteVector &value, std::uint64_t size) override {
    if (turn(name)) value = data_;
    Walker::bytes(name, value, size);
  }
  void rest(const char *name, ByteVector &value) override { bytes(name, value, value.size()); }
  void text(const char *name, std::string &value) override {
    if (turn(name)) value.assign(data_.begin(), data_.end());
    Walker::text(name, value);
  }

 protected:
  void bits(const char *name, unsigned width, std::uint64_t &value, const FieldForm &form) override {
    if (name != kReserved && turn(name)) value = number_;
    Walker::bits(name, width, value, form);
  }
  void open(const char *name) override { turn(name); }
  std::uint64_t entries(const char *name, std::uint64_t n, std::uint64_t) override {
    if (wanted_.name == name) fail(std::string(name) + " follows from its entries and cannot be set");
    return n;
  }

 private:
  bool turn(const char *name) { return wanted_.name == name && wanted_.index-- == 0; }

  FieldName wanted_;
  std::uint64_t number_;
  ByteVector data_;
};

std::string known_names(const FieldList &list) {
  std::string names;
  std::set<std::string> seen;
  for (const FieldValue &field : list.fields)
    if (seen.insert(field.name).second && seen.size() <= 40)
      names += (names.empty() ? "" : ", ") + field.name;
  return names.empty() ? "none" : names;
}

// Whether the box can be written with its new value and would be read with it; the reason when not.
std::string reads_back(Box &box, std::string_view name, std::uint64_t number, const ByteVector &data) {
  const auto after = write_payload(box);
  if (!after) return after.error().text;
  const auto used = read_payload(box, *after);
  if (!used) return used.error().text;
  const auto got = get_field(box, name);
  const bool same = got && *used == after->size() &&
                    (got->kind == FieldKind::text || got->kind == FieldKind::bytes
                         ? got->data == data
                         : got->bit_width >= 64 || ((got->value ^ number) << (64 - got->bit_width)) == 0);
  return same ? "" : "the box would not be read back with it";
}

} // namespace

FieldList list_fields(Box &box, const FieldLimits &limits) {
  Lister lister(limits);
  box.fields(lister);
  return std::move(lister.list);
}

FieldList list_fields(const std::function<void(Fields &)> &visit, const FieldLimits &limits) {
  Lister lister(limits);
  visit(lister);
  return std::move(lister.list);
}

std::string format_value(const FieldValue &field) {
  switch (field.kind) {
  case FieldKind::number:
    return std::to_string(field.value);
  case FieldKind::signed_number:
    return std::to_string(static_cast<std::int64_t>(field.value));
  case FieldKind::fixed: {
    const double scale = std::ldexp(1.0, -static_cast<int>(field.fraction_bits));
    const double value = field.is_signed ? static_cast<double>(static_cast<std::int64_t>(field.value))
                                         : static_cast<double>(field.value);
    return fmt::format("{}", value * scale); // shortest form that reads back as the same number
  }
  case FieldKind::fourcc: {
    const FourCC code(static_cast<std::uint32_t>(field.value));
    return code.printable() ? code.text() : fmt::format("0x{:08x}", field.value);
  }
  case FieldKind::language:
    return unpack_language(static_cast<std::uint16_t>(field.value));
  case FieldKind::text:
    return std::string(field.data.begin(), field.data.end());
  case FieldKind::bytes:
    return to_hex(field.data);
  case FieldKind::group:
    break;
  }
  return {};
}

Result<FieldValue> get_field(Box &box, std::string_view name) {
  const FieldName wanted = parse_name(name);
  FieldLimits all;
  all.fields = ~std::size_t{0};
  all.bytes = ~std::size_t{0};
  std::uint64_t left = wanted.index;
  FieldList list = list_fields(box, all);
  for (FieldValue &field : list.fields)
    if (field.name == wanted.name && left-- == 0) return std::move(field);
  return fail(ErrorCode::not_found,
              fmt::format("{} has no field '{}'; it has: {}", box.type.text(), name, known_names(list)));
}

Result<void> set_field(Box &box, std::string_view name, std::string_view text) {
  auto like = get_field(box, name);
  if (!like) return tl::unexpected(like.error());
  if (like->kind == FieldKind::group)
    return fail(ErrorCode::settings, fmt::format("'{}' is a group; set one of its fields", name));
  std::uint64_t number = 0;
  ByteVector data;
  if (like->kind == FieldKind::text) {
    data.assign(text.begin(), text.end());
  } else if (like->kind == FieldKind::bytes) {
    auto bytes = parse_bytes(*like, text);
    if (!bytes) return tl::unexpected(bytes.error());
    data = std::move(*bytes);
  } else {
    auto value = parse_value(*like, text);
    if (!value) return tl::unexpected(value.error());
    number = *value;
  }
  auto before = write_payload(box);
  if (!before) return tl::unexpected(before.error());
  Setter setter(parse_name(name), number, data);
  box.fields(setter);
  std::string reason = setter.error().text;
  if (setter.ok()) {
    reason = reads_back(box, name, number, data);
    if (reason.empty()) return {};
  }
  (void)read_payload(box, *before);
  return fail(ErrorCode::settings,
              fmt::format("{}.{} cannot be '{}': {}", box.type.text(), name, text, reason));
}

} // namespace hull::isobmff
