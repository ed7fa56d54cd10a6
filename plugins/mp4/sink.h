#pragma once

#include "gst/glue/shell.h"
#include "gst/isobmff/file/layout.h"

#include <atomic>
#include <optional>

#include <gst/base/gstbasesink.h>

namespace hull {

enum class SinkLayout { automatic, reserve, insert, hybrid, spool, tail };

struct Mp4SinkSettings {
  std::string location;
  SinkLayout layout = SinkLayout::automatic;
  std::uint64_t sync_interval = 2 * GST_SECOND;
  bool sidx = false;
  std::uint64_t max_size_bytes = 0;
  std::uint64_t max_size_time = 0;
};

/// hullmp4sink: puts a muxer's bytes into files. It knows boxes only at the edges of a file: the first one,
/// and what layout.h does at the end.
class Mp4Sink : public Configured<Mp4SinkSettings> {
 public:
  using Base = GstBaseSink;
  using BaseClass = GstBaseSinkClass;
  static constexpr char kTypeName[] = "HullMp4Sink";
  static constexpr char kCategory[] = "hullmp4sink", kDescription[] = "MP4 file sink";
  static GType parent_type() { return GST_TYPE_BASE_SINK; }
  static std::span<const Property<Mp4SinkSettings>> properties();
  static void class_init(GstBaseSinkClass *klass);
  explicit Mp4Sink(GstBaseSink *self);

  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  GstStateChangeReturn change_state(GstStateChange change);
  bool start();
  void stop();
  gboolean event(GstEvent *event);
  gboolean query(GstQuery *query);
  GstCaps *get_caps(GstCaps *filter);
  gboolean set_caps(GstCaps *caps);
  GstFlowReturn render(GstBuffer *buffer);
  GstFlowReturn render_list(GstBufferList *list);

  Result<void> open_file();
  Result<void> write(std::span<GstBuffer *> buffers);
  Result<void> write_header(GstBuffer *header);
  Result<void> rewrite_header(GstBuffer *header);
  Result<void> rotate_if_due(GstBuffer *fragment);
  Result<void> finish_file();
  void post_finished(const isobmff::Relocation &placed);
  bool hybrid() const;

  GstBaseSink *self_;
  Mp4SinkSettings running_;
  std::optional<isobmff::OutputFile> file_;
  std::string variant_ = "iso";
  BufferRef header_; // ftyp and moov of a fragmented stream, for the next file
  bool header_written_ = false;
  std::size_t ftyp_size_ = 0;
  std::uint64_t header_size_ = 0; // in the file, with the gap and the room behind the movie box
  unsigned index_ = 0;            // of the file, in location's pattern
  std::uint64_t position_ = 0;    // of the next byte
  std::uint64_t gap_at_ = 0;      // stream offsets from here lie 16 bytes further back in the file
  GstClockTime first_pts_ = GST_CLOCK_TIME_NONE;
  gint64 last_sync_ = 0;
  bool failed_ = false;
  std::atomic<std::uint64_t> bytes_written_{0};
};

} // namespace hull
