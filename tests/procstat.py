#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""procstat and cpuload on this machine, against an independent reader of /proc, on processes started here."""

import collections
import glob
import os
import re
import shutil
import subprocess

import tap

TICKS = os.path.join(tap.BUILD, "tests/ticks")
CROWD = os.path.join(tap.BUILD, "tests/crowd")
HZ = os.sysconf("SC_CLK_TCK")
NAMES = {"running": "R", "sleeping": "S", "blocked": "D", "stopped": "T", "traced": "t", "zombie": "Z", "dying": "X",
         "parked": "P", "idle": "I"}


class Ticks:
    """All services, a tick at a time."""

    def __init__(self, *options):
        self.program = tap.start([TICKS, "pressure.Enabled=no", "netstat.Enabled=no", *options], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True, errors="surrogateescape")
        self.values, self.events = {}, []
        status = [line.split(" ", 3) for line in self.ask("status")]
        self.notes = {name: (state, reason) for _, name, state, reason in status}

    def ask(self, question=""):
        lines = []
        self.program.stdin.write(question + "\n")
        self.program.stdin.flush()
        for line in self.program.stdout:
            line = line.rstrip("\n")
            if line == "end":
                return lines
            lines.append(line)
        raise RuntimeError("ticks has died")

    def tick(self, later=0):
        """The values by name, so many milliseconds later than it is; events are collected."""
        self.values = {}
        for line in self.ask(f"+{later}"):
            found = re.match(r"(\w+\.\w+\.\w+(?:\[.*\])?) (-|-?[0-9.]+) [\w-]+( total)?$", line)
            if line.startswith("event "):
                self.events.append([line])
            elif line.startswith("  ") and self.events:
                self.events[-1].append(line.strip())
            elif found:
                self.values[found[1]] = None if found[2] == "-" else float(found[2])
        return self.values

    def close(self):
        self.program.stdin.close()
        self.program.wait()


