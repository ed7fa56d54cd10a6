#include "gst/tools/media/join.h"
#include "gst/tools/support/files.h"
#include "gst/tools/title/title.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <set>

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
  const Record *known = find(p.res, p.qp);
  Rendition rendition{p.res, p.qp, {}, !known || !is_whole(*known), media_name(p.res, p.qp)};
  for (const ladder::ShotPlan &plan : plans_)
    if (plan.point.res == p.res && plan.point.qp == p.qp)
      for (std::size_t s = 0; s < plan.shots.size(); ++s)
        rendition.schedule.push_back({result_.scan.shots[s], plan.shots[s].qp});
  return rendition;
}

// Of the whole file: the parts it is cut into are part of what it is.
std::string Title::whole_key(const Rendition &rendition) const {
  Part whole{{0, source_.frames}, {}, 0, 0};
  for (const Part &part : parts_)
    for (const std::uint64_t key : part.keys)
      whole.keys.push_back(part.window.first + key);
  std::string key = key_of({source_, whole, options_.model, 1}, rendition);
  for (const Part &part : parts_)
    key += fmt::format(" {}", part.window.first);
  return sha256(key);
}

// The parts of a rung become its file, and a record remembers it.
Result<void> Title::keep_media(const Rendition &rendition, Record record,
                               const std::vector<std::string> &files) {
  record.key = whole_key(rendition);
  record.media = rendition.media;
  const std::string path = options_.out + "/" + record.media;
  if (auto ok = join_tracks(files, path); !ok) return ok;
  std::error_code error;
  record.media_bytes = std::filesystem::file_size(path, error);
  if (error) return tl::unexpected(file_error(error.value(), "read", path));
  if (auto ok = cache_->put(record); !ok) return ok;
  if (const Record *point = find(record.res, record.qp); point && record.vmaf.empty())
    record.vmaf = point->vmaf;
  media_.push_back(std::move(record));
  return {};
}

Result<void> Title::make_media(const std::vector<Rendition> &wanted) {
  if (wanted.empty()) return {};
  std::vector<std::vector<std::string>> files;
  auto fresh = collect(parts_, 1, wanted, "encoding the ladder", &files);
  if (!fresh) return tl::unexpected(fresh.error());
  for (std::size_t n = 0; n < wanted.size(); ++n)
    if (auto ok = keep_media(wanted[n], std::move((*fresh)[n]), files[n]); !ok) return ok;
  // Rungs may share parts, so these go when all rungs have their files.
  std::error_code ignored;
  for (const auto &list : files)
    for (const std::string &file : list)
      std::filesystem::remove(file, ignored);
  return {};
}

// The files of the rungs that are left, where an earlier run's are gone.
Result<void> Title::complete_files() {
  std::vector<Rendition> missing;
  for (const ladder::Rung &rung : result_.decision.ladder) {
    const Rendition rendition = rendition_of(rung);
    const auto at = std::find_if(media_.begin(), media_.end(), [&](const Record &r) {
      return r.res == rendition.res && r.qp == rendition.qp;
    });
    if (at == media_.end()) continue;
    std::error_code gone;
    if (std::filesystem::file_size(options_.out + "/" + at->media, gone) == at->media_bytes && !gone)
      continue;
    missing.push_back(rendition);
    // Scored or not as it was, so that it is the same record.
    missing.back().score = !cache_->get(at->key).value_or(*at).vmaf.empty();
    media_.erase(at);
  }
  return make_media(missing);
}

// Encodes the rungs that have no file yet. True: all came out as estimated.
Result<bool> Title::encode_ladder() {
  std::vector<Rendition> missing;
  for (const ladder::Rung &rung : result_.decision.ladder) {
    const ladder::Point &p = rung.point;
    if (std::any_of(media_.begin(), media_.end(),
                    [&](const Record &r) { return r.res == p.res && r.qp == p.qp; }))
      continue;
    Rendition rendition = rendition_of(rung);
    // A file that a later choice did without may be gone; what it scored still counts.
    if (const auto known = cache_->get(whole_key(rendition)))
      media_.push_back(*known);
    else
      missing.push_back(std::move(rendition));
  }
  progress_.remaining(work_of(source_, source_.frames, missing, 1, trial_.costs));
  if (auto ok = make_media(missing); !ok) return tl::unexpected(ok.error());
  bool as_expected = true;
  for (Record &record : media_) {
    if (const Record *point = find(record.res, record.qp); point && record.vmaf.empty())
      record.vmaf = point->vmaf;
    for (const ladder::Rung &rung : result_.decision.ladder)
      if (rung.point.res == record.res && rung.point.qp == record.qp)
        as_expected &= std::abs(rung.point.quality - pooled(record.vmaf, options_.pool)) <= kSurprise;
    // A verified encode is a point like any other, and better than the estimate it replaces.
    const Record *known = find(record.res, record.qp);
    if (samples_were_taken_ || !plans_.empty() || (known && is_whole(*known))) continue;
    std::erase_if(result_.records,
                  [&](const Record &point) { return point.res == record.res && point.qp == record.qp; });
    result_.records.push_back(record);
    result_.records.back().media.clear();
  }
  std::sort(result_.records.begin(), result_.records.end(),
            [](const Record &a, const Record &b) { return a.res == b.res ? a.qp < b.qp : a.res < b.res; });
  // Estimates from samples or for plans have nothing better to be chosen again from.
  return as_expected || samples_were_taken_ || !plans_.empty();
}

// Estimates may be low, and a cap is a promise: rungs that came out above it make the next choice keep as far
// below. True if there were any.
bool Title::lower_the_cap() {
  double excess = 1;
  for (const ladder::Rung &rung : result_.decision.ladder)
    for (const Record &record : media_)
      if (record.res == rung.point.res && record.qp == rung.point.qp)
        excess = std::max(excess, record.bps() / options_.rules.cap_bps);
  if (excess <= 1) return false;
  constexpr double kLittle = 0.995;
  options_.rules.cap_share *= kLittle / excess;
  return true;
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
    const bool lowered = lower_the_cap();
    if ((*settled && !lowered) || round + 1 == kRounds) break;
    if (auto ok = choose_again(); !ok) return ok;
  }
  if (auto ok = complete_files(); !ok) return ok;
  // With the verified points among the curves, and without choosing anew.
  if (plans_.empty() && !samples_were_taken_) {
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
