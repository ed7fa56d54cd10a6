#pragma once

#include "gst/core/file.h"
#include "gst/isobmff/file/file.h"

namespace hull::isobmff {

/// A file open for changes. Every write is counted.
class EditFile {
 public:
  static Result<EditFile> open(const std::string &path);

  std::uint64_t size() const;
  std::uint64_t block_size() const; ///< unit of insert()
  Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) const;
  Result<void> write(std::uint64_t offset, Bytes bytes);
  Result<void> sync();
  /// Opens a gap of `bytes` at `offset`, both multiples of block_size(). False where the file system cannot.
  Result<bool> insert(std::uint64_t offset, std::uint64_t bytes);
  std::uint64_t bytes_written() const { return bytes_written_; }

  /// A new file made of `head`, bytes [from, size) of this one; replaces this one's path when it is complete.
  Result<std::uint64_t> replace_with(std::uint64_t keep, Bytes middle, std::uint64_t from);

 private:
  EditFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
  std::uint64_t bytes_written_ = 0;
};

/// Puts `middle` in the place of bytes [begin, end) of the file, in the cheapest way that keeps the file
/// readable. `write_middle(shift)` gives the bytes when what follows moves by `shift`: they hold the offsets.
struct Replacement {
  std::uint64_t begin = 0, end = 0;
  std::function<Result<ByteVector>(std::int64_t shift)> bytes;
  bool is_box = true; ///< one whole box: it may be followed by a free box and moved to the end
};
Result<EditReport> replace_range(EditFile &file, const Replacement &replacement);

} // namespace hull::isobmff
