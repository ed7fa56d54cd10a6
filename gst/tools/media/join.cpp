#include "gst/tools/media/join.h"

#include "gst/core/file.h"
#include "gst/core/time.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/layout.h"
#include "gst/tools/support/files.h"

#include <cerrno>
#include <cstdio>

namespace hull::tools {
namespace {

using namespace isobmff;

class Joiner {
 public:
  Joiner(OutputFile &out, std::uint64_t start_ns) : out_(out), start_ns_(start_ns) {}

  Result<void> append(const std::string &path) {
    auto source = FileSource::open(path);
    if (!source) return tl::unexpected(source.error());
    auto from = OutputFile::open(path);
    if (!from) return tl::unexpected(from.error());
    const auto scanned = scan_fragments(*source, false, true);
    if (!scanned) return tl::unexpected(scanned.error());
    if (scanned->fragments.empty() || scanned->tracks.size() != 1 || scanned->whole_end != scanned->size)
      return fail(ErrorCode::bad_data, path + " is not whole; run the same command again");
    if (auto ok = header(*source, *scanned, path); !ok) return ok;
    const auto first = static_cast<std::int64_t>(scanned->tracks.begin()->second.first_decode_time);
    if (sequence_ == 0)
      end_ = rescale(static_cast<std::int64_t>(start_ns_), timescale(*scanned), kNanoseconds);
    shift_ = end_ - first;
    Result<void> done;
    const auto visited = for_each_box(*source, [&](Node &box) {
      done = copy(box, *source, *from);
      return done.has_value();
    });
    if (!visited) return tl::unexpected(visited.error());
    end_ = scanned->fragments.back().end + shift_;
    return done;
  }

 private:
  static std::int64_t timescale(const FragmentScan &scan) {
    const Node *trak = scan.moov ? scan.moov->child("trak") : nullptr;
    const auto *mdhd = trak ? find_box<MediaHeader>(*trak, "mdia/mdhd") : nullptr;
    return mdhd ? mdhd->timescale : 0;
  }

  // ftyp and moov: written once, and the same in all parts, since one decoder configuration serves them all.
  Result<void> header(FileSource &source, const FragmentScan &scan, const std::string &path) {
    ByteVector bytes(scan.moov_end);
    if (auto ok = source.read(0, bytes); !ok) return ok;
    if (!header_.empty()) {
      if (bytes == header_) return {};
      return fail(ErrorCode::bad_data, path + " has another header than the part before it");
    }
    header_ = bytes;
    at_ = bytes.size();
    return out_.write(0, header_);
  }

  Result<void> copy(Node &box, FileSource &source, OutputFile &from) {
    const FourCC type = box.type();
    if (type == FourCC("moof")) {
      if (auto *head = box.get<MovieFragmentHeader>()) head->sequence_number = ++sequence_;
      for (Node &traf : box.children)
        if (auto *time = traf.get<TrackFragmentDecodeTime>())
          time->base_media_decode_time =
              static_cast<std::uint64_t>(static_cast<std::int64_t>(time->base_media_decode_time) + shift_);
      const auto bytes = write_tree(box, &source);
      if (!bytes) return tl::unexpected(bytes.error());
      if (bytes->size() != box.size)
        return fail(ErrorCode::state, "a fragment changed its size when it was numbered");
      if (auto ok = out_.write(at_, *bytes); !ok) return ok;
    } else if (type == FourCC("mdat") || type == FourCC("styp")) {
      if (auto ok = out_.copy_from(from, box.offset, at_, box.size); !ok) return ok;
    } else {
      return {};
    }
    at_ += box.size;
    return {};
  }

  OutputFile &out_;
  const std::uint64_t start_ns_;
  ByteVector header_;
  std::uint64_t at_ = 0; // of the next byte
  std::uint32_t sequence_ = 0;
  std::int64_t end_ = 0; // ticks: where what was joined so far ends
  std::int64_t shift_ = 0;
};

Result<void> write_joined(const std::vector<std::string> &parts, const std::string &path,
                          std::uint64_t start_ns) {
  {
    auto out = OutputFile::create(path);
    if (!out) return tl::unexpected(out.error());
    Joiner joiner(*out, start_ns);
    for (const std::string &part : parts)
      if (auto ok = joiner.append(part); !ok) return ok;
    if (auto ok = out->sync(); !ok) return ok;
  }
  const auto indexed = add_segment_index(path);
  if (!indexed) return tl::unexpected(indexed.error());
  return {};
}

} // namespace

Result<void> join_tracks(const std::vector<std::string> &parts, const std::string &path,
                         std::uint64_t start_ns) {
  AtomicFile whole(path);
  if (auto done = write_joined(parts, whole.part(), start_ns); !done) return done;
  if (const auto error = whole.commit()) return tl::unexpected(file_error(error.value(), "write", path));
  return {};
}

} // namespace hull::tools
