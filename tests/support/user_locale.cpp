// Linked into every test: the locale of the user, as GStreamer sets it in every program that uses it, so that
// tests of rooms without GStreamer meet it, too.

#include <clocale>

namespace {

[[maybe_unused]] const char *const kUserLocale = std::setlocale(LC_ALL, "");

} // namespace
