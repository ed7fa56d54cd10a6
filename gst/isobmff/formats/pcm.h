#pragma once

// Sound without compression: ISO/IEC 23003-5 in ISO files, sound descriptions of QuickTime in its own.

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/track.h"

namespace hull::isobmff {

/// What one number is; the channels of a frame follow each other.
struct Pcm {
  std::uint8_t bits = 16; ///< 16, 24, 32, 64
  bool little_endian = false;
  bool is_float = false;
};

/// ipcm or fpcm with its pcmC. `positions` has a code of ISO/IEC 23091-3 (OutputChannelPosition) for each channel;
/// empty: mono, stereo, or not known.
SampleFormat pcm_format(const Pcm &pcm, std::uint16_t channels, std::uint32_t rate, Bytes positions);

/// alaw or ulaw: one byte a sample, ITU-T G.711.
SampleFormat g711_format(bool a_law, std::uint16_t channels, std::uint32_t rate);

/// The sound description of a QuickTime file: sowt twos in24 in32 fl32 fl64, above 65535 Hz version 2 of lpcm; alaw, ulaw.
/// Not lpcm for all: qtdemux up to 1.22 at least ends after one buffer of it now and then.
Node quicktime_pcm_entry(const SampleFormat &format);

} // namespace hull::isobmff
