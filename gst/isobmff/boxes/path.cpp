#include "gst/isobmff/boxes/tree.h"

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

bool matches(const Step &step, const Node &node) {
  return !node.raw && (step.any || node.type() == step.type) && (!step.has_uuid || node.uuid == step.uuid);
}

Node *find_in(std::vector<Node> &nodes, std::string_view path) {
  const std::size_t slash = path.find('/');
  const Step step = parse_step(path.substr(0, slash));
  if (!step.ok) return nullptr;
  std::size_t left = step.index;
  for (Node &node : nodes) {
    if (!matches(step, node)) continue;
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

Result<Located> locate(Source &source, std::string_view path, const ParseLimits &limits) {
  const std::size_t slash = path.find('/');
  const Step step = parse_step(path.substr(0, slash));
  if (!step.ok)
    return fail(ErrorCode::settings,
                "'" + std::string(path) + "' is no path; write it like moov/trak[1]/tkhd");
  Located found;
  std::size_t left = step.index;
  std::string present;
  const auto end = for_each_box(
      source,
      [&](Node &node) {
        if (present.size() < 60) present += (present.empty() ? "" : ", ") + node.type().text();
        if (!matches(step, node) || left-- > 0) return true;
        found.top = std::make_unique<Node>(std::move(node));
        return false;
      },
      limits);
  if (!end) return tl::unexpected(end.error());
  if (!found.top)
    return fail(ErrorCode::not_found, "there is no box '" + std::string(path.substr(0, slash)) +
                                          "' at the top of the file, which has: " + present);
  found.node = slash == path.npos ? found.top.get() : find(*found.top, path.substr(slash + 1));
  if (found.node) return found;
  std::string_view deepest = path;
  while (!find(*found.top, deepest.substr(slash + 1))) {
    const auto cut = deepest.rfind('/');
    if (cut == slash) break;
    deepest = deepest.substr(0, cut);
  }
  return fail(ErrorCode::not_found, "there is no box '" + std::string(path) + "'; the path fails at '" +
                                        std::string(deepest) + "'");
}

FieldPath split_field(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t start = slash == path.npos ? 0 : slash + 1;
  const std::size_t dot = path.find('.', start + 1); // a type may begin with a dot: .mp3
  if (dot == path.npos) return {std::string(path), {}};
  return {std::string(path.substr(0, dot)), std::string(path.substr(dot + 1))};
}

} // namespace hull::isobmff
