# SPDX-License-Identifier: MIT
"""
A process that holds the lock of its own address space, so that whoever reads its smaps_rollup, smaps or cmdline waits in the
kernel for as long as it lasts: neither the ticks nor the agent's exit do, nor, after a while, do those who read other
processes. Then more of them than may be left behind.
"""

import os
import subprocess
import sys
import time

import collectd_daemon
import stream
import tap

NAME, LATE = "qmemlocked", "qmemlate"
STOP = 5    # seconds an agent may take to stop
TICKS = 4   # that have to come while a worker waits
SLOW = 120  # seconds for what must come; a bound, never a goal
LEFT = 4    # threads that may be left behind, beside the first one and the one that waits
FILES = ("smaps_rollup", "smaps", "cmdline")

# What makes a worker read each of the files. The group `late` is of a process that is not there at first, nor locked.
GLOBAL = "[global]\nStuckAfter = 2s\n"
GROUPS = f"[procmem.group \"locked\"]\nComm = {NAME}\n[procmem.group \"late\"]\nComm = {LATE}\n"
CONFIGS = {
    "smaps_rollup": f"{GLOBAL}[procmem]\nPssBudget = 1s\n{GROUPS}",
    "smaps": f"{GLOBAL}{GROUPS}[heapmon]\nGroup = locked\nGroup = late\n",
    "cmdline": f"{GLOBAL}[procmem]\nGroupBy = exe\n"
               f"[procmem.group \"locked\"]\nCmdline = /mmaplock/\n[procmem.group \"late\"]\nCmdline = /{LATE}/\n",
}
# what is known of it when it has been read
KNOWN = {
    "smaps_rollup": lambda v: v.get("procmem.pss", {}).get("late", {}).get("pss", 0) > 0,
    "smaps": lambda v: v.get("heapmon.rss", {}).get("late", {}).get("anon", 0) > 0,
    "cmdline": lambda v: v["procmem.processes"]["late"]["count"] == 1,
}
COLLECTD = f"""StuckAfter 2
<Service "procmem">
PssBudget 1s
<Group "locked">
Cmdline "/mmaplock/"
</Group>
<Group "locked too">
Comm "{NAME}"
</Group>
<Group "late">
Cmdline "/{LATE}/"
</Group>
</Service>
<Service "heapmon">
Group "locked too"
Group "late"
</Service>"""


