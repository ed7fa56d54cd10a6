#include "gst/ladder/bdrate.h"

#include "gst/core/json.h"
#include "gst/tools/cli/commands.h"
#include "gst/tools/support/command.h"
#include "gst/tools/support/csv.h"
#include "gst/tools/support/files.h"

#include <fmt/format.h>
#include <map>
#include <memory>

namespace hull::tools {
namespace {

struct Options {
  std::string anchor, test, method = "pchip";
  bool json = false;
};

Result<std::vector<ladder::RateQuality>> curve_of(const std::string &path) {
  return read_file(path).and_then([&](const std::string &text) { return parse_curve(text, path); });
}

int compare(const Options &options) {
  static const std::map<std::string, ladder::BdMethod> kMethods = {{"pchip", ladder::BdMethod::pchip},
                                                                   {"akima", ladder::BdMethod::akima},
                                                                   {"cubic", ladder::BdMethod::cubic}};
  const auto anchor = curve_of(options.anchor);
  if (!anchor) return report(anchor.error());
  const auto test = curve_of(options.test);
  if (!test) return report(test.error());
  const auto bd = ladder::bd_rate(*anchor, *test, kMethods.at(options.method));
  if (!bd) return report(bd.error());
  if (options.json) {
    const Json out = {{"bd_rate_percent", bd->percent},
                      {"method", options.method},
                      {"quality_low", bd->quality_low},
                      {"quality_high", bd->quality_high},
                      {"overlap", bd->overlap}};
    fmt::print("{}\n", out.dump(2));
    return kDone;
  }
  fmt::print("BD-rate {:+.6f} % ({}, quality {:g} to {:g})\n", bd->percent, options.method, bd->quality_low,
             bd->quality_high);
  if (bd->overlap < 0.75)
    fmt::print(stderr,
               "gst-hull-1.0: the curves share only {:.0f} % of their qualities, so read this with care\n",
               bd->overlap * 100);
  return kDone;
}

} // namespace

void add_bdrate(Command &program) {
  const auto options = std::make_shared<Options>();
  Command command = program.command("bdrate", "Compare two rate-quality curves by Bjontegaard delta rate");
  command.option("ANCHOR.csv", options->anchor, "Curve to compare against; columns kbps,vmaf").required();
  command.option("TEST.csv", options->test, "Curve to judge").required();
  command.option("--method", options->method, "Interpolation of log rate over quality")
      .one_of({"pchip", "akima", "cubic"})
      .shows_default();
  command.flag("--json", options->json, "Print JSON");
  command.does([options] { return compare(*options); });
}

} // namespace hull::tools
