#include "gst/tools/engine/engines.h"

#include <filesystem>
#include <fmt/format.h>

namespace hull::tools {
namespace {

class ListEngine : public Engine {
 public:
  Step<void> run(const std::string &, const std::vector<Task> &tasks, const std::atomic<int> &,
                 const std::function<void(double)> &) override {
    Json list = Json::array();
    for (const Task &task : tasks)
      list.push_back(to_json(task));
    fmt::print("{}\n", list.dump(1));
    return tl::unexpected<Halt>(Listed{});
  }
};

} // namespace

std::unique_ptr<Engine> list_engine() {
  return std::make_unique<ListEngine>();
}

std::unique_ptr<Engine> make_engine(const EngineOptions &options) {
  if (options.name == "slurm") return slurm_engine(options.slurm_options);
  if (options.name == "list") return list_engine();
  return local_engine(options.workers);
}

std::string own_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

bool worth_a_try(const Error &error) {
  return error.code == ErrorCode::io || error.code == ErrorCode::not_found || error.code == ErrorCode::state;
}

} // namespace hull::tools
