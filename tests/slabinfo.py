# SPDX-License-Identifier: MIT
"""The caches of this kernel, against /proc/slabinfo and the links of /sys/kernel/slab; and who makes one grow, in a real event.

    slabinfo.py [values]        values: without the event
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import tap

PAGE = os.sysconf("SC_PAGESIZE")
PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
TRIES = 20  # looks that others may disturb
GROWTH = 8 << 20  # bytes in a window of ten seconds
FILES = 3000  # a second: three times as much


def family(name):
    return re.sub(r"-zram\d+$", "", re.sub(r"^kmalloc-rnd-\d+-", "kmalloc-", name))


def caches():
    """{family: (held, active)} by another reader."""
    sums = collections.defaultdict(lambda: [0, 0])
    for line in tap.read("/proc/slabinfo").splitlines()[2:]:
        head, _, slabs = line.partition(" : tunables")
        name, active, _, size, _, pages = head.rsplit(maxsplit=5)
        of = sums[family(name.strip())]
        of[0] += int(slabs.partition(" : slabdata")[2].split()[1]) * int(pages) * PAGE
        of[1] += int(active) * int(size)
    return sums


def print_values(*options):
    done = subprocess.run([PLUGIN, *options, "--print", "slabinfo"], capture_output=True, text=True, check=False)
    values = {}
    for line in done.stdout.splitlines():
        name, value, _ = line.split("\t")
        values[name] = None if value == "-" else float(value)
    return values, done.stderr


def config(text):
    path = os.path.join(tap.directory(), "qmem.conf")
    tap.write(path, text)
    return path


def test_values(kind, path):
    """Each of them lies between two readings, or does once in a few looks: the machine goes on."""
    wrong = None
    for _ in range(TRIES):
        before = caches()
        values, err = print_values("--config", path)
        after = caches()
        shown = {match[1]: value for name, value in values.items() if (match := re.fullmatch(r"slabinfo\.cache\.held\[(.*)\]", name))}
        now = {}
        for i, which in enumerate(("held", "active")):
            for name in shown:
                value, told = values[f"slabinfo.cache.{which}[{name}]"], sorted((before[name][i], after[name][i]))
                if not told[0] <= value <= told[1]:
                    now[which, name] = (value, *told)
        # those that never were right
        wrong = {key: now[key] for key in now if wrong is None or key in wrong}
        if not wrong:
            break
    tap.ok(len(shown) > 50, f"{kind}: all caches are there", len(shown), err)
    tap.ok(not wrong, f"{kind}: held and active bytes are the file's", wrong)
    tap.same(values.get("slabinfo.total.held"), sum(shown.values()), f"{kind}: they add up to the total")
    tap.ok("slabinfo.cache.held[other]" not in values, f"{kind}: none is left")
    top, _ = print_values("--config", config("[qmem]\nInterval = 1\n[slabinfo]\nTop = 3\n"))
    named = [name for name in top if name.startswith("slabinfo.cache.held[")]
    tap.same(len(named), 4, f"{kind}: three and the others")
    tap.same(sum(top[name] for name in named), top["slabinfo.total.held"], f"{kind}: which add up, too")


def test_aliases(path):
    """Of one that has some, by the links."""
    links = {name: os.readlink(f"/sys/kernel/slab/{name}") for name in os.listdir("/sys/kernel/slab")
             if os.path.islink(f"/sys/kernel/slab/{name}")}
    shown = caches()
    others = {name: sorted(alias for alias, target in links.items() if alias != name and target == links.get(name)) for name in shown}
    merged = {name: found for name, found in others.items() if found and len(", ".join(found)) < 100 and name == family(name)}
    if not merged:
        tap.skip("aliases", "this kernel merges no caches")
        return
    stream = os.path.join(tap.directory(), "stream")
    with open(stream, "wb") as out:
        child = tap.start([PLUGIN, "--config", path, "1"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
    label = {}

    def told():
        chart = None
        for line in tap.read(stream).splitlines():
            if line.startswith("CHART "):
                chart = {} if re.match(r"CHART '?qmem.slabinfo_cache_", line) else None
            elif chart is not None and (match := re.match(r"CLABEL '(\w+)' '(.*)' ", line)):
                chart[match[1]] = match[2]
            elif line.startswith("CLABEL_COMMIT") and chart:
                label[chart.get("cache")] = chart.get("aliases")
        return set(label) >= set(merged)

    found = tap.wait_for(told, 60)
    child.kill()
    child.wait()
    tap.ok(found, "merged caches have charts", set(merged) - set(label))
    tap.same({name: sorted((label.get(name) or "").split(", ")) for name in merged}, merged, "the other names are those of the links")


def make_files(folder, stop):
    """As steady as can be."""
    n, began = 0, time.monotonic()
    while not stop():
        while n < (time.monotonic() - began) * FILES:
            os.close(os.open(f"{folder}/{n}", os.O_CREAT | os.O_WRONLY))
            n += 1
        time.sleep(0.05)


def test_event():
    """Files of a tmpfs, made at a steady rate, are an event that names who makes them."""
    total = int(re.search(r"MemTotal:\s*(\d+)", tap.read("/proc/meminfo"))[1]) * 1024
    share = max(int(GROWTH * 10000 / total), 1) / 100
    if share > 100 or total * share / 100 > 2 * GROWTH:
        tap.skip("growth", "a hundredth of a percent of this machine's memory is more than the test allocates")
        return
    path = config(f"[qmem]\nInterval = 1\n[slabinfo]\nWindow = 10s\nGrowth = {share}%\nGrowthReclaimable = {share}%\n")
    log = os.path.join(tap.directory(), "log")
    with open(log, "wb") as err:
        child = tap.start([PLUGIN, "--config", path, "1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
    folder = tempfile.mkdtemp(dir="/dev/shm")

    def of(severity):
        return [line for line in tap.read(log).splitlines() if f"{severity}: slabinfo.growth[shmem_inode_cache]" in line]

    deadline = time.monotonic() + 60
    try:
        make_files(folder, lambda: of("WARNING") or time.monotonic() > deadline)
        line = (of("WARNING") or [""])[0]
        tap.ok(line, "a cache that grows is an event", tap.read(log))
        tap.diag(line)
        tap.ok("slab cache shmem_inode_cache grows: " in line, "which says which", line)
        # who it is takes BPF
        if os.geteuid() or int(os.uname().release.split(".")[0]) < 6 or not os.path.exists("/sys/kernel/btf/vmlinux") or not has_bpf():
            tap.skip("who", "no BPF here")
        else:
            # others may do so, too
            tap.ok("; allocated by '" in line and f"'{tap.read('/proc/self/comm').strip()}' (pid {os.getpid()}) " in line,
                   "and who allocates", line)
            tap.ok(re.search(r" in shmem_\w+ ", line), "and in which function", line)
        tap.ok(tap.wait_for(lambda: of("OKAY"), 60), "it is over when it grows no more", tap.read(log))
    finally:
        shutil.rmtree(folder)
        child.terminate()
        child.wait()


def has_bpf():
    done = subprocess.run([PLUGIN, "--check"], capture_output=True, text=True, check=False)
    return re.search(r"^proctable\s.*back end (bpf|iter)", done.stdout, re.M)


def main():
    try:
        tap.read("/proc/slabinfo")
    except OSError as e:
        tap.skip_all(f"/proc/slabinfo cannot be read: {e.strerror}")
    everything = "[qmem]\nInterval = 1\n[slabinfo]\nTop = 4096\nActiveAge = 0\n"
    path = config(everything)
    check = subprocess.run([PLUGIN, "--check"], capture_output=True, text=True, check=False).stdout
    by_bpf = re.search(r"^slabinfo\s+on\s+held bytes by a BPF iterator", check, re.M)
    test_values("BPF and the file" if by_bpf else "the file", path)
    test_aliases(path)
    if sys.argv[1:] != ["values"]:
        test_event()
    tap.done()


main()
