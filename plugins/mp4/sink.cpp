#include "plugins/mp4/sink.h"

#include "gst/core/number.h"
#include "gst/glue/map.h"
#include "gst/glue/raise.h"

#include <algorithm>
#include <cstdio>
#include <deque>

#define GST_CAT_DEFAULT ::hull::category<::hull::Mp4Sink>()

namespace hull {

using namespace isobmff;

namespace {

const GEnumValue kLayoutValues[] = {
    {0, "Hybrid for recordings in fragments, insert for whole files, as it comes for CMAF", "auto"},
    {1, "Movie box in room kept in front of the media, for hullmp4mux; where it does not fit, as insert",
     "reserve"},
    {2, "Movie box in front by inserting blocks, else at the end", "insert"},
    {3, "Fragmented while it is written, whole with the movie box in front afterwards", "hybrid"},
    {4, "Movie box in front by writing the file anew", "spool"},
    {5, "As it comes: movie box at the end, fragments left as they are", "tail"},
    {0, nullptr, nullptr}};
const EnumTable kLayouts{"HullMp4SinkLayout", kLayoutValues};

const Property<Mp4SinkSettings> kProperties[] = {
    property<&Mp4SinkSettings::location>(
        "location", "Path of the file; a %d pattern in it numbers the files of a rotation"),
    property<&Mp4SinkSettings::layout>("layout", "Where the movie box goes, and how", Mutable::ready,
                                       kLayouts),
    property<&Mp4SinkSettings::sync_interval>(
        "sync-interval", "Nanoseconds between waits until the data are on the disk; 0 = never",
        Mutable::ready, 0, 1.8e19),
    property<&Mp4SinkSettings::sidx>("sidx", "Put a segment index behind the header of a CMAF track file"),
    property<&Mp4SinkSettings::max_size_bytes>(
        "max-size-bytes", "Bytes after which the next fragment starts another file; 0 = no limit",
        Mutable::ready, 0, 1.8e19),
    property<&Mp4SinkSettings::max_size_time>(
        "max-size-time", "Nanoseconds after which the next fragment starts another file; 0 = no limit",
        Mutable::ready, 0, 1.8e19),
    computed<&Mp4Sink::bytes_written>("bytes-written", "Bytes written since the start, with rewritten ones"),
};

bool starts_fragment(GstBuffer *buffer) {
  return GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) &&
         !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

bool is_fragmented(const std::string &variant) {
  return variant == "iso-fragmented" || variant == "cmaf";
}

bool is_header(GstBuffer *buffer) {
  return starts_fragment(buffer) && GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT);
}

} // namespace

std::span<const Property<Mp4SinkSettings>> Mp4Sink::properties() {
  return kProperties;
}

void Mp4Sink::class_init(GstBaseSinkClass *klass) {
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "MP4 file sink", "Sink/File",
                                        "Writes MP4 files that start fast and survive a crash",
                                        "gst-plugins-hull developers");
  const auto caps = CapsRef::adopt(gst_caps_from_string(
      "video/quicktime, variant=(string){ iso-fragmented, iso, cmaf, apple }; video/quicktime; "
      "audio/x-m4a; application/mp4"));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()));
  element->change_state = thunk<&Mp4Sink::change_state>;
  klass->event = thunk<&Mp4Sink::event>;
  klass->query = thunk<&Mp4Sink::query>;
  klass->get_caps = thunk<&Mp4Sink::get_caps>;
  klass->set_caps = thunk<&Mp4Sink::set_caps>;
  klass->render = thunk<&Mp4Sink::render>;
  klass->render_list = thunk<&Mp4Sink::render_list>;
}

Mp4Sink::Mp4Sink(GstBaseSink *self) : self_(self) {
  gst_base_sink_set_sync(self, FALSE);
}

