"""What the checks of our sources share: each file is read once, and the check itself is checked first."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def check(problems_in, self_check, verdict):
    """Prints what `problems_in(path, text)` finds in all sources, else how many files keep to it; the exit status."""
    found = self_check()
    files = 0
    for folder in ("gst", "plugins", "examples", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cpp") and path.is_file() and "node_modules" not in path.parts:
                files += 1
                found += problems_in(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    print("\n".join(found) or f"{files} files {verdict}")
    return 1 if found or files == 0 else 0
