#include "gst/tools/title/result_folder.h"

#include "gst/tools/support/files.h"

#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>

namespace hull::tools {
namespace {

void remove_unfinished_files(const std::string &folder) {
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".part") std::filesystem::remove(entry.path(), ignored);
}

Result<Fd> lock_folder(const std::string &folder) {
  const std::string path = folder + "/.lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock) return tl::unexpected(file_error(errno, "write", path));
  if (uninterrupted([&] { return ::flock(lock.get(), LOCK_EX | LOCK_NB); }) != 0 && errno == EWOULDBLOCK)
    return fail(ErrorCode::state,
                folder + " is being worked on by another run; wait for it, or name another folder");
  return lock;
}

} // namespace

Result<ResultFolder> ResultFolder::open(const std::string &path) {
  for (const std::string folder : {"", "/tasks", "/parts"})
    if (auto made = make_folder(path + folder); !made) return tl::unexpected(made.error());
  auto lock = lock_folder(path);
  if (!lock) return tl::unexpected(lock.error());
  const std::string canonical = std::filesystem::canonical(path);
  auto cache = Cache::open(canonical + "/cache");
  if (!cache) return tl::unexpected(cache.error());
  for (const char *folder : {"", "/cache", "/parts", "/tasks"})
    remove_unfinished_files(canonical + folder);
  return ResultFolder(canonical, std::move(*lock), std::move(*cache));
}

void ResultFolder::remove_other_videos(const std::set<std::string> &wanted) const {
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("video_") && (name.ends_with(".mp4") || name.ends_with(".part")) &&
        !wanted.contains(name))
      std::filesystem::remove(entry.path(), ignored);
  }
}

} // namespace hull::tools
