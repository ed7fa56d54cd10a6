#include "gst/tools/title.h"

#include "gst/tools/files.h"
#include "gst/tools/ladder_json.h"
#include "gst/tools/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hull::tools {
namespace {

// An encode of the delivery size that came out this far from its estimate makes the choice be made again.
constexpr double kSurprise = 1.5; // VMAF
constexpr int kRounds = 3;

// What a rendition's encoder, decoder and queues hold, measured: bytes per pixel of its size, and of the
// reference's where it is scaled up.
constexpr double kBytesPerPixel = 45;
constexpr double kMostMemory = 3e9;

std::string media_name(const ladder::Resolution &res, int qp) {
  return fmt::format("video_{}_qp{:02}.mp4", name_of(res), qp);
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

double Title::work_of(std::size_t renditions) const {
  return static_cast<double>(recipe_.source.frames) * static_cast<double>(renditions);
}

// One graph, or several where all renditions at once would not fit into memory.
Result<void> Title::run_pass(const std::vector<Rendition> &renditions, const std::string &name,
                             std::vector<Record> &out) {
  for (std::size_t begin = 0; begin < renditions.size();) {
    double memory = 0;
    std::size_t end = begin;
    while (end < renditions.size() && (end == begin || memory < kMostMemory))
      memory += kBytesPerPixel * static_cast<double>(renditions[end++].res.pixels()) +
                9.0 * static_cast<double>(recipe_.source.display.pixels());
    MeasureJob job{recipe_.source,       recipe_.window, {},
                   recipe_.key_pictures, recipe_.model,  recipe_.subsample};
    job.renditions.assign(renditions.begin() + static_cast<std::ptrdiff_t>(begin),
                          renditions.begin() + static_cast<std::ptrdiff_t>(end));
    progress_.phase(fmt::format("{} ({} encodes)", name, end - begin), work_of(end - begin));
    const double pictures = std::max<double>(1, static_cast<double>(recipe_.source.frames));
    const auto measured =
        measure(job, stop_, [&](std::uint64_t n) { progress_.share(static_cast<double>(n) / pictures); });
    if (!measured) return tl::unexpected(measured.error());
    progress_.end_phase();
    for (std::size_t i = begin; i < end; ++i)
      out.push_back(record_of(key_of(recipe_, renditions[i]), renditions[i], measured->renditions[i - begin],
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
  if (auto ok = run_pass(missing, name, fresh); !ok) return ok;
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

Result<void> Title::search() {
  const auto sizes = rung_sizes(recipe_.source.display, options_.heights);
  std::vector<std::pair<ladder::Resolution, int>> wanted;
  for (const ladder::Resolution &res : sizes)
    for (const int qp : options_.qps)
      wanted.emplace_back(res, qp);
  progress_.plan(work_of(wanted.size()) * 1.3);
  if (auto ok = measure_points(wanted, "measuring"); !ok) return ok;
  return update_decision();
}

// Encodes the rungs that have no file yet. True: all came out as estimated.
Result<bool> Title::encode_ladder() {
  std::vector<Rendition> missing;
  std::vector<Record> verified;
  const auto path_of = [&](const std::string &name) { return options_.out + "/" + name; };
  for (const ladder::Rung &rung : result_.decision.ladder) {
    const std::string name = media_name(rung.point.res, rung.point.qp);
    Rendition rendition{rung.point.res,
                        rung.point.qp,
                        {},
                        find(rung.point.res, rung.point.qp) == nullptr,
                        path_of(name) + ".part"};
    const auto known = cache_->get(key_of(recipe_, rendition));
    std::error_code gone;
    if (known && std::filesystem::file_size(path_of(name), gone) == known->media_bytes && !gone)
      verified.push_back(*known);
    else
      missing.push_back(std::move(rendition));
  }
  std::vector<Record> fresh;
  if (auto ok = run_pass(missing, "encoding the ladder", fresh); !ok) {
    for (const Rendition &r : missing)
      ::unlink(r.media.c_str());
    return tl::unexpected(ok.error());
  }
  for (Record &record : fresh) {
    record.media = media_name(record.res, record.qp);
    std::error_code error;
    record.media_bytes = std::filesystem::file_size(path_of(record.media) + ".part", error);
    if (error || std::rename((path_of(record.media) + ".part").c_str(), path_of(record.media).c_str()) != 0)
      return tl::unexpected(file_error(error ? error.value() : errno, "write", path_of(record.media)));
    if (auto ok = cache_->put(record); !ok) return tl::unexpected(ok.error());
    verified.push_back(std::move(record));
  }
  bool as_expected = true;
  for (Record &record : verified) {
    if (const Record *point = find(record.res, record.qp)) {
      record.vmaf = point->vmaf; // measured before: the encoder gives the same pictures for the same input
    } else {
      for (const ladder::Rung &rung : result_.decision.ladder)
        if (rung.point.res == record.res && rung.point.qp == record.qp)
          as_expected &= std::abs(rung.point.quality - pooled(record.vmaf, options_.pool)) <= kSurprise;
    }
  }
  // The verified encodes are points like any other, and better than the estimates they replace.
  for (const Record &record : verified)
    if (!find(record.res, record.qp)) {
      result_.records.push_back(record);
      result_.records.back().media.clear();
    }
  media_ = std::move(verified);
  return as_expected;
}

Result<void> Title::encode_rungs() {
  for (int round = 0; round < kRounds; ++round) {
    const auto settled = encode_ladder();
    if (!settled) return tl::unexpected(settled.error());
    const auto before = result_.decision.ladder;
    if (*settled || round + 1 == kRounds) break;
    if (auto ok = update_decision(); !ok) return ok;
  }
  // Rates and qualities of the rungs are now those of the files.
  for (const ladder::Rung &rung : result_.decision.ladder)
    for (const Record &record : media_)
      if (record.res == rung.point.res && record.qp == rung.point.qp) {
        FinalRung final{rung, record, {}};
        final.rung.point = record.point(options_.pool);
        final.rung.measured = true;
        result_.rungs.push_back(std::move(final));
      }
  std::sort(result_.rungs.begin(), result_.rungs.end(),
            [](const FinalRung &a, const FinalRung &b) { return a.rung.point.bps > b.rung.point.bps; });
  result_.decision.ladder.clear();
  std::vector<ladder::Point> rungs;
  for (const FinalRung &final : result_.rungs) {
    result_.decision.ladder.push_back(final.rung);
    rungs.push_back(final.rung.point);
  }
  result_.decision.saving = ladder::savings(result_.decision.fixed, result_.decision.frontier, rungs);
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
      progress_.phase("packaging the sound", work_of(1) * 0.05);
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
