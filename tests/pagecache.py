#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pagecache on this machine: limits as vm.* and the kernel's own figures give them; files as fincore(1) and mincore(2) have them;
hits and misses of a process that is told what to read.

    pagecache.py [values]        only what other kernels are asked, in a guest without a disk
"""

import ctypes
import mmap
import os
import platform
import re
import shutil
import subprocess
import sys

import services
import tap

TICKS = os.path.join(tap.BUILD, "tests/ticks")
PAGE = os.sysconf("SC_PAGESIZE")
# On a file system that uses the page cache as those on disks do: tmpfs does not.
WHERE = os.environ.get("QMEM_FILES", tap.BUILD)


class Ticks:
    """The service alone, or beside others, a tick at a time; jobs are done at once."""

    def __init__(self, *options, beside=()):
        others = [f"{name}.Enabled=no" for name in services.table() if name != "pagecache" and name not in beside]
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


# ---- files ----

NOBODY = 65534


def mincore(path):
    """Pages that are resident, as the owner is told."""
    size = os.path.getsize(path)
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), size, mmap.MAP_SHARED) as mapped:
        found = (ctypes.c_ubyte * (-(-size // PAGE)))()
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        if libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), found):
            raise OSError(ctypes.get_errno(), "mincore")
        return sum(byte & 1 for byte in found)


def fincore(path):
    done = subprocess.run(["fincore", "-b", "-n", "-r", "-o", "PAGES", path], capture_output=True, text=True, check=True)
    return int(done.stdout)


def make(path, size, part=1.0):
    """So much of it is in the page cache, as far as the kernel does what it is asked."""
    with open(path, "wb") as f:
        f.write(os.urandom(1 << 20) * (size >> 20))
        f.flush()
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), int(size * part), 0, os.POSIX_FADV_DONTNEED)


def bracketed(ticks, readers, path, family="file.resident"):
    """Is a value between two readings of another one, once in several tries?"""
    for _ in range(10):
        before = [reader(path) for reader in readers]
        values = ticks.tick()
        after = [reader(path) for reader in readers]
        value = values.get(f"{family}[{path}]")
        if value is not None and all(min(b, a) * PAGE <= value <= max(b, a) * PAGE for b, a in zip(before, after)):
            return True, value
    return False, (before, value, after)


def files():
    directory = tap.directory(WHERE)
    paths = {name: os.path.join(directory, name) for name in ("whole.db", "half.db", "none.db", "sub/deep/e.db")}
    os.makedirs(os.path.join(directory, "sub/deep"))
    for (name, path), part in zip(paths.items(), (1, 0.5, 0, 1)):
        make(path, 8 << 20, part)
    os.link(paths["whole.db"], os.path.join(directory, "zz-link.db"))
    os.symlink("/etc/passwd", os.path.join(directory, "symbolic.db"))
    os.mkfifo(os.path.join(directory, "fifo.db"))
    readers = [mincore, fincore] if shutil.which("fincore") else [mincore]
    ticks = Ticks("pagecache.TopDevices=0", "pagecache.FileAge=1ms", "pagecache.TopFiles=10", "pagecache.FileBudget=1s",
                  f"pagecache.File{{{directory}/*.db}}.Depth=0", f"pagecache.File{{{directory}/sub}}.Depth=4")
    for name, path in paths.items():
        right, seen = bracketed(ticks, readers, path)
        tap.ok(right, f"{name}: {'fincore and ' * (len(readers) - 1)}mincore say the same", seen)
    values = ticks.tick()
    tap.same(values["files.measured"], 4.0, "a link is the same file, and what is no file is none")
    tap.same(values["files.twice"], 1.0, "and its name is counted")
    half = values[f"share.file[{paths['half.db']}]"]
    tap.ok(abs(half - values[f"file.resident[{paths['half.db']}]"] * 100 / (8 << 20)) < 0.02, "a share of the file", half)
    if sys.argv[1:]:
        tap.ok((values[f"file.dirty[{paths['none.db']}]"] is not None) == cachestat_works(), "what is dirty, by cachestat(2)")
    elif cachestat_works():
        dirty = []
        while len(dirty) < 20 and 16 * PAGE not in dirty:
            with open(paths["none.db"], "r+b") as f:
                f.write(bytes(16 * PAGE))
            dirty.append(ticks.tick()[f"file.dirty[{paths['none.db']}]"])
        tap.ok(16 * PAGE in dirty, "what is written is dirty until it is on the disk", dirty)
    else:
        tap.skip("what is written is dirty until it is on the disk", "needs cachestat(2), Linux 6.5")
    ticks.close()
    tree(directory)
    if sys.argv[1:]:
        return
    if os.geteuid() == 0:
        by_nobody(directory, paths["whole.db"])
    else:
        tap.skip("by somebody else", "needs root")


def cachestat_works():
    return tuple(int(word) for word in re.match(r"(\d+)\.(\d+)", platform.release()).groups()) >= (6, 5)


def tree(directory):
    """Thousands of files: within the budget, a slice at a time, and all of them in the end."""
    many = os.path.join(directory, "many")
    for i in range(20):
        os.makedirs(os.path.join(many, f"{i}"))
        for k in range(100):
            tap.write(os.path.join(many, f"{i}", f"{k}"), "x")
    ticks = Ticks("pagecache.TopDevices=0", f"pagecache.File{{{many}}}.Depth=3")
    values = ticks.tick()
    for _ in range(5):
        values = ticks.tick() if values.get("files.measured") != 2000 else values
    tap.same(values.get("files.measured"), 2000.0, "a tree of 2000 files")
    tap.same(sum("file.resident" in name for name in values), 4, "three are shown, and the others as one")
    resident = sum(value for name, value in values.items() if name.startswith("file.resident"))
    tap.same(resident, 2000.0 * PAGE, "and together they are all")
    ticks.close()


def by_nobody(directory, path):
    """Who neither owns a file nor may write to it knows nothing of it, which is not nothing."""
    own = os.path.join(directory, "own")
    os.mkdir(own)
    make(os.path.join(own, "mine"), 1 << 20)
    for name in os.listdir(own):
        os.chown(os.path.join(own, name), NOBODY, NOBODY)
    with open(os.path.join(directory, "qmem.conf"), "w", encoding="ascii") as f:
        f.write(f'[pagecache]\nTopDevices = 0\n[pagecache.File "{path}"]\nDepth = 0\n'
                f'[pagecache.File "{own}/*"]\nDepth = 0\n')
    plugin = os.path.join(tap.BUILD, "qmem.plugin")
    if not os.path.exists(plugin):
        tap.skip("by somebody else", "built without Netdata")
        return
    os.chmod(directory, 0o755)
    done = subprocess.run([plugin, "--config", f.name, "--print", "pagecache"], capture_output=True, text=True, user=NOBODY,
                          group=NOBODY, extra_groups=[], check=False)
    values = dict(line.split("\t")[:2] for line in done.stdout.splitlines())
    tap.same(values.get(f"pagecache.file.resident[{own}/mine]"), f"{1 << 20}", "nobody knows of a file of their own")
    tap.ok(not any(path in name for name in values), "and not of root's: it is absent", values, done.stderr)
    tap.same(values.get("pagecache.files.refused"), "1", "which is counted")


# ---- processes ----

# Does what it is told, a line each, and says so.
CHILD = """
import mmap, os, sys
with open("/proc/self/comm", "w") as f:
    f.write("qmem-reads")
