"""The page for man and bash's completion say what --help says. Speaks TAP."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

TOOL = sys.argv[1]
NAME = "gst-hull-1.0"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def told_of(path):
    """The subcommands and long options that --help names."""
    text = run(TOOL, *path, "--help").stdout
    below = text.split("Subcommands:")[1] if "Subcommands:" in text else ""
    commands = re.findall(r"^  (\w+)  ", below, re.M)
    return commands, set(re.findall(r"(--[a-z][\w-]*)", " ".join(re.findall(r"^  (-\S+)", text, re.M))))


def all_commands(path=()):
    yield path
    for name in told_of(path)[0]:
        yield from all_commands(path + (name,))


def complete(*words):
    """What bash would offer behind these words, the last of which is begun."""
    script = f'''source <("$1" manual --completion bash); shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gst_hull; printf '%s\\n' "${{COMPREPLY[@]}}"'''
    done = run("bash", "-c", script, "bash", TOOL, NAME, *words)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def page_names_everything():
    page = run(TOOL, "manual").stdout.replace("\\-", "-")
    for path in all_commands():
        commands, options = told_of(path)
        if commands and not re.search(r"^.SS " + re.escape(" ".join((NAME,) + path)) + "$", page, re.M):
            continue
        section = page.split(".SS " + " ".join((NAME,) + path) + "\n")[1].split(".S")[0] if path else page
        for option in options - {"--help", "--version"}:
            assert f"\\fB{option}\\fR" in section, (path, option)
    assert len(list(all_commands())) > 15


def page_is_clean():
    if not shutil.which("groff"):
        return "groff is not installed"
    with tempfile.NamedTemporaryFile("w", suffix=".1") as page:
        page.write(run(TOOL, "manual").stdout)
        page.flush()
        done = run("groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", page.name)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return None


def bash_offers_commands_and_options():
    for path in all_commands():
        commands, options = told_of(path)
        if commands:
            assert set(commands) <= set(complete(*path, "")), (path, complete(*path, ""))
        assert set(complete(*path, "--")) == options, (path, complete(*path, "--"), options)


def bash_offers_values_and_files():
    assert complete("vmaf", "--format", "") == ["json", "csv", "xml"]
    assert complete("vmaf", "--format", "j") == ["json"]
    assert complete("atoms", "c") == ["cat", "check"]
    with tempfile.TemporaryDirectory() as folder:
        open(os.path.join(folder, "film.mp4"), "w").close()
        assert complete("atoms", "ls", folder + "/f") == [folder + "/film.mp4"]
        assert complete("pertitle", folder + "/f") == [folder + "/film.mp4"]
        assert complete("encode", "--output", folder + "/f") == [folder + "/film.mp4"]


tests = [page_names_everything, page_is_clean, bash_offers_commands_and_options, bash_offers_values_and_files]
print(f"1..{len(tests)}")
for number, function in enumerate(tests, 1):
    try:
        skipped = function()
        print(f"ok {number} - {function.__name__}" + (f" # SKIP {skipped}" if skipped else ""))
    except AssertionError as error:
        print(f"# {error}")
        print(f"not ok {number} - {function.__name__}")
