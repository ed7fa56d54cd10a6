#include "gst/isobmff/boxes/tree.h"

#include "gst/isobmff/boxes/file.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

// Largest prefix read for the fields that stand before a box's children; only texts could need more.
constexpr std::uint64_t kFieldsBeforeChildren = 8192;

// What a box that counts its children counts: padding is none of them.
std::uint32_t counted(const Node &node) {
  return static_cast<std::uint32_t>(std::ranges::count_if(node.children, [](const Node &child) {
    return dynamic_cast<const FreeSpace *>(child.box.get()) == nullptr;
  }));
}

// Media stay in the source, however short they are.
bool is_media_data(FourCC type) {
  return type == FourCC("mdat") || type == FourCC("imda") || type == FourCC("jp2c");
}

class Parser {
 public:
  Parser(Source &source, const ParseLimits &limits) : source_(source), limits_(limits) {}

  Result<Node> node(std::uint64_t offset, std::uint64_t end, FourCC parent, unsigned depth);

 private:
  Result<void> children(Node &node, std::uint64_t begin, std::uint64_t end, unsigned depth);
  Result<void> parent_box(Node &node, std::uint64_t begin, std::uint64_t end, unsigned depth);
  Result<void> leaf_box(Node &node, FourCC parent, std::uint64_t begin, std::uint64_t end);
  Result<void> keep_bytes(Node &node, FourCC type, std::uint64_t begin, std::uint64_t end);
  Result<ByteVector> load(std::uint64_t begin, std::uint64_t end);

  Source &source_;
  const ParseLimits &limits_;
  std::uint64_t nodes_ = 0;
};

Result<ByteVector> Parser::load(std::uint64_t begin, std::uint64_t end) {
  ByteVector bytes(end - begin);
  if (auto done = source_.read(begin, bytes); !done) return tl::unexpected(done.error());
  return bytes;
}

Result<void> Parser::keep_bytes(Node &node, FourCC type, std::uint64_t begin, std::uint64_t end) {
  if (is_media_data(type) || end - begin > limits_.opaque_bytes) {
    node.box = std::make_unique<Stored>(type, begin, end - begin);
    return {};
  }
  auto bytes = load(begin, end);
  if (!bytes) return tl::unexpected(bytes.error());
  node.box = std::make_unique<Opaque>(type, std::move(*bytes));
  return {};
}

// What the fields say must be what stood there; where it is not (a reserved bit that is set, a text without
// its zero), the bytes are kept, so that a file is written back as it was.
void keep_original(Node &node, Bytes read) {
  const auto written = write_payload(*node.box);
  if (!written || !std::ranges::equal(*written, read)) node.original_bytes.assign(read.begin(), read.end());
}

Result<void> Parser::children(Node &node, std::uint64_t begin, std::uint64_t end, unsigned depth) {
  const FourCC parent = node.type();
  while (end - begin >= 8 && nodes_ < limits_.nodes) {
    auto child = this->node(begin, end, parent, depth + 1);
    if (!child) {
      if (child.error().code == ErrorCode::io) return tl::unexpected(child.error());
      break;
    }
    begin += child->size;
    node.children.push_back(std::move(*child));
  }
  if (begin == end) return {};
  if (end - begin > limits_.opaque_bytes) {
    Node &rest = node.add(Node(Stored(FourCC{}, begin, end - begin)));
    rest.raw = true;
    rest.offset = begin;
    rest.size = end - begin;
    return {};
  }
  auto bytes = load(begin, end);
  if (!bytes) return tl::unexpected(bytes.error());
  node.tail = std::move(*bytes);
  return {};
}

Result<void> Parser::parent_box(Node &node, std::uint64_t begin, std::uint64_t end, unsigned depth) {
  if (dynamic_cast<Container *>(node.box.get())) return children(node, begin, end, depth);
  auto bytes = load(begin, std::min(end, begin + kFieldsBeforeChildren));
  if (!bytes) return tl::unexpected(bytes.error());
  const auto used = read_payload(*node.box, *bytes);
  if (!used) {
    node.problem = used.error().text;
    return keep_bytes(node, node.type(), begin, end);
  }
  const Bytes fields = Bytes(*bytes).first(*used);
  keep_original(node, fields);
  auto done = children(node, begin + *used, end, depth);
  const std::uint64_t said = node.box->child_count();
  if (done && said != ~std::uint64_t{0} && said != counted(node)) {
    node.problem =
        "it says it has " + std::to_string(said) + " children and has " + std::to_string(counted(node));
    node.original_bytes.assign(fields.begin(), fields.end());
  }
  return done;
}

