#include "gst/tools/title.h"

#include "gst/ladder/search.h"
#include "gst/tools/files.h"
#include "gst/tools/ladder_json.h"
#include "gst/tools/report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hull::tools {
namespace {

// What a rendition's encoder, decoder and queues hold, measured: bytes per pixel of its size, and of the
// reference's where it is scaled up.
constexpr double kBytesPerPixel = 45;
constexpr double kMostMemory = 3e9;

// Whole groups spread over a long title: a film needs not be measured to its last picture to know its hull.
std::vector<Window> sample_windows(const Source &source) {
  constexpr double kLong = 600, kWindows = 16;
  const std::uint64_t group = source.gop(), length = 3 * group; // 6 s
  if (source.seconds < kLong || source.frames < length * static_cast<std::uint64_t>(kWindows) * 2) return {};
  std::vector<Window> windows;
  for (int i = 0; i < static_cast<int>(kWindows); ++i) {
    const double middle = static_cast<double>(source.frames) * (i + 0.5) / kWindows;
    windows.push_back({static_cast<std::uint64_t>(middle) / group * group, length});
  }
  return windows;
}

// The places of IDR pictures: every shot starts a group, and no group outlasts 2 s.
std::vector<std::uint64_t> key_pictures(const std::vector<std::uint64_t> &shots, const Source &source) {
  std::vector<std::uint64_t> keys;
  for (std::size_t s = 0; s < shots.size(); ++s) {
    const std::uint64_t end = s + 1 < shots.size() ? shots[s + 1] : source.frames;
    for (std::uint64_t key = shots[s]; key < end; key += source.gop())
      keys.push_back(key);
  }
  return keys;
}

} // namespace

Title::Title(TitleOptions options, const std::atomic<int> &stop)
    : options_(std::move(options)), stop_(stop), progress_(options_.style) {}

Result<void> Title::open() {
  auto source = probe(options_.file);
  if (!source) return tl::unexpected(source.error());
  if (auto made = make_folder(options_.out); !made) return made;
  auto cache = Cache::open(options_.out + "/cache");
  if (!cache) return tl::unexpected(cache.error());
  cache_ = std::move(*cache);
  recipe_.source = result_.source = std::move(*source);
  recipe_.model = options_.model;
  if (!std::isfinite(options_.rules.cap_bps))
    options_.rules.cap_bps = 1.5 * ladder::apple_top_bps(recipe_.source.display.height);
  return {};
}

Result<void> Title::scan_source() {
  const std::string key = sha256("scan 1 " HULL_VERSION " " + recipe_.source.identity);
  if (const auto known = cache_->get_json(key))
    if (auto scan = scan_from_json(*known)) result_.scan = *scan;
  if (result_.scan.pictures == 0) {
    const double expected = std::max<double>(1, static_cast<double>(recipe_.source.frames));
    progress_.phase("reading the source", expected * 0.02);
    auto scanned = scan(recipe_.source, stop_, [&](std::uint64_t n) { progress_.share(n / expected); });
    if (!scanned) return tl::unexpected(scanned.error());
    progress_.end_phase();
    result_.scan = *scanned;
    if (auto ok = cache_->put_json(key, to_json(*scanned)); !ok) return ok;
  }
  Source &s = recipe_.source;
  s.frames = result_.scan.pictures;
  s.seconds = result_.scan.seconds;
  s.variable_rate |= result_.scan.variable_rate;
  if (s.variable_rate && s.seconds > 0) { // the average decides the length of groups
    s.fps_n = static_cast<int>(std::lround(1000.0 * static_cast<double>(s.frames) / s.seconds));
    s.fps_d = 1000;
  }
  result_.source = s;
  return {};
}

const Record *Title::find(const ladder::Resolution &res, int qp) const {
  for (const Record &r : result_.records)
    if (r.res == res && r.qp == qp) return &r;
  return nullptr;
}

double Title::pictures_of(const Recipe &recipe) const {
  double pictures = 0;
  for (const Window &window : recipe.windows)
    pictures += static_cast<double>(window.count);
  return std::max(1.0, recipe.windows.empty() ? static_cast<double>(recipe.source.frames) : pictures);
}

// One graph, or several where all renditions at once would not fit into memory.
Result<void> Title::run_pass(const Recipe &recipe, const std::vector<Rendition> &renditions,
                             const std::string &name, std::vector<Record> &out) {
  for (std::size_t begin = 0; begin < renditions.size();) {
    double memory = 0;
    std::size_t end = begin;
    while (end < renditions.size() && (end == begin || memory < kMostMemory))
      memory += kBytesPerPixel * static_cast<double>(renditions[end++].res.pixels()) +
                9.0 * static_cast<double>(recipe.source.display.pixels());
    MeasureJob job{recipe.source, recipe.windows, {}, recipe.key_pictures, recipe.model, recipe.subsample};
    job.renditions.assign(renditions.begin() + static_cast<std::ptrdiff_t>(begin),
                          renditions.begin() + static_cast<std::ptrdiff_t>(end));
    progress_.phase(fmt::format("{} ({} encodes)", name, end - begin),
                    static_cast<double>(end - begin) * pictures_of(recipe));
    const double pictures = pictures_of(recipe);
    const auto measured =
        measure(job, stop_, [&](std::uint64_t n) { progress_.share(static_cast<double>(n) / pictures); });
    if (!measured) return tl::unexpected(measured.error());
    progress_.end_phase();
    for (std::size_t i = begin; i < end; ++i)
      out.push_back(record_of(key_of(recipe, renditions[i]), renditions[i], measured->renditions[i - begin],
                              measured->pictures, measured->seconds));
    begin = end;
  }
  return {};
}

