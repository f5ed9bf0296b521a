# SPDX-License-Identifier: MIT
"""What the plugin hands to a real collectd, as its writers have it: rrdtool, write_prometheus, threshold, csv."""

import math
import os
import re
import shutil
import subprocess
import urllib.request

import collectd_daemon
import tap
from collectd_daemon import SLOW, STOP, Collectd

collectd_daemon.skip_without_collectd()
tap.not_crowded()
RRDTOOL = shutil.which("rrdtool")
PROCESSES, MANY = 8000, 20000
STRETCH_MOST = 16   # src/engine/pace.c; the man page says it


def loads(plugin):
    """Debian's collectd-core has plugins whose libraries are only suggested."""
    path = os.path.join(collectd_daemon.directory_of_plugins(), f"{plugin}.so")
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    return os.path.exists(path) and "not found" not in said.stdout


def ends(daemon, name):
    status, seconds = daemon.stop()
    tap.ok(status == 0 and seconds < STOP, f"{name}: a clean stop", status, seconds, daemon.text()[-2000:])


# ---- rrdtool ----

def process(root, pid):
    for name, text in (("stat", f"{pid} (p{pid}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {pid} 8192 2 0\n"),
                       ("statm", "2 2 1 1 0 1 0\n"), ("status", f"Name:\tp{pid}\nUid:\t7\t7\t7\t7\n")):
        tap.write(f"{root}/proc/{pid}/{name}", text)


def fetch(path, source, resolution=1):
    """[(time, value)] of the finest archive, up to its last update."""
    last = int(subprocess.run([RRDTOOL, "last", path], capture_output=True, text=True, check=True).stdout)
    first = int(subprocess.run([RRDTOOL, "first", path], capture_output=True, text=True, check=True).stdout)
    said = subprocess.run([RRDTOOL, "fetch", path, "AVERAGE", "-r", str(resolution), "-s", str(first), "-e", str(last - resolution)],
                          capture_output=True, text=True, check=True).stdout.splitlines()
    at = said[0].split().index(source)
    rows = [(int(time.rstrip(":")), float(words[at])) for time, *words in map(str.split, said[2:])]
    return [(time, value) for time, value in rows if time <= last - resolution]


def slowed_down():
    """A service that is read every n-th tick has no holes in its files, with the HeartBeat that the man page gives."""
    where = tap.in_memory()
    if not RRDTOOL or not loads("rrdtool") or not where:
        tap.skip("rrdtool", "it is not installed, or there is no room in memory")
        return
    root, files = tap.directory(where), tap.directory()
    for path, text in (("proc/stat", "cpu 1 0 1 1 0 0 0 0 0 0\nctxt 1\nbtime 1\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"),
                       ("proc/loadavg", "1.00 2.00 3.00 4/5 6\n")):
        tap.write(os.path.join(root, path), text)
    process(root, 1)
    config = f'HostRoot "{root}"\n<Service "proctable">\nBackend files\n</Service>'
    extra = f'Timeout 3\nLoadPlugin rrdtool\n<Plugin rrdtool>\nDataDir "{files}"\nHeartBeat {2 * STRETCH_MOST}\nCacheFlush 1\n</Plugin>\n'
    daemon = Collectd(config, extra=extra)
    tap.ok(daemon.start(), "rrdtool: it starts", daemon.text(), daemon.text("err"))
    path = f"{files}/testhost/qmem_procstat/count-tasks_processes.rrd"
    tap.ok(tap.wait_for(lambda: os.path.exists(path), SLOW), "rrdtool: there is a file", os.listdir(files))
    for pid in range(2, PROCESSES):
        process(root, pid)
    slow = tap.wait_for(lambda: re.search(r"proctable: needs [0-9.]+ ms of CPU a second, its budget is .*: every (\d+)s for now", daemon.text()),
                        2 * SLOW)
    tap.ok(slow, "rrdtool: a service that costs more later is read less often, which is said", daemon.text()[-2000:])
    before = len(daemon.written("qmem_procstat/count-tasks_processes"))
    tap.ok(tap.wait_for(lambda: len(daemon.written("qmem_procstat/count-tasks_processes")) > before + 3, 2 * SLOW),
           "rrdtool: and goes on to be read", daemon.text()[-2000:])
    rows = daemon.written("qmem_procstat/count-tasks_processes")
    gaps = [b[0] - a[0] for a, b in zip(rows, rows[1:])]
    tap.diag(f"seconds between two values: {gaps}")
    tap.ok(max(gaps) < STRETCH_MOST + 1.5 or max(gaps) < tap.patience(STRETCH_MOST), "rrdtool: no gap is longer than the man page says", gaps)
    tap.ok(daemon.value("qmem_procstat/fork_rate-started_forks").get("value", math.nan) == 0,
           "a rate is still one, though collectd forgets what is older than its interval says",
           daemon.command('GETVAL "testhost/qmem_procstat/fork_rate-started_forks"'))
    ends(daemon, "rrdtool")
    found = fetch(path, "value")
    unknown = [time for time, value in found if math.isnan(value)]
    tap.ok(len(found) > 5, "rrdtool: so many seconds have a place in the file", found)
    tap.same([time for time in unknown if time > rows[1][0]], [], "rrdtool: and each has a value")


