#include "gst/isobmff/box_tree.h"

#include <algorithm>
#include <charconv>

namespace hull::isobmff {
namespace {

struct Step {
  bool any = false;
  bool has_uuid = false;
  FourCC type;
  Uuid uuid{};
  std::size_t index = 0;
  bool ok = false;
};

std::optional<FourCC> type_of(std::string_view text) {
  if (text.size() == 10 && text.starts_with("0x")) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 10, number, 16);
    if (error == std::errc{} && end == text.data() + 10) return FourCC(number);
  }
  std::string name(text);
  if (name.starts_with("\xc2\xa9")) name.erase(0, 1); // the copyright sign: one byte in a file
  if (name.empty() || name.size() > 4) return std::nullopt;
  return FourCC::from(name);
}

Step parse_step(std::string_view text) {
  Step step;
  if (const auto bracket = text.rfind('['); bracket != text.npos && text.ends_with(']') && bracket > 0) {
    const std::string_view digits = text.substr(bracket + 1, text.size() - bracket - 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step.index);
    if (error != std::errc{} || end != digits.data() + digits.size()) return step;
    text = text.substr(0, bracket);
  }
  if (text == "*") {
    step.any = step.ok = true;
  } else if (text.starts_with("uuid:")) {
    const ByteVector bytes = from_hex(text.substr(5));
    step.ok = step.has_uuid = bytes.size() == step.uuid.size();
    step.type = "uuid";
    if (step.ok) std::ranges::copy(bytes, step.uuid.begin());
  } else if (const auto type = type_of(text)) {
    step.ok = true;
    step.type = *type;
  }
  return step;
}

Node *find_in(std::vector<Node> &nodes, std::string_view path) {
  const std::size_t slash = path.find('/');
  const Step step = parse_step(path.substr(0, slash));
  if (!step.ok) return nullptr;
  std::size_t left = step.index;
  for (Node &node : nodes) {
    if (node.raw || (!step.any && node.type() != step.type) || (step.has_uuid && node.uuid != step.uuid))
      continue;
    if (left-- > 0) continue;
    return slash == path.npos ? &node : find_in(node.children, path.substr(slash + 1));
  }
  return nullptr;
}

} // namespace

Node *find(Node &root, std::string_view path) {
  return find_in(root.children, path);
}
const Node *find(const Node &root, std::string_view path) {
  return find_in(const_cast<Node &>(root).children, path);
}
Node *find(std::vector<Node> &nodes, std::string_view path) {
  return find_in(nodes, path);
}

} // namespace hull::isobmff
