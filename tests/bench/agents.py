#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the agents take to stop with qmem in them, and what whole processes cost: side by side, in turns. Nothing here
passes or fails."""

import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["QMEM_SRCDIR"], "tests"))

import collectd_daemon  # noqa: E402
import tap  # noqa: E402

TURNS = 7
SECONDS = 15  # for what a process costs


def cpu_ns(pid):
    """User and system time of all threads, by the scheduler's own clock."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        total += int(tap.read(f"/proc/{pid}/task/{thread}/schedstat").split()[0])
    return total


def rss_mib(pid):
    for line in tap.read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


def ms_to_end(child, end):
    before = time.monotonic()
    end()
    child.wait()
    return (time.monotonic() - before) * 1e3


def collectd(plugin):
    daemon = collectd_daemon.Collectd(plugin=plugin, plugins=None if plugin == "qmem" else
                                      collectd_daemon.directory_of_plugins())
    daemon.start()
    return daemon


def plugin_alone():
    return tap.start([os.path.join(tap.BUILD, "qmem.plugin"), "1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)


def stopping():
    times = {"collectd with uptime": [], "collectd with qmem": [], "qmem.plugin, SIGTERM": [], "qmem.plugin, stdin ends": []}
    for _ in range(TURNS):
        for name in ("uptime", "qmem"):
            daemon = collectd(name)
            time.sleep(1.5)
            times[f"collectd with {name}"].append(ms_to_end(daemon.child, lambda d=daemon: d.child.send_signal(signal.SIGTERM)))
        for name in ("SIGTERM", "stdin ends"):
            child = plugin_alone()
            time.sleep(1.5)
            end = child.terminate if name == "SIGTERM" else child.stdin.close
            times[f"qmem.plugin, {name}"].append(ms_to_end(child, end))
    print(f"\n{'stop, ms':32} {'median':>8} {'most':>8}")
    for name, all_of_it in times.items():
        print(f"{name:32} {statistics.median(all_of_it):8.1f} {max(all_of_it):8.1f}")


def cost():
    alone = plugin_alone()
    daemons = {name: collectd(name) for name in ("uptime", "qmem")}
    time.sleep(5)  # files are open and tables are made
    pids = {"qmem.plugin": alone.pid, "collectd with uptime": daemons["uptime"].child.pid,
            "collectd with qmem": daemons["qmem"].child.pid}
    before = {name: cpu_ns(pid) for name, pid in pids.items()}
    time.sleep(SECONDS)
    print(f"\n{'whole process, once a second':32} {'CPU ms/s':>8} {'RSS MiB':>8}")
    for name, pid in pids.items():
        print(f"{name:32} {(cpu_ns(pid) - before[name]) / 1e6 / SECONDS:8.3f} {rss_mib(pid):8.1f}")
    alone.terminate()
    for daemon in daemons.values():
        daemon.stop()


if collectd_daemon.PROGRAM and os.path.exists(os.path.join(tap.BUILD, ".libs", "qmem.so")):
    stopping()
    cost()
else:
    print("no collectd: its part is left out")
