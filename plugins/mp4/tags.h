#pragma once

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/tree.h"

#include <optional>
#include <string>

#include <gst/gst.h>

namespace hull {

/// udta with meta and ilst, as iTunes writes tags and everybody reads them; nothing when none of the tags has
/// a place there.
std::optional<isobmff::Node> movie_tags(const GstTagList *tags);

/// The same as QuickTime files have them: a meta box with named keys. Texts only.
std::optional<isobmff::Node> quicktime_tags(const GstTagList *tags);

/// The matrix of a track header that turns pictures of `width` by `height` as GST_TAG_IMAGE_ORIENTATION says
/// ("rotate-90", "flip-rotate-180" …); unity for what is not known.
isobmff::Matrix orientation_matrix(const std::string &orientation, std::uint32_t width, std::uint32_t height);

} // namespace hull
