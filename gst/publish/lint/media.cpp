#include "gst/isobmff/rules/cmaf.h"
#include "gst/publish/lint/lint.h"
#include "gst/publish/m3u8.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::publish {
namespace {

using namespace isobmff;

void check(Bytes bytes, const std::string &where, Findings &out) {
  MemorySource source(bytes);
  const auto found = cmaf::check_file(source);
  if (!found) {
    out.add("CMF-02", where, found.error().text);
    return;
  }
  for (const cmaf::Finding &finding : *found)
    out.add(finding.rule, fmt::format("{}@{}", where, finding.offset), finding.text);
}

} // namespace

void lint_init(Bytes init, const std::string &where, Findings &out) {
  check(init, where, out);
}

void lint_segment(Bytes init, Bytes segment, const std::string &where, Findings &out) {
  ByteVector whole(init.begin(), init.end());
  append(whole, segment);
  check(whole, where, out);
  const auto boxes = parse_boxes(segment);
  if (!boxes) return;
  const bool text =
      std::search(init.begin(), init.end(), std::begin("wvtt"), std::end("wvtt") - 1) != init.end();
  const bool stamped = std::any_of(boxes->begin(), boxes->end(),
                                   [](const Node &node) { return node.type() == FourCC("prft"); });
  if (!text && !stamped) out.add("ING-07", where, "the segment has no prft");
}

void lint_playlist_reply(const HttpReply &reply, const std::string &where, Findings &out) {
  if (reply.redirected) out.add("HLS-71", where, "the request was redirected");
  const bool here = where.find("//127.") != std::string::npos ||
                    where.find("//localhost") != std::string::npos ||
                    where.find("//[::1]") != std::string::npos;
  if (where.starts_with("http://") && !here) out.add("HLS-69", where, "it came without TLS");
  if (reply.protocol == "http/1.1" && !here) out.add("HLS-68", where, "it came over " + reply.protocol);
  if (reply.content_type.find("mpegurl") == std::string::npos && where.find(".m3u8") == std::string::npos)
    out.add("HLS-45", where, "Content-Type is " + reply.content_type);
  if (reply.content_encoding != "gzip") out.add("HLS-67", where, "it is not gzip-coded");
  if (reply.cache_control.empty()) out.add("HLS-66", where, "there is no Cache-Control");
  const double target = parse_playlist(reply.body).number("EXT-X-TARGETDURATION").value_or(0);
  if (target > 0 && reply.seconds > 3 * target + 0.5)
    out.add("HLS-57", where, fmt::format("it was held for {:.1f} s", reply.seconds));
}

void lint_time_reply(const HttpReply &reply, const std::string &where, Findings &out) {
  if (reply.access_control_allow_origin.empty())
    out.add("DSH-54", where, "there is no Access-Control-Allow-Origin");
  if (reply.cache_control.find("no-store") == std::string::npos) out.add("DSH-54", where, "it may be cached");
  if (reply.body.find('.') == std::string::npos)
    out.add("DSH-54", where, "it has no milliseconds: " + reply.body);
}

} // namespace hull::publish
