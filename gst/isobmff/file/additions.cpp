#include "gst/isobmff/file/additions.h"

#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/file/file.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>

namespace hull::isobmff {
namespace {

// Boxes that describe where the media are and how they are coded: wrong values make the file unreadable.
const std::set<FourCC> kOwn = {"elst", "stts", "ctts", "stsc", "stsz", "stz2", "stco", "co64", "stss", "stsd",
                               "trex", "mehd", "dref", "url ", "frma", "schm", "tenc", "saiz", "saio", "senc",
                               "avcC", "hvcC", "av1C", "vpcC", "esds", "dOps", "dfLa", "dac3", "dec3"};
const std::set<std::string_view> kOwnFields = {"version",      "flags",       "timescale",
                                               "duration",     "track_ID",    "next_track_ID",
                                               "handler_type", "entry_count", "data_reference_index"};

tl::unexpected<Error> refuse(const std::string &text, Place at = Place::here()) {
  return fail(ErrorCode::settings, text + " (14496-12 6.2)", Error::kNoOffset, at);
}

// "moov/udta" → "udta", "moov" → "".
std::optional<std::string_view> below_moov(std::string_view path) {
  if (path == "moov" || path == "moov[0]") return "";
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view first = path.substr(0, slash);
  if (first != "moov" && first != "moov[0]") return std::nullopt;
  return path.substr(slash + 1);
}

FourCC last_type(std::string_view path) {
  const auto slash = path.rfind('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  name = name.substr(0, name.find('['));
  return name.size() == 4 ? FourCC::from(name) : FourCC{};
}

Node *find_or_make(Node &moov, std::string_view below) {
  if (below.empty()) return &moov;
  if (Node *found = find(moov, below)) return found;
  if (last_type(below) != FourCC("udta")) return nullptr;
  const auto slash = below.rfind('/');
  Node *parent = slash == std::string_view::npos ? &moov : find(moov, below.substr(0, slash));
  return parent && parent->box->has_children() ? &parent->add("udta") : nullptr;
}

// CMAF wants pssh before udta; everything else goes last.
void put(Node &parent, Node box) {
  auto at = parent.children.end();
  if (box.type() == FourCC("pssh"))
    at = std::ranges::find_if(parent.children, [](const Node &n) { return n.type() == FourCC("udta"); });
  parent.children.insert(at, std::move(box));
}

Result<void> apply_box(Node &moov, std::string_view path, Bytes box) {
  Node *parent = find_or_make(moov, below_moov(path).value_or("?"));
  if (!parent) return fail(ErrorCode::not_found, fmt::format("the movie has no {}", path));
  if (!parent->box->has_children()) return refuse(fmt::format("{} cannot hold boxes", path));
  auto node = check_injected(box, parent->type(), parent->children);
  if (!node) return tl::unexpected(node.error());
  put(*parent, std::move(*node));
  return {};
}

Result<void> apply_field(Node &moov, std::string_view whole, std::string_view value) {
  const FieldPath path = split_field(whole);
  const auto below = below_moov(path.box);
  Node *node = below && below->empty() ? &moov : find(moov, below.value_or("?"));
  if (!node) return fail(ErrorCode::not_found, fmt::format("the movie has no {}", path.box));
  node->original_bytes.clear();
  return hull::isobmff::set_field(*node->box, path.field, value);
}

// Rules of CMAF headers `moov` breaks.
std::vector<std::string> broken_rules(const Node &moov) {
  cmaf::Findings found;
  for (const auto check : {cmaf::cmf_02, cmaf::cmf_03, cmaf::cmf_04, cmaf::cmf_05, cmaf::cmf_06, cmaf::cmf_07,
                           cmaf::cmf_08, cmaf::cmf_11, cmaf::cmf_24_header, cmaf::cmf_26})
    check(moov, found);
  std::vector<std::string> texts;
  for (const cmaf::Finding &finding : found)
    texts.push_back(fmt::format("{} ({})", finding.text, finding.rule));
  return texts;
}

} // namespace

Result<void> Additions::add_box(std::string place, ByteVector box) {
  const auto below = below_moov(place);
  if (!below)
    return fail(ErrorCode::settings, fmt::format("'{}' is no place in the movie box; write moov, moov/udta, "
                                                 "moov/trak[0]/udta or fragment",
                                                 place));
  const FourCC parent = below->empty() ? FourCC("moov") : last_type(*below);
  auto node = check_injected(box, parent);
  if (!node) return tl::unexpected(node.error());
  wishes_.push_back({std::move(place), std::move(box), {}});
  return {};
}

Result<void> Additions::set_field(std::string path, std::string value) {
  const FieldPath split = split_field(path);
  if (!below_moov(split.box) || split.field.empty())
    return fail(ErrorCode::settings,
                fmt::format("'{}' names no field; write it like moov/trak[0]/tkhd.layer", path));
  const FourCC type = last_type(split.box);
  const std::string field = split.field.substr(0, split.field.find('['));
  if (kOwn.contains(type) || kOwnFields.contains(field))
    return refuse(fmt::format("{} describes the media and comes from the muxer alone", path));
  wishes_.push_back({std::move(path), {}, std::move(value)});
  return {};
}

std::vector<Error> Additions::apply(Node &moov, bool cmaf) const {
  std::vector<Error> refused;
  for (const Wish &wish : wishes_) {
    const auto before = cmaf ? broken_rules(moov) : std::vector<std::string>{};
    auto kept = cmaf ? write_tree(moov) : Result<ByteVector>(ByteVector{});
    Result<void> done;
    if (!kept)
      done = tl::unexpected(kept.error());
    else
      done =
          wish.box.empty() ? apply_field(moov, wish.path, wish.value) : apply_box(moov, wish.path, wish.box);
    if (!done) {
      refused.push_back(done.error());
      continue;
    }
    if (!cmaf) continue;
    for (std::string &text : broken_rules(moov)) {
      if (std::ranges::find(before, text) != before.end()) continue;
      refused.push_back({ErrorCode::settings, wish.path + ": " + text});
      if (auto back = parse_boxes(*kept)) moov = std::move(back->front());
      break;
    }
  }
  return refused;
}

} // namespace hull::isobmff
