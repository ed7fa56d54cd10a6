#include "plugins/mp4/toc.h"

namespace hull {

using namespace isobmff;

namespace {

// The first editions' chapters, since a file has one list: its other editions are other cuts of the same.
GList *chapter_entries(GstToc *toc) {
  GList *entries = gst_toc_get_entries(toc);
  for (GList *entry = entries; entry; entry = entry->next)
    if (auto *edition = static_cast<GstTocEntry *>(entry->data); gst_toc_entry_is_alternative(edition))
      return gst_toc_entry_get_sub_entries(edition);
  return entries;
}

std::string title_of(GstTocEntry *entry, std::size_t number) {
  std::string title = "Chapter " + std::to_string(number);
  char *text = nullptr;
  const GstTagList *tags = gst_toc_entry_get_tags(entry);
  if (tags && gst_tag_list_get_string(tags, GST_TAG_TITLE, &text)) title = text;
  g_free(text);
  return title;
}

// What lies before the segment has a negative running time.
std::int64_t running_time(const GstSegment &segment, gint64 stream_time) {
  guint64 position = 0, running = 0;
  const int side = gst_segment_position_from_stream_time_full(&segment, GST_FORMAT_TIME,
                                                              static_cast<guint64>(stream_time), &position);
  if (side == 0) return stream_time;
  const int sign = gst_segment_to_running_time_full(&segment, GST_FORMAT_TIME, position, &running);
  return sign * static_cast<std::int64_t>(running);
}

} // namespace

Chapters chapters_of(GstToc *toc, const GstSegment *segment) {
  Chapters chapters;
  for (GList *item = chapter_entries(toc); item; item = item->next) {
    auto *entry = static_cast<GstTocEntry *>(item->data);
    gint64 start = 0;
    if (!gst_toc_entry_get_start_stop_times(entry, &start, nullptr) || start < 0) continue;
    chapters.push_back(
        {segment ? running_time(*segment, start) : start, title_of(entry, chapters.size() + 1)});
  }
  return chapters;
}

} // namespace hull
