#include "gst/isobmff/file/chapters.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/quicktime.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

constexpr std::uint32_t kTimescale = 1000;
constexpr std::int64_t kListUnit = 100; // nanoseconds
constexpr std::size_t kLongestInTrack = 0xffff;

// At most `most` bytes, and no part of a character.
std::string_view cut_text(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
  while (most > 0 && continues(text[most]))
    --most;
  return text.substr(0, most);
}

// QuickTime's text sample: a length, the text, and the atom that calls it UTF-8.
ByteVector text_sample(std::string_view title) {
  constexpr std::uint32_t kUtf8 = 0x100;
  const std::string_view text = cut_text(title, kLongestInTrack);
  ByteVector sample;
  append_be(sample, 2, text.size());
  sample.insert(sample.end(), text.begin(), text.end());
  append_be(sample, 4, 12);
  append_be(sample, 4, FourCC("encd").value);
  append_be(sample, 4, kUtf8);
  return sample;
}

TrackConfig text_track(std::uint32_t id) {
  TrackConfig track;
  track.id = id;
  track.media = Media::chapters;
  track.timescale = kTimescale;
  track.enabled = false;
  SampleFormat format;
  format.entry = TextSampleEntry::kType;
  // Its fields are constants: the box fits.
  if (auto box = packed(Node(TextSampleEntry{}))) format.codec_boxes.push_back(std::move(*box));
  track.formats.push_back(std::move(format));
  return track;
}

// Known by their media headers, which QuickTime's tracks have as well.
bool is_media(const Node &trak) {
  return find(trak, "mdia/minf/vmhd") || find(trak, "mdia/minf/smhd");
}

} // namespace

Chapters chapters_from(Chapters chapters, std::int64_t start) {
  std::ranges::stable_sort(chapters, {}, &Chapter::start);
  chapters.erase(std::unique(chapters.begin(), chapters.end()), chapters.end());
  for (Chapter &chapter : chapters)
    chapter.start -= start;
  const auto ahead = std::ranges::find_if(chapters, [](const Chapter &chapter) { return chapter.start > 0; });
  if (ahead == chapters.begin()) return chapters;
  const auto running = ahead - 1;
  running->start = 0;
  chapters.erase(chapters.begin(), running);
  return chapters;
}

void set_chapter_list(Node &moov, std::span<const Chapter> chapters) {
  Node *udta = moov.child("udta");
  if (udta) std::erase_if(udta->children, [](const Node &box) { return box.type() == ChapterList::kType; });
  if (chapters.empty()) return;
  if (!udta) udta = &moov.add("udta");
  auto &list = udta->add<ChapterList>();
  for (const Chapter &chapter : chapters.first(std::min(chapters.size(), kMostInChapterList))) {
    const std::string_view title = cut_text(chapter.title, kLongestInChapterList);
    list.chapters.push_back({static_cast<std::uint64_t>(std::max<std::int64_t>(chapter.start, 0)) / kListUnit,
                             ByteVector(title.begin(), title.end())});
  }
}

Chapters chapter_list(const Node &moov) {
  Chapters chapters;
  if (const auto *list = find_box<ChapterList>(moov, "udta/chpl"))
    for (const ChapterList::Chapter &chapter : list->chapters)
      chapters.push_back({static_cast<std::int64_t>(std::min<std::uint64_t>(
                              chapter.start, std::numeric_limits<std::int64_t>::max() / kListUnit)) *
                              kListUnit,
                          std::string(chapter.title.begin(), chapter.title.end())});
  return chapters;
}

ChapterTrack chapter_track(std::span<const Chapter> chapters, std::int64_t end, std::uint32_t id,
                           std::uint64_t offset) {
  ChapterTrack track{text_track(id), {}, {}};
  const auto add = [&track](std::int64_t start, std::int64_t stop, std::string_view title) {
    const ByteVector text = text_sample(title);
    const std::int64_t begin = rescale(start, kTimescale, kNanoseconds);
    const std::int64_t length = std::max<std::int64_t>(rescale(stop, kTimescale, kNanoseconds) - begin, 0);
    track.table.add({begin, static_cast<std::uint32_t>(std::min<std::int64_t>(length, 0xffffffff)), 0,
                     static_cast<std::uint32_t>(text.size()), true, false});
    append(track.texts, text);
  };
  if (chapters.front().start > 0) add(0, chapters.front().start, "");
  for (std::size_t i = 0; i < chapters.size(); ++i)
    add(chapters[i].start, i + 1 < chapters.size() ? chapters[i + 1].start : end, chapters[i].title);
  track.table.end_chunk(offset, 1);
  return track;
}

void refer_to_chapters(Node &moov, std::uint32_t chapter_track_id) {
  for (Node &trak : moov.children) {
    if (trak.type() != FourCC("trak") || !is_media(trak)) continue;
    Node *tref = trak.child("tref");
    if (!tref) {
      const auto mdia =
          std::ranges::find(trak.children, FourCC("mdia"), [](const Node &box) { return box.type(); });
      tref = &*trak.children.insert(mdia, Node("tref"));
    }
    tref->add(TrackReferences("chap")).track_ids = {chapter_track_id};
  }
}

bool has_chapter_track(const Node &moov) {
  return std::ranges::any_of(moov.children,
                             [](const Node &trak) { return find(trak, "tref/chap") != nullptr; });
}

} // namespace hull::isobmff
