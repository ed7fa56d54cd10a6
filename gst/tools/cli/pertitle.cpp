#include "gst/core/number.h"
#include "gst/tools/cli/commands.h"
#include "gst/tools/engine/engines.h"
#include "gst/tools/report/title_report.h"
#include "gst/tools/support/command.h"
#include "gst/tools/support/files.h"
#include "gst/tools/title/ladder_json.h"
#include "gst/tools/title/title.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>

namespace hull::tools {
namespace {

constexpr int kInterrupted = 130; // what shells expect after Ctrl-C

std::atomic<int> g_stop{0}; // the only thing a signal handler may touch
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int number) {
  // Once: end the pass in order. Twice: at once; the cache stays whole, since it is written by renaming.
  if (g_stop.fetch_add(1) > 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

struct Arguments {
  TitleOptions title;
  EngineOptions engine;
  double cap_kbps = 0;
  std::string pool = "mean", progress = "auto", against, budget;
  bool grid = false;
};

// "10min", "90s", "1.5h"; a bare number counts seconds. Nothing when it is no duration.
std::optional<double> seconds_of(const std::string &text) {
  std::string_view unit = text;
  const auto value = take_number<double>(unit);
  if (!value || !(*value > 0)) return std::nullopt;
  if (unit.empty() || unit == "s") return *value;
  if (unit == "min" || unit == "m") return *value * 60;
  if (unit == "h") return *value * 3600;
  return std::nullopt;
}

Error usage(const std::string &text) {
  return {ErrorCode::settings, text + "; gst-hull-1.0 pertitle --help lists what there is"};
}

int show(const TitleResult &title, const Arguments &arguments, bool only_points) {
  const std::string &out = arguments.title.out;
  fmt::print("{}\n", table_of(title.decision));
  for (const ladder::CrossOver &cross : title.decision.crosses)
    fmt::print("{}\n", text_of(cross));
  fmt::print("{}", saving_of(title.decision, arguments.title.against_name));
  if (only_points) {
    fmt::print("\npoints  {}/points.csv\n", out);
    return kDone;
  }
  for (const ladder::Check &check : title.checks)
    if (!check.passed) fmt::print("{}: {} ({})\n", check.must ? "FAILS" : "note", check.rule, check.detail);
  fmt::print("\nreport  {}/report.html\nHLS     {}/master.m3u8\nDASH    {}/manifest.mpd\n", out, out, out);
  return kDone;
}

// What is printed of a run, and its exit status.
struct Ending {
  const Arguments &arguments;
  bool only_points;

  int operator()(const TitleResult &title) const {
    if (arguments.engine.name != "list") return show(title, arguments, only_points);
    fmt::print("[]\n"); // no task is left
    return kDone;
  }
  int operator()(Stopped) const {
    fmt::print(stderr, "gst-hull-1.0: stopped; the same command continues where it was\n");
    return kInterrupted;
  }
  int operator()(Listed) const { return kDone; }
  int operator()(const Error &error) const { return report(error); }
};

// What the options say, in the form the work takes.
Result<void> prepare(Arguments &arguments) {
  static const std::map<std::string, Pool> kPools = {
      {"mean", Pool::mean}, {"harmonic", Pool::harmonic_mean}, {"p5", Pool::p5}};
  static const std::map<std::string, Progress::Style> kStyles = {{"auto", Progress::Style::automatic},
                                                                 {"plain", Progress::Style::plain},
                                                                 {"json", Progress::Style::json},
                                                                 {"none", Progress::Style::quiet}};
  TitleOptions &title = arguments.title;
  title.pool = kPools.at(arguments.pool);
  title.style = kStyles.at(arguments.progress);
  if (arguments.cap_kbps > 0) title.rules.cap_bps = arguments.cap_kbps * 1000;
  if (arguments.grid && title.qps.empty()) title.qps = {20, 26, 32, 38, 44};
  if (!arguments.budget.empty()) {
    const auto seconds = seconds_of(arguments.budget);
    if (!seconds) return tl::unexpected(usage("--budget takes a duration such as 10min or 90s"));
    title.budget_seconds = *seconds;
  }
  if (!arguments.against.empty()) {
    const auto text = read_file(arguments.against);
    if (!text) return tl::unexpected(text.error());
    auto rows = parse_rows(*text, arguments.against);
    if (!rows) return tl::unexpected(rows.error());
    title.against = std::move(*rows);
    title.against_name = arguments.against;
  }
  return {};
}

void catch_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGXFSZ, SIG_IGN); // writing past a limit is an error with a sentence, not a death
}

// This run's own arguments without those that choose an engine.
std::vector<std::string> arguments_for_export() {
  const auto text = read_file("/proc/self/cmdline");
  std::vector<std::string> all, kept;
  for (std::size_t at = 0; text && at < text->size(); at = text->find('\0', at) + 1)
    all.emplace_back(text->c_str() + at);
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].starts_with("--engine=") || all[i].starts_with("--progress=")) continue;
    if (all[i] == "--engine" || all[i] == "--progress")
      ++i;
    else
      kept.push_back(all[i]);
  }
  return kept;
}

