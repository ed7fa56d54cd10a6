#include "gst/inspect/box_view.h"
#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/file.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/recover.h"
#include "gst/isobmff/rules/cmaf.h"
#include "gst/isobmff/rules/iso.h"
#include "gst/tools/cli/commands.h"
#include "gst/tools/support/command.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

namespace hull::tools {
namespace {

using isobmff::FileSource;
using isobmff::Node;

struct Options {
  std::string file, path, value, box_file, hex, output, like;
  bool before = false, after = false, keep_fragments = false, dry_run = false;
  bool json = false, html = false, fields = false, raw = false, cmaf = false;
};

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// Boxes leave one by one, so that a recording of a day costs no more memory than its largest box.
int list(const Options &options) {
  auto source = FileSource::open(options.file);
  if (!source) return report(source.error());
  inspect::ViewOptions view;
  view.all_fields = options.fields;
  if (options.html) {
    auto nodes = isobmff::parse_boxes(*source);
    if (!nodes) return report(nodes.error());
    print(inspect::box_html(*nodes, options.file, view));
    return kDone;
  }
  bool first = true;
  if (options.json) print("[");
  const auto end = isobmff::for_each_box(*source, [&](Node &node) {
    if (options.json)
      print((first ? "\n" : ",\n") + inspect::box_json(node, view).dump(2));
    else
      print(inspect::box_text(node, view));
    first = false;
    return std::ferror(stdout) == 0;
  });
  if (options.json) print("\n]\n");
  if (!end) return report(end.error());
  if (std::fflush(stdout) != 0) return report({ErrorCode::io, "the list could not be written"});
  if (*end == source->size()) return kDone;
  return report(
      {ErrorCode::bad_data,
       fmt::format("{}: the {} bytes from {} on are no whole box; a recording that was cut is repaired by "
                   "'gst-hull-1.0 atoms recover'",
                   options.file, source->size() - *end, *end)});
}

int show_bytes(FileSource &source, const Node &node) {
  ByteVector part;
  for (std::uint64_t at = 0; at < node.size; at += part.size()) {
    part.resize(std::min<std::uint64_t>(1 << 20, node.size - at));
    if (auto done = source.read(node.offset + at, part); !done) return report(done.error());
    print({reinterpret_cast<const char *>(part.data()), part.size()});
  }
  return kDone;
}

int show(const Options &options) {
  auto source = FileSource::open(options.file);
  if (!source) return report(source.error());
  const isobmff::FieldPath path = isobmff::split_field(options.path);
  const auto found = isobmff::locate(*source, path.box);
  if (!found) return report(found.error());
  Node &node = *found->node;
  inspect::ViewOptions view;
  view.all_fields = true;
  view.limits = {100'000, 1 << 20};
  if (options.raw) return show_bytes(*source, node);
  if (path.field.empty()) {
    print(options.json ? inspect::box_json(node, view).dump(2) + "\n" : inspect::box_text(node, view));
    return kDone;
  }
  const auto field = isobmff::get_field(*node.box, path.field);
  if (!field) return report(field.error());
  const std::uint64_t payload = node.offset + node.header_size;
  print((options.json ? inspect::field_json(*field, payload).dump(2) : isobmff::format_value(*field)) + "\n");
  return kDone;
}

const isobmff::rules::Rule &rule_of(const isobmff::rules::Finding &finding) {
  return std::string_view(finding.rule).starts_with("CMF") ? isobmff::cmaf::rule(finding.rule)
                                                           : isobmff::iso::rule(finding.rule);
}

// Whether the file says that it is CMAF: one of its brands begins so.
bool has_cmaf_brand(FileSource &source) {
  auto ftyp = isobmff::parse_box_at(source, 0, source.size());
  const auto *type = ftyp ? std::as_const(*ftyp).as<isobmff::FileType>() : nullptr;
  const auto is_cmaf = [](isobmff::FourCC brand) { return brand.text().starts_with("cmf"); };
  return type && (is_cmaf(type->major_brand) || std::ranges::any_of(type->compatible_brands, is_cmaf));
}

Result<isobmff::rules::Findings> all_findings(FileSource &source, bool ask_cmaf) {
  auto findings = isobmff::iso::check_file(source);
  if (!findings || !(ask_cmaf || has_cmaf_brand(source))) return findings;
  auto more = isobmff::cmaf::check_file(source);
  if (!more) return more;
  findings->insert(findings->end(), more->begin(), more->end());
  return findings;
}

int check(const Options &options) {
  namespace rules = isobmff::rules;
  auto source = FileSource::open(options.file);
  if (!source) return report(source.error());
  const auto findings = all_findings(*source, options.cmaf);
  if (!findings) return report(findings.error());
  Json json = Json::array();
  std::size_t errors = 0;
  for (const rules::Finding &finding : *findings) {
    const rules::Rule &rule = rule_of(finding);
    errors += finding.level == rules::Level::must;
    if (options.json)
      json.push_back({{"rule", rule.id},
                      {"level", rules::name(finding.level)},
                      {"certainty", rules::name(rule.certainty)},
                      {"offset", finding.offset},
                      {"text", finding.text},
                      {"summary", rule.summary}});
    else
      fmt::print("{} {:<6} {:<10} at {:<12} {}\n", rule.id, rules::name(finding.level),
                 rules::name(rule.certainty), finding.offset, finding.text);
  }
  if (options.json)
    print(json.dump(2) + "\n");
  else
    fmt::print("{} broken, {} to look at\n", errors, findings->size() - errors);
  return errors == 0 ? kDone : kFailed;
}

int tell(const Result<isobmff::EditReport> &done) {
  if (!done) return report(done.error());
  if (done->method == isobmff::EditMethod::none)
    fmt::print("nothing to change\n");
  else
    fmt::print("done ({}): {} bytes written, what follows moved by {}\n", isobmff::name(done->method),
               done->bytes_written, done->shifted);
  return kDone;
}

int set(const Options &options) {
  return tell(isobmff::set_in_file(options.file, options.path, options.value));
}

int insert(const Options &options) {
  using Side = isobmff::InsertPlace::Side;
  ByteVector box = from_hex(options.hex);
  if (!options.box_file.empty()) {
    const auto content = read_file(options.box_file);
    if (!content) return report(content.error());
    box.assign(content->begin(), content->end());
  }
  if (box.empty()) return report({ErrorCode::settings, "give the box with --box FILE or --hex DIGITS"});
  const Side side = options.before ? Side::before : options.after ? Side::after : Side::inside;
  return tell(isobmff::insert_in_file(options.file, {side, options.path == "/" ? "" : options.path}, box));
}

int take_out(const Options &options) {
  return tell(isobmff::remove_from_file(options.file, options.path));
}

const char *name_of(isobmff::Placement placement) {
  switch (placement) {
  case isobmff::Placement::insert:
    return "blocks inserted in front";
  case isobmff::Placement::copy:
    return "a new file";
  default:
    return "moov at the end";
  }
}

int fast_start(const Options &options) {
  auto source = FileSource::open(options.file);
  if (!source) return report(source.error());
  const auto done = isobmff::fast_start(options.file, isobmff::Placement::automatic);
  if (!done) return report(done.error());
  if (!done->changed)
    fmt::print("moov is in front already\n");
  else
    fmt::print("done ({}): {} bytes written, {:.4f} of the file\n", name_of(done->how), done->bytes_written,
               static_cast<double>(done->bytes_written) / static_cast<double>(source->size()));
  return kDone;
}

void print_plan(const isobmff::RecoveryPlan &plan) {
  for (const std::string &found : plan.found)
    fmt::print("found: {}\n", found);
  for (const isobmff::TrackRecovery &track : plan.tracks)
    fmt::print("track {} ({}): {} samples kept{}{}{}\n", track.id, track.format, track.samples,
               track.missing > 0 ? fmt::format(", {} are not in the file", track.missing) : "",
               track.rebuilt ? ", found by what they look like" : "",
               track.problem.empty() ? "" : ": " + track.problem);
  const auto ranges = [](const char *what, const std::vector<isobmff::ByteRange> &list) {
    constexpr std::size_t kMost = 20;
    for (std::size_t i = 0; i < std::min(list.size(), kMost); ++i)
      fmt::print("{} {}..{} ({} bytes)\n", what, list[i].offset, list[i].offset + list[i].size, list[i].size);
    if (list.size() > kMost) fmt::print("{} {} more ranges\n", what, list.size() - kMost);
  };
  if (plan.remedy == isobmff::Remedy::none) return;
  ranges("keeps", plan.kept);
  ranges("gives up", plan.given_up);
}

Json plan_json(const isobmff::RecoveryPlan &plan) {
  const auto ranges = [](const std::vector<isobmff::ByteRange> &list) {
    Json json = Json::array();
    for (const isobmff::ByteRange &range : list)
      json.push_back({{"offset", range.offset}, {"size", range.size}});
    return json;
  };
  Json tracks = Json::array();
  for (const isobmff::TrackRecovery &track : plan.tracks)
    tracks.push_back({{"id", track.id},
                      {"format", track.format},
                      {"kept", track.samples},
                      {"missing", track.missing},
                      {"rebuilt", track.rebuilt},
                      {"problem", track.problem}});
  constexpr const char *kRemedies[] = {"none", "headers", "movie"};
  return {{"remedy", kRemedies[static_cast<int>(plan.remedy)]},
          {"found", plan.found},
          {"tracks", tracks},
          {"kept", ranges(plan.kept)},
          {"given_up", ranges(plan.given_up)}};
}

int recover(const Options &options) {
  isobmff::RecoverOptions how;
  how.output = options.output;
  how.like = options.like;
  how.keep_fragments = options.keep_fragments;
  if (!how.output.empty() && std::filesystem::exists(how.output) &&
      std::filesystem::equivalent(how.output, options.file))
    return report(
        {ErrorCode::settings, "-o names the damaged file itself; without -o it is repaired in place"});
  auto plan = isobmff::plan_recovery(options.file, how);
  if (!plan) return report(plan.error());
  if (options.json)
    print(plan_json(*plan).dump(2) + "\n");
  else
    print_plan(*plan);
  const bool nothing = plan->remedy == isobmff::Remedy::none && plan->skipped == 0;
  if (!options.json && nothing)
    print(plan->found.empty() ? "the file is whole\n"
                              : "nothing would be gained: the file is left as it is\n");
  if (options.dry_run) return kDone;
  const auto done = isobmff::carry_out(*plan, options.file, how);
  if (!done) return report(done.error());
  if (options.json || (nothing && how.output.empty())) return kDone;
  fmt::print("{} fragments kept, {} bytes given up\n", done->fragments, done->cut_bytes);
  const bool headers = done->remedy == isobmff::Remedy::headers && how.output.empty();
  fmt::print("done ({}): {} bytes written\n", headers ? "headers in place" : name_of(done->placed.how),
             done->placed.bytes_written);
  return kDone;
}

Command add_verb(Command &atoms, const std::shared_ptr<Options> &options, const char *name, const char *help,
                 int (*action)(const Options &)) {
  Command verb = atoms.command(name, help);
  verb.option("FILE", options->file, "An MP4, MOV or fragmented MP4 file").required();
  verb.does([options, action] { return action(*options); });
  return verb;
}

} // namespace

void add_atoms(Command &program) {
  const auto options = std::make_shared<Options>();
  Command atoms = program.command("atoms", "Look into MP4 files and change them");
  atoms.needs_subcommand();
  Command ls = add_verb(atoms, options, "ls", "Print the tree of boxes: offset, size, type, fields", list);
  ls.flag("--json", options->json, "As JSON");
  ls.flag("--html", options->html, "As an HTML page");
  ls.flag("--fields", options->fields, "Every field on a line of its own, with its place");
  Command cat = add_verb(atoms, options, "cat", "Print a box or one of its fields", show);
  cat.option("PATH", options->path, "Like moov/trak[1]/tkhd or moov/trak[1]/tkhd.width").required();
  cat.flag("--json", options->json, "As JSON");
  Command set_field = add_verb(atoms, options, "set", "Set one field of a box", set);
  set_field.option("PATH", options->path, "Like moov/trak[1]/tkhd.width").required();
  set_field.option("VALUE", options->value, "As cat prints it; bytes as hex or text:…").required();
  Command add = add_verb(atoms, options, "insert", "Add a box", insert);
  add.option("PATH", options->path, "Its parent, / for the end of the file, or its neighbour").required();
  add.option("--box", options->box_file, "A file with the whole box");
  add.option("--hex", options->hex, "The whole box as hex digits");
  const Option before = add.flag("--before", options->before, "Put it before PATH");
  add.flag("--after", options->after, "Put it after PATH").excludes(before);
  Command remove = add_verb(atoms, options, "remove", "Take a box out", take_out);
  remove.option("PATH", options->path, "Like moov/udta").required();
  add_verb(atoms, options, "faststart", "Put moov in front of the media", fast_start);
  Command repair = add_verb(atoms, options, "recover", "Repair a file that was cut or damaged", recover);
  repair.option("-o,--output", options->output, "Write the repaired file there and leave FILE alone");
  repair.option("--like", options->like,
                "A good file of the same camera or encoder: finds samples without tables");
  repair.flag("--dry-run", options->dry_run, "Only say what is wrong and what would be kept");
  repair.flag("--keep-fragments", options->keep_fragments, "Leave a fragmented file fragmented");
  repair.flag("--json", options->json, "The plan as JSON");
  Command rules = add_verb(atoms, options, "check", "Ask a file the rules of ISO, QuickTime and CMAF", check);
  rules.flag("--cmaf", options->cmaf, "Ask the CMAF rules though no brand of the file says that it is CMAF");
  rules.flag("--json", options->json, "As JSON");
  cat.flag("--raw", options->raw, "The box's own bytes, header included");
}

} // namespace hull::tools
