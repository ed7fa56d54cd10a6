#include "gst/isobmff/file/recover_survey.h"

#include <algorithm>
#include <array>

namespace hull::isobmff {
namespace {

constexpr std::array kTopLevel = {
    FourCC("ftyp"), FourCC("styp"), FourCC("moov"), FourCC("moof"), FourCC("mdat"), FourCC("free"),
    FourCC("skip"), FourCC("wide"), FourCC("uuid"), FourCC("sidx"), FourCC("ssix"), FourCC("prft"),
    FourCC("emsg"), FourCC("mfra"), FourCC("meta"), FourCC("udta"), FourCC("pnot"), FourCC("PICT"),
    FourCC("pdin"), FourCC("meco"), FourCC("imda"), FourCC("jP  "), FourCC("bloc")};
constexpr std::array kMovieChildren = {
    FourCC("mvhd"), FourCC("trak"), FourCC("udta"), FourCC("mvex"), FourCC("iods"), FourCC("meta"),
    FourCC("cmov"), FourCC("pssh"), FourCC("uuid"), FourCC("free"), FourCC("skip"), FourCC("wide"),
    FourCC("ctab"), FourCC("rmra"), FourCC("clip"), FourCC("ainf"), FourCC("prfl")};
constexpr std::array kFragmentChildren = {FourCC("mfhd"), FourCC("traf"), FourCC("pssh"),
                                          FourCC("uuid"), FourCC("meta"), FourCC("free")};

template <std::size_t N> bool among(const std::array<FourCC, N> &types, FourCC type) {
  return std::ranges::find(types, type) != types.end();
}

// Reads ahead in large pieces: headers and the search for boxes go through the same window.
class Window {
 public:
  explicit Window(Source &source) : source_(source) {}
  std::uint64_t size() const { return source_.size(); }
  /// At least `count` bytes from `offset`, or what there is.
  Result<Bytes> at(std::uint64_t offset, std::uint64_t count) {
    if (offset >= size()) return Bytes{};
    count = std::min(count, size() - offset);
    if (offset < start_ || offset + count > start_ + bytes_.size()) {
      bytes_.resize(std::min(std::max(count, wide_ ? kLong : kShort), size() - offset));
      start_ = offset;
      if (auto ok = source_.read(offset, bytes_); !ok) {
        bytes_.clear();
        return tl::unexpected(ok.error());
      }
    }
    return Bytes(bytes_).subspan(offset - start_);
  }
  void read_ahead(bool wide) { wide_ = wide; }

 private:
  static constexpr std::uint64_t kShort = 64, kLong = 1 << 20;
  Source &source_;
  ByteVector bytes_;
  std::uint64_t start_ = 0;
  bool wide_ = false;
};

struct Header {
  FourCC type;
  std::uint64_t size = 0; ///< to the end of the file where it says so
  unsigned length = 8;
  bool fits = false; ///< the size is possible and the box ends inside the file
};

class Surveyor {
 public:
  explicit Surveyor(Source &source) : window_(source) {}

  Result<Survey> walk(std::uint64_t from, std::uint64_t to) {
    Survey survey;
    to_ = to;
    for (std::uint64_t at = from; at < to;) {
      auto piece = next(at);
      if (!piece) return tl::unexpected(piece.error());
      piece->size = std::min(piece->size, to - at);
      survey.sound &= piece->state == Piece::State::whole;
      movie_seen_ |= piece->type == FourCC("moov");
      fragment_seen_ |= piece->type == FourCC("moof");
      at = piece->end();
      if (!survey.pieces.empty() && piece->type == FourCC{} && survey.pieces.back().type == FourCC{})
        survey.pieces.back().size += piece->size;
      else
        survey.pieces.push_back(*piece);
    }
    return survey;
  }

  Result<std::uint64_t> anchor(std::uint64_t from, std::uint64_t to) {
    window_.read_ahead(true);
    constexpr std::uint64_t kLook = 16;
    while (from + kLook <= to) {
      auto bytes = window_.at(from, kLook);
      if (!bytes) return tl::unexpected(bytes.error());
      const std::uint64_t usable = std::min<std::uint64_t>(bytes->size(), to - from);
      for (std::uint64_t i = 0; i + kLook <= usable; ++i)
        if (is_anchor(bytes->data() + i, to - from - i)) {
          window_.read_ahead(false);
          return from + i;
        }
      from += usable - kLook + 1;
    }
    window_.read_ahead(false);
    return to;
  }

