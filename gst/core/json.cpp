#include "gst/core/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hull {
namespace {

using Library = nlohmann::ordered_json;

constexpr int kDeepest = 200; // copying a value and making its text recurse

struct TooDeep {};

} // namespace

/// To the library's values and back.
struct JsonLibrary {
  static Json from(const Library &value, int depth) {
    if (depth > kDeepest) throw TooDeep();
    Json out;
    switch (value.type()) {
    case Library::value_t::boolean:
      return value.get<bool>();
    case Library::value_t::number_integer:
      return value.get<std::int64_t>();
    case Library::value_t::number_unsigned:
      return value.get<std::uint64_t>();
    case Library::value_t::number_float:
      return value.get<double>();
    case Library::value_t::string:
      return value.get_ref<const std::string &>();
    case Library::value_t::array:
      for (auto &array = out.value_.emplace<Json::Array>(); const Library &element : value)
        array.push_back(from(element, depth + 1));
      return out;
    case Library::value_t::object:
      for (auto &members = out.value_.emplace<Json::Members>();
           const auto &[key, member] : value.get_ref<const Library::object_t &>())
        members.emplace_back(key, from(member, depth + 1));
      return out;
    default:
      return out;
    }
  }

  static Library to(const Json &value) {
    return std::visit([](const auto &own) { return made(own); }, value.value_);
  }
  template <class T> static Library made(const T &own) { return own; }
  static Library made(const Json::Array &own) {
    Library array = Library::array();
    for (const Json &element : own)
      array.push_back(to(element));
    return array;
  }
  static Library made(const Json::Members &own) {
    Library object = Library::object();
    for (const auto &[key, member] : own)
      object.get_ref<Library::object_t &>().push_back({key, to(member)});
    return object;
  }
};

namespace {

template <class To, class Value> To element_as(const Value &value) {
  To out{};
  const bool fits = std::visit(
      [&out](const auto &own) {
        using Own = std::decay_t<decltype(own)>;
        constexpr bool both_numbers = std::is_arithmetic_v<Own> && std::is_arithmetic_v<To> &&
                                      std::is_same_v<Own, bool> == std::is_same_v<To, bool>;
        if constexpr (both_numbers || std::is_same_v<Own, To>) out = static_cast<To>(own);
        return both_numbers || std::is_same_v<Own, To>;
      },
      value);
  if (!fits) throw JsonError("a value has another type than expected");
  return out;
}

} // namespace

Json::Json() = default;
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : Json(static_cast<long long>(value)) {}
Json::Json(unsigned value) : value_(std::uint64_t{value}) {}
Json::Json(long value) : Json(static_cast<long long>(value)) {}
Json::Json(unsigned long value) : value_(std::uint64_t{value}) {}
Json::Json(long long value) {
  if (value < 0)
    value_ = std::int64_t{value};
  else
    value_ = static_cast<std::uint64_t>(value);
}
Json::Json(unsigned long long value) : value_(std::uint64_t{value}) {}
Json::Json(double value) : value_(value) {}
Json::Json(const char *value) : value_(std::string(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(const Json &) = default;
Json::Json(Json &&) noexcept = default;
Json &Json::operator=(const Json &) = default;
Json &Json::operator=(Json &&) noexcept = default;
Json::~Json() = default;

Json::Json(std::initializer_list<Json> values) {
  const bool pairs = std::all_of(values.begin(), values.end(), [](const Json &value) {
    return value.is_array() && value.size() == 2 && value[0].is_string();
  });
  if (!pairs) {
    value_ = Array(values);
    return;
  }
  value_ = Members();
  for (const Json &pair : values)
    (*this)[pair[0].get<std::string>()] = pair[1];
}

Json Json::array(std::initializer_list<Json> values) {
  Json array;
  array.value_ = Array(values);
  return array;
}

Json Json::object() {
  Json object;
  object.value_ = Members();
  return object;
}

Json Json::parse(std::string_view text) {
  const Library value = Library::parse(text.begin(), text.end(), nullptr, false);
  try {
    return value.is_discarded() ? Json() : JsonLibrary::from(value, 0);
  } catch (const TooDeep &) {
    return {};
  }
}

std::string Json::dump(int indent) const {
  return JsonLibrary::to(*this).dump(indent, ' ', false, Library::error_handler_t::replace);
}

bool Json::is_null() const {
  return std::holds_alternative<std::nullptr_t>(value_);
}
bool Json::is_bool() const {
  return std::holds_alternative<bool>(value_);
}
bool Json::is_string() const {
  return std::holds_alternative<std::string>(value_);
}
bool Json::is_array() const {
  return std::holds_alternative<Array>(value_);
}
bool Json::is_object() const {
  return std::holds_alternative<Members>(value_);
}
bool Json::is_number() const {
  return std::holds_alternative<double>(value_) || std::holds_alternative<std::int64_t>(value_) ||
         std::holds_alternative<std::uint64_t>(value_);
}
// Not defaulted: clang 14 does not survive it.
bool Json::operator==(const Json &other) const {
  return dump() == other.dump();
}

std::size_t Json::size() const {
  return is_object() ? members().size() : static_cast<std::size_t>(end() - begin());
}

template <> bool Json::get() const {
  return element_as<bool>(value_);
}
template <> int Json::get() const {
  return element_as<int>(value_);
}
template <> unsigned Json::get() const {
  return element_as<unsigned>(value_);
}
template <> std::int64_t Json::get() const {
  return element_as<std::int64_t>(value_);
}
template <> std::uint64_t Json::get() const {
  return element_as<std::uint64_t>(value_);
}
template <> double Json::get() const {
  return element_as<double>(value_);
}
template <> std::string Json::get() const {
  return element_as<std::string>(value_);
}

const Json &Json::at(std::string_view key) const {
  if (const Json *found = find(key)) return *found;
  throw JsonError("there is no '" + std::string(key) + "'");
}

const Json &Json::at(std::size_t index) const {
  if (is_array() && index < size()) return begin()[index];
  throw JsonError("there is no element " + std::to_string(index));
}

const Json *Json::find(std::string_view key) const {
  for (const auto &[name, value] : members())
    if (name == key) return &value;
  return nullptr;
}

const Json &Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json *found = find(key);
  return found ? *found : kNull;
}

const Json &Json::element(std::size_t index) const {
  static const Json kNull;
  return is_array() && index < size() ? begin()[index] : kNull;
}

Json &Json::operator[](std::string_view key) {
  if (is_null()) value_ = Members();
  auto *members = std::get_if<Members>(&value_);
  if (!members) throw JsonError("'" + std::string(key) + "' is asked of something that is no object");
  for (auto &[name, value] : *members)
    if (name == key) return value;
  return members->emplace_back(std::string(key), Json()).second;
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array();
  auto *array = std::get_if<Array>(&value_);
  if (!array) throw JsonError("an element is added to something that is no array");
  array->push_back(std::move(value));
}

const Json *Json::begin() const {
  const auto *array = std::get_if<Array>(&value_);
  return array ? array->data() : nullptr;
}

const Json *Json::end() const {
  const auto *array = std::get_if<Array>(&value_);
  return array ? array->data() + array->size() : nullptr;
}

const Json::Members &Json::members() const {
  static const Members kNone;
  const auto *members = std::get_if<Members>(&value_);
  return members ? *members : kNone;
}

} // namespace hull
