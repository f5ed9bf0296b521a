#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""swap, zram, zswap and ksm on this machine, against its files; zram on a device of the test's own, ksm on pages of its own."""

import contextlib
import mmap
import os
import shutil
import subprocess

import tap

PROGRAM = os.path.join(tap.BUILD, "qmemctl")
KSM = "/sys/kernel/mm/ksm"
PAGE = mmap.PAGESIZE


def values(*services):
    """Those of --print by name, and what it has said beside them."""
    done = subprocess.run([PROGRAM, "print", "-c", "/dev/null", *services, *(word for name in services
                           for word in ("-o", f"{name}.Detail=yes"))], capture_output=True, text=True, check=False, timeout=120)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: None if value == "-" else float(value) for name, value, _ in lines}, done.stderr


def near(name, service, expected):
    """Each value is what its file says before or after, or between: within a few looks."""
    wrong = []
    for _ in range(5):
        before = expected()
        got, said = values(service)
        after = expected()
        wrong = [f"{key}: {got.get(key)}, but {before[key]} before and {after[key]} after" for key in before
                 if got.get(key) is None or not min(before[key], after[key]) <= got[key] <= max(before[key], after[key])]
        if not wrong:
            break
    tap.ok(not wrong, name, *wrong, said)
    return got


def number(path):
    return int(tap.read(path).split()[0])


# ---- swap ----

def swaps():
    found = {}
    for line in tap.read("/proc/swaps").splitlines()[1:]:
        path, kind, size, used, _ = line.split()
        name = path[5:] if kind == "partition" and path.startswith("/dev/") else path
        found |= {f"swap.space.used[{name}]": int(used) * 1024, f"swap.space.free[{name}]": (int(size) - int(used)) * 1024}
    return found


if not os.path.exists("/proc/swaps"):
    tap.skip("swap", "this kernel has none")
elif len(swaps()) > 10 or any("\\" in name for name in swaps()):
    tap.skip("swap", "there are more devices than are shown by name, or such with blanks in their names")
else:
    got = near("swap: what /proc/swaps says", "swap", swaps)
    tap.same({name for name in got if name.startswith("swap.space.")}, set(swaps()), "swap: and no other device")

# ---- zram ----


def mm_stat(name):
    stored, compressed, cost, _, peak, same, _, huge = map(int, tap.read(f"/sys/block/{name}/mm_stat").split()[:8])
    return {f"zram.data.stored[{name}]": stored, f"zram.data.compressed[{name}]": compressed, f"zram.data.cost[{name}]": cost,
            f"zram.limit.peak[{name}]": peak, f"zram.pages.same[{name}]": same * PAGE,
            f"zram.pages.incompressible[{name}]": huge * PAGE, f"zram.limit.size[{name}]": number(f"/sys/block/{name}/disksize")}


def zram():
    try:
        n = number("/sys/class/zram-control/hot_add")
    except OSError as e:
        tap.skip("zram: a device of its own", f"none can be made: {e.strerror}")
        return
    name = f"zram{n}"
    try:
        tap.write(f"/sys/block/{name}/disksize", "64M")
        if not tap.wait_for(lambda: os.path.exists(f"/dev/{name}"), 5):
            tap.skip("zram: a device of its own", "nobody makes a file for it in /dev")
            return
        # a third that can be compressed, one of zeros, and one that cannot be
        with open(f"/dev/{name}", "wb", buffering=0) as f:
            f.write(b"qmem and zram " * ((4 << 20) // 14))
            f.seek(8 << 20)
            f.write(bytes(4 << 20))
            f.write(os.urandom(4 << 20))
            os.fsync(f.fileno())
        got = near("zram: what mm_stat says", "zram", lambda: mm_stat(name))
        tap.ok(got[f"zram.pages.incompressible[{name}]"] >= 2 << 20 and got[f"zram.pages.same[{name}]"] >= 4 << 20,
               "zram: what cannot be compressed, and what takes nothing", got)
        tap.ok(got["zram.total.cost"] >= got[f"zram.data.cost[{name}]"] >= got[f"zram.data.compressed[{name}]"] > 4 << 20,
               "zram: it costs no less than what it has become", got)
        if shutil.which("zramctl"):
            columns = subprocess.run(["zramctl", "--bytes", "--noheadings", "--raw", "--output", "DATA,COMPR,TOTAL", f"/dev/{name}"],
                                     capture_output=True, text=True, check=True).stdout.split()
            tap.same([int(got[f"zram.data.{column}[{name}]"]) for column in ("stored", "compressed", "cost")],
                     [int(column) for column in columns], "zram: what zramctl says")
        else:
            tap.skip("zram: what zramctl says", "zramctl is not installed")
    finally:
        with contextlib.suppress(OSError):
            tap.write(f"/sys/block/{name}/reset", "1")
        tap.write("/sys/class/zram-control/hot_remove", str(n))


zram()

# ---- ksm ----


def ksm():
    sharing, zero = number(f"{KSM}/pages_sharing"), number(f"{KSM}/ksm_zero_pages") if os.path.exists(f"{KSM}/ksm_zero_pages") else 0
    found = {"ksm.savings.saved": (sharing + zero) * PAGE}
    found |= {f"ksm.offered.{name}": number(f"{KSM}/pages_{name}") * PAGE for name in ("shared", "sharing", "unshared", "volatile")}
    if os.path.exists(f"{KSM}/general_profit"):
        found["ksm.savings.profit"] = number(f"{KSM}/general_profit")
    return found


def merged():
    if not os.access(f"{KSM}/run", os.W_OK):
        tap.skip("ksm: pages of its own", "it may not be switched on")
        return
    pages = mmap.mmap(-1, 2048 * PAGE)
    pages.write(b"\1" * 2048 * PAGE)
    before = {name: tap.read(f"{KSM}/{name}").strip() for name in ("run", "pages_to_scan", "sleep_millisecs")}
    try:
        pages.madvise(mmap.MADV_MERGEABLE)
        tap.write(f"{KSM}/pages_to_scan", "4000")
        tap.write(f"{KSM}/sleep_millisecs", "20")
        tap.write(f"{KSM}/run", "1")
        # the kernel's thread has its own pace
        if not tap.wait_for(lambda: number(f"{KSM}/pages_sharing") > 1000, 60):
            tap.diag("ksm: nothing has been merged within a minute")
            return
        got = near("ksm: what its files say", "ksm", ksm)
        tap.ok(got.get("ksm.savings.saved", 0) >= 1000 * PAGE, "ksm: pages that are alike are saved", got)
    finally:
        tap.write(f"{KSM}/run", "2")
        for name, text in before.items():
            tap.write(f"{KSM}/{name}", text)


if not os.path.exists(f"{KSM}/run"):
    tap.skip("ksm", "this kernel merges no pages")
else:
    merged()

# ---- zswap ----

_, said = values("zswap")
if os.path.exists("/sys/module/zswap/parameters/enabled"):
    on = tap.read("/sys/module/zswap/parameters/enabled").strip() == "Y" and swaps()
    tap.ok("is off" not in said and (on or "zswap.fill.pool" not in _), "zswap: nothing where it is not enabled", said, _)
else:
    tap.ok("zswap is off: this kernel has no zswap" in said, "zswap: off where there is none", said)

tap.done()
