"""Adds up the test cases of meson's JUnit files and closes with `N passed, N failed, N skipped`.

Skipped cases are named with their reason, so that nothing is missing silently.
"""

import sys
import xml.etree.ElementTree as xml


def main(paths):
    passed = failed = 0
    skipped = []
    broken = []
    for path in paths:
        for case in xml.parse(path).iter("testcase"):
            name = f"{case.get('classname') or ''}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
                broken.append(name)
            elif case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped":
                skipped.append((name, (case.find("skipped").get("message") if case.find("skipped") is not None else "") or ""))
            else:
                passed += 1
    for name, why in skipped:
        print(f"skipped: {name} {why.strip()}")
    for name in broken:
        print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or passed == 0 else 0


sys.exit(main(sys.argv[1:]))
