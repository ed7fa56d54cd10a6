#include "gst/isobmff/file/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace hull::isobmff {

OutputFile::OutputFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {
  struct stat info {};
  if (fstat(fd_.get(), &info) == 0 && info.st_blksize > 0)
    block_size_ = static_cast<std::uint64_t>(info.st_blksize);
}

Result<OutputFile> OutputFile::create(const std::string &path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                "'" + path + "' cannot be made: " + std::strerror(errno) +
                    ". Choose a folder that can be "
                    "written.");
  return OutputFile(path, std::move(fd));
}

Result<OutputFile> OutputFile::open(const std::string &path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                "'" + path + "' cannot be opened for change: " + std::strerror(errno) + ".");
  return OutputFile(path, std::move(fd));
}

Result<OutputFile> OutputFile::open_to_read(const std::string &path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                "'" + path + "' cannot be read: " + std::strerror(errno) + ".");
  return OutputFile(path, std::move(fd));
}

tl::unexpected<Error> OutputFile::failed(const char *what, int number, Place at) const {
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
    struct statvfs space {};
    std::string left;
    if (fstatvfs(fd_.get(), &space) == 0)
      left = std::to_string(std::uint64_t{space.f_bavail} * space.f_frsize >> 20) + " MiB are left there. ";
    return fail(ErrorCode::no_space,
                "There is no room for '" + path_ + "': " + std::strerror(number) + ". " + left +
                    "What was recorded in fragments stays playable; make room and start anew.",
                Error::kNoOffset, at);
  }
  if (number == EOPNOTSUPP || number == EINVAL || number == ENOSYS)
    return fail(ErrorCode::unsupported,
                std::string(what) + " is not possible on the file system of '" + path_ + "'.",
                Error::kNoOffset, at);
  return fail(ErrorCode::io, std::string(what) + " '" + path_ + "' failed: " + std::strerror(number) + ".",
              Error::kNoOffset, at);
}

Result<void> OutputFile::write(std::uint64_t offset, std::span<const Bytes> parts) {
  constexpr std::size_t kMost = 1024; // IOV_MAX
  std::vector<iovec> vectors;
  std::size_t next = 0, skip = 0; // first byte that is still to write: `skip` bytes into parts[next]
  while (next < parts.size()) {
    vectors.clear();
    for (std::size_t i = next; i < parts.size() && vectors.size() < kMost; ++i) {
      const Bytes part = parts[i].subspan(i == next ? skip : 0);
      if (!part.empty()) vectors.push_back({const_cast<std::uint8_t *>(part.data()), part.size()});
    }
    if (vectors.empty()) break;
    const ssize_t n = uninterrupted([&] {
      return pwritev(fd_.get(), vectors.data(), static_cast<int>(vectors.size()), static_cast<off_t>(offset));
    });
    if (n < 0) return failed("Writing", errno);
    offset += static_cast<std::uint64_t>(n);
    bytes_written_ += static_cast<std::uint64_t>(n);
    for (auto left = static_cast<std::size_t>(n); next < parts.size();) {
      const std::size_t here = parts[next].size() - skip;
      if (left < here) {
        skip += left;
        break;
      }
      left -= here;
      skip = 0;
      ++next;
    }
  }
  return {};
}

Result<void> OutputFile::insert(std::uint64_t offset, std::uint64_t length) {
  if (fallocate(fd_.get(), FALLOC_FL_INSERT_RANGE, static_cast<off_t>(offset), static_cast<off_t>(length)) !=
      0)
    return failed("Inserting blocks", errno);
  return {};
}

Result<void> OutputFile::collapse(std::uint64_t offset, std::uint64_t length) {
  if (fallocate(fd_.get(), FALLOC_FL_COLLAPSE_RANGE, static_cast<off_t>(offset),
                static_cast<off_t>(length)) != 0)
    return failed("Removing blocks", errno);
  return {};
}

Result<void> OutputFile::truncate(std::uint64_t size) {
  if (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return failed("Cutting", errno);
  return {};
}

Result<void> OutputFile::sync() {
  if (fdatasync(fd_.get()) != 0 && errno != EINVAL) return failed("Syncing", errno);
  return {};
}

Result<void> OutputFile::copy_from(OutputFile &from, std::uint64_t from_offset, std::uint64_t offset,
                                   std::uint64_t length) {
  ByteVector buffer;
  while (length > 0) {
    auto in = static_cast<off_t>(from_offset), out = static_cast<off_t>(offset);
    ssize_t n = buffer.empty() ? copy_file_range(from.fd_.get(), &in, fd_.get(), &out, length, 0) : -1;
    if (n < 0 && buffer.empty() && errno != ENOSPC && errno != EDQUOT) buffer.resize(1 << 20);
    if (!buffer.empty()) {
      n = pread(from.fd_.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), length), in);
      if (n > 0) {
        auto written = write(offset, Bytes(buffer.data(), static_cast<std::size_t>(n)));
        if (!written) return written;
      }
    } else if (n > 0) {
      bytes_written_ += static_cast<std::uint64_t>(n);
    }
    if (n < 0) return failed("Copying to", errno);
    if (n == 0) return fail(ErrorCode::io, "'" + from.path_ + "' became shorter while it was copied.");
    from_offset += static_cast<std::uint64_t>(n);
    offset += static_cast<std::uint64_t>(n);
    length -= static_cast<std::uint64_t>(n);
  }
  return {};
}

std::uint64_t OutputFile::size() const {
  struct stat info {};
  return fstat(fd_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

} // namespace hull::isobmff
