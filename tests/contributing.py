# SPDX-License-Identifier: MIT
"""
CONTRIBUTING.md is true: its map is whole, its paths are there, and its recipes work. A metric is added by it, then the service in
tests/contributing, in a copy of the tree with a build directory of its own, which starts as a copy of this one.
"""

import difflib
import fnmatch
import os
import re
import shutil
import subprocess
import time

import services
import tap

NAME = "softirqs"
PAGE = tap.read(os.path.join(tap.SRC, "CONTRIBUTING.md"))
# Lines of golden files that go only when something else has changed. qmem's counts of itself do, and so does a list of states.
OF_OTHERS = {".txt": "-(?!self|status|-)", ".netdata": "-(CHART|DIMENSION)", ".collectd": "-(?!qmem_self|-)"}
GENERATED = ("README.md", "conf/", "docs/", "man/", "tests/expected/")


def section(title):
    return re.search(rf"(?ms)^## {title}\n(.*?)(?=^## )", PAGE)[1]


# ---- what it says of the tree ----


def folders():
    """All that hold sources, and how deep the map goes into tests."""
    found = set()
    for top in ("src", "collectd", "netdata", "conf", "man", "docs", "tests"):
        for where, names, files in os.walk(os.path.join(tap.SRC, top)):
            path = os.path.relpath(where, tap.SRC)
            names[:] = [name for name in names if name != "__pycache__"]
            if top in ("conf", "tests") and path.count("/") >= (top == "tests"):
                names.clear()
            if files or top == "conf":
                found.add(path)
    return found - {"src"}


def check_words():
    fence = re.search(r"(?s)```\n(.*?)```", section("The shape of it"))[1]
    in_map = set(re.findall(r"(?:^|(?<=\s))([a-z]+(?:/[a-z]+)*)/(?=\s|$)", fence, re.M))
    tap.same(sorted(folders() - in_map), [], "each folder is in the map")
    tap.same(sorted(path for path in in_map if not os.path.isdir(os.path.join(tap.SRC, path))), [], "and none that is not there")
    paths = set(re.findall(r"`((?:src|tests|collectd|netdata|conf|docs|man)/[\w./-]*)`", PAGE))
    paths = {path for path in paths if not re.search("NAME|VERSION", path) and path != "tests/fuzz/corpus/"}
    tap.same(sorted(path for path in paths if not path.endswith("-") and not os.path.exists(os.path.join(tap.SRC, path))), [],
             f"{len(paths)} paths are there")
    titles = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall("(?m)^## (.*)$", PAGE)}
    tap.same(sorted(set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) - titles), [], "links lead to sections")
    for_mkroot = {path for service in services.table().values() for path in service.files}
    patterns = tap.read(os.path.join(tap.SRC, "tests", "mkroot")).splitlines()
    # which tells where users mount things: not to be recorded
    for_mkroot.discard("proc/1/mountinfo")
    # a folder stands for its files
    tap.same(sorted(path for path in for_mkroot
                    if not any(fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(f"{path}/file", pattern) for pattern in patterns)), [],
             "tests/mkroot records what the services read")


# ---- what it says is to be done ----


def is_source(name):
    """Of what lies in the top directory."""
    return name == "build-aux" or not name.startswith((".git", "autom4te", "build", "qmem-"))


def copy():
    """The sources and the build, both as they are."""
    src = os.path.join(tap.directory(tap.in_memory()), "qmem")
    shutil.copytree(tap.SRC, src, symlinks=True,
                    ignore=lambda where, names: [n for n in names if where == tap.SRC and not is_source(n) or n == "__pycache__"])
    build = os.path.join(src, "build")
    shutil.copytree(tap.BUILD, build, symlinks=True, ignore=lambda _, names: [n for n in names if n.endswith((".log", ".trs", "-build"))])
    # which must not lead back
    status = os.path.join(build, "config.status")
    tap.write(status, re.sub(rf"(?<![\w./-]){re.escape(tap.SRC)}(?![\w.-])", src, tap.read(status)))
    subprocess.run(["./config.status"], cwd=build, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment())
    return src


def environment():
    """Not a part of the make that has started us, nor of its tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "QMEM_", "TESTS"))}


def rows(title, name):
    """(file, the line that a new one stands below, the new one) of a recipe's table."""
    found = re.findall(r"(?m)^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|$", section(title))
    return [[cell.replace("NAME", name) for cell in row] for row in found]


def write_line(src, path, below, line):
    path = os.path.join(src, path)
    lines = tap.read(path).splitlines(keepends=True)
    at = [i for i, old in enumerate(lines) if old.strip() == below]
    if not tap.ok(len(at) == 1, f"{os.path.relpath(path, src)} has the line '{below}', once", at):
        return
    indent = re.match(r"\s*", lines[at[0]])[0] + ("\t" if below.endswith("{") else "    " if below.endswith(":") else "")
    lines.insert(at[0] + 1, f"{indent}{line}\n")
    tap.write(path, "".join(lines))