Result<void> Title::measure_points(const std::vector<std::pair<ladder::Resolution, int>> &wanted,
                                   const std::string &name) {
  std::vector<Rendition> missing;
  for (const auto &[res, qp] : wanted) {
    if (find(res, qp)) continue;
    Rendition rendition{res, qp, {}, true, {}};
    ++result_.encodes;
    if (auto known = cache_->get(key_of(recipe_, rendition))) {
      ++result_.cached;
      result_.records.push_back(std::move(*known));
    } else {
      missing.push_back(std::move(rendition));
    }
  }
  std::vector<Record> fresh;
  if (auto ok = run_pass(recipe_, missing, name, fresh); !ok) return ok;
  for (Record &record : fresh) {
    if (auto ok = cache_->put(record); !ok) return ok;
    result_.records.push_back(std::move(record));
  }
  std::sort(result_.records.begin(), result_.records.end(),
            [](const Record &a, const Record &b) { return a.res == b.res ? a.qp < b.qp : a.res < b.res; });
  return {};
}

Result<void> Title::update_decision() {
  const std::span<const ladder::FixedRow> rows =
      options_.against.empty() ? ladder::apple_rows() : std::span<const ladder::FixedRow>(options_.against);
  auto decision = decide(result_.records, options_.pool, options_.rules, rows);
  if (!decision) return tl::unexpected(decision.error());
  result_.decision = std::move(*decision);
  return {};
}

std::size_t Title::second_round_size(std::size_t sizes, double seconds_per_encode) {
  std::size_t most = options_.quick ? (sizes + 1) / 2 : sizes;
  if (options_.budget_seconds <= 0) return most;
  // Six rungs follow; they are verified in full unless even that is too much.
  const double left = options_.budget_seconds - 6 * seconds_per_encode;
  while (most > 0 && left < static_cast<double>(most + 2 * sizes) * seconds_per_encode)
    --most;
  return most;
}

Result<void> Title::search() {
  const auto sizes = rung_sizes(recipe_.source.display, options_.heights);
  if (sizes.empty())
    return fail(ErrorCode::settings,
                fmt::format("no size of --res fits the source of {} lines", recipe_.source.display.height));
  recipe_.subsample = options_.quick ? 5 : 1;
  if (!options_.shots) recipe_.windows = sample_windows(recipe_.source);
  if (options_.shots) recipe_.key_pictures = key_pictures(result_.scan.shots, recipe_.source);
  const auto pairs = [](const std::vector<ladder::Probe> &probes) {
    std::vector<std::pair<ladder::Resolution, int>> wanted;
    for (const ladder::Probe &probe : probes)
      wanted.emplace_back(probe.res, probe.qp);
    return wanted;
  };
  const double whole = static_cast<double>(recipe_.source.frames);
  if (!options_.qps.empty()) {
    std::vector<std::pair<ladder::Resolution, int>> wanted;
    for (const ladder::Resolution &res : sizes)
      for (const int qp : options_.qps)
        wanted.emplace_back(res, qp);
    progress_.plan(pictures_of(recipe_) * static_cast<double>(wanted.size()) + 4 * whole);
    if (auto ok = measure_points(wanted, "measuring"); !ok) return ok;
  } else {
    progress_.plan(pictures_of(recipe_) * 3 * static_cast<double>(sizes.size()) + 4 * whole);
    const auto start = std::chrono::steady_clock::now();
    if (auto ok = measure_points(pairs(ladder::first_round(sizes)), "measuring, round 1"); !ok) return ok;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const std::size_t most =
        second_round_size(sizes.size(), spent.count() / (2.0 * static_cast<double>(sizes.size())));
    std::vector<ladder::Point> points;
    for (const Record &record : result_.records)
      points.push_back(record.point(options_.pool));
    const auto more = ladder::second_round(sizes, points, options_.rules, most);
    if (auto ok = measure_points(pairs(more), "measuring, round 2"); !ok) return ok;
  }
  if (options_.shots) return plan_shots();
  return update_decision();
}

