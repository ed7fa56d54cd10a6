#pragma once

namespace hull::tools {

/// Cores this process may use.
unsigned usable_cores();

} // namespace hull::tools
