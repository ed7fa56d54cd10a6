#include "gst/tools/title/title.h"

#include "gst/tools/support/files.h"
#include "gst/tools/title/encode_rungs.h"
#include "gst/tools/title/ladder_json.h"
#include "gst/tools/title/publish.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace hull::tools {
namespace {

struct OpenTitle {
  Source source; ///< its path is absolute: tasks are done elsewhere
  ResultFolder folder;
};

Result<OpenTitle> open(const TitleOptions &options) {
  auto source = probe(options.file);
  if (!source) return tl::unexpected(source.error());
  if (auto scorable = check_scorable(*source); !scorable) return tl::unexpected(scorable.error());
  auto folder = ResultFolder::open(options.out);
  if (!folder) return tl::unexpected(folder.error());
  source->path = std::filesystem::absolute(options.file);
  return OpenTitle{std::move(*source), std::move(*folder)};
}

Result<void> still_the_same(const Source &source, const TitleOptions &options) {
  const auto identity = identity_of(options.file);
  if (!identity) return tl::unexpected(identity.error());
  if (*identity == source.identity) return {};
  return fail(ErrorCode::bad_data,
              options.file + " changed while it was measured; wait until it is complete and run again");
}

// Where the work will last, so that the time it takes can be told from the start.
Step<CostProbe> find_costs(const TitleContext &context, const Source &source) {
  constexpr double kLong = 120e6, kShare = 0.01, kMost = 12e6; // microseconds of a core
  if (!context.engine.is_here()) return CostProbe();
  const auto expect = [&](CostProbe probe) {
    context.progress.expect(1e-6 / context.engine.workers());
    return probe;
  };
  const std::string key = sha256("trial 1 " HULL_VERSION " " + source.identity);
  if (const auto known = context.cache.get_json(key))
    return expect(cost_probe_from_json(*known).value_or(CostProbe()));
  const TitleOptions &options = context.options;
  const CostProbe usual;
  const WorkEstimate estimate{options, usual};
  const double expected = estimate.search(source, 3) + estimate.rungs(source);
  if (expected < kLong) return usual;
  const double work = std::min(expected * kShare, kMost);
  context.progress.remaining(expected + work);
  context.progress.phase("trying some pictures", work, true);
  auto probed = probe_costs(source, rung_sizes(source.display, options.heights), options.rules, options.model,
                            work, context.stop);
  context.progress.end_phase();
  if (!probed && context.stop.load()) return halt(probed.error());
  if (!probed) return usual;
  if (auto ok = context.cache.put_json(key, to_json(*probed)); !ok) return halt(ok.error());
  return expect(std::move(*probed));
}

Step<Scan> scan_title(const TitleContext &context, const Source &source, const WorkEstimate &estimate) {
  const std::string key = sha256("scan 3 " HULL_VERSION " " + source.identity);
  if (const auto known = context.cache.get_json(key))
    if (auto kept = scan_from_json(*known); kept && kept->pictures > 0) return std::move(*kept);
  Progress &progress = context.progress;
  const double expected = std::max<double>(1, static_cast<double>(source.frames));
  const double work = work_of(source, source.frames, {});
  progress.remaining(work + estimate.search(source, 3) + estimate.rungs(source));
  progress.phase("reading the source", work, true);
  auto scanned =
      scan(source, context.stop, [&](std::uint64_t n) { progress.share(static_cast<double>(n) / expected); });
  if (!scanned) return halt(scanned.error());
  progress.end_phase();
  if (auto ok = context.cache.put_json(key, to_json(*scanned)); !ok) return halt(ok.error());
  return std::move(*scanned);
}

/// A title up to its decision, and what the steps behind it go on with.
struct Analyzed {
  CutTitle title;
  CostProbe probe;
  SearchResult found;
  Choice choice;
};

Step<Analyzed> analyze(const TitleContext &context, TaskRunner &runner, const Source &source,
                       const CostProbe &probe) {
  const WorkEstimate estimate{context.options, probe};
  const auto scanned = scan_title(context, source, estimate);
  if (!scanned) return tl::unexpected(scanned.error());
  CutTitle title = cut_title(source, *scanned, context.options);
  auto found = search(context, runner, title, estimate);
  if (!found) return tl::unexpected(found.error());
  auto choice = choose(title, found->points, context.options);
  if (!choice) return halt(choice.error());
  if (auto same = still_the_same(source, context.options); !same) return halt(same.error());
  return Analyzed{std::move(title), probe, std::move(*found), std::move(*choice)};
}

TitleResult result_of(const Analyzed &analyzed, const TitleOptions &options) {
  TitleResult result;
  result.source = analyzed.title.source;
  result.source.path = options.file;
  result.scan = analyzed.title.scan;
  result.measured = analyzed.found.points;
  result.decision = analyzed.choice.decision;
  result.encodes = analyzed.found.encodes;
  return result;
}

// The steps behind the decision.
Step<TitleResult> complete(const TitleContext &context, TaskRunner &runner, const OpenTitle &opened,
                           const Analyzed &analyzed, const Report &report) {
  const TitleOptions &options = context.options;
  TitleResult result = result_of(analyzed, options);
  auto encoded = encode_rungs(context, runner, analyzed.title, analyzed.probe.costs, analyzed.found.points,
                              analyzed.choice);
  if (!encoded) return tl::unexpected(encoded.error());
  result.measured = std::move(encoded->points);
  result.decision = std::move(encoded->decision);
  auto published = publish(context, opened.folder, analyzed.title.source, std::move(encoded->rungs));
  if (!published) return tl::unexpected(published.error());
  result.package = std::move(published->package);
  result.rungs = std::move(published->rungs);
  result.checks = std::move(published->checks);
  if (auto same = still_the_same(opened.source, options); !same) return halt(same.error());
  if (auto ok = write_points(result, options); !ok) return halt(ok.error());
  if (auto ok = report(result, options); !ok) return halt(ok.error());
  // Last: where ladder.json is, all of the title is, though the report may get pictures yet.
  if (auto ok = write_ladder(result, options); !ok) return halt(ok.error());
  return result;
}

// Without a report up to the decision.
Step<TitleResult> run_steps(TitleOptions options, Engine &engine, const std::atomic<int> &stop,
                            const Report *report) {
  Progress progress(options.style);
  const auto opened = open(options);
  if (!opened) return halt(opened.error());
  options.out = opened->folder.path();
  if (options.style != Progress::Style::quiet) tell_left_out(opened->source);
  const TitleContext context{options, opened->folder.cache(), engine, progress, stop};
  const auto probe = find_costs(context, opened->source);
  if (!probe) return tl::unexpected(probe.error());
  TaskRunner runner(context, probe->costs);
  const auto analyzed = analyze(context, runner, opened->source, *probe);
  if (!analyzed) return tl::unexpected(analyzed.error());
  TitleResult result = result_of(*analyzed, options);
  if (auto ok = write_points(result, options); !ok) return halt(ok.error());
  if (report) return complete(context, runner, *opened, *analyzed, *report);
  return result;
}

Run run_of(Step<TitleResult> result) {
  if (result) return std::move(*result);
  return std::visit([](auto &why) -> Run { return std::move(why); }, result.error());
}

} // namespace

Run analyze_title(const TitleOptions &options, Engine &engine, const std::atomic<int> &stop) {
  return run_of(run_steps(options, engine, stop, nullptr));
}

Run make_title(const TitleOptions &options, Engine &engine, const std::atomic<int> &stop,
               const Report &report) {
  return run_of(run_steps(options, engine, stop, &report));
}

} // namespace hull::tools
