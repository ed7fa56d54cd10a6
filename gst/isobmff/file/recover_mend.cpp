// Boxes of a moov or moof that is damaged: what stands around one tells where it ends.

#include "gst/isobmff/file/recover_movie.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace hull::isobmff {
namespace {

struct Family {
  FourCC parent;
  std::vector<FourCC> children;
};

const std::vector<Family> &families() {
  static const std::vector<Family> kFamilies = {
      {"moov",
       {"mvhd", "trak", "udta", "mvex", "iods", "meta", "pssh", "uuid", "free", "skip", "wide", "cmov",
        "ctab"}},
      {"trak",
       {"tkhd", "edts", "mdia", "tref", "udta", "meta", "tapt", "load", "uuid", "free", "skip", "wide",
        "trgr"}},
      {"mdia", {"mdhd", "hdlr", "minf", "elng", "udta", "meta", "uuid", "free", "skip"}},
      {"minf",
       {"vmhd", "smhd", "hmhd", "nmhd", "sthd", "gmhd", "hdlr", "dinf", "stbl", "free", "skip", "uuid"}},
      {"dinf", {"dref"}},
      {"edts", {"elst"}},
      {"mvex", {"mehd", "trex", "trep", "leva"}},
      {"stbl", {"stsd", "stts", "ctts", "cslg", "stsc", "stsz", "stz2", "stco", "co64",
                "stss", "stsh", "stps", "sdtp", "sbgp", "csgp", "sgpd", "subs", "saiz",
                "saio", "padb", "stdp", "senc", "free", "skip", "uuid"}},
      {"moof", {"mfhd", "traf", "pssh", "meta", "uuid", "free", "skip"}},
      {"traf",
       {"tfhd", "tfdt", "trun", "sdtp", "sbgp", "csgp", "sgpd", "subs", "saiz", "saio", "senc", "meta",
        "udta", "uuid", "free", "skip"}}};
  return kFamilies;
}

const Family *family_of(FourCC parent) {
  const auto found = std::ranges::find(families(), parent, &Family::parent);
  return found == families().end() ? nullptr : &*found;
}

// Bytes of an entry, and where the count stands, of the tables whose size follows from it.
struct CountedTable {
  FourCC type;
  unsigned entry;
  unsigned count_at;
};
constexpr CountedTable kCounted[] = {{"stts", 8, 4}, {"ctts", 8, 4}, {"stsc", 12, 4}, {"stsz", 4, 8},
                                     {"stco", 4, 4}, {"co64", 8, 4}, {"stss", 4, 4}};
// Boxes without anything of variable length: in version 0, and in version 1 where that is another size.
struct FixedBox {
  FourCC type;
  std::size_t short_size, long_size;
};
constexpr FixedBox kFixed[] = {{"mvhd", 108, 120}, {"tkhd", 92, 104}, {"mdhd", 32, 44}, {"mehd", 16, 20},
                               {"tfdt", 16, 20},   {"mfhd", 16, 0},   {"trex", 32, 0},  {"vmhd", 20, 0},
                               {"smhd", 16, 0},    {"nmhd", 12, 0},   {"sthd", 12, 0}};

constexpr FourCC kRepeated[] = {FourCC("trak"), FourCC("trex"), FourCC("traf"), FourCC("trun")};
constexpr FourCC kCountedParents[] = {FourCC("dref"), FourCC("stsd")}; // a count, then that many boxes

// How far two names are apart: a few bits, or one byte of four, or more than damage does to a name.
constexpr int kFewBits = 2, kOneByte = kFewBits + 1, kFar = kOneByte + 1;
int distance(FourCC one, FourCC other) {
  const std::uint32_t changed = one.value ^ other.value;
  if (const int bits = std::popcount(changed); bits <= kFewBits) return bits;
  for (int byte = 0; byte < 4; ++byte)
    if ((changed & ~(0xffu << 8 * byte)) == 0) return kOneByte;
  return kFar;
}

class Mender {
 public:
  explicit Mender(ByteVector &bytes) : bytes_(bytes) {}
  unsigned changes() const { return changes_; }

