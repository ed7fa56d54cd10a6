#include "gst/tools/files.h"
#include "gst/tools/title.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

namespace hull::tools {
namespace {

// An encode of a rung that came out this far from its estimate makes the choice be made again.
constexpr double kSurprise = 1.5; // VMAF
constexpr int kRounds = 3;

std::string media_name(const ladder::Resolution &res, int qp) {
  if (qp >= kFirstPlan) return fmt::format("video_{}_shots{:02}.mp4", name_of(res), qp - kFirstPlan);
  return fmt::format("video_{}_qp{:02}.mp4", name_of(res), qp);
}

} // namespace

Rendition Title::rendition_of(const ladder::Rung &rung) const {
  const ladder::Point &p = rung.point;
  // What was measured over the whole title needs no second score: equal input gives equal pictures.
  Rendition rendition{p.res,
                      p.qp,
                      {},
                      sampled() || !find(p.res, p.qp),
                      options_.out + "/" + media_name(p.res, p.qp) + ".part"};
  for (const ladder::ShotPlan &plan : plans_)
    if (plan.point.res == p.res && plan.point.qp == p.qp)
      for (std::size_t s = 0; s < plan.shots.size(); ++s)
        rendition.schedule.push_back({result_.scan.shots[s], plan.shots[s].qp});
  return rendition;
}

// Gives an encoded rung its name and remembers it.
Result<void> Title::keep_media(Record record) {
  record.media = media_name(record.res, record.qp);
  const std::string path = options_.out + "/" + record.media;
  std::error_code error;
  record.media_bytes = std::filesystem::file_size(path + ".part", error);
  if (error || std::rename((path + ".part").c_str(), path.c_str()) != 0)
    return tl::unexpected(file_error(error ? error.value() : errno, "write", path));
  if (auto ok = cache_->put(record); !ok) return ok;
  media_.push_back(std::move(record));
  return {};
}

// Encodes the rungs that have no file yet. True: all came out as estimated.
Result<bool> Title::encode_ladder() {
  Recipe whole = recipe_;
  whole.windows.clear();
  whole.subsample = 1;
  std::vector<Rendition> missing;
  for (const ladder::Rung &rung : result_.decision.ladder) {
    const ladder::Point &p = rung.point;
    if (std::any_of(media_.begin(), media_.end(),
                    [&](const Record &r) { return r.res == p.res && r.qp == p.qp; }))
      continue;
    Rendition rendition = rendition_of(rung);
    const auto known = cache_->get(key_of(whole, rendition));
    std::error_code gone;
    if (known && std::filesystem::file_size(options_.out + "/" + known->media, gone) == known->media_bytes &&
        !gone)
      media_.push_back(*known);
    else
      missing.push_back(std::move(rendition));
  }
  std::vector<Record> fresh;
  if (auto ok = run_pass(whole, missing, "encoding the ladder", fresh); !ok) {
    for (const Rendition &r : missing)
      ::unlink(r.media.c_str());
    return tl::unexpected(ok.error());
  }
  for (Record &record : fresh)
    if (auto ok = keep_media(std::move(record)); !ok) return tl::unexpected(ok.error());
  bool as_expected = true;
  for (Record &record : media_) {
    if (const Record *point = find(record.res, record.qp); point && record.vmaf.empty())
      record.vmaf = point->vmaf;
    for (const ladder::Rung &rung : result_.decision.ladder)
      if (rung.point.res == record.res && rung.point.qp == record.qp)
        as_expected &= std::abs(rung.point.quality - pooled(record.vmaf, options_.pool)) <= kSurprise;
    // A verified encode is a point like any other, and better than the estimate it replaces.
    if (!sampled() && plans_.empty() && !find(record.res, record.qp)) {
      result_.records.push_back(record);
      result_.records.back().media.clear();
    }
  }
  std::sort(result_.records.begin(), result_.records.end(),
            [](const Record &a, const Record &b) { return a.res == b.res ? a.qp < b.qp : a.res < b.res; });
  // Estimates from samples or for plans have nothing better to be chosen again from.
  return as_expected || sampled() || !plans_.empty();
}

// Rates and qualities of the rungs become those of their files.
void Title::take_rungs() {
  for (const ladder::Rung &rung : result_.decision.ladder)
    for (const Record &record : media_)
      if (record.res == rung.point.res && record.qp == rung.point.qp) {
        FinalRung final{rung, record, {}};
        final.rung.point = record.point(options_.pool);
        final.rung.measured = true;
        result_.rungs.push_back(std::move(final));
      }
  std::sort(result_.rungs.begin(), result_.rungs.end(),
            [](const FinalRung &a, const FinalRung &b) { return a.rung.point.bps > b.rung.point.bps; });
  result_.decision.ladder.clear();
  std::vector<ladder::Point> points;
  for (const FinalRung &final : result_.rungs) {
    result_.decision.ladder.push_back(final.rung);
    points.push_back(final.rung.point);
  }
  result_.decision.saving = ladder::savings(result_.decision.fixed, result_.decision.frontier, points);
}

Result<void> Title::encode_rungs() {
  for (int round = 0; round < kRounds; ++round) {
    const auto settled = encode_ladder();
    if (!settled) return tl::unexpected(settled.error());
    if (*settled || round + 1 == kRounds) break;
    if (auto ok = update_decision(); !ok) return ok;
  }
  // With the verified points among the curves, and without choosing anew.
  if (plans_.empty() && !sampled()) {
    const std::vector<ladder::Rung> chosen = result_.decision.ladder;
    if (auto ok = update_decision(); !ok) return ok;
    result_.decision.ladder = chosen;
  }
  take_rungs();
  return {};
}

// Files of rungs that an earlier choice had and this one has not.
void Title::remove_leftovers() const {
  std::set<std::string> wanted;
  for (const FinalRung &rung : result_.rungs)
    wanted.insert(rung.record.media);
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator(options_.out, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("video_") && (name.ends_with(".mp4") || name.ends_with(".part")) &&
        !wanted.contains(name))
      std::filesystem::remove(entry.path(), ignored);
  }
}

} // namespace hull::tools
