#include "gst/tools/title/title.h"

#include "gst/ladder/search.h"
#include "gst/tools/support/files.h"
#include "gst/tools/title/encode_plan.h"
#include "gst/tools/title/ladder_json.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace hull::tools {
namespace {

// What killed runs left unfinished.
void remove_parts_of_files(const std::string &folder) {
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".part") std::filesystem::remove(entry.path(), ignored);
}

} // namespace

Title::Title(TitleOptions options, Engine &engine, const std::atomic<int> &stop)
    : options_(std::move(options)), engine_(engine), stop_(stop), progress_(options_.style) {}

Title::~Title() {
  if (lock_ >= 0) ::close(lock_);
}

// Two runs in one folder would remove each other's files. The lock goes with the process, however it ends.
Result<void> Title::lock_folder() {
  const std::string path = options_.out + "/.lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) return tl::unexpected(file_error(errno, "write", path));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return fail(ErrorCode::state,
                options_.out + " is being worked on by another run; wait for it, or name another folder");
  return {};
}

Result<void> Title::open() {
  auto source = probe(options_.file);
  if (!source) return tl::unexpected(source.error());
  if (auto scorable = check_scorable(*source); !scorable) return scorable;
  for (const std::string folder : {"", "/tasks", "/parts"})
    if (auto made = make_folder(options_.out + folder); !made) return made;
  if (auto locked = lock_folder(); !locked) return locked;
  // Tasks are done with the folder as the current one, maybe elsewhere.
  options_.out = std::filesystem::canonical(options_.out);
  source->path = std::filesystem::absolute(options_.file);
  auto cache = Cache::open(options_.out + "/cache");
  if (!cache) return tl::unexpected(cache.error());
  cache_ = std::move(*cache);
  for (const char *folder : {"", "/cache", "/parts", "/tasks"})
    remove_parts_of_files(options_.out + folder);
  source_ = std::move(*source);
  own_cap_ = !std::isfinite(options_.rules.cap_bps);
  if (own_cap_) options_.rules.cap_bps = usual_cap(source_.display.height, {}, options_.rules);
  return {};
}

// Where the work will last, so that the time it takes can be told from the start.
Result<void> Title::try_out_source() {
  constexpr double kLong = 120e6, kShare = 0.01, kMost = 12e6; // microseconds of a core
  if (!engine_.is_here()) return {};
  const std::string key = sha256("trial 1 " HULL_VERSION " " + source_.identity);
  if (const auto known = cache_->get_json(key)) {
    if (const auto trial = trial_from_json(*known)) trial_ = *trial;
  } else {
    const double expected = search_work(3) + rungs_work();
    if (expected < kLong) return {};
    const double work = std::min(expected * kShare, kMost);
    progress_.remaining(expected + work);
    progress_.phase("trying some pictures", work, true);
    const auto trial = try_out(source_, rung_sizes(source_.display, options_.heights), options_.rules,
                               own_cap_, options_.model, work, stop_);
    progress_.end_phase();
    if (!trial) return stop_.load() ? Result<void>(tl::unexpected(trial.error())) : Result<void>();
    trial_ = *trial;
    if (auto ok = cache_->put_json(key, to_json(trial_)); !ok) return ok;
  }
  progress_.expect(1e-6 / engine_.workers());
  return {};
}

Result<void> Title::scan_source() {
  const std::string key = sha256("scan 2 " HULL_VERSION " " + source_.identity);
  if (const auto known = cache_->get_json(key))
    if (auto scan = scan_from_json(*known)) result_.scan = *scan;
  if (result_.scan.pictures == 0) {
    const double expected = std::max<double>(1, static_cast<double>(source_.frames));
    progress_.remaining(work_of(source_, source_.frames, {}) + search_work(3) + rungs_work());
    progress_.phase("reading the source", work_of(source_, source_.frames, {}), true);
    auto scanned =
        scan(source_, stop_, [&](std::uint64_t n) { progress_.share(static_cast<double>(n) / expected); });
    if (!scanned) return tl::unexpected(scanned.error());
    progress_.end_phase();
    result_.scan = *scanned;
    if (auto ok = cache_->put_json(key, to_json(*scanned)); !ok) return ok;
  }
  Source &s = source_;
  s.frames = result_.scan.pictures;
  s.seconds = result_.scan.seconds;
  s.start_ns = result_.scan.start_ns;
  s.steady = result_.scan.steady;
  s.variable_rate |= result_.scan.variable_rate;
  if (s.variable_rate && s.seconds > 0) { // the average decides the length of groups
    s.fps_n = static_cast<int>(std::lround(1000.0 * static_cast<double>(s.frames) / s.seconds));
    s.fps_d = 1000;
  }
  result_.source = s;
  result_.source.path = options_.file;
  cut_into_parts();
  return {};
}

