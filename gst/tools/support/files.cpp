#include "gst/tools/support/files.h"

#include "gst/core/file.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <glib.h>

namespace hull::tools {
namespace {

constexpr std::uint64_t kHashWhole = 256ull << 20;
constexpr std::size_t kBlock = 64 << 10;

using Checksum = std::unique_ptr<GChecksum, decltype(&g_checksum_free)>;

} // namespace

Error file_error(int error_number, const std::string &what, const std::string &path, Place at) {
  if (error_number == EFBIG)
    return {ErrorCode::no_space,
            "cannot " + what + " " + path +
                ": it would pass the largest size a file may have here (ulimit -f); raise "
                "it and run the same command again, finished work is kept",
            Error::kNoOffset, at};
  if (error_number == ENOSPC || error_number == EDQUOT)
    return {ErrorCode::no_space,
            "the disk is full: cannot " + what + " " + path +
                "; free some space and run the same command again, finished work is kept",
            Error::kNoOffset, at};
  const ErrorCode code = error_number == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  return {code, "cannot " + what + " " + path + ": " + std::strerror(error_number), Error::kNoOffset, at};
}

Result<std::string> read_file(const std::string &path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::unexpected(file_error(errno, "open", path));
  std::string text;
  char block[kBlock];
  for (;;) {
    const ssize_t n = uninterrupted([&] { return ::read(fd.get(), block, sizeof block); });
    if (n < 0) return tl::unexpected(file_error(errno, "read", path));
    if (n == 0) return text;
    text.append(block, static_cast<std::size_t>(n));
  }
}

std::string part_name(const std::string &path) {
  char host[64] = {};
  ::gethostname(host, sizeof host - 1);
  return path + "." + host + "." + std::to_string(::getpid()) + ".part";
}

Stamp stamp_of(const std::string &path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {static_cast<std::uint64_t>(s.st_size), s.st_mtim.tv_sec * 1'000'000'000LL + s.st_mtim.tv_nsec};
}

Result<void> write_file(const std::string &path, std::string_view content) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t *>(content.data()), content.size());
  const auto error = write_atomically(path, part_name(path), bytes);
  if (error) return tl::unexpected(file_error(error.value(), "write", path));
  return {};
}

Result<void> make_folder(const std::string &path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return tl::unexpected(file_error(error.value(), "make the folder", path));
  if (::access(path.c_str(), W_OK | X_OK) != 0)
    return tl::unexpected(file_error(errno, "write into the folder", path));
  return {};
}

std::string sha256(std::string_view bytes) {
  char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, reinterpret_cast<const guchar *>(bytes.data()),
                                          bytes.size());
  std::string text = hex ? hex : "";
  g_free(hex);
  return text;
}

Result<std::string> identity_of(const std::string &path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return tl::unexpected(file_error(errno, "open", path));
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::not_found, path + " is a folder; name a video file");
  const Checksum sum(g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  const std::uint64_t size = static_cast<std::uint64_t>(status.st_size);
  std::string head = "size " + std::to_string(size);
  const bool whole = size <= kHashWhole;
  if (!whole) head += " changed " + std::to_string(status.st_mtime);
  g_checksum_update(sum.get(), reinterpret_cast<const guchar *>(head.data()),
                    static_cast<gssize>(head.size()));
  std::vector<std::uint64_t> offsets;
  if (whole)
    for (std::uint64_t at = 0; at < size; at += kBlock)
      offsets.push_back(at);
  else
    offsets = {0, size / 2, size - kBlock};
  std::vector<guchar> block(kBlock);
  for (const std::uint64_t at : offsets) {
    const ssize_t n = ::pread(fd.get(), block.data(), block.size(), static_cast<off_t>(at));
    if (n < 0) return tl::unexpected(file_error(errno, "read", path));
    g_checksum_update(sum.get(), block.data(), n);
  }
  return std::string(g_checksum_get_string(sum.get()));
}

} // namespace hull::tools
