#include "gst/core/file.h"

#include <fcntl.h>
#include <unistd.h>

namespace hull {

std::error_code Fd::reset() {
  // Linux has let go of the number even where close() was interrupted.
  const int number = release();
  return number < 0 || ::close(number) == 0 || errno == EINTR ? std::error_code() : last_error();
}

std::error_code write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) return last_error();
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

std::error_code write_all_at(int fd, std::uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        uninterrupted([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (n < 0) return last_error();
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

std::error_code read_at(int fd, std::uint64_t offset, std::span<std::uint8_t> out, std::size_t &count) {
  for (count = 0; count < out.size();) {
    const std::span<std::uint8_t> rest = out.subspan(count);
    const ssize_t n = uninterrupted(
        [&] { return ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + count)); });
    if (n < 0) return last_error();
    if (n == 0) break;
    count += static_cast<std::size_t>(n);
  }
  return {};
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(part_.c_str());
}

std::error_code AtomicFile::create(unsigned mode) {
  fd_ =
      Fd(uninterrupted([&] { return ::open(part_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode); }));
  return fd_ ? std::error_code() : last_error();
}

std::error_code AtomicFile::commit(Sync sync) {
  // Whoever wrote the file by its name has closed it by now.
  if (!fd_) fd_ = Fd(uninterrupted([&] { return ::open(part_.c_str(), O_RDWR | O_CLOEXEC); }));
  if (!fd_) return last_error();
  // EINVAL: what has no disk below it cannot be synced.
  if (sync == Sync::yes && uninterrupted([&] { return ::fsync(fd()); }) != 0 && errno != EINVAL)
    return last_error();
  if (auto error = fd_.reset()) return error;
  if (::rename(part_.c_str(), path_.c_str()) != 0) return last_error();
  committed_ = true;
  return {};
}

std::error_code write_atomically(const std::string &path, const std::string &part, Bytes content) {
  AtomicFile file(path, part);
  if (auto error = file.create()) return error;
  if (auto error = file.write(content)) return error;
  return file.commit();
}

} // namespace hull
