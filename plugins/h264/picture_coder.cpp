#include "plugins/h264/picture_coder.h"

#include "plugins/h264/log.h"

#include <algorithm>
#include <cmath>
#include <utility>

#define GST_CAT_DEFAULT encoder_category()

namespace hull::h264 {
namespace {

constexpr int kCoarsest = 51;
// Codings of one picture at most; the last one is as coarse as it may be.
constexpr unsigned kMostAttempts = 5;
// Times a picture that the library refuses is offered again, to a new encoder each time.
constexpr unsigned kMostRefusals = 12;
constexpr int kCoarserAfterRefusal = 6;

double horizon_of(RateControl control) {
  switch (control) {
  case RateControl::quality:
    return 6;
  case RateControl::buffer:
    return 0.5;
  case RateControl::timestamp:
    return 1.5;
  default:
    return 2;
  }
}

double bits_of(const Coded &coded) {
  constexpr std::size_t kStartCode = 4;
  std::size_t bytes = 0;
  for (const Nal &nal : coded.nals)
    if (nal.is_slice()) bytes += kStartCode + nal.data.size();
  return static_cast<double>(bytes) * 8;
}

std::size_t largest_slice(const Coded &coded) {
  std::size_t largest = 0;
  for (const Nal &nal : coded.nals)
    if (nal.is_slice()) largest = std::max(largest, nal.data.size());
  return largest;
}

} // namespace

Result<std::unique_ptr<PictureCoder>> PictureCoder::open(const CodecConfig &config) {
  std::unique_ptr<PictureCoder> made(new PictureCoder(config));
  auto codec = Codec::open(config);
  if (!codec) return tl::unexpected(codec.error());
  made->codec_ = std::move(*codec);
  return made;
}

void PictureCoder::aim() {
  const EncoderSettings &s = config_.settings;
  RateGoal goal;
  goal.picture_seconds = 1 / fps();
  goal.key_interval = key_interval(s, fps());
  goal.horizon = horizon_of(s.rate_control);
  goal.highest = s.qp_max;
  goal.lowest = std::min(s.qp_min + base_layer_bonus(s), s.qp_max);
  const bool capped = s.rate_control == RateControl::capped_quality;
  goal.constant = capped ? std::max<double>(s.quantizer, goal.lowest) : s.quantizer;
  if (capped) goal.highest = std::max(goal.highest, goal.constant);
  const double target = target_kbps(s, config_.width, config_.height, fps()) * 1000.0;
  double most = is_constant() ? 0 : s.max_bitrate * 1000.0;
  if (most > 0 && most_rate_ > 0) most = std::min(most, most_rate_);
  if (!capped && !is_constant()) goal.bits_per_second = most > 0 ? std::min(target, most) : target;
  controller_.aim(goal);
  double size = most * s.vbv_buffer / 1000;
  if (s.rate_control == RateControl::buffer && most <= 0) {
    // A little faster than the bitrate: what a full buffer cannot take would be lost for the average.
    most = 1.2 * goal.bits_per_second;
    size = std::max(most * s.vbv_buffer / 1000, 8 * most / fps());
  }
  if (most_size_ > 0) size = std::min(size, most_size_);
  bucket_.set(most, size);
}

void PictureCoder::limit_bucket(double bits_per_second, double bits) {
  most_rate_ = bits_per_second;
  most_size_ = bits;
  aim();
}

void PictureCoder::adapt(const EncoderSettings &settings, std::uint32_t fps_num, std::uint32_t fps_den) {
  config_.settings = settings;
  config_.fps_num = fps_num;
  config_.fps_den = fps_den;
  codec_->set_complexity(settings.complexity);
  aim();
}

// Budgets are per picture: they must follow how fast pictures really come. A pause is no rate.
void PictureCoder::follow_rate(double seconds) {
  constexpr double kMemory = 0.9, kLongest = 1, kWorthTelling = 0.1;
  if (!config_.variable_rate || seconds <= 0) return;
  const double length = std::min(seconds, kLongest);
  picture_seconds_ = picture_seconds_ > 0 ? kMemory * picture_seconds_ + (1 - kMemory) * length : length;
  if (std::abs(1 / picture_seconds_ / fps() - 1) < kWorthTelling) return;
  measured_fps_ = 1 / picture_seconds_;
  aim();
}

PictureKind PictureCoder::kind_of(bool key) const {
  if (key) return PictureKind::key;
  const unsigned layers = config_.settings.temporal_layers, period = 1u << (layers - 1);
  unsigned at = since_key_ % period, layer = at ? layers - 1 : 0;
  for (; at && at % 2 == 0; at /= 2)
    --layer;
  return static_cast<PictureKind>(layer + 1);
}

// The library writes into buffers as large as the raw picture without looking at their end (CABAC), and gives
// up where a picture takes more than two thirds of them. So a quantizer is taken only when the densest coding
// of such a picture fits. With threads each slice has a buffer of its own, of twice the mean share; some
// slices are half as large again as the mean.
bool PictureCoder::is_safe(const Activity &activity, double quantizer) const {
  constexpr double kSpare = 800, kUsable = 8 / 1.5, kOfSlice = 6.5, kSamples = 384, kSliceHeader = 40,
                   kSum = 64;
  const EncoderSettings &s = config_.settings;
  const double used = std::max(0.0, quantizer - base_layer_bonus(s));
  if (activity.worst_bits(used) > (config_.width * 1.5 * config_.height + kSpare) * kUsable - 400)
    return false;
  const double row = worst_bits_per_sample(activity.densest_row / kSum, used);
  if (config_.slice_threads > 1 && row > kOfSlice) return false;
  const double block = worst_bits_per_sample(activity.densest_block / kSum, used) * kSamples / 8;
  return s.slice_mode != SliceMode::size_limited || block + kSliceHeader < s.max_slice_size;
}

double PictureCoder::allowance(PictureKind kind) const {
  // Of a full bucket a predicted picture may take a quarter beyond what comes in, of an emptier one less.
  constexpr double kOfKey = 0.85, kOfOther = 0.25;
  const double level = std::max(0.0, bucket_.level());
  if (kind == PictureKind::key) return kOfKey * level;
  const double income = std::min(level, bucket_.rate() / fps());
  return income + (level - income) * kOfOther * level / bucket_.size();
}

int PictureCoder::choose(const Request &request, PictureKind kind, const Activity &activity) {
  const RateGoal &goal = controller_.goal();
  const bool by_time = config_.settings.rate_control == RateControl::timestamp || config_.variable_rate;
  const double seconds = by_time ? std::min(request.seconds, 2.0) : goal.picture_seconds;
  double quantizer = controller_.choose(kind, activity, model_, seconds);
  const double extra =
      8.0 * static_cast<double>(kind == PictureKind::key ? request.key_extra : request.extra);
  if (bucket_.exists())
    while (quantizer < goal.highest && model_.expect(kind, activity, quantizer) + extra > allowance(kind))
      ++quantizer;
  while (quantizer < kCoarsest && !is_safe(activity, quantizer))
    ++quantizer;
  return static_cast<int>(quantizer);
}

bool PictureCoder::should_skip(PictureKind kind, const Activity &activity, int quantizer) const {
  // Half a second behind is late; a bucket that is full will not have more room for waiting.
  constexpr double kLate = 0.5, kFull = 0.98;
  if (!config_.settings.frame_skip || quantizer < controller_.goal().highest) return false;
  if (!bucket_.exists()) return controller_.debt_seconds() > kLate;
  return bucket_.level() < kFull * bucket_.size() &&
         model_.expect(kind, activity, quantizer) * 0.9 > bucket_.level();
}

// The quantizer to code the picture with again, or the same one when it may leave.
int PictureCoder::coarser(const Coded &coded, int quantizer, double bits) const {
  constexpr std::size_t kRenumbering = 2; // bytes that another idr_pic_id may take
  const int highest = static_cast<int>(controller_.goal().highest);
  if (bucket_.exists() && bits > bucket_.level() && quantizer < highest) {
    const double ratio = bits / std::max(bucket_.level(), bits / 64);
    return std::min(highest, quantizer + 1 + static_cast<int>(std::ceil(6 * std::log2(ratio))));
  }
  const EncoderSettings &s = config_.settings;
  if (s.slice_mode == SliceMode::size_limited && largest_slice(coded) + kRenumbering > s.max_slice_size)
    return std::min(kCoarsest, quantizer + 3);
  return quantizer;
}

// One picture through the library. Where it gives up, a new encoder gets the picture, coarser, and in the end
// without threads; only a key picture can be first there. None when nothing helps.
Result<std::optional<Coded>> PictureCoder::attempt(const Request &request, bool &key, int &quantizer) {
  for (unsigned i = 0; i < kMostRefusals; ++i) {
    auto coded = codec_->encode(request.picture, request.milliseconds, key, quantizer);
    if (coded) return std::move(*coded);
    if (quantizer == kCoarsest) config_.slice_threads = 1;
    quantizer = std::min(kCoarsest, quantizer + kCoarserAfterRefusal);
    key = true;
    GST_DEBUG_OBJECT(config_.element, "%s It is coded again at quantizer %d.", coded.error().text.c_str(),
                     quantizer);
    auto codec = Codec::open(config_);
    if (!codec) return tl::unexpected(codec.error());
    codec_ = std::move(*codec);
    codec_->set_complexity(config_.settings.complexity);
  }
  return std::nullopt;
}

Coded PictureCoder::skip(bool key) {
  controller_.skipped();
  owes_key_ |= key;
  Coded coded;
  coded.skipped = true;
  return coded;
}

Coded PictureCoder::refuse() {
  Coded coded = skip(true);
  coded.refused = true;
  return coded;
}

Result<Coded> PictureCoder::code(const Request &request) {
  const Activity &activity = meter_.measure(request.picture);
  bucket_.wait(request.seconds);
  follow_rate(request.seconds);
  bool key = request.key || owes_key_;
  int quantizer = choose(request, kind_of(key), activity);
  if (should_skip(kind_of(key), activity, quantizer)) return skip(key);
  const bool raised = is_constant() && quantizer > static_cast<int>(controller_.goal().constant);
  for (unsigned i = 1;; ++i) {
    auto coded_or_not = attempt(request, key, quantizer);
    if (!coded_or_not) return tl::unexpected(coded_or_not.error());
    if (!*coded_or_not) return refuse();
    Coded &coded = **coded_or_not;
    key |= coded.idr;
    const double bits = bits_of(coded) + 8.0 * static_cast<double>(key ? request.key_extra : request.extra);
    const int next = i < kMostAttempts ? coarser(coded, quantizer, bits) : quantizer;
    coded.attempts = i;
    coded.raised = raised;
    if (next == quantizer) return account(std::move(coded), activity, key, quantizer, bits);
    GST_DEBUG_OBJECT(config_.element, "%.0f bits at quantizer %d are too many: coded again at %d", bits,
                     quantizer, next);
    quantizer = i + 1 < kMostAttempts ? next : std::max(next, static_cast<int>(controller_.goal().highest));
    key = true; // nothing else can take the place of what the encoder now refers to
  }
}

Coded PictureCoder::account(Coded coded, const Activity &activity, bool key, int quantizer, double bits) {
  constexpr double kFull = 0.98;
  model_.learn(kind_of(key), activity, quantizer, bits);
  coded.overrun = bucket_.exists() && bits > bucket_.level();
  if (coded.overrun && config_.settings.frame_skip && bucket_.level() < kFull * bucket_.size())
    return skip(true);
  owes_key_ = false;
  controller_.coded(key, quantizer, bits);
  bucket_.take(bits);
  since_key_ = key ? 1 : since_key_ + 1;
  return coded;
}

} // namespace hull::h264
