#pragma once

#include "gst/vmaf/fitter.h"
#include "gst/vmaf/session.h"

namespace hull::vmaf {

struct ComparisonOptions {
  std::string models = "vmaf_v0.6.1";
  std::string model_file;
  bool psnr = false;
  unsigned subsample = 1; ///< score every n-th frame
  unsigned threads = 1;   ///< 0 = one per processor
  int height = 0;         ///< lines to score at; 0 = the reference's
  int bits = 0;           ///< 8, 10 or 12 per sample at least; 0 = the deepest picture's
  double frame_rate = 0;  ///< of the reference, for auto-v1; 0 = unknown
};

/// What every picture is brought to.
struct ComparedFormat {
  int width = 0, height = 0, bits = 8;
};

/// Scores pictures of any size and depth: brings them to one format, which the first reference picture and
/// the options decide, and feeds a Session.
class Comparison {
 public:
  /// `reference` is the first reference picture, `bits` the depth of the deepest picture that is to come, and
  /// `streams` the names of the distorted inputs in errors.
  static Result<std::unique_ptr<Comparison>> start(const ComparisonOptions &options, const Picture &reference,
                                                   int bits, std::vector<std::string> streams);

  /// The next reference picture and one distorted picture per stream, null where none belongs to it. The
  /// reference's planes must live until the next push has returned, the one after where looks_back_two().
  /// Gives the scores that have become ready, in order.
  Result<std::vector<FrameScore>> push(const Picture &reference, std::span<const Picture *const> distorted);
  /// The scores of the last frames.
  std::vector<FrameScore> finish() { return session_.finish(); }

  const ComparedFormat &format() const { return format_; }
  const std::vector<NamedModel> &models() const { return session_.models(); }
  const std::shared_ptr<const ScoreColumns> &columns() const { return session_.columns(); }
  std::uint64_t frames() const { return session_.frames(); }
  /// Whether models or metrics read chroma.
  bool reads_chroma() const { return reads_chroma_; }
  bool looks_back_two() const { return session_.looks_back_two(); }
  bool scaled(std::size_t stream) const { return fitters_[stream].scaled(); }
  /// Whether the stream's depth and the reference's differ.
  bool promoted(std::size_t stream) const;
  /// The size and depth that banding of the stream's newest picture is measured at; none where no model reads
  /// it.
  std::optional<Coding> banding(std::size_t stream) const;
  /// Frames of the stream whose chroma a model estimated; none where no model reads chroma.
  std::optional<std::uint64_t> estimated(std::size_t stream) const { return session_.estimated(stream); }
  /// What to know of the stream's scores before they are compared with others.
  std::vector<std::string> cautions(std::size_t stream) const;

 private:
  Comparison(const ComparisonOptions &options, const ComparedFormat &format, SessionOptions session,
             bool reads_chroma, std::vector<std::string> streams, std::vector<std::string> cautions);
  Result<Picture> fit_reference(const Picture &reference);

  const ComparisonOptions options_;
  const ComparedFormat format_;
  const bool reads_chroma_;
  const std::vector<std::string> streams_, cautions_;
  Session session_;
  std::vector<Fitter> fitters_; ///< by stream
  std::vector<Coding> codings_;
  Fitter reference_fitters_[3]; ///< in turns: motion reads up to two frames before, too
  std::optional<Picture> previous_, before_previous_;
};

} // namespace hull::vmaf
