#include "plugins/mp4/mux_output.h"
namespace hull {
std::unique_ptr<MuxOutput> make_progressive_output(MuxHost &host, const MuxSettings &settings) {
  return make_fragmented_output(host, settings, Variant::iso_fragmented);
}
} // namespace hull
