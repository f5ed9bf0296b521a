#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The process table against an independent reader of /proc, on processes started here, for each back end."""

import collections
import os
import re
import select
import subprocess
import time

import tap

PROCTABLE = os.path.join(tap.BUILD, "tests/proctable")
CROWD = os.path.join(tap.BUILD, "tests/crowd")
BACKENDS = ("bpf", "iter", "fds", "files")
GROWTH = os.environ.get("QMEM_GROWTH", "4000")
CHURN = os.environ.get("QMEM_CHURN", "20000")
THREADS = os.environ.get("QMEM_THREADS", "10000")
PROCESSES = os.environ.get("QMEM_PROCESSES", "100000")
PF_KTHREAD = 0x200000
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
KERNEL = tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())


class Table:
    """The program that has a table, and answers."""

    def __init__(self, *options, **kwargs):
        self.program = tap.start([PROCTABLE, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, errors="surrogateescape", **kwargs)
        self.state, self.reason = self._answer()[0].split(" ", 1)

    def _answer(self):
        lines = []
        for line in self.program.stdout:
            line = line.rstrip("\n")
            if line == "end" or line.startswith("end "):
                self.note = line[4:]
                return lines
            lines.append(line)
        raise RuntimeError("proctable has died: " + self.program.stderr.read())

    def ask(self, question):
        self.program.stdin.write(question + "\n")
        self.program.stdin.flush()
        return self._answer()

    def scan(self):
        return Round(self.ask("scan"))

    def word(self, question):
        """The rest of an answer of one line: NAME REST"""
        return self.ask(question)[0].split(" ", 1)[1]

    def totals(self):
        return Round(self.ask("totals")).totals

    def close(self):
        """What it has logged."""
        return self.program.communicate()[1]


class Round:
    def __init__(self, lines):
        self.procs, self.deaths, self.births, self.blocked, self.failed = {}, [], [], [], False
        self.twice, self.totals = 0, {}
        for line in lines:
            kind, *words = line.split(" ")
            fields = dict(word.split("=", 1) for word in words)
            if kind == "proc":
                proc = self.proc(fields)
                self.twice += proc["pid"] in self.procs
                self.procs[proc["pid"]] = proc
            elif kind == "death":
                self.deaths.append(self.proc(fields))
            elif kind == "birth":
                self.births.append(int(fields["slot"]))
            elif kind == "blocked":
                self.blocked.append({key: int(value) for key, value in fields.items()})
            elif kind == "totals":
                self.totals = {key: int(value) for key, value in fields.items()}
            elif kind == "failed":
                self.failed = True

    @staticmethod
    def proc(fields):
        proc = {}
        for key, value in fields.items():
            if key == "comm":
                proc[key] = bytes.fromhex(value)
            elif key == "state":
                proc[key] = value
            else:
                proc[key] = None if value == "-" else int(value)
        return proc


# ---- the independent reader ----

def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


STATUS = {"rss": "VmRSS", "anon": "RssAnon", "file": "RssFile", "shmem": "RssShmem", "swap": "VmSwap", "vmsize": "VmSize",
          "vmdata": "VmData", "hwm": "VmHWM", "pgtables": "VmPTE"}


def reader(pid):
    """What /proc says of a process, in the table's words and units."""
    status = {}
    for line in read_bytes(f"/proc/{pid}/status").split(b"\n"):
        key, _, value = line.partition(b":")
        status[key.decode()] = value.split()
    text = read_bytes(f"/proc/{pid}/stat")
    comm = text[text.index(b"(") + 1:text.rindex(b")")]
    stat = [None, None, None] + text[text.rindex(b")") + 2:].split()
    proc = {key: int(status[name][0]) * 1024 if name in status else None for key, name in STATUS.items()}
    proc.update(pid=pid, comm=comm[:15], state=stat[3].decode(), ppid=int(stat[4]), threads=int(stat[20]),
                kthread=int(bool(int(stat[9]) & PF_KTHREAD)), minflt=int(stat[10]), majflt=int(stat[12]), utime=int(stat[14]) * TICK_NS, stime=int(stat[15]) * TICK_NS,
                start=int(stat[22]) * TICK_NS, uid=int(status["Uid"][0]))
    proc["cputime"] = proc["utime"] + proc["stime"]
    return proc


def rollup_rss(pid):
    """What smaps_rollup adds up; only from 6.12 on is it what the others must say."""
    if KERNEL < (6, 12):
        return None
    try:
        for line in read_bytes(f"/proc/{pid}/smaps_rollup").split(b"\n"):
            if line.startswith(b"Rss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def cgroups_of(pid):
    """By hierarchy ("memory", "name=systemd", "" for v2): the path, and its directory, None where that is not mounted."""
    lines = [line.split(":", 2) for line in tap.read(f"/proc/{pid}/cgroup").splitlines()]
    found = {name: (path, None) for number, names, path in lines for name in names.split(",") if name or number == "0"}
    for line in tap.read("/proc/self/mounts").splitlines():
        _, where, kind, options = line.split()[:4]
        for name, (path, _) in found.items():
            if kind == ("cgroup" if name else "cgroup2") and (not name or name in options.split(",")) and os.path.isdir(where + path):
                found[name] = path, where + path
    return found


def paths_of(pid):
    """Where memory is accounted, and where units are."""
    found = {name: path for name, (path, _) in cgroups_of(pid).items()}
    units = [found[name] for name in ("name=systemd", "", "memory", *found) if found.get(name, "/") != "/"]
    return found.get("memory", found.get("")), units[0] if units else "/"


IO = ("rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled")


def wanted_reader(pid):
    """What is there only while it is wanted; None where it may not be read, or the process has none."""
    found = dict.fromkeys((*IO, "fds", "fd_limit", "maps"))
    try:
        lines = dict(line.split(": ") for line in tap.read(f"/proc/{pid}/io").splitlines())
        found.update({name: int(lines["cancelled_write_bytes" if name == "cancelled" else name]) for name in IO})
    except PermissionError:
        pass
    found["cminflt"] = int(read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()[8])
    if reader(pid)["state"] in "ZX":
        return found
    found["fd_limit"] = int(re.search(r"^Max open files +(\d+) ", tap.read(f"/proc/{pid}/limits"), re.M)[1])
    try:
        found["fds"] = len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        pass
    try:
        # a page of the kernel's, which is no mapping of the process
        found["maps"] = tap.read(f"/proc/{pid}/maps").count("\n") - tap.read(f"/proc/{pid}/maps").count("[vsyscall]") or None
    except PermissionError:
        pass
    return found


# ---- accuracy ----

EXACT = ("pid", "ppid", "comm", "uid", "kthread", "threads", "start", "minflt", "majflt", *STATUS)
FILES_ONLY = ("utime", "stime")


class Compare:
    def __init__(self, backend):
        self.backend, self.counts, self.wrong, self.pid = backend, collections.Counter(), [], None

    def one(self, field, got, before, after, slack=0):
        """Right if it lies between what was before and what was after: equal to both when nothing moved."""
        if before is None or after is None:
            # it comes or goes; or there is none, which is no comparison
            if before is None and after is None and got is not None:
                self.wrong.append((self.pid, field, got, before, after))
            return
        if isinstance(before, int):
            low, high = sorted((before, after))
            right = got is not None and low - slack <= got <= high + slack
        else:
            right = got in (before, after)
        self.counts[field] += 1
        if not right:
            self.wrong.append((self.pid, field, got, before, after))

    def kthread(self, proc, before, after):
        """A thread of the kernel, which has no memory."""
        self.pid = proc["pid"]
        for field in ("pid", "ppid", "comm", "kthread"):
            self.one(f"{field} of kernel threads", proc[field], before[field], after[field])
        for field in STATUS:
            self.one(field, proc[field], before[field], after[field])

    def process(self, proc, before, after):
        self.pid = proc["pid"]
        for field in EXACT:
            got = proc[field]
            if field == "start":
                got = got // TICK_NS * TICK_NS
            self.one(field, got, before[field], after[field])
        if before["state"] == after["state"]:
            self.one("state", proc["state"], before["state"], after["state"])
        if self.backend in ("fds", "files"):
            for field in FILES_ONLY:
                self.one(field, proc[field], before[field], after[field])
        # each of the two is cut to whole ticks there
        self.one("cputime", proc["utime"] + proc["stime"], before["cputime"], after["cputime"], 2 * TICK_NS)
        if proc["runtime"] is not None:
            self.one("runtime", proc["runtime"], before["cputime"], after["cputime"], 2 * TICK_NS)


class Crowd:
    def __init__(self, kind, *words):
        self.kind = kind
        self.program = tap.start([CROWD, kind, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pids = [int(word) for word in self.program.stdout.readline().split()]

    def ask(self):
        self.program.stdin.write("go\n")
        self.program.stdin.flush()
        return self.program.stdout.readline().split()

    def close(self):
        self.program.communicate()


def tid_state(pid, tid):
    return read_bytes(f"/proc/{pid}/task/{tid}/stat").rpartition(b")")[2].split()[0]


def kthreads(most=5):
    """The oldest of the kernel's threads whose names do not change; none in a pid namespace."""
    found = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            proc = reader(pid)
        except OSError:
            continue
        if proc["ppid"] == 2 and proc["kthread"] and not proc["comm"].startswith(b"kworker"):
            found.append(pid)
        if len(found) == most:
            break
    return found


def accuracy(backend, table, crowds):
    compare = Compare(backend)
    settled = [pid for kind in ("sleepers", "sharers", "threads", "ended", "vmas", "zombie", "leaderless", "stopped", "names")
               for pid in crowds[kind].pids]
    moving, kernels = crowds["burners"].pids, kthreads()
    marked = backend in ("bpf", "iter")
    missing = set()
    for _ in range(3):
        before = {pid: reader(pid) for pid in settled + moving + kernels}
        rollups = {pid: rollup_rss(pid) for pid in settled}
        proc = table.scan().procs
        after = {pid: reader(pid) for pid in settled + moving + kernels}
        for pid in settled:
            if pid not in proc:
                missing.add(pid)
                continue
            compare.process(proc[pid], before[pid], after[pid])
            rollup = rollup_rss(pid)
            if rollup is not None:
                compare.one("rollup", proc[pid]["rss"], rollups[pid], rollup)
        for pid in moving:
            if pid not in proc:
                missing.add(pid)
                continue
            # only what never falls lies in between for sure
            for field in ("pid", "ppid", "comm", "uid", "threads", "minflt", "majflt"):
                compare.one(field, proc[pid][field], before[pid][field], after[pid][field])
            compare.one("cputime", proc[pid]["utime"] + proc[pid]["stime"], before[pid]["cputime"],
                        after[pid]["cputime"], 2 * TICK_NS)
        for pid in kernels:
            if pid in proc:
                compare.kthread(proc[pid], before[pid], after[pid])
            else:
                missing.add(pid)
        for pid in crowds["sleepers"].pids[:5]:
            compare.pid = pid
            for use, path in enumerate(paths_of(pid)):
                compare.one("cgroup path", table.word(f"cgroup {pid} {use}"), f"0 {path}", f"0 {path}")
            # all of them are in the same
            mark = marked and proc[crowds["sleepers"].pids[0]]["cgroups"] or None
            compare.one("cgroups", proc[pid]["cgroups"], mark, mark)
    tap.ok(not missing, f"{backend}: all processes are there", missing)
    tap.ok(not compare.wrong, f"{backend}: equal to /proc", *compare.wrong[:20],
           *(f"{before[pid]} {proc.get(pid)}" for pid in {wrong[0] for wrong in compare.wrong[:3]}))
    expected = {*EXACT, "state", "cputime", "cgroup path"}
    expected |= {"cgroups"} if marked else set()
    expected |= {"pid of kernel threads", "ppid of kernel threads", "comm of kernel threads", "kthread of kernel threads"} \
        if kernels else set()
    expected |= {"runtime"} if backend in ("bpf", "iter") else {"utime", "stime"}
    expected |= {"rollup"} if KERNEL >= (6, 12) and os.access(f"/proc/{settled[0]}/smaps_rollup", os.R_OK) else set()
    for field in sorted(expected | set(compare.counts)):
        tap.diag(f"{backend} {field}: {compare.counts[field]} comparisons")
    zero = [field for field in sorted(expected) if not compare.counts[field]]
    tap.ok(not zero, f"{backend}: each field was compared", zero)


def states(backend, table, crowds):
    tap.ok(tap.wait_for(lambda: tid_state(crowds["blocked"].pids[0], crowds["blocked"].pids[0]) == b"D"),
           f"{backend}: there is a task in state D")
    now = table.scan()
    pid = crowds["blocked"].pids[0]
    tap.same(now.procs[pid]["state"], "D", f"{backend}: state D")
    tap.same([b["pid"] for b in now.blocked if b["pid"] == pid], [pid], f"{backend}: among the blocked tasks")
    tap.ok(now.totals["D"] >= 1, f"{backend}: counted as blocked", now.totals)
    tap.same(now.procs[crowds["stopped"].pids[0]]["state"], "T", f"{backend}: state T")
    tap.same(now.procs[crowds["zombie"].pids[0]]["state"], "Z", f"{backend}: state Z")
    # a zombie that is none: its memory is there, and no file tells how much
    lone, status = now.procs[crowds["leaderless"].pids[0]], tap.read(f"/proc/{crowds['leaderless'].pids[0]}/status")
    tap.same((lone["state"], lone["threads"]), ("Z", 2), f"{backend}: a process whose first thread has ended: its state and threads")
    tap.ok("VmRSS" not in status and all(lone[field] is None for field in STATUS), f"{backend}: and no memory, as in /proc", lone)
    wchan = tap.read(f"/proc/{pid}/wchan")
    tap.same(table.word(f"wchan {pid} {pid}"), f"0 {'' if wchan == '0' else wchan}", f"{backend}: wait channel '{wchan}'")
    per_thread = backend in ("bpf", "iter")
    tap.same(now.totals["per_thread"], int(per_thread), f"{backend}: says whose states it counts")
    counted = sum(now.totals[letter] for letter in "RSDTtXZPI?")
    tap.same(counted, now.totals["threads" if per_thread else "processes"], f"{backend}: the states add up")
    tap.same(now.totals["processes"], len(now.procs), f"{backend}: the processes add up")
    tap.same(now.twice, 0, f"{backend}: none is there twice")
    tap.same(sum(p["kthread"] for p in now.procs.values()), now.totals["kthreads"], f"{backend}: kernel threads add up")
    tap.ok(not per_thread or now.totals["S"] >= 300, f"{backend}: sleeping threads are counted")


def changes(backend, table):
    """mmap and munmap are counted where the kernel counts them."""
    mapper = Crowd("mapper", "1000")
    pid = mapper.pids[0]
    table.scan()
    before = table.scan().procs[pid]
    quiet = table.scan().procs[pid]
    mapper.ask()
    after = table.scan().procs[pid]
    if before["vm_changes"] is None:
        tap.ok(backend in ("fds", "files") or KERNEL < (6, 4), f"{backend}: no count of address-space changes here")
    else:
        tap.same(quiet["vm_changes"], before["vm_changes"], f"{backend}: nothing is counted when nothing changes")
        tap.same(after["vm_changes"] - before["vm_changes"], 1000, f"{backend}: 1000 changes are counted")
        tap.ok(after["changed"] & 8 and not quiet["changed"] & 8, f"{backend}: flagged as changed")
    mapper.close()


def robbed(backend, table):
    """What others take from a process that sleeps is missed at once."""
    crowd = Crowd("robbed", "100")
    pid, lost = crowd.pids[0], 100 * os.sysconf("SC_PAGESIZE")
    # so that it is known as one that sleeps
    before = [table.scan() for _ in range(3)][-1].procs[pid]
    tap.same(crowd.ask(), ["done"], f"{backend}: shared memory is taken away")
    proc, after = table.scan().procs[pid], reader(pid)
    tap.ok(proc["rss"] == before["rss"] - lost and proc["shmem"] == before["shmem"] - lost and proc["changed"] & 4,
           f"{backend}: the RSS of a process that sleeps", before, proc)
    wrong = [field for field in STATUS if proc[field] != after[field]]
    tap.ok(not wrong, f"{backend}: it is as /proc has it", wrong, proc, after)
    crowd.close()


def swapped(backend, table):
    """A process whose memory others put to swap while it sleeps: as a table sees it that knew it before, and a new one."""
    if len(tap.read("/proc/swaps").splitlines()) < 2:
        tap.skip(f"{backend}: swap", "no swap here")
        return
    crowd = Crowd("paged", "300")
    pid = crowd.pids[0]
    known = [table.scan() for _ in range(3)][-1].procs[pid]
    answer = crowd.ask()
    if answer != ["done"]:
        tap.skip(f"{backend}: swap", f"may not be used: {answer}")
        crowd.close()
        return
    compare = Compare(backend)
    other = Table(f"Backend={backend}")
    for asked in (table, other):
        before = reader(pid)
        proc = asked.scan().procs[pid]
        compare.process(proc, before, reader(pid))
        tap.ok(proc["swap"] > 100 * os.sysconf("SC_PAGESIZE") and proc["rss"] < known["rss"], f"{backend}: memory in swap", proc)
    other.close()
    tap.ok(not compare.wrong, f"{backend}: equal to /proc while in swap", *compare.wrong)
    tap.diag(f"{backend} swap in use: {compare.counts['swap']} comparisons")
    crowd.close()


def moved(backend, table, pid):
    """A process that sleeps gets another cgroup, in each hierarchy that may be looked at."""
    for name, (path, old) in cgroups_of(pid).items():
        if name not in ("memory", "name=systemd", ""):
            continue
        what = f"{backend}: another cgroup, {name or 'v2'}"
        new = old and old[:len(old) - len(path)] + f"/qmem-test-{os.getpid()}"
        try:
            if not new:
                raise OSError("the hierarchy is not mounted")
            before = table.scan().procs[pid]["cgroups"]
            os.mkdir(new)
            try:
                tap.write(f"{new}/cgroup.procs", str(pid))
                seen = [table.scan().procs[pid]["cgroups"] for _ in range(17)]
                for use, expected in enumerate(paths_of(pid)):
                    tap.same(table.word(f"cgroup {pid} {use}"), f"0 {expected}", f"{what}: its path, {use}")
                if before is not None:
                    tap.ok(seen[-1] not in (None, before), f"{what}: a process that sleeps has another mark", before, seen)
                tap.write(f"{old}/cgroup.procs", str(pid))
            finally:
                os.rmdir(new)
        except OSError as e:
            tap.skip(what, e)


def whole(backend, table):
    """Of the processes that there are before and afterwards none is missing, but those that it says it does not see."""
    def listed():
        return {int(name) for name in os.listdir("/proc") if name.isdigit()}

    before = listed()
    procs = table.scan().procs
    missing = before & listed() - set(procs)
    said = re.search(r"does not see (\d+) of the processes in /proc, pid \d+ for one", table.reason)
    # such a one may have come since it was said
    tap.ok(len(missing) <= (int(said[1]) + 2 if said else 0), f"{backend}: {len(procs)} processes, {len(missing)} are missing, as it says",
           missing)


def frozen(backend, table):
    """State D by the freezer of cgroup v1 is no wait; files tell it from others before Linux 6.1 only."""
    where = next((words[1] for words in map(str.split, tap.read("/proc/self/mounts").splitlines())
                  if words[2] == "cgroup" and "freezer" in words[3].split(",")), None)
    if not where:
        tap.skip(f"{backend}: frozen", "no freezer of cgroup v1")
        return
    crowd, group = Crowd("sleepers", "3"), f"{where}/qmem-test-{os.getpid()}"
    try:
        os.mkdir(group)
    except OSError as e:
        tap.skip(f"{backend}: frozen", e)
        crowd.close()
        return
    try:
        for pid in crowd.pids:
            tap.write(f"{group}/cgroup.procs", str(pid))
        table.scan()
        tap.write(f"{group}/freezer.state", "FROZEN")
        tap.wait_for(lambda: tap.read(f"{group}/freezer.state") == "FROZEN\n")
        for _ in range(12):
            now = table.scan()
        tap.write(f"{group}/freezer.state", "THAWED")
        # who slept before sleeps again, on some kernels without having run
        tap.wait_for(lambda: all(reader(pid)["state"] == "S" for pid in crowd.pids))
        thawed = table.scan()
    finally:
        crowd.close()
        tap.wait_for(lambda: not tap.read(f"{group}/cgroup.procs"))
        os.rmdir(group)
    tap.same([now.procs[pid]["state"] for pid in crowd.pids], ["D"] * 3, f"{backend}: a frozen process is in state D")
    if backend in ("bpf", "iter") or KERNEL < (6, 1):
        tap.same([task for task in now.blocked if task["pid"] in crowd.pids], [], f"{backend}: but waits for nothing")
    tap.same([thawed.procs[pid]["state"] for pid in crowd.pids], ["S"] * 3, f"{backend}: afterwards it sleeps again")
    tap.same([task for task in thawed.blocked if task["pid"] in crowd.pids], [], f"{backend}: and waits for nothing")


def reuse(backend, table):
    """Two processes of one pid in one interval are two."""
    crowd = Crowd("reused")
    before = table.scan().procs[crowd.pids[0]]
    again = table.scan().procs[crowd.pids[0]]
    # in files, a process that starts within the same tick is the same one
    tap.wait_for(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) * 10**9 > again["start"] + 2 * TICK_NS, 5, 0.005)
    answer = crowd.ask()
    if answer[0] != "reused":
        tap.skip(f"{backend}: a pid given again", f"cannot choose a pid: {answer}")
        crowd.close()
        return
    now = table.scan()
    after = now.procs[crowd.pids[0]]
    tap.ok(again["slot"] == before["slot"] and again["generation"] == before["generation"] and not again["changed"] & 1,
           f"{backend}: a process keeps its slot", before, again)
    tap.ok((after["slot"], after["generation"]) != (before["slot"], before["generation"]) and after["changed"] & 1,
           f"{backend}: a pid given again is another process", before, after)
    tap.ok(after["slot"] in now.births and (before["slot"], before["pid"]) in [(d["slot"], d["pid"]) for d in now.deaths],
           f"{backend}: one has ended, one is new")
    crowd.close()
    now = table.scan()
    tap.ok(crowd.pids[0] not in now.procs and after["slot"] in [d["slot"] for d in now.deaths],
           f"{backend}: and ends, too")


def churn(backend, table):
    """Processes that come and go leave neither descriptors nor slots."""
    for _ in range(3):
        first = table.scan()
    fds = tap.descriptors(table.program.pid)[0]
    program = tap.start([CROWD, "churn", CHURN], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    rounds, births, deaths, twice, failed, most = 0, 0, 0, 0, 0, 0
    while program.poll() is None or rounds < 3:
        now = table.scan()
        rounds += 1
        births += len(now.births)
        deaths += len(now.deaths)
        twice += now.twice
        failed += now.failed
        most = max(most, len(now.procs) + len(now.deaths))    # which keep their slots for a round
    tap.same(program.stdout.read(), "done\n", f"{backend}: {CHURN} processes have come and gone in {rounds} rounds")
    for _ in range(3):
        now = table.scan()
        births += len(now.births)
        deaths += len(now.deaths)
    tap.diag(f"{backend}: {births} births, {deaths} deaths, capacity {now.totals['capacity']}")
    tap.ok(births > 0 and not twice and not failed, f"{backend}: some were seen, none twice, no round failed")
    tap.same(births - deaths, len(now.procs) - len(first.procs), f"{backend}: births and deaths add up")
    tap.ok(now.totals["capacity"] <= max(first.totals["capacity"], most + 300), f"{backend}: slots are used again", now.totals)
    left, kept = tap.descriptors(table.program.pid)
    tap.ok(left == fds and set(kept) <= set(now.procs), f"{backend}: no descriptor is left ({left}, {len(kept)} of processes)",
           fds, set(kept) - set(now.procs))


def namespace(backend):
    """The machine's /proc for one that is in a pid namespace of its own: all processes, or a reason."""
    command = 'for i in 1 2 3 4; do sleep 100 & done; sleep 0.2; mkdir proc; mount --rbind "$1" proc; mount -t proc proc /proc; mkdir sys; mount --rbind /sys sys; ' \
              'ls proc | grep -c "^[0-9]"; exec "$2" "HostRoot=$PWD" "Backend=$3"'
    try:
        done = subprocess.run(["unshare", "-pfm", "sh", "-c", command, "sh", "/proc", PROCTABLE, backend], cwd=tap.directory(),
                              input="totals\n", capture_output=True, text=True, errors="replace", check=False)
        listed = int(done.stdout.split("\n", 1)[0])
    except (FileNotFoundError, ValueError) as e:
        tap.skip(f"{backend}: in a pid namespace", f"cannot be made: {e}")
        return
    found = re.search(r" processes=(\d+) ", done.stdout)
    tap.ok("another pid namespace" in done.stdout or (found and int(found[1]) >= listed * 0.8 - 8),
           f"{backend}: in a pid namespace it sees the machine's processes, or says why not", listed, done.stdout, done.stderr)


def bounded(backend, sleepers):
    # those that come first in a walk are the kernel's and a busy init: some of ours are among them, and prove what it reads
    room = sum(int(name) <= sleepers.pids[len(sleepers.pids) // 2] for name in os.listdir("/proc") if name.isdigit())
    table = Table(f"Backend={backend}", f"MaxProcesses={room}")
    if not tap.ok(table.state == "on", f"{backend}: it works with room for {room} processes", table.reason):
        return
    first, second = table.scan(), table.scan()
    # those that have gone keep their slots for a round
    tap.ok(room - 10 < len(second.procs) + len(second.deaths) <= room and second.totals["overflow"] > 0 and
           second.totals["capacity"] <= room,
           f"{backend}: no more processes than there is room for", second.totals)
    tap.ok({p["slot"] for p in first.procs.values()} >= {p["slot"] for p in second.procs.values() if not p["changed"] & 1},
           f"{backend}: those that are in stay in")
    log = table.close()
    tap.same(log.count("MaxProcesses"), 1, f"{backend}: and it is said once")


def threads(backend, table, crowd):
    """One process with very many threads."""
    compare, pid = Compare(backend), crowd.pids[0]
    before = reader(pid)
    now = table.scan()
    compare.process(now.procs[pid], before, reader(pid))
    tap.ok(not compare.wrong, f"{backend}: equal to /proc with {THREADS} threads", *compare.wrong)
    tap.same(now.procs[pid]["threads"], int(THREADS) + 1, f"{backend}: all threads are counted")
    tap.ok(now.totals["threads"] > int(THREADS), f"{backend}: among all those of the machine", now.totals)
    tap.diag(f"{backend}: " + table.ask("bench 3")[0] + f" with {now.totals['threads']} threads")


def unwanted(backend, pid):
    """Without BPF it is not there for nothing."""
    table = Table(f"Backend={backend}", "Want=1")
    procs = [table.scan() for _ in range(3)][-1].procs
    tap.same([procs[pid][field] for field in (*IO, "fds", "fd_limit", "maps")], [None] * (len(IO) + 3), f"{backend}: no more files than asked for")
    table.close()


def wanted(backend, crowds):
    """I/O, descriptors and maps: as /proc has them, from the first round on, also of those that have slept since before it."""
    bpf = backend in ("bpf", "iter")
    table, compare = Table(f"Backend={backend}", "Want=3"), Compare(backend)
    io, pages, page = Crowd("io", "300"), 300, os.sysconf("SC_PAGESIZE")
    pid, written = io.pids[0], 0
    settled = [pid for kind in ("sleepers", "threads", "ended", "vmas", "files", "zombie", "stopped", "names")
               for pid in crowds[kind].pids] + io.pids

    def scan():
        # files are read after the walk, for the next one
        return [table.scan() for _ in range(1 if bpf else 2)][-1].procs

    for turn in range(20):
        before = {pid: wanted_reader(pid) for pid in settled}
        procs = scan()
        after = {pid: wanted_reader(pid) for pid in settled}
        for one in settled:
            compare.pid = one
            for field, value in before[one].items():
                known = bpf or field != "maps"
                compare.one(field, procs[one][field], value if known else None, after[one][field] if known else None)
        if turn % 5 != 1:
            continue
        was = procs[pid]
        if not tap.same(io.ask(), ["done"], f"{backend}: a process writes and reads"):
            break
        now, said = scan()[pid], wanted_reader(pid)
        tap.ok(now["cminflt"] > was["cminflt"], f"{backend}: that it has waited for a child shows", was, now)
        if said["wchar"] is None:
            continue
        # its thread and the one child that it has waited for, and a word to us
        tap.same([now[field] - was[field] for field in ("wchar", "syscw")], [4 * pages * page + 5, 4 * pages + 1],
                 f"{backend}: all that it has written is counted, by bytes and calls")
        tap.ok(now["rchar"] - was["rchar"] >= 2 * pages * page, f"{backend}: and all that it has read", was, now)
        tap.diag(f"{backend} disk: " + " ".join(f"{field}={now[field] - was[field]}" for field in IO))
        on_disk = said["write_bytes"] - before[pid]["write_bytes"]
        written += on_disk > 0
        tap.ok(not on_disk or now["write_bytes"] - was["write_bytes"] >= 2 * pages * page, f"{backend}: so is what came to a disk, if it did",
               was, now)
    tap.ok(not compare.wrong, f"{backend}: I/O, descriptors and maps are equal to /proc", *compare.wrong[:20])
    readable = os.access(f"/proc/{pid}/io", os.R_OK)
    for field in (*IO, "fds", "fd_limit", "cminflt", *(["maps"] if bpf else [])):
        tap.diag(f"{backend} {field}: {compare.counts[field]} comparisons")
        tap.ok(compare.counts[field] or not readable, f"{backend}: it was compared: {field}")
    tap.diag(f"{backend}: {written} times on a disk")
    tap.ok(procs[crowds["files"].pids[0]]["fds"] >= 3000, f"{backend}: a process with 3000 descriptors")
    if bpf:
        tap.ok(procs[crowds["vmas"].pids[0]]["maps"] >= 5000, f"{backend}: a process with 5000 maps")
    table.close()
    io.close()


def sliced(backend, crowds):
    """The same, broken off wherever it can be."""
    table = Table(f"Backend={backend}", "Slices=yes")
    table.scan()
    slices = int(table.word("slices"))
    tap.ok(slices > 2, f"{backend}: a walk in slices ({slices})")
    accuracy(backend, table, crowds)
    reuse(backend, table)
    table.close()


def wrapped(backend):
    """Numbers have begun again: a thread comes before the first of its process, in the first round, too."""
    crowd = Crowd("wrapped")
    pid = crowd.pids[0]
    if min(map(int, os.listdir(f"/proc/{pid}/task"))) == pid:
        tap.skip(f"{backend}: a thread with a smaller number", "it cannot be chosen")
        crowd.close()
        return
    compare, table = Compare(backend), Table(f"Backend={backend}")
    for _ in range(2):
        before = reader(pid)
        compare.process(table.scan().procs[pid], before, reader(pid))
    tap.ok(not compare.wrong, f"{backend}: a thread with a smaller number", *compare.wrong)
    table.close()
    crowd.close()


def grows(backend):
    """More come than it was made for, while it looks."""
    # it is made for half as many more as there are threads
    room = max(1024, int(tap.read("/proc/loadavg").split("/")[1].split()[0]) * 3 // 2)
    table = Table(f"Backend={backend}")
    if table.state != "on":
        table.close()
        return
    rounds = [table.scan()]
    program = tap.start([CROWD, "machine", GROWTH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not select.select([program.stdout], [], [], 0)[0]:
        rounds.append(table.scan())
    rounds.append(table.scan())
    pids = {int(word) for word in program.stdout.readline().split() if word.isdigit()}
    tap.ok(pids and pids <= set(rounds[-1].procs), f"{backend}: all of {len(pids)} that come at once are there")
    tap.ok(not any(one.failed or one.totals["overflow"] for one in rounds), f"{backend}: and in all of {len(rounds)} rounds it works")
    anew = table.close().count("is made anew")
    if backend == "bpf" and len(pids) > room + 100:
        tap.ok(anew, f"{backend}: it was made anew for them ({anew} times)")
    program.communicate()


def crowded():
    """A machine with more processes than a table has room for: each is the same one."""
    most, more = int(PROCESSES), 50
    root = tap.directory(tap.in_memory())
    for name in ("stat", "statm", "status"):
        tap.write(f"{root}/one/{name}", tap.read(f"/proc/self/{name}"))
    os.mkdir(f"{root}/proc")
    for pid in range(1, most + more + 1):
        os.symlink("../one", f"{root}/proc/{pid}")
    for backend in ("fds", "files"):
        table = Table(f"HostRoot={root}", f"Backend={backend}", f"MaxProcesses={most}")
        for when in ("first seen", "known"):
            totals = table.totals()
            tap.same((totals["processes"], totals["overflow"]), (most, more), f"{backend}: {most} processes, {more} more, {when}")
        log = table.close()
        tap.same(log.count(f"{more} more are left out (MaxProcesses)"), 1, f"{backend}: it is said, once")


def budget():
    """Few descriptors: the values are the same."""
    crowd = Crowd("sleepers", "40")
    table = Table("Backend=fds", "MaxFiles=20")
    idle = int(table.word("fds"))
    for _ in range(4):
        now = table.scan()
    open_now = int(table.word("fds"))
    tap.ok(idle < open_now <= idle + 20, f"fds: within its budget ({idle}, {open_now})")
    wrong = [pid for pid in crowd.pids if now.procs[pid]["rss"] != reader(pid)["rss"]]
    tap.ok(not wrong, "fds: equal to /proc also beyond its budget", wrong)
    crowd.close()


def choice():
    """Which back end, and why."""
    table = Table()
    tap.ok(table.state == "on" and "back end " in table.reason, f"auto: {table.reason}")
    table.close()
    if os.getuid() == 0:
        table = Table(preexec_fn=lambda: os.setuid(65534))
        tap.ok(re.match(r"back end (fds|files): .*not bpf: .*not iter: .*(CAP_SYS_ADMIN|needs Linux [0-9.]+|without libbpf)$", table.reason),
               f"auto without rights: {table.reason}")
        tap.ok(os.getpid() in table.scan().procs, "auto without rights: works")
        table.close()
    table = Table("HostRoot=" + tap.directory(), "Backend=files")
    tap.ok(table.state == "off" and "/proc" in table.reason, f"no /proc: {table.reason}")
    root = tap.directory()
    for name in ("stat", "statm", "status"):
        tap.write(f"{root}/proc/1/{name}", tap.read(f"/proc/self/{name}"))
    tap.write(f"{root}/sys/devices/system/cpu/online", "0-1024\n")
    table = Table(f"HostRoot={root}")
    tap.ok(re.search(r"^back end fds: .*not bpf: (more than 1024 CPUs|qmem was built without)", table.reason),
           f"auto with more CPUs than it has room for: {table.reason}")
    table.close()


def hidden():
    """A /proc that shows others' processes by name only, or not at all."""
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    for hidepid in (1, 2):
        root = tap.directory()
        os.mkdir(f"{root}/proc")
        mount = f"mount -t proc -o hidepid={hidepid} proc {root}/proc && exec \"$@\""
        try:
            done = subprocess.run(["unshare", "-m", "sh", "-c", mount, "sh", *nobody, PROCTABLE, f"HostRoot={root}", "Backend=files"],
                                  input="totals\ntotals\n", capture_output=True, text=True, errors="replace", check=False)
        except FileNotFoundError as e:
            tap.skip("hidepid", e)
            return
        rounds = re.findall(r" hidden=(\d+)", done.stdout)
        if not rounds:
            tap.skip("hidepid", f"no such mount: {done.stderr.strip()[-100:]}")
            return
        said = "/proc hides other users' processes (hidepid)" in done.stdout.splitlines()[0]
        if hidepid == 1:
            tap.ok(all(int(n) > 0 for n in rounds), f"hidepid: they are counted ({rounds})", done.stdout)
            tap.same(done.stderr.count("(hidepid)"), 1, "hidepid: and it is said, once")
            tap.ok(not said, "hidepid: they are not said to be invisible", done.stdout)
        else:
            tap.ok(said, "hidepid=2: that they are invisible is said", done.stdout)


def without_libbpf():
    """A library that is missing when it is wanted: the next back end, and a collectd that loads the plugin all the same."""
    hide = "found=$(ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p'); [ \"$found\" ] || exit; " \
           "for l in $found; do mount --bind /dev/null $l || exit; done; echo hidden; "

    def run(*command):
        """What it says without the library; None if that cannot be hidden."""
        try:
            done = subprocess.run(["unshare", "-m", "sh", "-c", hide + 'exec "$@"', "sh", *command], input="scan\n",
                                  capture_output=True, text=True, errors="replace", check=False)
        except FileNotFoundError:
            return None
        return done.stdout[len("hidden\n"):] + done.stderr if done.stdout.startswith("hidden\n") else None

    said = run(PROCTABLE)
    if said is None:
        tap.skip("without libbpf", "it cannot be found and hidden here")
        return
    tap.ok(re.match(r"on back end (fds|files): .*; not bpf: [^;]*libbpf.*; not iter: [^;]*libbpf", said),
           "without libbpf: " + said.splitlines()[0])
    tap.ok(f" pid={os.getpid()} " in said, "without libbpf: processes are there")
    host, types = os.path.join(tap.BUILD, "tests/host_collectd"), "/usr/share/collectd/types.db"
    if os.access(host, os.X_OK) and os.path.exists(types):
        said = run(host, os.path.join(tap.BUILD, ".libs/qmem.so"), types, os.path.join(tap.SRC, "tests/roots/6.12-x86_64"))
        tap.ok("qmem_procstat/" in said, "without libbpf: the plugin is loaded by collectd's daemon", said[-300:])


def main():
    tap.alone()
    for backend in BACKENDS:
        grows(backend)
    crowds = {"sleepers": Crowd("sleepers", "60"), "burners": Crowd("burners", "3"), "sharers": Crowd("sharers", "4"),
              "threads": Crowd("threads", "300"), "ended": Crowd("ended", "3"), "vmas": Crowd("vmas", "5000"), "files": Crowd("files", "3000"), "zombie": Crowd("zombie"), "leaderless": Crowd("leaderless"),
              "stopped": Crowd("stopped"), "blocked": Crowd("blocked"), "names": Crowd("names")}
    expected = {"stopped": "T", "zombie": "Z", "leaderless": "Z"}
    tap.ok(tap.wait_for(lambda: all(reader(crowds[kind].pids[0])["state"] == state for kind, state in expected.items())), "the processes are what they shall be")
    many = Crowd("threads", THREADS)
    for backend in BACKENDS:
        table = Table(f"Backend={backend}")
        if table.state != "on":
            tap.skip(f"{backend}", table.reason)
            continue
        tap.diag(table.reason)
        tap.ok(f"back end {backend}: " in table.reason and "; as Backend says" in table.reason, f"{backend}: as it was asked for",
               table.reason)
        if KERNEL < (6, 2) or KERNEL >= (6, 12) or backend in ("bpf", "iter"):
            # in between, what files say depends on what a kernel has taken over
            tap.same("RSS is approximate" in table.reason, KERNEL < (6, 2), f"{backend}: it is said where RSS is approximate")
        accuracy(backend, table, crowds)
        states(backend, table, crowds)
        changes(backend, table)
        robbed(backend, table)
        swapped(backend, table)
        moved(backend, table, crowds["sleepers"].pids[7])
        frozen(backend, table)
        whole(backend, table)
        reuse(backend, table)
        threads(backend, table, many)
        wrapped(backend)
        churn(backend, table)
        table.close()
        sliced(backend, crowds)
        wanted(backend, crowds)
        if backend in ("fds", "files"):
            unwanted(backend, crowds["sleepers"].pids[0])
        bounded(backend, crowds["sleepers"])
        namespace(backend)
    many.close()
    budget()
    choice()
    hidden()
    without_libbpf()
    crowded()
    for crowd in crowds.values():
        crowd.close()
    tap.done()


if __name__ == "__main__":
    main()
