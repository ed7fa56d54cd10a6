#pragma once

// Holds playlists, MPDs, media and server replies against numbered rules: HLS-nn, DSH-nn, CMF-nn, ING-nn.
// HOWTO add a rule: one line in the catalogue (lint_rules.cpp), a check that calls Findings::add with its
// number, and an example that breaks it in tests/gst/publish/lint_examples.cpp; a test fails while one of
// them is missing.

#include "gst/core/bytes.h"
#include "gst/publish/presentation.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hull::publish {

enum class Level {
  must,   ///< the specification's MUST or SHALL
  should, ///< SHOULD or recommended
  player, ///< no text demands it, but a player needs it
  house,  ///< our own rule
};

/// How well the rule's wording is known: read in the primary text, quoted from it by its publisher's
/// checklist, seen in a validator's or player's source, from a second-hand source, or not verified.
enum class Certainty { primary, quoted, seen, secondary, unverified };

struct Rule {
  const char *id; ///< "HLS-09"
  Level level;
  Certainty certainty;
  const char *title; ///< what holds when it is kept
  const char *source;
};

/// All rules that are checked, by id.
std::span<const Rule> lint_rules();

/// A rule that no URL and no file can break, and why.
struct UncheckedRule {
  const char *id, *title, *why;
};
std::span<const UncheckedRule> lint_unchecked();
const Rule *find_rule(std::string_view id);

struct Finding {
  const Rule *rule = nullptr;
  std::string where; ///< URL or file, with a line where there is one
  std::string text;  ///< what was found
};

class Findings {
 public:
  /// `id` must be in the catalogue.
  void add(std::string_view id, std::string where, std::string text);
  const std::vector<Finding> &all() const { return all_; }
  bool has(std::string_view id) const;
  /// Findings of level must.
  std::size_t violations() const;

 private:
  std::vector<Finding> all_;
};

/// "HLS-09 MUST (primary): v1.m3u8:12: …".
std::string to_text(const Finding &finding);

/// One media or multivariant playlist by itself. `where` names it in findings.
void lint_playlist(std::string_view text, const std::string &where, Findings &out);
/// Two versions of one media playlist, the older first.
void lint_reload(std::string_view before, std::string_view after, const std::string &where, Findings &out);
/// All playlists of one presentation together: `media` holds each media playlist's name and text.
void lint_presentation(std::string_view multivariant,
                       const std::vector<std::pair<std::string, std::string>> &media,
                       const std::string &where, Findings &out);
/// A delta update against the full playlist of the same moment.
void lint_delta(std::string_view full, std::string_view delta, const std::string &where, Findings &out);

void lint_mpd(std::string_view text, const std::string &where, Findings &out);
void lint_mpd_update(std::string_view before, std::string_view after, const std::string &where,
                     Findings &out);

/// CMAF rules of a header, and of a segment with its header. `last` says that no segment follows.
void lint_init(Bytes init, const std::string &where, Findings &out);
void lint_segment(Bytes init, Bytes segment, const std::string &where, Findings &out);

/// A segment with the header it belongs to.
struct MediaSegment {
  std::string where;
  Bytes init, media;
};
/// What Resync points inside segments ask of the chunks of a track (DSH-20), and of all rungs of one segment
/// (DSH-21).
void lint_chunk_times(const MediaSegment &segment, Findings &out);
void lint_chunk_alignment(std::span<const MediaSegment> rungs, Findings &out);
/// Two segments of one track, far from each other: media goes as fast as the clock in their prft (DSH-26).
void lint_drift(const MediaSegment &early, const MediaSegment &late, Findings &out);

/// What an ingest source sends (DASH-IF live media ingest 1.2, interface 1): its MPD, and the objects of one
/// track in the order they were sent.
struct IngestTrack {
  std::string where;
  Bytes init;
  std::vector<Bytes> segments;
  double segment_duration = 0; ///< seconds, as the MPD says; 0 = unknown
  bool ended = false;          ///< nothing follows
};
void lint_ingest_mpd(std::string_view text, const std::string &where, Findings &out);
void lint_ingest_track(const IngestTrack &track, Findings &out);

/// A reply of an origin, for the server's rules.
struct HttpReply {
  int status = 0;
  std::string content_type, content_encoding, cache_control, access_control_allow_origin;
  bool redirected = false;
  double seconds = 0; ///< from request to the first byte of the body
  std::string body;
  double total_seconds = 0; ///< to its last byte
  bool content_length = false;
  std::string protocol; ///< what TLS agreed on, "h2" or "http/1.1"; empty = unknown
};
/// A playlist reply to a request that accepted gzip; `blocked` if it named _HLS_msn.
void lint_playlist_reply(const HttpReply &reply, const std::string &where, Findings &out);
void lint_time_reply(const HttpReply &reply, const std::string &where, Findings &out);

} // namespace hull::publish
