#include "gst/core/file.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace hull {
namespace {

namespace fs = std::filesystem;

std::string slurp(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/hull-file-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/a";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  std::string folder_, path_;
};
using AtomicFileTest = FileTest;
using FdTest = FileTest;

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST_F(FdTest, ClosesOnceAndMoves) {
  int number = -1;
  {
    Fd a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(a);
    number = a.get();
    Fd b(std::move(a));
    EXPECT_FALSE(a); // NOLINT: what is left of it is what is asked
    EXPECT_EQ(b.get(), number);
    Fd c;
    c = std::move(b);
    EXPECT_EQ(c.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST_F(AtomicFileTest, IsSeenWholeOrNotAtAll) {
  std::ofstream(path_) << "old";
  AtomicFile file(path_);
  ASSERT_FALSE(file.create());
  ASSERT_FALSE(file.write(bytes_of("new ")));
  ASSERT_FALSE(file.write(bytes_of("content")));
  EXPECT_EQ(slurp(path_), "old");
  ASSERT_FALSE(file.commit());
  EXPECT_EQ(slurp(path_), "new content");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, LeavesNothingWithoutACommit) {
  {
    AtomicFile file(path_);
    ASSERT_FALSE(file.create());
    ASSERT_FALSE(file.write(bytes_of("half")));
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(AtomicFileTest, TakesWhatSomebodyElseWroteUnderItsName) {
  AtomicFile file(path_, folder_ + "/b");
  std::ofstream(file.part()) << "by name";
  ASSERT_FALSE(file.commit());
  EXPECT_EQ(slurp(path_), "by name");
  EXPECT_EQ(files(), 1u);
  AtomicFile absent(path_, folder_ + "/c");
  EXPECT_EQ(absent.commit(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(slurp(path_), "by name");
}

TEST_F(AtomicFileTest, SaysWhyItCannot) {
  EXPECT_EQ(write_atomically(folder_ + "/none/a", folder_ + "/none/a.part", bytes_of("x")),
            std::errc::no_such_file_or_directory);
  fs::create_directory(path_);
  EXPECT_EQ(write_atomically(path_, path_ + ".part", bytes_of("x")), std::errc::is_a_directory);
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, ALimitOfSizeIsAnErrorThatLeavesTheOldFile) {
  std::ofstream(path_) << "old";
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  const auto error = write_atomically(path_, path_ + ".part", ByteVector(5000));
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error, std::errc::file_too_large);
  EXPECT_EQ(slurp(path_), "old");
  EXPECT_EQ(files(), 1u);
}

// A pipe that is full makes every write wait, so the signals hit one that is under way.
TEST(Uninterrupted, SignalsDoNotShortenWhatIsWritten) {
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) {}; // without SA_RESTART
  ::sigaction(SIGUSR1, &action, &before);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd out(ends[0]), in(ends[1]);
  constexpr std::size_t kSize = 4 << 20;
  const pthread_t writer = ::pthread_self();
  std::size_t got = 0;
  std::thread reader([&] {
    std::vector<std::uint8_t> block(16 << 10);
    while (got < kSize) {
      ::pthread_kill(writer, SIGUSR1);
      const ssize_t n = ::read(out.get(), block.data(), block.size());
      if (n > 0) got += static_cast<std::size_t>(n);
    }
  });
  EXPECT_FALSE(write_all(in.get(), ByteVector(kSize)));
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(got, kSize);
}

TEST_F(FileTest, ReadAtSaysHowMuchThereWas) {
  std::ofstream(path_) << "0123456789";
  const Fd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  ByteVector out(6);
  std::size_t count = 0;
  EXPECT_FALSE(read_at(fd.get(), 2, out, count));
  EXPECT_EQ(count, 6u);
  EXPECT_EQ(out[0], '2');
  EXPECT_FALSE(read_at(fd.get(), 7, out, count));
  EXPECT_EQ(count, 3u);
  EXPECT_FALSE(write_all_at(fd.get(), 8, bytes_of("xyz")));
  EXPECT_EQ(slurp(path_), "01234567xyz");
}

} // namespace
} // namespace hull