// What is asked for point by point is scored picture by picture, and so are shots, whose slices are short. A
// search only has to find its rungs, which are scored in full.
unsigned Title::search_step() const {
  constexpr unsigned kSearch = 3, kQuick = 5, kLeastScored = 12; // odd steps meet all frame types
  const bool searching = options_.qps.empty() && !options_.shots;
  const unsigned step = options_.quick ? kQuick : searching ? kSearch : 1;
  return source_.frames < std::uint64_t{step} * kLeastScored ? 1 : step;
}

void Title::cut_into_parts() {
  subsample_ = search_step();
  static const std::vector<std::uint64_t> kOneShot = {0};
  const auto groups =
      group_starts(options_.shots ? result_.scan.shots : kOneShot, source_.frames, source_.gop());
  parts_ = parts_of(source_, groups, 1);
  // Shots are planned one by one, so all of them are measured.
  samples_ =
      options_.shots ? parts_of(source_, groups, subsample_) : sample_parts(source_, groups, subsample_);
  std::uint64_t pictures = 0;
  for (const Part &part : samples_)
    pictures += part.window.count;
  samples_were_taken_ = pictures != source_.frames;
}

const Record *Title::find(const ladder::Resolution &res, int qp) const {
  for (const Record &r : result_.records)
    if (r.res == res && r.qp == qp) return &r;
  return nullptr;
}

Result<void> Title::measure_points(const Wanted &wanted, const std::string &name) {
  std::vector<Rendition> renditions;
  for (const auto &[res, qp] : wanted)
    if (!find(res, qp)) renditions.push_back({res, qp, {}, true, {}});
  result_.encodes += static_cast<unsigned>(renditions.size());
  auto records = collect(samples_, subsample_, renditions, name);
  if (!records) return tl::unexpected(records.error());
  for (Record &record : *records)
    result_.records.push_back(std::move(record));
  std::sort(result_.records.begin(), result_.records.end(),
            [](const Record &a, const Record &b) { return a.res == b.res ? a.qp < b.qp : a.res < b.res; });
  return {};
}

Result<void> Title::update_decision() {
  std::vector<ladder::Point> points;
  for (const Record &record : result_.records)
    points.push_back(record.point(options_.pool));
  if (own_cap_)
    options_.rules.cap_bps = usual_cap(source_.display.height, ladder::fit_curves(points), options_.rules);
  const std::span<const ladder::FixedRow> rows =
      options_.against.empty() ? ladder::apple_rows() : std::span<const ladder::FixedRow>(options_.against);
  auto decision = decide(result_.records, options_.pool, options_.rules, rows);
  if (!decision) {
    Error error = decision.error();
    if (error.code == ErrorCode::settings && source_.frames < source_.gop())
      error.text +=
          fmt::format("; or name a longer clip: {} of {} pictures is hardly more than its key picture, "
                      "and nothing evens out what that costs",
                      source_.path, source_.frames);
    return tl::unexpected(error);
  }
  result_.decision = std::move(*decision);
  return {};
}

std::size_t Title::second_round_size(std::size_t sizes, double seconds_spent) const {
  std::size_t most = options_.quick ? (sizes + 1) / 2 : sizes;
  if (options_.budget_seconds <= 0) return most;
  // The first round tells what a unit of work takes here; the rungs are not negotiable.
  const double per_unit = seconds_spent / search_work(2);
  const double left = options_.budget_seconds - progress_.seconds() - rungs_work() * per_unit;
  while (most > 0 &&
         left < search_work(1) / static_cast<double>(sizes) * static_cast<double>(most) * per_unit)
    --most;
  return most;
}

