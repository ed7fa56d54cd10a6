"""Refuses what reads or writes numbers as the user's locale has them: "3,5" in German.

GStreamer sets the locale of every program that uses it, so strtod() reads "3.5s" as 3 and printf() writes "3,5" there.
Numbers of files and protocols know no locale: std::from_chars (gst/core/number.h) reads them, fmt writes them.
"""

import re
import sys

import sources

HINT = "gst/core/number.h reads numbers, fmt writes them"
# Functions by name; a float among the arguments of a printf by its conversion. GST_DEBUG and its like are for people.
REFUSED = {
    "reads by the locale": re.compile(r"\b(strto(d|f|ld)|ato[f]|sto(d|f|ld)|v?[fs]?scanf|g_strtod|wcstod)\s*\("),
    "changes the locale": re.compile(r"\b(setlocale|newlocale|uselocale|imbue)\s*\(|\blocale::global\b"),
    "writes by the locale": re.compile(r"\{[^{}\"]*:[^{}\" ]*L\}"),
}
# C++ streams read and write by std::locale::global(), which a program around us may have set. Tests may part words by them.
STREAMS = re.compile(r"\b[io]?stringstream\b")
PRINTF = re.compile(r"\b(v?[fsd]?n?printf|v?asprintf|g_\w*printf\w*)\s*\(")
FLOAT = re.compile(r'%[-+ #0-9.*\']*l?[aefgAEFG]')
# The one place that sets it, so that the tests of rooms without GStreamer meet the user's locale, too.
HOME = "tests/support/user_locale.cpp"


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def statement_at(text, start):
    """From a function's name to the end of its arguments."""
    depth = 0
    for i in range(text.index("(", start), len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return text[start:i]
    return text[start:]


def problems_in(path, text):
    if path == HOME:
        return
    text = without_comments(text)
    line_of = lambda at: text.count("\n", 0, at) + 1
    for what, pattern in REFUSED.items():
        for match in pattern.finditer(text):
            yield f"{path}:{line_of(match.start())}: {match.group()} {what}: {HINT}"
    if not path.startswith("tests/"):
        for match in STREAMS.finditer(text):
            yield f"{path}:{line_of(match.start())}: {match.group()} goes by the global locale: {HINT}"
    for match in PRINTF.finditer(text):
        if FLOAT.search(re.sub(r"%%", "", statement_at(text, match.start()))):
            yield f"{path}:{line_of(match.start())}: {match.group()} writes a float by the locale: {HINT}"


def self_check():
    """Each kind of breach must be found, or a silent pattern would pass everything."""
    breaches = [
        "double x = std::strtod(text, &end);",
        "float x = strtof(text, 0);",
        "return std::atof(text);",
        'std::sscanf(text, "%d", &x);',
        'fscanf(file, "%d", &x);',
        "return std::stod(text);",
        'std::setlocale(LC_ALL, "");',
        'std::locale::global(std::locale(""));',
        "stream.imbue(std::locale());",
        'std::printf("%s: %.2f\\n", a, b);',
        'std::snprintf(text, sizeof text, "%d "\n  "%8.3lf", a, b);',
        'g_strdup_printf("%g", x);',
        'g_string_append_printf(s, "%-5e", x);',
        "std::istringstream words(line);",
        'fmt::format("{:.2Lf}", x).find("{:L}");',
    ]
    clean = """
      // strtod() would read by the locale
      fmt::print("{:.2f}", x); GST_DEBUG("%f", x); std::printf("100 %% of %d, %s\\n", n, fmt::format("{:f}", x).c_str());
      const double x = take_number<double>(text).value_or(0); /* setlocale() */
      std::snprintf(text, sizeof text, "%02d:%02d", a, b); history(x); stop(1); fmt::format("{:L^5}{}", x);
    """
    missed = [code for code in breaches if not list(problems_in("gst/a.cpp", code))]
    return [f"the check itself misses {code!r}" for code in missed] + list(problems_in("gst/clean.cpp", clean))


sys.exit(sources.check(problems_in, self_check, "know no locale"))
