#pragma once

#include "gst/core/json.h"
#include "gst/tools/title/cache.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace hull::tools {

/// What a picture takes, in seconds of processor time per million pixels: decoding, the reference's part of
/// VMAF and scoring one rendition (both per pixel of the source), and encoding, decoding and scaling one (per
/// pixel of its own). Least squares over generated and real clips; a CostProbe says it for a title and a
/// machine.
struct Costs {
  double decode = 2.5e-3, reference = 3e-3, score = 5e-3, encode = 13e-3;
};

/// One piece of a title's work that any machine which sees the result's folder can do: a part of the title,
/// encoded and scored as several renditions from one decode. As JSON it is an object of id, inputs, command
/// (run inside the folder), output (files inside it), key (SHA-256 of the keys of its renditions) and job.
struct Task {
  std::string id; ///< for people: "round 1, part 3 of 12"
  Recipe recipe;
  std::vector<Rendition> renditions; ///< media: name inside the folder, empty = none
  std::vector<std::string> keys;     ///< of the renditions' results
  std::string key;

  Task(std::string name, Recipe what, std::vector<Rendition> encodes);
  /// Name of its JSON inside the folder.
  std::string file() const { return "tasks/" + key + ".json"; }
  /// Where a failed try left its error.
  std::string error_file() const { return "tasks/" + key + ".error"; }
  double work(const Costs &costs = {}) const; ///< see work_of
};

Json to_json(const Task &task);
Result<Task> task_from_json(const Json &json);

/// Expected cost of a task's encodes and scores or, without renditions, of one decode; comparable between
/// tasks of any kind. One unit is about a microsecond of a 2020s core.
double work_of(const Source &source, std::uint64_t pictures, const std::vector<Rendition> &renditions,
               unsigned subsample = 1, const Costs &costs = {});

/// All its results are in the folder's cache, and its track files beside them.
bool finished(const Task &task, const std::string &folder);

/// The result of the task's n-th rendition, if it is there whole, with its track file.
std::optional<RenditionResult> result_of(const Task &task, std::size_t n, const Cache &cache,
                                         const std::string &folder);

/// The error a failed try of `task` left in `folder`, if it left one.
std::optional<Error> error_of(const Task &task, const std::string &folder);
void leave_error(const std::string &file, const Error &error);

/// Does a task written to FOLDER/task.file(). What is finished already is not done again, so a task may be
/// tried any number of times, also twice at once. `progress` is told the share done. Fails as measure(), and
/// when the source changes meanwhile.
Result<void> run_task(const Task &task, const std::string &folder, const std::atomic<int> &stop,
                      const std::function<void(double)> &progress = {});

} // namespace hull::tools
