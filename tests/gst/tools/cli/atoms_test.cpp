// `gst-hull-1.0 atoms` on files of ffmpeg, as other readers see them afterwards, and on files made to break
// it.

#include "gst/core/bytes.h"
#include "tests/support/sanitizer.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <vector>

extern char **environ;

namespace hull {
namespace {

std::string output_of(const std::string &command) {
  std::string text;
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return text;
  char part[4096];
  while (const std::size_t n = fread(part, 1, sizeof part, pipe))
    text.append(part, n);
  pclose(pipe);
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

bool have_ffmpeg() {
  return output_of("ffprobe -version").starts_with("ffprobe version");
}

std::string tool() {
  const char *path = std::getenv("HULL_TOOL");
  return std::string(path ? path : "gst-hull-1.0") + " atoms ";
}

class Atoms : public testing::Test {
 protected:
  Atoms() {
    std::string name = (std::filesystem::temp_directory_path() / "hull-atoms-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Atoms() override { std::filesystem::remove_all(folder_); }
  std::string operator/(const std::string &name) const { return folder_ + "/" + name; }
  // Two seconds with B-frames and sound; movie box last unless `flags` say otherwise.
  std::string film(const std::string &name, const std::string &flags = "") const {
    const std::string path = *this / name;
    output_of(
        "ffmpeg -v error -y -f lavfi -i testsrc2=s=64x64:r=25:d=2 -f lavfi -i sine=d=2 -c:v mpeg4 -bf 2 -c:a "
        "aac " +
        flags + " " + path);
    return path;
  }
  void write(const std::string &path, const ByteVector &bytes) const {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  static ByteVector read(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Times, sizes and hashes of all packets.
  static std::string packets(const std::string &path) {
    return output_of("ffmpeg -v error -i '" + path + "' -map 0 -c copy -f framemd5 -");
  }

 private:
  std::string folder_;
};

TEST_F(Atoms, SetChangesWhatOthersRead) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe is the second opinion";
  const std::string file = film("a.mp4"), before = packets(file);
  EXPECT_EQ(output_of(tool() + "set " + file + " 'moov/trak[1]/mdia/mdhd.language' deu; echo $?").back(),
            '0');
  EXPECT_EQ(
      output_of("ffprobe -v error -select_streams a -show_entries stream_tags=language -of csv=p=0 " + file),
      "deu");
  EXPECT_EQ(output_of(tool() + "cat " + file + " 'moov/trak[1]/mdia/mdhd.language'"), "deu");
  for (const char *field : {"matrix_a 0", "matrix_b 1", "matrix_c -1", "matrix_d 0"})
    EXPECT_NE(output_of(tool() + "set " + file + " moov/trak/tkhd." + field).find("in place"),
              std::string::npos);
  EXPECT_NE(output_of("ffprobe -v error -select_streams v -show_entries stream_side_data=rotation " + file)
                .find("=-90"),
            std::string::npos);
  EXPECT_EQ(packets(file), before);
  EXPECT_EQ(output_of(tool() + "set " + file + " moov/trak/tkhd.nothing 1 >/dev/null 2>&1; echo $?"), "1");
  EXPECT_EQ(packets(file), before);
}

TEST_F(Atoms, InsertAndRemoveLeaveThePacketsAlone) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg is the second opinion";
  for (const char *flags : {"", "-movflags +faststart", "-movflags +frag_keyframe+empty_moov"}) {
    const std::string file = film("a.mp4", flags), before = packets(file);
    // cprt, language und, "us"
    EXPECT_EQ(output_of(tool() + "insert " + file +
                        " moov/udta --hex 00000011637072740000000055c4757300 >/dev/null; echo $?"),
              "0")
        << flags;
    EXPECT_EQ(output_of(tool() + "cat " + file + " moov/udta/cprt.text"), "us") << flags;
    EXPECT_EQ(packets(file), before) << flags;
    EXPECT_EQ(output_of(tool() + "remove " + file + " moov/udta/cprt >/dev/null; echo $?"), "0");
    EXPECT_EQ(packets(file), before) << flags;
    EXPECT_EQ(output_of(tool() + "remove " + file + " moov/trak >/dev/null 2>&1; echo $?"), "2");
    EXPECT_NE(output_of(tool() + "insert " + file + " moov --hex 000000086d6f6f76").find("14496-12"),
              std::string::npos);
  }
}

TEST_F(Atoms, FaststartMovesNoPacket) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg is the second opinion";
  const std::string file = film("a.mp4"), before = packets(file);
  EXPECT_EQ(output_of(tool() + "ls " + file + " | grep -E '^ *[0-9].*(moov|mdat)' | head -1").find("moov"),
            std::string::npos);
  EXPECT_EQ(output_of(tool() + "faststart " + file + " >/dev/null; echo $?"), "0");
  const ByteVector bytes = read(file);
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_LT(text.find("moov"), text.find("mdat"));
  EXPECT_EQ(packets(file), before);
  EXPECT_EQ(output_of(tool() + "faststart " + file + " >/dev/null; echo $?"), "0"); // nothing left to do
  EXPECT_EQ(packets(file), before);
}

// A fragmented file cut anywhere: what recover makes of it has every packet of the whole fragments, and no
// other.
TEST_F(Atoms, CheckFindsNothingInSoundFilesOfOthers) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg makes the files";
  const std::pair<const char *, const char *> kFilms[] = {
      {"whole.mp4", ""},
      {"front.mp4", "-movflags +faststart"},
      {"pieces.mp4", "-movflags +frag_keyframe+empty_moov+default_base_moof"},
      {"pieces_of_old.mp4", "-movflags +frag_keyframe"},
      {"quicktime.mov", ""},
      {"quicktime_pcm.mov", "-c:a pcm_s16be"},
      {"quicktime_pcm24.mov", "-c:a pcm_s24le"},
  };
  for (const auto &[name, flags] : kFilms) {
    const std::string said = output_of(tool() + "check " + film(name, flags));
    EXPECT_NE(said.find("0 broken"), said.npos) << name << ":\n" << said;
  }
}

TEST_F(Atoms, CheckNamesTheRuleOfWhatWasBroken) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg makes the file";
  const std::string whole = film("whole.mp4");
  const std::string table = " moov/trak/mdia/minf/stbl/";
  const std::pair<const char *, std::string> kBreaches[] = {
      {"ISO-08", table + "stsc.sample_description_index 2"},
      {"ISO-11", table + "stco.chunk_offset 4000000000"},
      {"ISO-09", table + "stts.sample_count 9"},
      {"ISO-10", table + "stss.sample_number 0"},
      {"ISO-05", " moov/trak/mdia/mdhd.timescale 0"},
  };
  for (const auto &[rule, change] : kBreaches) {
    const std::string copy = *this / "copy.mp4";
    std::filesystem::copy_file(whole, copy, std::filesystem::copy_options::overwrite_existing);
    output_of(tool() + "set " + copy + change);
    const std::string said = output_of(tool() + "check " + copy + "; echo status $?");
    EXPECT_NE(said.find(rule), said.npos) << change << ":\n" << said;
    EXPECT_NE(said.find("status 1"), said.npos) << said;
  }
}

// CMAF's rules are for files that say they are CMAF, or by wish.
TEST_F(Atoms, CheckAsksCmafRulesOfFilesThatNameItAndByWish) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg makes the file";
  const std::string pieces = film("pieces.mp4", "-movflags +frag_keyframe+empty_moov+default_base_moof");
  EXPECT_EQ(output_of(tool() + "check " + pieces).find("CMF-"), std::string::npos);
  EXPECT_NE(output_of(tool() + "check --cmaf " + pieces).find("CMF-"), std::string::npos);
  output_of(tool() + "set " + pieces + " ftyp.compatible_brand cmfc");
  EXPECT_NE(output_of(tool() + "check " + pieces).find("CMF-"), std::string::npos);
}

TEST_F(Atoms, RecoverKeepsEveryWholeFragment) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg is the second opinion";
  const std::string file = film("a.mp4", "-g 5 -movflags +frag_keyframe+empty_moov+default_base_moof");
  const ByteVector whole = read(file);
  const std::string cut = *this / "cut.mp4";
  const auto pictures = [](const std::string &path) { // hashes of their packets
    return output_of("ffmpeg -v error -i " + path +
                     " -map 0:v -c copy -f framehash - | grep -v '^#' | awk -F', *' '{print $6}'");
  };
  const std::string all = pictures(file);
  std::size_t last = 0;
  for (std::size_t size = whole.size() / 4; size <= whole.size(); size += whole.size() / 23) {
    write(cut, ByteVector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(output_of(tool() + "recover " + cut + " >/dev/null; echo $?"), "0") << size;
    EXPECT_EQ(output_of("ffmpeg -v error -i " + cut + " -f null -"), "") << size;
    const std::string kept = pictures(cut);
    EXPECT_TRUE(all.starts_with(kept)) << size;
    EXPECT_GE(kept.size(), last) << size;
    last = kept.size();
  }
  EXPECT_GE(last, all.size() * 4 / 5);
}

struct Spent {
  int status = -1;
  long peak_kib = 0;
};

Spent spend(const std::string &verb, const std::string &file) {
  const std::string program = std::getenv("HULL_TOOL");
  const char *arguments[] = {program.c_str(), "atoms", verb.c_str(), file.c_str(), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
  pid_t child = 0;
  Spent spent;
  if (posix_spawn(&child, program.c_str(), &quiet, nullptr, const_cast<char **>(arguments), environ) == 0) {
    rusage use{};
    wait4(child, &spent.status, 0, &use);
    spent.peak_kib = use.ru_maxrss;
  }
  posix_spawn_file_actions_destroy(&quiet);
  return spent;
}

ByteVector box(const char *type, std::uint64_t claimed, const ByteVector &payload = {}) {
  ByteVector bytes;
  append_be(bytes, 4, claimed);
  for (int i = 0; i < 4; ++i)
    bytes.push_back(static_cast<std::uint8_t>(type[i]));
  append(bytes, payload);
  return bytes;
}

ByteVector numbers(std::initializer_list<std::uint32_t> list) {
  ByteVector bytes;
  for (const std::uint32_t number : list)
    append_be(bytes, 4, number);
  return bytes;
}

std::vector<std::pair<std::string, ByteVector>> hostile_files() {
  const ByteVector ftyp = box("ftyp", 16, numbers({0x69736f6d, 0}));
  const auto with = [&ftyp](const ByteVector &rest) {
    ByteVector file = ftyp;
    append(file, rest);
    return file;
  };
  std::vector<std::pair<std::string, ByteVector>> files = {
      {"empty", {}},
      {"one byte", {0}},
      {"size 1 without a size", with(box("moov", 1))},
      {"size 1 and 2^64-1", with(box("moov", 1, numbers({~0u, ~0u})))},
      {"size 1 and 0", with(box("moov", 1, numbers({0, 0})))},
      {"size 2", with(box("moov", 2))},
      {"size 0 to the end", with(box("moov", 0, box("trak", 0xffffffff)))},
      {"uuid too short", with(box("uuid", 12, numbers({1})))},
  };
  for (const char *table : {"stts", "ctts", "stsc", "stco", "co64", "stss", "stsz", "trun", "elst", "sidx",
                            "saiz", "senc", "tfra", "dref", "stsd", "pssh"})
    files.emplace_back(std::string(table) + " of 2^32-1 entries",
                       with(box("moov", 40, box(table, 32, numbers({0x01000f01, 0, ~0u, ~0u, ~0u, ~0u})))));
  constexpr std::uint32_t kDepth = 20'000;
  for (const char *container :
       {"moov", "trak", "mdia", "meta", "udta", "stsd", "moof", "traf", "wave", "free"}) {
    ByteVector deep;
    for (std::uint32_t i = 0; i < kDepth; ++i)
      append(deep, box(i == 0 ? "moov" : container, 8 * (kDepth - i)));
    files.emplace_back(std::string("20 000 boxes deep of ") + container, with(deep));
  }
  ByteVector many;
  for (int i = 0; i < 400'000; ++i)
    append(many, box("free", 8));
  files.emplace_back("400 000 boxes", with(many));
  ByteVector inside = box("moov", static_cast<std::uint32_t>(8 + many.size()), many);
  files.emplace_back("400 000 boxes in one", with(inside));
  return files;
}

// Children get a stack of 1 MiB, as threads of many systems have.
class SmallStack {
 public:
  SmallStack() {
    getrlimit(RLIMIT_STACK, &before_);
    const rlimit small{1 << 20, before_.rlim_max};
    setrlimit(RLIMIT_STACK, &small);
  }
  ~SmallStack() { setrlimit(RLIMIT_STACK, &before_); }

 private:
  rlimit before_{};
};

TEST_F(Atoms, HostileFilesCostNoMoreThanTheirSize) {
  const SmallStack small_stack;
  const std::string file = *this / "hostile.mp4";
  for (const auto &[name, bytes] : hostile_files()) {
    for (const char *verb : {"ls", "check", "recover", "faststart"}) {
      write(file, bytes);
      const Spent spent = spend(verb, file);
      EXPECT_TRUE(WIFEXITED(spent.status)) << verb << " " << name << ": signal " << WTERMSIG(spent.status);
      if (test::kAddressSanitizer) continue;
      EXPECT_LE(spent.peak_kib, 64 * 1024 + 40 * static_cast<long>(bytes.size() >> 10))
          << verb << " " << name;
    }
  }
}

TEST_F(Atoms, ATruncatedFileIsRefusedOrReadNeverACrash) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffmpeg makes the file";
  const ByteVector whole = read(film("a.mp4", "-movflags +faststart"));
  const std::string cut = *this / "cut.mp4";
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 60) {
    write(cut, ByteVector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    for (const char *verb : {"ls", "recover"})
      EXPECT_TRUE(WIFEXITED(spend(verb, cut).status)) << verb << " at " << size;
  }
}

} // namespace
} // namespace hull
