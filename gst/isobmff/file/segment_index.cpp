// sidx behind the header of a track file.

#include "gst/core/file.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/layout_front.h"

#include <algorithm>
#include <cstdio>

namespace hull::isobmff {
namespace {

Result<ByteVector> segment_index(const FragmentScan &scan, std::uint64_t first_offset) {
  SegmentIndex sidx;
  const Node *trak = scan.moov->child("trak");
  const auto *tkhd = trak ? trak->get<TrackHeader>() : nullptr;
  const auto *mdhd = trak ? find_box<MediaHeader>(*trak, "mdia/mdhd") : nullptr;
  if (!tkhd || !mdhd) return fail(ErrorCode::bad_data, "The movie box has no usable track.");
  sidx.reference_id = tkhd->track_id;
  sidx.timescale = mdhd->timescale;
  sidx.earliest_presentation_time =
      static_cast<std::uint64_t>(std::max<std::int64_t>(scan.fragments.front().earliest_presentation, 0));
  sidx.first_offset = first_offset;
  for (std::size_t i = 0; i < scan.fragments.size(); ++i) {
    const ScannedFragment &fragment = scan.fragments[i];
    const std::int64_t end =
        i + 1 < scan.fragments.size() ? scan.fragments[i + 1].earliest_presentation : fragment.end;
    SegmentIndex::Reference reference;
    reference.referenced_size = static_cast<std::uint32_t>(fragment.size);
    reference.subsegment_duration = static_cast<std::uint32_t>(end - fragment.earliest_presentation);
    sidx.references.push_back(reference);
  }
  return write_box(sidx);
}

} // namespace

Result<Relocation> add_segment_index(const std::string &path, std::uint64_t copy_limit) {
  auto scan = scan_file(path, false, true);
  if (!scan) return tl::unexpected(scan.error());
  if (!scan->moov || scan->fragments.empty() || scan->has_index || scan->tracks.size() != 1)
    return Relocation{};
  if (scan->fragments.size() > 0xffff)
    return fail(ErrorCode::unsupported,
                "A sidx holds at most 65535 fragments: set fragment-duration to more.");
  auto file = OutputFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (scan->size > copy_limit) {
    auto source = FileSource::open(path);
    if (!source) return tl::unexpected(source.error());
    ByteVector head(scan->moov_end);
    if (auto ok = source->read(0, head); !ok) return tl::unexpected(ok.error());
    Result<ByteVector> sidx;
    Front front;
    front.prepare = [&](std::uint64_t shift) -> Result<std::uint64_t> {
      sidx = segment_index(*scan, 0);
      if (!sidx) return tl::unexpected(sidx.error());
      const std::uint64_t size = head.size() + sidx->size();
      sidx = segment_index(*scan, shift - size + scan->first_media);
      if (!sidx) return tl::unexpected(sidx.error());
      return size;
    };
    front.write = [&](const Sink &sink) -> Result<void> {
      if (auto ok = sink(head); !ok) return ok;
      return sink(*sidx);
    };
    front.fill = [&](std::uint64_t left) {
      ByteVector filler;
      append_box_header(filler, "free", left - kHeader + scan->first_media);
      filler.resize(left);
      return filler;
    };
    auto done = insert_front(*file, front, kHeader, head.size(), true);
    if (done) return relocation(Placement::insert, *file, 0);
    if (done.error().code != ErrorCode::unsupported) return tl::unexpected(done.error());
  }
  auto sidx = segment_index(*scan, 0);
  if (!sidx) return tl::unexpected(sidx.error());
  AtomicFile whole(path);
  auto made = OutputFile::create(whole.part());
  if (!made) return tl::unexpected(made.error());
  auto ok = made->copy_from(*file, 0, 0, scan->moov_end);
  if (ok) ok = made->write(scan->moov_end, *sidx);
  if (ok)
    ok = made->copy_from(*file, scan->first_media, scan->moov_end + sidx->size(),
                         scan->size - scan->first_media);
  if (!ok) return tl::unexpected(ok.error());
  if (whole.commit()) return fail(ErrorCode::io, "'" + path + "' cannot be replaced by its new version.");
  return relocation(Placement::copy, *made, 0);
}

} // namespace hull::isobmff
