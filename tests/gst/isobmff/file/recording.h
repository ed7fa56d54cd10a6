#pragma once

// A file as our muxer records it, each byte of its media telling its sample.

#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/track.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace hull::isobmff {

// A recording of one track: `fragments` fragments of 30 samples of `size` bytes, each byte telling its
// sample.
class Recording {
 public:
  explicit Recording(const char *name, bool gap = true)
      : path_((std::filesystem::path(testing::TempDir()) / name).string()) {
    TrackConfig track;
    track.timescale = 15'360;
    SampleFormat format;
    format.entry = "avc1";
    format.width = 64;
    format.height = 64;
    format.codec_boxes.emplace_back("avcC", from_hex("0142c00affe1000067"));
    track.formats = {format};
    InitOptions options;
    options.compatible_brands = {"iso6"};
    bytes_ = *write_tree(file_type_box(options));
    if (gap) append(bytes_, recording_gap());
    append(bytes_, *write_tree(init_movie_box({track}, options)));
    init_size_ = bytes_.size();
  }
  ~Recording() { std::filesystem::remove(path_); }

  void fragment(std::uint32_t count = 30, std::uint32_t size = 50) {
    Chunk chunk;
    chunk.runs.resize(1);
    for (std::uint32_t i = 0; i < count; ++i, ++samples_)
      chunk.runs[0].push_back(
          {std::int64_t{samples_} * 512, 512, i % 3 == 1 ? 512 : 0, size + i, i == 0, false});
    std::vector<FragmentTrack> tracks(1);
    tracks[0].composition_offsets = tracks[0].signed_offsets = true;
    append(bytes_, fragment_header(++sequence_, chunk, tracks)->bytes);
    for (const Sample &sample : chunk.runs[0]) {
      expected_.push_back(static_cast<std::uint8_t>(expected_.size() * 37));
      bytes_.resize(bytes_.size() + sample.size, expected_.back());
    }
    ends_.push_back(bytes_.size());
  }
  void save(std::size_t size) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes_.data()), static_cast<std::streamsize>(size));
  }
  void save() const { save(bytes_.size()); }

  // The samples of a whole file as its tables find them: first byte and duration of each.
  std::vector<std::uint8_t> samples_in_file() const {
    std::vector<std::uint8_t> found;
    auto source = FileSource::open(path_);
    auto boxes = parse_boxes(*source);
    Node *stbl = find(*boxes, "moov/trak/mdia/minf/stbl");
    if (!stbl) return found;
    const Node &read = *stbl;
    const auto *stco = read.get<ChunkOffset>();
    const auto *stsz = read.get<SampleSize>();
    const auto *stsc = read.get<SampleToChunk>();
    if (!stco || !stsz || !stsc) return found;
    std::size_t sample = 0;
    for (std::size_t chunk = 0; chunk < stco->chunk_offsets.size(); ++chunk) {
      std::uint32_t held = 0;
      for (const auto &entry : stsc->entries)
        if (entry.first_chunk <= chunk + 1) held = entry.samples_per_chunk;
      std::uint64_t at = stco->chunk_offsets[chunk];
      for (std::uint32_t i = 0; i < held && sample < stsz->entry_sizes.size(); ++i, ++sample) {
        ByteVector bytes(stsz->entry_sizes[sample]);
        EXPECT_TRUE(source->read(at, bytes));
        EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [&](auto byte) { return byte == bytes[0]; }));
        found.push_back(bytes[0]);
        at += bytes.size();
      }
    }
    return found;
  }
  std::vector<std::string> top_level() const {
    std::vector<std::string> types;
    auto source = FileSource::open(path_);
    (void)for_each_box(*source, [&](Node &node) {
      types.push_back(node.type().text());
      return true;
    });
    return types;
  }

  std::string path_;
  ByteVector bytes_;
  std::vector<std::uint8_t> expected_;
  std::vector<std::size_t> ends_;
  std::size_t init_size_ = 0;
  std::uint32_t samples_ = 0, sequence_ = 0;
};

} // namespace hull::isobmff
