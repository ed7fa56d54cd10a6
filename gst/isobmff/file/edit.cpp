#include "gst/isobmff/file/edit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kFreeHeader = 8;

tl::unexpected<Error> io_error(const std::string &path, const char *what, int number = errno,
                               Place at = Place::here()) {
  const ErrorCode code = number == ENOSPC || number == EDQUOT ? ErrorCode::no_space : ErrorCode::io;
  return fail(code, fmt::format("{}: {} failed: {}", path, what, std::strerror(number)), Error::kNoOffset,
              at);
}

Result<void> write_fully(int fd, const std::string &path, std::uint64_t offset, Bytes bytes) {
  if (const auto error = write_all_at(fd, offset, bytes)) return io_error(path, "writing", error.value());
  return {};
}

// The kernel copies where it can (and shares blocks where the file system does); else through a buffer.
Result<void> copy_range(int from, int to, const std::string &path, std::uint64_t offset, std::uint64_t target,
                        std::uint64_t size) {
  ByteVector buffer;
  while (size > 0) {
    auto in = static_cast<off_t>(offset), out = static_cast<off_t>(target);
    ssize_t n = buffer.empty()
                    ? ::copy_file_range(from, &in, to, &out, std::min<std::uint64_t>(size, 1u << 30), 0)
                    : -1;
    if (n <= 0) {
      buffer.resize(1 << 20);
      n = uninterrupted([&] {
        return ::pread(from, buffer.data(), std::min<std::uint64_t>(size, buffer.size()),
                       static_cast<off_t>(offset));
      });
      if (n <= 0) return io_error(path, "reading");
      if (auto done = write_fully(to, path, target, Bytes(buffer).first(static_cast<std::size_t>(n))); !done)
        return done;
    }
    offset += static_cast<std::uint64_t>(n);
    target += static_cast<std::uint64_t>(n);
    size -= static_cast<std::uint64_t>(n);
  }
  return {};
}

ByteVector free_box(std::uint64_t size) {
  ByteVector bytes;
  append_box_header(bytes, "free", size - kFreeHeader);
  bytes.resize(size);
  return bytes;
}

// Bytes of the free or skip box at `offset`, 0 when there is none.
std::uint64_t free_space_at(const EditFile &file, std::uint64_t offset) {
  std::uint8_t start[32];
  const std::uint64_t left = file.size() - std::min(offset, file.size());
  const std::size_t n = std::min<std::uint64_t>(left, sizeof start);
  if (n < 8 || !file.read(offset, {start, n})) return 0;
  const auto header = read_box_header({start, n}, left);
  if (!header || (header->type != FourCC("free") && header->type != FourCC("skip"))) return 0;
  return header->size;
}

Result<EditReport> in_place(EditFile &file, const Replacement &range, const ByteVector &bytes) {
  ByteVector old(range.end - range.begin);
  if (auto done = file.read(range.begin, old); !done) return tl::unexpected(done.error());
  const auto [first, other] = std::ranges::mismatch(old, bytes);
  if (first == old.end()) return EditReport{};
  const auto last = std::mismatch(old.rbegin(), old.rend(), bytes.rbegin());
  const auto begin = static_cast<std::uint64_t>(first - old.begin());
  const auto end = static_cast<std::uint64_t>(old.rend() - last.first);
  if (auto done = file.write(range.begin + begin, Bytes(bytes).subspan(begin, end - begin)); !done)
    return tl::unexpected(done.error());
  return EditReport{EditMethod::in_place, end - begin, 0};
}

// The new box at the end first, so that the file is whole at every moment; then the old one becomes free.
Result<EditReport> append_anew(EditFile &file, const Replacement &range, const ByteVector &bytes) {
  const std::uint64_t at = file.size();
  if (auto done = file.write(at, bytes); !done) return tl::unexpected(done.error());
  if (auto done = file.sync(); !done) return tl::unexpected(done.error());
  const FourCC type("free");
  ByteVector code;
  append_be(code, 4, type.value);
  if (auto done = file.write(range.begin + 4, code); !done) return tl::unexpected(done.error());
  return EditReport{EditMethod::append, bytes.size() + 4, 0};
}

