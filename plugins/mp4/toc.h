#pragma once

#include "gst/isobmff/file/chapters.h"

#include <gst/gst.h>

namespace hull {

/// The chapters of the first edition, or those that stand in none; without a title they are "Chapter 1" and so on.
/// Running times where `segment` is that of the pad which brought them; null: as they are.
isobmff::Chapters chapters_of(GstToc *toc, const GstSegment *segment);

} // namespace hull
