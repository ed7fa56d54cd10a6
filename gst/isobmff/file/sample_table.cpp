#include "gst/isobmff/file/sample_table.h"

#include "gst/isobmff/boxes/sample.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace hull::isobmff {
namespace {

void push_varint(PagedBytes &to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    to.push(static_cast<std::uint8_t>(value | 0x80));
  to.push(static_cast<std::uint8_t>(value));
}

std::uint64_t varint(const PagedBytes &from, std::uint64_t &at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = from[at++];
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (!(byte & 0x80)) return value;
  }
}

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// The width that makes a block smallest: `widths[w]` values need w bits, an exception costs about 3 bytes
// more.
unsigned best_width(const std::array<unsigned, 65> &widths, unsigned total) {
  unsigned best = 64, wider = 0;
  std::uint64_t least = ~std::uint64_t{0};
  for (unsigned w = 65; w-- > 0;) {
    const std::uint64_t cost = std::uint64_t{w} * total + std::uint64_t{wider} * 32;
    if (wider < 256 && cost < least) {
      least = cost;
      best = w;
    }
    wider += widths[w];
  }
  return best;
}

} // namespace

void PackedNumbers::push(std::int64_t value) {
  open_[count_++ % kBlock] = value;
  if (count_ % kBlock == 0) pack();
}

void PackedNumbers::pack() {
  const std::int64_t least = *std::min_element(open_.begin(), open_.end());
  std::uint64_t divisor = 0;
  for (const std::int64_t value : open_)
    divisor = std::gcd(divisor, static_cast<std::uint64_t>(value - least));
  divisor = std::max<std::uint64_t>(divisor, 1);
  std::array<std::uint64_t, kBlock> distance;
  std::array<unsigned, 65> widths{};
  for (std::size_t i = 0; i < kBlock; ++i) {
    distance[i] = static_cast<std::uint64_t>(open_[i] - least) / divisor;
    ++widths[std::bit_width(distance[i])];
  }
  const unsigned width = best_width(widths, kBlock);
  const std::uint64_t mask = width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  push_varint(bytes_, zigzag(least));
  push_varint(bytes_, divisor);
  bytes_.push(static_cast<std::uint8_t>(width));
  bytes_.push(static_cast<std::uint8_t>(
      std::count_if(distance.begin(), distance.end(), [mask](std::uint64_t d) { return d > mask; })));
  unsigned held = 0, byte = 0;
  for (const std::uint64_t d : distance)
    for (unsigned bit = 0; bit < width; ++bit) {
      byte |= static_cast<unsigned>(d >> bit & 1) << held;
      if (++held < 8) continue;
      bytes_.push(static_cast<std::uint8_t>(byte));
      held = byte = 0;
    }
  for (std::size_t i = 0; i < kBlock; ++i)
    if (distance[i] > mask) {
      bytes_.push(static_cast<std::uint8_t>(i));
      push_varint(bytes_, distance[i] >> width);
    }
}

std::int64_t PackedNumbers::Cursor::next() {
  const std::uint64_t index = read_ % kBlock;
  if (read_ >= list_->count_ - list_->count_ % kBlock) { // the open block is not packed
    ++read_;
    return list_->open_[index];
  }
  if (index == 0) {
    const PagedBytes &bytes = list_->bytes_;
    const std::int64_t least = unzigzag(varint(bytes, at_));
    const std::uint64_t divisor = varint(bytes, at_);
    const unsigned width = bytes[at_++];
    const unsigned exceptions = bytes[at_++];
    std::array<std::uint64_t, kBlock> distance{};
    if (width > 0 && width <= 56) { // eight bytes always hold one number, wherever in a byte it starts
      std::array<std::uint8_t, kBlock / 8 * 56 + 8> packed{};
      for (std::uint64_t i = 0; i < kBlock / 8 * width; ++i)
        packed[i] = bytes[at_ + i];
      const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
      for (std::size_t i = 0, bit = 0; i < kBlock; ++i, bit += width) {
        std::uint64_t eight = 0;
        for (unsigned k = 0; k < 8; ++k)
          eight |= std::uint64_t{packed[bit / 8 + k]} << 8 * k;
        distance[i] = eight >> bit % 8 & mask;
      }
    } else {
      std::uint64_t held = 0;
      for (auto &d : distance)
        for (unsigned bit = 0; bit < width; ++bit, ++held)
          d |= std::uint64_t{bytes[at_ + held / 8] >> held % 8 & 1u} << bit;
    }
    at_ += kBlock / 8 * width;
    for (unsigned i = 0; i < exceptions; ++i) {
      const std::size_t where = bytes[at_++];
      distance[where] |= varint(bytes, at_) << width;
    }
    for (std::size_t i = 0; i < kBlock; ++i)
      block_[i] = least + static_cast<std::int64_t>(distance[i] * divisor);
  }
  ++read_;
  return block_[index];
}

