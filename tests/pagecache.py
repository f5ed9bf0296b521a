#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pagecache on this machine: limits as vm.* and the kernel's own figures give them."""

import os
import re
import subprocess

import services
import tap

TICKS = os.path.join(tap.BUILD, "tests/ticks")
PAGE = os.sysconf("SC_PAGESIZE")


class Ticks:
    """The service alone, a tick at a time; jobs are done at once."""

    def __init__(self, *options):
        others = [f"{name}.Enabled=no" for name in services.table() if name != "pagecache"]
        self.program = tap.start([TICKS, *others, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 errors="surrogateescape")
        self.ahead = 0

    def ask(self, question=""):
        lines = []
        self.program.stdin.write(question + "\n")
        self.program.stdin.flush()
        for line in self.program.stdout:
            if line == "end\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("ticks has died")

    def note(self):
        return next(line.split(" ", 2)[2] for line in self.ask("status") if line.startswith("status pagecache "))

    def tick(self, later=1000):
        """The values by name."""
        values = {}
        for line in self.ask(f"+{later}"):
            found = re.match(r"pagecache\.(\w+\.\w+(?:\[.*\])?) (-|-?[0-9.]+) [\w-]+( total)?$", line)
            if found:
                values[found[1]] = None if found[2] == "-" else float(found[2])
        return values

    def close(self):
        self.program.stdin.close()
        self.program.wait()


# ---- limits ----


def vmstat():
    return {key: int(value) for key, value in (line.split() for line in tap.read("/proc/vmstat").splitlines())}


def setting(name):
    return int(tap.read(f"/proc/sys/vm/{name}"))


def reserve():
    """totalreserve_pages, as calculate_totalreserve_pages() makes it of the zones."""
    total = 0
    for zone in re.split(r"(?m)^Node ", tap.read("/proc/zoneinfo"))[1:]:
        managed = int(re.search(r"managed +(\d+)", zone)[1])
        high = int(re.search(r"\n +high +(\d+)", zone)[1])
        protection = [int(word) for word in re.search(r"protection: \(([\d, ]+)\)", zone)[1].split(",")]
        total += min(managed, max(protection) + high)
    return total


def computed(now):
    """(background, hard) in pages, of the settings."""
    # not nr_free_pages: a hypervisor's balloon may have that as it likes
    free = int(re.search(r"MemFree: +(\d+)", tap.read("/proc/meminfo"))[1]) * 1024 // PAGE
    available = free - min(free, reserve()) + now["nr_inactive_file"] + now["nr_active_file"]
    hard, background = setting("dirty_bytes"), setting("dirty_background_bytes")
    hard = -(-hard // PAGE) if hard else available * setting("dirty_ratio") // 100
    background = -(-background // PAGE) if background else available * setting("dirty_background_ratio") // 100
    return min(background, hard // 2) if background >= hard else background, hard


def limits():
    ticks = Ticks("pagecache.TopDevices=0")
    if not tap.ok(" on" in " " + ticks.note()[:3], "it runs", ticks.note()):
        return
    exact = near = shared = False
    for _ in range(20):
        before = vmstat()
        values = ticks.tick()
        after = vmstat()
        wanted = {"background": "nr_dirty_background_threshold", "hard": "nr_dirty_threshold"}
        low = {word: min(before[key], after[key]) for word, key in wanted.items()}
        high = {word: max(before[key], after[key]) for word, key in wanted.items()}
        exact = exact or all(low[word] * PAGE <= values[f"limit.{word}"] <= high[word] * PAGE for word in wanted)
        near = near or all(abs(mine * PAGE / values[f"limit.{word}"] - 1) < 0.02
                           for word, mine in zip(("background", "hard"), computed(after)))
        dirty = [(now["nr_dirty"] + now["nr_writeback"]) * 100 / now["nr_dirty_threshold"] for now in (before, after)]
        shared = shared or min(dirty) - 0.02 <= values["dirty.hard"] <= max(dirty) + 0.02
        if exact and near and shared:
            break
    tap.ok(exact, "limits are those that /proc/vmstat has", before, values, after)
    tap.ok(near, "and within 2 % those that vm.dirty_* make of free memory and page cache", computed(after), values)
    tap.ok(shared, "what is dirty is a share of the limit", dirty, values)
    tap.same(values["limit.throttle"], (values["limit.hard"] // PAGE // 2 + values["limit.background"] // PAGE // 2) * PAGE,
             "who writes has to wait from half way on")
    ticks.close()


def backlog():
    """The rate is that of the kernel's counter while something is written here."""
    ticks = Ticks("pagecache.TopDevices=0")
    found = None
    directory = tap.directory()
    for _ in range(10):
        ticks.tick(0)
        for i in range(4):
            with open(os.path.join(directory, f"{i}"), "wb") as f:
                f.write(bytes(4 << 20))
                f.flush()
                os.fsync(f.fileno())
        found = ticks.tick(1000)["backlog.time"]
        if found is not None:
            break
    tap.ok(found is not None, "the time to write what is dirty is known when something has been written")
    ticks.close()


limits()
backlog()
tap.done()