// Not in GstBaseSink's start() and stop(): those come with READY, when the location may still change, and the
// base class adds an error of its own to ours.
GstStateChangeReturn Mp4Sink::change_state(GstStateChange change) {
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !start()) return GST_STATE_CHANGE_FAILURE;
  const auto changed =
      GST_ELEMENT_CLASS(Shell<Mp4Sink>::parent_class())->change_state(GST_ELEMENT(self_), change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) stop();
  return changed;
}

bool Mp4Sink::start() {
  running_ = snapshot();
  variant_ = "iso";
  header_ = {};
  index_ = 0;
  failed_ = false;
  bytes_written_ = 0;
  if (running_.location.empty()) {
    raise(GST_ELEMENT(self_), {ErrorCode::settings, "hullmp4sink has no file to write: set location."});
    return false;
  }
  if (auto ok = open_file(); !ok) {
    raise(GST_ELEMENT(self_), ok.error());
    return false;
  }
  return true;
}

void Mp4Sink::stop() {
  if (file_) bytes_written_ += file_->bytes_written();
  file_.reset();
  header_ = {};
}

Result<void> Mp4Sink::open_file() {
  std::string path = running_.location;
  const bool rotates = running_.max_size_bytes || running_.max_size_time;
  // A name is only a pattern where files are numbered.
  if (const auto at = path.find('%'); rotates && at != std::string::npos) {
    // Only one %d, %u or %0Nd: anything else in a format would read arguments that are not there.
    const auto end = path.find_first_not_of("0123456789", at + 1);
    if (end == std::string::npos || (path[end] != 'd' && path[end] != 'u') ||
        path.find('%', end) != std::string::npos || end - at > 3)
      return fail(ErrorCode::settings, "location '" + path + "' may hold one %d, such as part-%05d.mp4.");
    const unsigned width = to_number<unsigned>(path.substr(at + 1, end - at - 1)).value_or(0);
    std::string number = std::to_string(index_);
    if (number.size() < width) number.insert(0, width - number.size(), '0');
    path.replace(at, end + 1 - at, number);
  } else if (rotates) {
    return fail(ErrorCode::settings, "Rotation needs a %d in location, such as part-%05d.mp4.");
  }
  auto made = OutputFile::create(path);
  if (!made) return tl::unexpected(made.error());
  file_.emplace(std::move(*made));
  GST_INFO_OBJECT(self_, "writing %s", path.c_str());
  position_ = gap_at_ = header_size_ = 0;
  header_written_ = false;
  first_pts_ = GST_CLOCK_TIME_NONE;
  last_sync_ = g_get_monotonic_time();
  return {};
}

bool Mp4Sink::hybrid() const {
  return running_.layout == SinkLayout::hybrid ||
         (running_.layout == SinkLayout::automatic && variant_ == "iso-fragmented");
}

// Caps, events, queries

GstCaps *Mp4Sink::get_caps(GstCaps *filter) {
  const SinkLayout layout = snapshot().layout;
  // What a muxer that may choose shall choose.
  const char *text =
      layout == SinkLayout::insert || layout == SinkLayout::spool || layout == SinkLayout::reserve
          ? "video/quicktime, variant=(string){ iso, apple }; video/quicktime, variant=(string)cmaf"
      : layout == SinkLayout::hybrid ? "video/quicktime, variant=(string)iso-fragmented"
      : layout == SinkLayout::tail
          ? "video/quicktime, variant=(string)iso; video/quicktime, variant=(string)iso-fragmented; "
            "video/quicktime; audio/x-m4a; application/mp4"
          : "video/quicktime, variant=(string)iso-fragmented; video/quicktime, variant=(string)iso; "
            "video/quicktime, variant=(string)cmaf; video/quicktime; audio/x-m4a; application/mp4";
  GstCaps *caps = gst_caps_from_string(text);
  if (!filter) return caps;
  const auto mine = CapsRef::adopt(caps);
  return gst_caps_intersect_full(mine.get(), filter, GST_CAPS_INTERSECT_FIRST);
}

