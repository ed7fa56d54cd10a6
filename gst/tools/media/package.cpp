#include "gst/tools/media/package.h"

#include "gst/core/file.h"
#include "gst/publish/mpd.h"
#include "gst/publish/playlist.h"
#include "gst/publish/presentation.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace hull::tools {
namespace {

// What a demuxed audio stream goes through before the muxer.
struct AudioJob {
  Pipeline *pipeline = nullptr;
  GstElement *entry = nullptr; // its sink pad takes the stream
  std::string wanted;          // caps name of the stream
};

// A demuxer whose first stream nobody takes may give up before it has found the sound (flvdemux).
void discard(GstElement *reader, GstPad *pad) {
  GstElement *sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
  const auto bin = ObjectRef<GstObject>::adopt(gst_element_get_parent(reader));
  gst_bin_add(GST_BIN(bin.get()), sink);
  gst_element_sync_state_with_parent(sink);
  gst_pad_link(pad, PadRef::adopt(gst_element_get_static_pad(sink, "sink")).get());
}

void on_audio_pad(GstElement *reader, GstPad *pad, gpointer data) {
  const auto &job = *static_cast<const AudioJob *>(data);
  const auto caps = CapsRef::adopt(gst_pad_query_caps(pad, nullptr));
  const auto sink = PadRef::adopt(gst_element_get_static_pad(job.entry, "sink"));
  const bool wanted = !gst_caps_is_empty(caps.get()) && !gst_caps_is_any(caps.get()) &&
                      gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), job.wanted.c_str());
  if (wanted && !gst_pad_is_linked(sink.get()))
    gst_pad_link(pad, sink.get());
  else
    discard(reader, pad);
}

// Pictures leave decodebin undecoded: nobody links them. Containers are called video/… too, but only pictures
// have a width.
gboolean not_pictures(GstElement *, GstPad *, GstCaps *caps, gpointer) {
  return !gst_structure_has_field(gst_caps_get_structure(caps, 0), "width");
}

// "avc1.640028": the last byte of the configuration is the level.
unsigned level_of(const std::string &codecs) {
  const std::size_t dot = codecs.find('.');
  if (dot == std::string::npos || codecs.size() < dot + 7) return 0;
  unsigned level = 0;
  std::from_chars(codecs.data() + dot + 5, codecs.data() + dot + 7, level, 16);
  return level;
}

PackagedRung facts_of(const publish::Track &track) {
  PackagedRung rung;
  rung.file = track.uri;
  ladder::RungFacts &f = rung.facts;
  f.res = {track.width, track.height};
  f.declared_bandwidth = static_cast<double>(track.peak_bandwidth);
  f.declared_average = static_cast<double>(track.average_bandwidth);
  f.high_profile = track.codecs.find(".64") != std::string::npos;
  f.level = level_of(track.codecs);
  if (track.frame_rate.numerator)
    f.fps = static_cast<double>(track.frame_rate.numerator) / track.frame_rate.denominator;
  std::uint64_t bytes = 0;
  for (const publish::Segment &segment : track.segments) {
    const double seconds = static_cast<double>(segment.duration) / track.timescale;
    bytes += segment.range.size;
    f.segment_starts.push_back(static_cast<double>(segment.start) / track.timescale);
    f.longest_gop = std::max(f.longest_gop, seconds);
  }
  if (track.seconds() > 0) f.average_bps = static_cast<double>(bytes) * 8 / track.seconds();
  f.peak_bps = std::max(publish::peak_rate(track), f.average_bps);
  return rung;
}

} // namespace

Result<void> package_audio(const Source &source, const std::string &path, const std::atomic<int> &stop) {
  AtomicFile whole(path);
  AudioJob job;
  Pipeline pipeline;
  job.pipeline = &pipeline;
  job.wanted = source.audio_carried ? source.audio_codec : "audio/x-raw";
  GstElement *file = pipeline.add("filesrc", {{"location", source.path}});
  GstElement *reader = pipeline.add(source.audio_carried ? "parsebin" : "decodebin");
  job.entry = pipeline.add("queue");
  GstElement *last = job.entry;
  const auto append = [&](GstElement *next) {
    pipeline.link({last, next});
    last = next;
  };
  if (!source.audio_carried) {
    append(pipeline.add("audioconvert"));
    append(pipeline.add("audioresample"));
    append(pipeline.add("avenc_aac", {{"bitrate", "128000"}}));
  }
  if (source.audio_codec != "audio/x-opus" || !source.audio_carried) append(pipeline.add("aacparse"));
  append(pipeline.add("hullmp4mux", {{"fragment-duration", "2000000000"}}));
  append(pipeline.filter("video/quicktime,variant=cmaf"));
  append(pipeline.add_track_file(whole.part()));
  pipeline.link({file, reader});
  if (reader) {
    g_signal_connect(reader, "pad-added", G_CALLBACK(on_audio_pad), &job);
    if (!source.audio_carried)
      g_signal_connect(reader, "autoplug-continue", G_CALLBACK(not_pictures), nullptr);
  }
  if (auto ran = pipeline.run(stop); !ran) return ran;
  if (const auto error = whole.commit()) return tl::unexpected(file_error(error.value(), "write", path));
  return {};
}

Result<Package> write_manifests(const std::string &folder, const std::vector<std::string> &videos,
                                const std::string &audio) {
  publish::Presentation show;
  std::vector<std::string> files(videos);
  if (!audio.empty()) files.push_back(audio);
  Package package;
  for (const std::string &name : files) {
    auto track = publish::read_track(folder + "/" + name);
    if (!track) return tl::unexpected(track.error());
    if (track->kind == publish::Kind::video) package.rungs.push_back(facts_of(*track));
    show.tracks.push_back(std::move(*track));
  }
  publish::assign_ids(show);
  for (const publish::Track &track : show.tracks)
    if (auto ok = write_file(folder + "/" + publish::playlist_name(track), publish::hls_media(track)); !ok)
      return tl::unexpected(ok.error());
  package.master = folder + "/master.m3u8";
  package.mpd = folder + "/manifest.mpd";
  if (auto ok = write_file(package.mpd, publish::dash_mpd(show)); !ok) return tl::unexpected(ok.error());
  if (auto ok = write_file(package.master, publish::hls_multivariant(show)); !ok)
    return tl::unexpected(ok.error());
  return package;
}

} // namespace hull::tools
