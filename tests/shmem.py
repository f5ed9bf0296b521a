#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
shmem against df and ipcs, in namespaces of its own: there process 1 is this test, /dev/shm is empty at first, and nobody else has
a segment.
"""

import ctypes
import mmap
import os
import re
import subprocess
import sys

import tap

TICKS = os.path.join(tap.BUILD, "tests/ticks")
MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
LIBC.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
LIBC.shmdt.argtypes = [ctypes.c_void_p]
OTHERS = "vmstat pressure netstat proctable procmem heapmon cpuload procstat self".split()


class Ticks:
    def __init__(self, *options):
        off = [f"{name}.Enabled=no" for name in OTHERS]
        self.program = tap.start([TICKS, "shmem.Detail=yes", "shmem.Age=1s", "shmem.MappedAge=1s", *off, *options],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="surrogateescape")
        self.later = 0

    def ask(self, question):
        lines = []
        self.program.stdin.write(question + "\n")
        self.program.stdin.flush()
        for line in self.program.stdout:
            if line == "end\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("ticks has died")

    def tick(self):
        """The values by name, when all has been looked at anew."""
        self.later += 2000
        values = {}
        for line in self.ask(f"+{self.later}"):
            found = re.match(r"shmem\.(\w+\.\w+(?:\[.*\])?) (-|\d+) (bytes|value|processes)$", line)
            if found:
                values[found[1]] = None if found[2] == "-" else int(found[2])
        return values

    def note(self):
        return [line for line in self.ask("status") if line.startswith("status shmem ")][0]

    def close(self):
        self.program.stdin.close()
        self.program.wait()


# ---- the independent readers ----

def df():
    """{mount point: (size, used)} of file systems in memory, as seen from here."""
    lines = subprocess.run(["df", "-B1", "--output=size,used,target", "-t", "tmpfs", "-t", "devtmpfs", "-t", "hugetlbfs"],
                           capture_output=True, text=True, check=False).stdout.splitlines()[1:]
    found = [re.match(r" *(\d+|-) +(\d+|-) (.*)$", line) for line in lines]
    return {f[3]: tuple(0 if word == "-" else int(word) for word in f.groups()[:2]) for f in found if f}


def ipcs(*what):
    """The lines of segments, as words."""
    text = subprocess.run(["ipcs", "-m", *what], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in text.splitlines() if re.match(r"(0x)?[0-9a-f]+ +\w", line)]


# ---- in the namespaces ----

def mount(kind, where, options):
    os.makedirs(where, exist_ok=True)
    return subprocess.run(["mount", "-t", kind, "-o", options, "qmem", where], check=False, stderr=subprocess.DEVNULL).returncode == 0


def write(path, size):
    with open(path, "wb") as f:
        f.write(b"x" * size)


def file_systems(ticks, place):
    ours = {"/dev/shm": "size=64m", f"{place}/a b\tc": "size=16m", f"{place}/unlimited": "size=0"}
    for where, options in ours.items():
        if not mount("tmpfs", where, options):
            tap.skip_all("tmpfs cannot be mounted here")
        write(f"{where}/file", 3 * MIB + PAGE)
    os.link(f"{place}/unlimited/file", f"{place}/unlimited/another name")
    # one hides another
    hidden = f"{place}/hidden"
    for _ in range(2):
        mount("tmpfs", hidden, "size=4m")
    huge = mount("hugetlbfs", f"{place}/huge", "size=8m,pagesize=2M")
    values, wanted = ticks.tick(), df()
    for where in ours:
        shown = where.replace("\t", r"\x09")
        size, used = wanted.get(where.replace("\t", "?"), wanted.get(where, (None, None)))
        if where.endswith("unlimited"):
            tap.same((values.get(f"mount.size[{shown}]"), values[f"mount.used[{shown}]"]), (None, 3 * MIB + PAGE),
                     "a file system without a limit has what its files have")
        else:
            tap.same((values[f"mount.size[{shown}]"], values[f"mount.used[{shown}]"]), (size, used), f"{os.path.basename(where)}: df says the same")
    tap.ok(values["count.unreachable"] >= 1, "a file system that another one hides is out of reach, and counted", values)
    if huge:
        tap.same((values[f"mount.size[{place}/huge]"], values[f"mount.used[{place}/huge]"]), (8 * MIB, 0),
                 "hugetlbfs has its size")
    else:
        tap.skip("hugetlbfs has its size", "no huge pages here")
    total = sum(values[name] for name in values if name.startswith("mount.used[") and "/huge]" not in name)
    tap.same(values["total.tmpfs"], total, "the total is the sum of all")
    for where in list(ours)[1:]:
        os.unlink(f"{where}/file")
    os.unlink(f"{place}/unlimited/another name")
    values = ticks.tick()
    tap.same(values[f"mount.used[{place}/unlimited]"], 0, "what is deleted is gone")


def files(ticks):
    """/dev/shm is ours alone."""
    os.unlink("/dev/shm/file")
    write("/dev/shm/large", 5 * MIB)
    write("/dev/shm/it's a\nname", 3 * MIB)
    os.makedirs("/dev/shm/d/e")
    write("/dev/shm/d/e/deep", 2 * MIB)
    with open("/dev/shm/gone", "w+b") as gone:
        gone.write(b"x" * MIB)
        gone.flush()
        os.unlink("/dev/shm/gone")
        with open("/dev/shm/large", "r+b") as f:
            memory = mmap.mmap(f.fileno(), 0)
        values = ticks.tick()
        got = {name[10:-1]: value for name, value in values.items() if name.startswith("file.held[")}
        tap.same(got, {"large": 5 * MIB, r"it's a\x0aname": 3 * MIB, "d/e/deep": 2 * MIB, "/unlisted": MIB},
                 "files, and what is held by one that is deleted")
        got = {name[14:-1]: value for name, value in values.items() if name.startswith("mapped.mapped[")}
        if "may not be read" in ticks.note():
            tap.skip("who maps them", "maps may not be read here")
        else:
            tap.same(got, {"large": 1, r"it's a\x0aname": 0, "d/e/deep": 0}, "who maps them")
            tap.same(values["orphaned.files"], 5 * MIB, "two of them nobody maps")
        memory.close()
        values = ticks.tick()
        tap.same(values.get("mapped.mapped[large]", 0), 0, "and then nobody maps the other one")


def segments(ticks):
    tap.same(ipcs(), [], "nobody has a segment here")
    private = LIBC.shmget(0, 8 * MIB, 0o1600)
    named = LIBC.shmget(0x1234abcd, 3 * MIB, 0o1640)
    address = LIBC.shmat(private, None, 0)
    ctypes.memset(address, 1, 6 * MIB)
    values = ticks.tick()
    by_ipcs = {int(words[1]): words for words in ipcs()}
    creators = {int(words[0]): int(words[2]) for words in
                (line.split() for line in subprocess.run(["ipcs", "-m", "-p"], capture_output=True, text=True,
                                                         check=True).stdout.splitlines()) if words and words[0].isdigit()}
    with open("/proc/self/comm", encoding="utf-8") as f:
        comm = f.read().strip()
    tap.same(sorted(by_ipcs), sorted((private, named)), "ipcs has ours")
    tap.same(creators, {private: os.getpid(), named: os.getpid()}, "and knows who made them")
    for shmid in (private, named):
        name = f"{comm}:{shmid}"
        tap.same((values.get(f"segment.size[{name}]"), values.get(f"attached.attached[{name}]")),
                 (int(by_ipcs[shmid][4]), int(by_ipcs[shmid][5])), f"segment {'named' if shmid == named else 'private'}: ipcs says the same")
    held = values[f"segment.rss[{comm}:{private}]"] + values[f"segment.swap[{comm}:{private}]"]
    tap.same(held, 6 * MIB, "what was touched is held")
    tap.same(values["orphaned.sysv"], 0, "an orphan without a page holds nothing")
    LIBC.shmdt(address)
    values = ticks.tick()
    tap.same(values["orphaned.sysv"], 6 * MIB, "what nobody has attached any more is an orphan")
    tap.same(values[f"attached.attached[{comm}:{private}]"], 0, "and shown so")
    for shmid in (private, named):
        LIBC.shmctl(shmid, 0, None)
    values = ticks.tick()
    tap.same((values["count.segments"], values["total.sysv"]), (0, 0), "and when it is removed it is gone")


def inside():
    place = os.path.realpath(tap.directory())
    subprocess.run(["mount", "--make-rprivate", "/"], check=False)
    os.environ["TMPDIR"] = "/tmp"
    ticks = Ticks("shmem.TopMounts=100", "shmem.TopFiles=10", "shmem.TopSegments=10")
    file_systems(ticks, place)
    files(ticks)
    segments(ticks)
    note = ticks.note()
    tap.ok("mounts of process 1; those of other mount namespaces are not seen" in note, "what is not seen is said", note)
    ticks.close()
    subprocess.run(["umount", "-l", "/dev/shm"], check=False)
    tap.done()


def main():
    if "inside" in sys.argv:
        inside()
        return
    if not os.access(TICKS, os.X_OK):
        tap.skip_all("tests/ticks has not been built")
    for user in ([], ["--user", "--map-root-user"]):
        unshare = ["unshare", *user, "--mount", "--ipc", "--pid", "--fork", "--mount-proc"]
        if subprocess.run([*unshare, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
            sys.exit(subprocess.run([*unshare, sys.executable, os.path.abspath(__file__), "inside"], check=False).returncode)
    tap.skip_all("no namespaces are to be had")


if __name__ == "__main__":
    main()