gboolean Mp4Sink::set_caps(GstCaps *caps) {
  const char *variant = gst_structure_get_string(gst_caps_get_structure(caps, 0), "variant");
  if (variant) variant_ = variant;
  GST_INFO_OBJECT(self_, "variant %s%s", variant_.c_str(),
                  hybrid() ? ", which becomes a whole file at the end" : "");
  return TRUE;
}

gboolean Mp4Sink::event(GstEvent *event) {
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_SEGMENT: {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    if (segment->format == GST_FORMAT_BYTES) {
      position_ = segment->start;
      if (gap_at_ && position_ >= gap_at_) position_ += recording_gap().size();
      GST_DEBUG_OBJECT(self_, "going on at byte %" G_GUINT64_FORMAT, position_);
    }
    break;
  }
  case GST_EVENT_FLUSH_STOP: {
    if (!file_ || file_->size() == 0) break;
    GST_DEBUG_OBJECT(self_, "flushed: the file begins anew");
    bytes_written_ += file_->bytes_written();
    if (auto ok = open_file(); !ok) {
      failed_ = true;
      raise(GST_ELEMENT(self_), ok.error());
    }
    break;
  }
  case GST_EVENT_EOS:
    if (file_ && !failed_)
      if (auto ok = finish_file(); !ok) {
        failed_ = true;
        raise(GST_ELEMENT(self_), ok.error());
      }
    break;
  default:
    break;
  }
  return Shell<Mp4Sink>::parent_class()->event(self_, event);
}

gboolean Mp4Sink::query(GstQuery *query) {
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_SEEKING: {
    GstFormat format;
    gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
    gst_query_set_seeking(query, format, format == GST_FORMAT_BYTES || format == GST_FORMAT_DEFAULT, 0, -1);
    return TRUE;
  }
  case GST_QUERY_CUSTOM: // hullmp4mux asks
    if (gst_structure_has_name(gst_query_get_structure(query), "hull-mp4-keeps-room"))
      return snapshot().layout == SinkLayout::reserve;
    if (gst_structure_has_name(gst_query_get_structure(query), "hull-mp4-replaces-header")) return TRUE;
    return Shell<Mp4Sink>::parent_class()->query(self_, query);
  case GST_QUERY_FORMATS:
    gst_query_set_formats(query, 2, GST_FORMAT_DEFAULT, GST_FORMAT_BYTES);
    return TRUE;
  default:
    return Shell<Mp4Sink>::parent_class()->query(self_, query);
  }
}

// Writing