// The slices of every record that belong to each shot become that shot's points.
Result<void> Title::plan_shots() {
  if (auto ok = update_decision(); !ok) return ok;
  const auto &starts = result_.scan.shots;
  const double fps = recipe_.source.fps();
  std::vector<ladder::Shot> shots;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const std::uint64_t begin = starts[s],
                        end = s + 1 < starts.size() ? starts[s + 1] : recipe_.source.frames;
    ladder::Shot shot{static_cast<double>(end - begin) / fps, {}};
    for (const Record &r : result_.records) {
      double bytes = 0;
      for (std::uint64_t i = begin; i < end && i < r.sizes.size(); ++i)
        bytes += r.sizes[i];
      const std::uint64_t step = recipe_.subsample;
      std::vector<double> scores;
      for (std::uint64_t i = (begin + step - 1) / step; i < (end + step - 1) / step && i < r.vmaf.size(); ++i)
        scores.push_back(r.vmaf[i]);
      if (!scores.empty())
        shot.points.push_back({r.res, r.qp, bytes * 8 / shot.seconds, pooled(scores, Pool::mean)});
    }
    shots.push_back(std::move(shot));
  }
  constexpr std::size_t kPlans = 80; // per size
  std::vector<ladder::Point> points;
  for (const ladder::Curve &curve : result_.decision.curves) {
    auto plans = ladder::thinned(ladder::shot_plans(shots, curve.res()), kPlans);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      plans[i].point.qp = kFirstPlan + static_cast<int>(plans.size() - 1 - i); // rising as the rate falls
      points.push_back(plans[i].point);
      plans_.push_back(plans[i]);
    }
  }
  const auto curves = ladder::fit_curves(points);
  auto chosen = ladder::choose(curves, options_.rules);
  if (!chosen) return tl::unexpected(chosen.error());
  for (ladder::Rung &rung : *chosen)
    rung.why += fmt::format("; {} shots, each at its own quantizer", shots.size());
  result_.decision.ladder = std::move(*chosen);
  result_.decision.frontier = ladder::frontier(curves);
  result_.decision.curves = curves;
  return {};
}

Result<void> Title::package() {
  std::string audio;
  if (recipe_.source.audio) {
    audio = "audio.mp4";
    const std::string path = options_.out + "/" + audio;
    const std::string key = sha256("audio 1 " HULL_VERSION " " + recipe_.source.identity);
    std::error_code gone;
    const auto known = cache_->get_json(key);
    if (!known || known->value("bytes", std::uint64_t{0}) != std::filesystem::file_size(path, gone) || gone) {
      progress_.phase("packaging the sound", pictures_of({recipe_.source}) * 0.05);
      if (auto ok = package_audio(recipe_.source, path, stop_); !ok) return ok;
      progress_.end_phase();
      if (auto ok = cache_->put_json(key, {{"bytes", std::filesystem::file_size(path, gone)}}); !ok)
        return ok;
    }
  }
  std::vector<std::string> videos;
  for (const FinalRung &rung : result_.rungs)
    videos.push_back(rung.record.media);
  auto written = write_manifests(options_.out, videos, audio);
  if (!written) return tl::unexpected(written.error());
  result_.package = std::move(*written);
  std::vector<ladder::RungFacts> facts;
  for (FinalRung &rung : result_.rungs)
    for (const PackagedRung &packaged : result_.package.rungs)
      if (packaged.file == rung.record.media) {
        rung.facts = packaged.facts;
        rung.facts.res = rung.record.res;
        facts.push_back(rung.facts);
      }
  result_.checks = ladder::authoring_checks(facts);
  remove_leftovers();
  return {};
}

Result<void> Title::still_the_same() const {
  const auto identity = identity_of(options_.file);
  if (!identity) return tl::unexpected(identity.error());
  if (*identity == recipe_.source.identity) return {};
  return fail(ErrorCode::bad_data,
              options_.file + " changed while it was measured; wait until it is complete and run again");
}

Result<TitleResult> Title::analyze() {
  using Step = Result<void> (Title::*)();
  for (const Step step : {&Title::open, &Title::scan_source, &Title::search})
    if (auto ok = (this->*step)(); !ok) return tl::unexpected(ok.error());
  if (auto same = still_the_same(); !same) return tl::unexpected(same.error());
  if (auto ok = write_points(result_, options_); !ok) return tl::unexpected(ok.error());
  return result_;
}

Result<TitleResult> Title::run() {
  if (auto analyzed = analyze(); !analyzed) return analyzed;
  using Step = Result<void> (Title::*)();
  for (const Step step : {&Title::encode_rungs, &Title::package})
    if (auto ok = (this->*step)(); !ok) return tl::unexpected(ok.error());
  if (auto same = still_the_same(); !same) return tl::unexpected(same.error());
  if (auto ok = write_points(result_, options_); !ok) return tl::unexpected(ok.error());
  if (auto ok = write_ladder(result_, options_); !ok) return tl::unexpected(ok.error());
  if (auto ok = write_report(result_, options_); !ok) return tl::unexpected(ok.error());
  return result_;
}

} // namespace hull::tools