int export_title(const TitleOptions &title) {
  const auto source = probe(title.file);
  if (!source) return report(source.error());
  if (auto scorable = check_scorable(*source); !scorable) return report(scorable.error());
  if (auto made = make_folder(title.out); !made) return report(made.error());
  const std::string folder = std::filesystem::canonical(title.out);
  if (auto ok = write_snakefile(folder, std::filesystem::current_path(), arguments_for_export()); !ok)
    return report(ok.error());
  fmt::print("snakemake -s {0}/Snakefile -d {0} -j 4\n", folder);
  return kDone;
}

Result<void> report_title(const TitleResult &result, const TitleOptions &options) {
  return write_report(result, options, known_worst_pictures(result, options.out));
}

// Drawn when the result is whole: what goes wrong here leaves the report as it is.
void add_pictures(const Run &run, const TitleOptions &options) {
  const auto *result = std::get_if<TitleResult>(&run);
  if (!result) return;
  if (const auto drawn = write_report(*result, options, make_worst_pictures(*result, options.out, g_stop));
      !drawn)
    (void)report(drawn.error());
}

int run_title(Arguments arguments, bool only_points) {
  TitleOptions &title = arguments.title;
  if (title.file.empty()) return report(usage("name a video file"));
  if (title.out.empty()) return report(usage("name a folder for the result with -o"));
  if (auto ready = prepare(arguments); !ready) return report(ready.error());
  catch_signals();
  if (auto started = start_gstreamer(); !started) return report(started.error());
  if (arguments.engine.name == "export") return export_title(title);
  const auto engine = make_engine(arguments.engine);
  const Run run =
      only_points ? analyze_title(title, *engine, g_stop) : make_title(title, *engine, g_stop, report_title);
  if (!only_points) add_pictures(run, title);
  return std::visit(Ending{arguments, only_points}, run);
}

// One task, in the folder it belongs to: what engines start.
int do_task(const std::string &file) {
  catch_signals();
  const auto text = read_file(file);
  if (!text) return report(text.error());
  const auto task = task_from_json(Json::parse(*text));
  if (!task) return report(task.error());
  Result<void> done = start_gstreamer();
  if (done)
    done = run_task(*task, std::filesystem::current_path(), g_stop, [](double share) {
      fmt::print("{:.4f}\n", share);
      std::fflush(stdout);
    });
  if (done) return kDone;
  if (done.error().code == ErrorCode::stopped) return kInterrupted;
  leave_error(task->error_file(), done.error());
  return report(done.error());
}

// Decides again from the points of a folder.
Result<TitleResult> decided(const Arguments &arguments, Result<TitleResult> loaded) {
  if (!loaded) return loaded;
  std::vector<ladder::Point> points;
  for (const RenditionResult &point : loaded->measured)
    points.push_back(point.point(arguments.title.pool));
  const ladder::Rules rules =
      with_usual_cap(arguments.title.rules, loaded->source.display.height, ladder::fit_curves(points));
  const auto &against = arguments.title.against;
  auto decision = decide(loaded->measured, arguments.title.pool, rules,
                         against.empty() ? ladder::apple_rows() : std::span<const ladder::FixedRow>(against));
  if (!decision) return tl::unexpected(decision.error());
  loaded->decision = std::move(*decision);
  return loaded;
}

int run_ladder(Arguments arguments) {
  if (auto ready = prepare(arguments); !ready) return report(ready.error());
  const auto result = decided(arguments, load_points(arguments.title.out));
  if (!result) return report(result.error());
  fmt::print("{}\n{}", table_of(result->decision), saving_of(result->decision, arguments.title.against_name));
  return kDone;
}

int run_report(Arguments arguments) {
  if (auto ready = prepare(arguments); !ready) return report(ready.error());
  auto result = decided(arguments, load_result(arguments.title.out));
  if (!result) return report(result.error());
  std::vector<ladder::Point> points;
  result->decision.ladder.clear();
  for (FinalRung &rung : result->rungs) {
    rung.rung.point = rung.result.point(arguments.title.pool);
    result->decision.ladder.push_back(rung.rung);
    points.push_back(rung.rung.point);
  }
  result->decision.saving = ladder::savings(result->decision.fixed, result->decision.frontier, points);
  const WorstPictures pictures = known_worst_pictures(*result, arguments.title.out);
  if (auto ok = write_report(*result, arguments.title, pictures); !ok) return report(ok.error());
  fmt::print("{}/report.html\n", arguments.title.out);
  return kDone;
}

