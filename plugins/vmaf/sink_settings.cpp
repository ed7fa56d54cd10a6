#include "plugins/vmaf/sink.h"

namespace hull {
namespace {

const GEnumValue kAlignmentValues[] = {
    {0, "Frames whose running times agree within the tolerance", "timestamp"},
    {1, "The n-th frame of each input", "index"},
    {0, nullptr, nullptr}};
const EnumTable kAlignments{"HullVmafSinkAlignment", kAlignmentValues};
const GEnumValue kFormatValues[] = {{0, "JSON as libvmaf writes it, with more pooled figures", "json"},
                                    {1, "Comma-separated values as libvmaf writes them", "csv"},
                                    {2, "XML as libvmaf writes it", "xml"},
                                    {0, nullptr, nullptr}};
const EnumTable kFormats{"HullVmafSinkFormat", kFormatValues};
const GEnumValue kMetricValues[] = {{1, "PSNR of Y, Cb and Cr", "psnr"}, {0, nullptr, nullptr}};
const EnumTable kMetrics{"HullVmafSinkMetrics", kMetricValues};

const Property<VmafSinkSettings> kProperties[] = {
    property<&VmafSinkSettings::models>(
        "models", "VMAF models, comma-separated: vmaf_v0.6.1, vmaf_v0.6.1neg, "
                  "vmaf_4k_v0.6.1, phone, auto (4k above 1440 lines), vmaf_v1.0.16_3d0h, _5d0h, "
                  "_1d5h_2160, _3d0h_2160, _hfr_ with each, auto-v1 (1d5h_2160 above 1440 lines, hfr from "
                  "50 frames per second); unset = vmaf_v0.6.1, or the model at model-location alone"),
    property<&VmafSinkSettings::model_location>(
        "model-location", "Path of one more model as libvmaf's JSON, a collection included"),
    property<&VmafSinkSettings::location>(
        "location",
        "File for the scores, written frame by frame, - for standard output; further inputs get their pad's "
        "name inserted"),
    property<&VmafSinkSettings::format>("format", "Layout of the file at location", Mutable::ready, kFormats),
    flags_property<&VmafSinkSettings::metrics>("metrics", "Measures besides VMAF", Mutable::ready, kMetrics),
    property<&VmafSinkSettings::alignment>("alignment", "What makes frames partners", Mutable::ready,
                                           kAlignments),
    property<&VmafSinkSettings::tolerance>(
        "tolerance", "How far running times of partners may lie apart in ns; 0 = half a reference frame"),
    property<&VmafSinkSettings::auto_align>("auto-align",
                                            "Look for each input's offset among +- this many frames, by "
                                            "their pictures; holds this many frames and "
                                            "12 per input until it is found; 0 = off",
                                            Mutable::ready, 0, 600),
    property<&VmafSinkSettings::score_height>(
        "score-height", "Score at this many lines, the width in proportion; 0 = the reference's size",
        Mutable::ready, 0, 16384),
    property<&VmafSinkSettings::bit_depth>(
        "bit-depth", "Score at 8, 10 or 12 bits per sample at least; 0 = the depth of the deepest input",
        Mutable::ready, 0, 12),
    property<&VmafSinkSettings::subsample>(
        "subsample", "Score every n-th frame only; odd values meet all frame types", Mutable::ready, 1, 1000),
    property<&VmafSinkSettings::threads>("threads", "Threads that share each frame; 0 = one per processor",
                                         Mutable::ready, 0, 64),
    property<&VmafSinkSettings::threshold>("threshold",
                                           "Fail at EOS when an input's mean score is below this; 0 = never",
                                           Mutable::ready, 0, 110),
    property<&VmafSinkSettings::frame_messages>(
        "frame-messages", "Post an element message for every scored frame", Mutable::playing),
    property<&VmafSinkSettings::kept_frames>("kept-frames",
                                             "Newest frames per input whose scores stay in memory for the "
                                             "pad's result; pooled figures and a file at "
                                             "location cover all frames",
                                             Mutable::ready, 1, G_MAXINT),
    computed<&VmafSink::stats>("stats", "Frames and mean score so far, one structure per input"),
};

} // namespace

std::span<const Property<VmafSinkSettings>> VmafSink::properties() {
  return kProperties;
}

std::string models_of(const VmafSinkSettings &settings) {
  return settings.models.empty() && settings.model_location.empty() ? "vmaf_v0.6.1" : settings.models;
}

} // namespace hull
