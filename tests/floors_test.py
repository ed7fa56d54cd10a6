"""Holds the floors: reads every #include of ours and compares it with the table of docs/architecture.md.

Prints gtest-like lines so that a failure names the file, the line and the rule.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOOR = {"core": 0, "h264": 1, "isobmff": 1, "vmaf": 1, "mux": 2, "ladder": 2, "publish": 2, "quality": 2,
         "inspect": 2, "origin": 3, "glue": 3, "tools": 4}
# Plugins that may come; a folder of another name is a slip.
PLUGINS = {"h264", "mp4", "vmaf", "cmaf", "quality", "scope"}
GLIB = re.compile(r"(glib|gio|glib-object|gmodule)(/.*)?\.h$")
GSTREAMER = re.compile(r"gst/.*")
# Third-party headers and the only place that may include them.
HOMES = {
    r"wels/.*": "plugins/h264/",
    r"libsoup/.*": "gst/origin/",
    r"libav.*": "plugins/scope/",
    r"CLI/.*": ("gst/tools/cli/options.cpp", "gst/tools/cli/manual.cpp"),
    r"nlohmann/.*": "gst/core/json.cpp",
    r"pugi.*": "gst/core/xml.cpp",
    r"openssl/.*": ("gst/isobmff/crypt/aes.cpp", "gst/origin/tls.cpp"),
    r"nghttp2/.*": "gst/origin/http2.cpp",
    r"immintrin\.h": "gst/vmaf/kernels/simd_avx",
}
# The order inside gst/tools: a folder includes only itself and lower ones.
TOOLS = {"cli": 4, "report": 3, "engine": 3, "title": 2, "media": 1, "support": 0}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "gst" else None


def problems_in(path, text):
    room = room_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        where = f"{path}:{number}: includes {target}"
        for pattern, home in HOMES.items():
            homes = (home,) if isinstance(home, str) else home
            if re.fullmatch(pattern, target) and not path.startswith((*homes, "tests/")):
                yield f"{where}, whose home is {' or '.join(homes)}"
        if quote == "<":
            if room and FLOOR[room] < 3 and (GSTREAMER.fullmatch(target) or GLIB.fullmatch(target)):
                yield f"{where}: GStreamer and GLib stop at floor 3"
            elif room == "origin" and GSTREAMER.fullmatch(target):
                yield f"{where}: the origin knows no GStreamer"
            continue
        parts = target.split("/")
        if parts[0] == "plugins":
            if parts[1] not in PLUGINS:
                yield f"{where}: no such plugin"
            elif room:
                yield f"{where}: no room includes a plugin"
            elif path.startswith("plugins/") and path.split("/")[1] != parts[1]:
                yield f"{where}: plugins never include each other"
        elif parts[0] == "gst":
            if parts[1] not in FLOOR:
                yield f"{where}: no such room"
            elif room and parts[1] != room and FLOOR[parts[1]] >= FLOOR[room]:
                yield f"{where}: floor {FLOOR[room]} ({room}) may only include lower floors, {parts[1]} is on {FLOOR[parts[1]]}"
            elif room == "glue" and parts[1] not in ("glue", "core"):
                yield f"{where}: glue uses only core"
        elif parts[0] != "tests" or not path.startswith("tests/"):
            yield f"{where}: quoted includes start at the root of the tree"


def problems_inside_tools(path, text):
    if not path.startswith("gst/tools/"):
        return
    own = path.split("/")[2]
    if own not in TOOLS:
        yield f"{path}: lies in none of the folders of gst/tools ({', '.join(TOOLS)})"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match or not match.group(2).startswith("gst/tools/"):
            continue
        other = match.group(2).split("/")[2]
        if other != own and TOOLS.get(other, TOOLS["cli"]) >= TOOLS[own]:
            yield f"{path}:{number}: includes {match.group(2)}: {own}/ may only include lower folders"


def tools_self_check():
    breaches = {
        "gst/tools/a.cpp": "",
        "gst/tools/title/a.h": '#include "gst/tools/engine/engines.h"',
        "gst/tools/media/a.cpp": '#include "gst/tools/title/title.h"',
        "gst/tools/support/a.cpp": '#include "gst/tools/media/pipeline.h"',
        "gst/tools/report/a.cpp": '#include "gst/tools/engine/engines.h"',
        "gst/tools/engine/a.cpp": '#include "gst/tools/report/chart.h"',
        "gst/tools/engine/b.cpp": '#include "gst/tools/cli/commands.h"',
    }
    missed = [path for path, text in breaches.items() if not list(problems_inside_tools(path, text))]
    clean = '#include "gst/tools/cli/commands.h"\n#include "gst/tools/report/chart.h"\n#include "gst/core/json.h"\n'
    return [f"the check itself misses a breach like {path}" for path in missed] + list(
        problems_inside_tools("gst/tools/cli/a.cpp", clean))


def self_check():
    """The rules must find each kind of breach, or a silent pattern would pass everything."""
    breaches = {
        "gst/core/a.h": '#include "gst/vmaf/x.h"',
        "gst/vmaf/a.h": '#include "gst/h264/x.h"',
        "gst/isobmff/a.cpp": "#include <gst/gst.h>",
        "gst/ladder/a.cpp": '#include "plugins/mp4/mux.h"',
        "plugins/mp4/a.cpp": '#include "plugins/h264/encoder.h"',
        "gst/publish/a.cpp": "#include <wels/codec_api.h>",
        "gst/glue/a.cpp": '#include "gst/h264/nal.h"',
        "gst/tools/a.cpp": '#include "nowhere.h"',
        "gst/isobmff/a.h": '#include "gst/mux/timeline.h"',
        "gst/origin/a.h": "#include <gst/gst.h>",
        "gst/origin/b.h": '#include "gst/glue/ref.h"',
        "gst/mux/a.h": "#include <glib.h>",
        "plugins/mp4/b.cpp": '#include "plugins/nowhere/a.h"',
    }
    missed = [path for path, text in breaches.items() if not list(problems_in(path, text))]
    clean = list(problems_in("gst/glue/a.cpp", '#include "gst/core/result.h"\n#include <gst/gst.h>\n'))
    return [f"the check itself misses a breach like {path}" for path in missed] + clean


def main():
    found = self_check() + tools_self_check()
    files = 0
    for folder in ("gst", "plugins", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cpp") and path.is_file():
                files += 1
                found += problems_in(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
                found += problems_inside_tools(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    print("\n".join(found) or f"{files} files keep the floors")
    return 1 if found or files == 0 else 0


sys.exit(main())
