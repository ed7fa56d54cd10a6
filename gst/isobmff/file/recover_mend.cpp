// Boxes of a movie box that is damaged: what stands around one tells where it ends.

#include "gst/isobmff/file/recover_movie.h"

#include <algorithm>
#include <bit>

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
      {"mdia", {"mdhd", "hdlr", "minf", "elng", "udta", "uuid", "free", "skip"}},
      {"minf",
       {"vmhd", "smhd", "hmhd", "nmhd", "sthd", "gmhd", "hdlr", "dinf", "stbl", "free", "skip", "uuid"}},
      {"dinf", {"dref"}},
      {"edts", {"elst"}},
      {"mvex", {"mehd", "trex", "trep", "leva"}},
      {"stbl",
       {"stsd", "stts", "ctts", "cslg", "stsc", "stsz", "stz2", "stco", "co64", "stss", "stsh", "stps",
        "sdtp", "sbgp", "sgpd", "subs", "saiz", "saio", "padb", "stdp", "senc", "free", "skip", "uuid"}}};
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
  static constexpr int kFewBits = 2;
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

  // Mends the box at `at` and everything in it; returned is its size.
  std::size_t child(std::size_t at, std::size_t end, const Family &family,
                    const std::vector<FourCC> &present) {
    const bool leads = fits(at, end) && good_end(at + number(at), end, family);
    if (leads && !known(family, name(at))) restore_name(at, family, present);
    if (!leads) {
      const std::size_t stop = end_of_children(at, end);
      if (stop > at + 8 && good_end(stop, end, family))
        set(at, stop - at);
      else
        resize(at, end, family, present);
    }
    if (!fits(at, end)) return 0;
    const std::size_t size = number(at);
    children(at + 8, at + size, name(at));
    clamp_count(at, size);
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
    constexpr FourCC kNeeded[] = {"mvhd", "tkhd", "mdia", "mdhd", "hdlr", "minf", "dinf",
                                  "stbl", "stsd", "stts", "stsc", "stsz", "stco"};
    return std::ranges::find(kNeeded, type) != std::end(kNeeded);
  }
  static bool resembles(const Family &family, FourCC type) {
    return std::ranges::any_of(family.children, [type](FourCC child) {
      return std::popcount(child.value ^ type.value) <= kFewBits;
    });
  }
  // A name a bit or two away from one of its family that is missing (or may come often) was that one, if no
  // other is as near.
  bool restore_name(std::size_t at, const Family &family, const std::vector<FourCC> &present) {
    FourCC nearest;
    bool alone = false;
    int least = kFewBits + 1;
    for (const FourCC candidate : family.children) {
      const bool possible = candidate == FourCC("trak") || candidate == FourCC("trex") ||
                            std::ranges::find(present, candidate) == present.end();
      const int distance = std::popcount(candidate.value ^ name(at).value);
      if (!possible || distance > least) continue;
      const bool better = distance < least || needed(candidate);
      alone = better || (alone && needed(nearest));
      if (better) nearest = candidate;
      least = distance;
    }
    if (!alone || least > kFewBits) return false;
    set(at + 4, nearest.value);
    return true;
  }
  void clamp_count(std::size_t at, std::size_t size) {
    const auto *table = std::ranges::find(kCounted, name(at), &CountedTable::type);
    if (table == std::end(kCounted)) return;
    const std::size_t count_at = at + 8 + table->count_at, first = count_at + 4;
    if (first > at + size) return;
    if (table->type == FourCC("stsz") && number(count_at - 4) != 0) return; // all of one size
    const std::uint64_t room = (at + size - first) / table->entry;
    if (number(count_at) > room) set(count_at, room);
  }

  ByteVector &bytes_;
  unsigned changes_ = 0;
};

} // namespace

unsigned mend_movie(ByteVector &moov) {
  if (moov.size() < 8 || moov.size() > 0xffffffffu) return 0;
  unsigned changes = 0;
  if (load_be(moov.data(), 4) != moov.size() || load_be(moov.data() + 4, 4) != FourCC("moov").value)
    ++changes;
  store_be(moov.data(), 4, moov.size());
  store_be(moov.data() + 4, 4, FourCC("moov").value);
  Mender mender(moov);
  mender.children(8, moov.size(), "moov");
  return changes + mender.changes();
}

} // namespace hull::isobmff
