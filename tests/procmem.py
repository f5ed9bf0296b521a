# SPDX-License-Identifier: MIT
"""procmem and heapmon on processes that this test starts, against /proc/PID/status and smaps as read here."""

import os
import re
import select
import subprocess
import sys
import time

import tap

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
NAME = "qmemgroup"
CHILD = """
import mmap, sys
open("/proc/self/comm", "w").write("qmemgroup")
size = int(sys.argv[1]) << 20
private = bytearray(size)
for i in range(0, size, 4096):
    private[i] = 1
shared = mmap.mmap(-1, 1 << 20)
for i in range(0, 1 << 20, 4096):
    shared[i] = 1
print("ready", flush=True)
sys.stdin.read()
"""


def sums(pids, name, keys):
    """Bytes by key, of all these processes."""
    total = dict.fromkeys(keys, 0)
    for pid in pids:
        for line in tap.read(f"/proc/{pid}/{name}").splitlines():
            m = re.match(r"(\w+):\s+(\d+) kB$", line)
            if m and m[1] in total:
                total[m[1]] += int(m[2]) * 1024
    return total


def heap(pids):
    """Rss of [heap]."""
    total = 0
    for pid in pids:
        inside = False
        for line in tap.read(f"/proc/{pid}/smaps").splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                inside = line.endswith("[heap]")
            elif inside and line.startswith("Rss:"):
                total += int(line.split()[1]) * 1024
    return total


def printed(config):
    out = subprocess.run([PLUGIN, "--config", config, "--print", "procmem"], stdout=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, timeout=120, check=False).stdout.decode()
    values = {}
    for line in out.splitlines():
        name, value, _ = line.split("\t")
        values[name] = None if value == "-" else float(value)
    return values


def charts(config, wanted):
    """The values of the wanted charts, when all have had some: {chart: {dimension: value}}."""
    found = {}
    child = tap.start([PLUGIN, "--config", config, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL)
    until, rest, chart = time.monotonic() + 60, b"", None
    while time.monotonic() < until and not all(found.get(w) for w in wanted):
        if not select.select([child.stdout], [], [], 1)[0]:
            continue
        piece = os.read(child.stdout.fileno(), 65536)
        if not piece:
            break
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            words = line.decode().split()
            if words[:1] == ["BEGIN"]:
                chart = words[1]
            elif words[:1] == ["SET"] and chart in wanted and len(words) == 4:
                found.setdefault(chart, {})[words[1]] = int(words[3])
    child.stdin.close()
    child.terminate()
    child.wait()
    return found


def main():
    if not os.access(PLUGIN, os.X_OK):
        tap.skip_all("qmem.plugin is not built")
    directory = tap.directory()
    config = os.path.join(directory, "qmem.conf")
    tap.write(config, "[procmem]\nPssBudget = 1s\nDetail = yes\n"
                      f"[procmem.group \"{NAME}\"]\nComm = {NAME}\n[heapmon]\nGroup = {NAME}\n")
    children = [tap.start([sys.executable, "-c", CHILD, str(mb)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for mb in (1, 4, 16)]
    for child in children:
        child.stdout.readline()
    pids = [child.pid for child in children]

    values = printed(config)
    status = sums(pids, "status", ["RssAnon", "RssFile", "RssShmem", "VmSwap", "VmSize", "VmData", "VmPTE"])
    tap.same(values.get(f"procmem.processes.count[{NAME}]"), 3.0, "three processes")
    for metric, key in (("rss.anon", "RssAnon"), ("rss.file", "RssFile"), ("rss.shmem", "RssShmem"),
                        ("swap.used", "VmSwap"), ("virtual.size", "VmSize"), ("virtual.data", "VmData"),
                        ("pgtables.size", "VmPTE")):
        got = values.get(f"procmem.{metric}[{NAME}]")
        # before 6.2 each thread keeps up to 64 pages to itself
        slack = 3 * 64 * os.sysconf("SC_PAGESIZE") if metric.startswith("rss") else 0
        tap.ok(got is not None and abs(got - status[key]) <= slack, f"{metric} is the sum of {key}",
               f"got {got}, expected {status[key]}")

    found = charts(config, [f"qmem.procmem_pss_{NAME}", f"qmem.heapmon_rss_{NAME}"])
    rollup = sums(pids, "smaps_rollup", ["Pss", "Private_Clean", "Private_Dirty", "Private_Hugetlb"])
    pss = found.get(f"qmem.procmem_pss_{NAME}", {})
    uss = rollup["Private_Clean"] + rollup["Private_Dirty"] + rollup["Private_Hugetlb"]
    # others come and go that share the same libraries
    tap.ok(abs(pss.get("pss", 0) - rollup["Pss"]) < rollup["Pss"] / 10, "PSS is the sum of smaps_rollup's",
           pss, rollup)
    tap.ok(abs(pss.get("uss", 0) - uss) < uss / 10, "USS likewise", pss, rollup)
    mapped = found.get(f"qmem.heapmon_rss_{NAME}", {})
    tap.same(mapped.get("heap"), heap(pids), "the heap is the sum of [heap]'s Rss")
    tap.ok(mapped.get("anon", 0) >= 21 << 20, "other anonymous memory is there", mapped)
    tap.ok(mapped.get("shmem", 0) >= 3 << 20, "shared memory is there", mapped)
    for child in children:
        child.stdin.close()
        child.wait()
    tap.done()


main()
