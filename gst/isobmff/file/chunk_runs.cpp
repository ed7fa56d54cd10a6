#include "gst/isobmff/file/chunk_runs.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace hull::isobmff {
namespace {

bool follows(const ChunkRun &run, std::uint64_t previous, std::uint64_t chunks) {
  return run.first_chunk > previous && run.first_chunk <= chunks && run.samples_per_chunk > 0;
}

std::uint64_t chunks_of(const std::vector<ChunkRun> &runs, std::size_t index, std::uint64_t chunks) {
  return (index + 1 < runs.size() ? runs[index + 1].first_chunk : chunks + 1) - runs[index].first_chunk;
}

std::uint64_t samples_in(const std::vector<ChunkRun> &runs, std::uint64_t chunks) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < runs.size(); ++i)
    sum += chunks_of(runs, i, chunks) * runs[i].samples_per_chunk;
  return sum;
}

// The first chunk of runs[index], so that all runs hold as many samples as there are. True if there is one.
bool place_run(std::vector<ChunkRun> &runs, std::size_t index, const RunBounds &bounds) {
  const std::uint64_t next = index + 1 < runs.size() ? runs[index + 1].first_chunk : bounds.chunks + 1;
  for (std::uint64_t first = runs[index - 1].first_chunk + std::uint64_t{1}; first < next; ++first) {
    runs[index].first_chunk = static_cast<std::uint32_t>(first);
    const std::int64_t step =
        std::int64_t{runs[index - 1].samples_per_chunk} - std::int64_t{runs[index].samples_per_chunk};
    const auto off = static_cast<std::int64_t>(bounds.samples - samples_in(runs, bounds.chunks));
    if (off == 0) return true;
    if (step == 0 || off % step != 0 || off / step < 0) return false;
    first += static_cast<std::uint64_t>(off / step) - 1; // there it would be
  }
  return false;
}

// Where the runs hold too many samples or too few, and one byte of one run would make it right, that byte was
// damaged.
void fit_counts(std::vector<ChunkRun> &runs, const RunBounds &bounds) {
  const auto off = static_cast<std::int64_t>(bounds.samples - samples_in(runs, bounds.chunks));
  std::optional<std::pair<std::size_t, std::uint32_t>> found;
  for (std::size_t i = 0; i < runs.size() && off != 0; ++i) {
    const auto chunks = static_cast<std::int64_t>(chunks_of(runs, i, bounds.chunks));
    const std::int64_t count = runs[i].samples_per_chunk + off / chunks;
    if (off % chunks != 0 || count < 1 || count > 0xffffffffll) continue;
    const std::uint32_t changed = runs[i].samples_per_chunk ^ static_cast<std::uint32_t>(count);
    if (std::countl_zero(changed) / 8 != 3 - std::countr_zero(changed) / 8) continue;
    if (found) return;
    found = {i, static_cast<std::uint32_t>(count)};
  }
  if (found) runs[found->first].samples_per_chunk = found->second;
}

} // namespace

std::vector<ChunkRun> runs_as_read(std::vector<ChunkRun> runs, const RunBounds &bounds) {
  const auto number = [](std::uint32_t value) { return static_cast<std::int32_t>(value); };
  for (std::size_t i = runs.size(); i-- > 0;) {
    ChunkRun &run = runs[i];
    const bool last = i + 1 == runs.size();
    const bool bad = (!last && number(run.first_chunk) >= number(runs[i + 1].first_chunk)) ||
                     (i > 0 && number(run.first_chunk) <= number(runs[i - 1].first_chunk)) ||
                     number(run.first_chunk) < static_cast<std::int64_t>(i + 1) ||
                     number(run.samples_per_chunk) < 1 || number(run.sample_description_index) < 1;
    if (!bad) continue;
    if (!last) {
      run = runs[i + 1];
      --run.first_chunk;
    } else if (run.samples_per_chunk == 0 && i > 0) {
      runs.pop_back();
    } else {
      run.samples_per_chunk = std::max(number(run.samples_per_chunk), 1);
      run.sample_description_index = 1;
      run.first_chunk = static_cast<std::uint32_t>(i + 1);
      if (i > 0) run.first_chunk = std::max(run.first_chunk, runs[i - 1].first_chunk + 1);
    }
  }
  // Unlike that reader, go on where a run begins behind the last chunk.
  std::erase_if(runs, [&bounds](const ChunkRun &run) { return run.first_chunk > bounds.chunks; });
  return runs;
}

std::vector<ChunkRun> ordered_runs(const std::vector<ChunkRun> &entries, const RunBounds &bounds) {
  std::vector<ChunkRun> runs;
  std::vector<std::size_t> damaged;
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ChunkRun run = entries[i];
    if (i == 0) run.first_chunk = 1;
    if (run.sample_description_index < 1 || run.sample_description_index > bounds.descriptions)
      run.sample_description_index = 1;
    const bool overtakes = i > 0 && i + 1 < entries.size() && run.first_chunk >= entries[i + 1].first_chunk &&
                           follows(entries[i + 1], previous + 1, bounds.chunks);
    if (follows(run, previous, bounds.chunks) && !overtakes) {
      previous = run.first_chunk;
      runs.push_back(run);
    } else {
      damaged.push_back(runs.size());
      runs.push_back(run);
    }
  }
  if (damaged.empty()) fit_counts(runs, bounds);
  if (damaged.empty()) return runs;
  const bool one = damaged.size() == 1 && damaged[0] > 0 && runs[damaged[0]].samples_per_chunk > 0;
  if (one && place_run(runs, damaged[0], bounds)) return runs;
  return runs_as_read(entries, bounds);
}

bool same_runs(const std::vector<ChunkRun> &one, const std::vector<ChunkRun> &other) {
  return std::ranges::equal(one, other, [](const ChunkRun &a, const ChunkRun &b) {
    return a.first_chunk == b.first_chunk && a.samples_per_chunk == b.samples_per_chunk &&
           a.sample_description_index == b.sample_description_index;
  });
}

} // namespace hull::isobmff
