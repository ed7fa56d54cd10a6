#pragma once

// The top level of a file that may be damaged: where its boxes are, whatever their sizes say.

#include "gst/isobmff/boxes/tree.h"

#include <optional>
#include <vector>

namespace hull::isobmff {

/// A stretch of the file's top level.
struct Piece {
  enum class State {
    whole,      ///< a box that ends where the next one begins
    wrong_size, ///< a box whose size leads nowhere; `size` is the true one
    cut,        ///< a box that goes on past the end of the file; `size` is what is there
    lost,       ///< no box begins here
  };
  FourCC type; ///< 0 of a lost stretch
  std::uint64_t offset = 0, size = 0;
  unsigned header_size = 8;
  State state = State::whole;
  std::uint64_t end() const { return offset + size; }
};

inline bool is(const Piece &piece, FourCC type) {
  return piece.type == type;
}

/// Larger boxes are not read into memory.
constexpr std::uint64_t kLargestBox = 1ull << 30;

struct Survey {
  std::vector<Piece> pieces; ///< they cover the file from end to end
  bool sound = true;         ///< all of them whole
};

/// Walks the top level. Where a size is wrong, or no box begins, the next moof, moov or mfra that can be told
/// from media is searched for.
Result<Survey> survey_file(Source &source);

/// The offset of the next moof, moov or mfra in [from, to): a header whose first child is one that such a box
/// begins with. `to` when there is none.
Result<std::uint64_t> find_anchor(Source &source, std::uint64_t from, std::uint64_t to);

/// Splits an mdat (or a lost stretch) that hides such boxes into pieces; nothing when it hides none.
Result<std::vector<Piece>> hidden_pieces(Source &source, const Piece &piece);

/// A file as if its first bytes were not there.
class TailSource final : public Source {
 public:
  TailSource(Source &source, std::uint64_t skipped) : source_(source), skipped_(skipped) {}
  std::uint64_t size() const override { return source_.size() - skipped_; }
  Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    return source_.read(skipped_ + offset, out);
  }

 private:
  Source &source_;
  std::uint64_t skipped_;
};

} // namespace hull::isobmff