void SampleTable::add(const Sample &sample) {
  if (count_ > 0) durations_.push(last_duration_);
  last_duration_ = sample.duration;
  duration_ += sample.duration;
  sizes_.push(sample.size);
  compositions_.push(sample.composition_offset);
  any_composition_ |= sample.composition_offset != 0;
  least_composition_ = std::min<std::int64_t>(least_composition_, sample.composition_offset);
  if (sample.sync) {
    sync_distances_.push(static_cast<std::int64_t>(count_ - last_sync_));
    last_sync_ = count_;
    ++syncs_;
  }
  chunk_bytes_ += sample.size;
  ++count_;
  ++in_chunk_;
}

void SampleTable::set_last_duration(std::uint32_t duration) {
  if (count_ == 0) return;
  duration_ += duration;
  duration_ -= last_duration_;
  last_duration_ = duration;
}

void SampleTable::end_chunk(std::uint64_t offset, std::uint32_t description) {
  if (in_chunk_ == 0) return;
  chunk_gaps_.push(static_cast<std::int64_t>(offset - last_end_));
  chunk_samples_.push(static_cast<std::int64_t>(in_chunk_));
  chunk_descriptions_.push(description);
  last_offset_ = static_cast<std::int64_t>(offset);
  last_end_ = offset + chunk_bytes_;
  in_chunk_ = chunk_bytes_ = 0;
  ++chunks_;
}

std::uint64_t SampleTable::memory() const {
  return durations_.memory() + sizes_.memory() + compositions_.memory() + sync_distances_.memory() +
         chunk_gaps_.memory() + chunk_samples_.memory() + chunk_descriptions_.memory();
}

namespace {

// Collects numbers and hands them on in pieces.
class PieceWriter {
 public:
  explicit PieceWriter(const Sink &sink) : sink_(sink) { piece_.reserve(kPiece + 16); }
  void put(unsigned bytes, std::uint64_t value) {
    append_be(piece_, bytes, value);
    if (piece_.size() >= kPiece) flush();
  }
  Result<void> finish() {
    flush();
    return done_;
  }

 private:
  static constexpr std::size_t kPiece = 1 << 16;
  void flush() {
    if (done_ && !piece_.empty()) done_ = sink_(piece_);
    piece_.clear();
  }
  const Sink &sink_;
  ByteVector piece_;
  Result<void> done_;
};

// Calls `use(count, value)` for each run of equal numbers that `next` gives.
template <class Next, class Use> void for_each_run(std::uint64_t count, Next next, Use use) {
  std::uint32_t length = 0;
  std::int64_t value = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t one = next(i);
    if (length > 0 && one == value) {
      ++length;
      continue;
    }
    if (length > 0) use(length, value);
    value = one;
    length = 1;
  }
  if (length > 0) use(length, value);
}

// stts and ctts are one shape: version and flags, a count, and pairs of a run's length and its value. `walk`
// is gone through twice, once to count.
template <class Walk> Node run_table(FourCC type, std::uint8_t version, Walk walk) {
  std::uint64_t runs = 0;
  walk([&runs](std::uint32_t, std::int64_t) { ++runs; });
  return Node(Generated(type, 8 + 8 * runs, [walk, version, runs](const Sink &sink) {
    PieceWriter out(sink);
    out.put(4, std::uint32_t{version} << 24);
    out.put(4, runs);
    walk([&out](std::uint32_t length, std::int64_t value) {
      out.put(4, length);
      out.put(4, static_cast<std::uint32_t>(value));
    });
    return out.finish();
  }));
}

} // namespace

void SampleTable::write_times(Node &stbl, std::int64_t shift_composition) const {
  stbl.add(run_table("stts", 0, [this](auto use) {
    PackedNumbers::Cursor durations(durations_);
    for_each_run(
        count_,
        [&](std::uint64_t i) { return i + 1 < count_ ? durations.next() : std::int64_t{last_duration_}; },
        use);
  }));
  if (!any_composition_ && shift_composition == 0) return;
  const std::uint8_t version = least_composition_ + shift_composition < 0;
  stbl.add(run_table("ctts", version, [this, shift_composition](auto use) {
    PackedNumbers::Cursor offsets(compositions_);
    for_each_run(
        count_, [&](std::uint64_t) { return offsets.next() + shift_composition; }, use);
  }));
}

