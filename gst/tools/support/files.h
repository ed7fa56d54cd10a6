#pragma once

#include "gst/core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hull::tools {

/// The whole file. Fails with not_found or io, naming the file and the reason.
Result<std::string> read_file(const std::string &path);

/// A name beside `path` that no other process writes to, on any machine that shares the folder; ends in
/// ".part".
std::string part_name(const std::string &path);

/// Writes part_name(path), syncs it and renames it to `path`, so that whoever sees `path` sees all of it.
/// Fails with no_space on a full disk, else io; the unfinished part is removed.
Result<void> write_file(const std::string &path, std::string_view content);

/// The folder exists and can be written to; missing parents are made.
Result<void> make_folder(const std::string &path);

/// An error about a path from errno: "cannot WHAT PATH: reason".
Error file_error(int error_number, const std::string &what, const std::string &path,
                 Place at = Place::here());

/// SHA-256 in hex.
std::string sha256(std::string_view bytes);

/// Size and time of change of a file: what is cheap to compare while a file is read; zeros without a file.
struct Stamp {
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const Stamp &) const = default;
};
Stamp stamp_of(const std::string &path);

/// What identifies a source in cache keys: SHA-256 over the size and, up to 256 MiB, every byte; of a larger
/// file over size, time of change and 64 KiB at its start, middle and end.
Result<std::string> identity_of(const std::string &path);

} // namespace hull::tools
