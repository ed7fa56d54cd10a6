#include "gst/isobmff/boxes/tree.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kWindow = 8192;

Result<void> read_fully(int fd, std::uint64_t offset, std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::io, std::string("reading failed: ") + std::strerror(errno), offset);
    if (n == 0) return fail(ErrorCode::io, "the file became shorter while it was read", offset);
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

} // namespace

Result<void> MemorySource::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > data_.size() || out.size() > data_.size() - offset)
    return fail(ErrorCode::io, "read past the end of the data", offset);
  std::ranges::copy(data_.subspan(offset, out.size()), out.begin());
  return {};
}

Result<FileSource> FileSource::open(const std::string &path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io, path + ": " + std::strerror(errno));
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return fail(ErrorCode::io, path + " is not a regular file");
  }
  return FileSource(fd, static_cast<std::uint64_t>(status.st_size));
}

FileSource::FileSource(FileSource &&other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      window_start_(other.window_start_),
      window_(std::move(other.window_)),
      bytes_read_(other.bytes_read_) {}

FileSource::~FileSource() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> FileSource::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > size_ || out.size() > size_ - offset)
    return fail(ErrorCode::io, "read past the end of the file", offset);
  if (out.size() >= kWindow) {
    bytes_read_ += out.size();
    return read_fully(fd_, offset, out);
  }
  if (offset < window_start_ || offset + out.size() > window_start_ + window_.size()) {
    window_.resize(std::min(kWindow, size_ - offset));
    window_start_ = offset;
    bytes_read_ += window_.size();
    if (auto done = read_fully(fd_, offset, window_); !done) {
      window_.clear();
      return done;
    }
  }
  std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(offset - window_start_), out.size(), out.begin());
  return {};
}

} // namespace hull::isobmff