  void children(std::size_t begin, std::size_t end, FourCC parent) {
    const Family *family = family_of(parent);
    if (!family) return;
    const std::vector<FourCC> present = names(begin, end);
    while (end - begin >= 8) {
      const std::size_t size = child(begin, end, *family, present);
      if (size < 8) return;
      begin += size;
    }
  }

 private:
  std::uint64_t number(std::size_t at) const { return load_be(bytes_.data() + at, 4); }
  FourCC name(std::size_t at) const { return FourCC(static_cast<std::uint32_t>(number(at + 4))); }
  void set(std::size_t at, std::uint64_t value) {
    if (number(at) == value) return;
    store_be(bytes_.data() + at, 4, value);
    ++changes_;
  }
  static bool known(const Family &family, FourCC type) {
    return std::ranges::find(family.children, type) != family.children.end();
  }
  bool fits(std::size_t at, std::size_t end) const {
    return end - at >= 8 && number(at) >= 8 && number(at) <= end - at;
  }
  std::vector<FourCC> names(std::size_t at, std::size_t end) const {
    std::vector<FourCC> found;
    for (; fits(at, end); at += number(at))
      found.push_back(name(at));
    return found;
  }
  // Sibling after sibling leads to the parent's end.
  bool chain(std::size_t at, std::size_t end, const Family &family) const {
    while (end - at >= 8) {
      if (!fits(at, end) || !known(family, name(at))) return false;
      at += number(at);
    }
    return end - at < 8;
  }
  // Where a sibling begins from which the chain goes on; failing that, one that fits.
  std::size_t next_sibling(std::size_t from, std::size_t end, const Family &family) const {
    std::size_t fallback = end;
    for (std::size_t at = from; at + 8 <= end; ++at) {
      if (!known(family, name(at)) || !fits(at, end)) continue;
      if (chain(at, end, family)) return at;
      if (fallback == end) fallback = at;
    }
    return fallback;
  }

  // A box may end where its parent does or another begins; QuickTime ends some parents with a zero.
  bool good_end(std::size_t at, std::size_t end, const Family &family) const {
    if (at > end) return false;
    if (end - at < 8)
      return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                         bytes_.begin() + static_cast<std::ptrdiff_t>(end),
                         [](std::uint8_t byte) { return byte == 0; });
    return known(family, name(at)) ||
           (fits(at, end) && (name(at).printable() || resembles(family, name(at))));
  }
  // Where the children of a container lead to, inside its parent.
  std::size_t end_of_children(std::size_t at, std::size_t end) const {
    const Family *inner = family_of(name(at));
    std::size_t next = at + 8;
    while (inner && fits(next, end) && known(*inner, name(next)))
      next += number(next);
    return next;
  }

  // What is in the box says that it has the size it says, whatever became of the next one.
  bool full(std::size_t at, std::size_t end) const {
    if (!fits(at, end)) return false;
    const std::size_t size = number(at);
    if (family_of(name(at))) return size > 8 && end_of_children(at, end) == at + size;
    if (counts_children(name(at))) return boxes_within(at, size).has_value();
    const auto *table = std::ranges::find(kCounted, name(at), &CountedTable::type);
    if (table == std::end(kCounted) || size < 12 + table->count_at) return false;
    const std::size_t count_at = at + 8 + table->count_at;
    const bool counts = table->type != FourCC("stsz") || number(count_at - 4) == 0;
    return size == 12 + table->count_at + (counts ? number(count_at) * table->entry : 0);
  }

