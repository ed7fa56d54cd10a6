#include "gst/tools/title/task_runner.h"

#include "gst/tools/support/files.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace hull::tools {
namespace {

// What a rendition's encoder, decoder and queues hold, measured: bytes per pixel of its size, and of the
// reference's where it is scaled up.
constexpr double kBytesPerPixel = 45, kBytesPerReferencePixel = 9;
constexpr double kMostMemory = 2e9; // of a task

// The unit's share of a title's rendition. Where one quantizer holds throughout, it does not matter whose
// plan it came from.
Rendition slice(const Rendition &whole, const WorkUnit &unit) {
  Rendition own = whole;
  own.schedule.clear();
  int before = whole.qp;
  for (const QpChange &change : whole.schedule)
    if (change.picture <= unit.window.first)
      before = change.qp;
    else if (change.picture < unit.window.first + unit.window.count)
      own.schedule.push_back({change.picture - unit.window.first, change.qp});
  own.qp = before;
  if (!own.schedule.empty()) own.schedule.insert(own.schedule.begin(), {0, before});
  return own;
}

// One rendition of one unit, with the name of its track file.
Task piece_of(const Recipe &recipe, const Rendition &whole) {
  Rendition own = slice(whole, recipe.unit);
  if (!own.media.empty()) own.media = "parts/" + key_of(recipe, own) + ".mp4";
  return Task("", recipe, {own});
}

double memory_of(const Rendition &rendition, const Source &source) {
  return kBytesPerPixel * static_cast<double>(rendition.res.pixels()) +
         kBytesPerReferencePixel * static_cast<double>(source.display.pixels());
}

// Renditions of one unit as tasks, several where all at once would not fit into memory.
void append_tasks(std::vector<Task> &tasks, const Recipe &recipe, std::vector<Rendition> renditions) {
  std::vector<Rendition> some;
  double memory = 0;
  for (Rendition &rendition : renditions) {
    const double more = memory_of(rendition, recipe.source);
    if (!some.empty() && memory + more > kMostMemory) {
      tasks.emplace_back("", recipe, std::move(some));
      some.clear();
      memory = 0;
    }
    memory += more;
    some.push_back(std::move(rendition));
  }
  if (!some.empty()) tasks.emplace_back("", recipe, std::move(some));
}

} // namespace

Step<void> TaskRunner::run(std::vector<Task> tasks, const std::string &name) {
  double work = 0;
  std::size_t encodes = 0;
  const std::string &folder = context_.options.out;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].id = fmt::format("{}, task {} of {}", name, i + 1, tasks.size());
    auto json = to_json(tasks[i]);
    if (auto ok = write_file(folder + "/" + tasks[i].file(), json.dump() + "\n"); !ok)
      return halt(ok.error());
    tasks_.push_back(std::move(json));
    work += tasks[i].work(costs_);
    encodes = std::max(encodes, tasks[i].renditions.size());
  }
  if (auto ok = write_file(folder + "/tasks.json", tasks_.dump(1) + "\n"); !ok) return halt(ok.error());
  Progress &progress = context_.progress;
  progress.phase(tasks.size() == 1 ? fmt::format("{} ({} encodes)", name, encodes)
                                   : fmt::format("{} ({} tasks)", name, tasks.size()),
                 work);
  auto done = context_.engine.run(folder, tasks, context_.stop, [&](double share) { progress.share(share); });
  if (done) progress.end_phase();
  return done;
}

Step<Collected> TaskRunner::collect(const Source &source, const std::vector<WorkUnit> &units,
                                    unsigned subsample, const std::vector<Rendition> &wanted,
                                    const std::string &name) {
  const std::string &folder = context_.options.out;
  std::vector<Task> pieces, tasks; // pieces: unit by unit, in the order of `wanted`
  std::set<std::string> known;     // plans may share what they do with a unit
  for (const WorkUnit &unit : units) {
    const Recipe recipe{source, unit, context_.options.model, subsample};
    std::vector<Rendition> missing;
    for (const Rendition &rendition : wanted) {
      pieces.push_back(piece_of(recipe, rendition));
      if (known.insert(pieces.back().key).second && !finished(pieces.back(), folder))
        missing.push_back(pieces.back().renditions.front());
    }
    append_tasks(tasks, recipe, std::move(missing));
  }
  if (!tasks.empty())
    if (auto ok = run(std::move(tasks), name); !ok) return tl::unexpected(ok.error());
  Collected collected;
  collected.files.resize(wanted.size());
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    std::vector<RenditionResult> own;
    for (std::size_t u = 0; u < units.size(); ++u) {
      auto result = result_of(pieces[u * wanted.size() + n], 0, context_.cache, folder);
      if (!result)
        return halt(
            {ErrorCode::io, folder + "/cache lost a result that was just written; is the disk sound?"});
      if (!result->media.empty()) collected.files[n].push_back(folder + "/" + result->media);
      own.push_back(std::move(*result));
    }
    RenditionResult whole = joined(own);
    whole.res = wanted[n].res;
    whole.qp = wanted[n].qp;
    // The units' lengths round where timestamps do.
    if (whole.pictures == source.frames) whole.seconds = source.seconds;
    collected.results.push_back(std::move(whole));
  }
  return collected;
}

} // namespace hull::tools
