#pragma once

// What the tests of hullh264enc and hullh264dec share: running a pipeline to its end, and reading H.264 with
// gst/h264.

#include "gst/core/number.h"
#include "gst/glue/map.h"
#include "gst/glue/ref.h"
#include "gst/h264/avcc.h"
#include "gst/h264/sei.h"
#include "gst/h264/slice.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/gstvideoencoder.h>

namespace hull::h264 {

/// What an appsink named "out" received, and how the pipeline ended.
struct Played {
  std::vector<BufferRef> buffers;
  CapsRef caps;      ///< of the last buffer
  std::string error; ///< empty after EOS
};

/// Runs `description` to EOS or an error; `prepare` gets the pipeline before it starts. A pipeline that does
/// not end within a minute is an error.
template <class Prepare> Played play(const std::string &description, Prepare prepare) {
  Played result;
  GError *failed = nullptr;
  const auto pipeline = ElementRef::retain(gst_parse_launch(description.c_str(), &failed));
  if (failed) {
    result.error = failed->message;
    g_clear_error(&failed);
    return result;
  }
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  if (sink) {
    g_object_set(sink.get(), "sync", FALSE, "emit-signals", TRUE, nullptr);
    g_signal_connect(sink.get(), "new-sample", G_CALLBACK(+[](GstAppSink *from, Played *to) {
                       const auto sample = SampleRef::adopt(gst_app_sink_pull_sample(from));
                       to->buffers.push_back(BufferRef::retain(gst_sample_get_buffer(sample.get())));
                       to->caps = CapsRef::retain(gst_sample_get_caps(sample.get()));
                       return GST_FLOW_OK;
                     }),
                     &result);
  }
  prepare(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
      bus.get(), 120 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (!message) {
    result.error = "the pipeline did not end";
  } else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message.get(), &failed, nullptr);
    result.error = failed->message;
    g_clear_error(&failed);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return result;
}

inline Played play(const std::string &description) {
  return play(description, [](GstElement *) {});
}

inline ByteVector bytes_of(GstBuffer *buffer) {
  const MappedBuffer map(buffer, GST_MAP_READ);
  return {map.bytes().begin(), map.bytes().end()};
}

inline ByteVector all_bytes(const Played &played) {
  ByteVector all;
  for (const BufferRef &buffer : played.buffers)
    append(all, bytes_of(buffer.get()));
  return all;
}

/// A coded picture as its bytes say.
struct CodedPicture {
  bool idr = false;
  SliceType type = SliceType::p;
  std::vector<std::size_t> slice_sizes;
  std::vector<int> qp; ///< per slice
  std::uint16_t idr_pic_id = 0;
  unsigned ref_idc = 0;
  int deblocking = 0, alpha = 0, beta = 0;
  bool has_sps = false, has_aud = false;
  unsigned markings = 0;
  bool long_term_prediction = false; ///< its reference list was changed to start with a long-term picture
  std::vector<SeiMessage> sei;
};

struct CodedStream {
  std::vector<CodedPicture> pictures;
  Sps sps;
  Pps pps;
};

/// Reads a byte-stream; parameter sets must come before their slices.
inline CodedStream read_stream(Bytes bytes) {
  CodedStream stream;
  CodedPicture next;
  bool open = false;
  for (const Nal &nal : split_annexb(bytes)) {
    if (open && starts_access_unit(nal)) {
      stream.pictures.push_back(std::exchange(next, {}));
      open = false;
    }
    if (nal.type() == NalType::sps) {
      stream.sps = *parse_sps(nal);
      next.has_sps = true;
    } else if (nal.type() == NalType::pps) {
      stream.pps = *parse_pps(nal, &stream.sps);
    } else if (nal.type() == NalType::access_unit_delimiter) {
      next.has_aud = true;
    } else if (nal.type() == NalType::sei) {
      if (auto messages = parse_sei(nal)) next.sei.insert(next.sei.end(), messages->begin(), messages->end());
    } else if (nal.is_slice()) {
      open = true;
      const auto header = parse_slice_header(nal, stream.sps, stream.pps);
      if (!header) continue;
      next.idr = header->is_idr();
      next.type = header->type();
      next.qp.push_back(header->qp());
      next.idr_pic_id = header->idr_pic_id;
      next.ref_idc = nal.ref_idc();
      next.deblocking = header->disable_deblocking_filter_idc;
      next.alpha = header->slice_alpha_c0_offset_div2;
      next.beta = header->slice_beta_offset_div2;
      next.markings = static_cast<unsigned>(header->markings.size());
      for (const auto &change : header->modifications[0])
        next.long_term_prediction |= change.modification_of_pic_nums_idc == 2;
      next.slice_sizes.push_back(nal.data.size());
    }
  }
  if (open) stream.pictures.push_back(next);
  return stream;
}

inline std::string shared(const std::string &name) {
  const char *folder = std::getenv("HULL_SHARED");
  return folder ? std::string(folder) + "/" + name : "";
}

inline bool is_there(const std::string &path) {
  return std::ifstream(path).good();
}

inline std::string caps_text(const Played &played, const char *field) {
  if (!played.caps) return {};
  const GValue *value = gst_structure_get_value(gst_caps_get_structure(played.caps.get(), 0), field);
  if (!value) return {};
  const OwnedText text(gst_value_serialize(value));
  return text.c_str();
}

/// "30000/1001" as two numbers.
inline std::pair<int, int> fraction(std::string_view text) {
  const int numerator = take_number<int>(text).value_or(1);
  text.remove_prefix(std::min<std::size_t>(1, text.size()));
  return {numerator, take_number<int>(text).value_or(1)};
}

} // namespace hull::h264