Result<void> Parser::leaf_box(Node &node, FourCC parent, std::uint64_t begin, std::uint64_t end) {
  const FourCC type = node.type();
  const bool padding = dynamic_cast<Opaque *>(node.box.get()) != nullptr;
  const std::uint64_t limit = padding                    ? limits_.opaque_bytes
                              : parent == FourCC("stbl") ? limits_.sample_table_bytes
                                                         : limits_.table_bytes;
  if (end - begin > limit) return keep_bytes(node, type, begin, end);
  auto bytes = load(begin, end);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto used = read_payload(*node.box, *bytes);
  if (!used) {
    node.problem = used.error().text;
    return keep_bytes(node, type, begin, end);
  }
  keep_original(node, Bytes(*bytes).first(*used));
  node.tail.assign(bytes->begin() + static_cast<std::ptrdiff_t>(*used), bytes->end());
  return {};
}

Result<Node> Parser::node(std::uint64_t offset, std::uint64_t end, FourCC parent, unsigned depth) {
  std::uint8_t start[80]; // a header, and enough of the payload to tell kinds of one name apart
  const std::size_t readable = std::min<std::uint64_t>(sizeof start, end - offset);
  if (auto done = source_.read(offset, {start, readable}); !done) return tl::unexpected(done.error());
  const auto header = read_box_header({start, readable}, end - offset);
  if (!header) return fail(header.error().code, header.error().text, offset);
  if (header->to_end && depth > 0)
    return fail(ErrorCode::bad_data, "only the last box of a file may have size 0", offset);
  ++nodes_;
  Node node;
  node.offset = offset;
  node.size = header->size;
  node.header_size = header->header_size;
  node.uuid = header->uuid;
  node.large_size = header->large_size;
  node.to_end = header->to_end;
  const std::uint64_t begin = offset + header->header_size, stop = offset + header->size;
  const Bytes peek = Bytes(start, readable)
                         .subspan(std::min<std::size_t>(header->header_size, readable))
                         .first(std::min<std::uint64_t>(
                             readable - std::min<std::size_t>(header->header_size, readable), stop - begin));
  node.box = make_box(header->type, parent, peek, &header->uuid);
  Result<void> done;
  if (!node.box) {
    done = keep_bytes(node, header->type, begin, stop);
  } else if (node.box->has_children() && depth >= limits_.depth) {
    node.problem = "it is nested too deep";
    done = keep_bytes(node, header->type, begin, stop);
  } else if (node.box->has_children()) {
    done = parent_box(node, begin, stop, depth);
  } else {
    done = leaf_box(node, parent, begin, stop);
  }
  if (!done) return tl::unexpected(done.error());
  return node;
}

Result<void> append_stored(ByteVector &out, const Stored &stored, Source *source) {
  if (stored.size == 0) return {};
  if (!source)
    return fail(ErrorCode::state, stored.type.text() + " lies in a file, which is needed to write it");
  const std::size_t at = out.size();
  out.resize(at + stored.size);
  return source->read(stored.offset, std::span(out).subspan(at));
}

Result<void> append_fields(ByteVector &out, Node &node, Source *source) {
  if (const auto *stored = dynamic_cast<const Stored *>(node.box.get()))
    return append_stored(out, *stored, source);
  if (const auto *generated = dynamic_cast<const Generated *>(node.box.get()))
    return generated->write([&out](Bytes bytes) -> Result<void> {
      append(out, bytes);
      return {};
    });
  if (!node.original_bytes.empty()) {
    append(out, node.original_bytes);
    return {};
  }
  node.box->set_child_count(counted(node));
  const auto fields = write_payload(*node.box);
  if (!fields) return tl::unexpected(fields.error());
  append(out, *fields);
  return {};
}

// The header's size is known only when the content is written; it is patched then.
Result<void> append_node(ByteVector &out, Node &node, Source *source) {
  const std::size_t start = out.size();
  const FourCC type = node.type();
  const Uuid *uuid = type == FourCC("uuid") ? &node.uuid : nullptr;
  if (!node.raw) append_box_header(out, type, 0, node.large_size, uuid);
  if (auto done = append_fields(out, node, source); !done) return done;
  for (Node &child : node.children)
    if (auto done = append_node(out, child, source); !done) return done;
  append(out, node.tail);
  if (node.raw) return {};
  std::uint64_t size = out.size() - start;
  if (node.to_end) {
    store_be(out.data() + start, 4, 0);
  } else if (node.large_size) {
    store_be(out.data() + start + 8, 8, size);
  } else if (size <= 0xffffffffu) {
    store_be(out.data() + start, 4, size);
  } else {
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(start) + 8, 8, 0);
    store_be(out.data() + start, 4, 1);
    store_be(out.data() + start + 8, 8, size + 8);
  }
  return {};
}

} // namespace

const Node *Node::child(FourCC type) const {
  const auto found = std::ranges::find(children, type, &Node::type);
  return found == children.end() ? nullptr : &*found;
}
Node *Node::child(FourCC type) {
  return const_cast<Node *>(std::as_const(*this).child(type));
}

Result<Node> parse_box_at(Source &source, std::uint64_t offset, std::uint64_t end,
                          const ParseLimits &limits) {
  return Parser(source, limits).node(offset, std::min(end, source.size()), FourCC{}, 0);
}

