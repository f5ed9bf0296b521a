#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What it costs to watch N processes once a second: whole programs, in turns, on one machine at one time. CPU time is that of
all their threads by the scheduler's clock. Nothing here passes or fails.

	processes.py [N ...]	environment: SECONDS, measured of each
"""

import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import collectd_daemon  # noqa: E402
import services  # noqa: E402
import tap  # noqa: E402

TURNS = 3
SETTLE = 2  # seconds that a program has to come back from its pause, before its time is taken
SECONDS = max(TURNS, int(os.environ.get("SECONDS") or 15))
BACKENDS = ("bpf", "iter", "fds", "files")
FROM_FILES = BACKENDS[2:]
AGAIN = 51  # walks
PEER = "apps.plugin"


class Drain(threading.Thread):
    """Reads what plugins say, so that they need not wait for it; keeps what was said last."""

    KEEP = 1 << 18

    def __init__(self):
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        self.said = {}
        self.start()

    def add(self, pipe):
        self.said[pipe] = b""
        self.selector.register(pipe, selectors.EVENT_READ)

    def run(self):
        while True:
            for key, _ in self.selector.select(0.2):
                text = os.read(key.fd, 1 << 20)
                if text:
                    self.said[key.fileobj] = (self.said[key.fileobj] + text)[-self.KEEP:]
                else:
                    self.selector.unregister(key.fileobj)


DRAIN = Drain()


class Program:
    """`scan`: it does nothing but walk over the processes."""

    scan, ns, seconds, why, rss = False, 0, 0, "", 0

    def __init__(self, name):
        self.name = name
        self.shares = {}

    def launch(self, argv):
        self.child = tap.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        DRAIN.add(self.child.stdout)

    def cpu_ns(self):
        try:
            return sum(int(tap.read(f"/proc/{self.child.pid}/task/{thread}/schedstat").split()[0])
                       for thread in os.listdir(f"/proc/{self.child.pid}/task"))
        except OSError:
            return None

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def turn(self, seconds):
        """All programs tick on whole seconds: what is measured begins and ends between them."""
        self.child.send_signal(signal.SIGCONT)
        time.sleep(SETTLE + 0.5 - time.time() % 1)
        before, shares = self.cpu_ns(), self.costs()
        self.work(seconds)
        after = self.cpu_ns()
        if before is None or after is None:
            self.why = "has ended"
            return
        self.ns += after - before
        self.seconds += seconds
        for service, ns in self.costs().items():
            self.shares[service] = self.shares.get(service, 0) + ns - shares.get(service, 0)
        self.rss = int(re.search(r"VmRSS:\s+(\d+)", tap.read(f"/proc/{self.child.pid}/status"))[1]) / 1024
        self.pause()

    def work(self, seconds):
        time.sleep(seconds)

    def costs(self):
        return {}

    def end(self):
        self.child.send_signal(signal.SIGCONT)
        self.child.terminate()
        self.child.wait()

    def ms(self):
        return self.ns / 1e6 / self.seconds if self.seconds else 0


class Apps(Program):
    PROGRAM = next((path for path in (shutil.which("apps.plugin", path=":".join(
        f"/usr{local}/lib{machine}/netdata/plugins.d" for local in ("", "/local") for machine in (
            "", "/x86_64-linux-gnu", "/aarch64-linux-gnu"))),) if path), None)

    def start(self):
        self.launch([self.PROGRAM, "1", "without-files"])


class Qmem(Program):
    """`within`: its budgets of CPU and descriptors; else what costs too much is not done less often."""

    def __init__(self, name, backend, scan=False, within=False):
        super().__init__(name)
        self.backend, self.scan, self.within = backend, scan, within

    def start(self):
        conf = os.path.join(tap.directory(), "qmem.conf")
        text = f"[proctable]\nEnabled = yes\nBackend = {self.backend}\n"
        if not self.within:
            text += "Budget = 0\nMaxFiles = 100000\n"
            for service in services.table().keys() - {"proctable"}:
                text += f"[{service}]\n" + ("Enabled = no\n" if self.scan else "Budget = 0\n")
        tap.write(conf, text)
        self.launch([os.path.join(tap.BUILD, "qmem.plugin"), "--config", conf, "1"])

    def costs(self):
        text = DRAIN.said[self.child.stdout].decode(errors="replace")
        return {service: int(ns) for service, ns in
                re.findall(r"^BEGIN \S+?self_cost_(\w+)[^\n]*\nSET \S+ = (\d+)$", text, re.M)}


class Naive(Program):
    def start(self):
        self.launch([os.path.join(tap.BUILD, "tests/bench/naive")])

    def work(self, seconds):
        for _ in range(seconds):
            self.child.stdin.write(b"1\n")
            self.child.stdin.flush()
            time.sleep(1)


class Collectd(Program):
    def __init__(self, name, plugin, extra=""):
        super().__init__(name)
        self.plugin, self.extra = plugin, extra

    def start(self):
        self.daemon = collectd_daemon.Collectd(
            plugin=self.plugin, extra=self.extra,
            plugins=None if self.plugin == "qmem" else collectd_daemon.directory_of_plugins())
        if not self.daemon.start():
            self.why = "does not start"
        self.child = self.daemon.child

    def end(self):
        self.child.send_signal(signal.SIGCONT)
        self.daemon.stop()


def programs():
    if Apps.PROGRAM:
        yield Apps(PEER)
    else:
        print("no apps.plugin: it is left out")
    for backend in BACKENDS:
        yield Qmem(f"qmem.plugin, {backend}", backend)
        yield Qmem(f"  its scan, {backend}", backend, scan=True)
        if backend in FROM_FILES:
            yield Qmem(f"  in budget, {backend}", backend, within=True)
    if collectd_daemon.PROGRAM:
        yield Collectd("collectd processes", "processes", '<Plugin processes>\nProcessMatch all ".*"\n</Plugin>\n')
        if os.path.exists(os.path.join(tap.BUILD, ".libs", "qmem.so")):
            yield Collectd("collectd qmem", "qmem")
    else:
        print("no collectd: it is left out")
    yield Naive("naive reader")


def table(count, ran):
    peer = next((p.ms() for p in ran if p.name == PEER), 0)
    print(f"\n{count:6} processes       {'CPU ms a second':>16} {'us/process':>11} {'of ' + PEER:>15} {'RSS MiB':>8}")
    for p in ran:
        if p.why or not p.seconds:
            print(f"{p.name:22} {p.why or 'not measured'}")
            continue
        ratio = f"1/{peer / p.ms():.1f}" if peer and p.name != PEER else ""
        print(f"{p.name:22} {p.ms():16.3f} {p.ms() * 1e3 / count:11.3f} {ratio:>15} {p.rss:8.1f}")
    for p in ran:
        if any(p.shares.values()):
            shares = sorted(((ns / 1e3 / p.seconds, service) for service, ns in p.shares.items()), reverse=True)
            named = sum(us for us, _ in shares)
            print(f"us of {p.name}: " + ", ".join(f"{service} {us:.0f}" for us, service in shares) +
                  f", the rest {p.ms() * 1e3 - named:.0f}")
    sys.stdout.flush()


def again():
    """The walk alone, without a pause: what it needs of the kernel's memory is in the caches of the CPU."""
    for backend in BACKENDS:
        done = subprocess.run([os.path.join(tap.BUILD, "tests/proctable"), f"Backend={backend}", "MaxFiles=100000", "Budget=0"],
                              input=f"bench {AGAIN}\n", stdout=subprocess.PIPE, text=True, check=False)
        found = re.search(r"processes=(\d+) ns=(\d+) hold=(\d+)", done.stdout)
        if found and int(found[1]):
            print(f"walk at once again, {backend}: {int(found[2]) / 1e6:.3f} ms, {int(found[2]) / 1e3 / int(found[1]):.3f} us/process, "
                  f"longest hold {int(found[3]) / 1e6:.1f} ms")
    sys.stdout.flush()


def main():
    counts = [int(word) for word in sys.argv[1:]] or [500, 2000, 8000]
    # two files for each process, and what is left to the agent
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"whole programs once a second, {SECONDS} s each in {TURNS} turns; one process in 25 does a little each second")
    for count in counts:
        crowd = tap.start([os.path.join(tap.BUILD, "tests/crowd"), "machine", str(count)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
        crowd.stdout.readline()
        ran = list(programs())
        for p in ran:
            p.start()
        time.sleep(3)
        for p in ran:
            p.pause()
        total = sum(name.isdigit() for name in os.listdir("/proc"))
        for turn in range(TURNS):
            for p in ran:
                if not p.why:
                    p.turn(SECONDS * (turn + 1) // TURNS - SECONDS * turn // TURNS)
        table(total, ran)
        for p in ran:
            p.end()
        again()
        crowd.communicate()


if __name__ == "__main__":
    main()
