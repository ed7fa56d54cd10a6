#include "gst/tools/title/encode_rungs.h"

#include "gst/tools/media/join.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

namespace hull::tools {
namespace {

// An encode of a rung that came out this far from its estimate makes the choice be made again.
constexpr double kSurprise = 1.5; // VMAF
constexpr int kRounds = 3;

std::string media_name(const ladder::Resolution &res, int qp) {
  if (qp >= kFirstPlan) return fmt::format("video_{}_shots{:02}.mp4", name_of(res), qp - kFirstPlan);
  return fmt::format("video_{}_qp{:02}.mp4", name_of(res), qp);
}

// Of the whole file: the units it is cut into are part of what it is.
std::string whole_key(const CutTitle &title, const std::string &model, const Rendition &rendition) {
  WorkUnit whole{{0, title.source.frames}, {}, 0, 0};
  for (const WorkUnit &unit : title.units)
    for (const std::uint64_t key : unit.keys)
      whole.keys.push_back(unit.window.first + key);
  std::string key = key_of({title.source, whole, model, 1}, rendition);
  for (const WorkUnit &unit : title.units)
    key += fmt::format(" {}", unit.window.first);
  return sha256(key);
}

// The rungs of a title while they come to be: `points` and `choice` are what is known by now, `media` the
// rungs encoded so far, chosen or no longer.
class RungEncoder {
 public:
  RungEncoder(const TitleContext &context, TaskRunner &runner, const CutTitle &title, const Costs &costs,
              Points points, Choice choice)
      : context_(context),
        runner_(runner),
        title_(title),
        costs_(costs),
        points_(std::move(points)),
        choice_(std::move(choice)) {}
  Step<EncodedLadder> run();

 private:
  // Estimates from samples or for plans have nothing better to be chosen again from.
  bool may_learn() const { return choice_.plans.empty() && !title_.is_sampled; }
  const std::vector<ladder::Rung> &chosen() const { return choice_.decision.ladder; }
  const RenditionResult *encoded(const ladder::Rung &rung) const {
    return find(media_, rung.point.res, rung.point.qp);
  }
  Rendition rendition_of(const ladder::Rung &rung) const;
  Result<void> join_units(const Rendition &rendition, RenditionResult result,
                          const std::vector<std::string> &files);
  Step<void> make_media(const std::vector<Rendition> &wanted);
  Step<void> encode_missing();
  void take_known_scores();
  bool as_estimated() const;
  void learn_from_media();
  double excess() const;
  Step<void> complete_files();
  std::vector<FinalRung> final_rungs() const;

