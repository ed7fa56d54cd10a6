#include "gst/tools/title/publish.h"

#include "gst/tools/support/files.h"

#include <filesystem>

namespace hull::tools {
namespace {

// Its name in the folder; empty without sound.
Step<std::string> publish_sound(const TitleContext &context, const Source &source) {
  if (!source.audio) return std::string();
  const std::string name = "audio.mp4", path = context.options.out + "/" + name;
  const std::string key = sha256("audio 1 " HULL_VERSION " " + source.identity);
  std::error_code gone;
  const auto known = context.cache.get_json(key);
  if (known && known->value("bytes", std::uint64_t{0}) == std::filesystem::file_size(path, gone) && !gone)
    return name;
  context.progress.phase("packaging the sound", work_of(source, source.frames, {}) / 20);
  if (auto ok = package_audio(source, path, context.stop); !ok) return halt(ok.error());
  context.progress.end_phase();
  if (auto ok = context.cache.put_json(key, {{"bytes", std::filesystem::file_size(path, gone)}}); !ok)
    return halt(ok.error());
  return name;
}

std::vector<ladder::RungFacts> take_facts(const Package &package, std::vector<FinalRung> &rungs) {
  std::vector<ladder::RungFacts> facts;
  for (FinalRung &rung : rungs)
    for (const PackagedRung &packaged : package.rungs)
      if (packaged.file == rung.result.media) {
        rung.facts = packaged.facts;
        rung.facts.res = rung.result.res;
        facts.push_back(rung.facts);
      }
  return facts;
}

} // namespace

Step<Published> publish(const TitleContext &context, const ResultFolder &folder, const Source &source,
                        std::vector<FinalRung> rungs) {
  const auto audio = publish_sound(context, source);
  if (!audio) return tl::unexpected(audio.error());
  std::vector<std::string> videos;
  for (const FinalRung &rung : rungs)
    videos.push_back(rung.result.media);
  auto package = write_manifests(folder.path(), videos, *audio);
  if (!package) return halt(package.error());
  auto checks = ladder::authoring_checks(take_facts(*package, rungs));
  folder.remove_other_videos({videos.begin(), videos.end()});
  return Published{std::move(*package), std::move(rungs), std::move(checks)};
}

} // namespace hull::tools
