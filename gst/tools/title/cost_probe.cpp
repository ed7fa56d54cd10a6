#include "gst/tools/title/cost_probe.h"

#include "gst/tools/title/decision.h"

#include <algorithm>
#include <numeric>
#include <sys/resource.h>

namespace hull::tools {
namespace {

constexpr unsigned kPlaces = 5; // of the title
constexpr std::uint64_t kLeastPictures = 8;
constexpr int kGood = 26, kPoor = 38;

double processor_microseconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval &t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// A group's key picture weighs as much as it would in a whole one.
double group_bytes(const std::vector<std::uint32_t> &sizes, double gop) {
  const double rest = std::accumulate(sizes.begin() + 1, sizes.end(), 0.0);
  return sizes.front() + rest * (gop - 1) / static_cast<double>(sizes.size() - 1);
}

// Processor time of the graph alone, with every picture encoded, and with every picture scored, too.
struct Times {
  double graph = 0, encoded = 0, scored = 0;
};

Result<Measurement> timed(const MeasureJob &job, const std::atomic<int> &stop, double &took) {
  const double before = processor_microseconds();
  auto measured = measure(job, stop);
  took += processor_microseconds() - before;
  return measured;
}

// One place three times: a single picture, all of them with one scored, all of them scored.
Result<Measurement> try_place(MeasureJob job, const std::atomic<int> &stop, Times &times) {
  const std::uint64_t pictures = job.window.count;
  job.window.count = 1;
  if (auto ran = timed(job, stop, times.graph); !ran) return ran;
  job.window.count = pictures;
  job.subsample = static_cast<unsigned>(pictures);
  if (auto ran = timed(job, stop, times.encoded); !ran) return ran;
  job.subsample = 1;
  return timed(job, stop, times.scored);
}

Costs costs_of(const Source &source, const std::vector<Rendition> &renditions, const Times &times,
               double pictures) {
  Costs costs;
  const double scoring = work_of(source, 1, renditions) - work_of(source, 1, renditions, 1u << 30);
  const double share = std::max(0.1, (times.scored - times.encoded) / pictures / scoring);
  costs.score *= share;
  costs.reference *= share;
  Costs without = costs;
  without.encode = 0;
  double pixels = 0;
  for (const Rendition &rendition : renditions)
    pixels += static_cast<double>(rendition.res.pixels());
  const double others = work_of(source, 1, renditions, 1u << 30, without);
  costs.encode = std::max(costs.encode / 10, ((times.encoded - times.graph) / pictures - others) / pixels);
  return costs;
}

} // namespace

Result<CostProbe> probe_costs(const Source &source, const std::vector<ladder::Resolution> &sizes,
                              const ladder::Rules &rules, const std::string &model, double work,
                              const std::atomic<int> &stop) {
  MeasureJob job;
  job.source = source;
  job.model = model;
  job.reread = false;
  for (const ladder::Resolution &res : sizes)
    for (const int qp : {kGood, kPoor})
      job.renditions.push_back({res, qp, {}, true, {}});
  const auto most = static_cast<std::uint64_t>(work / 2 / kPlaces / work_of(source, 1, job.renditions));
  job.window.count = std::clamp(most, kLeastPictures, std::max<std::uint64_t>(kLeastPictures, source.gop()));
  job.key_pictures = {0};
  // Whether every picture lies where counting puts it is not known yet: what is missed is left out.
  job.source.steady = !source.elementary && !source.variable_rate;
  Times times;
  double places = 0;
  std::vector<ladder::Point> points;
  for (const Rendition &rendition : job.renditions)
    points.push_back({rendition.res, rendition.qp, 0, 0});
  for (unsigned place = 0; place < kPlaces; ++place) {
    job.window.first = source.frames * (2 * place + 1) / (2 * kPlaces);
    Times own;
    const auto measured = try_place(job, stop, own);
    if (!measured) {
      if (stop.load()) return tl::unexpected(measured.error());
      continue;
    }
    ++places;
    times.graph += own.graph;
    times.encoded += own.encoded;
    times.scored += own.scored;
    for (std::size_t i = 0; i < points.size(); ++i) {
      points[i].bps +=
          group_bytes(measured->renditions[i].sizes, source.gop()) * 8 / source.gop() * source.fps();
      points[i].quality += pooled(measured->renditions[i].vmaf, Pool::mean);
    }
  }
  if (places == 0) return fail(ErrorCode::unsupported, source.path + " cannot be entered in its middle");
  for (ladder::Point &point : points)
    point.bps /= places, point.quality /= places;
  CostProbe probed;
  probed.costs = costs_of(source, job.renditions, times, places * static_cast<double>(job.window.count - 1));
  const auto curves = ladder::fit_curves(points);
  if (const auto rungs = ladder::choose(curves, with_usual_cap(rules, source.display.height, curves)))
    for (const ladder::Rung &rung : *rungs)
      probed.rungs.push_back(rung.point.res);
  return probed;
}

Json to_json(const CostProbe &probed) {
  Json rungs = Json::array();
  for (const ladder::Resolution &res : probed.rungs)
    rungs.push_back({res.width, res.height});
  return {{"score", probed.costs.score},
          {"reference", probed.costs.reference},
          {"encode", probed.costs.encode},
          {"rungs", rungs}};
}

Result<CostProbe> cost_probe_from_json(const Json &json) {
  try {
    CostProbe probed;
    probed.costs.score = json.at("score").get<double>();
    probed.costs.reference = json.at("reference").get<double>();
    probed.costs.encode = json.at("encode").get<double>();
    for (const auto &res : json.at("rungs"))
      probed.rungs.push_back({res.at(0).get<unsigned>(), res.at(1).get<unsigned>()});
    return probed;
  } catch (const JsonError &) {
    return fail(ErrorCode::bad_data, "the trial in the cache is damaged");
  }
}

} // namespace hull::tools
