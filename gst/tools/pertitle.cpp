#include "gst/tools/command.h"
#include "gst/tools/commands.h"
#include "gst/tools/files.h"
#include "gst/tools/title.h"

#include <csignal>
#include <cstdio>
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
  double cap_kbps = 0;
  std::string pool = "mean", progress = "auto", against;
};

int show(const Result<TitleResult> &result, const Arguments &arguments) {
  if (!result) {
    if (g_stop.load() && result.error().text == kStopped) {
      fmt::print(stderr, "gst-hull-1.0: stopped; the same command continues where it was\n");
      return kInterrupted;
    }
    return report(result.error());
  }
  const std::string &out = arguments.title.out;
  fmt::print("{}\n", table_of(result->decision));
  for (const ladder::CrossOver &cross : result->decision.crosses)
    fmt::print("{}\n", text_of(cross));
  fmt::print("{}", saving_of(result->decision, arguments.title.against_name));
  for (const ladder::Check &check : result->checks)
    if (!check.passed) fmt::print("{}: {} ({})\n", check.must ? "FAILS" : "note", check.rule, check.detail);
  fmt::print("\nreport  {}/report.html\nHLS     {}/master.m3u8\nDASH    {}/manifest.mpd\n", out, out, out);
  return kDone;
}

int run_title(Arguments arguments) {
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
  if (!arguments.against.empty()) {
    const auto text = read_file(arguments.against);
    if (!text) return report(text.error());
    auto rows = parse_rows(*text, arguments.against);
    if (!rows) return report(rows.error());
    title.against = std::move(*rows);
    title.against_name = arguments.against;
  }
  if (auto started = start_gstreamer(); !started) return report(started.error());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return show(Title(title, g_stop).run(), arguments);
}

} // namespace

void add_pertitle(CLI::App &app, Run &run) {
  const auto arguments = std::make_shared<Arguments>();
  TitleOptions &title = arguments->title;
  CLI::App *command = app.add_subcommand(
      "pertitle", "Measure a title, choose its ladder on the convex hull, encode and package it");
  command->add_option("FILE", title.file, "Video to work on")->required();
  command->add_option("-o,--output", title.out, "Folder for the package, the report and the cache")
      ->required();
  command->add_option("--res", title.heights, "Heights to try, in lines, instead of the standard ones")
      ->delimiter(',')
      ->check(CLI::Range(34, 16384));
  command->add_option("--qp", title.qps, "Quantizers of the grid")->delimiter(',')->check(CLI::Range(12, 51));
  command->add_option("--top", title.rules.top_quality, "VMAF of the top rung")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  command
      ->add_option("--targets", title.rules.targets, "One rung for each of these VMAFs instead of the rule")
      ->delimiter(',')
      ->check(CLI::Range(1.0, 100.0));
  command
      ->add_option("--cap", arguments->cap_kbps,
                   "Highest rate of a rung in kbit/s; default 1.5 times Apple's")
      ->check(CLI::PositiveNumber);
  command->add_option("--rungs", title.rules.max_rungs, "Most rungs")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  command->add_option("--model", title.model, "VMAF model, a name hullvmafsink knows")->capture_default_str();
  command->add_option("--pool", arguments->pool, "How scores of pictures become one")
      ->check(CLI::IsMember({"mean", "harmonic", "p5"}))
      ->capture_default_str();
  command->add_option("--against", arguments->against, "CSV kbps,height of a fixed ladder to compare with");
  command->add_option("--progress", arguments->progress, "How progress is told")
      ->check(CLI::IsMember({"auto", "plain", "json", "none"}))
      ->capture_default_str();
  command->callback([arguments, &run] { run = [arguments] { return run_title(*arguments); }; });
}

} // namespace hull::tools
