// All CMAF rules on a file, one chunk in memory at a time.

#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/rules/cmaf_support.h"

#include <algorithm>

namespace hull::isobmff::cmaf {
namespace {

class FileCheck {
 public:
  explicit FileCheck(std::size_t most) : most_(most) {}

  void box(Node node);
  Result<Findings> finish(bool whole);

 private:
  void header_box(Node &node);
  void keep(Findings found);
  void close_chunk(const Node *after);
  void note_fragment(const Chunk &chunk);

  std::size_t most_;
  Findings found_;
  Checker checker_;
  Node ftyp_, moov_, moof_, sidx_;
  bool has_ftyp_ = false, has_moov_ = false, has_moof_ = false, has_sidx_ = false, has_mvex_ = false;
  std::vector<Node> before_;
  std::vector<FragmentPlace> fragments_; // only while a sidx of the track file wants them
};

void FileCheck::keep(Findings found) {
  for (Finding &finding : found)
    if (found_.size() < most_) found_.push_back(std::move(finding));
}

void FileCheck::header_box(Node &node) {
  if (node.type() == FileType::kType && !has_ftyp_) {
    has_ftyp_ = true;
    ftyp_ = std::move(node);
    return;
  }
  Findings found;
  if (node.type() == FourCC("udta") || node.type() == FourCC("meta"))
    report(found, "CMF-02", &node, node.type().text() + " may only stand in moov");
  if (node.type() == FourCC("moov")) {
    has_moov_ = true;
    moov_ = std::move(node);
    has_mvex_ = moov_.child("mvex") != nullptr;
    keep(checker_.header(ftyp_.box ? ftyp_ : moov_, moov_));
  } else if (!has_ftyp_) {
    report(found, "CMF-01", &node, "the file does not start with ftyp");
  }
  keep(std::move(found));
}

void FileCheck::note_fragment(const Chunk &chunk) {
  const ChunkSums sums = sums_of(checker_.track(), *chunk.moof);
  const bool starts = fragments_.empty() || SampleFlags::is_sync(sums.first_flags);
  const std::uint64_t end = chunk.mdat_payload + chunk.mdat_size;
  std::uint64_t begin = chunk.moof_offset;
  for (const Node *box : chunk.before)
    if (box->type() != FourCC("sidx")) begin = std::min(begin, box->offset);
  if (starts) fragments_.push_back({0, 0, static_cast<std::uint64_t>(sums.earliest_presentation)});
  fragments_.back().size += end - begin;
  fragments_.back().duration += sums.duration;
}

void FileCheck::close_chunk(const Node *after) {
  Chunk chunk;
  for (const Node &node : before_)
    chunk.before.push_back(&node);
  chunk.moof = has_moof_ ? &moof_ : nullptr;
  chunk.moof_offset = moof_.offset;
  chunk.after = after;
  if (after) {
    chunk.mdat_payload = after->offset + after->header_size;
    chunk.mdat_size = after->size - after->header_size;
  }
  keep(checker_.chunk(chunk));
  if (has_moof_ && after && has_sidx_) note_fragment(chunk);
  before_.clear();
  has_moof_ = false;
}

void FileCheck::box(Node node) {
  if (!node.problem.empty())
    keep({{"CMF-16", Level::must, node.type().text() + ": " + node.problem, node.offset}});
  if (!has_moov_) return header_box(node);
  const FourCC type = node.type();
  if (has_moof_) { // whatever comes now has to be its mdat
    const bool media = type == FourCC("mdat");
    close_chunk(&node);
    if (media) return;
  }
  if (type == FourCC("moof")) {
    moof_ = std::move(node);
    has_moof_ = true;
  } else if (type == FourCC("mdat")) {
    close_chunk(&node);
  } else if (type == FourCC("mfra")) {
    before_.clear();
  } else {
    if (type == SegmentIndex::kType && !has_sidx_ && checker_.progress().chunks == 0) {
      has_sidx_ = true;
      auto copy = std::make_unique<SegmentIndex>();
      if (const auto *index = std::as_const(node).as<SegmentIndex>()) *copy = *index;
      sidx_ = Node(std::move(copy));
      sidx_.offset = node.offset;
    }
    before_.push_back(std::move(node));
  }
}

Result<Findings> FileCheck::finish(bool whole) {
  if (!has_moov_)
    return fail(ErrorCode::unsupported, "there is no moov, so this is no movie that can be checked");
  if (!has_mvex_)
    return fail(ErrorCode::unsupported,
                "the movie is not fragmented (moov has no mvex), so CMAF rules do not apply");
  if (has_moof_) close_chunk(nullptr);
  Findings found;
  if (!whole)
    report(found, "CMF-12", nullptr, "the file ends inside a box; 'atoms recover' repairs recordings");
  // A sidx in front of a single segment is that segment's own and covers the file too.
  if (has_sidx_ && !checker_.progress().has_segments) cmf_23(checker_.track(), sidx_, fragments_, found);
  keep(std::move(found));
  return std::move(found_);
}

} // namespace

Result<Findings> check_file(Source &source, std::size_t most) {
  FileCheck check(most);
  const auto end = for_each_box(source, [&](Node &node) {
    check.box(std::move(node));
    return true;
  });
  if (!end) return tl::unexpected(end.error());
  return check.finish(*end == source.size());
}

} // namespace hull::isobmff::cmaf
