#pragma once

#include <string>

namespace hull::tools {

// report.css and report.js, which every report carries inside: a report is one file that can be mailed.
std::string report_style();
std::string report_script();

} // namespace hull::tools
