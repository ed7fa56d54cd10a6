#pragma once

// Where in our source a message of an element was made, as its debug string says it.

#include <cstdlib>
#include <fstream>
#include <regex>
#include <string>

namespace hull::test {

/// The lines around the place that a debug string names ("gst/mux/track.cpp(45): parse (): …"), with texts that
/// are broken over lines made whole; empty where it names none of our files.
inline std::string source_at(const std::string &debug) {
  static const std::regex place(R"(^([^\s(]+)\((\d+)\): )");
  std::smatch found;
  if (!std::regex_search(debug, found, place)) return "";
  std::ifstream file(std::string(std::getenv("HULL_SOURCE")) + "/" + found[1].str());
  const long line = std::stol(found[2]);
  std::string around, text;
  for (long at = 1; std::getline(file, text) && at <= line + 8; ++at)
    if (at >= line - 3) around += text + "\n";
  return std::regex_replace(around, std::regex("\"\\s*\n\\s*\""), "");
}

} // namespace hull::test