Result<void> Title::search() {
  const auto sizes = rung_sizes(source_.display, options_.heights);
  if (sizes.empty())
    return fail(ErrorCode::settings,
                fmt::format("no size of --res fits the source of {} lines", source_.display.height));
  Wanted wanted;
  if (!options_.qps.empty()) {
    for (const ladder::Resolution &res : sizes)
      for (const int qp : options_.qps)
        wanted.emplace_back(res, qp);
    progress_.remaining(search_work(options_.qps.size()) + rungs_work());
    if (auto ok = measure_points(wanted, "measuring"); !ok) return ok;
    return options_.shots ? plan_shots() : update_decision();
  }
  progress_.remaining(search_work(3) + rungs_work());
  const double before = progress_.seconds();
  for (const ladder::Probe &probe : ladder::first_round(sizes))
    wanted.emplace_back(probe.res, probe.qp);
  if (auto ok = measure_points(wanted, "measuring, round 1"); !ok) return ok;
  const std::size_t most = second_round_size(sizes.size(), progress_.seconds() - before);
  std::vector<ladder::Point> points;
  for (const Record &record : result_.records)
    points.push_back(record.point(options_.pool));
  wanted.clear();
  for (const ladder::Probe &probe : ladder::second_round(sizes, points, options_.rules, most))
    wanted.emplace_back(probe.res, probe.qp);
  if (auto ok = measure_points(wanted, "measuring, round 2"); !ok) return ok;
  return options_.shots ? plan_shots() : update_decision();
}

Result<void> Title::plan_shots() {
  if (auto ok = update_decision(); !ok) return ok;
  const auto shots = points_of_shots(result_.records, result_.scan.shots, source_.frames, source_.fps());
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
  plan_curves_ = ladder::fit_curves(points);
  return choose_again();
}

// From what is known by now, and for plans under a cap that may have become lower.
Result<void> Title::choose_again() {
  if (plans_.empty()) return update_decision();
  if (own_cap_) options_.rules.cap_bps = usual_cap(source_.display.height, plan_curves_, options_.rules);
  auto chosen = ladder::choose(plan_curves_, options_.rules);
  if (!chosen) return tl::unexpected(chosen.error());
  for (ladder::Rung &rung : *chosen)
    rung.why += fmt::format("; {} shots, each at its own quantizer", result_.scan.shots.size());
  result_.decision.ladder = std::move(*chosen);
  result_.decision.frontier = ladder::frontier(plan_curves_);
  result_.decision.curves = plan_curves_;
  return {};
}

Result<void> Title::package() {
  std::string audio;
  if (source_.audio) {
    audio = "audio.mp4";
    const std::string path = options_.out + "/" + audio;
    const std::string key = sha256("audio 1 " HULL_VERSION " " + source_.identity);
    std::error_code gone;
    const auto known = cache_->get_json(key);
    if (!known || known->value("bytes", std::uint64_t{0}) != std::filesystem::file_size(path, gone) || gone) {
      progress_.phase("packaging the sound", work_of(source_, source_.frames, {}) / 20);
      if (auto ok = package_audio(source_, path, stop_); !ok) return ok;
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
  if (*identity == source_.identity) return {};
  return fail(ErrorCode::bad_data,
              options_.file + " changed while it was measured; wait until it is complete and run again");
}

Result<TitleResult> Title::analyze() {
  using Step = Result<void> (Title::*)();
  for (const Step step : {&Title::open, &Title::try_out_source, &Title::scan_source, &Title::search})
    if (auto ok = (this->*step)(); !ok) return tl::unexpected(ok.error());
  if (auto same = still_the_same(); !same) return tl::unexpected(same.error());
  if (auto ok = write_points(result_, options_); !ok) return tl::unexpected(ok.error());
  return result_;
}

Result<TitleResult> Title::run(const Report &report) {
  if (auto analyzed = analyze(); !analyzed) return analyzed;
  using Step = Result<void> (Title::*)();
  for (const Step step : {&Title::encode_rungs, &Title::package})
    if (auto ok = (this->*step)(); !ok) return tl::unexpected(ok.error());
  if (auto same = still_the_same(); !same) return tl::unexpected(same.error());
  if (auto ok = write_points(result_, options_); !ok) return tl::unexpected(ok.error());
  if (auto ok = report(result_, options_); !ok) return tl::unexpected(ok.error());
  if (auto ok = write_ladder(result_, options_); !ok) return tl::unexpected(ok.error());
  return result_;
}

} // namespace hull::tools
