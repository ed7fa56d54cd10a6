#pragma once

#include "gst/core/bytes.h"
#include "gst/core/file.h"
#include "gst/core/result.h"

#include <string>

namespace hull::isobmff {

/// A regular file written by offset, without a buffer in this process: what write() returned from survives a
/// kill. Counts what it wrote.
class OutputFile {
 public:
  /// Makes an empty file, or opens the one there is for change. not_found or io with the reason.
  static Result<OutputFile> create(const std::string &path);
  static Result<OutputFile> open(const std::string &path);
  /// Only to copy from.
  static Result<OutputFile> open_to_read(const std::string &path);

  /// All of `parts`, one after the other from `offset`. no_space names what the file system has left.
  Result<void> write(std::uint64_t offset, std::span<const Bytes> parts);
  Result<void> write(std::uint64_t offset, Bytes bytes) { return write(offset, std::span(&bytes, 1)); }
  /// Shifts everything from `offset` back by `length` without copying it; both multiples of block_size().
  /// `unsupported` where the file system cannot (only ext4 and xfs do).
  Result<void> insert(std::uint64_t offset, std::uint64_t length);
  /// The opposite of insert().
  Result<void> collapse(std::uint64_t offset, std::uint64_t length);
  Result<void> truncate(std::uint64_t size);
  /// Waits until the data are on the disk.
  Result<void> sync();
  /// Copies `length` bytes of another file, in the kernel where it can.
  Result<void> copy_from(OutputFile &from, std::uint64_t from_offset, std::uint64_t offset,
                         std::uint64_t length);

  std::uint64_t size() const;
  std::uint64_t block_size() const { return block_size_; }
  std::uint64_t bytes_written() const { return bytes_written_; }
  const std::string &path() const { return path_; }

 private:
  OutputFile(std::string path, Fd fd);
  tl::unexpected<Error> failed(const char *what, int number, Place at = Place::here()) const;
  std::string path_;
  Fd fd_;
  std::uint64_t block_size_ = 4096;
  std::uint64_t bytes_written_ = 0;
};

} // namespace hull::isobmff