  // Where what is in the box ends: its children, or its fields where they have one size.
  std::size_t true_end(std::size_t at, std::size_t end) const {
    if (family_of(name(at))) return end_of_children(at, end);
    const auto *fixed = std::ranges::find(kFixed, name(at), &FixedBox::type);
    if (fixed == std::end(kFixed) || end - at < 12) return at;
    return at + (bytes_[at + 8] == 1 && fixed->long_size > 0 ? fixed->long_size : fixed->short_size);
  }
  // Behind that stands what can only be its parent's.
  bool swallows_sibling(std::size_t at, std::size_t end, const Family &family) const {
    const std::size_t stop = true_end(at, end);
    return stop > at + 8 && stop < at + number(at) && end - stop >= 8 && known(family, name(stop)) &&
           fits(stop, end);
  }

  // Mends the box at `at` and everything in it; returned is its size.
  std::size_t child(std::size_t at, std::size_t end, const Family &family,
                    const std::vector<FourCC> &present) {
    const bool leads = fits(at, end) && !swallows_sibling(at, end, family) &&
                       (good_end(at + number(at), end, family) || full(at, end));
    if (leads && !known(family, name(at))) restore_name(at, family, present);
    if (!leads) {
      const std::size_t stop = true_end(at, end);
      if (stop > at + 8 && good_end(stop, end, family))
        set(at, stop - at);
      else
        resize(at, end, family, present);
    }
    if (!fits(at, end)) return 0;
    const std::size_t size = number(at);
    // A container where none belongs stays as it is: so the families bound how deep this goes, whatever a file nests.
    if (known(family, name(at))) children(at + 8, at + size, name(at));
    clamp_count(at, size);
    set_version(at, size);
    if (name(at) == FourCC("dref")) mend_references(at, size);
    if (name(at) == FourCC("stsd")) mend_entry(at, size);
    count_children(at, size);
    return size;
  }
  void resize(std::size_t at, std::size_t end, const Family &family, const std::vector<FourCC> &present) {
    const std::size_t next = next_sibling(at + 8, end, family);
    set(at, next - at);
    if (known(family, name(at)) || restore_name(at, family, present)) return;
    set(at + 4, FourCC("free").value);
  }
  // No track is without these.
  static bool needed(FourCC type) {
    constexpr FourCC kNeeded[] = {"mvhd", "tkhd", "mdia", "mdhd", "hdlr", "minf", "dinf", "stbl",
                                  "stsd", "stts", "stsc", "stsz", "stco", "mfhd", "tfhd", "trun"};
    return std::ranges::find(kNeeded, type) != std::end(kNeeded);
  }
  static bool resembles(const Family &family, FourCC type) {
    return std::ranges::any_of(family.children,
                               [type](FourCC child) { return distance(child, type) < kFar; });
  }
  // A name near one of its family that is missing (or may come often) was that one, if no other is as near.
  bool restore_name(std::size_t at, const Family &family, const std::vector<FourCC> &present) {
    FourCC nearest;
    bool alone = false;
    std::pair least(true, kFar); // not needed, distance
    for (const FourCC candidate : family.children) {
      const bool possible = std::ranges::find(kRepeated, candidate) != std::end(kRepeated) ||
                            std::ranges::find(present, candidate) == present.end();
      const std::pair apart(!needed(candidate), distance(candidate, name(at)));
      if (!possible || apart.second == kFar || apart > least) continue;
      alone = apart < least;
      nearest = candidate;
      least = apart;
    }
    if (!alone || (nearest == FourCC("trun") && !likely_run(at))) return false;
    set(at + 4, nearest.value);
    return true;
  }
  // Flags that a track run may have, and the size that follows from them and the count.
  bool likely_run(std::size_t at) const {
    if (number(at) < 16 || bytes_.size() - at < 16) return false;
    const std::uint64_t flags = number(at + 8) & 0xffffffu;
    const auto entry = 4 * static_cast<std::uint64_t>(std::popcount(flags & 0xf00));
    return (flags & ~std::uint64_t{0xf05}) == 0 &&
           (entry > 0 || number(at) == 16u + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0));
  }
  // A run of more samples than its box has room for.
  void clamp_run(std::size_t at, std::size_t size) {
    if (size < 16) return;
    const std::uint64_t flags = number(at + 8) & 0xffffffu;
    const std::uint64_t fixed = 16 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
    const auto entry = 4 * static_cast<std::uint64_t>(std::popcount(flags & 0xf00));
    if (entry == 0 || size < fixed) return;
    if (const std::uint64_t room = (size - fixed) / entry; number(at + 12) > room) set(at + 12, room);
  }
  void clamp_count(std::size_t at, std::size_t size) {
    if (name(at) == FourCC("trun")) return clamp_run(at, size);
    const auto *table = std::ranges::find(kCounted, name(at), &CountedTable::type);
    if (table == std::end(kCounted)) return;
    const std::size_t count_at = at + 8 + table->count_at, first = count_at + 4;
    if (first > at + size) return;
    if (table->type == FourCC("stsz") && number(count_at - 4) != 0) return; // all of one size
    const std::uint64_t room = (at + size - first) / table->entry;
    if (number(count_at) > room) set(count_at, room);
    if (table->type != FourCC("stsz")) return;
    for (std::size_t i = 0; i < number(count_at); ++i)
      set(first + 4 * i, possible_size(static_cast<std::uint32_t>(number(first + 4 * i))));
  }
  static bool counts_children(FourCC type) {
    return std::ranges::find(kCountedParents, type) != std::end(kCountedParents);
  }
  // How many boxes fill the box at `at` behind their count; nullopt when they do not.
  std::optional<std::size_t> boxes_within(std::size_t at, std::size_t size) const {
    std::size_t next = at + 16, count = 0;
    for (; next < at + size && fits(next, at + size); next += number(next))
      ++count;
    return next == at + size && count > 0 ? std::optional(count) : std::nullopt;
  }
  // Headers have one size for each version.
  void set_version(std::size_t at, std::size_t size) {
    const auto *header = std::ranges::find(kFixed, name(at), &FixedBox::type);
    if (header == std::end(kFixed) || header->long_size == 0) return;
    if (size != header->short_size && size != header->long_size) return;
    const std::uint64_t version = size == header->long_size;
    set(at + 8, version << 24 | (number(at + 8) & 0xffffffu));
  }
  // Data references that do not fill their box: the media are in the file.
  void mend_references(std::size_t at, std::size_t size) {
    constexpr std::size_t kFirst = 16, kUrl = 12;
    if (size < kFirst + kUrl || boxes_within(at, size)) return;
    set(at + kFirst, size - kFirst);
    set(at + kFirst + 4, FourCC("url ").value);
    set(at + kFirst + 8, 1); // self-contained
  }
  // A single sample entry fills its box.
  void mend_entry(std::size_t at, std::size_t size) {
    constexpr std::size_t kFirst = 16, kSmallest = 16;
    if (size >= kFirst + kSmallest && number(at + 12) == 1 && !fits(at + kFirst, at + size))
      set(at + kFirst, size - kFirst);
  }
  // Readers refuse a file whose counts of data references or sample entries are wrong.
  void count_children(std::size_t at, std::size_t size) {
    if (!counts_children(name(at))) return;
    if (const auto count = boxes_within(at, size)) set(at + 12, *count);
  }

  ByteVector &bytes_;
  unsigned changes_ = 0;
};

unsigned mend(ByteVector &box, FourCC type) {
  if (box.size() < 8 || box.size() > 0xffffffffu) return 0;
  unsigned changes = 0;
  if (load_be(box.data(), 4) != box.size() || load_be(box.data() + 4, 4) != type.value) ++changes;
  store_be(box.data(), 4, box.size());
  store_be(box.data() + 4, 4, type.value);
  Mender mender(box);
  mender.children(8, box.size(), type);
  return changes + mender.changes();
}

} // namespace

bool may_have_been(FourCC damaged, FourCC name) {
  return distance(damaged, name) < kFar;
}

unsigned mend_movie(ByteVector &moov) {
  return mend(moov, "moov");
}

unsigned mend_fragment(ByteVector &moof) {
  return mend(moof, "moof");
}

} // namespace hull::isobmff
