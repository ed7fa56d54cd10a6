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
  std::size_t count = 0;
  if (const auto error = read_at(fd, offset, out, count))
    return fail(ErrorCode::io, std::string("reading failed: ") + std::strerror(error.value()),
                offset + count);
  if (count < out.size())
    return fail(ErrorCode::io, "the file became shorter while it was read", offset + count);
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
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io, path + ": " + std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::io, path + " is not a regular file");
  return FileSource(std::move(fd), static_cast<std::uint64_t>(status.st_size));
}

Result<void> FileSource::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > size_ || out.size() > size_ - offset)
    return fail(ErrorCode::io, "read past the end of the file", offset);
  if (out.size() >= kWindow) {
    bytes_read_ += out.size();
    return read_fully(fd_.get(), offset, out);
  }
  if (offset < window_start_ || offset + out.size() > window_start_ + window_.size()) {
    window_.resize(std::min(kWindow, size_ - offset));
    window_start_ = offset;
    bytes_read_ += window_.size();
    if (auto done = read_fully(fd_.get(), offset, window_); !done) {
      window_.clear();
      return done;
    }
  }
  std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(offset - window_start_), out.size(), out.begin());
  return {};
}

} // namespace hull::isobmff
