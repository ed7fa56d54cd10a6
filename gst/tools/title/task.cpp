#include "gst/tools/title/task.h"

#include "gst/core/file.h"
#include "gst/tools/media/source_json.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fmt/format.h>

namespace hull::tools {
namespace {

// Microseconds whatever the size: a picture's way through a graph, and a process's start. One decode alone
// keeps fewer cores busy than tasks do, so it counts for more.
constexpr double kPicture = 150, kRenditionPicture = 60, kStart = 1e5, kAlone = 1.6;

Json rendition_json(const Rendition &r) {
  Json schedule = Json::array();
  for (const QpChange &change : r.schedule)
    schedule.push_back({change.picture, change.qp});
  return {{"width", r.res.width}, {"height", r.res.height}, {"qp", r.qp},
          {"schedule", schedule}, {"score", r.score},       {"media", r.media}};
}

Rendition rendition_from(const Json &j) {
  Rendition r;
  r.res = {j.at("width").get<unsigned>(), j.at("height").get<unsigned>()};
  r.qp = j.at("qp").get<int>();
  for (const auto &change : j.at("schedule"))
    r.schedule.push_back({change.at(0).get<std::uint64_t>(), change.at(1).get<int>()});
  r.score = j.at("score").get<bool>();
  r.media = j.at("media").get<std::string>();
  return r;
}

} // namespace

Task::Task(std::string name, Recipe what, std::vector<Rendition> encodes)
    : id(std::move(name)), recipe(std::move(what)), renditions(std::move(encodes)) {
  std::string all;
  for (const Rendition &rendition : renditions)
    all += keys.emplace_back(key_of(recipe, rendition));
  key = sha256(all);
}

double work_of(const Source &source, std::uint64_t pictures, const std::vector<Rendition> &renditions,
               unsigned subsample, const Costs &costs) {
  const double pixels = static_cast<double>(source.display.pixels());
  double work = costs.decode * pixels + kPicture;
  if (renditions.empty()) work *= kAlone;
  bool scored = false;
  for (const Rendition &r : renditions) {
    work += costs.encode * static_cast<double>(r.res.pixels()) + kRenditionPicture;
    if (r.score) work += costs.score * pixels / subsample;
    scored |= r.score;
  }
  if (scored) work += costs.reference * pixels / subsample;
  return work * static_cast<double>(pictures);
}

double Task::work(const Costs &costs) const {
  return kStart + work_of(recipe.source, recipe.unit.window.count, renditions, recipe.subsample, costs);
}

Json to_json(const Task &task) {
  const Recipe &recipe = task.recipe;
  Json outputs = Json::array(), renditions = Json::array();
  for (std::size_t i = 0; i < task.renditions.size(); ++i) {
    outputs.push_back("cache/" + task.keys[i] + ".json");
    if (!task.renditions[i].media.empty()) outputs.push_back(task.renditions[i].media);
    renditions.push_back(rendition_json(task.renditions[i]));
  }
  return {{"id", task.id},
          {"inputs", {recipe.source.path}},
          {"command", {"gst-hull-1.0", "pertitle", "task", task.file()}},
          {"output", outputs},
          {"key", task.key},
          {"job",
           {{"version", HULL_VERSION},
            {"source", source_json(recipe.source)},
            {"stamp", {recipe.source.stamp.size, recipe.source.stamp.changed_ns}},
            {"window", {recipe.unit.window.first, recipe.unit.window.count}},
            {"lead", recipe.unit.lead},
            {"tail", recipe.unit.tail},
            {"key_pictures", recipe.unit.keys},
            {"model", recipe.model},
            {"subsample", recipe.subsample},
            {"renditions", renditions}}}};
}

Result<Task> task_from_json(const Json &json) {
  try {
    const auto &job = json.at("job");
    if (const auto version = job.at("version").get<std::string>(); version != HULL_VERSION)
      return fail(ErrorCode::unsupported,
                  fmt::format("the task was written by gst-hull-1.0 {}, and this is {}; install the same "
                              "version on every machine",
                              version, HULL_VERSION));
    auto source = source_from_json(job.at("source"));
    if (!source) return tl::unexpected(source.error());
    if (source->y4m) {
      const auto header = read_y4m_header(source->path);
      if (!header) return tl::unexpected(header.error());
      source->y4m = *header;
    }
    source->stamp = {job.at("stamp").at(0).get<std::uint64_t>(), job.at("stamp").at(1).get<std::int64_t>()};
    Recipe recipe{
        std::move(*source), {}, job.at("model").get<std::string>(), job.at("subsample").get<unsigned>()};
    recipe.unit = {{job.at("window").at(0).get<std::uint64_t>(), job.at("window").at(1).get<std::uint64_t>()},
                   job.at("key_pictures").list<std::uint64_t>(),
                   job.at("lead").get<unsigned>(),
                   job.at("tail").get<unsigned>()};
    std::vector<Rendition> renditions;
    for (const auto &rendition : job.at("renditions"))
      renditions.push_back(rendition_from(rendition));
    Task task(json.at("id").get<std::string>(), std::move(recipe), std::move(renditions));
    if (task.key == json.at("key").get<std::string>()) return task;
  } catch (const JsonError &) {
  }
  return fail(ErrorCode::bad_data,
              "the task's file is damaged; run gst-hull-1.0 pertitle again to write it anew");
}

std::optional<RenditionResult> result_of(const Task &task, std::size_t n, const Cache &cache,
                                         const std::string &folder) {
  auto result = cache.get(task.keys[n]);
  if (!result || task.renditions[n].media.empty()) return result;
  std::error_code gone;
  const auto size = std::filesystem::file_size(folder + "/" + task.renditions[n].media, gone);
  if (gone || size != result->media_bytes) return std::nullopt;
  return result;
}

bool finished(const Task &task, const std::string &folder) {
  const auto cache = Cache::open(folder + "/cache");
  for (std::size_t n = 0; cache && n < task.keys.size(); ++n)
    if (!result_of(task, n, *cache, folder)) return false;
  return cache.has_value();
}

std::optional<Error> error_of(const Task &task, const std::string &folder) {
  const auto text = read_file(folder + "/" + task.error_file());
  if (!text) return std::nullopt;
  const auto json = Json::parse(*text);
  if (!json.is_object() || !json.contains("text") || !json.contains("code")) return std::nullopt;
  return Error{static_cast<ErrorCode>(json.value("code", 0)), json.value("text", "")};
}

void leave_error(const std::string &file, const Error &error) {
  const Json json = {{"code", static_cast<int>(error.code)}, {"text", error.text}};
  (void)write_file(file, json.dump() + "\n"); // on a full disk the missing result says it all
}

Result<void> run_task(const Task &task, const std::string &folder, const std::atomic<int> &stop,
                      const std::function<void(double)> &progress) {
  const auto cache = Cache::open(folder + "/cache");
  if (!cache) return tl::unexpected(cache.error());
  if (finished(task, folder)) return {};
  const Recipe &recipe = task.recipe;
  const WorkUnit &unit = recipe.unit;
  MeasureJob job{recipe.source,   unit.window, unit.lead,    unit.tail,
                 task.renditions, unit.keys,   recipe.model, recipe.subsample};
  std::deque<AtomicFile> files; // one for each rendition with media
  for (Rendition &rendition : job.renditions)
    if (!rendition.media.empty()) {
      const std::string path = folder + "/" + rendition.media;
      rendition.media = files.emplace_back(path, part_name(path)).part();
    }
  const double pictures = static_cast<double>(unit.lead + unit.window.count + unit.tail);
  const auto measured = measure(job, stop, [&](std::uint64_t n) {
    if (progress) progress(static_cast<double>(n) / pictures);
  });
  if (!measured) return tl::unexpected(measured.error());
  if (stamp_of(recipe.source.path) != recipe.source.stamp)
    return fail(ErrorCode::bad_data,
                recipe.source.path +
                    " changed while it was measured; wait until it is complete and run again");
  auto next = files.begin();
  for (std::size_t n = 0; n < task.keys.size(); ++n) {
    RenditionResult result = rendition_result(task.keys[n], task.renditions[n], measured->renditions[n],
                                              measured->pictures, measured->seconds, recipe.subsample);
    result.media = task.renditions[n].media;
    if (!result.media.empty()) {
      AtomicFile &file = *next++;
      std::error_code error;
      result.media_bytes = std::filesystem::file_size(file.part(), error);
      if (!error) error = file.commit();
      if (error) return tl::unexpected(file_error(error.value(), "write", file.path()));
    }
    if (auto ok = cache->put(result); !ok) return ok;
  }
  return {};
}

} // namespace hull::tools
