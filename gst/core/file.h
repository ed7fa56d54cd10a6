#pragma once

#include "gst/core/bytes.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace hull {

/// A file descriptor, closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd &&other) noexcept : number_(other.release()) {}
  Fd &operator=(Fd &&other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  /// Closes it now. Fails with what close() says, which on some network file systems is a failed write.
  std::error_code reset();

 private:
  int number_ = -1;
};

/// The error of the call that just failed.
inline std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// Makes a call of the system again for as long as a signal interrupts it.
template <class Call> auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

/// Writes all of `bytes` where the descriptor stands.
std::error_code write_all(int fd, Bytes bytes);
/// Writes all of `bytes` from `offset` on.
std::error_code write_all_at(int fd, std::uint64_t offset, Bytes bytes);
/// Reads from `offset` until `out` is full or the file ends; `count` says how much it was.
std::error_code read_at(int fd, std::uint64_t offset, std::span<std::uint8_t> out, std::size_t &count);

/// A file that appears whole or not at all. It is written under another name beside its own, by this object's
/// descriptor or by anybody who knows the name, and takes its place in commit(). Without a commit the
/// unfinished file goes with this object.
class AtomicFile {
 public:
  /// Power may fail: the bytes are on the disk before the name is. Without, only a killed process is thought
  /// of.
  enum class Sync { no, yes };

  /// `part` is the name until commit(); by default `path` with ".part" behind it.
  explicit AtomicFile(std::string path) : AtomicFile(path, path + ".part") {}
  AtomicFile(std::string path, std::string part) : path_(std::move(path)), part_(std::move(part)) {}
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  ~AtomicFile();

  const std::string &path() const { return path_; }
  const std::string &part() const { return part_; }
  int fd() const { return fd_.get(); }

  /// Makes the unfinished file; what an earlier process left under its name is overwritten.
  std::error_code create(unsigned mode = 0666);
  std::error_code write(Bytes bytes) { return write_all(fd(), bytes); }
  std::error_code commit(Sync sync = Sync::yes);

 private:
  std::string path_, part_;
  Fd fd_;
  bool committed_ = false;
};

/// `path` with `content`, as AtomicFile does it.
std::error_code write_atomically(const std::string &path, const std::string &part, Bytes content);

} // namespace hull
