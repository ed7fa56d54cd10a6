#include "gst/vmaf/comparison.h"

#include <algorithm>
#include <fmt/format.h>
#include <thread>
#include <utility>

namespace hull::vmaf {
namespace {

/// Size of a chroma plane of the compared pictures.
int fitted(int size, int luma, int chroma) {
  return chroma < luma ? size >> 1 : size;
}

/// The chroma planes' size that a reference has at `format`; 0 without chroma.
std::pair<int, int> chroma_size(const Picture &reference, const ComparedFormat &format) {
  if (!reference.cb.data) return {0, 0};
  return {fitted(format.width, reference.y.width, reference.cb.width),
          fitted(format.height, reference.y.height, reference.cb.height)};
}

ComparedFormat format_of(const ComparisonOptions &options, const Plane &reference, int bits) {
  ComparedFormat format{reference.width, reference.height, std::max({bits, reference.bits, options.bits})};
  if (!options.height) return format;
  format.height = options.height;
  const std::int64_t lines = reference.height;
  format.width = static_cast<int>((std::int64_t{reference.width} * options.height + lines / 2) / lines);
  format.width += format.width & 1;
  return format;
}

unsigned threads_of(const ComparisonOptions &options) {
  return options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

bool has_format(const Plane &luma, const ComparedFormat &format) {
  return luma.width == format.width && luma.height == format.height && luma.bits == format.bits;
}

} // namespace

Result<std::unique_ptr<Comparison>> Comparison::start(const ComparisonOptions &options,
                                                      const Picture &reference, int bits,
                                                      std::vector<std::string> streams) {
  if (streams.empty())
    return fail(ErrorCode::settings,
                "No distorted input is linked: there is nothing to compare with the reference.");
  if (options.bits && options.bits != 8 && options.bits != 10 && options.bits != 12)
    return fail(
        ErrorCode::settings,
        fmt::format("Pictures can be scored at 8, 10 or 12 bits per sample, not at {}.", options.bits));
  const ComparedFormat format = format_of(options, reference.y, bits);
  if (auto size = check_size(format.width, format.height); !size) return tl::unexpected(size.error());
  auto models = choose_models(options.models, options.model_file, format.height, options.frame_rate);
  if (!models) return tl::unexpected(models.error());
  const auto plan = plan_features(*models);
  if (!plan) return tl::unexpected(plan.error());
  const auto [chroma_width, chroma_height] = chroma_size(reference, format);
  if (auto fits = check_pictures(*plan, format.width, format.height, chroma_width, chroma_height); !fits)
    return tl::unexpected(fits.error());
  auto cautions = model_cautions(*models, chroma_width, chroma_height);
  SessionOptions session{std::move(*models), options.psnr, options.subsample, threads_of(options)};
  return std::unique_ptr<Comparison>(new Comparison(options, format, std::move(session),
                                                    options.psnr || plan->reads_chroma(), std::move(streams),
                                                    std::move(cautions)));
}

Comparison::Comparison(const ComparisonOptions &options, const ComparedFormat &format, SessionOptions session,
                       bool reads_chroma, std::vector<std::string> streams, std::vector<std::string> cautions)
    : options_(options),
      format_(format),
      reads_chroma_(reads_chroma),
      streams_(std::move(streams)),
      cautions_(std::move(cautions)),
      session_(format.width, format.height, streams_.size(), std::move(session)),
      fitters_(streams_.size()),
      codings_(streams_.size()) {}

bool Comparison::promoted(std::size_t stream) const {
  const bool reference = std::any_of(std::begin(reference_fitters_), std::end(reference_fitters_),
                                     [](const Fitter &fitter) { return fitter.promoted(); });
  return fitters_[stream].promoted() != reference;
}

std::optional<Coding> Comparison::banding(std::size_t stream) const {
  const CambiOptions *options = session_.reads_banding();
  if (!options) return std::nullopt;
  const CambiOptions taken = coded_options(*options, codings_[stream], format_.width, format_.height);
  return Coding{taken.enc_width, taken.enc_height, taken.enc_bits ? taken.enc_bits : format_.bits};
}

std::vector<std::string> Comparison::cautions(std::size_t stream) const {
  std::vector<std::string> all = cautions_;
  const auto taken = banding(stream);
  const Coding &coding = codings_[stream];
  const bool fits = coding.width > 0 && coding.width <= format_.width && coding.height <= format_.height;
  if (taken && fits && (taken->width != coding.width || taken->height != coding.height))
    all.push_back(fmt::format("banding is measured at {}x{}: it is not defined for the {}x{} that were coded",
                              taken->width, taken->height, coding.width, coding.height));
  return all;
}

Result<Picture> Comparison::fit_reference(const Picture &reference) {
  if (reference.y.bits > format_.bits)
    return fail(ErrorCode::unsupported,
                "The reference went to more bits per sample while scores were being taken; convert "
                "it to one format before hullvmafsink.");
  if (has_format(reference.y, format_)) return reference;
  if (!options_.height && (reference.y.width != format_.width || reference.y.height != format_.height))
    return fail(
        ErrorCode::unsupported,
        fmt::format(
            "The reference changed from {}x{} to {}x{} while scores were being taken. Score the parts "
            "separately, or set score-height so that both are scaled to one size.",
            format_.width, format_.height, reference.y.width, reference.y.height));
  Picture target = reference;
  for (Plane *plane : {&target.y, &target.cb, &target.cr}) {
    const Plane &shape = plane == &target.y ? reference.y : reference.cb;
    plane->width = fitted(format_.width, reference.y.width, shape.width);
    plane->height = fitted(format_.height, reference.y.height, shape.height);
    plane->bits = format_.bits;
    plane->drop = 0;
  }
  return reference_fitters_[session_.frames() % 3].fit(reference, target, true);
}

Result<std::vector<FrameScore>> Comparison::push(const Picture &reference,
                                                 std::span<const Picture *const> distorted) {
  const auto target = fit_reference(reference);
  if (!target) return tl::unexpected(target.error());
  std::vector<Picture> made(distorted.size());
  std::vector<const Picture *> pictures(distorted.size());
  for (std::size_t i = 0; i < distorted.size(); ++i) {
    if (!distorted[i]) continue;
    if (distorted[i]->y.bits > format_.bits)
      return fail(
          ErrorCode::unsupported,
          fmt::format(
              "Pad {} went from {} to {} bits per sample while scores were being taken; convert it to one "
              "format before hullvmafsink.",
              streams_[i], format_.bits, distorted[i]->y.bits));
    if (session_.frames() % options_.subsample != 0) continue; // scaled for nobody
    made[i] = fitters_[i].fit(*distorted[i], *target, reads_chroma_);
    if (session_.reads_chroma() && !(target->cb.data && made[i].cb.data))
      return fail(
          ErrorCode::unsupported,
          fmt::format("VMAF models of v1 read chroma, and a picture on pad {} or the reference has none. "
                      "Take vmaf_v0.6.1, or give pictures with chroma.",
                      streams_[i]));
    codings_[i] = made[i].coding;
    pictures[i] = &made[i];
  }
  const Earlier earlier{previous_ ? &previous_->y : nullptr,
                        before_previous_ ? &before_previous_->y : nullptr};
  auto scores = session_.push(*target, earlier, pictures);
  before_previous_ = std::exchange(previous_, *target);
  return scores;
}

} // namespace hull::vmaf
