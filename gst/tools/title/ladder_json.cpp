#include "gst/tools/title/ladder_json.h"

#include "gst/tools/media/source_json.h"
#include "gst/tools/support/files.h"
#include "gst/tools/title/cache.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::tools {
namespace {

double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

bool contains(const std::vector<std::size_t> &list, std::size_t i) {
  return std::find(list.begin(), list.end(), i) != list.end();
}

Json cross_json(const ladder::CrossOver &c) {
  Json all = Json::array();
  for (const ladder::Crossing &x : c.all)
    all.push_back(
        {{"kbps", rounded(x.bps / 1000, 10)}, {"vmaf", rounded(x.quality, 100)}, {"to_larger", x.to_larger}});
  Json out = {{"from", c.smaller.height}, {"to", c.larger.height}, {"text", text_of(c)}, {"all", all}};
  if (c.kind == ladder::CrossKind::found) {
    out["kbps"] = rounded(c.use.bps / 1000, 10);
    out["vmaf"] = rounded(c.use.quality, 100);
  }
  return out;
}

Json rung_json(const FinalRung &f, const TitleOptions &) {
  const RenditionResult &r = f.result;
  return {{"width", r.res.width},
          {"height", r.res.height},
          {"qp", r.qp},
          {"kbps", rounded(r.bps() / 1000, 10)},
          {"vmaf", rounded(pooled(r.vmaf, Pool::mean), 1e4)},
          {"vmaf_harmonic_mean", rounded(pooled(r.vmaf, Pool::harmonic_mean), 1e4)},
          {"vmaf_p5", rounded(pooled(r.vmaf, Pool::p5), 1e4)},
          {"vmaf_min", rounded(percentile(r.vmaf, 0), 1e4)},
          {"bandwidth", f.facts.declared_bandwidth},
          {"average_bandwidth", f.facts.declared_average},
          {"peak_kbps", rounded(f.facts.peak_bps / 1000, 10)},
          {"file", r.media},
          {"why", f.rung.why},
          {"key", r.key}};
}

} // namespace

Json ladder_json(const TitleResult &result, const TitleOptions &options) {
  const Decision &d = result.decision;
  Json rungs = Json::array(), crosses = Json::array(), fixed = Json::array(), checks = Json::array();
  for (const FinalRung &f : result.rungs)
    rungs.push_back(rung_json(f, options));
  for (const ladder::CrossOver &c : d.crosses)
    crosses.push_back(cross_json(c));
  for (const ladder::FixedResult &f : d.fixed)
    fixed.push_back({{"kbps", f.row.bps / 1000},
                     {"height", f.row.height},
                     {"measured_at", f.res.height},
                     {"reachable", f.reachable},
                     {"past_range", f.past_range},
                     {"vmaf", rounded(f.quality, 100)},
                     {"needed_kbps", rounded(f.needed_bps / 1000, 10)}});
  for (const ladder::Check &c : result.checks)
    checks.push_back({{"rule", c.rule}, {"must", c.must}, {"passed", c.passed}, {"detail", c.detail}});
  Json saving = {{"against", options.against_name}};
  if (!d.saving.note.empty()) {
    saving["note"] = d.saving.note;
  } else {
    saving["bits_at_equal_vmaf_percent"] = rounded(d.saving.rate_percent, 100);
    saving["all_rungs_percent"] = rounded(d.saving.storage_percent, 100);
    if (d.saving.bd_note.empty())
      saving["bd_rate_percent"] = rounded(d.saving.bd.percent, 100);
    else
      saving["bd_rate_note"] = d.saving.bd_note;
  }
  return {{"version", HULL_VERSION},
          {"source", source_json(result.source)},
          {"model", options.model},
          {"scaler", "hullscale bicubic down and up"},
          {"encoder", "hullh264enc rate-control=cqp, High, one IDR picture every 2 s"},
          {"encodes_to_decide", result.encodes},
          {"ladder", rungs},
          {"cross_overs", crosses},
          {"fixed_ladder", fixed},
          {"saving", saving},
          {"checks", checks}};
}

