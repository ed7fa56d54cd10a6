#pragma once

#include "gst/tools/title/context.h"
#include "gst/tools/title/outcome.h"
#include "gst/tools/title/result_folder.h"
#include "gst/tools/title/title_result.h"

namespace hull::tools {

/// A ladder with its sound and manifests in the folder.
struct Published {
  Package package;
  std::vector<FinalRung> rungs; ///< with what the manifests say of them
  std::vector<ladder::Check> checks;
};

/// Packages the sound, writes the manifests and removes the files of rungs that were not chosen in the end.
Step<Published> publish(const TitleContext &context, const ResultFolder &folder, const Source &source,
                        std::vector<FinalRung> rungs);

} // namespace hull::tools