// The order is that of 14496-12's table: stsc, stsz, then the chunks' offsets.
void SampleTable::write_places(Node &stbl, std::int64_t shift, bool wide, bool of_frames) const {
  auto &stsc = stbl.add<SampleToChunk>();
  stbl.add(Node(Generated("stsz", 12 + 4 * count_, [this](const Sink &sink) {
    PieceWriter out(sink);
    out.put(8, 0); // version, flags; no common size
    out.put(4, count_);
    PackedNumbers::Cursor sizes(sizes_);
    for (std::uint64_t i = 0; i < count_; ++i)
      out.put(4, static_cast<std::uint32_t>(sizes.next()));
    return out.finish();
  })));
  ChunkOffset *stco = wide ? nullptr : &stbl.add<ChunkOffset>();
  ChunkLargeOffset *co64 = wide ? &stbl.add<ChunkLargeOffset>() : nullptr;
  PackedNumbers::Cursor sizes(sizes_), gaps(chunk_gaps_), samples(chunk_samples_), kinds(chunk_descriptions_);
  std::int64_t end = 0;
  for (std::uint64_t chunk = 0; chunk < chunks_; ++chunk) {
    const std::int64_t offset = end + gaps.next();
    const auto held = static_cast<std::uint32_t>(samples.next());
    const auto kind = static_cast<std::uint32_t>(kinds.next());
    end = offset;
    for (std::uint32_t i = 0; i < held; ++i)
      end += static_cast<std::uint32_t>(sizes.next());
    const auto named = of_frames ? static_cast<std::uint32_t>((end - offset) / frame_bytes_) : held;
    if (stsc.entries.empty() || stsc.entries.back().samples_per_chunk != named ||
        stsc.entries.back().sample_description_index != kind)
      stsc.entries.push_back({static_cast<std::uint32_t>(chunk + 1), named, kind});
    if (stco) stco->chunk_offsets.push_back(static_cast<std::uint32_t>(offset + shift));
    if (co64) co64->chunk_offsets.push_back(static_cast<std::uint64_t>(offset + shift));
  }
}

// How many frames of one tick the samples are; 0 where they are no such frames, or more than a table holds.
std::uint64_t SampleTable::frames() const {
  if (frame_bytes_ == 0) return 0;
  PackedNumbers::Cursor sizes(sizes_), durations(durations_);
  std::uint64_t frames = 0, on_time = 0;
  for (std::uint64_t i = 0; i < count_; ++i) {
    const auto size = static_cast<std::uint64_t>(sizes.next());
    const auto duration = static_cast<std::uint64_t>(i + 1 < count_ ? durations.next() : last_duration_);
    const std::uint64_t held = size / frame_bytes_;
    if (size % frame_bytes_ != 0 || held == 0 || duration < held) return 0;
    on_time += duration == held;
    frames += held;
  }
  const bool ticks_are_frames = 2 * on_time >= count_; // other ones follow a gap
  return ticks_are_frames && frames <= 0xffffffffu ? frames : 0;
}

// A gap lengthens the last frame of the sample before it.
void SampleTable::write_frames(Node &stbl, std::int64_t shift, bool wide) const {
  const std::uint64_t total = frames();
  TimeToSample stts;
  const auto add_run = [&stts](std::uint64_t count, std::uint64_t delta) {
    if (count == 0) return;
    if (stts.entries.empty() || stts.entries.back().sample_delta != delta)
      stts.entries.push_back({0, static_cast<std::uint32_t>(delta)});
    stts.entries.back().sample_count += static_cast<std::uint32_t>(count);
  };
  PackedNumbers::Cursor sizes(sizes_), durations(durations_);
  for (std::uint64_t i = 0; i < count_; ++i) {
    const std::uint64_t held = static_cast<std::uint64_t>(sizes.next()) / frame_bytes_;
    const auto duration = static_cast<std::uint64_t>(i + 1 < count_ ? durations.next() : last_duration_);
    add_run(held - 1, 1);
    add_run(1, duration - (held - 1));
  }
  stbl.add(std::move(stts));
  write_places(stbl, shift, wide, true);
  for (Node &node : stbl.children)
    if (node.type() == SampleSize::kType) {
      SampleSize stsz;
      stsz.sample_size = frame_bytes_;
      stsz.sample_count = static_cast<std::uint32_t>(total);
      node = Node(std::move(stsz));
    }
}

void SampleTable::write(Node &stbl, std::int64_t shift, std::int64_t shift_composition, bool wide) const {
  if (frames() > 0) return write_frames(stbl, shift, wide);
  write_times(stbl, shift_composition);
  if (syncs_ < count_) {
    auto &stss = stbl.add<SyncSample>();
    stss.sample_numbers.reserve(syncs_);
    PackedNumbers::Cursor distances(sync_distances_);
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < syncs_; ++i)
      stss.sample_numbers.push_back(
          static_cast<std::uint32_t>((at += static_cast<std::uint64_t>(distances.next())) + 1));
  }
  write_places(stbl, shift, wide);
}

} // namespace hull::isobmff
