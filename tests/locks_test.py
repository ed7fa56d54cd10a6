"""The lock rules of gst/core/mutex.h are really kept by clang: each breach below is refused, each good form passes.

Arguments: clang++, the root of the tree.
"""

import pathlib
import subprocess
import sys
import tempfile

FRAME = """
#include "gst/glue/raise.h"
struct Element {
  hull::Mutex mutex;
  hull::Mutex leaf;
  hull::Condition changed;
  int count HULL_GUARDED_BY(mutex) = 0;
  GstElement *self;
  GstPad *pad;
  void bump() HULL_REQUIRES(mutex) { ++count; }
  void run() { using namespace hull; %s }
};
"""
GOOD = {
    "guarded": "const Lock lock(mutex); count = 1; bump();",
    "call out after the lock": "{ const Lock lock(mutex); count = 1; } gst_element_add_pad(self, pad);",
    "call out in between": "Lock lock(mutex); lock.unlock(); gst_pad_push(pad, nullptr); lock.lock(); ++count;",
    "wait": "Lock lock(mutex); while (count == 0) changed.wait(lock); ++count;",
    "a leaf inside": "const Lock lock(mutex); const InnerLock inner(leaf); ++count;",
}
BAD = {
    "without the lock": "count = 1;",
    "requires": "bump();",
    "add a pad": "const Lock lock(mutex); gst_element_add_pad(self, pad);",
    "post": "const Lock lock(mutex); raise(self, {ErrorCode::state, {}});",
    "push": "Lock lock(mutex); lock.unlock(); lock.lock(); gst_pad_push(pad, nullptr);",
    "signal": "const Lock lock(mutex); g_signal_emit(self, 1, 0);",
    "query": "const Lock lock(mutex); gst_pad_peer_query(pad, nullptr);",
    "event": "const Lock lock(mutex); gst_pad_push_event(pad, nullptr);",
    "twice": "const Lock lock(mutex); const Lock again(leaf);",
}


def accepted(clang, root, flags, body):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "snippet.cpp"
        source.write_text(FRAME % body, encoding="utf-8")
        done = subprocess.run([clang, "-std=c++20", "-I", root, "-fsyntax-only", "-Wthread-safety", "-Werror", *flags, source],
                              capture_output=True, text=True)
        if done.returncode and "-Wthread-safety" not in done.stderr:
            sys.exit(f"clang refuses for another reason:\n{done.stderr}")
        return done.returncode == 0


def main():
    clang, root = sys.argv[1:]
    flags = subprocess.run(["pkg-config", "--cflags", "gstreamer-video-1.0", "gstreamer-base-1.0"], capture_output=True, text=True,
                           check=True).stdout.split()
    wrong = [f"refused, but right: {name}" for name, body in GOOD.items() if not accepted(clang, root, flags, body)]
    wrong += [f"accepted, but wrong: {name}" for name, body in BAD.items() if accepted(clang, root, flags, body)]
    print("\n".join(wrong) or f"{len(GOOD)} good forms pass, {len(BAD)} breaches are refused")
    return 1 if wrong else 0


sys.exit(main())
