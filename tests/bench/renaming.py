#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What it costs when users name their processes anew all the time: the whole program with N processes that rename themselves, beside
the same one with N that do not, in turns, on one machine at one time. Nothing here passes or fails.

	renaming.py [N]	environment: SECONDS, measured of each
"""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap  # noqa: E402

TURNS = 3
SECONDS = max(TURNS, int(os.environ.get("SECONDS") or 15))


class Watched:
    """A crowd, and the plugin that looks at it."""

    def __init__(self, kind, n):
        self.ns = 0
        self.crowd = tap.start([f"{tap.BUILD}/tests/crowd", kind, n], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.crowd.stdout.readline()
        self.plugin = tap.start([f"{tap.BUILD}/qmem.plugin", "--config", "/dev/null", "1"], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)
        self.first = self.memory()

    def cpu_ns(self):
        tasks = f"/proc/{self.plugin.pid}/task"
        return sum(int(tap.read(f"{tasks}/{task}/schedstat").split()[0]) for task in os.listdir(tasks))

    def memory(self):
        return int(re.search(r"RssAnon:\s+(\d+)", tap.read(f"/proc/{self.plugin.pid}/status"))[1])

    def turn(self):
        before = self.cpu_ns()
        time.sleep(SECONDS / TURNS)
        self.ns += self.cpu_ns() - before

    def end(self):
        for child in (self.plugin, self.crowd):
            child.stdin.close()
            child.wait()


def main():
    n, sums = (sys.argv + ["1500"])[1], {}
    for _ in range(TURNS):
        for kind in ("quiet", "renamers"):
            one = Watched(kind, n)
            one.turn()
            cpu, grown = sums.get(kind, (0, 0))
            sums[kind] = cpu + one.ns / 1e6 / SECONDS, max(grown, one.memory() - one.first)
            one.end()
    print(f"{n} processes, {SECONDS} s of each: CPU time a second, and the most memory that it took after three seconds")
    for kind, (cpu, grown) in sums.items():
        print(f"  {kind:<9} {cpu:8.2f} ms {cpu / sums['quiet'][0]:6.2f} {grown:8} kB more")


main()