Result<void> write_points(const TitleResult &result, const TitleOptions &options) {
  std::string csv =
      "width,height,qp,bytes,kbps,vmaf_mean,vmaf_harmonic_mean,vmaf_p5,vmaf_min,pictures,on_hull,"
      "on_log_hull,rung\n";
  Json points = Json::array();
  for (std::size_t i = 0; i < result.measured.size(); ++i) {
    const RenditionResult &r = result.measured[i];
    const bool rung = std::any_of(result.decision.ladder.begin(), result.decision.ladder.end(),
                                  [&](const auto &x) { return x.point.res == r.res && x.point.qp == r.qp; });
    const bool known = i < result.decision.points.size();
    const std::vector<double> scores = r.scores();
    csv += fmt::format("{},{},{},{},{:.3f},{:.6f},{:.6f},{:.6f},{:.6f},{},{:d},{:d},{:d}\n", r.res.width,
                       r.res.height, r.qp, r.bytes(), r.bps() / 1000, pooled(scores, Pool::mean),
                       pooled(scores, Pool::harmonic_mean), pooled(scores, Pool::p5), percentile(scores, 0),
                       r.pictures, known && contains(result.decision.hull_linear, i),
                       known && contains(result.decision.hull_log, i), rung);
    points.push_back({{"width", r.res.width},
                      {"height", r.res.height},
                      {"qp", r.qp},
                      {"pictures", r.pictures},
                      {"seconds", r.seconds},
                      {"sizes", r.sizes},
                      {"vmaf", r.vmaf},
                      {"scored", r.scored},
                      {"key", r.key}});
  }
  const Json whole = {{"version", HULL_VERSION},
                      {"source", source_json(result.source)},
                      {"model", options.model},
                      {"shots", result.scan.shots},
                      {"points", points}};
  if (auto ok = write_file(options.out + "/points.csv", csv); !ok) return ok;
  return write_file(options.out + "/points.json", whole.dump() + "\n");
}

Result<void> write_ladder(const TitleResult &result, const TitleOptions &options) {
  return write_file(options.out + "/ladder.json", ladder_json(result, options).dump(2) + "\n");
}

Result<TitleResult> load_points(const std::string &folder) {
  const auto text = read_file(folder + "/points.json");
  if (!text)
    return fail(text.error().code,
                text.error().text + "; measure a title first with gst-hull-1.0 pertitle FILE -o " + folder);
  const auto whole = Json::parse(*text);
  TitleResult result;
  try {
    auto source = source_from_json(whole.at("source"));
    if (!source) return tl::unexpected(source.error());
    result.source = std::move(*source);
    result.scan.shots = whole.at("shots").list<std::uint64_t>();
    for (const auto &p : whole.at("points")) {
      RenditionResult r;
      r.key = p.at("key").get<std::string>();
      r.res = {p.at("width").get<unsigned>(), p.at("height").get<unsigned>()};
      r.qp = p.at("qp").get<int>();
      r.pictures = p.at("pictures").get<std::uint64_t>();
      r.seconds = p.at("seconds").get<double>();
      r.sizes = p.at("sizes").list<std::uint32_t>();
      r.vmaf = p.at("vmaf").list<double>();
      r.scored = p.at("scored").list<std::uint64_t>();
      result.measured.push_back(std::move(r));
    }
  } catch (const JsonError &) {
    return fail(ErrorCode::bad_data,
                folder + "/points.json is damaged; run the measurement again, it is cached");
  }
  return result;
}

Result<TitleResult> load_result(const std::string &folder) {
  auto title = load_points(folder);
  if (!title) return title;
  const auto text = read_file(folder + "/ladder.json");
  if (!text) return tl::unexpected(text.error());
  const auto cache = Cache::open(folder + "/cache");
  if (!cache) return tl::unexpected(cache.error());
  const auto whole = Json::parse(*text);
  std::vector<std::string> videos;
  std::string audio;
  try {
    title->encodes = whole.at("encodes_to_decide").get<unsigned>();
    for (const auto &r : whole.at("ladder")) {
      const auto encoded = cache->get(r.at("key").get<std::string>());
      if (!encoded)
        return fail(ErrorCode::not_found, folder + "/cache lost the scores of " +
                                              r.at("file").get<std::string>() + "; run the title again");
      FinalRung rung{{encoded->point(Pool::mean), true, r.at("why").get<std::string>()}, *encoded, {}};
      if (rung.result.vmaf.empty())
        for (const RenditionResult &point : title->measured)
          if (point.res == encoded->res && point.qp == encoded->qp) rung.result.vmaf = point.vmaf;
      videos.push_back(encoded->media);
      title->rungs.push_back(std::move(rung));
    }
    if (!whole.at("source").at("audio").get<std::string>().empty()) audio = "audio.mp4";
  } catch (const JsonError &) {
    return fail(ErrorCode::bad_data,
                folder + "/ladder.json is damaged; run the title again, its points are cached");
  }
  auto package = write_manifests(folder, videos, audio);
  if (!package) return tl::unexpected(package.error());
  title->package = std::move(*package);
  std::vector<ladder::RungFacts> facts;
  for (std::size_t i = 0; i < title->rungs.size() && i < title->package.rungs.size(); ++i) {
    title->rungs[i].facts = title->package.rungs[i].facts;
    facts.push_back(title->rungs[i].facts);
  }
  title->checks = ladder::authoring_checks(facts);
  return title;
}

} // namespace hull::tools
