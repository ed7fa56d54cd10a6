// Precompiled for the larger rooms: parsing the standard library was two thirds of what most files cost.
// Files still include what they use; a build with -Db_pch=false shows when one does not.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>
