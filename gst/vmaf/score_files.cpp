#include "gst/vmaf/score_files.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace hull::vmaf {

void ScoreFile::Close::operator()(std::FILE *file) const {
  if (file != stdout) std::fclose(file);
}

Result<void> ScoreFile::failed() const {
  return fail(
      errno == ENOSPC ? ErrorCode::no_space : ErrorCode::io,
      fmt::format("The scores could not be written completely to '{}': {}.", path_, std::strerror(errno)));
}

Result<void> ScoreFile::open(const std::string &path) {
  path_ = path;
  file_.reset(path == "-" ? stdout : std::fopen(path.c_str(), "w"));
  if (file_) return {};
  return fail(ErrorCode::io,
              fmt::format("The scores cannot be written to '{}': {}.", path, std::strerror(errno)));
}

Result<void> ScoreFile::write(const std::string &text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) return failed();
  // Who follows standard output wants each frame when it is there.
  if (file_.get() == stdout && std::fflush(stdout) != 0) return failed();
  return {};
}

Result<void> ScoreFile::close() {
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

Result<void> ScoreFiles::open(const std::vector<std::string> &streams, const ScoreColumns &columns, int width,
                              int height) {
  streams_ = std::vector<Stream>(streams.size());
  if (!wanted() || (location_ == "-" && streams.size() > 1)) return {};
  for (std::size_t i = 0; i < streams.size(); ++i) {
    ScoreFile &file = streams_[i].file;
    if (auto opened = file.open(i == 0 ? location_ : with_pad_name(location_, streams[i])); !opened)
      return opened;
    if (auto written = file.write(log_begin(layout_, columns.names, width, height)); !written) return written;
  }
  return {};
}

Result<void> ScoreFiles::write(const FrameScore &score) {
  Stream &stream = streams_[score.stream];
  if (!stream.file.is_open()) return {};
  const bool first = !std::exchange(stream.has_rows, true);
  return stream.file.write(log_row(layout_, score.columns->names, score.frame, score.values.data(), first));
}

Result<void> ScoreFiles::finish(std::size_t index, const ScoreLog &log, const ReportHead &head) {
  ScoreFile &file = streams_[index].file;
  const bool begun = file.is_open();
  if (!begun)
    if (auto opened = file.open("-"); !opened) return opened;
  if (auto written = file.write(begun ? log_end(layout_, log, head) : to_text(layout_, log, head)); !written)
    return written;
  return file.close();
}

} // namespace hull::vmaf
