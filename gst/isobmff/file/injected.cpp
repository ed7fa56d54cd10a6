// Which boxes an application may add where.

#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/file/file.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace hull::isobmff {
namespace {

// Boxes readers rely on; another one would contradict the first or describe media that are not there.
const std::set<FourCC> kStructure = {"ftyp", "moov", "moof", "mdat", "mvhd", "trak", "tkhd", "mdia",
                                     "mdhd", "hdlr", "minf", "stbl", "stsd", "stts", "ctts", "stsc",
                                     "stsz", "stz2", "stco", "co64", "mvex", "trex", "mfhd", "traf",
                                     "tfhd", "tfdt", "trun", "mfra", "mfro"};
const std::set<FourCC> kSingle = {"udta", "edts", "elst", "meta", "mehd", "vmhd", "smhd", "sthd", "nmhd",
                                  "dinf", "dref", "elng", "cslg", "stss", "sdtp", "tref", "iods", "styp",
                                  "colr", "pasp", "clap", "mdcv", "clli", "btrt", "ilst", "senc", "sidx"};

struct Home {
  FourCC type;
  std::set<FourCC> parents; ///< 0 = the top level
};
const Home kHomes[] = {
    {"emsg", {FourCC{}}},
    {"prft", {FourCC{}}},
    {"styp", {FourCC{}}},
    {"sidx", {FourCC{}}},
    {"ssix", {FourCC{}}},
    {"pssh", {"moov", "moof"}},
    {"udta", {"moov", "trak", "moof", "traf"}},
    {"meta", {FourCC{}, "moov", "trak", "udta", "moof", "traf"}},
    {"ilst", {"meta"}},
    {"edts", {"trak"}},
    {"elst", {"edts"}},
    {"tref", {"trak"}},
    {"elng", {"mdia"}},
    {"kind", {"udta"}},
    {"cprt", {"udta"}},
    {"sgpd", {"stbl", "traf"}},
    {"sbgp", {"stbl", "traf"}},
    {"subs", {"stbl", "traf"}},
    {"senc", {"traf"}},
    {"saiz", {"stbl", "traf"}},
    {"saio", {"stbl", "traf"}},
};

tl::unexpected<Error> refuse(const char *rule, std::string text, Place at = Place::here()) {
  return fail(ErrorCode::settings, fmt::format("{} ({})", std::move(text), rule), Error::kNoOffset, at);
}

std::string first_problem(const Node &node) {
  if (!node.problem.empty()) return node.type().text() + ": " + node.problem;
  for (const Node &child : node.children)
    if (auto problem = first_problem(child); !problem.empty()) return problem;
  const bool terminated = node.type() == FourCC("udta") && node.tail == ByteVector(4); // QuickTime's end mark
  if (!node.tail.empty() && !terminated)
    return node.type().text() + ": " + std::to_string(node.tail.size()) + " bytes follow its last field";
  return {};
}

Result<void> check_cmaf(const Node &node, FourCC parent, const cmaf::Track &track) {
  const FourCC type = node.type();
  if (parent == FourCC{} && (type == FourCC("udta") || type == FourCC("meta")))
    return refuse("CMF-02", type.text() + " may only stand in moov");
  if (const auto *emsg = node.as<EventMessage>(); emsg && emsg->timescale != track.timescale)
    return refuse("CMF-15",
                  fmt::format("emsg has timescale {}, its track has {}", emsg->timescale, track.timescale));
  if (const auto *prft = node.as<ProducerReferenceTime>(); prft && prft->reference_track_id != track.track_id)
    return refuse("CMF-22", "prft names another track");
  if (type == FourCC("edts")) {
    Node trak("trak");
    cmaf::Findings findings;
    auto bytes = write_tree(const_cast<Node &>(node));
    if (bytes) trak.children = std::move(*parse_boxes(*bytes));
    Node moov("moov");
    moov.add(std::move(trak));
    cmaf::cmf_08(moov, findings);
    if (!findings.empty()) return refuse("CMF-08", findings[0].text);
  }
  return {};
}

} // namespace

Result<Node> check_injected(Bytes bytes, FourCC parent, std::span<const Node> siblings,
                            const cmaf::Track *track) {
  ParseLimits whole; // a payload left behind in `bytes` could not be written later
  whole.opaque_bytes = whole.table_bytes = ~std::uint64_t{0};
  auto nodes = parse_boxes(bytes, whole);
  if (!nodes) return tl::unexpected(nodes.error());
  if (nodes->size() != 1 || (*nodes)[0].raw || (*nodes)[0].to_end)
    return refuse("14496-12 4.2", "the bytes are not exactly one box with its size");
  Node &node = (*nodes)[0];
  const FourCC type = node.type();
  // Its context decides what a type means, so it is read again as a child of its parent.
  if (const auto typed = make_box(type, parent); !typed && make_box(type, FourCC{}))
    return refuse("14496-12 6.2", type.text() + " cannot stand in " + parent.text());
  if (const std::string problem = first_problem(node); !problem.empty())
    return refuse("14496-12 4.2", "the box is broken: " + problem);
  if (kStructure.contains(type))
    return refuse("14496-12 6.2", type.text() + " describes the media and comes from the muxer alone");
  const auto home = std::ranges::find(kHomes, type, &Home::type);
  if (home != std::end(kHomes) && !home->parents.contains(parent))
    return refuse("14496-12 6.2", fmt::format("{} cannot stand {}", type.text(),
                                              parent == FourCC{} ? std::string("at the top of the file")
                                                                 : "in " + parent.text()));
  const bool second =
      std::ranges::any_of(siblings, [&](const Node &sibling) { return sibling.type() == type; });
  if (second && kSingle.contains(type) && parent != FourCC{})
    return refuse("14496-12 6.2",
                  fmt::format("{} has a {} already; set its fields instead", parent.text(), type.text()));
  if (track)
    if (auto allowed = check_cmaf(node, parent, *track); !allowed) return tl::unexpected(allowed.error());
  node.offset = node.size = 0;
  return std::move(node);
}

} // namespace hull::isobmff
