# SPDX-License-Identifier: MIT
"""
procmem and heapmon on processes that this test starts, against /proc/PID/status, smaps and smaps_rollup as read here: for each
way to walk the processes; PSS of all processes against the machine's memory; and their sums while thousands come and go.
"""

import collections
import ctypes
import glob
import mmap
import os
import re
import shutil
import stat
import subprocess
import sys
import time

import stream
import tap

NAME = "qmemgroup"
BACKENDS = ("bpf", "iter", "fds", "files")
KINDS = ("heap", "stack", "anon", "jit", "file", "shmem", "huge", "device")
AMOUNTS = ("rss", "pss", "size", "swap", "dirty")
PAGE = mmap.PAGESIZE
PATIENCE = 8    # doublings
CHURN = int(os.environ.get("QMEM_CHURN", "20000"))
MAPPER = "qmemmapper"
KERNEL = tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())

# Some memory of each kind, not all of it touched; says which kinds it could not make.
CHILD = r"""
import ctypes, mmap, os, sys
open("/proc/self/comm", "w").write("qmemgroup")
size, directory = int(sys.argv[1]) << 20, sys.argv[2]
libc, keep, lacks = ctypes.CDLL(None, use_errno=True), [], []

def touch(memory, n):
    for i in range(0, n, mmap.PAGESIZE):
        memory[i] = 1
    keep.append(memory)

touch(bytearray(size), size)
libc.malloc.restype = ctypes.c_void_p
for _ in range(200):
    ctypes.memset(libc.malloc(8000), 1, 8000)
rw, private, anon = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, mmap.MAP_ANONYMOUS
touch(mmap.mmap(-1, size, flags=private | anon, prot=rw), size // 2)
keep[-1].madvise(21, 0, size // 4)    # MADV_PAGEOUT: to swap, if there is any
touch(mmap.mmap(-1, 1 << 20, flags=private | anon, prot=rw | mmap.PROT_EXEC), 200 << 10)
touch(mmap.mmap(-1, 1 << 20), 1 << 20)
zero = os.open("/dev/zero", os.O_RDWR)
touch(mmap.mmap(zero, 1 << 19, flags=private, prot=rw), 100 << 10)
touch(mmap.mmap(zero, 1 << 19, prot=rw), 60 << 10)
for n, prot in ((3 << 20, rw), (1 << 20, rw | mmap.PROT_EXEC)):
    fd = os.memfd_create("a name of its own")
    os.ftruncate(fd, n)
    touch(mmap.mmap(fd, n, prot=prot), n // 2)
path = os.path.join(directory, "mapped [heap]" + sys.argv[1])
with open(path, "wb") as f:
    f.write(os.urandom(1 << 20))
fd = os.open(path, os.O_RDWR)
touch(mmap.mmap(fd, 1 << 20, flags=private, prot=rw), 300 << 10)
touch(mmap.mmap(fd, 1 << 20, prot=rw), 50 << 10)
if sys.argv[3] == "huge":
    touch(mmap.mmap(-1, 2 << 20, flags=private | anon | 0x40000, prot=rw), 1)
else:
    lacks.append("huge")

def device():
    # a software event of this process itself: its ring buffer is a driver's
    attr = (ctypes.c_uint32 * 32)(1, 128)
    attr[2] = 9    # PERF_COUNT_SW_DUMMY
    fd = libc.syscall(298, attr, 0, -1, -1, 0) if os.uname().machine == "x86_64" else -1
    if fd >= 0:
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        if libc.mmap(None, 3 * mmap.PAGESIZE, 3, mmap.MAP_SHARED, fd, 0) not in (None, 2**64 - 1):
            return
    lacks.append("device")

device()
print("lacks", *lacks, flush=True)
sys.stdin.read()
"""


def sums(pids, name, keys):
    """By key, of all these processes: bytes, or what has no unit."""
    total = dict.fromkeys(keys, 0)
    for pid in pids:
        for line in tap.read(f"/proc/{pid}/{name}").splitlines():
            m = re.match(r"(\w+):\s+(\d+)( kB)?$", line)
            if m and m[1] in total:
                total[m[1]] += int(m[2]) * (1024 if m[3] else 1)
    return total


def shmem_device():
    """The device number, as smaps has it, of the kernel's own file system for shared memory."""
    memory = mmap.mmap(-1, PAGE)
    for line in tap.read("/proc/self/smaps").splitlines():
        m = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+) \d+\s+/dev/zero \(deleted\)$", line)
        if m:
            memory.close()
            return m[1]
    return None


