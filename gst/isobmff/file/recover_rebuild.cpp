// Pictures are found first: a chain of NAL units behind their lengths is hard to mistake. What lies between
// them is sound and metadata, which are divided by how their frames begin, end and how long they are.

#include "gst/isobmff/file/recover_rebuild.h"

#include "gst/isobmff/boxes/movie.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kLongestGap = 64ull << 20; // of sound without pictures, taken at once

// A window over the source that moves forward.
class Reader {
 public:
  explicit Reader(Source &source) : source_(source) {}
  /// `count` bytes at `offset`, or fewer at the end. Valid until the next call.
  Bytes at(std::uint64_t offset, std::uint64_t count) {
    if (offset >= source_.size()) return {};
    count = std::min(count, source_.size() - offset);
    if (offset < start_ || offset + count > start_ + bytes_.size()) {
      bytes_.resize(
          std::min<std::uint64_t>(std::max<std::uint64_t>(count, 1 << 16), source_.size() - offset));
      start_ = offset;
      if (!source_.read(offset, bytes_)) bytes_.clear();
    }
    return bytes_.empty() ? Bytes{} : Bytes(bytes_).subspan(offset - start_, count);
  }

 private:
  Source &source_;
  ByteVector bytes_;
  std::uint64_t start_ = 0;
};

struct Picture {
  std::uint64_t size = 0; ///< 0: none begins here
  unsigned units = 0;
  bool sync = false;
};

class Rebuilder {
 public:
  Rebuilder(Source &source, const Model &model) : source_(source), reader_(source), model_(model) {
    tables_.resize(model.tracks.size());
    for (std::size_t i = 0; i < model.tracks.size(); ++i) {
      const ModelTrack &track = model.tracks[i];
      if (track.kind == SampleKind::avc || track.kind == SampleKind::hevc)
        pictures_ = &track, picture_index_ = i;
      else if (track.kind == SampleKind::marked)
        marked_.push_back(i);
      else if (!sound_)
        sound_ = &track, sound_index_ = i;
    }
  }

  /// Whether a sample of some track can begin where media do.
  void media(std::uint64_t begin, std::uint64_t end) {
    end_ = end;
    std::uint64_t at = begin;
    while (at < end) {
      const Picture found = pictures_ ? picture(at) : Picture{};
      if (found.size > 0) {
        add_picture(at, found);
        at += found.size;
        continue;
      }
      const std::uint64_t next = pictures_ ? next_picture(at + 1) : end;
      gap(at, next);
      at = next;
    }
  }

  std::vector<SampleTable> &tables() { return tables_; }
  std::vector<ByteRange> &kept() { return kept_; }

 private:
  // One NAL unit at `at`: its length with the field in front, 0 when it cannot be one.
  std::uint64_t unit(std::uint64_t at, NalUnit &nal) {
    const unsigned prefix = pictures_->length_size;
    const Bytes bytes = reader_.at(at, prefix + 4);
    if (bytes.size() < prefix + 3 || at + prefix + 3 > end_) return 0;
    const std::uint64_t size = load_be(bytes.data(), prefix);
    if (size < 2 || size > end_ - at - prefix || size > std::uint64_t{pictures_->longest_nal} * 8 + 65536)
      return 0;
    nal = {bytes[prefix], bytes[prefix + 1], bytes[prefix + 2],
           bytes.size() > prefix + 3 ? bytes[prefix + 3] : std::uint8_t{0}};
    if (!pictures_->nal_bytes.contains(nal.first)) return 0;
    // H.265: the base layer, and a temporal identifier.
    if (pictures_->kind == SampleKind::hevc && ((nal.second & 0xf8) != 0 || (nal.second & 7) == 0)) return 0;
    return prefix + size;
  }