def do(src, title, name):
    """The commands of a recipe, as they are written."""
    for command in re.search(r"(?s)```\n(.*?)```", section(title))[1].replace("NAME", name).splitlines():
        began = time.monotonic()
        done = subprocess.run(command, shell=True, cwd=src, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=environment())
        tap.ok(done.returncode == 0, f"{title}: {command}", done.stdout[-3000:])
        tap.diag(f"{time.monotonic() - began:.1f} s")


def files(src):
    found = {}
    for where, names, leaves in os.walk(src):
        names[:] = [n for n in names if (where != src or is_source(n)) and n not in ("__pycache__", "build-aux")]
        for leaf in leaves:
            path = os.path.relpath(os.path.join(where, leaf), src)
            if leaf not in ("configure", "Makefile.in", "aclocal.m4") and not leaf.endswith((".skel.h", "~")):
                with open(os.path.join(src, path), encoding="utf-8", errors="surrogateescape") as f:
                    found[path] = f.read().splitlines()
    return found


def changes(before, after):
    """{path: (lines that came, lines that went)}"""
    found = {}
    for path in before.keys() | after.keys():
        old, new = before.get(path, []), after.get(path, [])
        if old != new or (path in before) != (path in after):
            marks = [line[0] for line in difflib.unified_diff(old, new, n=0) if not line.startswith(("+++", "---", "@@"))]
            found[path] = (marks.count("+"), marks.count("-"))
    return found


def report(title, before, after):
    """What it took, and that nothing of others has moved."""
    changed = changes(before, after)
    hand = {path: n for path, n in changed.items() if not path.startswith(GENERATED)}
    own = {path: n for path, n in hand.items() if path not in before}
    shared = {path: n for path, n in hand.items() if path in before}
    tap.diag(f"{title}: {len(own)} files of its own, {sum(n[0] for n in own.values())} lines; by hand {sum(sum(n) for n in shared.values())} "
             f"lines in {len(shared)} others: " + ", ".join(sorted(shared)) + f"; {len(changed) - len(hand)} files written by make")
    gone = [path for path, n in changed.items() if path.startswith("tests/expected/") and n[1]]
    moved = {path: [line for line in difflib.unified_diff(before[path], after[path], n=0, lineterm="")
                    if re.match(OF_OTHERS[os.path.splitext(path)[1]], line)] for path in gone}
    return hand, {path: lines for path, lines in moved.items() if lines}


def add_metric(src):
    before = files(src)
    for row in rows("Add a metric", "meminfo"):
        write_line(src, *row)
    path = os.path.join(src, "src/service/meminfo.c")
    text, n = re.subn(r'(?m)^\t\{ "Active", .*\n', "", tap.read(path))
    tap.same(n, 1, "Add a metric: the ignore list has the example")
    tap.write(path, text)
    do(src, "Add a metric", "meminfo")
    after = files(src)
    hand, moved = report("a metric", before, after)
    tap.same(sorted(hand), ["src/service/meminfo.c", "src/service/meminfo_sample.h"], "a metric: two files by hand")
    tap.same(moved, {}, "a metric: what is expected of others stays")
    tap.ok(any("meminfo.lru.active" in line for line in after["man/qmem.plugin.8"])
           and any(line.startswith("meminfo.lru.active ") for line in after["tests/expected/6.1-x86_64.txt"]), "a metric: it is there")


def add_service(src):
    before = files(src)
    model = os.path.join(tap.SRC, "tests", "contributing")
    for where, _, leaves in os.walk(model):
        for leaf in leaves:
            path = os.path.relpath(os.path.join(where, leaf), model)
            tap.write(os.path.join(src, path), tap.read(os.path.join(model, path)))
    lines = rows("Add a service", NAME)
    for row in lines:
        write_line(src, *row)
    do(src, "Add a service", NAME)
    after = files(src)
    hand, moved = report("a service", before, after)
    tap.same({path: n for path, n in hand.items() if path in before},
             {path: (sum(row[0] == path for row in lines), 0) for path in {row[0] for row in lines}},
             "a service: besides its own files, the lines of the table")
    tap.same(moved, {}, "a service: what is expected of others stays")
    said = "\n".join(after["tests/expected/hostile.txt"])
    tap.ok(f"{NAME}.runs.runs[TIMER] " in said, "a service: it is in the golden files", said[-2000:])
    for path in ("README.md", "conf/collectd/qmem.conf", "conf/netdata/qmem.conf", "man/qmem.plugin.8", "man/collectd-qmem.5"):
        tap.ok(any(NAME in line for line in after[path]), f"a service: it is in {path}")


check_words()
if os.path.relpath(tap.BUILD, tap.SRC) != "build":
    tap.skip("the recipes", "this build is not in build/")
else:
    tree = copy()
    add_metric(tree)
    add_service(tree)
tap.done()
