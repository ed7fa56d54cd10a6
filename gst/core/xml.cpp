#include "gst/publish/xml.h"

#include <algorithm>

namespace hull::publish {

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

namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr unsigned kDepth = 64;

std::string unescape(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string out;
  while (!text.empty()) {
    bool found = false;
    for (const auto &[entity, character] : kEntities) {
      if (!text.starts_with(entity)) continue;
      out += character;
      text.remove_prefix(entity.size());
      found = true;
      break;
    }
    if (found) continue;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::string local_name(std::string_view name) {
  return std::string(name.substr(name.find(':') + 1)); // npos + 1 is 0
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlNode> document() {
    XmlNode root;
    skip_markup();
    if (!element(root, 0)) return fail(ErrorCode::bad_data, "The XML is not well-formed.", at_);
    return root;
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void blanks() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }
  bool past(std::string_view what) {
    const std::size_t found = text_.find(what, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + what.size();
    return true;
  }
  /// Declarations, comments, processing instructions and blanks between elements.
  void skip_markup() {
    for (;;) {
      blanks();
      if (starts("<?") ? !past("?>") : starts("<!--") ? !past("-->") : starts("<!") ? !past(">") : true)
        return;
    }
  }
  std::string_view name() {
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n=/>", at_), text_.size());
    const std::string_view found = text_.substr(at_, end - at_);
    at_ = end;
    return found;
  }
  bool attribute(XmlNode &node) {
    const std::string key = local_name(name());
    blanks();
    if (key.empty() || !starts("=")) return false;
    ++at_;
    blanks();
    if (!starts("\"") && !starts("'")) return false;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    node.attributes[key] = unescape(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return true;
  }
  bool element(XmlNode &node, unsigned depth) {
    if (depth > kDepth || !starts("<")) return false;
    ++at_;
    const std::string_view full = name();
    node.name = local_name(full);
    if (node.name.empty()) return false;
    for (;;) {
      blanks();
      if (starts("/>")) return at_ += 2, true;
      if (starts(">")) return ++at_, content(node, full, depth);
      if (!attribute(node)) return false;
    }
  }
  bool content(XmlNode &node, std::string_view full, unsigned depth) {
    for (;;) {
      const std::size_t open = text_.find('<', at_);
      if (open == std::string_view::npos) return false;
      node.text += unescape(text_.substr(at_, open - at_));
      at_ = open;
      if (starts("</")) {
        at_ += 2;
        if (name() != full) return false;
        blanks();
        return starts(">") && ++at_;
      }
      if (starts("<!--") ? !past("-->")
          : starts("<?") ? !past("?>")
                         : !element(node.children.emplace_back(), depth + 1))
        return false;
      if (!node.children.empty() && node.children.back().name.empty()) node.children.pop_back();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

} // namespace

Result<XmlNode> parse_xml(std::string_view text) {
  return Parser(text).document();
}

} // namespace hull::publish
