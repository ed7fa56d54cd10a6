#pragma once

#include "gst/core/bytes.h"

#include <gst/gst.h>
#include <gst/video/video.h>

namespace hull {

/// A buffer's memory for as long as this lives. Test it before use: mapping can fail.
class MappedBuffer {
 public:
  MappedBuffer(GstBuffer *buffer, GstMapFlags flags) : buffer_(buffer) {
    mapped_ = gst_buffer_map(buffer, &info_, flags);
  }
  MappedBuffer(const MappedBuffer &) = delete;
  MappedBuffer &operator=(const MappedBuffer &) = delete;
  ~MappedBuffer() {
    if (mapped_) gst_buffer_unmap(buffer_, &info_);
  }
  explicit operator bool() const { return mapped_; }
  Bytes bytes() const { return {info_.data, info_.size}; }
  std::uint8_t *data() { return info_.data; }
  std::size_t size() const { return info_.size; }

 private:
  GstBuffer *buffer_;
  GstMapInfo info_{};
  bool mapped_ = false;
};

/// A picture's planes for as long as this lives; honours GstVideoMeta. Holds no reference of its own.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo &info, GstBuffer *buffer, GstMapFlags flags) {
    mapped_ = gst_video_frame_map(
        &frame_, &info, buffer, static_cast<GstMapFlags>(int{flags} | int{GST_VIDEO_FRAME_MAP_FLAG_NO_REF}));
  }
  MappedFrame(const MappedFrame &) = delete;
  MappedFrame &operator=(const MappedFrame &) = delete;
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  explicit operator bool() const { return mapped_; }
  GstVideoFrame *get() { return &frame_; }
  std::uint8_t *plane(unsigned index) { return static_cast<std::uint8_t *>(frame_.data[index]); }
  int stride(unsigned index) const { return frame_.info.stride[index]; }
  const GstVideoInfo &info() const { return frame_.info; }

 private:
  GstVideoFrame frame_{};
  bool mapped_ = false;
};

/// GST_OBJECT_LOCK for a scope.
class ObjectLock {
 public:
  explicit ObjectLock(gpointer object) : object_(GST_OBJECT(object)) { GST_OBJECT_LOCK(object_); }
  ObjectLock(const ObjectLock &) = delete;
  ObjectLock &operator=(const ObjectLock &) = delete;
  ~ObjectLock() { GST_OBJECT_UNLOCK(object_); }

 private:
  GstObject *object_;
};

} // namespace hull
