#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What pagecache costs: reads and faults with and without the counting of hits, in turns; a look at many files, and at a large one.
Nothing here passes or fails."""

import mmap
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["QMEM_SRCDIR"], "tests"))

import services  # noqa: E402
import tap  # noqa: E402

TURNS = 7
SIZE = 64 << 20
FILES = 10000
PAGE = mmap.PAGESIZE


def ticks(*options):
    others = [f"{name}.Enabled=no" for name in services.table() if name not in ("pagecache", "proctable", "procmem")]
    child = tap.start([os.path.join(tap.BUILD, "tests/ticks"), *others, "pagecache.TopDevices=0", *options],
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="surrogateescape")
    return child


def tick(child, later=1000):
    child.stdin.write(f"+{later}\n")
    child.stdin.flush()
    lines = []
    for line in child.stdout:
        if line == "end\n":
            return lines
        lines.append(line)
    return lines


def end(child):
    child.stdin.close()
    child.wait()


def cpu_ns(pid):
    return sum(int(tap.read(f"/proc/{pid}/task/{thread}/schedstat").split()[0]) for thread in os.listdir(f"/proc/{pid}/task"))


def reads(fd, size):
    """ns of CPU for each read of a page that is there."""
    before = time.thread_time_ns()
    for at in range(0, SIZE, size):
        os.pread(fd, size, at)
    return (time.thread_time_ns() - before) / (SIZE / size)


def faults(fd):
    mapped = mmap.mmap(fd, SIZE, prot=mmap.PROT_READ)
    before = time.thread_time_ns()
    for at in range(0, SIZE, 16 * PAGE):
        mapped[at]
    spent = time.thread_time_ns() - before
    mapped.close()
    return spent / (SIZE / 16 / PAGE)


def hits(path):
    fd = os.open(path, os.O_RDONLY)
    ways = {"read of 4 KiB": lambda: reads(fd, 4096), "read of 64 KiB": lambda: reads(fd, 65536), "fault": lambda: faults(fd)}
    found = {name: {False: [], True: []} for name in ways}
    for turn in range(2 * TURNS):
        child = ticks(f"pagecache.Hits={'yes' if turn % 2 else 'no'}")
        text = "".join(tick(child))
        if turn % 2 and "pagecache.lookup." not in text:
            print("hits: cannot be counted here")
            end(child)
            return
        for name, way in ways.items():
            found[name][bool(turn % 2)].append(way())
        end(child)
    print(f"\n{'with the counting of hits, ns':32} {'without':>8} {'with':>8} {'more':>8}")
    for name, values in found.items():
        without, among = statistics.median(values[False]), statistics.median(values[True])
        print(f"{name:32} {without:8.0f} {among:8.0f} {among - without:8.0f}")
    os.close(fd)


def looks(directory, path):
    many = os.path.join(directory, "many")
    for i in range(FILES // 100):
        os.makedirs(os.path.join(many, f"{i}"))
        for k in range(100):
            tap.write(os.path.join(many, f"{i}", f"{k}"), "x")
    print(f"\n{'a look, ms of CPU':32} {'first':>8} {'later':>8}")
    for name, pattern in ((f"{FILES} files", many), (f"a file of {SIZE >> 20} MiB, all there", path)):
        child = ticks(f"pagecache.File{{{pattern}}}.Depth=3", "pagecache.FileBudget=1s", "pagecache.FileAge=1ms",
                      f"pagecache.MaxFiles={FILES}", "procmem.Enabled=no")
        spent = []
        for _ in range(TURNS):
            before = cpu_ns(child.pid)
            tick(child)
            spent.append((cpu_ns(child.pid) - before) / 1e6)
        end(child)
        print(f"{name:32} {spent[0]:8.1f} {statistics.median(spent[1:]):8.1f}")


def main():
    directory = tap.directory(tap.BUILD)
    path = os.path.join(directory, "file")
    with open(path, "wb") as f:
        f.write(os.urandom(1 << 20) * (SIZE >> 20))
    hits(path)
    looks(directory, path)


main()