def kind(perms, device, inode, name, flags, shmem):
    """By what the kernel says of a mapping besides its name, as far as it says something."""
    if "ht" in flags:
        return "huge"
    if device == shmem:
        return "jit" if name.startswith("/memfd:") and "x" in perms else "shmem"
    if inode == 0 and name in ("", "[heap]", "[stack]"):
        return {"[heap]": "heap", "[stack]": "stack"}.get(name) or ("jit" if "x" in perms else "anon")
    if name.startswith("anon_inode:"):
        return "device"
    try:
        st = os.stat(name)
        if stat.S_ISCHR(st.st_mode):
            zero = st.st_rdev == os.makedev(1, 5)
            return "anon" if zero and "p" in perms else "device"
    except OSError:
        pass
    return "file"


def mappings(pids, shmem):
    """{amount: {kind: bytes}}"""
    total = {amount: dict.fromkeys(KINDS, 0) for amount in AMOUNTS}
    for pid in pids:
        blocks = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", tap.read(f"/proc/{pid}/smaps"), flags=re.M)
        for block in blocks[1:]:
            head, *lines = block.splitlines()
            _, perms, _, device, inode, *name = head.split(None, 5)
            values = dict(line.split(":", 1) for line in lines)
            kb = {key: int(value.split()[0]) * 1024 for key, value in values.items() if value.endswith(" kB")}
            which = kind(perms, device, int(inode), name[0] if name else "", values.get("VmFlags", "").split(), shmem)
            total["size"][which] += kb["Size"]
            total["rss"][which] += kb["Rss"] + kb.get("Shared_Hugetlb", 0) + kb.get("Private_Hugetlb", 0)
            total["pss"][which] += kb["Pss"]
            total["swap"][which] += kb.get("Swap", 0)
            total["dirty"][which] += kb["Shared_Dirty"] + kb["Private_Dirty"]
    return total


class HugePages:
    """Two more of them, while it lasts."""

    PATH = "/proc/sys/vm/nr_hugepages"

    def __enter__(self):
        self.before, self.reason = tap.read(self.PATH).strip() if os.path.exists(self.PATH) else None, ""
        try:
            if "Hugepagesize:       2048 kB" not in tap.read("/proc/meminfo"):
                raise OSError("huge pages are not of 2 MiB")
            tap.write(self.PATH, str(int(self.before) + 2))
            if int(re.search(r"HugePages_Free:\s+(\d+)", tap.read("/proc/meminfo"))[1]) < 2:
                raise OSError("there are none")
        except OSError as e:
            self.reason = str(e)
        return self

    def __exit__(self, *_):
        if self.before is not None and os.access(self.PATH, os.W_OK):
            try:
                tap.write(self.PATH, self.before)
            except OSError:
                pass