def nobody_waits():
    """The daemon has one read callback of ours: while it walks very many processes, other services have their turns."""
    where = tap.in_memory()
    if not where:
        tap.skip("a long walk", "there is no room in memory")
        return
    root = tap.directory(where)
    tap.write(f"{root}/proc/loadavg", "1.00 2.00 3.00 4/5 6\n")
    tap.write(f"{root}/proc/meminfo", tap.read("/proc/meminfo"))
    for pid in range(1, MANY):
        process(root, pid)
    config = f'HostRoot "{root}"\n<Service "proctable">\nBackend files\nBudget 0\n</Service>\n' \
             '<Service "procstat">\nBudget 0\n</Service>\n<Service "cpuload">\nEnabled no\n</Service>\n<Service "procmem">\nEnabled no\n</Service>'
    daemon = Collectd(config, interval=0.02)
    tap.ok(daemon.start(), "a long walk: it starts", daemon.text(), daemon.text("err"))
    slow, quick = "qmem_procstat/count-tasks_processes", "qmem_meminfo/memory-usage_free"
    tap.ok(tap.wait_for(lambda: len(daemon.written(slow)) > 3, SLOW), "a long walk: it comes to its end, again and again", daemon.text())
    walks, others = len(daemon.written(slow)), len(daemon.written(quick))
    tap.ok(2 * others > 3 * walks, f"a long walk: meminfo has come {others} times meanwhile, and the walk to its end {walks} times")
    ends(daemon, "a long walk")


def files_of_defaults():
    """How many files the defaults make here, and how large they are; what the man page says of it."""
    if not loads("rrdtool"):
        return
    files = tap.directory()
    daemon = Collectd(interval=10, extra=f'LoadPlugin rrdtool\n<Plugin rrdtool>\nDataDir "{files}"\n</Plugin>\n')
    tap.ok(daemon.start(), "files: it starts", daemon.text(), daemon.text("err"))
    tap.ok(tap.wait_for(lambda: len(os.listdir(f"{files}/testhost")) > 3 if os.path.isdir(f"{files}/testhost") else 0, SLOW),
           "files: they are made")
    ends(daemon, "files")   # which writes all of them
    sizes, sources = [], 0
    for where, _, names in os.walk(files):
        for name in names:
            sizes.append(os.stat(os.path.join(where, name)).st_size)
    one = min(sizes)
    sources = sum(round(size / one) for size in sizes)
    tap.diag(f"{len(sizes)} files, {sum(sizes)} bytes; {one} bytes for a value")
    said = re.search(r"about (\d+)\s+kB\s+for\s+each\s+value", tap.read(f"{tap.SRC}/man/collectd-qmem.5"))
    tap.ok(said and abs(int(said[1]) - one / 1000) < 5, "the man page tells the size of an RRD file", one, said and said[0])
    tap.ok(sources >= len(sizes), "files: one or two sources in each", sources, len(sizes))


# ---- threshold, write_prometheus, and without what others show ----

def prometheus(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SLOW) as answer:
        return answer.read().decode(errors="replace")


def others():
    """Overlap no, together with the plugins that show the same; a limit of collectd's own on one of our values."""
    theirs = ["cpu", "load", "memory"]
    extra = "".join(f"LoadPlugin {name}\n" for name in theirs)
    extra += """LoadPlugin threshold
<Plugin threshold>
	<Plugin "qmem_meminfo">
		<Type "memory">
			Instance "available_available"
			FailureMin 1000000000000000
		</Type>
	</Plugin>
</Plugin>
"""
    port = tap.free_port() if loads("write_prometheus") else 0
    if port:
        extra += f'LoadPlugin write_prometheus\n<Plugin write_prometheus>\nHost "127.0.0.1"\nPort "{port}"\n</Plugin>\n'
    daemon = Collectd("Overlap no", extra=extra)
    tap.ok(daemon.start(), "beside other plugins: it starts", daemon.text(), daemon.text("err"))
    tap.ok(tap.wait_for(lambda: {"qmem_meminfo/memory-available_available", "load/load"} <= set(daemon.identifiers()), SLOW),
           "beside other plugins: all have values", daemon.identifiers())
    double = [name for name in daemon.identifiers()
              if re.match(r"qmem_(netstat|meminfo/memory-(usage|swap)_|vmstat/swap_io|cpuload/(load|total_time_in_ms)|procstat/(count-states|fork))", name)]
    tap.same(double, [], "Overlap no: nothing that the others show")
    tap.ok(tap.wait_for(lambda: daemon.logged("type = memory, type_instance = available_available"), SLOW),
           "threshold: a limit on one of our values is a notification", daemon.text()[-2000:])
    if port:
        lines = tap.wait_for(lambda: re.findall(r'(?m)^collectd_qmem_meminfo_memory\{qmem_meminfo="available_total",.*\} (\S+) \d+$',
                                                prometheus(port)), SLOW)
        total = int(re.search(r"MemTotal:\s+(\d+)", tap.read("/proc/meminfo"))[1]) * 1024
        tap.ok(lines and float(lines[0]) == total, "write_prometheus: MemTotal", lines, total)
        text = prometheus(port)
        odd = [line for line in text.splitlines() if "qmem" in line and not line.startswith("#")
               and not re.fullmatch(r'[a-zA-Z_:][a-zA-Z0-9_:]*\{([a-z_]+="([^"\\]|\\.)*",?)+\} (-?[0-9.e+-]+|nan|NaN) \d+', line)]
        tap.same(odd, [], "write_prometheus: each line is in order")
    else:
        tap.skip("write_prometheus", "its library is not installed")
    ends(daemon, "beside other plugins")
    tap.same(daemon.warnings(), [], "beside other plugins: no warning")


slowed_down()
nobody_waits()
files_of_defaults()
others()
tap.done()