def blocks(path):
    """Does a reader of the file wait? A child, which is killed then: the wait can be."""
    child = subprocess.Popen(["cat", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(0.3)
        return False
    except subprocess.TimeoutExpired:
        return waits(child.pid)
    finally:
        child.kill()
        child.wait()


def waits(pid, seconds=20):
    """Is a thread of it in state D, and for longer than a look?"""
    def blocked():
        found = set()
        for tid in os.listdir(f"/proc/{pid}/task"):
            try:
                if tap.read(f"/proc/{pid}/task/{tid}/stat").rsplit(")", 1)[1].split()[0] == "D":
                    found.add(tid)
            except OSError:
                pass
        return found
    return tap.wait_for(lambda: (time.sleep(0.1), blocked())[1] & blocked(), seconds)


class Locked:
    """The process, while it lasts; `reason`: there is none."""

    def __init__(self, directory, uid=0):
        self.reason, self.pid = "", None
        program, path = os.path.join(tap.BUILD, "tests", "mmaplock"), os.path.join(directory, f"file{uid}")
        tap.write(path, "")
        self.child = tap.start([program, path, str(uid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.child.stdout.readline()
        if not line:
            self.reason = self.child.stderr.read().decode().strip()
            return
        self.pid = int(line)
        free = [name for name in FILES if not blocks(f"/proc/{self.pid}/{name}")]
        if free:
            self.reason = f"{', '.join(free)} can be read nevertheless"

    def close(self):
        if self.child.stdin.closed:
            return
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()


def lock(directory, uid=0):
    """Whether the one of its threads is at its fault before the other one asks, is chance."""
    for _ in range(5):
        locked = Locked(directory, uid)
        if "nevertheless" not in locked.reason:
            break
        locked.close()
    return locked


class Late:
    """A process like any other."""

    def __init__(self):
        text = f"import sys; open('/proc/self/comm', 'w').write('{LATE}'); sys.stdin.read()"
        self.child = tap.start([sys.executable, "-c", text], stdin=subprocess.PIPE)

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def left(values):
    return values["self.left"][None]["targets"]


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def stuck(name, one, locked):
    """The ticks come all the same, and the process is named."""
    # its turn comes among all processes of the machine, and only while the ticks are read
    tap.ok(tap.wait_for(lambda: one.tick(20) and waits(one.child.pid, 1), SLOW), f"{name}: the worker waits", one.stderr())
    ticks = [one.tick(20) for _ in range(TICKS)]
    tap.ok(all(v and v["procmem.rss"] for v in ticks), f"{name}: {TICKS} ticks come meanwhile", one.stderr())
    tap.ok(one.until(lambda v: left(v) > 0, SLOW), f"{name}: it is left behind", one.stderr())
    said = f"file is stuck, all else goes on: {name} of pid {locked.pid}, for "
    tap.ok(said in one.stderr(), f"{name}: and named", one.stderr())


def meanwhile(name, one):
    """Others are read."""
    values = one.until(KNOWN[name], SLOW)
    tap.ok(values, f"{name}: one that is not locked is read meanwhile", one.stderr())
    tap.ok(values and left(values) > 0 and waits(one.child.pid), f"{name}: the first one still waits", values)
    if values and name != "cmdline":
        # a process like any other, but for what is in the file
        tap.ok(values["procmem.processes"]["locked"]["count"] == 1 and "locked" not in values.get("procmem.pss", {})
               and "locked" not in values.get("heapmon.rss", {}), f"{name}: what is not known is absent", values)


def last_of(daemon, identifier):
    rows = daemon.written(identifier)
    return rows[-1][1] if rows else 0


def stuck_collectd(daemon, locked):
    tap.ok(waits(daemon.child.pid), "collectd: the worker waits", daemon.text())
    tap.ok(tap.wait_for(lambda: last_of(daemon, "qmem_self/threads-left_targets") > 0, SLOW), "collectd: it is left behind",
           daemon.text())
    tap.ok(f"of pid {locked.pid}, for " in daemon.text(), "collectd: and named", daemon.text())


def meanwhile_collectd(daemon):
    for name in ("qmem_procmem-late/memory-pss_pss", "qmem_heapmon-late/memory-rss_anon"):
        tap.ok(tap.wait_for(lambda name=name: last_of(daemon, name) > 0, SLOW), f"collectd: {name} is known meanwhile", daemon.text())
    tap.ok(last_of(daemon, "qmem_self/threads-left_targets") > 0 and waits(daemon.child.pid), "collectd: the first one still waits")


def real(directory):
    locked = lock(directory)
    if locked.reason:
        tap.skip("a process that holds its own lock", locked.reason)
        locked.close()
        return
    tap.ok(True, f"{', '.join(FILES)} of pid {locked.pid} cannot be read")
    daemon = None
    if os.environ.get("QMEM_COLLECTD") != "no" and collectd_daemon.PROGRAM:
        daemon = collectd_daemon.Collectd(COLLECTD, interval=0.2)
        tap.ok(daemon.start(), "collectd: starts", daemon.text())
    else:
        tap.skip("collectd", "not built, or not installed")
    running = {name: stream.Stream(text, directory) for name, text in CONFIGS.items()}
    for name, one in running.items():
        stuck(name, one, locked)
    if daemon:
        stuck_collectd(daemon, locked)
    late = Late()
    for name, one in running.items():
        meanwhile(name, one)
    if daemon:
        meanwhile_collectd(daemon)
    last = running.pop("smaps_rollup")
    for name, one in running.items():
        seconds = one.stop()
        tap.ok(seconds is not None and seconds < STOP and one.child.returncode == 0,
               f"{name}: an end meanwhile is none of its business", seconds, one.child.returncode)
    if daemon:
        status, seconds = daemon.stop()
        tap.ok(status == 0 and seconds < STOP, "collectd: an end meanwhile is none of its business", status, seconds)
    locked.close()
    tap.ok(last.until(lambda v: left(v) == 0, SLOW), "smaps_rollup: the one that was left behind comes back", last.stderr())
    tap.ok(f"file is no longer stuck: smaps_rollup of pid {locked.pid}, it was for " in last.stderr(), "smaps_rollup: which is told", last.stderr())
    tap.ok(tap.wait_for(lambda: last.tick(20) and threads(last.child.pid) == 2), "smaps_rollup: and its thread ends",
           threads(last.child.pid))
    tap.ok((last.stop() or STOP) < STOP, "smaps_rollup: and it ends")
    late.close()


def many(directory):
    """More of them than may be left behind, each of another user: of one user's, not so many would be asked."""
    locked = [lock(directory, uid) for uid in range(61020, 61020 + LEFT + 2)]
    reasons = [one.reason for one in locked if one.reason]
    if reasons:
        tap.skip("many of them", reasons[0])
        for one in locked:
            one.close()
        return
    config = f"[global]\nStuckAfter = 1s\n[proctable]\nBackend = files\n[procmem]\nPssBudget = 1s\n{GROUPS}"
    running, other = stream.Stream(config, directory), stream.Stream(config, directory)
    for name, one in (("many", running), ("many, another", other)):
        tap.ok(one.until(lambda v: left(v) == LEFT, SLOW), f"{name}: {LEFT} are left behind", one.stderr())
        tap.ok(one.until(lambda v, one=one: "the lane 'targets' waits" in one.stderr(), SLOW), f"{name}: then their lane waits",
               one.stderr())
        values = [one.tick(20) for _ in range(TICKS)]
        tap.ok(all(v and left(v) == LEFT for v in values) and threads(one.child.pid) == 1 + LEFT + 1,
               f"{name}: and there are no more of them", threads(one.child.pid), values[-1])
        tap.ok(values[-1] and values[-1]["procmem.processes"]["locked"]["count"] == len(locked)
               and "locked" not in values[-1].get("procmem.pss", {}), f"{name}: all else is known of them", values[-1])
    tap.ok((other.stop() or STOP) < STOP, "many: an end meanwhile is none of its business")
    late = Late()
    for one in locked:
        one.close()
    tap.ok(running.until(lambda v: not left(v), SLOW), "many: they come back", running.stderr())
    tap.ok(running.until(KNOWN["smaps_rollup"], SLOW), "many: and others have their turn", running.stderr())
    tap.ok(tap.wait_for(lambda: running.tick(20) and threads(running.child.pid) == 2), "many: threads end", threads(running.child.pid))
    tap.ok((running.stop() or STOP) < STOP, "many: and it ends")
    late.close()


def main():
    tap.not_crowded()
    if os.environ.get("QMEM_SANITIZERS"):    # who looks for leaks stops all threads first, and one in state D cannot be stopped
        os.environ["LSAN_OPTIONS"] = "detect_leaks=0"
    if not os.access(stream.PLUGIN, os.X_OK):
        tap.skip_all("qmem.plugin is not built")
    directory = tap.directory()
    real(directory)
    many(directory)
    tap.done()


main()