def available(backend, directory):
    """None, or why not."""
    path = os.path.join(directory, "check.conf")
    tap.write(path, f"[proctable]\nBackend = {backend}\n")
    text = subprocess.run([stream.PLUGIN, "--config", path, "--check"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, timeout=tap.patience(60), check=False).stdout.decode()
    words = next(line.split("\t") for line in text.splitlines() if line.startswith("proctable\t"))
    return None if words[1] == "on" else words[2]


def between(got, before, after, slack=0.0):
    low, high = min(before, after), max(before, after)
    return got is not None and low * (1 - slack) <= got <= high * (1 + slack)


def groups(backend, running, pids, shmem, lacks, first):
    """One group, of these processes, which sleep."""
    statuses = {"rss.anon": "RssAnon", "rss.file": "RssFile", "rss.shmem": "RssShmem", "swap.used": "VmSwap",
                "virtual.size": "VmSize", "virtual.data": "VmData", "pgtables.size": "VmPTE",
                "peak.rss": "VmHWM", "threads.count": "Threads"}
    rollups = ("Pss", "Private_Clean", "Private_Dirty", "Private_Hugetlb")

    def read():
        rollup = sums(pids, "smaps_rollup", rollups)
        return (sums(pids, "status", statuses.values()), rollup["Pss"],
                sum(value for key, value in rollup.items() if key != "Pss"), mappings(pids, shmem))

    def group(values, family):
        return values.get(family, {}).get(NAME, {})

    before = read()
    running.forget()
    values = running.until(lambda v: group(v, "procmem.pss") and group(v, "heapmon.rss"))
    after = read()
    if not tap.ok(values, f"{backend}: PSS and mappings come", running.stderr()):
        return
    tap.same(group(values, "procmem.processes").get("count"), len(pids), f"{backend}: {len(pids)} processes")
    wrong = []
    for metric, key in statuses.items():
        family, dimension = metric.split(".")
        got = group(values, "procmem." + family).get(dimension)
        # before 6.2 each thread keeps up to 64 pages to itself
        slack = len(pids) * 64 * PAGE if family in ("rss", "peak") else 0
        low, high = sorted((before[0][key], after[0][key]))    # what was in swap may come back
        if got is None or not low - slack <= got <= high + slack:
            wrong.append((metric, got, before[0][key], after[0][key]))
    tap.ok(not wrong, f"{backend}: {len(statuses)} amounts are sums of status", *wrong)
    tap.diag(f"{backend}: in swap: {before[0]['VmSwap']}")
    # of libraries, others come and go that share them
    for dimension, i in (("pss", 1), ("uss", 2)):
        got = group(values, "procmem.pss").get(dimension)
        tap.ok(between(got, before[i], after[i], 0.25), f"{backend}: {dimension} is the sum of smaps_rollup's", got,
               before[i], after[i])
    tap.ok("oldest" in group(values, "procmem.age"), f"{backend}: the age of it is known")
    wrong, compared = [], 0
    for amount in AMOUNTS:
        for which in KINDS:
            got = group(values, "heapmon." + amount).get(which)
            if which == "huge" and amount in ("pss", "dirty"):    # the kernel does not tell
                compared += got is None
                continue
            slack = 0.25 if (amount, which) == ("pss", "file") else 0
            compared += got is not None
            # what is dirty at first the kernel writes out some time, and what has not moved is not read again at once
            at_first = first[amount][which] if (amount, which) == ("dirty", "file") else 0
            if not between(got, before[3][amount][which], max(after[3][amount][which], at_first), slack):
                wrong.append((amount, which, got, before[3][amount][which], after[3][amount][which]))
    tap.ok(not wrong and compared == len(AMOUNTS) * len(KINDS), f"{backend}: {compared} amounts are sums of smaps", *wrong)
    empty = [which for which in KINDS if which not in lacks and not before[3]["size"][which]]
    tap.ok(not empty, f"{backend}: there was something of each kind", empty)


def changes(backend, running, mapper):
    """A group of one process, which changes its address space when it is told to, and waits otherwise."""
    def count(values):
        return values.get("procmem.vm_changes", {}).get(MAPPER, {}).get("count")

    running.forget()
    values = running.until(lambda v: v.get("procmem.processes", {}).get(MAPPER, {}).get("count") == 1)
    if not tap.ok(values, f"{backend}: a process that changes its address space", running.stderr()):
        return
    before = count(values)
    if backend in ("fds", "files") or KERNEL < (6, 4):
        tap.same(before, None, f"{backend}: changes of address spaces are not known here")
        return
    mapper.stdin.write(b"go\n")
    mapper.stdin.flush()
    tap.same(mapper.stdout.readline(), b"done\n", f"{backend}: it has changed it")
    # the next tick may have been under way
    values = running.until(lambda v: before is not None and (count(v) or 0) >= before + 1000)
    # a slow machine leaves ticks out
    again = values and running.until(lambda v: count(v) is not None)
    tap.same(values and again and (count(values) - before, count(again) - before), (1000, 1000),
             f"{backend}: 1000 changes of address spaces are counted, once")


def members(directory):
    """A group of processes with all that there is, for each back end: {backend: Stream}, or why not."""
    with HugePages() as huge:
        children = [tap.start([sys.executable, "-c", CHILD, str(mb), directory, "" if huge.reason else "huge"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) for mb in (1, 4)]
        lacks = {word for child in children for word in child.stdout.readline().decode().split()[1:]}
        if "huge" in lacks:
            tap.skip("hugetlb memory", huge.reason)
        if "device" in lacks:
            tap.skip("memory of a device", "perf_event_open is not permitted")
        shmem = shmem_device()
        first = mappings([child.pid for child in children], shmem)
        # by a name that no other process has
        shutil.copy(os.path.join(tap.BUILD, "tests", "crowd"), os.path.join(directory, MAPPER))
        mapper = tap.start([os.path.join(directory, MAPPER), "mapper", "1000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        mapper.stdout.readline()
        # whatever it costs: an emulated machine is slow
        config = "[procmem]\nPssBudget = 1s\nPssCeiling = 10s\nDetail = yes\n" \
                 f"[procmem.group \"{NAME}\"]\nComm = {NAME}\n[procmem.group \"{MAPPER}\"]\nComm = {MAPPER}\n" \
                 f"[heapmon]\nGroup = {NAME}\nSmapsBudget = 1s\nSmapsCeiling = 10s\n[proctable]\nBackend = %s\n"
        reasons = {backend: available(backend, directory) for backend in BACKENDS}
        running = {backend: stream.Stream(config % backend, directory) for backend in BACKENDS if not reasons[backend]}
        for backend in BACKENDS:
            if reasons[backend]:
                tap.skip(f"{backend}: groups", reasons[backend])
            else:
                groups(backend, running[backend], [child.pid for child in children], shmem, lacks, first)
                changes(backend, running[backend], mapper)
        for one in running.values():
            one.stop()
        for child in (*children, mapper):
            child.stdin.close()
            child.wait()


def all_pss():
    """(sum of Pss, sum of the RSS of those that may not be read, names of those)"""
    total, hidden, names = 0, 0, set()
    for path in glob.glob("/proc/[0-9]*"):
        try:
            found = re.search(r"^Pss:\s+(\d+) kB", tap.read(path + "/smaps_rollup"), re.M)
            total += int(found[1]) * 1024 if found else 0
        except PermissionError:
            try:
                found = re.search(r"^VmRSS:\s+(\d+) kB", tap.read(path + "/status"), re.M)
                hidden += int(found[1]) * 1024 if found else 0
                names.add(tap.read(path + "/comm").rstrip("\n"))
            except OSError:
                pass
        except OSError:    # a kernel thread, or it has ended
            pass
    return total, hidden, names


def meminfo():
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", tap.read("/proc/meminfo"), re.M))
    return {key: int(value) * 1024 for key, value in found.items()}


def machine(directory):
    """PSS of all groups, those that share a sum included, against that of all processes and the machine's memory."""
    name = "PSS of all groups is that of all processes"
    if os.geteuid() != 0:
        tap.skip(name, "needs root")
        return
    hidden = all_pss()[2]
    config = "[procmem]\nTop = 3\nPssBudget = 1s\nPssCeiling = 10s\nPssAge = 8s\n[procmem.group \"hidden\"]\n" \
             "Comm = hidden from all\n" + "".join(f"Comm = {one}\n" for one in sorted(hidden))
    running = stream.Stream(config, directory)

    def known(values):
        seen = {group for group in values.get("procmem.rss", {}) if group != "hidden"}
        return seen and "other" in seen and seen == set(values.get("procmem.pss", {})) - {"hidden"}

    # What is known may be some seconds old, and is right if it lies among what was true in these; the machine's memory must have
    # stood still as long.
    totals, mapped = collections.deque(maxlen=12), collections.deque(maxlen=6)
    for _ in range(20):
        before, values = all_pss(), running.until(known)
        after, memory = all_pss(), meminfo()
        totals += (before[0], after[0])
        mapped.append(memory["AnonPages"] + memory["Mapped"])
        got = sum(group["pss"] for which, group in (values or {}).get("procmem.pss", {}).items() if which != "hidden")
        moves = len(mapped) < 3 or max(list(mapped)[-3:]) > 1.03 * min(list(mapped)[-3:])
        right = between(got, min(totals), max(totals), 0.05)
        if right and not moves or not values:
            break
    running.stop()
    if values and moves:
        tap.skip(name, "the memory of this machine moves too fast")
        return
    if not tap.ok(right, name, f"{got}, {before}, {after}", running.stderr()):
        return
    tap.diag(f"{len(values['procmem.pss'])} groups: {got >> 20} MiB; smaps_rollup {before[0] >> 20} to {after[0] >> 20} MiB, "
             f"AnonPages {memory['AnonPages'] >> 20}, Mapped {memory['Mapped'] >> 20} MiB")
    tap.ok(got <= 1.05 * max(mapped), "no page is in it twice", got, mapped)
    if os.stat("/proc/self/ns/pid").st_ino == 0xEFFFFFFC:
        tap.ok(got + after[1] >= 0.9 * memory["AnonPages"], "no anonymous page is missing", got, after, memory)
    else:
        tap.skip("no anonymous page is missing", "not all processes are seen from this pid namespace")


def resident(pid):
    return sums([pid], "smaps_rollup", ["Anonymous"])["Anonymous"]


class Watch:
    """The ticks of one plugin: counters that fall, and sums that do not hold."""

    FAMILIES = ("procmem.faults", "procmem.vm_changes", "cpuload.cpu", "cpuload.time", "procstat.started", "procstat.turnover")

    def __init__(self, running):
        self.running, self.last, self.wrong, self.ticks, self.groups, self.faults = running, {}, [], 0, set(), 0
        self.present = 0    # in the group, at most

    def take(self, values):
        self.ticks += 1
        if "procmem.processes" not in values or "procstat.tasks" not in values:
            self.wrong.append(("a tick without processes", self.running.stderr()))
            return
        counters = {(family, group, key): value for family in self.FAMILIES
                    for group, dimensions in values.get(family, {}).items() for key, value in dimensions.items()}
        self.wrong += [(key, self.last[key], value) for key, value in counters.items() if value < self.last.get(key, value)]
        self.last.update(counters)
        counts = {group: dimensions["count"] for group, dimensions in values["procmem.processes"].items()}
        total = values["procstat.tasks"][None]["processes"]
        if sum(counts.values()) != total:
            self.wrong.append(("the groups have", sum(counts.values()), "of", total))
        self.groups |= set(counts)
        self.present = max(self.present, counts.get("churn", 0))
        # the last tick of a walk may come before the group's line
        self.faults = max(self.faults, counters.get(("procmem.faults", "churn", "minflt"), 0))


def during(watches, n):
    """While n processes come and go, and one tick more."""
    crowd = tap.start([os.path.join(tap.BUILD, "tests", "crowd"), "churn", str(n), "500"], stdin=subprocess.DEVNULL,
                      stdout=subprocess.DEVNULL)
    over = False
    while not over:
        over = crowd.poll() is not None
        for watch in watches:
            values = watch.running.tick()
            if values is None:
                crowd.kill()
                return False
            watch.take(values)
    return crowd.wait() == 0


def churn(directory):
    """Two halves: what the first has made the table grow by is there for the second."""
    tap.alone()
    # Each tick has all of it, whatever it costs here. What looks at files lists those that others make meanwhile.
    config = "[shmem]\nEnabled = no\n[proctable]\nBackend = %s\nBudget = 0\n[procstat]\nBudget = 0\n[cpuload]\nBudget = 0\n" \
             "[procmem]\nBudget = 0\nPssBudget = 100ms\nSortBy = processes\n" \
             "[procmem.group \"churn\"]\nComm = /^churn[0-9]$/\n"
    backends = [backend for backend in ("bpf", "fds") if not available(backend, directory)]
    watches = [Watch(stream.Stream(config % backend, directory, last=stream.LAST_OF_WALK)) for backend in backends]
    done = all(watch.running.tick() for watch in watches) and during(watches, CHURN // 2)
    # they begin just after a look, and an idle machine is done with them before the next one
    for i in range(1, PATIENCE):
        if done and not all(watch.faults > 1000 and watch.ticks > 2 for watch in watches):
            done = during(watches, CHURN // 2 << i)
    before = [(tap.descriptors(watch.running.child.pid)[0], resident(watch.running.child.pid)) for watch in watches]
    done = done and during(watches, CHURN // 2)
    for backend, watch, (fds, memory) in zip(backends, watches, before):
        pid = watch.running.child.pid
        again, pids = tap.descriptors(pid)
        ended = [one for one in pids if not os.path.exists(f"/proc/{one}")]
        if ended:    # they may have ended since the last tick
            watch.running.forget()
            ended = [one for one in tap.descriptors(pid)[1] if one in ended]
        grown = resident(pid) - memory
        tap.diag(f"{backend}: {watch.ticks} ticks, {len(watch.groups)} groups, {watch.faults} faults, {grown >> 10} kB more")
        tap.ok(done and not watch.wrong, f"{backend}: no counter falls, all processes are in a group", *watch.wrong[:10])
        if watch.present:
            tap.ok(watch.faults > 1000 and watch.ticks > 2, f"{backend}: and they have been seen", watch.faults, watch.present)
        else:
            tap.skip(f"{backend}: and they have been seen", f"none was there when it looked, {watch.ticks} times")
        tap.ok(again == fds and not ended, f"{backend}: no descriptor is left", fds, again, ended)
        tap.ok(grown < 1 << 20, f"{backend}: no memory is left", grown)
        watch.running.stop()


def main():
    tap.not_crowded()
    if not os.access(stream.PLUGIN, os.X_OK):
        tap.skip_all("qmem.plugin is not built")
    directory = tap.directory()
    for part in (members, machine, churn):
        if sys.argv[1:] and part.__name__ not in sys.argv[1:]:
            continue
        began = time.monotonic()
        part(directory)
        tap.diag(f"{part.__name__}: {time.monotonic() - began:.1f} s")
    tap.done()


main()
