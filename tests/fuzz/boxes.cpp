// Any bytes: parsed as a file, written back, listed. What must hold for all of them: the bytes come back, and
// memory stays near the input's size.

#include "gst/inspect/box_view.h"
#include "gst/isobmff/boxes/tree.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

void require(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz boxes: %s\n", what);
  std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace hull;
  const Bytes input(data, size);
  auto nodes = isobmff::parse_boxes(input);
  require(nodes.has_value(), "bytes in memory can always be parsed");
  isobmff::MemorySource source(input);
  const auto written = isobmff::write_trees(*nodes, &source);
  require(written.has_value(), "what was read can be written");
  require(std::ranges::equal(*written, input), "the same bytes come back");
  const inspect::ViewOptions view{true, {50, 64}};
  for (isobmff::Node &node : *nodes) {
    require(!inspect::box_text(node, view).empty(), "every box has a line");
    require(inspect::box_json(node, view).is_object(), "every box is an object");
  }
  return 0;
}
