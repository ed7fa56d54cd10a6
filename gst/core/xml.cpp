#include "gst/core/xml.h"

#include <pugixml.hpp>

namespace hull {
namespace {

constexpr unsigned kDepth = 64;
// With the blanks between elements, which are text, too.
constexpr unsigned kOptions = pugi::parse_default | pugi::parse_ws_pcdata;

std::string_view local_name(std::string_view name) {
  return name.substr(name.find(':') + 1); // npos + 1 is 0
}

bool declares_namespace(std::string_view name) {
  return name == "xmlns" || name.starts_with("xmlns:");
}

void take_attributes(XmlNode &node, const pugi::xml_node &from) {
  for (const pugi::xml_attribute &attribute : from.attributes())
    if (declares_namespace(attribute.name()))
      node.namespaces.emplace_back(attribute.value());
    else
      node.attributes[std::string(local_name(attribute.name()))] = attribute.value();
}

Result<void> take(XmlNode &node, const pugi::xml_node &from, unsigned depth) {
  if (depth > kDepth)
    return fail(ErrorCode::bad_data, "The XML's elements lie too deep in each other.",
                static_cast<std::uint64_t>(from.offset_debug()));
  node.name = local_name(from.name());
  take_attributes(node, from);
  for (const pugi::xml_node &child : from.children())
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
      node.text += child.value();
    else if (child.type() == pugi::node_element)
      if (auto taken = take(node.children.emplace_back(), child, depth + 1); !taken) return taken;
  return {};
}

} // namespace

std::string XmlNode::get(const std::string &key) const {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string() : found->second;
}

const XmlNode *XmlNode::child(std::string_view child_name) const {
  for (const XmlNode &node : children)
    if (node.name == child_name) return &node;
  return nullptr;
}

std::vector<const XmlNode *> XmlNode::all(std::string_view child_name) const {
  std::vector<const XmlNode *> found;
  for (const XmlNode &node : children)
    if (node.name == child_name) found.push_back(&node);
  return found;
}

Result<XmlNode> parse_xml(std::string_view text) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size(), kOptions);
  if (!parsed)
    return fail(ErrorCode::bad_data, std::string("The XML is not well-formed: ") + parsed.description() + ".",
                static_cast<std::uint64_t>(parsed.offset));
  XmlNode root;
  if (auto taken = take(root, document.document_element(), 0); !taken) return tl::unexpected(taken.error());
  return root;
}

} // namespace hull
