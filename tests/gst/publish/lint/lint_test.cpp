#include "gst/core/xml.h"
#include "gst/publish/lint/lint.h"
#include "gst/publish/live/live.h"
#include "gst/publish/mpd.h"
#include "gst/publish/playlist.h"
#include "tests/gst/publish/lint/examples.h"

#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <set>

namespace hull::publish {
namespace {

constexpr std::int64_t kEpoch = 1'700'000'000'000'000'000;

Chunk bytes(std::size_t size) {
  return std::make_shared<const ByteVector>(size, std::uint8_t{1});
}

/// What our own window publishes after `chunks` video chunks of 0.2 s: the sound texts that examples break.
struct Texts {
  std::string video, audio, delta, multivariant, mpd;
};

Texts publish_chunks(int chunks) {
  Live live{LiveConfig{}};
  live.set_epoch(kEpoch);
  Track track;
  track.id = "v1";
  const auto video = live.add_track(track);
  track.id = "a1";
  track.kind = Kind::audio;
  const auto audio = live.add_track(track);
  track.kind = Kind::video;
  track.codecs = "avc1.42c01e";
  track.timescale = 12800;
  track.width = 640;
  track.height = 360;
  track.frame_rate = {25, 1};
  live.set_init(video, track, bytes(10));
  track.kind = Kind::audio;
  track.codecs = "mp4a.40.2";
  track.timescale = 48000;
  live.set_init(audio, track, bytes(11));
  for (int i = 0; i < chunks; ++i) {
    EXPECT_TRUE(live.add_chunk(video, {bytes(4000), i * 2560, 2560, 512, i % 10 == 0, false, i % 10 == 0}));
    EXPECT_TRUE(live.add_chunk(audio, {bytes(400), i * 9600, 9600, 1024, i % 10 == 0, false, true}));
  }
  return {live.playlist("v1", {}).text, live.playlist("a1", {}).text,
          live.playlist("v1", {std::nullopt, std::nullopt, true}).text, live.multivariant().text,
          live.mpd(kEpoch + chunks * 200'000'000LL).text};
}

const Texts &sound() {
  static const Texts texts = publish_chunks(123);
  return texts;
}

std::string with(std::string text, const std::string &from, const std::string &to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the example no longer fits: " << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}
std::string without_all(std::string text, const std::string &prefix) {
  for (std::size_t at; (at = text.find(prefix)) != std::string::npos;)
    text.erase(at, text.find('\n', at) + 1 - at);
  return text;
}

void playlist(Findings &out, const std::string &text) {
  lint_playlist(text, "v1.m3u8", out);
}
void presentation(Findings &out, const std::string &second) {
  lint_presentation(sound().multivariant, {{"v1.m3u8", sound().video}, {"a1.m3u8", second}}, "master.m3u8",
                    out);
}
void mpd(Findings &out, const std::string &text) {
  lint_mpd(text, "manifest.mpd", out);
}

#define V(from, to) [](Findings &out) { playlist(out, with(sound().video, from, to)); }
#define M(from, to) [](Findings &out) { mpd(out, with(sound().mpd, from, to)); }

/// Lists 0 to 12 s, was published at 10 s.
constexpr const char *kTimelineMpd =
    "<MPD type=\"dynamic\" availabilityStartTime=\"2026-01-01T00:00:00Z\" "
    "publishTime=\"2026-01-01T00:00:10Z\" "
    "minimumUpdatePeriod=\"PT2S\"><Period start=\"PT0S\"><AdaptationSet id=\"1\"><SegmentTemplate "
    "timescale=\"1\" "
    "availabilityTimeOffset=\"3\" media=\"$Time$\"><SegmentTimeline><S t=\"0\" d=\"2\" r=\"3\"/><S "
    "d=\"4\"/></SegmentTimeline></SegmentTemplate><Representation id=\"v\"/></AdaptationSet></Period></MPD>";

/// One broken text per rule.
const std::vector<Example> kExamples = {
    {"HLS-01", [](Findings &out) { playlist(out, without_all(sound().video, "#EXT-X-PART-INF")); }},
    {"HLS-02", V(",PART-HOLD-BACK=0.615", "")},
    {"HLS-03", V("PART-HOLD-BACK=0.615", "PART-HOLD-BACK=0.3")},
    {"HLS-04", V("PART-HOLD-BACK=0.615", "PART-HOLD-BACK=0.5")},
    {"HLS-05", V("HOLD-BACK=6.0", "HOLD-BACK=4.0")},
    {"HLS-06",
     [](Findings &out) {
       presentation(out, with(sound().audio, "PART-HOLD-BACK=0.615", "PART-HOLD-BACK=0.700"));
     }},
    {"HLS-07", V("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=8.0")},
    {"HLS-08", V("CAN-BLOCK-RELOAD=YES,", "")},
    {"HLS-09", V("PART:DURATION=0.200000", "PART:DURATION=0.240000")},
    {"HLS-10", V("PART:DURATION=0.200000,URI=\"v1/10.1.m4s\"", "PART:DURATION=0.100000,URI=\"v1/10.1.m4s\"")},
    {"HLS-11",
     [](Findings &out) {
       lint_reload(sound().video, with(sound().video, "PART-TARGET=0.2", "PART-TARGET=0.3"), "v", out);
     }},
    {"HLS-12", V("TARGETDURATION:2", "TARGETDURATION:2.0")},
    {"HLS-13", V("EXTINF:2.000000", "EXTINF:2.600000")},
    {"HLS-14",
     [](Findings &out) {
       lint_reload(sound().video, with(sound().video, "TARGETDURATION:2", "TARGETDURATION:3"), "v", out);
     }},
    {"HLS-15",
     [](Findings &out) { presentation(out, with(sound().audio, "TARGETDURATION:2", "TARGETDURATION:3")); }},
    {"HLS-16", V("PART:DURATION=0.200000,URI=\"v1/10.9.m4s\"", "PART:DURATION=0.150000,URI=\"v1/10.9.m4s\"")},
    {"HLS-17",
     V("#EXTINF:2.000000,\nv1/10.m4s", "#EXTINF:2.000000,\n#EXT-X-PART:DURATION=0.2,URI=\"x\"\nv1/10.m4s")},
    {"HLS-18", V("#EXT-X-PART:DURATION=0.200000,URI=\"v1/10.1.m4s\"",
                 "#EXT-X-PART:DURATION=0.200000,URI=\"v1/10.1.m4s\"\n#EXT-X-DISCONTINUITY")},
    {"HLS-19", V("#EXT-X-MEDIA-SEQUENCE:0\n", "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-MEDIA-SEQUENCE:0\n")},
    {"HLS-20", V("v1/10.0.m4s\",INDEPENDENT=YES", "v1/10.0.m4s\"")},
    {"HLS-21", V("#EXTINF:2.000000,\nv1/1.m4s",
                 "#EXT-X-PART:DURATION=0.2,URI=\"v1/1.0.m4s\",INDEPENDENT=YES\n#EXTINF:2.000000,\nv1/1.m4s")},
    {"HLS-22",
     [](Findings &out) {
       lint_reload(sound().video, with(sound().video, "v1/3.m4s", "v1/4.m4s"), "v", out);
     }},
    {"HLS-23",
     [](Findings &out) {
       playlist(out, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,"
                     "\na.m4s\n");
     }},
    {"HLS-24", [](Findings &out) { playlist(out, publish_chunks(33).video); }},
    {"HLS-25",
     [](Findings &out) {
       const std::string event = with(sound().video, "#EXT-X-MEDIA-SEQUENCE:0\n",
                                      "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n");
       lint_reload(event, with(event, "MEDIA-SEQUENCE:0", "MEDIA-SEQUENCE:1"), "v", out);
     }},
    {"HLS-26", [](Findings &out) { playlist(out, without_all(sound().video, "#EXT-X-PRELOAD-HINT")); }},
    {"HLS-27",
     [](Findings &out) {
       lint_reload(with(sound().video, "URI=\"v1/12.3.m4s\"", "URI=\"v1/13.0.m4s\""),
                   publish_chunks(124).video, "v", out);
     }},
    {"HLS-28", [](Findings &out) { playlist(out, sound().video + "#EXT-X-ENDLIST\n"); }},
    {"HLS-29", V("HINT:TYPE=PART", "HINT:TYPE=PART,BYTERANGE-START=0,BYTERANGE-LENGTH=10")},
    {"HLS-30",
     [](Findings &out) { presentation(out, without_all(sound().audio, "#EXT-X-RENDITION-REPORT")); }},
    {"HLS-31", V("22:13:20.000Z", "22:13:20")},
    {"HLS-32", V("22:13:24.000Z", "22:13:22.000Z")},
    {"HLS-33", V("VERSION:9", "VERSION:5")},
    {"HLS-34", [](Findings &out) { playlist(out, without_all(sound().video, "#EXT-X-MAP")); }},
    {"HLS-35",
     [](Findings &out) {
       lint_delta(sound().video, with(sound().delta, "SKIPPED-SEGMENTS=6", "SKIPPED-SEGMENTS=9"), "v", out);
     }},
    {"HLS-36",
     [](Findings &out) {
       playlist(out, with(without_all(sound().delta, "#EXT-X-MEDIA-SEQUENCE"), "#EXT-X-PROGRAM",
                          "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PROGRAM"));
     }},
    {"HLS-37",
     [](Findings &out) {
       playlist(out,
                without_all(with(sound().video, "#EXT-X-PROGRAM", "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM"),
                            "#EXT-X-DISCONTINUITY-SEQUENCE"));
     }},
    {"HLS-38", V("22:13:24.000Z", "22:13:24.400Z")},
    {"HLS-39",
     [](Findings &out) {
       playlist(out, with(sound().multivariant, "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=9"));
     }},
    {"HLS-40", [](Findings &out) { playlist(out, with(sound().multivariant, ",FRAME-RATE=25.000", "")); }},
    {"HLS-41", V("#EXT-X-INDEPENDENT-SEGMENTS\n", "")},
    {"HLS-42", V("PART-TARGET=0.205000", "PART-TARGET=0.1")},
    {"HLS-43",
     [](Findings &out) {
       std::string text = with(sound().video, "CAN-SKIP-UNTIL=12.0,", "");
       for (int i = 0; i < 60; ++i)
         text = with(text, "#EXTINF:2.000000,\nv1/0.m4s",
                     "#EXTINF:2.000000,\nold.m4s\n#EXTINF:2.000000,\nv1/0.m4s");
       playlist(out, text);
     }},
    {"HLS-44", V("#EXT-X-MAP", "#EXT-X-START:TIME-OFFSET=-2.0\n#EXT-X-MAP")},
    {"HLS-45", [](Findings &out) { playlist(out, "\xef\xbb\xbf" + sound().video); }},
    {"HLS-57",
     [](Findings &out) {
       lint_playlist_reply(
           {200, "application/vnd.apple.mpegurl", "gzip", "max-age=1", "*", false, 9, sound().video}, "v",
           out);
     }},
    {"HLS-66",
     [](Findings &out) {
       lint_playlist_reply({200, "application/vnd.apple.mpegurl", "gzip", "", "*", false, 0, ""}, "v", out);
     }},
    {"HLS-67",
     [](Findings &out) {
       lint_playlist_reply({200, "application/vnd.apple.mpegurl", "", "max-age=1", "*", false, 0, ""}, "v",
                           out);
     }},
    {"HLS-71",
     [](Findings &out) {
       lint_playlist_reply({200, "application/vnd.apple.mpegurl", "gzip", "max-age=1", "*", true, 0, ""}, "v",
                           out);
     }},
    {"DSH-01", M(",http://www.dashif.org/guidelines/low-latency-live-v5", "")},
    {"DSH-02", M(" target=\"1000\"", "")},
    {"DSH-03",
     [](Findings &out) {
       std::string text = sound().mpd;
       for (int i = 0; i < 3; ++i)
         text = with(text, "utc:http-xsdate:2014", "utc:direct:2014");
       mpd(out, text);
     }},
    {"DSH-04",
     M("  </Period>\n",
       "  </Period>\n  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-ntp:2014\" value=\"x\"/>\n")},
    {"DSH-05", M("LeapSecondInformation", "Other")},
    {"DSH-07", M(" availabilityTimeOffset=\"1.800\"", "")},
    {"DSH-08", M("type=\"encoder\"", "type=\"application\"")},
    {"DSH-09", M("wallClockTime=\"2023-11-14T22:13:20.000Z\"", "wallClockTime=\"2023-11-14T22:13:21.000Z\"")},
    {"DSH-10", M("referenceId=\"1\"", "referenceId=\"7\"")},
    {"DSH-11", M("media=\"$RepresentationID$/$Number$", "media=\"$RepresentationID$/$Time$")},
    {"DSH-12", M("availabilityTimeOffset=\"1.800\"", "availabilityTimeOffset=\"2.000\"")},
    {"DSH-13", M("height=\"360\" frameRate=\"25/1\"/>",
                 "height=\"360\"><SegmentTemplate availabilityTimeOffset=\"1.8\" duration=\"2\" "
                 "media=\"$Number$\"/></Representation>")},
    {"DSH-14", M("<Period id=\"1\" start=\"PT0S\">",
                 "<BaseURL availabilityTimeOffset=\"1\">x/</BaseURL><Period id=\"1\" start=\"PT0S\">")},
    {"DSH-15", M("availabilityTimeComplete=\"false\"", "availabilityTimeComplete=\"FALSE\"")},
    {"DSH-16", M(" availabilityTimeOffset=\"1.800\"", "")},
    {"DSH-18",
     M("height=\"360\" frameRate=\"25/1\"/>", "height=\"360\"/><Representation id=\"v2\" codecs=\"avc1\"/>")},
    {"DSH-22", M("<Resync type=\"0\" dT=\"2560\"/>", "")},
    {"DSH-30",
     [](Findings &out) {
       lint_mpd_update(sound().mpd, with(sound().mpd, "AdaptationSet id=\"1\"", "AdaptationSet id=\"5\""),
                       "m", out);
     }},
    {"DSH-31", M(" minimumUpdatePeriod=\"PT4.000S\"", "")},
    {"DSH-32", M(" segmentAlignment=\"true\"", "")},
    {"DSH-33", M("maxSegmentDuration", "suggestedPresentationDelay=\"PT90S\" maxSegmentDuration")},
    {"HLS-69",
     [](Findings &out) {
       lint_playlist_reply({200, "application/vnd.apple.mpegurl", "gzip", "max-age=1", "*", false, 0, ""},
                           "http://example.net/v.m3u8", out);
     }},
    {"DSH-06",
     M("      <Resync",
       "      <InbandEventStream schemeIdUri=\"urn:mpeg:dash:event:2012\" value=\"2\"/>\n      <Resync")},
    {"DSH-17", M(" availabilityTimeOffset=\"1.800\"", "")},
    {"DSH-19",
     [](Findings &out) {
       mpd(out, with(with(sound().mpd, "<Resync type=\"0\"", "<Resync type=\"1\""), "frameRate=\"25/1\"/>",
                     "frameRate=\"25/1\"/><Representation id=\"v2\" bandwidth=\"1\" codecs=\"avc1\"/>"));
     }},
    {"DSH-23", M("<Resync type=\"0\" dT=\"2560\"/>", "<Resync type=\"5\" dT=\"2560\"/>")},
    {"DSH-27",
     [](Findings &out) {
       mpd(out, "<MPD type=\"static\" "
                "mediaPresentationDuration=\"PT4S\"><Period><AdaptationSet><SegmentTemplate timescale=\"1\" "
                "media=\"$Time$\"><SegmentTimeline><S t=\"0\" d=\"2\"/><S "
                "d=\"2\"/></SegmentTimeline></SegmentTemplate>"
                "<Representation id=\"v\"/></AdaptationSet></Period></MPD>");
     }},
    {"DSH-28",
     [](Findings &out) {
       lint_mpd_update(kTimelineMpd, with(kTimelineMpd, "d=\"4\"/></Seg", "d=\"5\"/></Seg"), "m", out);
     }},
    {"DSH-29",
     [](Findings &out) { mpd(out, with(kTimelineMpd, "UpdatePeriod=\"PT2S", "UpdatePeriod=\"PT3S")); }},
    {"HLS-68",
     [](Findings &out) {
       HttpReply reply{200, "application/vnd.apple.mpegurl", "gzip", "max-age=1", "*", false, 0, ""};
       reply.protocol = "http/1.1";
       lint_playlist_reply(reply, "https://example.net/v.m3u8", out);
     }},
    {"DSH-54",
     [](Findings &out) {
       lint_time_reply({200, "", "", "no-store", "*", false, 0, "2023-11-14T22:13:20Z"}, "time", out);
     }},
};

class BrokenExamples : public testing::TestWithParam<Example> {};

TEST_P(BrokenExamples, IsFoundByItsRule) {
  Findings out;
  GetParam().lint(out);
  std::string all;
  for (const Finding &finding : out.all())
    all += to_text(finding) + "\n";
  EXPECT_TRUE(out.has(GetParam().rule)) << all;
}
std::string rule_name(const testing::TestParamInfo<Example> &info) {
  std::string name = info.param.rule;
  name.erase(3, 1);
  return name;
}
INSTANTIATE_TEST_SUITE_P(Rules, BrokenExamples, testing::ValuesIn(kExamples), rule_name);
INSTANTIATE_TEST_SUITE_P(MediaRules, BrokenExamples, testing::ValuesIn(media_examples()), rule_name);
INSTANTIATE_TEST_SUITE_P(ServerRules, BrokenExamples, testing::ValuesIn(server_examples()), rule_name);

TEST(Lint, EveryManifestRuleHasABrokenExample) {
  std::set<std::string> have;
  for (const std::vector<Example> &some : {kExamples, server_examples(), media_examples()})
    for (const Example &example : some)
      have.insert(example.rule);
  for (const Rule &rule : lint_rules()) {
    const std::string id = rule.id;
    if (!id.starts_with("CMF")) { // those of the boxes have theirs beside them
      EXPECT_TRUE(have.contains(id)) << id;
    }
  }
}

TEST(Lint, WhatWePublishBreaksNoRule) {
  for (int chunks = 63; chunks < 90; ++chunks) {
    const Texts texts = publish_chunks(chunks), next = publish_chunks(chunks + 1);
    Findings out;
    lint_playlist(texts.video, "v1.m3u8", out);
    lint_playlist(texts.audio, "a1.m3u8", out);
    lint_playlist(texts.multivariant, "master.m3u8", out);
    lint_presentation(texts.multivariant, {{"v1.m3u8", texts.video}, {"a1.m3u8", texts.audio}}, "master.m3u8",
                      out);
    lint_reload(texts.video, next.video, "v1.m3u8", out);
    lint_delta(texts.video, texts.delta, "v1.m3u8", out);
    lint_mpd(texts.mpd, "manifest.mpd", out);
    lint_mpd_update(texts.mpd, next.mpd, "manifest.mpd", out);
    for (const Finding &finding : out.all())
      ADD_FAILURE() << chunks << ": " << to_text(finding) << texts.video;
  }
}

TEST(Lint, SaysNothingOfSoundMedia) {
  Findings out;
  lint_sound_media(out);
  for (const Finding &finding : out.all())
    ADD_FAILURE() << to_text(finding);
}

TEST(Lint, RulesThatCannotBeCheckedAreNoneOfTheChecked) {
  for (const UncheckedRule &rule : lint_unchecked())
    EXPECT_FALSE(find_rule(rule.id)) << rule.id;
}

TEST(Lint, ReadsAnMpdAsTheXmlItIs) {
  const std::string period = "<Period";
  std::string text = sound().mpd;
  text.insert(text.find(period),
              "<ProgramInformation><Title><![CDATA[Tom & <Jerry>]]></Title></ProgramInformation>");
  const auto reference = text.find("bandwidth=\"") + 11;
  text.insert(reference, fmt::format("&#{};", static_cast<int>(text[reference])));
  text.erase(text.find(';', reference) + 1, 1);
  Findings out;
  lint_mpd(text, "manifest.mpd", out);
  for (const Finding &finding : out.all())
    ADD_FAILURE() << to_text(finding);
  EXPECT_NE(text.find("bandwidth=\"&#"), std::string::npos);
}

TEST(Lint, SurvivesAnyText) {
  const std::string text = sound().video + sound().mpd;
  for (std::size_t cut = 0; cut < text.size(); cut += 7) {
    Findings out;
    lint_playlist(text.substr(0, cut), "x", out);
    lint_playlist(text.substr(cut), "x", out);
    lint_mpd(sound().mpd.substr(0, cut), "x", out);
    lint_reload(text.substr(cut), text.substr(0, cut), "x", out);
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i)
    deep += "<a>";
  EXPECT_FALSE(parse_xml(deep));
}

} // namespace
} // namespace hull::publish
