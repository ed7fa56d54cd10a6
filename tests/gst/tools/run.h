#pragma once

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace hull::tools {

struct Outcome {
  int status = -1;
  std::string text; ///< standard output and error
};

/// A folder of its own and the tool of this build.
class ToolTest : public testing::Test {
 protected:
  void SetUp() override {
    const char *tool = std::getenv("HULL_TOOL");
    if (!tool) GTEST_SKIP() << "HULL_TOOL does not name gst-hull-1.0; meson test sets it";
    tool_ = tool;
    char name[] = "/tmp/hull-pertitle-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  void TearDown() override {
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }
  std::string in(const std::string &name) const { return path_ + "/" + name; }
  Outcome run(const std::string &arguments) const {
    const std::string log = in("log");
    const int status = std::system((tool_ + " " + arguments + " >" + log + " 2>&1").c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp("log")};
  }
  // The tool in the background; its words go nowhere.
  pid_t start(const std::vector<std::string> &arguments) const {
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::dup2(null, 2);
    std::vector<char *> argv{const_cast<char *>(tool_.c_str())};
    for (const std::string &argument : arguments)
      argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(tool_.c_str(), argv.data());
    ::_exit(127);
  }
  static int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static bool shell(const std::string &command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }
  std::string slurp(const std::string &name) const {
    std::ostringstream text;
    text << std::ifstream(in(name), std::ios::binary).rdbuf();
    return text.str();
  }
  std::filesystem::path newest(const std::string &folder, const std::string &ending) const {
    std::filesystem::path found;
    for (const auto &entry : std::filesystem::directory_iterator(in(folder)))
      if (entry.path().string().ends_with(ending) &&
          (found.empty() || entry.last_write_time() > std::filesystem::last_write_time(found)))
        found = entry.path();
    return found;
  }
  // A moving texture: hard enough to give a rate, small enough to be quick.
  void write_clip(const std::string &name, unsigned width, unsigned height, unsigned pictures) const {
    std::ofstream out(in(name), std::ios::binary);
    out << "YUV4MPEG2 W" << width << " H" << height << " F25:1 Ip A1:1 C420jpeg\n";
    std::uint32_t noise = 1;
    for (unsigned t = 0; t < pictures; ++t) {
      std::string picture;
      for (unsigned y = 0; y < height; ++y)
        for (unsigned x = 0; x < width; ++x) {
          noise = noise * 1664525u + 1013904223u;
          picture += static_cast<char>(60 + ((x + 2 * t) / 6 + y / 5) % 2 * 90 + (noise >> 28));
        }
      picture.append(2ull * ((width + 1) / 2) * ((height + 1) / 2), '\x80');
      out << "FRAME\n" << picture;
    }
  }
  std::string tool_, path_;
};

} // namespace hull::tools