  // The sample that begins at `at`: NAL units until one begins the next picture, or is none.
  Picture picture(std::uint64_t at) {
    Picture found;
    NalUnit nal;
    unsigned pictures = 0;
    std::uint64_t next = at;
    for (std::uint64_t size = unit(next, nal); size > 0; size = unit(next, nal)) {
      if (next == at && !pictures_->first_bytes.contains(nal.first)) return {};
      const bool begins = begins_picture(pictures_->kind, nal);
      if (pictures == 0 && is_slice(pictures_->kind, nal) && !(begins && likely_slice(nal))) return {};
      if (pictures >= pictures_->pictures_per_sample && (begins || precedes_picture(pictures_->kind, nal)))
        break;
      if (pictures_->pictures_per_sample == 0) return {size, 1, is_sync(pictures_->kind, nal)};
      pictures += begins;
      ++found.units;
      if (begins && pictures == 1) found.sync = is_sync(pictures_->kind, nal);
      next += size;
    }
    if (pictures > 0) found.size = next - at;
    return found;
  }

  // Of a type, and with a picture parameter set, that the model has.
  bool likely_slice(const NalUnit &nal) const {
    if (pictures_->pictures_per_sample == 0) return true;
    const auto start = slice_start(pictures_->kind, nal);
    return start && pictures_->slice_types.contains(start->type) &&
           pictures_->parameter_sets.contains(start->parameter_set);
  }

  // The next place where a picture begins and something known follows it. Where nothing known follows it
  // counts too, unless a better one begins inside of it.
  std::uint64_t next_picture(std::uint64_t from) {
    const unsigned prefix = pictures_->length_size;
    std::uint64_t weak = end_, weak_end = end_;
    for (std::uint64_t at = from; at + prefix + 3 <= end_ && at < weak_end; ++at) {
      const Bytes bytes = reader_.at(at, prefix + 1);
      if (bytes.size() <= prefix || !pictures_->first_bytes.contains(bytes[prefix])) continue;
      const std::uint64_t size = load_be(bytes.data(), prefix);
      if (size < 2 || size > end_ - at) continue;
      const Picture found = picture(at);
      if (found.size == 0) continue;
      if (found.units > 1 || goes_on(at + found.size)) return at;
      if (weak == end_ && found.size <= 2 * std::uint64_t{pictures_->largest})
        weak = at, weak_end = at + found.size;
    }
    return weak;
  }
  bool goes_on(std::uint64_t at) {
    if (at + 8 >= end_) return true;
    if (picture(at).size > 0) return true;
    const Bytes bytes = reader_.at(at, 8);
    if (bytes.size() < 8) return true;
    if (sound_ && sound_->kind == SampleKind::fixed) return true; // PCM begins with anything
    if (sound_ && sound_->statistics.begins(bytes[0], bytes[1]) > 2) return true;
    return std::ranges::any_of(marked_, [&](std::size_t i) { return has_mark(model_.tracks[i], bytes); });
  }
  static bool has_mark(const ModelTrack &track, Bytes bytes) {
    return !track.many_marks && bytes.size() >= 4 &&
           track.marks.contains(static_cast<std::uint32_t>(load_be(bytes.data(), 4)));
  }

  void add_picture(std::uint64_t at, const Picture &found) {
    SampleTable &table = tables_[picture_index_];
    Sample sample;
    sample.size = static_cast<std::uint32_t>(found.size);
    sample.duration = pictures_->duration;
    sample.sync = found.sync;
    since_sync_ = found.sync || table.samples() == 0 ? 0 : since_sync_ + 1;
    const auto &offsets = pictures_->composition;
    if (!offsets.empty()) sample.composition_offset = offsets[since_sync_ % offsets.size()];
    table.add(sample);
    table.end_chunk(at, 1);
    kept_.push_back({at, found.size, {}});
  }

