#include "gst/tools/media/source_json.h"

#include <cmath>

namespace hull::tools {

Json source_json(const Source &s) {
  return {{"file", s.path},
          {"sha256", s.identity},
          {"codec", s.video_codec},
          {"width", s.width},
          {"height", s.height},
          {"pixel_aspect_ratio", {s.par_n, s.par_d}},
          {"display", {s.display.width, s.display.height}},
          {"fps", {s.fps_n, s.fps_d}},
          {"variable_rate", s.variable_rate},
          {"steady", s.steady},
          {"start_ns", s.start_ns},
          {"late_ns", s.late_ns},
          {"interlaced", s.interlaced},
          {"turn", s.turn},
          {"elementary", s.elementary},
          {"y4m", s.y4m.has_value()},
          {"bit_depth", s.bit_depth},
          {"audio", s.audio ? s.audio_codec : ""},
          {"audio_carried", s.audio_carried},
          {"pictures", s.frames},
          {"seconds", std::round(s.seconds * 1e6) / 1e6}};
}

Result<Source> source_from_json(const Json &json) {
  Source s;
  bool y4m = false;
  try {
    s.path = json.at("file").get<std::string>();
    s.identity = json.at("sha256").get<std::string>();
    s.video_codec = json.at("codec").get<std::string>();
    s.width = json.at("width").get<unsigned>();
    s.height = json.at("height").get<unsigned>();
    s.par_n = json.at("pixel_aspect_ratio").at(0).get<int>();
    s.par_d = json.at("pixel_aspect_ratio").at(1).get<int>();
    s.display = {json.at("display").at(0).get<unsigned>(), json.at("display").at(1).get<unsigned>()};
    s.fps_n = json.at("fps").at(0).get<int>();
    s.fps_d = json.at("fps").at(1).get<int>();
    s.variable_rate = json.at("variable_rate").get<bool>();
    s.steady = json.at("steady").get<bool>();
    s.start_ns = json.at("start_ns").get<std::uint64_t>();
    s.late_ns = json.value("late_ns", std::uint64_t{0}); // results of older versions have none
    s.interlaced = json.at("interlaced").get<bool>();
    s.turn = json.at("turn").get<std::string>();
    s.elementary = json.at("elementary").get<bool>();
    y4m = json.at("y4m").get<bool>();
    s.bit_depth = json.at("bit_depth").get<unsigned>();
    s.audio_codec = json.at("audio").get<std::string>();
    s.audio = !s.audio_codec.empty();
    s.audio_carried = json.at("audio_carried").get<bool>();
    s.frames = json.at("pictures").get<std::uint64_t>();
    s.seconds = json.at("seconds").get<double>();
  } catch (const JsonError &error) {
    return fail(ErrorCode::bad_data,
                std::string("the description of the source is damaged: ") + error.what());
  }
  if (s.fps_n <= 0 || s.fps_d <= 0)
    return fail(ErrorCode::bad_data, "the description of the source is damaged: it has no picture rate");
  if (y4m) s.y4m.emplace();
  return s;
}

} // namespace hull::tools
