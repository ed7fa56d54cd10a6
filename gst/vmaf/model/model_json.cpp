#include "gst/core/json.h"
#include "gst/core/number.h"
#include "gst/vmaf/model/model.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <type_traits>

namespace hull::vmaf {
namespace {

tl::unexpected<Error> bad(const std::string &what, Place at = Place::here()) {
  return fail(ErrorCode::bad_data, "The VMAF model does not load: " + what + ".", Error::kNoOffset, at);
}

Result<std::vector<double>> numbers(const Json &dict, const char *key, std::size_t count) {
  const Json *found = dict.find(key);
  if (!found || !found->is_array() || found->size() != count)
    return bad(std::string("'") + key + "' must be " + std::to_string(count) + " numbers");
  std::vector<double> values;
  for (const Json &value : *found) {
    if (!value.is_number()) return bad(std::string("'") + key + "' holds something that is no number");
    values.push_back(value.get<double>());
  }
  return values;
}

Result<Feature> feature_of(const std::string &name) {
  static constexpr std::pair<const char *, Feature> kNames[] = {
      {"VMAF_integer_feature_adm2_score", Feature::adm2},
      {"VMAF_integer_feature_motion2_score", Feature::motion2},
      {"VMAF_integer_feature_vif_scale0_score", Feature::vif_scale0},
      {"VMAF_integer_feature_vif_scale1_score", Feature::vif_scale1},
      {"VMAF_integer_feature_vif_scale2_score", Feature::vif_scale2},
      {"VMAF_integer_feature_vif_scale3_score", Feature::vif_scale3},
      {"VMAF_integer_feature_adm3_score", Feature::adm3},
      {"VMAF_integer_feature_motion3_score", Feature::motion3},
      {"Cambi_feature_cambi_score", Feature::cambi},
      {"Speed_chroma_feature_speed_chroma_uv_score", Feature::speed_chroma_uv}};
  for (const auto &[key, feature] : kNames)
    if (name == key) return feature;
  return fail(ErrorCode::unsupported,
              "The VMAF model reads the feature '" + name +
                  "', which is not measured here. Models of the v0.6 and v1 families with integer "
                  "features load (vmaf_v0.6.1, vmaf_v1.0.16_3d0h and their relatives).");
}

/// The enhancement gain limit a feature asks for, as an index; any other option changes the score and is
/// refused.
Result<int> gain_of(const Json &options) {
  int gain = 0;
  if (!options.is_object()) return bad("'feature_opts_dicts' must hold objects");
  for (const auto &[key, value] : options.members()) {
    const bool limit = key == "adm_enhn_gain_limit" || key == "vif_enhn_gain_limit";
    if (limit && value.is_number() && value.get<double>() == kGainLimit[1])
      gain = 1;
    else if (!limit || !value.is_number() || value.get<double>() != kGainLimit[0])
      return fail(ErrorCode::unsupported, "The VMAF model sets the feature option '" + key + "' to " +
                                              value.dump() + ", which is not built in.");
  }
  return gain;
}

template <class Options> Result<FeatureUse> use_with(Feature feature, const Json &given) {
  Options options;
  if (auto read = read_options(given, options); !read) return tl::unexpected(read.error());
  if constexpr (std::is_same_v<Options, AdmOptions>)
    if (auto pass = adm_pass(options); !pass) return tl::unexpected(pass.error());
  return FeatureUse{feature, 0, options};
}

Result<FeatureUse> use_of(Feature feature, const Json &options) {
  switch (feature) {
  case Feature::adm3:
    return use_with<AdmOptions>(feature, options);
  case Feature::motion3:
    return use_with<MotionOptions>(feature, options);
  case Feature::cambi:
    return use_with<CambiOptions>(feature, options);
  case Feature::speed_chroma_uv:
    return use_with<SpeedOptions>(feature, options);
  default:
    break;
  }
  auto gain = gain_of(options);
  if (!gain) return tl::unexpected(gain.error());
  return FeatureUse{feature, *gain, {}};
}

Result<std::vector<FeatureUse>> features_of(const Json &dict) {
  const Json *names = dict.find("feature_names"), *options = dict.find("feature_opts_dicts");
  if (!names || !names->is_array() || names->empty()) return bad("'feature_names' is missing");
  if (options && (!options->is_array() || options->size() != names->size()))
    return bad("'feature_opts_dicts' must have one entry per feature");
  std::vector<FeatureUse> uses;
  for (std::size_t i = 0; i < names->size(); ++i) {
    if (!(*names)[i].is_string()) return bad("'feature_names' holds something that is no name");
    auto feature = feature_of((*names)[i].get<std::string>());
    if (!feature) return tl::unexpected(feature.error());
    auto use = use_of(*feature, options ? (*options)[i] : Json::object());
    if (!use) return tl::unexpected(use.error());
    uses.push_back(std::move(*use));
  }
  return uses;
}

/// The text up to the next blank, which is cut off with the blanks before it; empty at the end.
std::string_view take_word(std::string_view &text) {
  constexpr std::string_view kBlanks = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

/// The next line, which is cut off; nothing at the end.
std::optional<std::string_view> take_line(std::string_view &text) {
  if (text.empty()) return std::nullopt;
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

struct SvmHead {
  std::optional<double> gamma, rho;
  std::optional<long> vectors;
};

/// The lines up to "SV", which are cut off.
Result<SvmHead> take_svm_head(std::string_view &text) {
  SvmHead head;
  while (auto line = take_line(text)) {
    const std::string_view key = take_word(*line), value = take_word(*line);
    if (key == "SV") {
      if (!head.gamma || !head.rho || head.vectors.value_or(0) < 1) break;
      return head;
    }
    if ((key == "svm_type" && value != "nu_svr") || (key == "kernel_type" && value != "rbf"))
      return fail(ErrorCode::unsupported, "The VMAF model is of " + std::string(key) + " '" +
                                              std::string(value) + "'; nu_svr with rbf loads.");
    if (key == "gamma") head.gamma = to_number<double>(value);
    if (key == "rho") head.rho = to_number<double>(value);
    if (key == "total_sv") head.vectors = to_number<long>(value);
  }
  return bad("its 'model' text lacks gamma, rho, total_sv or SV");
}

/// A support vector's line: its coefficient, then index:value pairs, of which libsvm leaves out zeros.
bool add_support_vector(std::string_view line, std::size_t features, Svr &svr) {
  const auto coefficient = to_number<double>(take_word(line));
  if (!coefficient) return false;
  std::vector<double> at(features, 0.0);
  for (std::string_view pair = take_word(line); !pair.empty(); pair = take_word(line)) {
    const auto index = take_number<std::size_t>(pair);
    if (!index || *index < 1 || *index > features || !pair.starts_with(':')) return false;
    const auto value = to_number<double>(pair.substr(1));
    if (!value) return false;
    at[*index - 1] = *value;
  }
  svr.vectors.push_back(*coefficient);
  svr.vectors.insert(svr.vectors.end(), at.begin(), at.end());
  return true;
}

/// libsvm's text: header lines, "SV", then a line for each support vector.
Result<void> parse_svm(std::string_view text, std::size_t features, Svr &svr) {
  const auto head = take_svm_head(text);
  if (!head) return tl::unexpected(head.error());
  svr.gamma = *head->gamma;
  svr.rho = *head->rho;
  long count = 0;
  while (const auto line = take_line(text)) {
    if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    ++count;
    if (!add_support_vector(*line, features, svr))
      return bad("support vector " + std::to_string(count) + " is damaged");
  }
  if (count != *head->vectors)
    return bad("it announces " + std::to_string(*head->vectors) + " support vectors and has " +
               std::to_string(count));
  return {};
}

bool is_true(const Json &dict, const char *key) {
  const Json &value = dict[key];
  return value.is_string() ? value == "true" : value.is_bool() && value.get<bool>();
}

Result<Transform> transform_of(const Json &dict) {
  Transform transform;
  const Json &found = dict["score_transform"];
  if (found.is_null()) return transform;
  if (!found.is_object()) return bad("'score_transform' must be an object");
  transform.enabled = is_true(found, "enabled");
  transform.at_least_input = is_true(found, "out_gte_in");
  transform.at_most_input = is_true(found, "out_lte_in");
  const auto term = [&found](const char *key, std::optional<double> &out) {
    const Json &value = found[key];
    if (value.is_number()) out = value.get<double>();
  };
  term("p0", transform.p0);
  term("p1", transform.p1);
  term("p2", transform.p2);
  const Json &knots = found["knots"];
  if (knots.is_null()) return transform;
  if (!knots.is_array()) return bad("'knots' must be pairs of numbers");
  for (const Json &knot : knots) {
    if (!knot.is_array() || knot.size() != 2 || !knot[0].is_number() || !knot[1].is_number())
      return bad("'knots' must be pairs of numbers");
    transform.knots.emplace_back(knot[0].get<double>(), knot[1].get<double>());
  }
  return transform;
}

/// Where the file asks for it, and both features are there.
Result<std::optional<ChromaCorrection>> correction_of(const Json &dict,
                                                      const std::vector<FeatureUse> &features) {
  const Json &weight = dict["chroma_correction_parameter"];
  if (weight.is_null()) return std::nullopt;
  const auto place = [&features](Feature wanted) {
    const auto found = std::find_if(features.begin(), features.end(),
                                    [wanted](const FeatureUse &use) { return use.feature == wanted; });
    return static_cast<std::size_t>(found - features.begin());
  };
  const std::size_t chroma = place(Feature::speed_chroma_uv), adm = place(Feature::adm3);
  if (!weight.is_number() || chroma == features.size() || adm == features.size())
    return bad("'chroma_correction_parameter' must be a number of a model with SpEED and adm3");
  return ChromaCorrection{chroma, adm, weight.get<double>()};
}

Result<Svr> member_of(const Json &dict, std::size_t features) {
  Svr svr;
  const Json &norm = dict["norm_type"];
  if (norm != "linear_rescale" && norm != "none") return bad("'norm_type' is missing or unknown");
  if (norm == "linear_rescale") {
    auto slopes = numbers(dict, "slopes", features + 1),
         intercepts = numbers(dict, "intercepts", features + 1);
    if (!slopes) return tl::unexpected(slopes.error());
    if (!intercepts) return tl::unexpected(intercepts.error());
    svr.slopes = *slopes;
    svr.intercepts = *intercepts;
    if (svr.slopes[0] == 0) return bad("the score's slope is zero");
  } else {
    svr.slopes.assign(features + 1, 1.0);
    svr.intercepts.assign(features + 1, 0.0);
  }
  const Json &text = dict["model"];
  if (!text.is_string()) return bad("'model' is missing");
  if (auto parsed = parse_svm(text.get<std::string>(), features, svr); !parsed)
    return tl::unexpected(parsed.error());
  return svr;
}

Result<Model> model_of(const Json &dict, std::string name) {
  const Json &type = dict["model_type"];
  if (type != "LIBSVMNUSVR" && type != "BOOTSTRAP_LIBSVMNUSVR" && type != "RESIDUEBOOTSTRAP_LIBSVMNUSVR")
    return bad("'model_type' is missing or unknown");
  Model model;
  model.name = std::move(name);
  auto features = features_of(dict);
  if (!features) return tl::unexpected(features.error());
  model.features = *features;
  auto correction = correction_of(dict, model.features);
  if (!correction) return tl::unexpected(correction.error());
  model.correction = *correction;
  auto transform = transform_of(dict);
  if (!transform) return tl::unexpected(transform.error());
  model.transform = *transform;
  if (!dict["score_clip"].is_null()) {
    auto limits = numbers(dict, "score_clip", 2);
    if (!limits) return tl::unexpected(limits.error());
    if ((*limits)[0] > (*limits)[1]) return bad("'score_clip' is upside down");
    model.clip = {(*limits)[0], (*limits)[1]};
  }
  auto member = member_of(dict, model.features.size());
  if (!member) return tl::unexpected(member.error());
  model.members.push_back(std::move(*member));
  return model;
}

const Json *dict_of(const Json &root) {
  const Json *found = root.find("model_dict");
  return found && found->is_object() ? found : nullptr;
}

} // namespace

Result<Model> parse_model(std::string_view text, std::string name) {
  const Json root = Json::parse(text);
  if (root.is_null()) return bad("it is not valid JSON");
  if (const Json *dict = dict_of(root)) return model_of(*dict, std::move(name));
  if (!root.contains("0")) return bad("it has neither 'model_dict' nor a collection of models");
  Model model;
  for (std::size_t i = 0; i < root.size(); ++i) {
    const Json *dict = dict_of(root[std::to_string(i)]);
    if (!dict) return bad("member " + std::to_string(i) + " of the collection is missing or broken");
    auto parsed = model_of(*dict, name);
    if (!parsed) return tl::unexpected(parsed.error());
    if (i == 0)
      model = std::move(*parsed);
    else
      model.members.push_back(std::move(parsed->members.front()));
  }
  return model;
}

Result<Model> load_model(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || text.empty())
    return fail(ErrorCode::not_found, "The VMAF model '" + path + "' cannot be read or is empty.");
  auto model = parse_model(text, std::filesystem::path(path).stem().string());
  if (!model) return fail(model.error().code, model.error().text + " File: '" + path + "'.");
  return model;
}

} // namespace hull::vmaf
