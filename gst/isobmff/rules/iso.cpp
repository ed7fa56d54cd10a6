#include "gst/isobmff/rules/iso.h"

#include "gst/isobmff/boxes/file.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff::iso {
namespace {

using enum Level;
using enum Certainty;

constexpr Rule kRules[] = {
    {"ISO-01", must, secondary,
     "ftyp stands first (QuickTime may have none), there is one moov, the file ends with a box"},
    {"ISO-02", must, primary, "every box of a known kind can be read"},
    {"ISO-03", must, secondary, "moov, trak, mdia, minf and stbl have the boxes they need"},
    {"ISO-04", must, secondary, "track IDs are not 0 and not the same; next_track_ID is above them"},
    {"ISO-05", must, secondary, "no timescale is 0"},
    {"ISO-06", must, secondary, "stsd describes something, and a codec has its configuration"},
    {"ISO-07", must, secondary, "stsc begins with chunk 1 and rises to a chunk there is"},
    {"ISO-08", must, secondary, "sample description indices of stsc, trex and tfhd are in stsd"},
    {"ISO-09", must, secondary, "stts, ctts, stsc and stsz count the same samples"},
    {"ISO-10", must, secondary, "sync samples rise and are samples of the track"},
    {"ISO-11", must, secondary, "chunks lie in mdat"},
    {"ISO-12", should, unverified, "chunks do not begin inside each other"},
    {"ISO-13", should, secondary, "durations of mvhd, tkhd, mdhd and the samples agree"},
    {"ISO-14", must, secondary, "edits lie in the media, at rate 1 (QuickTime: any)"},
    {"ISO-15", should, secondary, "track references name tracks of the file"},
    {"ISO-16", must, secondary, "a track's handler, media header and sample entries are of one kind"},
    {"ISO-17", must, secondary,
     "sample groups and tables of single samples have as many samples as the track"},
    {"ISO-18", must, secondary,
     "fragments are of tracks with a trex, go on in time and have their samples in mdat"},
    {"ISO-19", should, secondary, "sound descriptions of QuickTime stand only in QuickTime's files"},
    {"ISO-20", must, secondary, "items, their places, properties and references are there"},
};

bool is_media(FourCC type) {
  return type == FourCC("mdat") || type == FourCC("imda");
}

class FileCheck {
 public:
  FileCheck(std::uint64_t size, std::size_t most) : most_(most) { media_.file_size = size; }
  void box(Node node);
  Result<Findings> finish(std::uint64_t end);

 private:
  void header_box(Node node);
  void keep(Findings found);
  void check_movie();

  std::size_t most_;
  Findings found_;
  Node ftyp_, moov_;
  bool has_ftyp_ = false, has_moov_ = false, has_moof_ = false, has_meta_ = false;
  int before_ftyp_ = 0; ///< 0: nothing, 1: small boxes, 2: what cannot be read without it
  Node meta_;
  Media media_;
  Movie movie_;
  FragmentCheck fragments_{nullptr};
};

void FileCheck::keep(Findings found) {
  for (Finding &finding : found)
    if (found_.size() < most_) found_.push_back(std::move(finding));
}

void FileCheck::header_box(Node node) {
  Findings found;
  if (node.type() == FileType::kType) {
    if (before_ftyp_ > 0)
      report_as(found, "ISO-01", before_ftyp_ > 1 ? Level::must : Level::should, &node,
                "ftyp is not the first box");
    has_ftyp_ = true;
    ftyp_ = std::move(node);
  } else if (has_moov_) {
    report(found, "ISO-01", &node, "there is a second moov");
  } else {
    has_moov_ = true;
    moov_ = std::move(node);
    movie_ = movie_of(has_ftyp_ ? &ftyp_ : nullptr, moov_);
    fragments_ = FragmentCheck(&movie_);
  }
  keep(std::move(found));
}

void FileCheck::box(Node node) {
  const FourCC type = node.type();
  Findings found;
  iso_02(node, found);
  if (type == FileType::kType || type == FourCC("moov")) {
    header_box(std::move(node));
  } else if (type == FourCC("moof")) {
    has_moof_ = true;
    fragments_.moof(node, found);
  } else if (is_media(type)) {
    media_.places.push_back({node.offset + node.header_size, node.size - node.header_size});
    fragments_.media(media_.places.back());
  } else if (type == FourCC("meta") && !has_meta_) {
    has_meta_ = true;
    meta_ = std::move(node);
  }
  if (!has_ftyp_ && type != FourCC("jP  ")) // JPEG 2000's signature
    before_ftyp_ =
        std::max(before_ftyp_, is_media(type) || type == FourCC("moov") || type == FourCC("moof") ? 2 : 1);
  keep(std::move(found));
}

void FileCheck::check_movie() {
  Findings found;
  for (const auto check : {iso_03, iso_04, iso_05, iso_06, iso_07, iso_08, iso_09, iso_10})
    check(movie_, found);
  iso_11(movie_, media_, found);
  for (const auto check : {iso_12, iso_13, iso_14, iso_15, iso_16, iso_17, iso_19})
    check(movie_, found);
  for (const Node &child : moov_.children) {
    if (child.type() == FourCC("meta")) iso_20(child, media_, found);
    if (const Node *meta = child.child("meta")) iso_20(*meta, media_, found);
  }
  keep(std::move(found));
}

Result<Findings> FileCheck::finish(std::uint64_t end) {
  if (!has_moov_ && !has_moof_ && !has_meta_)
    return fail(ErrorCode::unsupported, "there is no moov, moof or meta, so there is nothing to be checked");
  if (has_moov_) check_movie();
  Findings found;
  fragments_.finish(media_, found);
  if (has_meta_) iso_20(meta_, media_, found);
  constexpr std::uint64_t kSmallestBox = 8;
  if (const std::uint64_t left = media_.file_size - end; left >= kSmallestBox)
    report(found, "ISO-01", nullptr, "the file ends inside a box; 'atoms recover' repairs recordings");
  else if (left > 0)
    report_as(found, "ISO-01", Level::should, nullptr, fmt::format("{} bytes at the end are no box", left));
  keep(std::move(found));
  return std::move(found_);
}

} // namespace

std::span<const Rule> rules() {
  return kRules;
}

const Rule &rule(std::string_view id) {
  return find_rule(kRules, id);
}

void report_as(Findings &out, const char *id, Level level, const Node *where, std::string text) {
  constexpr std::size_t kMost = 1000; // a hostile table must not become a list of its own length
  if (out.size() >= kMost) return;
  out.push_back({rule(id).id, level, std::move(text), where ? where->offset : 0});
}

void report(Findings &out, const char *id, const Node *where, std::string text) {
  report_as(out, id, rule(id).level, where, std::move(text));
}

void iso_02(const Node &box, Findings &out) {
  if (!box.problem.empty())
    report(out, "ISO-02", &box, fmt::format("{} cannot be read: {}", shown(box.type()), box.problem));
  for (const Node &child : box.children)
    iso_02(child, out);
}

Result<Findings> check_file(Source &source, std::size_t most) {
  FileCheck check(source.size(), most);
  const auto end = for_each_box(source, [&](Node &node) {
    check.box(std::move(node));
    return true;
  });
  if (!end) return tl::unexpected(end.error());
  return check.finish(*end);
}

} // namespace hull::isobmff::iso
