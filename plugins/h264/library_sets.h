#pragma once

#include "gst/h264/params.h"

namespace hull::h264 {

/// A sequence parameter set that makes the library decode the same, but give every picture out when it is
/// decoded: it holds pictures back by profile_idc, by rules that differ from the standard's and from version
/// to version. Also without the VUI, and with a level the library knows. Grey pictures keep their profile,
/// since only High profiles have them.
Sps sps_for_library(Sps sps);

/// The picture parameter set to it: scaling matrices of the sequence stand here.
Pps pps_for_library(Pps pps, const Sps &sps);

/// Whether the library holds pictures of `sps` back all the same.
bool library_reorders(const Sps &sps);

} // namespace hull::h264
