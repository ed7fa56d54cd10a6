#include "gst/isobmff/file/layout.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/chapters.h"
#include "gst/isobmff/file/gapless.h"
#include "gst/isobmff/file/layout_front.h"
#include "gst/isobmff/file/progressive.h"

#include <algorithm>

namespace hull::isobmff {

Result<std::uint64_t> whole_movie(FragmentScan &scan, std::uint64_t shift) {
  Node &moov = *scan.moov;
  std::erase_if(moov.children, [](const Node &child) { return child.type() == FourCC("mvex"); });
  auto *mvhd = moov.get<MovieHeader>();
  if (!mvhd || mvhd->timescale == 0) return fail(ErrorCode::bad_data, "The movie box has no usable header.");
  const bool wide = std::any_of(scan.tracks.begin(), scan.tracks.end(), [shift](const auto &entry) {
    return entry.second.table.needs_wide(static_cast<std::int64_t>(shift));
  });
  // Movie time starts with the first track that does.
  const auto starts_at = [](const ScannedTrack &track, std::uint32_t timescale) {
    return rescale(static_cast<std::int64_t>(track.first_decode_time), kNanoseconds, timescale);
  };
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  const ScannedTrack *sound = nullptr;
  for (const bool measuring : {true, false}) {
    for (Node &trak : moov.children) {
      if (trak.type() != FourCC("trak")) continue;
      const auto *tkhd = static_cast<const Node &>(trak).get<TrackHeader>();
      const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd");
      if (!tkhd || !mdhd || mdhd->timescale == 0)
        return fail(ErrorCode::bad_data, "A track has no usable header.");
      ScannedTrack &track = scan.tracks[tkhd->track_id];
      const std::int64_t begin = starts_at(track, mdhd->timescale);
      if (measuring) {
        if (track.any) start = std::min(start, begin);
        continue;
      }
      TrackEdit edit;
      edit.timescale = mdhd->timescale;
      edit.reorder_shift = -track.table.least_composition_offset();
      if (track.any) edit.delay = rescale(begin - start, mvhd->timescale, kNanoseconds);
      // Pictures start late because they are reordered, which shows all of them; sound because it is primed.
      const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr");
      if (hdlr && hdlr->handler_type == FourCC("soun")) sound = &track;
      (hdlr && hdlr->handler_type == FourCC("vide") ? edit.composed : edit.priming) = track.media_start;
      const std::uint64_t shown =
          complete_track(trak, track.table, edit, mvhd->timescale, static_cast<std::int64_t>(shift), wide);
      mvhd->duration = std::max(mvhd->duration, shown);
    }
  }
  if (sound) add_itunes_gapless(moov, sound->table, sound->media_start);
  return tree_size(moov);
}

bool is_protected(const Node &moov) {
  for (const Node &trak : moov.children)
    if (const Node *stsd = find(trak, "mdia/minf/stbl/stsd"))
      for (const Node &entry : stsd->children)
        if (entry.child("sinf") || entry.type() == FourCC("encv") || entry.type() == FourCC("enca"))
          return true;
  return false;
}

namespace {

// The chapters that a recording's header lists become a track, too, once it is known how long it is: the titles stand
// in an mdat of their own behind the media.
Result<void> add_chapter_track(OutputFile &file, FragmentScan &scan) {
  Node &moov = *scan.moov;
  auto *mvhd = moov.get<MovieHeader>();
  Chapters chapters = chapter_list(moov);
  if (chapters.empty() || !mvhd || has_chapter_track(moov)) return {};
  std::int64_t start = std::numeric_limits<std::int64_t>::max(), end = 0;
  for (const Node &trak : moov.children) {
    const auto *tkhd = trak.get<TrackHeader>();
    const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd");
    if (!tkhd || !mdhd || mdhd->timescale == 0 || !scan.tracks[tkhd->track_id].any) continue;
    const ScannedTrack &track = scan.tracks[tkhd->track_id];
    const auto first = static_cast<std::int64_t>(track.first_decode_time);
    const auto last = first + static_cast<std::int64_t>(track.table.duration());
    start = std::min(start, rescale(first, kNanoseconds, mdhd->timescale));
    end = std::max(end, rescale(last, kNanoseconds, mdhd->timescale));
  }
  if (end <= start) return {};
  chapters = chapters_from(std::move(chapters), start);
  std::erase_if(chapters, [length = end - start](const Chapter &chapter) { return chapter.start >= length; });
  set_chapter_list(moov, chapters);
  if (chapters.empty()) return {};
  const std::uint32_t id = mvhd->next_track_id++;
  ChapterTrack made = chapter_track(chapters, end - start, id, scan.whole_end + kHeader);
  ByteVector bytes;
  append_box_header(bytes, "mdat", made.texts.size());
  append(bytes, made.texts);
  if (auto ok = file.write(scan.whole_end, bytes); !ok) return ok;
  scan.whole_end += bytes.size();
  const auto behind_tracks =
      std::ranges::find(moov.children.rbegin(), moov.children.rend(), FourCC("trak"), &Node::type);
  moov.children.insert(behind_tracks.base(), track_box(made.config, 0, 0, mvhd->creation_time));
  refer_to_chapters(moov, id);
  scan.tracks[id].table = std::move(made.table);
  return {};
}

// moov at the end, and one mdat from the gap to there: what OBS does.
Result<Relocation> unfragment_at_tail(OutputFile &file, FragmentScan &scan, bool sync) {
  if (scan.gap == 0)
    return fail(ErrorCode::unsupported, "'" + file.path() +
                                            "' has no gap behind its ftyp, so its fragments "
                                            "cannot become one mdat.");
  const auto moov_size = whole_movie(scan, 0);
  if (!moov_size) return tl::unexpected(moov_size.error());
  std::uint64_t at = scan.whole_end;
  auto ok = stream_tree(*scan.moov, [&](Bytes piece) {
    at += piece.size();
    return file.write(at - piece.size(), piece);
  });
  if (ok && sync) ok = file.sync();
  if (!ok) return tl::unexpected(ok.error());
  ByteVector header;
  append_box_header(header, "mdat", scan.whole_end - scan.gap - kLargeHeader, true);
  ok = file.write(scan.gap, header);
  if (ok && sync) ok = file.sync();
  if (!ok) return tl::unexpected(ok.error());
  return relocation(Placement::tail, file, *moov_size);
}

} // namespace

ByteVector recording_gap() {
  ByteVector gap;
  append_box_header(gap, "free", 8);
  append_be(gap, 8, 0);
  return gap;
}

Result<Relocation> unfragment(const std::string &path, Placement placement, bool sync) {
  auto scan = scan_file(path, true, false);
  if (!scan) return tl::unexpected(scan.error());
  if (scan->moofs == 0 || !scan->moov || !scan->ftyp) return Relocation{};
  if (is_protected(*scan->moov)) return Relocation{}; // what senc says of each sample stands in the moofs
  auto file = OutputFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (scan->whole_end < scan->size)
    if (auto ok = file->truncate(scan->whole_end); !ok) return tl::unexpected(ok.error());
  if (auto ok = add_chapter_track(*file, *scan); !ok) return tl::unexpected(ok.error());
  if (placement == Placement::tail) return unfragment_at_tail(*file, *scan, sync);

  const auto ftyp = write_tree(*scan->ftyp);
  if (!ftyp) return tl::unexpected(ftyp.error());
  std::uint64_t moov_size = 0;
  Front front;
  front.prepare = [&](std::uint64_t shift) -> Result<std::uint64_t> {
    const auto size = whole_movie(*scan, shift);
    if (!size) return size;
    moov_size = *size;
    return ftyp->size() + moov_size;
  };
  front.write = [&](const Sink &sink) -> Result<void> {
    if (auto ok = sink(*ftyp); !ok) return ok;
    return stream_tree(*scan->moov, sink);
  };
  // What was recorded becomes the payload of one mdat, whose header ends the inserted blocks.
  front.fill = [&](std::uint64_t left) {
    ByteVector filler;
    append_filler(filler, left - kLargeHeader);
    append_box_header(filler, "mdat", scan->whole_end, true);
    return filler;
  };
  auto done = insert_front(*file, front, kLargeHeader + kHeader, 0, sync);
  if (!done) {
    if (placement == Placement::automatic && done.error().code == ErrorCode::unsupported)
      return unfragment_at_tail(*file, *scan, sync);
    return tl::unexpected(done.error());
  }
  return relocation(Placement::insert, *file, moov_size);
}

} // namespace hull::isobmff
