"""Refuses names of the standard library and of fmt whose header a file does not include itself.

Older compilers pull these headers in by way of others, newer ones do not: what builds with gcc 12 then fails with gcc 14.
"""

import re
import sys

import sources

ALGORITHMS = """adjacent_find all_of any_of binary_search clamp copy copy_if copy_n count count_if equal equal_range fill fill_n find
find_if find_if_not for_each generate generate_n includes inplace_merge is_sorted lexicographical_compare lower_bound max max_element
merge min min_element minmax minmax_element mismatch next_permutation none_of nth_element partial_sort partition remove_if replace
replace_if reverse rotate search set_difference set_intersection set_union shuffle sort stable_partition stable_sort swap_ranges
transform unique upper_bound""".split()
WANTED = {
    "algorithm": re.compile(r"\bstd::(ranges::)?(" + "|".join(ALGORITHMS) + r")\s*[(<]"),
    "fmt/ranges.h": re.compile(r"\bfmt::join\s*\("),
}


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def problems_in(path, text):
    code = without_comments(text)
    for header, pattern in WANTED.items():
        match = pattern.search(code)
        if match and f"#include <{header}>" not in code:
            line = code.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match.group().rstrip('(<')} without #include <{header}>"


def self_check():
    breaches = ["x = std::min(a, b);", "std::ranges::find (list, 1)", "fmt::format(\"{}\", fmt::join(a, b));",
                "#include <fmt/ranges.h>\nstd::max<int>(a, b)"]
    clean = "#include <algorithm>\nstd::sort(a, b); // fmt::join(x)\nstd::numeric_limits<int>::max(); list.count(1);"
    missed = [code for code in breaches if not list(problems_in("a.cpp", code))]
    return [f"the check itself misses {code!r}" for code in missed] + list(problems_in("clean.cpp", clean))


sys.exit(sources.check(problems_in, self_check, "include what they use"))
