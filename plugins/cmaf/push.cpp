#include "plugins/cmaf/output.h"

namespace hull::cmaf {

std::unique_ptr<Output> make_push_output(const std::string &, bool, unsigned,
                                         std::shared_ptr<const publish::Live>, Output::Report) {
  return nullptr;
}

} // namespace hull::cmaf