class Crowd:
    def __init__(self, *what, program=CROWD):
        self.program = tap.start([program, *what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pids = [int(pid) for pid in self.program.stdout.readline().split()]

    def close(self):
        self.program.communicate()


# ---- the independent reader ----

def stat(path):
    """The words of a stat file from the third on."""
    with open(path, "rb") as f:
        text = f.read()
    return text[text.rindex(b")") + 2:].decode().split()


def count_states(pattern):
    """How many there are in each state. There are machines that hide process 1 from BPF: it is counted apart, as "1"."""
    states = collections.Counter()
    for path in glob.glob(pattern):
        try:
            states[stat(path)[0]] += 1
            states["1"] += path.startswith("/proc/1/")
        except (OSError, ValueError):
            pass
    return states


def system():
    """/proc/stat: the columns of its first line in seconds, and the single numbers."""
    numbers = {}
    for line in tap.read("/proc/stat").splitlines():
        key, *words = line.split()
        if key == "cpu":
            columns = [int(word) / HZ for word in words]
        elif len(words) == 1:
            numbers[key] = int(words[0])
    user, nice, system_, idle, iowait, irq, softirq, steal, guest, guest_nice = columns[:10]
    numbers["modes"] = {"user": user - guest, "nice": nice - guest_nice, "system": system_, "idle": idle, "iowait": iowait,
                        "irq": irq, "softirq": softirq, "steal": steal, "guest": guest + guest_nice}
    return numbers


def between(low, value, high, slack=0.0):
    return value is not None and min(low, high) - slack <= value <= max(low, high) + slack


# ---- tests ----

def states(name, ticks, family, pattern):
    """
    As many in each state as there are before or after. On a machine with much to do states change while they are counted: who
    is awake, waits or sleeps is a sum, each other one must be right once, and whoever comes meanwhile may be in any state.
    """
    right, wrong, hidden = set(), [], False
    for _ in range(100):
        forks = system()["processes"]
        before = count_states(pattern)
        values = ticks.tick()
        after = count_states(pattern)
        forks = system()["processes"] - forks
        got = {letter: values[f"procstat.{family}.{word}"] for word, letter in NAMES.items()}
        wrong = []
        for letters in ("RSD", *"DTtZXPI"):
            low, high = (sum(count[letter] for letter in letters) for count in (before, after))
            value = sum(got[letter] for letter in letters)
            if between(low, value, high, forks):
                right.add(letters)
            elif letters == "RSD" and not name.startswith("files") and between(low - before["1"], value, high - after["1"], forks):
                right.add(letters)
                hidden = True
            else:
                wrong.append((letters, low, value, high, forks))
        if len(right) == 8 and got["R"] >= 1:
            break
    if hidden:
        tap.diag(f"{name}: process 1 is not in the table")
    tap.ok(len(right) == 8, f"{name}: {family} by state are those of /proc", right, wrong)
    tap.ok(got["T"] >= 1 and got["Z"] >= 1 and got["D"] >= 1 and got["I"] >= 1,
           f"{name}: {family}: a stopped one, a zombie, a blocked one and an idle one are among them", got)
    tap.same(values[f"procstat.{family}.other"], 0.0, f"{name}: {family}: no state is unknown")


def turnover(name, ticks):
    """Forks are those of /proc/stat; who came and went is counted."""
    before = begin = system()["processes"]
    first = ticks.tick()
    after = system()["processes"]
    tap.ok(between(before, first["procstat.started.forks"], after), f"{name}: forks are those of /proc/stat",
           before, first["procstat.started.forks"], after)
    crowd = Crowd("sleepers", "50")
    second = ticks.tick()
    end = system()["processes"]
    crowd.close()
    third = ticks.tick()
    born = second["procstat.turnover.born"] - first["procstat.turnover.born"]
    died = third["procstat.turnover.died"] - second["procstat.turnover.died"]
    forks = second["procstat.started.forks"] - first["procstat.started.forks"]
    # others come and go, too, and threads are counted among the forks
    tap.ok(51 <= born <= end - begin and died >= 51, f"{name}: {born:.0f} were born, {died:.0f} have died, of 51", end - begin)
    tap.ok(forks >= 51, f"{name}: and forks have counted them")
    tap.same(third["procstat.turnover.born"] - first["procstat.turnover.born"]
             - (third["procstat.turnover.died"] - first["procstat.turnover.died"]),
             third["procstat.tasks.processes"] - first["procstat.tasks.processes"], f"{name}: births and deaths add up")


def zombies(name, ticks):
    values = ticks.tick()
    tap.ok((values.get("procstat.zombies.zombies[crowd]") or 0) >= 1, f"{name}: the zombie is its parent's",
           {key: value for key, value in values.items() if "zombies" in key})


def stuck(name, ticks):
    """One that is in state D since after the first census; after a second it is an event, and when it is over another."""
    before = len(ticks.events)
    crowd = Crowd("blocked")
    pid = crowd.pids[0]
    tap.ok(tap.wait_for(lambda: stat(f"/proc/{pid}/stat")[0] == "D"), f"{name}: one is blocked")

    def mine():
        ticks.tick(100)
        return [e for e in ticks.events[before:] if "procstat.stuck[crowd:" in e[0] and f"pid={pid}" in e]

    found = tap.wait_for(mine, every=0)
    wchan = tap.read(f"/proc/{pid}/wchan")
    wchan = "unknown" if wchan == "0" else re.split(r"[.+]", wchan)[0]
    if not tap.ok(found, f"{name}: it becomes an event"):
        crowd.close()
        return
    owner = f":{os.getuid()}" if os.getuid() else ""
    head, *fields = found[0]
    tap.diag(head)
    fields = dict(field.split("=", 1) for field in fields)
    tap.ok(head.startswith(f"event WARNING procstat.stuck[crowd:{wchan}{owner}] task is stuck in state D: 'crowd' (pid {pid}), user "),
           f"{name}: that says who", head)
    tap.same((fields["pid"], fields["tid"], fields["comm"], fields["wchan"], fields["uid"]),
             (str(pid), str(pid), "crowd", wchan, str(os.getuid())), f"{name}: and where, and whose")
    tap.ok(any(line.split(":", 2)[2] == fields["cgroup"] for line in tap.read(f"/proc/{pid}/cgroup").splitlines()),
           f"{name}: and its cgroup", fields)
    values = ticks.tick()
    tap.ok(values["procstat.census.stuck"] >= 1 and values["procstat.wait.longest"] >= 1, f"{name}: it is counted, and its time",
           {key: value for key, value in values.items() if "census" in key or "wait" in key})
    tap.ok((values.get(f"procstat.blocked.tasks[{wchan}]") or 0) >= 1, f"{name}: and where it waits: {wchan}",
           {key: value for key, value in values.items() if ".blocked" in key})
    tap.same(len(mine()), 1, f"{name}: it is said once")
    crowd.close()
    found = mine()
    tap.ok(len(found) == 2 and found[1][0].startswith(
        f"event OKAY procstat.stuck[crowd:{wchan}{owner}] task is no longer stuck: 'crowd' (pid {pid}), it was for "),
           f"{name}: and when it is over", found)


def stuck_thread(name, ticks):
    """A thread that is stuck, not the first of its process: seen and named where all threads are."""
    before = len(ticks.events)
    crowd = Crowd("blocked_thread")
    pid = crowd.pids[0]

    def blocked():
        tasks = [int(os.path.basename(path)) for path in glob.glob(f"/proc/{pid}/task/*")]
        return [tid for tid in tasks if stat(f"/proc/{pid}/task/{tid}/stat")[0] == "D"]

    tids = tap.wait_for(blocked)
    tap.ok(tids and pid not in tids, f"{name}: a thread is blocked")

    def found():
        ticks.tick(100)
        return [e for e in ticks.events[before:] if "procstat.stuck[crowd-thread:" in e[0] and f"tid={tids[0]}" in e]

    event = tap.wait_for(found, every=0)
    tap.ok(event and f"stuck in state D: 'crowd-thread' (thread {tids[0]} of pid {pid}), user " in event[0][0]
           and f"tid={tids[0]}" in event[0] and f"pid={pid}" in event[0], f"{name}: and becomes an event", event)
    crowd.close()


def baseline(name, options):
    """What was in state D before the first census is usual."""
    crowd = Crowd("blocked")
    pid = crowd.pids[0]
    tap.wait_for(lambda: stat(f"/proc/{pid}/stat")[0] == "D")
    ticks = Ticks(*options)
    for _ in range(25):    # more than twice StuckAfter
        values = ticks.tick(100)
    tap.ok(values["procstat.census.usual"] >= 1 and not [e for e in ticks.events if f"pid={pid}" in e],
           f"{name}: what was blocked before is usual", values["procstat.census.usual"], ticks.events)
    ticks.close()
    crowd.close()


FREEZER = "/sys/fs/cgroup/freezer"


def thaw(directory, crowd):
    tap.write(f"{directory}/freezer.state", "THAWED")
    for sleeper in crowd:
        sleeper.kill()
        sleeper.wait()
    tap.wait_for(lambda: not tap.read(f"{directory}/cgroup.procs"))
    os.rmdir(directory)


def frozen(name, options):
    """A container that is paused (cgroup v1) is in state D, and waits for nothing."""
    test = f"{name}: frozen processes are not stuck"
    directory = f"{FREEZER}/qmem-test-{os.getpid()}"
    if not os.path.exists(f"{FREEZER}/cgroup.procs"):
        tap.skip(test, "the freezer of cgroup v1 is not mounted")
        return
    try:
        os.mkdir(directory)
    except OSError as e:
        tap.skip(test, e)
        return
    ticks = Ticks(*options)
    ticks.tick()
    crowd = [tap.start(["sleep", "1000"]), tap.start(["sleep", "1000"]),
             tap.start(["sh", "-c", "while :; do :; done"])]
    pids = [sleeper.pid for sleeper in crowd]
    try:
        tap.wait_for(lambda: all("sleep" in tap.read(f"/proc/{pid}/comm") for pid in pids[:2]))
        for pid in pids:
            tap.write(f"{directory}/cgroup.procs", str(pid))
        tap.write(f"{directory}/freezer.state", "FROZEN")
        tap.ok(tap.wait_for(lambda: tap.read(f"{directory}/freezer.state") == "FROZEN\n"
                            and all(stat(f"/proc/{pid}/stat")[0] == "D" for pid in pids)),
               f"{name}: three are frozen, in state D")
        most = max(ticks.tick(100)["procstat.census.stuck"] for _ in range(30))    # StuckAfter and 2 s
        events = [event for event in ticks.events if any(f"[{pid}]" in event[0] for pid in pids)]
        # others may be stuck meanwhile, but have an event then
        tap.ok(not events and (most == 0 or ticks.events), test, most, ticks.events)
    finally:
        thaw(directory, crowd)
        ticks.close()


def cpu(ticks):
    """CPU time by mode, load, run queue, context switches."""
    before = system()
    values = ticks.tick()
    after = system()
    wrong = []
    for mode, low in before["modes"].items():
        # guest time is counted twice, at two instants
        if not between(low, values[f"cpuload.cpu.{mode}"], after["modes"][mode], 1.5 / HZ):
            wrong.append((mode, low, values[f"cpuload.cpu.{mode}"], after["modes"][mode]))
    tap.ok(not wrong and len(before["modes"]) == 9, "CPU time by mode is that of /proc/stat", wrong)
    tap.ok(between(before["ctxt"], values["cpuload.context.switches"], after["ctxt"]), "context switches")
    tap.ok(values["cpuload.queue.running"] >= 1 and values["cpuload.queue.blocked"] is not None, "the run queue")

    def load():
        low = [float(word) for word in tap.read("/proc/loadavg").split()[:3]]
        got = ticks.tick()
        high = [float(word) for word in tap.read("/proc/loadavg").split()[:3]]
        return low == high == [got[f"cpuload.load.{span}"] for span in ("shortterm", "midterm", "longterm")]
    tap.ok(tap.wait_for(load), "load averages are those of /proc/loadavg")


def burners(name, ticks):
    """The CPU time of a group is what its members have used meanwhile."""
    # a name that no other test's processes have, which may end meanwhile
    path = os.path.join(tap.directory(), f"burn{os.getpid()}")
    shutil.copy(CROWD, path)
    comm = os.path.basename(path)
    crowd = Crowd("spinners", "2", program=path)

    def used():
        """By all of that name, in seconds: user, system."""
        sums = [0, 0]
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, "rb") as f:
                    mine = f"({comm})".encode() in f.read()
                words = stat(path) if mine else []
            except OSError:
                continue
            for i in range(2 if mine else 0):
                sums[i] += int(words[11 + i]) / HZ
        return sums

    def group():
        """What they had used before the tick, what it says, and what they had after it."""
        before = used()
        values = ticks.tick()
        return before, [values.get(f"cpuload.time.{what}[{comm}]") for what in ("user", "syst")], used()

    # until it has a place
    tap.wait_for(lambda: group()[1][0] is not None)
    first = group()
    start = sum(first[0])
    tap.wait_for(lambda: sum(used()) > start + 1, 60)
    second = group()
    crowd.close()
    ticks.tick()
    last = ticks.tick()
    if not tap.ok(None not in first[1] + second[1], f"{name}: the group of the burners has a place", first, second):
        return
    # user and system time are told apart by ticks, their sum is exact; each of a handful of processes to a tick or two
    low, got, high = sum(second[0]) - sum(first[2]), sum(second[1]) - sum(first[1]), sum(second[2]) - sum(first[0])
    tap.ok(got > 0.5 and between(low, got, high, 20 / HZ), f"{name}: its CPU time is that of its members ({got:.2f} s)",
           low, got, high)
    tap.ok(second[1][0] >= first[1][0] and second[1][1] >= first[1][1]
           and (last.get(f"cpuload.time.user[{comm}]") or second[1][0]) >= second[1][0], f"{name}: and never falls")
    groups = [key for key in last if key.startswith("cpuload.time.user")]
    tap.ok("cpuload.time.user[kernel]" in groups and len(groups) <= 102, f"{name}: {len(groups)} groups, the kernel apart", groups)


def main():
    tap.not_crowded()
    crowds = [Crowd("zombie"), Crowd("stopped"), Crowd("blocked"), Crowd("threads", "40")]
    for backend in ("auto", "files"):
        options = [f"proctable.Backend={backend}", "procstat.StuckAfter=1s", "procstat.TopChannels=100", "cpuload.Top=100"]
        ticks = Ticks(*options)
        tap.diag(f"{backend}: {ticks.notes['proctable'][1]}; {ticks.notes['procstat'][1]}")
        tap.same((ticks.notes["procstat"][0], ticks.notes["cpuload"][0]), ("on", "on"), f"{backend}: both run")
        states(backend, ticks, "states", "/proc/[0-9]*/stat")
        if "procstat.threads.running" in ticks.values:
            states(backend, ticks, "threads", "/proc/[0-9]*/task/[0-9]*/stat")
            stuck_thread(backend, ticks)
        else:
            tap.ok("first threads only" in ticks.notes["procstat"][1], f"{backend}: threads are not seen, and it is said")
        zombies(backend, ticks)
        turnover(backend, ticks)
        stuck(backend, ticks)
        burners(backend, ticks)
        if backend == "auto":
            cpu(ticks)
        ticks.close()
        baseline(backend, options)
        frozen(backend, options)
    for crowd in crowds:
        crowd.close()
    tap.done()


if __name__ == "__main__":
    main()
