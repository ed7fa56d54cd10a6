#include "plugins/h264/encoder.h"

namespace hull::h264 {
namespace {

template <class E> constexpr int as_int(E value) {
  return static_cast<int>(value);
}

const GEnumValue kRateControlValues[] = {
    {as_int(RateControl::bitrate), "Hold the average bitrate", "bitrate"},
    {as_int(RateControl::quality), "Hold the bitrate, rather with even quality than with even frames",
     "quality"},
    {as_int(RateControl::buffer), "Steer by the fill of a buffer that empties at the bitrate", "buffer"},
    {as_int(RateControl::timestamp), "Hold the bitrate by timestamps, for varying frame rates", "timestamp"},
    {as_int(RateControl::cqp), "Constant quantizer, no rate control", "cqp"},
    {as_int(RateControl::capped_quality), "Quantizer as in cqp, higher only where max-bitrate demands it",
     "capped-quality"},
    {0, nullptr, nullptr}};
const EnumTable kRateControls{"HullH264EncRateControl", kRateControlValues};

const GEnumValue kEntropyValues[] = {
    {as_int(Entropy::automatic), "CABAC where the profile has it", "auto"},
    {as_int(Entropy::cavlc), "CAVLC", "cavlc"},
    {as_int(Entropy::cabac), "CABAC; an error with the baseline profiles", "cabac"},
    {0, nullptr, nullptr}};
const EnumTable kEntropies{"HullH264EncEntropy", kEntropyValues};

const GEnumValue kComplexityValues[] = {
    {as_int(Complexity::low), "Fast: about 18 % less time for about 3 % more bits", "low"},
    {as_int(Complexity::medium), "The best the library has", "medium"},
    {0, nullptr, nullptr}};
const EnumTable kComplexities{"HullH264EncComplexity", kComplexityValues};

const GEnumValue kUsageValues[] = {{as_int(Usage::camera), "Pictures of a camera", "camera"},
                                   {as_int(Usage::screen), "Pictures of a screen", "screen"},
                                   {0, nullptr, nullptr}};
const EnumTable kUsages{"HullH264EncUsageType", kUsageValues};

const GEnumValue kSliceModeValues[] = {
    {as_int(SliceMode::single), "One slice per picture", "single"},
    {as_int(SliceMode::fixed), "As many slices as num-slices says", "fixed"},
    {as_int(SliceMode::rows), "One slice per row of macroblocks", "rows"},
    {as_int(SliceMode::size_limited), "No slice above max-slice-size bytes", "size-limited"},
    {0, nullptr, nullptr}};
const EnumTable kSliceModes{"HullH264EncSliceMode", kSliceModeValues};

const GEnumValue kParallelValues[] = {
    {as_int(Parallel::slices), "Threads share the slices of a picture: no delay", "slices"},
    {as_int(Parallel::gop), "Threads code groups of pictures side by side: for files, with delay", "gop"},
    {0, nullptr, nullptr}};
const EnumTable kParallels{"HullH264EncParallel", kParallelValues};

const GEnumValue kDeblockingValues[] = {
    {as_int(Deblocking::on), "Across the whole picture", "on"},
    {as_int(Deblocking::off), "No deblocking", "off"},
    {as_int(Deblocking::within_slices), "Not across borders of slices", "within-slices"},
    {0, nullptr, nullptr}};
const EnumTable kDeblockings{"HullH264EncDeblocking", kDeblockingValues};

// Level 6.2 holds no more, table A-1.
constexpr double kMostKbps = 800'000;

using S = EncoderSettings;
const Property<S> kProperties[] = {
    property<&S::rate_control>("rate-control", "What the encoder holds constant", Mutable::playing,
                               kRateControls),
    property<&S::bitrate>("bitrate", "Target bitrate in kbit/s; 0 = 0.07 bits per pixel", Mutable::playing, 0,
                          kMostKbps),
    property<&S::max_bitrate>("max-bitrate", "Highest bitrate in kbit/s, at least bitrate; 0 = no limit",
                              Mutable::playing, 0, kMostKbps),
    property<&S::vbv_buffer>(
        "vbv-buffer", "Buffer in front of a decoder that max-bitrate fills, in ms: the most it may lag",
        Mutable::playing, 1, 60'000),
    property<&S::quantizer>("quantizer", "Quantizer of rate-control=cqp and best one of capped-quality",
                            Mutable::playing, 0, 51),
    property<&S::qp_min>("qp-min", "Lowest quantizer of the rate control", Mutable::playing, 0, 51),
    property<&S::qp_max>("qp-max", "Highest quantizer of the rate control", Mutable::playing, 0, 51),
    property<&S::key_int_max>("key-int-max", "Frames from one key unit to the next; 0 = two seconds",
                              Mutable::playing, 0, 0x3fffffff),
    property<&S::scene_cut>(
        "scene-cut", "Also start a key unit where the scene changes; key units are then not evenly spaced"),
    property<&S::entropy>("entropy-coding", "How coefficients and modes are coded", Mutable::ready,
                          kEntropies),
    property<&S::complexity>("complexity", "Time spent on decisions", Mutable::playing, kComplexities),
    property<&S::usage>("usage-type", "What the pictures show", Mutable::ready, kUsages),
    property<&S::temporal_layers>("temporal-layers",
                                  "Layers of frame rate; buffers of the highest are marked droppable",
                                  Mutable::ready, 1, 4),
    property<&S::ltr>("ltr", "Keep long-term references and answer loss-recovery events with them"),
    property<&S::ltr_mark_period>("ltr-mark-period", "Frames between markings of a long-term reference",
                                  Mutable::ready, 1, 10'000),
    property<&S::slice_mode>("slice-mode", "How a picture is cut into slices", Mutable::ready, kSliceModes),
    property<&S::slices>("num-slices", "Slices of slice-mode=fixed; 0 = one per thread", Mutable::ready, 0,
                         35),
    property<&S::max_slice_size>("max-slice-size", "Most bytes in a slice of slice-mode=size-limited",
                                 Mutable::ready, 500, 65'535),
    property<&S::parallel>("parallel", "What threads divide among them", Mutable::ready, kParallels),
    property<&S::threads>("threads",
                          "Threads; 0 = one per processor. At most 4 for slices, 16 for groups of pictures",
                          Mutable::ready, 0, 64),
    property<&S::frame_skip>("frame-skip", "Leave frames out to hold the bitrate", Mutable::playing),
    property<&S::deblocking>("deblocking", "Where the loop filter works", Mutable::ready, kDeblockings),
    property<&S::deblocking_alpha>("deblocking-alpha", "Strength of the loop filter: alpha offset, halved",
                                   Mutable::ready, -6, 6),
    property<&S::deblocking_beta>("deblocking-beta", "Threshold of the loop filter: beta offset, halved",
                                  Mutable::ready, -6, 6),
    property<&S::denoise>("denoise", "Filter noise before encoding"),
    property<&S::background_detection>(
        "background-detection", "Spend less on what does not move: a little faster, 5 to 8 % more bits"),
    property<&S::aud>("aud", "Start each access unit with a delimiter"),
    property<&S::captions>("captions", "Write closed captions of the buffers as SEI messages"),
    computed<&Encoder::stats>("stats",
                              "Counters since the start; bitrate in kbit/s over the last two seconds"),
};

} // namespace

const char *name_of(RateControl control) {
  return kRateControlValues[as_int(control)].value_nick;
}

const char *name_of(SliceMode mode) {
  return kSliceModeValues[as_int(mode)].value_nick;
}

std::span<const Property<EncoderSettings>> Encoder::properties() {
  return kProperties;
}

} // namespace hull::h264