  // What is no picture: metadata that say themselves where they begin, and sound.
  void gap(std::uint64_t begin, std::uint64_t end) {
    std::uint64_t sound_from = begin;
    if (!marked_.empty() && end - begin <= kLongestGap)
      for (std::uint64_t at = begin; at + 8 <= end;) {
        const std::size_t track = marked_at(at);
        if (track == model_.tracks.size()) {
          ++at;
          continue;
        }
        sound(sound_from, at);
        const std::uint64_t size = marked_size(model_.tracks[track], at, end);
        add_sample(track, at, size);
        at += size;
        sound_from = at;
      }
    sound(sound_from, end);
  }
  std::size_t marked_at(std::uint64_t at) {
    const Bytes bytes = reader_.at(at, 8);
    for (const std::size_t i : marked_)
      if (has_mark(model_.tracks[i], bytes)) return i;
    return model_.tracks.size();
  }
  // To the next mark, or as long as the good file's are.
  std::uint64_t marked_size(const ModelTrack &track, std::uint64_t at, std::uint64_t end) {
    const Bytes start = reader_.at(at, 4);
    const auto mark = track.marks.find(static_cast<std::uint32_t>(load_be(start.data(), 4)));
    if (mark != track.marks.end() && mark->second > 0) return std::min<std::uint64_t>(mark->second, end - at);
    std::uint64_t next = at + std::max(track.smallest, 1u);
    const std::uint64_t most = std::min(end, at + 2 * std::uint64_t{track.largest});
    for (; next + 8 <= most; ++next) {
      const Bytes bytes = reader_.at(next, 8);
      if (marked_at(next) < model_.tracks.size() ||
          (sound_ && sound_->kind == SampleKind::frames && sound_->statistics.begins(bytes[0], bytes[1]) > 5))
        return next - at;
    }
    return most - at;
  }

  void add_sample(std::size_t index, std::uint64_t at, std::uint64_t size) {
    Sample sample;
    sample.size = static_cast<std::uint32_t>(size);
    sample.duration = model_.tracks[index].duration;
    tables_[index].add(sample);
    tables_[index].end_chunk(at, 1);
    kept_.push_back({at, size, {}});
  }

  void sound(std::uint64_t begin, std::uint64_t end) {
    if (!sound_ || begin >= end) return;
    if (sound_->kind == SampleKind::fixed) {
      const std::uint64_t count = (end - begin) / std::max(sound_->smallest, 1u);
      Sample sample;
      sample.size = sound_->smallest;
      sample.duration = sound_->duration;
      for (std::uint64_t i = 0; i < count; ++i)
        tables_[sound_index_].add(sample);
      tables_[sound_index_].end_chunk(begin, 1);
      if (count > 0) kept_.push_back({begin, count * sound_->smallest, {}});
      return;
    }
    for (; begin < end; begin += std::min(kLongestGap, end - begin))
      frames(begin, std::min(end, begin + kLongestGap));
  }

  // The likeliest way from the gap's first byte to its end in frames. A last frame that was cut is left out.
  void frames(std::uint64_t begin, std::uint64_t end) {
    const std::size_t size = end - begin;
    ByteVector bytes(size);
    if (!source_.read(begin, bytes)) return;
    const FrameStatistics &statistics = sound_->statistics;
    struct Start {
      std::size_t at = 0;
      double begins = 0, best = -1e300;
      std::size_t from = 0;
    };
    std::vector<Start> starts;
    for (std::size_t at = 0; at < size; ++at) {
      const double begins = statistics.begins(bytes[at], at + 1 < size ? bytes[at + 1] : 0);
      if (at == 0 || begins > 0) starts.push_back({at, begins, -1e300, 0});
    }
    starts.push_back({size, 0, -1e300, 0});
    starts[0].best = 0;
    for (std::size_t i = 1; i < starts.size(); ++i) {
      Start &to = starts[i];
      for (std::size_t j = i; j-- > 0;) {
        const std::size_t length = to.at - starts[j].at;
        if (length >= statistics.longest()) break;
        if (starts[j].best < -1e299) continue;
        const double way = starts[j].best + starts[j].begins +
                           statistics.length(static_cast<std::uint32_t>(length)) +
                           statistics.ends(bytes[to.at - 1]);
        if (way > to.best) to.best = way, to.from = j;
      }
    }
    // Where the media end in the middle of a frame, or of something unknown, the best way to anywhere counts.
    std::size_t last = starts.size() - 1;
    if (end == end_ || starts[last].best < -1e299)
      for (std::size_t i = 0; i < starts.size(); ++i)
        if (starts[i].best > starts[last].best) last = i;
    std::vector<std::size_t> ends;
    for (std::size_t i = last; i > 0; i = starts[i].from)
      ends.push_back(i);
    std::ranges::reverse(ends);
    SampleTable &table = tables_[sound_index_];
    for (const std::size_t i : ends) {
      Sample sample;
      sample.size = static_cast<std::uint32_t>(starts[i].at - starts[starts[i].from].at);
      sample.duration = sound_->duration;
      table.add(sample);
    }
    table.end_chunk(begin, 1);
    if (!ends.empty()) kept_.push_back({begin, starts[last].at, {}});
  }