 private:
  // A box is told from media by two names and two sizes that fit each other.
  static bool is_anchor(const std::uint8_t *at, std::uint64_t left) {
    if (at[12] != 'm' && at[4] != 'm') return false;
    const FourCC type(static_cast<std::uint32_t>(load_be(at + 4, 4)));
    const std::uint64_t size = load_be(at + 8, 4);
    const FourCC child(static_cast<std::uint32_t>(load_be(at + 12, 4)));
    if (child == FourCC("mfhd") && size == 16) return true; // whatever became of the name in front
    if (child == FourCC("mvhd") && (size == 108 || size == 120)) return true;
    if (type == FourCC("moof")) return among(kFragmentChildren, child) && size >= 8 && size < left;
    if (type == FourCC("moov")) return among(kMovieChildren, child) && size >= 8 && size < left;
    return type == FourCC("mfra") && child == FourCC("tfra") && size >= 24 && size < left;
  }

  Result<Header> header(std::uint64_t at) {
    auto bytes = window_.at(at, 32);
    if (!bytes) return tl::unexpected(bytes.error());
    Header header;
    if (bytes->size() < 8) return header;
    header.type = FourCC(static_cast<std::uint32_t>(load_be(bytes->data() + 4, 4)));
    const std::uint64_t left = window_.size() - at;
    header.size = load_be(bytes->data(), 4);
    if (header.size == 1 && bytes->size() >= 16) {
      header.size = load_be(bytes->data() + 8, 8);
      header.length = 16;
    } else if (header.size == 0) {
      header.size = left;
    }
    header.fits = header.size >= header.length && header.size <= left;
    return header;
  }

  // Whether a box can begin here, or the file ends.
  Result<bool> leads_on(std::uint64_t at) {
    if (at == window_.size()) return true;
    const auto next = header(at);
    if (!next) return tl::unexpected(next.error());
    return among(kTopLevel, next->type) && next->size >= next->length;
  }

  // moov and moof say by their children where they end.
  Result<std::uint64_t> end_of_children(std::uint64_t at, bool movie) {
    std::uint64_t end = at + 8;
    for (;;) {
      const auto child = header(end);
      if (!child) return tl::unexpected(child.error());
      const bool known = movie ? among(kMovieChildren, child->type) : among(kFragmentChildren, child->type);
      if (!known || child->size < 8) return end;
      if (!child->fits) return window_.size();
      end += child->size;
    }
  }

  Result<Piece> next(std::uint64_t at) {
    const auto head = header(at);
    if (!head) return tl::unexpected(head.error());
    if (window_.size() - at < 8) return Piece{FourCC{}, at, window_.size() - at, 0, Piece::State::lost};
    const bool known = among(kTopLevel, head->type);
    const auto start = window_.at(at, 16);
    if (!start) return tl::unexpected(start.error());
    const bool misnamed = !known && start->size() >= 16 && is_anchor(start->data(), window_.size() - at);
    if (!misnamed && head->fits && (known || head->type.printable())) {
      const auto onward = leads_on(at + head->size);
      if (!onward) return tl::unexpected(onward.error());
      const bool swallows = head->size == window_.size() - at && head->type == FourCC("mdat") &&
                            (!movie_seen_ || fragment_seen_);
      if (*onward && !swallows) return Piece{head->type, at, head->size, head->length, Piece::State::whole};
    }
    return damaged(at, *head, known);
  }

