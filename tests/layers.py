#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Arrows between folders run one way, and nothing runs in a circle: by what is included, and by what objects ask of each other."""

import os
import re
import shlex
import subprocess

import tap

# A folder includes and calls those of earlier rows, and itself. The contract, qmem.h, and rows.h, in which tables are written,
# belong to all.
LAYERS = (
    ("src/util",),
    ("src/bpf", "src/proc"),
    ("src/engine",),
    ("src/kernel", "src/process"),
    ("src/service",),
    ("src/conclude",),
    ("src/control",),
    ("src/program",),
    ("src/qmemctl", "collectd", "netdata"),
)
CONTRACT = ("src/qmem", "src/rows")
TABLE = ("src", "src/service")  # what is in src itself is the table of services
# the engine's own: what its files share
PRIVATE = {"src/engine/engine": "src/engine"}
GENERATED = re.compile(r"\.skel\.h$")


def layer(path):
    """The row and the folder of a file, by the longest name that fits."""
    best = None
    for row, folders in enumerate(LAYERS):
        for folder in folders:
            if path.startswith(folder + "/") and (best is None or len(folder) > len(best[1])):
                best = row, folder
    if os.path.dirname(path) == TABLE[0]:
        return next(row for row, folders in enumerate(LAYERS) if TABLE[1] in folders), TABLE[1]
    return best


def may_use(user, used):
    a, b = layer(user), layer(used)
    return b[0] < a[0] or a[1] == b[1]


def module(path):
    return re.sub(r"(\.bpf)?\.[ch]$", "", path)


def sources(root):
    found = []
    for top in ("src", "collectd", "netdata"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names
                      if re.search(r"\.[ch]$", name) and not GENERATED.search(name)]
    return sorted(found)