  Source &source_;
  Reader reader_;
  const Model &model_;
  const ModelTrack *pictures_ = nullptr, *sound_ = nullptr;
  std::size_t picture_index_ = 0, sound_index_ = 0, since_sync_ = 0;
  std::vector<std::size_t> marked_;
  std::vector<SampleTable> tables_;
  std::vector<ByteRange> kept_;
  std::uint64_t end_ = 0;
};

// The last edit of the model ends with its media; here it ends with what was found.
void open_edits(Node &trak) {
  Node *edts = trak.child("edts");
  auto *elst = edts ? edts->get<EditList>() : nullptr;
  if (elst && !elst->entries.empty() && elst->entries.back().media_time >= 0)
    elst->entries.back().segment_duration = elst->version == 0 ? 0xffffffffu : ~std::uint64_t{0} >> 1;
}

// The model's movie box with the tables that were found; tracks of which nothing was found are left out.
Result<Node> rebuilt_movie(const Model &model, const std::vector<SampleTable> &tables, std::int64_t shift,
                           bool wide) {
  MemorySource source(model.moov);
  ParseLimits limits;
  limits.opaque_bytes = limits.table_bytes = limits.sample_table_bytes = 1ull << 30;
  auto moov = parse_box_at(source, 0, model.moov.size(), limits);
  if (!moov) return moov;
  std::set<std::size_t> unused;
  for (std::size_t i = 0; i < moov->children.size(); ++i)
    if (moov->children[i].type() == FourCC("trak")) unused.insert(i);
  for (std::size_t i = 0; i < model.tracks.size(); ++i) {
    if (tables[i].samples() == 0) continue;
    unused.erase(model.tracks[i].index);
    open_edits(moov->children[model.tracks[i].index]);
    replace_tables(moov->children[model.tracks[i].index], tables[i], model.movie_timescale, shift, wide);
  }
  for (auto i = unused.rbegin(); i != unused.rend(); ++i)
    moov->children.erase(moov->children.begin() + static_cast<std::ptrdiff_t>(*i));
  std::erase_if(moov->children, [](const Node &child) { return child.type() == FourCC("mvex"); });
  update_movie_duration(*moov);
  return moov;
}

} // namespace

FoundMedia find_media(Source &source, const Model &model, std::span<const Piece> pieces) {
  Rebuilder rebuilder(source, model);
  for (const Piece &piece : pieces)
    if (piece.type == FourCC("mdat") || piece.type == FourCC{})
      rebuilder.media(piece.offset + (piece.type == FourCC{} ? 0 : piece.header_size), piece.end());
  return {std::move(rebuilder.tables()), std::move(rebuilder.kept())};
}

Result<void> rebuild_like(Source &source, std::shared_ptr<Model> model, RecoveryPlan &plan) {
  FoundMedia found = find_media(source, *model, plan.pieces);
  auto tables = std::make_shared<std::vector<SampleTable>>(std::move(found.tables));
  plan.kept = std::move(found.kept);
  plan.tracks.clear();
  for (std::size_t i = 0; i < model->tracks.size(); ++i)
    plan.tracks.push_back(
        {model->tracks[i].id, model->tracks[i].format, (*tables)[i].samples(), 0, true, {}});
  if (plan.kept.empty())
    return fail(ErrorCode::bad_data, "No sample in it looks like those of the file given with --like.");
  plan.remedy = Remedy::movie;
  plan.found.push_back("it has no movie box: samples are found by what they look like");
  const bool wide = source.size() > 0xf0000000u;
  plan.movie = [model, tables, wide](std::int64_t shift) {
    return rebuilt_movie(*model, *tables, shift, wide);
  };
  return {};
}

} // namespace hull::isobmff