fd = os.open(sys.argv[1], os.O_RDONLY)
size, page = os.fstat(fd).st_size, mmap.PAGESIZE
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
mapped = mmap.mmap(fd, size, prot=mmap.PROT_READ)
mapped.madvise(mmap.MADV_RANDOM)
print("ready", flush=True)
for line in sys.stdin:
    if line == "read\\n":
        for at in range(0, size, page):
            os.pread(fd, page, at)
    elif line == "touch\\n":
        for at in range(0, size, page):
            mapped[at]
    elif line == "forget\\n":
        mapped.madvise(mmap.MADV_DONTNEED)
    print("done", flush=True)
"""


class Reader:
    def __init__(self, path):
        self.program = tap.start([sys.executable, "-c", CHILD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.program.stdout.readline()

    def do(self, what):
        self.program.stdin.write(what + "\n")
        self.program.stdin.flush()
        return self.program.stdout.readline()

    def close(self):
        self.program.stdin.close()
        self.program.wait()


def forget(path):
    """Nothing of it is in the page cache any more; False: the kernel keeps some."""
    fd = os.open(path, os.O_RDONLY)
    for _ in range(20):
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        if not mincore(path):
            break
    os.close(fd)
    return not mincore(path)


def open_files(directory):
    path = os.path.join(directory, "open.db")
    make(path, 4 << 20)
    reader = Reader(path)
    ticks = Ticks("pagecache.TopDevices=0", "pagecache.OpenFiles=yes", "pagecache.OpenProcesses=100", "pagecache.FileAge=1ms",
                  "pagecache.FileBudget=1s", "pagecache.TopFiles=10000", beside=("proctable", "procmem"))
    right = False
    for _ in range(10):
        ticks.tick()
        right, seen = bracketed(ticks, [mincore], path)
        if right:
            break
    if not right and len(os.listdir("/proc")) > 200:
        tap.skip("a file that a process has open", "more than a hundred processes have more memory")
    else:
        tap.ok(right, "a file that a process has open, and mapped", seen, ticks.note())
    reader.close()
    ticks.close()


def hits(directory):
    path = os.path.join(directory, "read.db")
    make(path, 2 << 20)
    pages = (2 << 20) // PAGE
    reader = Reader(path)
    ticks = Ticks("pagecache.TopDevices=0", "pagecache.Hits=yes", "pagecache.TopGroups=10000", "procmem.GroupBy=comm",
                  beside=("proctable", "procmem"))
    first = ticks.tick()
    if "lookup.read_hit" not in first:
        tap.skip("hits and misses", re.sub("^.*no hits and misses: ", "", ticks.note()))
        reader.close()
        ticks.close()
        return

    def counted(what):
        """What the reader's group has more after it."""
        before = ticks.tick(5000)
        reader.do(what)
        after = ticks.tick(5000)
        return {word: after.get(f"{word}[qmem-reads]", 0) - before.get(f"{word}[qmem-reads]", 0)
                for word in ("access.hit", "access.miss", "fill.added")}, {
                    word: after[word] - before[word] for word in ("lookup.read_miss", "lookup.fault_miss", "added.added")}

    reader.do("read")
    ticks.tick(5000)
    for what, cold in (("read", True), ("read", False), ("touch", True), ("touch", False)):
        if cold and sys.argv[1:]:
            continue
        reader.do("forget")
        if cold and not forget(path):
            tap.skip(f"{what}: misses", "the kernel keeps the file")
            continue
        got, machine = counted(what)
        if cold:
            tap.ok(pages <= got["access.miss"] <= pages + 8 and got["access.hit"] < pages / 2,
                   f"{what}: each page that was not there is a miss", pages, got, machine)
            tap.ok(pages <= got["fill.added"] <= pages * 1.5, f"{what}: and is added", pages, got, machine)
            tap.ok(machine[f"lookup.{'read' if what == 'read' else 'fault'}_miss"] >= pages, f"{what}: also in all", machine)
        else:
            # a fault maps its neighbours, too
            least = pages if what == "read" else pages // 64
            tap.ok(least <= got["access.hit"] <= pages + 500 and got["access.miss"] <= 8,
                   f"{what}: each that was there is a hit", pages, got, machine)
    with open(path, "r+b") as f:
        forget(path)
        values = ticks.tick()
        f.write(bytes(2 << 20))
        f.seek(0)
        f.read()
    tap.ok(values["ratio.hit"] is None or 0 <= values["ratio.hit"] <= 100, "a share of hits")
    reader.close()
    ticks.close()


limits()
if not sys.argv[1:]:
    backlog()
files()
open_files(tap.directory(WHERE))
hits(tap.directory(WHERE))
tap.done()
