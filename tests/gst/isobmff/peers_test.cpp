// Files of other muxers are written back byte for byte, with every box of them understood.

#include "gst/isobmff/boxes/tree.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <unistd.h>

namespace hull::isobmff {
namespace {

struct Peer {
  const char *name;
  const char *program; ///< must be there
  const char *command; ///< %in = the clip, %out = the file to make
};

const Peer kPeers[] = {
    {"ffmpeg", "ffmpeg", "ffmpeg -v error -y -i %in -c copy %out"},
    {"ffmpeg_faststart", "ffmpeg", "ffmpeg -v error -y -i %in -c copy -movflags +faststart %out"},
    {"ffmpeg_cmaf", "ffmpeg", "ffmpeg -v error -y -i %in -c copy -movflags +cmaf+frag_keyframe %out"},
    {"ffmpeg_every_frame", "ffmpeg",
     "ffmpeg -v error -y -i %in -c copy -movflags +frag_every_frame+empty_moov+delay_moov %out"},
    {"ffmpeg_sidx_mfra", "ffmpeg",
     "ffmpeg -v error -y -i %in -c copy -movflags +frag_keyframe+global_sidx %out"},
    {"ffmpeg_mov", "ffmpeg", "ffmpeg -v error -y -i %in -c copy -timecode 01:00:00:00 -f mov %out"},
    {"ffmpeg_cenc", "ffmpeg",
     "ffmpeg -v error -y -i %in -c copy -encryption_scheme cenc-aes-ctr -encryption_key "
     "76a6c65c5ea762046bd749a2e632ccbb -encryption_kid a7e61c373e219033c21091fa607bf3b8 %out"},
    {"mp4mux", "gst-launch-1.0",
     "gst-launch-1.0 -q filesrc location=%in ! qtdemux ! h264parse ! mp4mux ! filesink location=%out"},
    {"mp4mux_fragments", "gst-launch-1.0",
     "gst-launch-1.0 -q filesrc location=%in ! qtdemux ! h264parse ! mp4mux fragment-duration=500 ! filesink "
     "location=%out"},
    {"mp4mux_hybrid", "gst-launch-1.0",
     "gst-launch-1.0 -q filesrc location=%in ! qtdemux ! h264parse ! mp4mux fragment-duration=500 "
     "fragment-mode=first-moov-then-finalise ! filesink location=%out"},
    {"qtmux_faststart", "gst-launch-1.0",
     "gst-launch-1.0 -q filesrc location=%in ! qtdemux ! h264parse ! qtmux faststart=true ! filesink "
     "location=%out"},
    {"qtmux_robust", "gst-launch-1.0",
     "gst-launch-1.0 -q filesrc location=%in ! qtdemux ! h264parse ! qtmux reserved-max-duration=10000000000 "
     "reserved-moov-update-period=1000000000 ! filesink location=%out"},
    {"MP4Box", "MP4Box", "MP4Box -quiet -add %in -new %out"},
    {"MP4Box_dash", "MP4Box", "MP4Box -quiet -frag 500 %in -out %out"},
    {"Bento4", "mp4fragment", "mp4fragment --fragment-duration 500 %in %out"},
};

bool has_program(const std::string &name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

std::string replaced(std::string text, const std::string &what, const std::string &with) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

ByteVector file_bytes(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Peers : public testing::TestWithParam<Peer> {
 protected:
  static void SetUpTestSuite() {
    folder() = std::filesystem::temp_directory_path() / ("hull_peers_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder());
    const std::string make =
        "ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120:r=25:d=2 -f lavfi -i sine=d=2 "
        "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac -metadata title=clip ";
    have_clip() = has_program("ffmpeg") && std::system((make + clip()).c_str()) == 0;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder()); }
  static std::filesystem::path &folder() {
    static std::filesystem::path path;
    return path;
  }
  static bool &have_clip() {
    static bool have = false;
    return have;
  }
  static std::string clip() { return (folder() / "clip.mp4").string(); }
};

void collect_unknown(const Node &node, FourCC parent, std::set<std::string> &unknown) {
  EXPECT_EQ(node.problem, "") << node.type().text();
  const bool known = make_box(node.type(), parent) != nullptr || node.type() == FourCC("mdat");
  if (!known && !node.raw) unknown.insert(parent.text() + "/" + node.type().text());
  for (const Node &child : node.children)
    collect_unknown(child, node.type(), unknown);
}

TEST_P(Peers, FileComesBackByteForByte) {
  const Peer &peer = GetParam();
  if (!have_clip()) GTEST_SKIP() << "ffmpeg with libx264 is absent";
  if (!has_program(peer.program)) GTEST_SKIP() << peer.program << " is absent";
  const std::string out = (folder() / (std::string(peer.name) + ".mp4")).string();
  const std::string command = replaced(replaced(peer.command, "%in", clip()), "%out", out);
  ASSERT_EQ(std::system((command + " >/dev/null 2>&1").c_str()), 0) << command;
  auto source = FileSource::open(out);
  ASSERT_TRUE(source) << source.error().text;
  auto nodes = parse_boxes(*source);
  ASSERT_TRUE(nodes) << nodes.error().text;
  const auto written = write_trees(*nodes, &*source);
  ASSERT_TRUE(written) << written.error().text;
  EXPECT_TRUE(*written == file_bytes(out)) << "the bytes differ";
  std::set<std::string> unknown;
  for (const Node &node : *nodes)
    collect_unknown(node, FourCC{}, unknown);
  // QuickTime's own boxes and old ones that nobody edits are kept, but have no declaration.
  static const std::set<std::string> kUndeclared = {"iods", "uuid", "wide", "load",
                                                    "XMP_", "alis", "text", "chan"};
  for (const std::string &path : unknown)
    EXPECT_TRUE(path.starts_with("udta/") || path.starts_with("wave/") ||
                kUndeclared.contains(path.substr(path.rfind('/') + 1)))
        << path << " is unknown";
}

INSTANTIATE_TEST_SUITE_P(Boxes, Peers, testing::ValuesIn(kPeers),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace hull::isobmff
