#pragma once

#include "gst/tools/media/decoded_source.h"

#include <cstdint>
#include <vector>

namespace hull::tools {

/// A stretch of a title that is measured and encoded by itself: whole groups of pictures. Its encoder starts
/// afresh, which it would do at an IDR picture anyway, so units joined are the title.
struct WorkUnit {
  Window window;
  std::vector<std::uint64_t> keys; ///< places of IDR pictures, counted from the window's first picture
  unsigned lead = 0, tail = 0;     ///< pictures around the window that scoring needs, see MeasureJob
};

/// The title in parts of about 12 s, cut where groups begin; `groups` are the first pictures of all groups,
/// `step` every how manyth picture is scored. A source that cannot be seeked has eight units at most, since
/// each reads it from the start.
std::vector<WorkUnit> work_units(const Source &source, const std::vector<std::uint64_t> &groups,
                                 unsigned step);

/// Sixteen parts of three groups, spread evenly: a film over ten minutes needs not be measured to its last
/// picture to know its hull. Of a shorter title, or one whose samples would be most of it, work_units().
std::vector<WorkUnit> sample_units(const Source &source, const std::vector<std::uint64_t> &groups,
                                   unsigned step);

} // namespace hull::tools