Result<std::uint64_t> for_each_box(Source &source, const std::function<bool(Node &)> &visit,
                                   const ParseLimits &limits) {
  std::uint64_t offset = 0;
  while (source.size() - offset >= 8) {
    auto node = parse_box_at(source, offset, source.size(), limits);
    if (!node && node.error().code == ErrorCode::io) return tl::unexpected(node.error());
    if (!node) break;
    offset += node->size;
    if (!visit(*node)) break;
  }
  return offset;
}

Result<std::vector<Node>> parse_boxes(Source &source, const ParseLimits &limits) {
  std::vector<Node> nodes;
  bool too_many = false;
  const auto end = for_each_box(
      source,
      [&](Node &node) {
        nodes.push_back(std::move(node));
        too_many = nodes.size() > limits.nodes;
        return !too_many;
      },
      limits);
  if (!end) return tl::unexpected(end.error());
  if (too_many) return fail(ErrorCode::unsupported, "the file has too many boxes to hold them all in memory");
  if (*end == source.size()) return nodes;
  Node rest{Stored(FourCC{}, *end, source.size() - *end)};
  rest.raw = true;
  rest.offset = *end;
  rest.size = source.size() - *end;
  if (rest.size <= limits.opaque_bytes) {
    ByteVector bytes(rest.size);
    if (auto done = source.read(*end, bytes); !done) return tl::unexpected(done.error());
    rest.box = std::make_unique<Opaque>(FourCC{}, std::move(bytes));
  }
  rest.problem = "these bytes are no whole box";
  nodes.push_back(std::move(rest));
  return nodes;
}

Result<std::vector<Node>> parse_boxes(Bytes bytes, const ParseLimits &limits) {
  MemorySource source(bytes);
  return parse_boxes(source, limits);
}

Result<std::uint64_t> tree_size(Node &node) {
  std::uint64_t size = node.tail.size();
  if (const auto *stored = dynamic_cast<const Stored *>(node.box.get())) {
    size += stored->size;
  } else if (const auto *generated = dynamic_cast<const Generated *>(node.box.get())) {
    size += generated->size;
  } else if (!node.original_bytes.empty()) {
    size += node.original_bytes.size();
  } else {
    const auto fields = write_payload(*node.box);
    if (!fields) return tl::unexpected(fields.error());
    size += fields->size();
  }
  for (Node &child : node.children) {
    const auto below = tree_size(child);
    if (!below) return below;
    size += *below;
  }
  if (node.raw) return size;
  size += node.type() == FourCC("uuid") ? 24 : 8;
  return size + (node.large_size || (size > 0xffffffffu && !node.to_end) ? 8 : 0);
}

Result<ByteVector> write_tree(Node &node, Source *source) {
  ByteVector out;
  if (auto done = append_node(out, node, source); !done) return tl::unexpected(done.error());
  return out;
}

namespace {

Result<void> stream_stored(const Stored &stored, const Sink &sink, Source *source) {
  constexpr std::uint64_t kPiece = 1 << 16;
  if (!source) return fail(ErrorCode::state, stored.type.text() + " is in a file that is not at hand");
  ByteVector piece;
  for (std::uint64_t done = 0; done < stored.size; done += piece.size()) {
    piece.resize(std::min(kPiece, stored.size - done));
    if (auto ok = source->read(stored.offset + done, piece); !ok) return ok;
    if (auto ok = sink(piece); !ok) return ok;
  }
  return {};
}

} // namespace

Result<void> stream_tree(Node &node, const Sink &sink, Source *source) {
  const auto *stored = std::as_const(node).as<Stored>();
  const auto *generated = std::as_const(node).as<Generated>();
  if (!stored && !generated && node.children.empty()) {
    const auto bytes = write_tree(node, source);
    return bytes ? sink(*bytes) : tl::unexpected(bytes.error());
  }
  const auto size = tree_size(node);
  if (!size) return tl::unexpected(size.error());
  ByteVector head;
  if (!node.raw) {
    const bool uuid = node.type() == FourCC("uuid");
    const std::uint64_t plain = uuid ? 24 : 8;
    const bool large = node.large_size || *size > 0xffffffffu;
    append_box_header(head, node.type(), *size - plain - (large ? 8 : 0), large, uuid ? &node.uuid : nullptr);
  }
  if (!stored && !generated)
    if (auto ok = append_fields(head, node, source); !ok) return ok;
  auto ok = sink(head);
  if (ok && stored) ok = stream_stored(*stored, sink, source);
  if (ok && generated) ok = generated->write(sink);
  for (Node &child : node.children)
    if (ok) ok = stream_tree(child, sink, source);
  return ok && !node.tail.empty() ? sink(node.tail) : ok;
}

Result<ByteVector> write_trees(std::vector<Node> &nodes, Source *source) {
  ByteVector out;
  for (Node &node : nodes)
    if (auto done = append_node(out, node, source); !done) return tl::unexpected(done.error());
  return out;
}

} // namespace hull::isobmff
