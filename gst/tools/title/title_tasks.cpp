#include "gst/tools/support/files.h"
#include "gst/tools/title/title.h"

#include <fmt/format.h>
#include <set>

namespace hull::tools {
namespace {

// What a rendition's encoder, decoder and queues hold, measured: bytes per pixel of its size, and of the
// reference's where it is scaled up.
constexpr double kBytesPerPixel = 45, kBytesPerReferencePixel = 9;
constexpr double kMostMemory = 2e9; // of a task

// The part's share of a title's rendition. Where one quantizer holds throughout, it does not matter whose
// plan it came from.
Rendition slice(const Rendition &whole, const Part &part) {
  Rendition own = whole;
  own.schedule.clear();
  int before = whole.qp;
  for (const QpChange &change : whole.schedule)
    if (change.picture <= part.window.first)
      before = change.qp;
    else if (change.picture < part.window.first + part.window.count)
      own.schedule.push_back({change.picture - part.window.first, change.qp});
  own.qp = before;
  if (!own.schedule.empty()) own.schedule.insert(own.schedule.begin(), {0, before});
  return own;
}

// One rendition of one part, with the name of its track file.
Task piece_of(const Recipe &recipe, const Rendition &whole) {
  Rendition own = slice(whole, recipe.part);
  if (!own.media.empty()) own.media = "parts/" + key_of(recipe, own) + ".mp4";
  return Task("", recipe, {own});
}

double memory_of(const Rendition &rendition, const Source &source) {
  return kBytesPerPixel * static_cast<double>(rendition.res.pixels()) +
         kBytesPerReferencePixel * static_cast<double>(source.display.pixels());
}

// Renditions of one part as tasks, several where all at once would not fit into memory.
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

// All of the title's sizes once, at one quantizer, as the search does it.
double Title::search_work(std::size_t encodes) const {
  std::vector<Rendition> renditions;
  for (const ladder::Resolution &res : rung_sizes(source_.display, options_.heights))
    for (std::size_t i = 0; i < encodes; ++i)
      renditions.push_back({res, 0, {}, true, {}});
  std::uint64_t pictures = samples_.empty() ? source_.frames : 0;
  for (const Part &part : samples_)
    pictures += part.lead + part.window.count + part.tail;
  if (samples_.empty() && source_.seconds > 600 && !options_.shots)
    pictures = std::min<std::uint64_t>(pictures, 96 * static_cast<std::uint64_t>(source_.fps()));
  return work_of(source_, pictures, renditions, subsample_, trial_.costs);
}

// Before they are chosen: those of the trial or, without one, one of each size and half as many again.
double Title::rungs_work() const {
  std::vector<Rendition> renditions;
  for (const ladder::Resolution &res : trial_.rungs)
    renditions.push_back({res, 0, {}, true, {}});
  const auto sizes = rung_sizes(source_.display, options_.heights);
  for (std::size_t i = 0; trial_.rungs.empty() && i < sizes.size(); ++i)
    for (std::size_t n = 0; n < (i % 2 ? 2u : 1u); ++n)
      renditions.push_back({sizes[i], 0, {}, true, {}});
  return work_of(source_, source_.frames, renditions, 1, trial_.costs);
}

Result<void> Title::do_tasks(const std::vector<Task> &tasks, const std::string &name) {
  double work = 0;
  std::size_t encodes = 0;
  for (const Task &task : tasks) {
    auto json = to_json(task);
    if (auto ok = write_file(options_.out + "/" + task.file(), json.dump() + "\n"); !ok) return ok;
    tasks_.push_back(std::move(json));
    work += task.work(trial_.costs);
    encodes = std::max(encodes, task.renditions.size());
  }
  if (auto ok = write_file(options_.out + "/tasks.json", tasks_.dump(1) + "\n"); !ok) return ok;
  progress_.phase(tasks.size() == 1 ? fmt::format("{} ({} encodes)", name, encodes)
                                    : fmt::format("{} ({} tasks)", name, tasks.size()),
                  work);
  auto done = engine_.run(options_.out, tasks, stop_, [this](double share) { progress_.share(share); });
  if (done) progress_.end_phase();
  return done;
}

// The records of `wanted` over all parts, from the cache or by tasks. Track files of parts stay in OUT/parts.
Result<std::vector<Record>> Title::collect(const std::vector<Part> &parts, unsigned subsample,
                                           const std::vector<Rendition> &wanted, const std::string &name,
                                           std::vector<std::vector<std::string>> *files) {
  std::vector<Task> pieces, tasks; // pieces: part by part, in the order of `wanted`
  std::set<std::string> known;     // plans may share what they do with a part
  for (const Part &part : parts) {
    const Recipe recipe{source_, part, options_.model, subsample};
    std::vector<Rendition> missing;
    for (const Rendition &rendition : wanted) {
      pieces.push_back(piece_of(recipe, rendition));
      if (known.insert(pieces.back().key).second && !finished(pieces.back(), options_.out))
        missing.push_back(pieces.back().renditions.front());
    }
    append_tasks(tasks, recipe, std::move(missing));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i)
    tasks[i].id = fmt::format("{}, task {} of {}", name, i + 1, tasks.size());
  if (tasks.empty())
    result_.cached += static_cast<unsigned>(wanted.size());
  else if (auto ok = do_tasks(tasks, name); !ok)
    return tl::unexpected(ok.error());
  std::vector<Record> records;
  if (files) files->assign(wanted.size(), {});
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    std::vector<Record> own;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      auto record = result_of(pieces[p * wanted.size() + n], 0, *cache_, options_.out);
      if (!record)
        return fail(ErrorCode::io,
                    options_.out + "/cache lost a result that was just written; is the disk sound?");
      if (files) (*files)[n].push_back(options_.out + "/" + record->media);
      own.push_back(std::move(*record));
    }
    records.push_back(joined(own));
    records.back().res = wanted[n].res;
    records.back().qp = wanted[n].qp;
    // The parts' lengths round where timestamps do.
    if (records.back().pictures == source_.frames) records.back().seconds = source_.seconds;
  }
  return records;
}

} // namespace hull::tools
