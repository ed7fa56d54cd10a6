"""Every plugin shows its entry points and nothing else: nm -D finds only gst_plugin_*.

Arguments: the plugins. A symbol more could collide with another plugin's in the same process.
"""

import re
import subprocess
import sys

ALLOWED = re.compile(r"gst_plugin_[a-z0-9]+_(get_desc|register)")


def exported(plugin):
    lines = subprocess.run(["nm", "-D", "--defined-only", plugin], capture_output=True, text=True, check=True).stdout
    return [line.split()[-1] for line in lines.splitlines()]


def main():
    failed = not sys.argv[1:]
    for plugin in sys.argv[1:]:
        names = exported(plugin)
        extra = [name for name in names if not ALLOWED.fullmatch(name)]
        failed |= bool(extra) or len(names) != 2
        print(f"{plugin}: {len(names)} symbols" + "".join(f"\n  {name}" for name in extra[:20]))
    return 1 if failed else 0


sys.exit(main())
