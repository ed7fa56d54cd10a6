#pragma once

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/sample.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace hull::isobmff {

/// Bytes that grow without moving and without spare capacity beyond one page.
class PagedBytes {
 public:
  void push(std::uint8_t byte) {
    if (size_ % kPage == 0) pages_.push_back(std::make_unique<Page>());
    (*pages_.back())[size_++ % kPage] = byte;
  }
  std::uint8_t operator[](std::uint64_t index) const { return (*pages_[index / kPage])[index % kPage]; }
  std::uint64_t size() const { return size_; }
  std::uint64_t memory() const { return pages_.size() * kPage; }

 private:
  static constexpr std::size_t kPage = 4096;
  using Page = std::array<std::uint8_t, kPage>;
  std::vector<std::unique_ptr<Page>> pages_;
  std::uint64_t size_ = 0;
};

/// A long list of numbers in blocks of 128: each block keeps its least value, a divisor common to the
/// distances from it, and those distances in as few bits as most of them need; the rest are exceptions.
/// Equal values cost 4 bytes a block, sizes of coded pictures 1 to 2 bytes each (measured in the research the
/// project started from: patched frame of reference, 1.0 to 1.9 bytes).
class PackedNumbers {
 public:
  void push(std::int64_t value);
  std::uint64_t size() const { return count_; }
  std::uint64_t memory() const { return bytes_.memory() + sizeof(*this); }

  /// Reads the list from its start.
  class Cursor {
   public:
    explicit Cursor(const PackedNumbers &list) : list_(&list) {}
    std::int64_t next();

   private:
    const PackedNumbers *list_;
    std::uint64_t at_ = 0; // of the next byte
    std::uint64_t read_ = 0;
    std::array<std::int64_t, 128> block_{};
  };

 private:
  static constexpr std::size_t kBlock = 128;
  void pack();
  PagedBytes bytes_;
  std::array<std::int64_t, kBlock> open_{};
  std::uint64_t count_ = 0;
};

/// The samples of one track of an unfragmented file: at most 3 bytes each for what encoders make.
class SampleTable {
 public:
  /// Appends a sample whose decode time is the sum of the durations before it. A sample's last known duration
  /// may be corrected with extend() until the next one comes.
  void add(const Sample &sample);
  /// Lengthens the newest sample to `duration` ticks.
  void set_last_duration(std::uint32_t duration);
  /// The samples added since the last chunk stand together at `offset`, described by entry `description`.
  void end_chunk(std::uint64_t offset, std::uint32_t description);

  /// Samples are frames of sound without compression, `bytes` each, that come many at once: the tables then
  /// name each frame, as readers expect it, without growing. 0: samples are what add() gets.
  void set_frame_bytes(std::uint32_t bytes) { frame_bytes_ = bytes; }

  std::uint64_t samples() const { return count_; }
  std::uint64_t duration() const { return duration_; } ///< ticks
  std::uint32_t last_duration() const { return last_duration_; }
  std::uint64_t memory() const; ///< bytes this table holds

  /// Adds stts, [ctts], stsc, stsz, stco or co64, [stss] to `stbl`, which has stsd already. Chunk offsets are
  /// moved by `shift` bytes; `shift_composition` is added to every composition offset. 64-bit offsets only
  /// where one needs them, or where `wide` says. Long tables are Generated boxes: `stbl` must be written
  /// while this table exists.
  void write(Node &stbl, std::int64_t shift, std::int64_t shift_composition, bool wide) const;
  /// Whether an offset moved by `shift` needs co64.
  bool needs_wide(std::int64_t shift) const { return last_offset_ + shift > 0xffffffffll; }
  std::int64_t least_composition_offset() const { return least_composition_; }
  bool has_composition_offsets() const { return any_composition_; }

 private:
  std::uint64_t frames() const;
  void write_frames(Node &stbl, std::int64_t shift, bool wide) const;
  void write_times(Node &stbl, std::int64_t shift_composition) const;
  void write_places(Node &stbl, std::int64_t shift, bool wide, bool of_frames = false) const;
  PackedNumbers durations_, sizes_, compositions_, sync_distances_;
  PackedNumbers chunk_gaps_, chunk_samples_, chunk_descriptions_;
  std::uint64_t count_ = 0, in_chunk_ = 0, chunks_ = 0;
  std::uint64_t chunk_bytes_ = 0, last_end_ = 0;
  std::int64_t last_offset_ = 0;
  std::uint64_t duration_ = 0;
  std::uint32_t last_duration_ = 0;
  std::uint64_t last_sync_ = 0, syncs_ = 0;
  std::uint32_t frame_bytes_ = 0;
  std::int64_t least_composition_ = 0;
  bool any_composition_ = false;
};

} // namespace hull::isobmff
