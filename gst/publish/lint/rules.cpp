#include "gst/isobmff/rules/cmaf.h"
#include "gst/publish/lint/lint.h"

#include <algorithm>

namespace hull::publish {
namespace {

constexpr auto kMust = Level::must, kShould = Level::should, kPlayer = Level::player, kHouse = Level::house;
constexpr auto kPrimary = Certainty::primary, kQuoted = Certainty::quoted, kSeen = Certainty::seen,
               kSecond = Certainty::secondary;

// bis = draft-pantos-hls-rfc8216bis-22, AAS = HLS Authoring Specification for Apple Devices, CR = DASH-IF
// Low-latency Modes for DASH, TM = DASH-IF Restricted Timing Model.
const Rule kRules[] = {
    {"HLS-01", kMust, kPrimary, "Parts need EXT-X-PART-INF with PART-TARGET", "bis 4.4.3.7"},
    {"HLS-02", kMust, kPrimary, "PART-INF needs PART-HOLD-BACK", "bis 4.4.3.8"},
    {"HLS-03", kMust, kPrimary, "PART-HOLD-BACK is at least 2 part targets", "bis 4.4.3.8"},
    {"HLS-04", kShould, kPrimary, "PART-HOLD-BACK is at least 3 part targets; Apple devices insist",
     "bis 4.4.3.8, AAS 14.3"},
    {"HLS-05", kMust, kPrimary, "HOLD-BACK is at least 3 target durations", "bis 4.4.3.8"},
    {"HLS-06", kMust, kPrimary, "SERVER-CONTROL is equal in all media playlists", "bis 6.2.4"},
    {"HLS-07", kMust, kPrimary, "CAN-SKIP-UNTIL is at least 6 target durations", "bis 4.4.3.8"},
    {"HLS-08", kPlayer, kSeen, "A playlist with parts says CAN-BLOCK-RELOAD=YES and never NO",
     "bis 4.4.3.8, hls.js"},
    {"HLS-09", kMust, kPrimary, "No part is longer than PART-TARGET", "bis 4.4.4.9"},
    {"HLS-10", kMust, kPrimary, "A part is at least 85 % of PART-TARGET, with four exceptions",
     "bis 4.4.4.9"},
    {"HLS-11", kPlayer, kSecond, "PART-TARGET and PART-HOLD-BACK never change", "bis 6.2.1"},
    {"HLS-12", kMust, kPrimary, "TARGETDURATION is an integer of at least 1", "bis 4.4.3.1"},
    {"HLS-13", kMust, kPrimary, "No EXTINF rounds to more than TARGETDURATION", "bis 4.4.3.1"},
    {"HLS-14", kMust, kPrimary, "TARGETDURATION never changes", "bis 6.2.1"},
    {"HLS-15", kMust, kPrimary, "TARGETDURATION is equal in all media playlists", "bis 6.2.4"},
    {"HLS-16", kMust, kPrimary, "The parts of a segment last as long as the segment", "bis 3.2"},
    {"HLS-17", kMust, kPrimary, "Parts stand before their segment's URI", "bis 3.2"},
    {"HLS-18", kMust, kPrimary, "A segment's tags stand before its first part", "bis 4.4.4.9"},
    {"HLS-19", kMust, kPrimary, "Playlist-wide tags come once", "bis 4.4.3"},
    {"HLS-20", kShould, kPrimary, "The first part of an independent segment says INDEPENDENT", "bis 4.4.4.9"},
    {"HLS-21", kShould, kPrimary, "Parts far from the end are removed", "bis 6.2.2"},
    {"HLS-22", kMust, kPrimary, "MEDIA-SEQUENCE rises by one per removed segment and never falls",
     "bis 6.2.2"},
    {"HLS-23", kMust, kPrimary, "A live playlist is never shorter than 3 target durations", "bis 6.2.2"},
    {"HLS-24", kShould, kPrimary, "A live playlist has at least 6 segments (Apple)", "AAS 8.11"},
    {"HLS-25", kMust, kPrimary, "A playlist with a type removes nothing", "bis 6.2.2"},
    {"HLS-26", kShould, kPrimary, "A live playlist with parts hints at the next one, once per TYPE",
     "bis B.1, 6.2.6"},
    {"HLS-27", kMust, kPrimary, "The hinted URI is the next part's", "bis 4.4.5.3"},
    {"HLS-28", kMust, kPrimary, "No hint after the end", "bis 4.4.5.3"},
    {"HLS-29", kShould, kPrimary, "A hint of unknown length has no BYTERANGE-LENGTH", "bis 6.2.6"},
    {"HLS-30", kMust, kPrimary, "There is a rendition report for every other media playlist",
     "bis B.1, 4.4.5.4"},
    {"HLS-31", kMust, kPrimary,
     "Live playlists have PROGRAM-DATE-TIME with zone and milliseconds, all or none", "bis 6.2.4, AAS 8.4"},
    {"HLS-32", kMust, kPrimary, "PROGRAM-DATE-TIME goes with the durations", "bis 6.2.1"},
    {"HLS-33", kMust, kPrimary, "VERSION fits the tags", "bis 8"},
    {"HLS-34", kMust, kPrimary, "fMP4 segments have an EXT-X-MAP", "bis 3.1.2"},
    {"HLS-35", kMust, kPrimary, "A delta skips exactly what lies behind the boundary", "bis 6.2.5.1"},
    {"HLS-36", kPlayer, kSecond, "MEDIA-SEQUENCE stands before SKIP", "hls.js PR 7905"},
    {"HLS-37", kMust, kPrimary, "A live playlist with DISCONTINUITY has DISCONTINUITY-SEQUENCE", "bis 6.2.2"},
    {"HLS-38", kShould, kPrimary, "Lost input is a GAP, not a hole in the times", "bis 6.2.1"},
    {"HLS-39", kMust, kPrimary, "Every variant has BANDWIDTH, not below its average", "bis 4.4.6.2"},
    {"HLS-40", kMust, kPrimary, "Variants have CODECS, AVERAGE-BANDWIDTH, RESOLUTION and FRAME-RATE (Apple)",
     "bis 6.2.4, AAS 9"},
    {"HLS-41", kShould, kPrimary, "INDEPENDENT-SEGMENTS is declared", "AAS 9.11"},
    {"HLS-42", kShould, kPrimary, "PART-TARGET suits a network: 1 s recommended, 0.2 s needs a short path",
     "AAS 14.2"},
    {"HLS-43", kShould, kPrimary, "Windows over 2 min offer delta updates", "AAS 14.4"},
    {"HLS-44", kShould, kPrimary, "EXT-X-START is not within 3 target durations of the end", "bis 4.4.2.2"},
    {"HLS-45", kMust, kPrimary, "UTF-8 without byte order mark, type application/vnd.apple.mpegurl", "bis 4"},
    {"HLS-50", kMust, kPrimary, "_HLS_msn alone waits for that segment (part 0 of it is enough here)",
     "bis 6.2.5.2"},
    {"HLS-51", kMust, kPrimary, "_HLS_msn with _HLS_part waits for that part", "bis 6.2.5.2"},
    {"HLS-52", kMust, kPrimary, "A part past the end of a segment is part 0 of the next", "bis 6.2.5.2"},
    {"HLS-53", kMust, kPrimary, "An old _HLS_msn gets the playlist of now", "bis 6.2.5.2"},
    {"HLS-54", kShould, kPrimary, "A segment far ahead is refused with 400", "bis 6.2.5.2"},
    {"HLS-55", kShould, kPrimary, "A part far ahead is refused with 400", "bis 6.2.5.2"},
    {"HLS-56", kMust, kPrimary, "_HLS_part without _HLS_msn is refused with 400", "bis 6.2.5.2"},
    {"HLS-57", kShould, kPrimary, "No request is held longer than 3 target durations", "bis 6.2.5.2"},
    {"HLS-58", kPlayer, kSeen, "No reload is held for over 3 part targets or 0.8 target durations", "hls.js"},
    {"HLS-59", kMust, kPrimary, "After the end _HLS_ parameters are ignored", "bis 6.2.5"},
    {"HLS-60", kMust, kPrimary, "_HLS_skip gets a delta where CAN-SKIP-UNTIL is offered, and only there",
     "bis 6.2.5.1"},
    {"HLS-61", kMust, kPrimary, "A new part is listed within one part target after the one before",
     "bis 6.2.1"},
    {"HLS-62", kMust, kPrimary, "What a playlist names is there", "bis 6.2.1"},
    {"HLS-63", kMust, kPrimary, "No byte of a hinted part before all of them can go at once", "bis 6.2.6"},
    {"HLS-64", kMust, kPrimary, "A hinted URI can be asked for, an unknown one is 404", "bis 6.2.6"},
    {"HLS-65", kMust, kPrimary, "Parts stay for 3 target durations after they were listed", "bis 6.2.2"},
    {"HLS-66", kShould, kPrimary, "Playlists may be cached for a while that fits", "bis B.1"},
    {"HLS-67", kMust, kPrimary, "Playlists are gzip-coded when accepted (Apple)", "bis B.1, AAS 10.1"},
    {"HLS-68", kMust, kPrimary, "Beyond this machine playlists come over HTTP/2 or HTTP/3", "bis B.1"},
    {"HLS-69", kShould, kPrimary, "Beyond this machine playlists come over TLS", "AAS 11"},
    {"HLS-70", kMust, kPrimary, "All renditions advance within one part target", "bis B.1"},
    {"HLS-71", kMust, kPrimary, "No redirects", "AAS 8.18"},
    {"DSH-01", kShould, kQuoted, "profiles names low-latency-live-v5", "CR 9.X.4.1"},
    {"DSH-02", kMust, kQuoted, "ServiceDescription has Latency@target", "CR 9.X.4.2"},
    {"DSH-03", kMust, kQuoted, "There is a UTCTiming with milliseconds", "CR 9.X.4.2"},
    {"DSH-04", kMust, kSeen, "The first UTCTiming is http-xsdate or http-iso", "TM, dash.js, Shaka"},
    {"DSH-05", kShould, kQuoted, "LeapSecondInformation is present", "CR 9.X.4.2"},
    {"DSH-06", kMust, kQuoted, "The stream of MPD validity events has value 1", "CR 9.X.4.2"},
    {"DSH-07", kMust, kQuoted, "Each media type has a low-latency AdaptationSet", "CR 9.X.4.2"},
    {"DSH-08", kMust, kQuoted, "A low-latency set has a ProducerReferenceTime with UTCTiming", "CR 9.X.4.3"},
    {"DSH-09", kPlayer, kSeen, "ProducerReferenceTime agrees with availabilityStartTime", "dash.js"},
    {"DSH-10", kPlayer, kSeen, "Latency@referenceId is a ProducerReferenceTime@id", "dash.js"},
    {"DSH-11", kMust, kQuoted, "Segments are addressed by $Number$ with @duration or by a timeline",
     "CR 9.X.4.3"},
    {"DSH-12", kMust, kQuoted, "availabilityTimeOffset is above 0, below the segment and equal in the set",
     "CR 9.X.4.5"},
    {"DSH-13", kShould, kQuoted, "availabilityTimeOffset stands at the AdaptationSet", "CR 9.X.4.5"},
    {"DSH-14", kPlayer, kSeen, "availabilityTimeOffset stands at one level only", "Shaka, dash.js"},
    {"DSH-15", kMust, kQuoted, "A chunked set says availabilityTimeComplete=\"false\" in lower case",
     "CR 9.X.4.5, dash.js"},
    {"DSH-16", kPlayer, kSeen, "Every Representation has an availabilityTimeOffset", "Shaka"},
    {"DSH-17", kMust, kQuoted, "Whole segments of a low-latency set last at most half the target",
     "CR 9.X.4.4"},
    {"DSH-18", kShould, kQuoted, "Segments are shorter than the target latency, or chunks start with SAPs",
     "CR 9.X.4.5"},
    {"DSH-19", kMust, kQuoted, "Resync points of the lowest rung have a marker and come within the target",
     "CR 9.X.4.5"},
    {"DSH-20", kMust, kQuoted, "Chunks that Resync points lead to do not overlap in presentation time",
     "CR 9.X.4.5"},
    {"DSH-21", kMust, kQuoted, "Chunks that Resync points lead to are aligned over all Representations",
     "CR 9.X.4.5"},
    {"DSH-22", kShould, kQuoted, "A chunked set has Resync", "CR 9.X.4.5"},
    {"DSH-23", kMust, kSecond, "Resync has a type from 0 to 3 and a dT", "ISO 23009-1 5.3.13"},
    {"DSH-24", kShould, kQuoted, "A segment of a chunked set has more than one chunk", "CR 9.X.4.5"},
    {"DSH-25", kMust, kPrimary, "A numbered segment lies within half a duration of its place",
     "TM simple addressing"},
    {"DSH-26", kMust, kPrimary, "Media advances as fast as the clock of its prft", "TM no-clock-drift"},
    {"DSH-27", kShould, kQuoted, "Equal neighbours in a SegmentTimeline are merged", "CR 8.X.3"},
    {"DSH-28", kPlayer, kSecond, "An open segment is listed with its full duration",
     "livesim2 PR 182, rx-player PR 1020"},
    {"DSH-29", kMust, kPrimary, "Segments are listed up to publishTime + minimumUpdatePeriod", "TM mup"},
    {"DSH-30", kMust, kPrimary, "Start, Periods, sets and ids never change", "TM mpd-updates"},
    {"DSH-31", kMust, kPrimary, "An ended presentation has a duration and no minimumUpdatePeriod",
     "TM theend"},
    {"DSH-32", kMust, kQuoted, "Sets say segmentAlignment and codecs, startWithSAP is 1 or 2", "CR 8.X.3"},
    {"DSH-33", kMust, kPrimary, "suggestedPresentationDelay fits into timeShiftBufferDepth",
     "TM timing-delay"},
    {"DSH-34", kShould, kPrimary, "An ingest source counts from 1970", "DASH-IF ingest 1.2"},
    {"DSH-50", kMust, kPrimary, "A segment is there at its availability time", "TM availability"},
    {"DSH-51", kHouse, kPrimary, "An early request is held, 404 or 425, and the future is not there", "TM"},
    {"DSH-52", kPlayer, kSeen, "A growing segment has no Content-Length", "dash.js"},
    {"DSH-53", kHouse, kSecond,
     "Errors for what is not there yet are cached for no longer than a chunk or two", "DASH-IF-IOP 205"},
    {"DSH-54", kHouse, kSecond, "The time URL has CORS, no-store and milliseconds", "CR 9.X.4.2, Shaka 622"},
};

constexpr const char *kIngest = "DASH-IF ingest 1.2";
const Rule kIngestRules[] = {
    {"ING-05", kMust, kPrimary, "Names come from one SegmentTemplate, in one Period, without BaseURL",
     kIngest},
    {"ING-06", kShould, kPrimary, "Decode times of a track rise", kIngest},
    {"ING-07", kMust, kPrimary, "Every segment of audio and video has a prft", kIngest},
    {"ING-08", kShould, kPrimary, "Sample entries have btrt, fragments last 1 to 6 s", kIngest},
    {"ING-09", kShould, kPrimary, "The last segment says lmsg, and no other", kIngest},
    {"ING-13", kShould, kPrimary, "Segments begin on the grid of their duration from 1970", kIngest},
};

// Rules about what a sender does between its objects: the tests of hullcmafsink's push hold those that
// concern it.
const UncheckedRule kUnchecked[] = {
    {"DSH-35", "A low-latency MPD says availabilityTimeComplete although the timing model forbids it",
     "a note on two texts that disagree; DSH-15 follows the low-latency one"},
    {"ING-01", "Objects are sent by POST or PUT", "only the receiver sees the request"},
    {"ING-02", "TLS, and who the sender is", "only the receiver sees the connection"},
    {"ING-03", "The header is sent before media", "only the receiver sees the order"},
    {"ING-04", "One request for each segment", "only the receiver sees the request"},
    {"ING-10", "Lost input becomes filler segments", "media does not say what was lost; CMF-19 finds holes"},
    {"ING-11", "After a failure: a new connection, and the header again", "needs a server that fails"},
    {"ING-12", "Status codes of the receiver", "they are the receiver's"},
    {"ING-14", "Names are looked up again by their time to live",
     "needs a name server that changes its mind"},
    {"ING-15", "Interface 2: names and order of objects", "only the receiver sees the order"},
    {"ING-16", "Interface 2: failed uploads are tried for one segment", "needs a server that fails"},
};

// The CMF rules live with the boxes; here they get the linter's words.
std::vector<Rule> all_rules() {
  std::vector<Rule> rules(std::begin(kRules), std::end(kRules));
  for (const isobmff::cmaf::Rule &cmf : isobmff::cmaf::rules()) {
    const Level level = cmf.level == isobmff::cmaf::Level::must     ? kMust
                        : cmf.level == isobmff::cmaf::Level::should ? kShould
                                                                    : kHouse;
    const Certainty certainty = cmf.certainty == isobmff::cmaf::Certainty::primary     ? kPrimary
                                : cmf.certainty == isobmff::cmaf::Certainty::validator ? kSeen
                                : cmf.certainty == isobmff::cmaf::Certainty::secondary
                                    ? kSecond
                                    : Certainty::unverified;
    rules.push_back({cmf.id, level, certainty, cmf.summary, "ISO/IEC 23000-19"});
  }
  rules.insert(rules.end(), std::begin(kIngestRules), std::end(kIngestRules));
  return rules;
}

const std::vector<Rule> &catalogue() {
  static const std::vector<Rule> rules = all_rules();
  return rules;
}

} // namespace

std::span<const Rule> lint_rules() {
  return catalogue();
}

std::span<const UncheckedRule> lint_unchecked() {
  return kUnchecked;
}

const Rule *find_rule(std::string_view id) {
  const auto &rules = catalogue();
  const auto found =
      std::find_if(rules.begin(), rules.end(), [id](const Rule &rule) { return rule.id == id; });
  return found == rules.end() ? nullptr : &*found;
}

} // namespace hull::publish
