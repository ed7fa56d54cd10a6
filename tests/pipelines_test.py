"""Runs every ```pipeline block of the README and of docs/ as typed, one command a line, and speaks TAP.

A line starting with gst-launch-1.0 or gst-hull-1.0 runs as it is; anything else is taken as gst-launch-1.0's arguments.
Lines of one block run in order in one empty folder, so a later line may read what an earlier one wrote.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```pipeline\n(.*?)^```", re.S | re.M)
SECONDS = 60  # a hang, not a speed limit


def blocks():
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            joined = match.group(1).replace("\\\n", " ")
            yield f"{path.relative_to(ROOT)}:{number}", [line.strip() for line in joined.splitlines() if line.strip()]


def run(lines):
    with tempfile.TemporaryDirectory() as folder:
        for line in lines:
            command = line if line.startswith(("gst-launch-1.0", "gst-hull-1.0", "ffprobe", "#")) else "gst-launch-1.0 -q " + line
            command = command.replace("gst-hull-1.0", os.environ["HULL_TOOL"], 1) if command.startswith("gst-hull") else command
            try:
                done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return f"still running after {SECONDS} s: {line}"
            if done.returncode:
                return f"status {done.returncode}: {line}\n{done.stdout[-800:]}{done.stderr[-800:]}"
    return None


def main():
    found = list(blocks())
    print(f"1..{len(found)}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, ((where, _), problem) in enumerate(zip(found, pool.map(run, [lines for _, lines in found])), 1):
            print(f"{'not ok' if problem else 'ok'} {number} - {where}")
            if problem:
                failed += 1
                print("\n".join("# " + line for line in problem.splitlines()))
    return 1 if failed else 0


sys.exit(main())
