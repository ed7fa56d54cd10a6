#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/segment.h"
#include "tests/gst/publish/lint/examples.h"

namespace hull::publish {
namespace {

using namespace isobmff;

constexpr std::uint32_t kTimescale = 1000;

ByteVector written(Node node) {
  std::vector<Node> boxes;
  boxes.push_back(std::move(node));
  return *write_trees(boxes);
}

/// The moov of an AVC track in ticks of 1 ms: as much of it as the rules here read.
ByteVector header(bool bit_rate = true) {
  Node moov("moov");
  Node &trak = moov.add("trak");
  trak.add<TrackHeader>().track_id = 1;
  Node &mdia = trak.add("mdia");
  mdia.add<MediaHeader>().timescale = kTimescale;
  mdia.add<Handler>().handler_type = "vide";
  Node &stsd = mdia.add("minf").add("stbl").add(Node(SampleDescription{}));
  Node &entry = stsd.add(Node(VisualSampleEntry("avc1")));
  entry.add(CodecConfiguration("avcC", {1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0}));
  if (bit_rate) entry.add<BitRate>();
  moov.add("mvex").add<TrackExtends>().track_id = 1;
  return written(std::move(moov));
}

/// A chunk of pictures of 100 ms each. `offsets` are composition offsets.
ByteVector chunk(std::uint64_t time, std::initializer_list<std::int32_t> offsets) {
  Node moof("moof");
  moof.add<MovieFragmentHeader>();
  Node &traf = moof.add("traf");
  traf.add<TrackFragmentHeader>().track_id = 1;
  traf.add<TrackFragmentDecodeTime>().base_media_decode_time = time;
  TrackRun &run = traf.add<TrackRun>();
  run.version = 1;
  run.flags = TrackRun::kDuration | TrackRun::kSize | TrackRun::kCompositionOffset;
  for (const std::int32_t offset : offsets)
    run.samples.push_back({100, 1, 0, offset});
  run.sample_count = static_cast<std::uint32_t>(run.samples.size());
  return written(std::move(moof));
}

ByteVector joined(std::initializer_list<ByteVector> parts) {
  ByteVector all;
  for (const ByteVector &part : parts)
    append(all, part);
  return all;
}

ByteVector stamped(std::uint64_t time, std::int64_t utc_ms) {
  return joined({written(producer_reference_time_box(1, ntp_of_unix(utc_ms * 1'000'000), time,
                                                     ClockMoment::encoder_input)),
                 chunk(time, {0, 0})});
}

/// A segment of twenty pictures, 2 s.
ByteVector two_seconds(std::uint64_t time, bool last = false) {
  ByteVector all;
  if (last) all = written(segment_type_box({true, false, true, true}));
  append(all, chunk(time, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  append(all, chunk(time + 1000, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  return all;
}

void ingest(Findings &out, const std::vector<ByteVector> &objects, bool ended,
            const ByteVector &init = header()) {
  lint_ingest_track({"v1", init, {objects.begin(), objects.end()}, 2, ended}, out);
}

constexpr const char *kIngestMpd =
    "<MPD type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\"><Period><AdaptationSet id=\"1\">"
    "<SegmentTemplate media=\"$RepresentationID$/$Number$.m4s\" initialization=\"$RepresentationID$/i.mp4\"/>"
    "<Representation id=\"v\"/></AdaptationSet></Period></MPD>";

std::string without(std::string text, const std::string &what, const std::string &other = "") {
  return text.replace(text.find(what), what.size(), other);
}

} // namespace

std::vector<Example> media_examples() {
  return {
      {"DSH-20",
       [](Findings &out) { // the second chunk's picture is shown within the first
         const ByteVector init = header(),
                          media = joined({chunk(0, {0, 200, -100}), chunk(300, {-200, 100})});
         lint_chunk_times({"v1", init, media}, out);
       }},
      {"DSH-21",
       [](Findings &out) {
         const ByteVector init = header(), one = joined({chunk(0, {0, 0}), chunk(200, {0, 0})}),
                          other = joined({chunk(0, {0, 0, 0}), chunk(300, {0})});
         const MediaSegment rungs[] = {{"v1", init, one}, {"v2", init, other}};
         lint_chunk_alignment(rungs, out);
       }},
      {"DSH-26",
       [](Findings &out) { // 60 s of media in 61 s
         const ByteVector init = header(), early = stamped(0, 1'000'000), late = stamped(60'000, 1'061'000);
         lint_drift({"0", init, early}, {"30", init, late}, out);
       }},
      {"DSH-34",
       [](Findings &out) {
         lint_ingest_mpd(without(kIngestMpd, "1970-01", "2026-01"), "manifest.mpd", out);
       }},
      {"ING-05",
       [](Findings &out) {
         lint_ingest_mpd(without(kIngestMpd, "$RepresentationID$/"), "manifest.mpd", out);
       }},
      {"ING-06",
       [](Findings &out) {
         ingest(out, {two_seconds(2000), two_seconds(0)}, false);
       }},
      {"ING-07",
       [](Findings &out) {
         const ByteVector init = header(), media = two_seconds(0);
         lint_segment(init, media, "v1/0.m4s", out);
       }},
      {"ING-08", [](Findings &out) { ingest(out, {two_seconds(0)}, false, header(false)); }},
      {"ING-09",
       [](Findings &out) {
         ingest(out, {two_seconds(0), two_seconds(2000)}, true);
       }},
      {"ING-13",
       [](Findings &out) {
         ingest(out, {two_seconds(0), two_seconds(3000)}, false);
       }},
  };
}

void lint_sound_media(Findings &out) {
  const ByteVector init = header(), one = joined({chunk(0, {0, 100, -100}), chunk(300, {0, 0})}),
                   early = stamped(0, 1'000'000), late = stamped(60'000, 1'060'000);
  lint_chunk_times({"v1", init, one}, out);
  const MediaSegment rungs[] = {{"v1", init, one}, {"v2", init, one}};
  lint_chunk_alignment(rungs, out);
  lint_drift({"0", init, early}, {"30", init, late}, out);
  lint_ingest_mpd(kIngestMpd, "manifest.mpd", out);
  ingest(out, {two_seconds(0), two_seconds(2000), two_seconds(4000, true)}, true);
  ingest(out, {two_seconds(0), two_seconds(2000)}, false);
}

} // namespace hull::publish
