#pragma once

#include "gst/core/json.h"
#include "gst/ladder/per_shot.h"
#include "gst/tools/media/package.h"
#include "gst/tools/media/scan.h"
#include "gst/tools/support/progress.h"
#include "gst/tools/title/decision.h"
#include "gst/tools/title/engine.h"
#include "gst/tools/title/record.h"
#include "gst/tools/title/trial.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hull::tools {

struct TitleOptions {
  std::string file, out;
  std::vector<unsigned> heights; ///< empty = the standard ones
  std::vector<int> qps;          ///< empty = search in rounds; else measure these at every size
  bool quick = false;        ///< fewer encodes, every fifth picture scored; the rungs are verified in full
  bool shots = false;        ///< a quantizer per shot, by equal slope
  double budget_seconds = 0; ///< 0 = none; what the search may take, its rungs included
  ladder::Rules rules;       ///< cap_bps infinite = 1.5 times Apple's row for the source
  std::string model = "vmaf_v0.6.1";
  Pool pool = Pool::mean;
  std::vector<ladder::FixedRow> against; ///< empty = Apple's rows
  std::string against_name = "Apple's ladder";
  Progress::Style style = Progress::Style::automatic;
};

/// One rung as it was encoded, verified and packaged.
struct FinalRung {
  ladder::Rung rung;
  Record record; ///< with its scores
  ladder::RungFacts facts;
};

/// What a run leaves in memory for the report; everything is in the folder, too.
struct TitleResult {
  Source source;
  Scan scan;
  std::vector<Record> records; ///< measured points, sorted by size and quantizer
  Decision decision;
  std::vector<FinalRung> rungs;
  Package package;
  std::vector<ladder::Check> checks;
  unsigned encodes = 0; ///< points encoded or taken from the cache to find the ladder
  unsigned cached = 0;  ///< of these, found in the cache
};

/// The main job: probe, scan, measure, decide, encode and verify the rungs, package, report. What costs time
/// is done as tasks by an engine; every finished task is in OUT/cache, so an interrupted run loses only the
/// tasks it was in.
class Title {
 public:
  Title(TitleOptions options, Engine &engine, const std::atomic<int> &stop);
  Title(const Title &) = delete;
  Title &operator=(const Title &) = delete;
  ~Title();

  /// Writes what a person reads of a title into OUT.
  using Report = std::function<Result<void>(const TitleResult &, const TitleOptions &)>;

  /// Everything. The result of an earlier run is replaced only by a whole new one: ladder.json is written
  /// last, after `report`, so where it is, all of the title is.
  Result<TitleResult> run(const Report &report);
  /// Up to the decision: no rung is encoded.
  Result<TitleResult> analyze();

 private:
  using Wanted = std::vector<std::pair<ladder::Resolution, int>>;

  Result<void> open();
  Result<void> lock_folder();
  Result<void> scan_source();
  Result<void> try_out_source();
  unsigned search_step() const;
  void cut_into_parts();
  Result<void> search();
  Result<void> measure_points(const Wanted &wanted, const std::string &name);
  Result<void> update_decision();
  Result<void> choose_again();
  Result<void> plan_shots();
  std::size_t second_round_size(std::size_t sizes, double seconds_spent) const;
  /// Every picture of the title was encoded and scored.
  bool is_whole(const Record &record) const {
    return record.pictures == source_.frames && record.scored.empty();
  }
  const Record *find(const ladder::Resolution &res, int qp) const;

  // title_tasks.cpp
  Result<std::vector<Record>> collect(const std::vector<Part> &parts, unsigned subsample,
                                      const std::vector<Rendition> &wanted, const std::string &name,
                                      std::vector<std::vector<std::string>> *files = nullptr);
  Result<void> do_tasks(const std::vector<Task> &tasks, const std::string &name);
  double search_work(std::size_t encodes) const;
  double rungs_work() const;

  // title_rungs.cpp
  Result<void> encode_rungs();
  Result<bool> encode_ladder();
  Rendition rendition_of(const ladder::Rung &rung) const;
  std::string whole_key(const Rendition &rendition) const;
  Result<void> keep_media(const Rendition &rendition, Record record, const std::vector<std::string> &files);
  Result<void> make_media(const std::vector<Rendition> &wanted);
  Result<void> complete_files();
  bool lower_the_cap();
  void take_rungs();
  void remove_leftovers() const;
  Result<void> package();
  Result<void> still_the_same() const;

  TitleOptions options_;
  Engine &engine_;
  const std::atomic<int> &stop_;
  Progress progress_;
  std::optional<Cache> cache_;
  int lock_ = -1; ///< descriptor
  Source source_;
  std::vector<Part> parts_;   ///< the whole title
  std::vector<Part> samples_; ///< what the search measures
  bool samples_were_taken_ = false;
  unsigned subsample_ = 1;
  bool own_cap_ = false; ///< the cap is ours, not the user's
  Trial trial_;
  Json tasks_ = Json::array(); ///< of this run so far
  TitleResult result_;
  std::vector<Record> media_;           ///< rungs encoded so far
  std::vector<ladder::ShotPlan> plans_; ///< of all sizes when shots have quantizers of their own
  std::vector<ladder::Curve> plan_curves_;
};

} // namespace hull::tools