// [A, begin) | old | rest  becomes  [A, begin) | new | free | rest, with A the block `begin` lies in.
Result<std::optional<EditReport>> insert_blocks(EditFile &file, const Replacement &range,
                                                std::uint64_t need) {
  const std::uint64_t block = file.block_size();
  const std::uint64_t old = range.end - range.begin;
  std::uint64_t gap = 0;
  ByteVector bytes;
  for (unsigned round = 0; round < 4; ++round) { // co64 may make the box larger than it was for no shift
    gap = (need + kFreeHeader - std::min(need + kFreeHeader, old) + block - 1) / block * block;
    auto made = range.bytes(static_cast<std::int64_t>(gap));
    if (!made) return tl::unexpected(made.error());
    bytes = std::move(*made);
    if (bytes.size() + kFreeHeader <= old + gap || bytes.size() == old + gap) break;
    need = bytes.size();
  }
  if (bytes.size() + kFreeHeader > old + gap && bytes.size() != old + gap) return std::nullopt;
  const std::uint64_t aligned = range.begin / block * block;
  ByteVector region(range.begin - aligned);
  if (auto done = file.read(aligned, region); !done) return tl::unexpected(done.error());
  append(region, bytes);
  if (const std::uint64_t left = old + gap - bytes.size(); left > 0) append(region, free_box(left));
  const auto inserted = file.insert(aligned, gap);
  if (!inserted) return tl::unexpected(inserted.error());
  if (!*inserted) return std::nullopt;
  if (auto done = file.write(aligned, region); !done) return tl::unexpected(done.error());
  return EditReport{EditMethod::insert, region.size(), gap};
}

} // namespace

Result<EditFile> EditFile::open(const std::string &path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io, path + ": " + std::strerror(errno));
  return EditFile(std::move(fd), path);
}

std::uint64_t EditFile::size() const {
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::uint64_t EditFile::block_size() const {
  struct stat status {};
  const auto block = ::fstat(fd_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blksize) : 0;
  return std::max<std::uint64_t>(block, 4096);
}

Result<void> EditFile::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::size_t count = 0;
  const auto error = read_at(fd_.get(), offset, out, count);
  if (error) return io_error(path_, "reading", error.value());
  if (count < out.size()) return fail(ErrorCode::io, path_ + ": reading failed: it became shorter");
  return {};
}

Result<void> EditFile::write(std::uint64_t offset, Bytes bytes) {
  bytes_written_ += bytes.size();
  return write_fully(fd_.get(), path_, offset, bytes);
}

Result<void> EditFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return io_error(path_, "writing to the disk");
  return {};
}

Result<bool> EditFile::insert(std::uint64_t offset, std::uint64_t bytes) {
  if (::fallocate(fd_.get(), FALLOC_FL_INSERT_RANGE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) ==
      0)
    return true;
  if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS || errno == EPERM) return false;
  return io_error(path_, "inserting blocks");
}

Result<std::uint64_t> EditFile::replace_with(std::uint64_t keep, Bytes middle, std::uint64_t from) {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return io_error(path_, "reading");
  AtomicFile whole(path_);
  const std::string &part = whole.part();
  if (const auto error = whole.create(status.st_mode & 07777))
    return io_error(part, "creating", error.value());
  const std::uint64_t tail = size() - from;
  auto done = copy_range(fd_.get(), whole.fd(), part, 0, 0, keep);
  if (done) done = write_fully(whole.fd(), part, keep, middle);
  if (done) done = copy_range(fd_.get(), whole.fd(), part, from, keep + middle.size(), tail);
  if (!done) return tl::unexpected(done.error());
  if (const auto error = whole.commit()) return io_error(part, "writing to the disk", error.value());
  fd_ = Fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd_) return io_error(path_, "reading");
  bytes_written_ += keep + middle.size() + tail;
  return keep + middle.size() + tail;
}

Result<EditReport> replace_range(EditFile &file, const Replacement &range) {
  auto bytes = range.bytes(0);
  if (!bytes) return tl::unexpected(bytes.error());
  const std::uint64_t old = range.end - range.begin;
  if (bytes->size() == old) return in_place(file, range, *bytes);
  if (range.is_box) {
    const std::uint64_t room = old + free_space_at(file, range.end);
    if (bytes->size() == room || bytes->size() + kFreeHeader <= room) {
      if (bytes->size() < room) append(*bytes, free_box(room - bytes->size()));
      if (auto done = file.write(range.begin, *bytes); !done) return tl::unexpected(done.error());
      return EditReport{EditMethod::padding, bytes->size(), 0};
    }
    if (range.end == file.size()) return append_anew(file, range, *bytes);
    auto inserted = insert_blocks(file, range, bytes->size());
    if (!inserted) return tl::unexpected(inserted.error());
    if (*inserted) return **inserted;
  }
  // The size may depend on the shift (co64), and the shift is what the size says.
  for (unsigned round = 0; round < 4; ++round) {
    const auto shift = static_cast<std::int64_t>(bytes->size()) - static_cast<std::int64_t>(old);
    auto again = range.bytes(shift);
    if (!again) return tl::unexpected(again.error());
    const bool settled = again->size() == bytes->size();
    bytes = std::move(again);
    if (!settled) continue;
    const auto written = file.replace_with(range.begin, *bytes, range.end);
    if (!written) return tl::unexpected(written.error());
    return EditReport{EditMethod::copy, *written, static_cast<std::uint64_t>(shift)};
  }
  return fail(ErrorCode::state, "the size of the movie box does not settle");
}

} // namespace hull::isobmff
