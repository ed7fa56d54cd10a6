#pragma once

#include "gst/core/file.h"
#include "gst/isobmff/boxes/box.h"

#include <functional>
#include <optional>

namespace hull::isobmff {

/// A box in a tree. Its bytes in a file are: header, fields of `box`, children, tail.
///
/// Building: `Node moov("moov"); moov.add<MovieHeader>().timescale = 1000; Node &trak = moov.add("trak");`
/// A Node & from add() is valid until the next add() to the same parent; a Box & stays valid.
struct Node {
  Node() = default;
  explicit Node(FourCC type) : box(std::make_unique<Container>(type)) {}
  explicit Node(std::unique_ptr<Box> payload) : box(std::move(payload)) {}
  template <std::derived_from<Box> T>
  explicit Node(T payload) : box(std::make_unique<T>(std::move(payload))) {}

  FourCC type() const { return box ? box->type : FourCC{}; }

  Node &add(Node child) { return children.emplace_back(std::move(child)); }
  Node &add(FourCC type) { return children.emplace_back(type); }
  template <std::derived_from<Box> T> T &add(T payload = T{}) {
    return static_cast<T &>(*children.emplace_back(std::move(payload)).box);
  }

  /// The first child of a type, nullptr where there is none.
  const Node *child(FourCC type) const;
  Node *child(FourCC type);
  /// The payload if it is a T, else nullptr. The non-const form gives up the bytes the box was read from.
  template <std::derived_from<Box> T> const T *as() const { return dynamic_cast<const T *>(box.get()); }
  template <std::derived_from<Box> T> T *as() {
    T *typed = dynamic_cast<T *>(box.get());
    if (typed) original_bytes.clear();
    return typed;
  }
  /// The payload of the first child of type T::kType, nullptr where there is none.
  template <std::derived_from<Box> T> const T *get() const {
    const Node *found = child(T::kType);
    return found ? found->as<T>() : nullptr;
  }
  template <std::derived_from<Box> T> T *get() {
    Node *found = child(T::kType);
    return found ? found->as<T>() : nullptr;
  }

  std::unique_ptr<Box> box;
  std::vector<Node> children;
  ByteVector tail;         ///< bytes after the last child or field that are no box
  Uuid uuid{};             ///< of a uuid box
  bool large_size = false; ///< write a 64-bit size even where 32 bits do
  bool to_end = false;     ///< write the size as 0: the box ends with the file

  bool raw = false; ///< bytes that are no box: written without a header

  // Where the box was read; all 0 in a tree that was built.
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  unsigned header_size = 0;

  ByteVector original_bytes; ///< of the fields, where writing them would give others
  std::string problem;       ///< why a known box is kept as Opaque; empty if it is sound
};

/// Random access to the bytes a tree is read from.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `out` from `offset`; reading past the end is an io error.
  virtual Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
};

/// Bytes in memory, which must outlive it.
class MemorySource final : public Source {
 public:
  explicit MemorySource(Bytes data) : data_(data) {}
  std::uint64_t size() const override { return data_.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) override;

 private:
  Bytes data_;
};

/// A file, read in small windows: a moof costs one read, an mdat none.
class FileSource final : public Source {
 public:
  static Result<FileSource> open(const std::string &path);
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) override;
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  FileSource(Fd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  Fd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t window_start_ = 0;
  ByteVector window_;
  std::uint64_t bytes_read_ = 0;
};

/// Limits that keep a hostile file from costing more than its size.
struct ParseLimits {
  unsigned depth = 32;                      ///< deeper boxes stay opaque
  std::uint64_t nodes = 200'000;            ///< per box of the file's top level; further ones stay opaque
  std::uint64_t opaque_bytes = 1 << 16;     ///< larger unknown payloads stay in the source
  std::uint64_t table_bytes = 256ull << 20; ///< larger known payloads stay in the source
  std::uint64_t sample_table_bytes = 256ull << 20; ///< the same for what stands in stbl
};

/// The box at `offset` with all below it; `end` bounds it. Fails only where no box starts there (bad_data) or
/// the source cannot be read (io): what is wrong inside is kept as Opaque nodes that name their problem.
Result<Node> parse_box_at(Source &source, std::uint64_t offset, std::uint64_t end,
                          const ParseLimits &limits = {});

/// Calls `visit` for each box of the top level in order, one in memory at a time. Bytes at the end that are
/// no box (a recording cut short) come as `rest`: the offset of the first such byte, equal to size() when
/// whole. `visit` returns false to stop.
Result<std::uint64_t> for_each_box(Source &source, const std::function<bool(Node &)> &visit,
                                   const ParseLimits &limits = {});

/// All boxes of the top level. Bytes at the end that are no box are a raw node.
/// More than limits.nodes boxes in the top level is `unsupported`: use for_each_box.
Result<std::vector<Node>> parse_boxes(Source &source, const ParseLimits &limits = {});
Result<std::vector<Node>> parse_boxes(Bytes bytes, const ParseLimits &limits = {});

/// Bytes of a box as write_tree would give them, without writing them.
Result<std::uint64_t> tree_size(Node &node);

/// A box with all below it. `source` must be given when the tree has Stored payloads.
Result<ByteVector> write_tree(Node &node, Source *source = nullptr);
inline Result<ByteVector> write_tree(Node &&node, Source *source = nullptr) {
  return write_tree(node, source);
}
/// Several, one after the other.
Result<ByteVector> write_trees(std::vector<Node> &nodes, Source *source = nullptr);

/// A box with all below it, in pieces of at most 64 KiB where its payload is Generated or Stored: a movie box
/// is never whole in memory. `to_end` is not for it.
Result<void> stream_tree(Node &node, const Sink &sink, Source *source = nullptr);

/// The node at a path below `root` such as `mdia/minf/stbl/stsd/avc1` or `trak[1]/tkhd` (counted from 0, [0]
/// where nothing is said; `*` matches any type, `uuid:HEX` a uuid box), or nullptr.
Node *find(Node &root, std::string_view path);
const Node *find(const Node &root, std::string_view path);
/// The same among the boxes of a file's top level.
Node *find(std::vector<Node> &nodes, std::string_view path);

/// A box of a file and the box of the file's top level it lies in.
struct Located {
  std::unique_ptr<Node> top; ///< with everything below it
  Node *node = nullptr;      ///< top or below
};
/// Reads only the top-level box the path leads into; not_found says how far the path goes.
Result<Located> locate(Source &source, std::string_view path, const ParseLimits &limits = {});

/// "moov/trak[1]/tkhd.width" is the box moov/trak[1]/tkhd and its field width; a path without a field has
/// none.
struct FieldPath {
  std::string box;
  std::string field;
};
FieldPath split_field(std::string_view path);

/// The payload at `path` below `root` if it is a T.
template <std::derived_from<Box> T> const T *find_box(const Node &root, std::string_view path) {
  const Node *node = find(root, path);
  return node ? node->as<T>() : nullptr;
}

} // namespace hull::isobmff