  const TitleContext &context_;
  TaskRunner &runner_;
  const CutTitle &title_;
  const Costs &costs_;
  Points points_;
  Choice choice_;
  Points media_;
};

Rendition RungEncoder::rendition_of(const ladder::Rung &rung) const {
  const ladder::Point &p = rung.point;
  // What was measured over the whole title needs no second score: equal input gives equal pictures.
  const RenditionResult *known = find(points_, p.res, p.qp);
  Rendition rendition{p.res, p.qp, {}, !known || !title_.has_whole(*known), media_name(p.res, p.qp)};
  for (const ladder::ShotPlan &plan : choice_.plans)
    if (plan.point.res == p.res && plan.point.qp == p.qp)
      for (std::size_t s = 0; s < plan.shots.size(); ++s)
        rendition.schedule.push_back({title_.scan.shots[s], plan.shots[s].qp});
  return rendition;
}

// The units of a rung become its file, and the cache remembers it.
Result<void> RungEncoder::join_units(const Rendition &rendition, RenditionResult result,
                                     const std::vector<std::string> &files) {
  result.key = whole_key(title_, context_.options.model, rendition);
  result.media = rendition.media;
  const std::string path = context_.options.out + "/" + result.media;
  if (auto ok = join_tracks(files, path, title_.source.late_ns); !ok) return ok;
  std::error_code error;
  result.media_bytes = std::filesystem::file_size(path, error);
  if (error) return tl::unexpected(file_error(error.value(), "read", path));
  if (auto ok = context_.cache.put(result); !ok) return ok;
  media_.push_back(std::move(result));
  take_known_scores();
  return {};
}

Step<void> RungEncoder::make_media(const std::vector<Rendition> &wanted) {
  if (wanted.empty()) return {};
  auto fresh = runner_.collect(title_.source, title_.units, 1, wanted, "encoding the ladder");
  if (!fresh) return tl::unexpected(fresh.error());
  for (std::size_t n = 0; n < wanted.size(); ++n)
    if (auto ok = join_units(wanted[n], std::move(fresh->results[n]), fresh->files[n]); !ok)
      return halt(ok.error());
  // Rungs may share units, so these go when all rungs have their files.
  std::error_code ignored;
  for (const auto &list : fresh->files)
    for (const std::string &file : list)
      std::filesystem::remove(file, ignored);
  return {};
}

Step<void> RungEncoder::encode_missing() {
  std::vector<Rendition> missing;
  for (const ladder::Rung &rung : chosen()) {
    if (encoded(rung)) continue;
    Rendition rendition = rendition_of(rung);
    // A file that a later choice did without may be gone; what it scored still counts.
    if (const auto known = context_.cache.get(whole_key(title_, context_.options.model, rendition)))
      media_.push_back(*known);
    else
      missing.push_back(std::move(rendition));
  }
  context_.progress.remaining(work_of(title_.source, title_.source.frames, missing, 1, costs_));
  if (auto ok = make_media(missing); !ok) return ok;
  take_known_scores();
  return {};
}

void RungEncoder::take_known_scores() {
  for (RenditionResult &result : media_)
    if (const auto *point = find(points_, result.res, result.qp); point && result.vmaf.empty())
      result.vmaf = point->vmaf;
}

bool RungEncoder::as_estimated() const {
  return std::all_of(chosen().begin(), chosen().end(), [&](const ladder::Rung &rung) {
    const RenditionResult *result = encoded(rung);
    return !result || std::abs(rung.point.quality - pooled(result->vmaf, context_.options.pool)) <= kSurprise;
  });
}

// A verified encode is a point like any other, and better than the estimate it replaces.
void RungEncoder::learn_from_media() {
  for (const RenditionResult &result : media_) {
    const RenditionResult *known = find(points_, result.res, result.qp);
    if (known && title_.has_whole(*known)) continue;
    std::erase_if(points_, [&](const RenditionResult &point) {
      return point.res == result.res && point.qp == result.qp;
    });
    points_.push_back(result);
    points_.back().media.clear();
  }
  sort(points_);
}

// How far above the cap the highest rung came out, 1 when none did.
double RungEncoder::excess() const {
  double excess = 1;
  for (const ladder::Rung &rung : chosen())
    if (const RenditionResult *result = encoded(rung))
      excess = std::max(excess, result->bps() / choice_.cap_bps);
  return excess;
}

// The files of the rungs that are left, where an earlier run's are gone.
Step<void> RungEncoder::complete_files() {
  std::vector<Rendition> missing;
  for (const ladder::Rung &rung : chosen()) {
    const RenditionResult *result = encoded(rung);
    if (!result) continue;
    std::error_code gone;
    const auto size = std::filesystem::file_size(context_.options.out + "/" + result->media, gone);
    if (!gone && size == result->media_bytes) continue;
    missing.push_back(rendition_of(rung));
    // Scored or not as it was, so that it is the same result.
    missing.back().score = !context_.cache.get(result->key).value_or(*result).vmaf.empty();
    media_.erase(media_.begin() + (result - media_.data()));
  }
  return make_media(missing);
}

// Rates and qualities of the rungs are those of their files.
std::vector<FinalRung> RungEncoder::final_rungs() const {
  std::vector<FinalRung> rungs;
  for (const ladder::Rung &rung : chosen())
    if (const RenditionResult *result = encoded(rung))
      rungs.push_back({{result->point(context_.options.pool), true, rung.why}, *result, {}});
  std::sort(rungs.begin(), rungs.end(),
            [](const FinalRung &a, const FinalRung &b) { return a.rung.point.bps > b.rung.point.bps; });
  return rungs;
}

Step<EncodedLadder> RungEncoder::run() {
  const TitleOptions &options = context_.options;
  ladder::Rules rules = options.rules;
  for (int round = 0; round < kRounds; ++round) {
    if (auto ok = encode_missing(); !ok) return tl::unexpected(ok.error());
    const bool settled = !may_learn() || as_estimated();
    if (may_learn()) learn_from_media();
    // Estimates may be low, and a cap is a promise: the next choice keeps as far below it.
    constexpr double kLittle = 0.995;
    const double above = excess();
    if (above > 1) rules.cap_share *= kLittle / above;
    if ((settled && above <= 1) || round + 1 == kRounds) break;
    auto again = choose_again(choice_, title_, points_, options, rules);
    if (!again) return halt(again.error());
    choice_ = std::move(*again);
  }
  if (auto ok = complete_files(); !ok) return tl::unexpected(ok.error());
  // With the verified points among the curves, and without choosing anew.
  if (may_learn()) {
    auto whole = choose_again(choice_, title_, points_, options, rules);
    if (!whole) return halt(whole.error());
    whole->decision.ladder = choice_.decision.ladder;
    choice_ = std::move(*whole);
  }
  EncodedLadder encoded{std::move(points_), choice_.decision, final_rungs()};
  encoded.decision.ladder.clear();
  std::vector<ladder::Point> points;
  for (const FinalRung &rung : encoded.rungs) {
    encoded.decision.ladder.push_back(rung.rung);
    points.push_back(rung.rung.point);
  }
  encoded.decision.saving = ladder::savings(encoded.decision.fixed, encoded.decision.frontier, points);
  return encoded;
}

} // namespace

Step<EncodedLadder> encode_rungs(const TitleContext &context, TaskRunner &runner, const CutTitle &title,
                                 const Costs &costs, Points points, Choice choice) {
  return RungEncoder(context, runner, title, costs, std::move(points), std::move(choice)).run();
}

} // namespace hull::tools