GstFlowReturn Mp4Sink::render(GstBuffer *buffer) {
  GstBuffer *one[] = {buffer};
  if (failed_) return GST_FLOW_ERROR;
  if (auto ok = write(one); !ok) {
    failed_ = true;
    raise(GST_ELEMENT(self_), ok.error());
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

GstFlowReturn Mp4Sink::render_list(GstBufferList *list) {
  if (failed_) return GST_FLOW_ERROR;
  std::vector<GstBuffer *> buffers;
  for (guint i = 0; i < gst_buffer_list_length(list); ++i)
    buffers.push_back(gst_buffer_list_get(list, i));
  if (auto ok = write(buffers); !ok) {
    failed_ = true;
    raise(GST_ELEMENT(self_), ok.error());
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

namespace {

// Behind a recording's movie box: sample entries that come later go there.
constexpr std::uint64_t kHeaderRoom = 1024;

// ftyp, the gap if the file has one, moov, and a free box up to `size`.
ByteVector padded_header(Bytes header, std::size_t ftyp, Bytes gap, std::uint64_t size) {
  ByteVector all(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(ftyp));
  append(all, gap);
  append(all, header.subspan(ftyp));
  if (all.size() + 8 > size) return all;
  append_box_header(all, "free", size - all.size() - 8);
  all.resize(size);
  return all;
}

} // namespace

// The header of a fragmented stream; a recording gets its gap behind ftyp.
Result<void> Mp4Sink::write_header(GstBuffer *header) {
  const MappedBuffer map(header, GST_MAP_READ);
  if (!map) return fail(ErrorCode::io, "The header's memory cannot be read.");
  const auto ftyp = read_box_header(map.bytes(), map.size());
  const bool recording = hybrid() && ftyp && ftyp->type == FourCC("ftyp");
  const ByteVector gap = recording ? recording_gap() : ByteVector();
  ftyp_size_ = recording ? static_cast<std::size_t>(ftyp->size) : map.size();
  const std::uint64_t room = recording ? kHeaderRoom : 0;
  const ByteVector all = padded_header(map.bytes(), ftyp_size_, gap, map.size() + gap.size() + room);
  if (auto ok = file_->write(position_, all); !ok) return ok;
  GST_DEBUG_OBJECT(self_, "header of %zu bytes, with room for %" G_GUINT64_FORMAT " more", map.size(), room);
  if (recording) gap_at_ = ftyp_size_;
  header_size_ = all.size();
  position_ += all.size();
  header_written_ = true;
  return {};
}

// A track has got another sample entry: the header in front of the file names it from now on, so that what
// follows can be read, also after a kill. Where its room is too small, blocks are inserted.
Result<void> Mp4Sink::rewrite_header(GstBuffer *header) {
  const MappedBuffer map(header, GST_MAP_READ);
  if (!map) return fail(ErrorCode::io, "The header's memory cannot be read.");
  const ByteVector gap = gap_at_ ? recording_gap() : ByteVector();
  const std::uint64_t needed = map.size() + gap.size();
  std::uint64_t grown = 0;
  if (needed != header_size_ && needed + 8 > header_size_) {
    const std::uint64_t block = file_->block_size();
    grown = (needed + 8 - header_size_ + block - 1) / block * block;
    if (auto ok = file_->insert(header_size_ / block * block, grown); !ok)
      return fail(ok.error().code,
                  "The stream's format has changed, and its new sample entry has no room in front of '" +
                      file_->path() + "': " + ok.error().text +
                      " Let max-size-time start files more often, or record to ext4 or xfs.");
  }
  const ByteVector all = padded_header(map.bytes(), ftyp_size_, gap, header_size_ + grown);
  GST_INFO_OBJECT(self_, "header of %s replaced: %zu bytes in %" G_GUINT64_FORMAT, file_->path().c_str(),
                  static_cast<std::size_t>(needed), header_size_ + grown);
  if (auto ok = file_->write(0, all); !ok) return ok;
  header_size_ += grown;
  position_ += grown;
  return {};
}

Result<void> Mp4Sink::rotate_if_due(GstBuffer *fragment) {
  const GstClockTime pts = GST_BUFFER_PTS(fragment);
  if (!GST_CLOCK_TIME_IS_VALID(first_pts_)) {
    first_pts_ = pts;
    return {};
  }
  const bool large = running_.max_size_bytes && position_ >= running_.max_size_bytes;
  const bool late = running_.max_size_time && GST_CLOCK_TIME_IS_VALID(pts) && pts >= first_pts_ &&
                    pts - first_pts_ >= running_.max_size_time;
  if (!large && !late) return {};
  GST_DEBUG_OBJECT(self_, "cut at %" GST_TIME_FORMAT ": %s is reached", GST_TIME_ARGS(pts),
                   large ? "max-size-bytes" : "max-size-time");
  if (auto ok = finish_file(); !ok) return ok;
  ++index_;
  if (auto ok = open_file(); !ok) return ok;
  first_pts_ = pts;
  return header_ ? write_header(header_.get()) : Result<void>();
}

Result<void> Mp4Sink::write(std::span<GstBuffer *> buffers) {
  if (!file_) return fail(ErrorCode::state, "The file is finished: restart the pipeline for another one.");
  std::deque<MappedBuffer> maps;
  std::vector<Bytes> parts;
  const auto put = [&]() -> Result<void> {
    if (auto ok = file_->write(position_, parts); !ok) {
      // Half a chunk would only confuse: a fragmented file ends with its last whole one.
      if (is_fragmented(variant_)) (void)file_->truncate(position_);
      return ok;
    }
    for (const Bytes part : parts)
      position_ += part.size();
    parts.clear();
    maps.clear();
    return {};
  };
  for (GstBuffer *buffer : buffers) {
    GST_LOG_OBJECT(self_, "%" GST_PTR_FORMAT, buffer);
    // A key frame of a whole file may carry the flags of a header, too.
    if (is_header(buffer) && is_fragmented(variant_)) {
      if (auto ok = put(); !ok) return ok;
      header_ = BufferRef::retain(buffer);
      if (auto ok = header_written_ ? rewrite_header(buffer) : write_header(buffer); !ok) return ok;
      continue;
    }
    if (starts_fragment(buffer) && is_fragmented(variant_)) {
      if (auto ok = put(); !ok) return ok;
      if (auto ok = rotate_if_due(buffer); !ok) return ok;
    }
    maps.emplace_back(buffer, GST_MAP_READ);
    if (!maps.back()) return fail(ErrorCode::io, "A sample's memory cannot be read.");
    parts.push_back(maps.back().bytes());
  }
  if (auto ok = put(); !ok) return ok;
  const gint64 now = g_get_monotonic_time();
  if (running_.sync_interval &&
      static_cast<std::uint64_t>(now - last_sync_) * 1000 >= running_.sync_interval) {
    last_sync_ = now;
    GST_LOG_OBJECT(self_, "%" G_GUINT64_FORMAT " bytes go to the disk", position_);
    return file_->sync();
  }
  return {};
}

Result<void> Mp4Sink::finish_file() {
  const std::string path = file_->path();
  const bool empty = file_->size() == 0;
  bytes_written_ += file_->bytes_written();
  file_.reset();
  if (empty) return {};
  Result<Relocation> placed = Relocation{};
  const bool durable = running_.sync_interval > 0;
  if (hybrid())
    placed = unfragment(path, Placement::automatic, durable);
  else if (variant_ == "cmaf")
    placed = running_.sidx ? add_segment_index(path) : Result<Relocation>(Relocation{});
  else if (running_.layout != SinkLayout::tail && variant_ != "iso-fragmented")
    placed =
        fast_start(path, running_.layout == SinkLayout::spool ? Placement::copy : Placement::insert, durable);
  // A file system without insertion keeps the movie box at the end unless the copy was asked for.
  if (!placed && placed.error().code == ErrorCode::unsupported) {
    warn(GST_ELEMENT(self_), placed.error(), "the movie box stays where it is");
    placed = Relocation{};
  }
  if (!placed) return tl::unexpected(placed.error());
  bytes_written_ += placed->bytes_written;
  post_finished(*placed);
  return {};
}

void Mp4Sink::post_finished(const Relocation &placed) {
  constexpr const char *kNames[] = {"insert", "tail", "copy", "auto"};
  GST_INFO_OBJECT(self_,
                  "file %u is finished: movie box of %" G_GUINT64_FORMAT " bytes, %s, %" G_GUINT64_FORMAT
                  " bytes written again",
                  index_, static_cast<guint64>(placed.moov_size),
                  placed.changed ? kNames[static_cast<int>(placed.how)] : "left where it is",
                  static_cast<guint64>(placed.bytes_written));
  gst_element_post_message(
      GST_ELEMENT(self_),
      gst_message_new_element(
          GST_OBJECT(self_),
          gst_structure_new("hull-mp4-file", "index", G_TYPE_UINT, index_, "placement", G_TYPE_STRING,
                            placed.changed ? kNames[static_cast<int>(placed.how)] : "none", "moov-size",
                            G_TYPE_UINT64, static_cast<guint64>(placed.moov_size), "bytes-rewritten",
                            G_TYPE_UINT64, static_cast<guint64>(placed.bytes_written), nullptr)));
}

} // namespace hull
