"""Sets each part up alone and asks meson what it would install: that part's library or program, and nothing of another.

Arguments: the source folder; --build builds each part, too. Speaks TAP.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ALL = {"h264": "libgsthullh264.so", "mp4": "libgsthullmp4.so", "vmaf": "libgsthullvmaf.so", "cmaf": "libgsthullcmaf.so",
       "tools": "gst-hull-1.0"}
CASES = {part: (["-Dauto_features=disabled", f"-D{part}=enabled"], {name}) for part, name in ALL.items()}
CASES["none"] = (["-Dauto_features=disabled"], set())
CASES["all but h264"] = (["-Dh264=disabled"], set(ALL.values()) - {ALL["h264"]})
CASES["shared and static"] = (["-Ddefault_library=both", "-Dtests=disabled"],
                              set(ALL.values()) | {name.replace(".so", ".a") for name in ALL.values() if name.endswith(".so")})


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def problem_of(options, expected, source, build):
    with tempfile.TemporaryDirectory() as folder:
        status, text = run("meson", "setup", folder, source, "--prefix=/opt/hull", *options)
        if status:
            return text[-800:]
        installed = json.loads(run("meson", "introspect", "--installed", folder)[1])
        found = {pathlib.Path(to).name for made, to in installed.items() if made.startswith(folder) and not made.endswith(".pc")}
        outside = [to for to in installed.values() if not to.startswith("/opt/hull/")]
        if found != expected or outside:
            return f"installs {sorted(found)}, not {sorted(expected)}; outside of the prefix: {outside}"
        if build:
            status, text = run("ninja", "-C", folder, "product")
            return text[-800:] if status else None
    return None


def main():
    source = sys.argv[1]
    # Whoever asked for the compiler's tests may be under its sanitizers; these builds are plain.
    for name in ("CFLAGS", "CXXFLAGS", "LDFLAGS", "LD_PRELOAD"):
        os.environ.pop(name, None)
    print(f"1..{len(CASES)}")
    failed = 0
    for number, (name, (options, expected)) in enumerate(CASES.items(), 1):
        problem = problem_of(options, expected, source, "--build" in sys.argv)
        failed |= bool(problem)
        print(f"{'not ok' if problem else 'ok'} {number} - {name}")
        if problem:
            print("\n".join("# " + line for line in problem.splitlines()))
    return 1 if failed else 0


sys.exit(main())