int run_compare(Arguments arguments, const std::string &anchor, const std::string &test) {
  std::vector<ladder::RateQuality> curves[2];
  for (int i = 0; i < 2; ++i) {
    const auto result = decided(arguments, load_points(i ? test : anchor));
    if (!result) return report(result.error());
    for (const ladder::Point &p : result->decision.frontier)
      curves[i].push_back({p.bps, p.quality});
  }
  const auto bd = ladder::bd_rate(curves[0], curves[1]);
  if (!bd) return report(bd.error());
  fmt::print("BD-rate of {} against {}: {:+.2f} % (VMAF {:.1f} to {:.1f})\n", test, anchor, bd->percent,
             bd->quality_low, bd->quality_high);
  return kDone;
}

void add_rules(Command &command, Arguments &arguments) {
  ladder::Rules &rules = arguments.title.rules;
  command.option("--top", rules.top_quality, "VMAF of the top rung").range(1.0, 100.0).shows_default();
  command.option("--targets", rules.targets, "One rung for each of these VMAFs instead of the rule")
      .separated_by_commas()
      .range(1.0, 100.0);
  command.option("--cap", arguments.cap_kbps, "Highest rate of a rung in kbit/s; default 1.5 times Apple's")
      .positive();
  command.option("--rungs", rules.max_rungs, "Most rungs").range(1, 20).shows_default();
  command.option("--pool", arguments.pool, "How scores of pictures become one")
      .one_of({"mean", "harmonic", "p5"})
      .shows_default();
  command.option("--against", arguments.against, "CSV kbps,height of a fixed ladder to compare with");
}

void add_search(Command &command, Arguments &arguments) {
  TitleOptions &title = arguments.title;
  command.option("FILE", title.file, "Video to work on");
  command.option("-o,--output", title.out, "Folder for the package, the report and the cache");
  command.option("--res", title.heights, "Heights to try, in lines, instead of the standard ones")
      .separated_by_commas()
      .range(34, 16384);
  command.flag("--grid", arguments.grid, "Measure five quantizers at every size instead of searching");
  command.option("--qp", title.qps, "Measure these quantizers at every size instead of searching")
      .separated_by_commas()
      .range(12, 51);
  command.flag("--quick", title.quick, "Search with fewer encodes and score every fifth picture");
  command.flag("--shots", title.shots, "One quantizer per shot, by equal slope; segments start with shots");
  command.option("--budget", arguments.budget,
                 "Time the search may take, such as 10min; fewer encodes if short");
  command.option("--model", title.model, "VMAF model, a name hullvmafsink knows").shows_default();
  command.option("--progress", arguments.progress, "How progress is told")
      .one_of({"auto", "plain", "json", "none"})
      .shows_default();
  command
      .option("--engine", arguments.engine.name,
              "Who does the work: this machine, Slurm, or a Snakefile to export")
      .one_of({"local", "slurm", "export", "list"})
      .shows_default();
  command.option("--workers", arguments.engine.workers, "Local: processor cores to use; default all")
      .range(1, 1024);
  command.option("--slurm-options", arguments.engine.slurm_options,
                 "Slurm: more arguments for sbatch, such as \"--partition=encode --cpus-per-task=2\"");
  add_rules(command, arguments);
}

} // namespace

void add_pertitle(Command &program) {
  const auto arguments = std::make_shared<Arguments>();
  Command command = program.command(
      "pertitle", "Measure a title, choose its ladder on the convex hull, encode and package it");
  add_search(command, *arguments);
  command.does([arguments] { return run_title(*arguments, false); });

  const auto on_folder = [&](const char *name, const char *text, int (*work)(Arguments)) {
    const auto own = std::make_shared<Arguments>();
    Command sub = command.command(name, text);
    sub.option("FOLDER", own->title.out, "Folder of an earlier run").required();
    add_rules(sub, *own);
    sub.does([own, work] { return work(*own); });
  };
  on_folder("ladder", "Choose again from the points of an earlier run, with other rules", run_ladder);
  on_folder("report", "Write the report of an earlier run again", run_report);

  const auto points = std::make_shared<Arguments>();
  Command analyze = command.command("analyze", "Measure points and choose, but encode no rung");
  add_search(analyze, *points);
  analyze.does([points] { return run_title(*points, true); });

  const auto task = std::make_shared<std::string>();
  Command work = command.command("task", "Do one task of a run, in the run's folder: what engines start");
  work.option("TASK.json", *task, "File of the task").required();
  work.does([task] { return do_task(*task); });

  const auto folders = std::make_shared<std::pair<std::string, std::string>>();
  Command compare = command.command("compare", "BD-rate between the frontiers of two earlier runs");
  compare.option("ANCHOR", folders->first, "Folder to compare against").required();
  compare.option("TEST", folders->second, "Folder to judge").required();
  compare.does([folders] { return run_compare({}, folders->first, folders->second); });
}

} // namespace hull::tools
