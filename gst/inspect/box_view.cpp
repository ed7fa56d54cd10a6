#include "gst/inspect/box_view.h"

#include "gst/core/number.h"
#include "gst/inspect/codec_view.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/shown.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace hull::inspect {
namespace {

using isobmff::FieldKind;
using isobmff::FieldList;
using isobmff::FieldValue;
using isobmff::Node;
constexpr std::size_t kSummaryWidth = 110;

// A file says what it likes: only what is harmless on a terminal and valid UTF-8 may be printed.
std::string printable(const ByteVector &data) {
  std::string text;
  for (const std::uint8_t byte : data) {
    if (byte >= 0x20 && byte < 0x7f)
      text += static_cast<char>(byte);
    else
      text += fmt::format("\\x{:02x}", byte);
  }
  return text;
}

bool is_text(const ByteVector &data) {
  return !data.empty() &&
         std::ranges::all_of(data, [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
}

std::string value_text(const FieldValue &field) {
  switch (field.kind) {
  case FieldKind::text:
    return '"' + printable(field.data) + '"' + (field.cut ? "…" : "");
  case FieldKind::bytes:
    if (is_text(field.data)) return '"' + printable(field.data) + '"' + (field.cut ? "…" : "");
    return field.data.size() > 24
               ? fmt::format("{}… ({} bytes)", to_hex(Bytes(field.data).first(16)), field.bit_width / 8)
               : to_hex(field.data);
  default:
    return isobmff::format_value(field);
  }
}

// What a summary leaves out because it says nothing.
bool dull(const FieldValue &field) {
  static const char *const kDull[] = {"pre_defined",       "matrix_",  "creation_time",
                                      "modification_time", "reserved", "data_reference_index"};
  if ((field.name == "version" || field.name == "flags") && field.value == 0) return true;
  if (field.kind == FieldKind::bytes && field.data.empty()) return true;
  if (field.kind == FieldKind::fixed && field.name.starts_with("matrix_")) return true;
  return std::ranges::any_of(kDull, [&](const char *name) { return field.name.starts_with(name); });
}

// Fields of one name stand together, the first few of them: tables do not hide what follows.
std::string summary(const FieldList &list) {
  constexpr unsigned kRepeats = 4;
  std::vector<std::pair<std::string, unsigned>> parts;
  std::map<std::string, std::size_t> places;
  for (const FieldValue &field : list.fields) {
    if (field.kind == FieldKind::group || dull(field)) continue;
    const auto [place, added] = places.try_emplace(field.name, parts.size());
    if (added) parts.emplace_back(field.name + '=' + value_text(field), 1);
    auto &[text, count] = parts[place->second];
    if (!added && ++count <= kRepeats) text += ',' + value_text(field);
    if (count == kRepeats + 1) text += ",…";
  }
  std::string text;
  for (const auto &[part, count] : parts) {
    if (text.size() + part.size() > kSummaryWidth) return text + "  …";
    text += "  " + part;
  }
  return text;
}

void append_fields(std::string &out, const FieldList &list, std::uint64_t payload_offset, unsigned depth) {
  for (const FieldValue &field : list.fields) {
    const std::uint64_t at = payload_offset + field.bit_offset / 8;
    out += fmt::format("{:>12} {:>12}  {:{}}.{}{}\n", at,
                       field.kind == FieldKind::group ? "" : fmt::format("{} bits", field.bit_width), "",
                       (depth + field.depth + 1) * 2, field.name,
                       field.kind == FieldKind::group ? "" : " = " + value_text(field));
  }
  if (list.left_out)
    out += fmt::format("{:>25}  {:{}}… and {} fields more\n", "", "", (depth + 1) * 2, list.left_out);
}

FieldList fields_of(Node &node, const ViewOptions &options) {
  if (node.raw || dynamic_cast<isobmff::Stored *>(node.box.get())) return {};
  return isobmff::list_fields(*node.box, options.limits);
}

std::string name_of(const Node &node) {
  if (node.raw) return "(no box)";
  if (node.type() == isobmff::FourCC("uuid")) return "uuid:" + to_hex(node.uuid);
  return type_text(node.type());
}

void append_text(std::string &out, Node &node, const ViewOptions &options, unsigned depth) {
  FieldList list = fields_of(node, options);
  out += fmt::format("{:>12} {:>12}  {:{}}{}{}{}\n", node.offset, node.size, "", depth * 2, name_of(node),
                     options.all_fields ? "" : summary(list),
                     node.problem.empty() ? "" : "  !! " + node.problem);
  if (options.all_fields) {
    append_fields(out, list, node.offset + node.header_size, depth);
    append_fields(out, codec_fields(node, options.limits), node.offset + node.header_size, depth);
  }
  for (Node &child : node.children)
    append_text(out, child, options, depth + 1);
  if (!node.tail.empty())
    out += fmt::format("{:>12} {:>12}  {:{}}(bytes that are no box)\n",
                       node.offset + node.size - node.tail.size(), node.tail.size(), "", (depth + 1) * 2);
}

Json value_json(const FieldValue &field) {
  switch (field.kind) {
  case FieldKind::number:
    return field.value;
  case FieldKind::signed_number:
    return static_cast<std::int64_t>(field.value);
  case FieldKind::fixed:
    return to_number<double>(isobmff::format_value(field)).value_or(0);
  case FieldKind::text:
    return std::string(field.data.begin(), field.data.end());
  default:
    return isobmff::format_value(field);
  }
}

void put(Json &object, const std::string &name, Json value) {
  if (!object.contains(name)) {
    object[name] = std::move(value);
    return;
  }
  Json &known = object[name];
  if (!known.is_array()) known = Json::array({known});
  known.push_back(std::move(value));
}

// Fields from `at` on that lie at `depth` or deeper become one object; groups are objects inside.
Json fields_json(const FieldList &list, std::size_t &at, unsigned depth) {
  Json object = Json::object();
  while (at < list.fields.size() && list.fields[at].depth >= depth) {
    const FieldValue &field = list.fields[at++];
    if (field.kind == FieldKind::group)
      put(object, field.name, fields_json(list, at, depth + 1));
    else
      put(object, field.name, value_json(field));
  }
  return object;
}

Json fields_json(const FieldList &list) {
  std::size_t at = 0;
  return fields_json(list, at, 0);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

void append_html(std::string &out, Node &node, const ViewOptions &options, unsigned depth) {
  const FieldList list = fields_of(node, options);
  const std::string head = fmt::format("<b>{}</b> <i>{} + {}</i>{}{}", escaped(name_of(node)), node.offset,
                                       node.size, escaped(summary(list)),
                                       node.problem.empty() ? "" : " <em>" + escaped(node.problem) + "</em>");
  out += fmt::format("<details{}><summary>{}</summary>\n", depth < 3 ? " open" : "", head);
  if (!list.fields.empty()) {
    out += "<table>\n";
    const std::uint64_t payload = node.offset + node.header_size;
    for (const FieldList &part : {list, codec_fields(node, options.limits)})
      for (const FieldValue &field : part.fields)
        out += fmt::format("<tr><td>{}</td><td>{}</td><td>{:{}}{}</td><td>{}</td></tr>\n",
                           payload + field.bit_offset / 8, field.bit_width, "", field.depth * 2,
                           escaped(field.name), escaped(value_text(field)));
    if (list.left_out) out += fmt::format("<tr><td colspan=4>… and {} more</td></tr>\n", list.left_out);
    out += "</table>\n";
  }
  for (Node &child : node.children)
    append_html(out, child, options, depth + 1);
  out += "</details>\n";
}

constexpr const char *kStyle =
    "body{font:14px/1.5 sans-serif;margin:2em}details{margin-left:1.2em}summary{cursor:pointer}"
    "i{color:#777;font-style:normal}em{color:#b00}table{margin-left:1.2em;border-collapse:collapse}"
    "td{padding:0 .8em 0 0;font-family:monospace;white-space:pre;color:#333}";

} // namespace

std::string type_text(isobmff::FourCC type) {
  return isobmff::shown(type);
}

std::string box_text(Node &node, const ViewOptions &options) {
  std::string out;
  append_text(out, node, options, 0);
  return out;
}

Json box_json(Node &node, const ViewOptions &options) {
  Json json;
  json["type"] = node.raw ? "" : type_text(node.type());
  if (node.type() == isobmff::FourCC("uuid")) json["uuid"] = to_hex(node.uuid);
  json["offset"] = node.offset;
  json["size"] = node.size;
  json["header_size"] = node.header_size;
  if (!node.problem.empty()) json["problem"] = node.problem;
  const FieldList list = fields_of(node, options);
  if (!list.fields.empty()) json["fields"] = fields_json(list);
  if (list.left_out) json["left_out"] = list.left_out;
  if (const FieldList codec = codec_fields(node, options.limits); !codec.fields.empty())
    json["codec"] = fields_json(codec);
  if (!node.children.empty()) {
    Json &children = json["children"] = Json::array();
    for (Node &child : node.children)
      children.push_back(box_json(child, options));
  }
  if (!node.tail.empty()) json["tail_size"] = node.tail.size();
  return json;
}

Json field_json(const FieldValue &field, std::uint64_t payload_offset) {
  return {{"name", field.name},
          {"value", value_json(field)},
          {"offset", payload_offset + field.bit_offset / 8},
          {"bits", field.bit_width}};
}

std::string box_html(std::vector<Node> &nodes, const std::string &title, const ViewOptions &options) {
  std::string out =
      fmt::format("<!doctype html>\n<meta charset=utf-8>\n<title>{0}</title>\n<style>{1}</style>\n"
                  "<h1>{0}</h1>\n",
                  escaped(title), kStyle);
  for (Node &node : nodes)
    append_html(out, node, options, 0);
  return out;
}

} // namespace hull::inspect
