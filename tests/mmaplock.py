# SPDX-License-Identifier: MIT
"""
A process that holds the lock of its own address space, so that whoever reads its smaps_rollup, smaps or cmdline waits in the
kernel for as long as it lasts: neither the ticks nor the agent's exit do. Then, where no right is needed, the same with a FIFO.
"""

import os
import subprocess
import time

import collectd_daemon
import stream
import tap

NAME = "qmemlocked"
STOP = 5    # seconds an agent may take to stop
TICKS = 4   # that have to come while a worker waits
FILES = ("smaps_rollup", "smaps", "cmdline")

# What makes the worker read each of the files; values of `other` come from a process that is not locked.
CONFIGS = {
    "smaps_rollup": "[procmem]\nPssBudget = 1s\n"
                    f"[procmem.group \"locked\"]\nComm = {NAME}\n[procmem.group \"test\"]\nComm = {{me}}\n",
    "smaps": f"[procmem.group \"locked\"]\nComm = {NAME}\n[procmem.group \"test\"]\nComm = {{me}}\n"
             "[heapmon]\nGroup = locked\nGroup = test\n",
    "cmdline": "[procmem.group \"locked\"]\nCmdline = /mmaplock/\n[procmem.group \"test\"]\nComm = {me}\n",
}
COLLECTD = f"""<Service "procmem">
PssBudget 1s
<Group "locked">
Cmdline "/mmaplock/"
</Group>
<Group "locked too">
Comm "{NAME}"
</Group>
</Service>
<Service "heapmon">
Group "locked too"
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

    def __init__(self, directory):
        self.reason, self.pid = "", None
        program, path = os.path.join(tap.BUILD, "tests", "mmaplock"), os.path.join(directory, "file")
        tap.write(path, "")
        self.child = tap.start([program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.child.stdout.readline()
        if not line:
            self.reason = self.child.stderr.read().decode().strip()
            self.close()
            return
        self.pid = int(line)
        free = [name for name in FILES if not blocks(f"/proc/{self.pid}/{name}")]
        if free:
            self.reason = f"{', '.join(free)} can be read nevertheless"

    def close(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()


def meanwhile(running, daemon):
    """While it is locked: {name: its ticks}, and how often collectd has read."""
    reads = "qmem_self/total_operations-collections_collections"
    for name, one in running.items():
        # its turn comes among all processes of the machine, and only while the ticks are read
        tap.ok(tap.wait_for(lambda one=one: one.tick(20) and waits(one.child.pid, 1), 120), f"{name}: the worker waits", one.stderr())
    if daemon:
        tap.ok(waits(daemon.child.pid), "collectd: the worker waits", daemon.text())
        began = len(daemon.written(reads))
    ticks = {name: [] for name in running}
    for _ in range(TICKS):
        for name, one in running.items():
            ticks[name].append(one.tick(20))
    if daemon:
        tap.ok(tap.wait_for(lambda: len(daemon.written(reads)) >= began + TICKS), f"collectd: {TICKS} reads come meanwhile",
               daemon.text())
        tap.ok(waits(daemon.child.pid), "collectd: the worker still waits")
    for name, one in running.items():
        tap.ok(waits(one.child.pid), f"{name}: the worker still waits")
    return ticks


def check(name, ticks):
    # the locked one is a process like any other, but for who needs its command line
    tap.ok(all(v and v["procmem.rss"]["test"]["anon"] > 0 and (name == "cmdline" or v["procmem.processes"]["locked"]["count"] == 1)
               for v in ticks), f"{name}: {TICKS} ticks come meanwhile, with all that is known", ticks[-1])
    if name != "cmdline":
        family = "procmem.pss" if name == "smaps_rollup" else "heapmon.rss"
        tap.ok(all(v and "locked" not in v.get(family, {}) for v in ticks), f"{name}: what is not known is absent", ticks[-1])


def real(directory):
    locked = Locked(directory)
    if locked.reason:
        tap.skip("a process that holds its own lock", locked.reason)
        locked.close()
        return
    me = tap.read("/proc/self/comm").rstrip("\n")
    tap.ok(True, f"{', '.join(FILES)} of pid {locked.pid} cannot be read")
    daemon = None
    if os.environ.get("QMEM_COLLECTD") != "no" and collectd_daemon.PROGRAM:
        daemon = collectd_daemon.Collectd(COLLECTD, interval=0.2)
        tap.ok(daemon.start(), "collectd: starts", daemon.text())
    else:
        tap.skip("collectd", "not built, or not installed")
    running = {name: stream.Stream(text.format(me=me), directory) for name, text in CONFIGS.items()}
    for name, ticks in meanwhile(running, daemon).items():
        check(name, ticks)
    last = running.pop("smaps_rollup")
    for name, one in running.items():
        seconds = one.stop()
        tap.ok(seconds is not None and seconds < STOP and one.child.returncode == 0,
               f"{name}: an end meanwhile is none of its business", seconds, one.child.returncode)
    if daemon:
        status, seconds = daemon.stop()
        tap.ok(status == 0 and seconds < STOP, "collectd: an end meanwhile is none of its business", status, seconds)
    locked.close()
    tap.ok(last.until(lambda v: v.get("procmem.pss", {}).get("test")), "smaps_rollup: afterwards the others have their turn")
    tap.ok((last.stop() or STOP) < STOP, "smaps_rollup: and it ends")


def put_process(root, pid, comm):
    directory = os.path.join(root, "proc", str(pid))
    tap.write(f"{directory}/stat", f"{pid} ({comm}) S 0 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 {pid} 4096000 100 0\n")
    tap.write(f"{directory}/statm", "1000 300 100 1 0 200 0\n")
    tap.write(f"{directory}/status", f"Name:\t{comm}\nUid:\t7\t7\t7\t7\nVmSize:\t4000 kB\nVmRSS:\t1200 kB\n"
              "RssAnon:\t800 kB\nRssFile:\t400 kB\nRssShmem:\t0 kB\nVmData:\t800 kB\nVmPTE:\t40 kB\nVmSwap:\t0 kB\n")
    tap.write(f"{directory}/cmdline", comm)
    return directory


class Fifo:
    """The same without a lock, and without a right: the worker waits in open()."""

    ROLLUP = "Rss: 1200 kB\nPss: 500 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: 400 kB\n"

    def __init__(self, directory):
        root = os.path.join(directory, "root")
        tap.write(os.path.join(put_process(root, 10, "free"), "smaps_rollup"), self.ROLLUP)
        self.path = os.path.join(put_process(root, 20, "locked"), "smaps_rollup")
        os.mkfifo(self.path)
        config = f"[global]\nHostRoot = {root}\n[proctable]\nBackend = files\n[procmem]\nPssBudget = 1s\n"
        self.running, self.other = stream.Stream(config, directory), stream.Stream(config, directory)

    def check(self):
        values = [self.running.tick() for _ in range(TICKS)]
        tap.ok(all(v and v["procmem.rss"]["locked"]["anon"] == 800 << 10 and "locked" not in v.get("procmem.pss", {})
                   for v in values), "FIFO: the ticks come", self.running.stderr())
        tap.ok(self.other.tick() and (self.other.stop() or STOP) < STOP, "FIFO: an end meanwhile is none of its business")
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as e:
            tap.ok(False, "FIFO: the worker waits", e)
            return
        os.write(fd, self.ROLLUP.encode())
        os.close(fd)
        pss = self.running.until(lambda v: len(v.get("procmem.pss", {})) == 2)
        tap.ok(pss and [group["pss"] for group in pss["procmem.pss"].values()] == [500 << 10] * 2,
               "FIFO: afterwards all have their turn", pss)
        tap.ok((self.running.stop() or STOP) < STOP, "FIFO: and it ends")


def main():
    tap.alone()
    if os.environ.get("QMEM_SANITIZERS"):    # who looks for leaks stops all threads first, and one in state D cannot be stopped
        os.environ["LSAN_OPTIONS"] = "detect_leaks=0"
    if not os.access(stream.PLUGIN, os.X_OK):
        tap.skip_all("qmem.plugin is not built")
    directory = tap.directory()
    waiting = Fifo(directory)
    real(directory)
    waiting.check()
    tap.done()


main()
