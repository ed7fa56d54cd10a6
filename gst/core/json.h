#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hull {

/// What reading a field that is missing or of another type throws; readers of whole documents catch it once.
struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A JSON value whose objects keep the order of their members. The text is nlohmann-json's work, in json.cpp
/// alone: its templates would cost every user seconds to compile.
class Json {
 public:
  using Array = std::vector<Json>;
  using Members = std::vector<std::pair<std::string, Json>>;

  Json(); ///< null
  Json(std::nullptr_t) : Json() {}
  Json(bool value);
  Json(int value);
  Json(unsigned value);
  Json(long value);
  Json(unsigned long value);
  Json(long long value);
  Json(unsigned long long value);
  Json(double value);
  Json(const char *value);
  Json(std::string_view value);
  Json(std::string value);
  template <class T> Json(const std::vector<T> &values) : Json(array()) {
    for (const T &value : values)
      push_back(value);
  }
  /// Pairs that begin with a text make an object, anything else an array.
  Json(std::initializer_list<Json> values);
  Json(const Json &);
  Json(Json &&) noexcept;
  Json &operator=(const Json &);
  Json &operator=(Json &&) noexcept;
  ~Json();

  static Json array(std::initializer_list<Json> values = {});
  static Json object();
  /// Null where `text` is no JSON, or nested deeper than 200.
  static Json parse(std::string_view text);
  /// One line, or lines with `indent` blanks a level. What is not UTF-8 becomes U+FFFD, what is not finite
  /// null.
  std::string dump(int indent = -1) const;

  bool is_null() const;
  bool is_bool() const;
  bool is_number() const;
  bool is_string() const;
  bool is_array() const;
  bool is_object() const;
  std::size_t size() const; ///< of an array or object, else 0
  bool empty() const { return size() == 0; }
  bool operator==(const Json &) const;

  /// As bool, a number or std::string; throws JsonError for a value of another type.
  template <class T> T get() const;
  /// An array's elements, each as get() gives it.
  template <class T> std::vector<T> list() const {
    if (!is_array()) throw JsonError("a value is no array");
    std::vector<T> values;
    for (const Json &value : *this)
      values.push_back(value.get<T>());
    return values;
  }
  /// Throw JsonError where there is no such member or element.
  const Json &at(std::string_view key) const;
  const Json &at(std::size_t index) const;
  /// The member or nullptr.
  const Json *find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// A member's value, or `fallback` where there is none.
  template <class T> T value(std::string_view key, T fallback) const {
    const Json *found = find(key);
    return found ? found->get<T>() : fallback;
  }
  std::string value(std::string_view key, const char *fallback) const {
    return value(key, std::string(fallback));
  }
  /// Null where there is none.
  const Json &operator[](std::string_view key) const;
  template <std::integral Index> const Json &operator[](Index index) const { return element(index); }
  template <std::integral Index> const Json &operator[](Index index) { return element(index); }
  /// Adds the member where there is none; null becomes an object.
  Json &operator[](std::string_view key);

  void push_back(Json value); ///< null becomes an array
  /// An array's elements; nothing for other values.
  const Json *begin() const;
  const Json *end() const;
  /// An object's members; none for other values.
  const Members &members() const;

 private:
  friend struct JsonLibrary;
  const Json &element(std::size_t index) const;
  // Integers that are not negative are unsigned, as the library reads them.
  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Members> value_;
};

template <> bool Json::get() const;
template <> int Json::get() const;
template <> unsigned Json::get() const;
template <> std::int64_t Json::get() const;
template <> std::uint64_t Json::get() const;
template <> double Json::get() const;
template <> std::string Json::get() const;

} // namespace hull