def circles(graph):
    """What is reached from itself, as sets (Tarjan's)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(set(stack[at:]))
            del stack[at:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def includes(root):
    """What is wrong with what is included, a line each: FILE:LINE: why."""
    files, wrong, graph, where = sources(root), [], {}, {}
    for path in files:
        if not layer(path):
            wrong.append(f"{path}: a folder that LAYERS does not have")
            continue
        for number, line in enumerate(tap.read(os.path.join(root, path)).splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not m or GENERATED.search(m[1]):
                continue
            at = f"{path}:{number}"
            used = next((name for name in (os.path.normpath(os.path.join(os.path.dirname(path), m[1])),
                                           os.path.join("src", m[1])) if name in files), None)
            if not used:
                wrong.append(f"{at}: no file '{m[1]}'")
            elif module(used) in CONTRACT:
                continue
            elif not may_use(path, used):
                wrong.append(f"{at}: {layer(path)[1]} may not include {layer(used)[1]} ({used})")
            elif not path.startswith(PRIVATE.get(module(used), "") + ("/" if module(used) in PRIVATE else "")):
                wrong.append(f"{at}: {used} is private to {PRIVATE[module(used)]}")
            elif module(used) != module(path):
                graph.setdefault(module(path), set()).add(module(used))
                where[module(path), module(used)] = at
    for circle in circles(graph):
        wrong += [f"{at}: {b} is in a circle with {a}" for (a, b), at in sorted(where.items())
                  if a in circle and b in circle]
    return wrong


def objects(root, build):
    """The objects of each source that has been built."""
    found = {}
    for path in sources(root):
        if not path.endswith(".c") or path.endswith(".bpf.c"):
            continue
        folder, name = os.path.split(module(path))
        for sub in ("", ".libs"):
            at = os.path.join(build, folder, sub)
            for entry in os.listdir(at) if os.path.isdir(at) else ():
                if re.fullmatch(r"(?:\w+-)?" + re.escape(name) + r"\.o", entry):
                    found.setdefault(path, []).append(os.path.join(at, entry))
    return found


def calls(root, build):
    """What is wrong with what objects ask of each other."""
    defined, needed, wrong, graph, symbols = {}, {}, [], {}, {}
    for path, built in objects(root, build).items():
        for name in built:
            out = subprocess.run(["nm", "-g", name], stdout=subprocess.PIPE, text=True, check=True).stdout
            for line in out.splitlines():
                *_, kind, symbol = line.split()
                if kind in "Uwv":
                    needed.setdefault(path, set()).add(symbol)
                elif not symbol.startswith("__"):
                    defined.setdefault(symbol, set()).add(path)
    for path, wanted in sorted(needed.items()):
        for symbol in sorted(wanted):
            # the two hosts may have a name each
            others = sorted(defined.get(symbol, ()), key=lambda other: layer(other)[1] != layer(path)[1])
            if not others or path in others:
                continue
            other = others[0]
            if not may_use(path, other):
                wrong.append(f"{path}: {layer(path)[1]} may not use {symbol} of {other}")
            graph.setdefault(path, set()).add(other)
            symbols.setdefault((path, other), []).append(symbol)
    for circle in circles(graph):
        wrong += [f"{a} uses {', '.join(used)} of {b}, in a circle" for (a, b), used in sorted(symbols.items())
                  if a in circle and b in circle]
    return wrong


def selftest():
    """A tree with one of each fault."""
    root = tap.directory()
    tree = {
        "src/qmem.h": "void services_run(void);\n",
        "src/util/a.h": "void a(void);\n",
        "src/util/a.c": '#include "util/a.h"\n#include "qmem.h"\nvoid b(void);\nvoid a(void) { b(); services_run(); }\n',
        "src/util/b.c": '#include "util/a.h"\nvoid b(void) { a(); }\n',
        "src/util/c.h": '#include "util/d.h"\n',
        "src/util/d.h": '\n#include "c.h"\n',
        "src/proc/up.c": '#include "util/a.h"\n#include "engine/engine.h"\n#include "util/gone.h"\n',
        "src/engine/engine.h": '#include "proc/text.h"\n#include "qmem.h"\n',
        "src/proc/text.h": "",
        "src/service/peek.c": '#include "engine/engine.h"\n',
        "src/service/run.c": '#include "qmem.h"\nvoid services_run(void) {}\n',
        "src/process/table.c": '#include "kernel/kv.h"\n',
        "src/kernel/kv.h": "",
        "src/attic/old.c": "",
        "netdata/loop.c": '#include "service/none.h"\n#include "util/a.h"\n',
        "src/service/none.h": "",
    }
    for path, text in tree.items():
        tap.write(os.path.join(root, path), text)
    tap.same(includes(root), [
        "src/attic/old.c: a folder that LAYERS does not have",
        "src/proc/up.c:2: src/proc may not include src/engine (src/engine/engine.h)",
        "src/proc/up.c:3: no file 'util/gone.h'",
        "src/process/table.c:1: src/process may not include src/kernel (src/kernel/kv.h)",
        "src/service/peek.c:1: src/engine/engine.h is private to src/engine",
        "src/util/c.h:1: src/util/d is in a circle with src/util/c",
        "src/util/d.h:2: src/util/c is in a circle with src/util/d",
    ], "a tree of faults: includes that run back up, in a circle, to nowhere, and to what is private")
    for path in ("src/util/a.c", "src/util/b.c", "src/service/run.c"):
        folder, name = os.path.split(os.path.join(root, "build", path))
        os.makedirs(folder, exist_ok=True)
        subprocess.run([*shlex.split(os.environ.get("CC") or "cc"), "-c", "-I", os.path.join(root, "src"), "-o",
                        os.path.join(folder, "lib_la-" + name[:-2] + ".o"), os.path.join(root, path)], check=True)
    tap.same(calls(root, os.path.join(root, "build")), [
        "src/util/a.c: src/util may not use services_run of src/service/run.c",
        "src/util/a.c uses b of src/util/b.c, in a circle",
        "src/util/b.c uses a of src/util/a.c, in a circle",
    ], "and calls that do, where no header tells")


def main():
    selftest()
    wrong = includes(tap.SRC)
    tap.ok(not wrong, "includes run one way, and not in a circle", *wrong)
    wrong = calls(tap.SRC, tap.BUILD)
    built = objects(tap.SRC, tap.BUILD)
    tap.ok(not wrong, f"so do calls, between {len(built)} objects", *wrong)
    # NAME_none.c stands in for NAME.c where there is no library to build with
    looked = {re.sub(r"_none$", "", module(path)) for path in built}
    lack = [path for path in sources(tap.SRC) if path.startswith("src/") and path.endswith(".c")
            and re.sub(r"_none$", "", module(path)) not in looked and not re.search(r"\.bpf\.c$|/libbpf\.c$", path)]
    tap.ok(not lack, "and each source has been looked at", *lack)
    tap.done()


main()
