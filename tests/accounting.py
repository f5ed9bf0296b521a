#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Where memory has gone, on this machine: meminfo.accounting against a reader of its own, and pages that no counter of any kernel
has: those of pipes.
"""

import fcntl
import mmap
import os
import re
import subprocess

import tap

TICKS = os.path.join(tap.BUILD, "tests/ticks")
PAGE = os.sysconf("SC_PAGE_SIZE")
PARTS = ("anon anon_unmapped file shmem slab_reclaimable slab_unreclaimable reclaimable_other stack page_tables sec_page_tables "
         "percpu vmalloc huge zswap compressed balloon gpu memmap bounce corrupted free unaccounted").split()
MIB = 1 << 20


class Ticks:
    def __init__(self, *options):
        self.program = tap.start([TICKS, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 errors="surrogateescape")

    def tick(self):
        """The values of meminfo by name."""
        values = {}
        self.program.stdin.write("+0\n")
        self.program.stdin.flush()
        for line in self.program.stdout:
            if line == "end\n":
                return values
            found = re.match(r"meminfo\.(\w+\.\w+) (-|\d+) bytes$", line)
            if found:
                values[found[1]] = None if found[2] == "-" else int(found[2])
        raise RuntimeError("ticks has died")

    def close(self):
        self.program.stdin.close()
        self.program.wait()


# ---- the independent reader ----

def meminfo():
    """In bytes; counts as they are."""
    found = re.findall(r"^(\S+):\s+(\d+)( kB)?$", tap.read("/proc/meminfo"), re.M)
    return {key: int(number) * (1024 if unit else 1) for key, number, unit in found}


def vmstat():
    return dict((key, int(number) * PAGE) for key, number in re.findall(r"^(\S+) (\d+)$", tap.read("/proc/vmstat"), re.M))


def expected():
    m, v = meminfo(), vmstat()
    lists = sum(int(number) for number in re.findall(r"^\s+count:\s+(\d+)$", tap.read("/proc/zoneinfo"), re.M)) * PAGE
    got = {
        "anon": m["AnonPages"],
        "anon_unmapped": max(0, m["Active(anon)"] + m["Inactive(anon)"] - m["AnonPages"] - m["Shmem"]),
        "file": m["Cached"] - m["Shmem"] + m["Buffers"],
        "shmem": m["Shmem"],
        "slab_reclaimable": m["SReclaimable"],
        "slab_unreclaimable": m["SUnreclaim"],
        "reclaimable_other": max(0, m["KReclaimable"] - m["SReclaimable"]) if "KReclaimable" in m else None,
        "stack": m["KernelStack"],
        "page_tables": m["PageTables"] + m.get("Quicklists", 0),
        "sec_page_tables": m.get("SecPageTables"),
        "huge": m.get("Hugetlb"),
        "zswap": m.get("Zswap"),
        "compressed": max(0, v["nr_zspages"] - m.get("Zswap", 0)) if "nr_zspages" in v else None,
        "memmap": v.get("nr_memmap_pages"),
        "corrupted": m.get("HardwareCorrupted"),
        "free": m["MemFree"] + lists,
    }
    return got, m["MemTotal"]


# ---- tests ----

def counters(ticks):
    """Each part is once between what is read before and what is read after: the machine goes on meanwhile."""
    wrong, right = {}, set()
    for _ in range(50):
        before, total = expected()
        values = ticks.tick()
        after, _ = expected()
        # the kernel adds up its counters late
        slack = 2 * MIB
        for part, low in before.items():
            value, high = values[f"accounting.{part}"], after[part]
            if low is None or high is None:
                fits = value is None
            else:
                slack_here = slack + (64 * MIB if part == "free" else 0)
                fits = value is not None and min(low, high) - slack_here <= value <= max(low, high) + slack_here
            if fits:
                right.add(part)
            else:
                wrong[part] = (low, value, high)
        if len(right) == len(before):
            break
    missing = {part: wrong[part] for part in before if part not in right}
    tap.ok(not missing, "each part is what the kernel's counters say", missing)
    return total


def sockets(ticks):
    """Within what the kernel says of TCP and UDP before and after."""
    def read():
        return sum(int(n) for n in re.findall(r"^(?:TCP|UDP): .*\bmem (\d+)$", tap.read("/proc/net/sockstat"), re.M)) * PAGE

    for _ in range(20):
        before, got, after = read(), ticks.tick()["accounting_within.sockets"], read()
        if got is not None and min(before, after) <= got <= max(before, after):
            break
    tap.ok(got is not None and min(before, after) <= got <= max(before, after), "memory of sockets is the kernel's", before, got, after)


def adds_up(ticks, total):
    for _ in range(20):
        values = ticks.tick()
        parts = [values[f"accounting.{part}"] for part in PARTS]
        if None in (values["accounting.free"], values["accounting.unaccounted"]) or sum(part or 0 for part in parts) != total or \
                min(part or 0 for part in parts) < 0:
            tap.ok(False, "all parts are MemTotal, and none is negative", values)
            return
    tap.ok(True, "all parts are MemTotal, and none is negative")


def fill_pipes(count):
    """Pages that are in no counter: 1 MiB a pipe."""
    pipes = []
    for _ in range(count):
        reader, writer = os.pipe()
        pipes += [reader, writer]
        size = fcntl.fcntl(writer, getattr(fcntl, "F_SETPIPE_SZ", 1031), MIB)
        os.write(writer, b"x" * size)
    return pipes


def median_of(ticks, name):
    return sorted(ticks.tick()[name] for _ in range(5))[2]


def unaccounted(ticks):
    """What pipes hold is unaccounted, what is anonymous is not. Others use the machine, too: one of several tries is enough."""
    tries = []
    for _ in range(10):
        before = median_of(ticks, "accounting.unaccounted")
        try:
            pipes = fill_pipes(32)
        except PermissionError:
            tap.skip("pages of pipes are unaccounted", "pipes of 1 MiB are not to be had")
            return
        during = median_of(ticks, "accounting.unaccounted")
        for fd in pipes:
            os.close(fd)
        after = median_of(ticks, "accounting.unaccounted")
        tries.append((before, during, after))
        if 28 * MIB <= during - before <= 36 * MIB and 28 * MIB <= during - after <= 36 * MIB:
            break
    else:
        tap.ok(False, "pages of pipes are unaccounted", tries)
        return
    tap.ok(True, "pages of pipes are unaccounted")


def anonymous(ticks):
    tries = []
    for _ in range(10):
        before = ticks.tick()
        memory = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, 64 * MIB, PAGE):
            memory[at] = 1
        during = ticks.tick()
        memory.close()
        grown = during["accounting.anon"] - before["accounting.anon"]
        rest = during["accounting.unaccounted"] - before["accounting.unaccounted"]
        tries.append((grown, rest))
        if 56 * MIB <= grown <= 72 * MIB and abs(rest) <= 8 * MIB:
            break
    else:
        tap.ok(False, "anonymous pages are anonymous, and not unaccounted", tries)
        return
    tap.ok(True, "anonymous pages are anonymous, and not unaccounted")


def main():
    if not os.access(TICKS, os.X_OK):
        tap.skip_all("tests/ticks has not been built")
    names = tap.read("/proc/meminfo")
    if not all(f"{key}:" in names for key in ("KernelStack", "PageTables", "SUnreclaim", "AnonPages")):
        tap.skip_all("/proc/meminfo is an emulator's")
    others = "vmstat pressure netstat proctable procmem heapmon cpuload procstat self".split()
    ticks = Ticks("meminfo.AccountingAge=0", *(f"{name}.Enabled=no" for name in others))
    total = counters(ticks)
    adds_up(ticks, total)
    sockets(ticks)
    unaccounted(ticks)
    anonymous(ticks)
    ticks.close()
    tap.done()


if __name__ == "__main__":
    main()