  Result<Piece> damaged(std::uint64_t at, const Header &head, bool known) {
    const auto bytes = window_.at(at, 16);
    if (!bytes) return tl::unexpected(bytes.error());
    Piece piece{known ? head.type : FourCC{}, at, 0, known ? head.length : 8, Piece::State::wrong_size};
    // With less than 16 bytes left there is no child that could tell more.
    if (bytes->size() >= 16 && (head.type == FourCC("moov") || head.type == FourCC("moof") ||
                                is_anchor(bytes->data(), window_.size() - at)))
      return nameless(piece);
    const auto after = anchor(at + 1, to_);
    if (!after) return tl::unexpected(after.error());
    // With a movie box of its own in front, an mdat may hold a recording, and something lies behind the file.
    if (head.type == FourCC("mdat") && head.fits && movie_seen_ && !fragment_seen_ && at + head.size < to_) {
      const auto behind = anchor(at + head.size, to_);
      if (!behind) return tl::unexpected(behind.error());
      if (*behind == to_ && *after < at + head.size) {
        piece.size = head.size;
        piece.state = Piece::State::whole;
        return piece;
      }
    }
    piece.size = *after - at;
    if (!known) {
      piece.state = Piece::State::lost;
    } else if (head.fits && head.size == piece.size) {
      piece.state = Piece::State::whole; // to the end of the file, and nothing hides in it
    } else if (*after == window_.size() && head.size > piece.size) {
      piece.state = Piece::State::cut;
    } else if (head.fits && head.size < piece.size && piece.type != FourCC("mdat")) {
      piece.size = head.size; // a small box in front of a lost stretch
      piece.state = Piece::State::whole;
    }
    return piece;
  }

  // moov, moof or mfra with a wrong size or name.
  Result<Piece> nameless(Piece piece) {
    const auto bytes = window_.at(piece.offset, 16);
    if (!bytes) return tl::unexpected(bytes.error());
    const FourCC child(static_cast<std::uint32_t>(load_be(bytes->data() + 12, 4)));
    if (child == FourCC("mfhd")) piece.type = "moof";
    if (child == FourCC("mvhd")) piece.type = "moov";
    const std::uint64_t said = load_be(bytes->data(), 4);
    const bool named = FourCC(static_cast<std::uint32_t>(load_be(bytes->data() + 4, 4))) == piece.type;
    const auto by_size = said >= 16 && said <= window_.size() - piece.offset ? leads_on(piece.offset + said)
                                                                             : Result<bool>(false);
    if (!by_size) return tl::unexpected(by_size.error());
    piece.header_size = 8;
    if (*by_size) {
      piece.size = said; // only the name is wrong
      return piece;
    }
    const auto end = end_of_children(piece.offset, piece.type == FourCC("moov"));
    if (end && named && *end == piece.offset + said) { // whatever follows
      piece.size = said;
      piece.state = Piece::State::whole;
      return piece;
    }
    const auto after = anchor(piece.offset + 16, to_);
    if (!end || !after) return tl::unexpected(end ? after.error() : end.error());
    const auto onward = leads_on(*end);
    if (!onward) return tl::unexpected(onward.error());
    // A child that is broken ends the count early; then the box reaches to the next one, or as far as it
    // says.
    std::uint64_t stop = *onward ? *end : *after;
    if (!*onward && said >= 16 && piece.offset + said < stop) stop = std::max(*end, piece.offset + said);
    stop = std::min(stop, std::max(*after, piece.offset + 16));
    piece.size = stop - piece.offset;
    if (stop == window_.size() && said > piece.size) piece.state = Piece::State::cut;
    return piece;
  }

  Window window_;
  std::uint64_t to_ = 0;
  bool movie_seen_ = false, fragment_seen_ = false;
};

} // namespace

Result<Survey> survey_file(Source &source) {
  return Surveyor(source).walk(0, source.size());
}

Result<std::uint64_t> find_anchor(Source &source, std::uint64_t from, std::uint64_t to) {
  return Surveyor(source).anchor(from, to);
}

Result<std::vector<Piece>> hidden_pieces(Source &source, const Piece &piece) {
  std::vector<Piece> pieces;
  Surveyor surveyor(source);
  const auto first = surveyor.anchor(piece.offset + piece.header_size, piece.end());
  if (!first) return tl::unexpected(first.error());
  if (*first == piece.end()) return pieces;
  auto inside = Surveyor(source).walk(*first, piece.end());
  if (!inside) return tl::unexpected(inside.error());
  return inside->pieces;
}

} // namespace hull::isobmff
