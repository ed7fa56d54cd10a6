#include "plugins/vmaf/log_file.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>

namespace hull {

void VmafLogFile::Close::operator()(std::FILE *file) const {
  if (file != stdout) std::fclose(file);
}

Result<void> VmafLogFile::failed() const {
  return fail(
      errno == ENOSPC ? ErrorCode::no_space : ErrorCode::io,
      fmt::format("The scores could not be written completely to '{}': {}.", path_, std::strerror(errno)));
}

Result<void> VmafLogFile::open(const std::string &path) {
  path_ = path;
  file_.reset(path == "-" ? stdout : std::fopen(path.c_str(), "w"));
  if (file_) return {};
  return fail(ErrorCode::io,
              fmt::format("The scores cannot be written to '{}': {}.", path, std::strerror(errno)));
}

Result<void> VmafLogFile::write(const std::string &text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) return failed();
  // Who follows standard output wants each frame when it is there.
  if (file_.get() == stdout && std::fflush(stdout) != 0) return failed();
  return {};
}

Result<void> VmafLogFile::close() {
  std::FILE *file = file_.release();
  if ((file == stdout ? std::fflush(file) : std::fclose(file)) != 0) return failed();
  return {};
}

std::string with_pad_name(const std::string &path, const std::string &pad) {
  if (path == "-") return path;
  const std::size_t slash = path.find_last_of('/'), dot = path.find_last_of('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return path + "." + pad;
  return path.substr(0, dot) + "." + pad + path.substr(dot);
}

} // namespace hull
