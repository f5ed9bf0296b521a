#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmem.plugin in the real Netdata."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import time

import netdata_daemon
import services
import stall
import tap

if not netdata_daemon.program():
    tap.skip_all("no netdata here")

services.table()  # what is on at first
STALL = "memory some 100ms 2s"
agent = netdata_daemon.Netdata(f"[pressure]\nTrigger = {STALL}\nHold = 3s\n[netstat]\nTop = 1000\n")


def meminfo(key):
    return int(re.search(rf"(?m)^{key}:\s+(\d+)", tap.read("/proc/meminfo"))[1]) * 1024


def vmstat(key):
    return int(re.search(rf"(?m)^{key} (\d+)", tap.read("/proc/vmstat"))[1])


tap.ok(tap.wait_for(lambda: "qmem.self_collections" in agent.charts(), 60), "charts appear", agent.log()[-3000:])

# An interface that comes, and goes.
INTERFACE = f"qmem{os.getpid() % 100000}.x"
ip = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")


def add_interface():
    """None, or why not."""
    why = "no ip(8)"
    for kind in ("dummy", "bridge", "ifb") if ip else ():
        done = subprocess.run([ip, "link", "add", INTERFACE, "type", kind], capture_output=True, text=True, check=False)
        why = done.stderr.strip()
        if not done.returncode:
            atexit.register(remove_interface)
            return None
    return why


def remove_interface():
    subprocess.run([ip, "link", "del", INTERFACE], capture_output=True, check=False)


def interface_charts():
    return [name for name, chart in agent.charts().items()
            if chart["context"].startswith("qmem.netstat_") and chart["chart_labels"].get("device") == INTERFACE]


why_not = add_interface()
if why_not:
    tap.skip("an interface that comes", why_not)
else:
    tap.ok(tap.wait_for(interface_charts, 30), "an interface that comes has charts, its name in a label", list(agent.charts()))
    remove_interface()
gone_since = time.monotonic()

# ---- charts ----

charts = agent.charts()
usage = charts.get("qmem.meminfo_usage", {})
tap.same({key: usage.get(key) for key in ("context", "units", "chart_type", "module", "plugin", "update_every")},
         {"context": "qmem.meminfo_usage", "units": "MiB", "chart_type": "stacked", "module": "meminfo", "plugin": "qmem.plugin",
          "update_every": 1}, "a chart is what it should be")
tap.ok(usage.get("family") and usage.get("title", "").startswith("Memory by use"), "with title and family", usage)
modules = {chart["module"] for chart in charts.values()}
lasting = services.lasting()
tap.ok(modules >= lasting, "all services are there", lasting - modules)
tap.ok(len(charts) <= 300, f"they are not too many: {len(charts)}")  # limits.py counts them all
priorities = [charts[name]["priority"] for name in ("qmem.meminfo_usage", "qmem.vmstat_faults", "qmem.self_collections")]
tap.ok(priorities == sorted(priorities), "in the order of the table", priorities)
loopback = [chart for chart in charts.values()
            if chart["context"] == "qmem.netstat_bytes" and chart["chart_labels"].get("device") == "lo"]
tap.ok(loopback and loopback[0]["units"] == "KiB/s", "interfaces have labels", loopback)
contexts = agent.get("contexts") or {}
tap.ok("qmem.meminfo_usage" in contexts.get("contexts", {}), "contexts are known")

# ---- values ----

slack = 64 << 20    # between two readings it may have been higher and lower
tried = []


def free_is_right():
    """What else the machine does may move it further meanwhile: then again."""
    before = meminfo("MemFree")
    since = (agent.last("qmem.meminfo_usage") or {}).get("time", 0)
    row = tap.wait_for(lambda: (agent.last("qmem.meminfo_usage") or {}).get("time", 0) > since and agent.last("qmem.meminfo_usage"), 30)
    after = meminfo("MemFree")
    tried.append((before, row, after))
    return row and min(before, after) - slack <= row["free"] * 2**20 <= max(before, after) + slack and row


row = tap.wait_for(free_is_right, 60)
tap.ok(row, "MemFree is what others read", tried[-3:])
total = agent.last("qmem.meminfo_available")
tap.ok(total and abs(total["total"] * 2**20 - meminfo("MemTotal")) < 4096, "MemTotal is exact", total, meminfo("MemTotal"))
tap.ok(row and abs(sum(value for name, value in row.items() if name != "time" and value is not None) * 2**20 - meminfo("MemTotal")) < 2**20,
       "memory by use sums up to it", row)

first_wall, first = int(time.time()), vmstat("pgfault")
subprocess.run(["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8; do /bin/true; done; sleep 6"], check=False)
last_wall, last = int(time.time()), vmstat("pgfault")
tap.wait_for(lambda: (agent.last("qmem.vmstat_faults") or {}).get("time", 0) > last_wall + 2, 30)


def faults(after, until):
    rows = [row for row in agent.rows("qmem.vmstat_faults", 60) if after < row["time"] <= until]
    return sum((row["minflt"] or 0) + (row["majflt"] or 0) for row in rows)


inner, outer = faults(first_wall + 2, last_wall - 1), faults(first_wall - 2, last_wall + 2)
tap.ok(0 < inner <= (last - first) * 1.05 + 100 and (last - first) * 0.95 - 100 <= outer, "page faults are those the kernel has counted",
       f"{inner} within {last - first} within {outer}")

pid = agent.plugin_pid()
os.kill(pid, signal.SIGSTOP)
stopped = time.time()
tap.wait_for(lambda: time.time() > stopped + 6, 10)
os.kill(pid, signal.SIGCONT)
resumed = int(time.time())
tap.wait_for(lambda: (agent.last("qmem.meminfo_usage") or {}).get("time", 0) > resumed + 2, 30)
rows = agent.rows("qmem.meminfo_usage", 30)
gap = [row for row in rows if stopped + 1 < row["time"] < resumed - 1]
tap.ok(gap and all(row["free"] is None for row in gap), "what was not measured is a gap", rows)
tap.ok(any(row["free"] is not None for row in rows if row["time"] > resumed + 1), "and then it goes on", rows)

# ---- health ----

TEMPLATES = dict(re.findall(r"(?m)^\s*template: (\w+)\n\s*on: (\S+)$",
                            tap.read(os.path.join(tap.SRC, "conf", "netdata", "health.d", "qmem.conf"))))
tap.ok({"qmem_memory_level", "qmem_pressure", "qmem_stuck_tasks", "qmem_worker_late"} <= set(TEMPLATES), "there are templates", TEMPLATES)
ALARMS = {words["template"]: words for words in (
    dict(re.findall(r"(?m)^\s*(\w+): (.*)$", part)) for part in
    re.split(r"\n\n+", tap.read(os.path.join(tap.SRC, "conf", "netdata", "health.d", "qmem.conf")))) if "template" in words}
for words in ALARMS.values():
    tap.same({"summary", "info", "delay", "class", "type", "component", "to"} - set(words), set(), f"{words['template']} is whole")
    tap.ok(words["delay"].startswith("up "), "and is not told at once, or says that it is", words["delay"])
own = [name for name, words in ALARMS.items() if words["type"] == "Netdata"]
tap.same(own, ["qmem_worker_late"], "one is about the plugin, all others about the machine")
SILENT = {"qmem_orphaned_segments", "qmem_oom_kill", "qmem_numa_imbalance", "qmem_hugepages_idle", "qmem_hugepages_default_idle",
          "qmem_zram_useless", "qmem_zswap_full", "qmem_ksm_loss", "qmem_worker_late"}
tap.same({name for name, words in ALARMS.items() if words["to"] == "silent"}, SILENT,
         "and those are silent that Netdata has already, or that harm nobody")
pools = {"qmem.hugepages_pool", "qmem.meminfo_hugepages"}
tap.same(pools - set(TEMPLATES.values()), set(), "huge pages of any size can be idle, those of the default size, too")
enough = re.match(r"\(\$stored >= (\d+) AND ", ALARMS["qmem_zram_useless"]["calc"])
tap.ok(enough and int(enough[1]) >= 16, "a device of zram that hardly holds anything does not save little, whatever it costs")
charts = agent.charts()
expected = {(template, name) for template, context in TEMPLATES.items() for name, chart in charts.items() if chart["context"] == context}
tap.ok(tap.wait_for(lambda: expected <= set(agent.alarms()), 60), "all alarms are attached", expected - set(agent.alarms()))
for template, context in TEMPLATES.items():
    if context in {chart["context"] for chart in charts.values()}:
        tap.ok(any(template == name for name, _ in expected), f"{template} is among them")
    else:
        tap.skip(f"{template} is among them", f"this kernel does not have {context}")


def settled():
    # the agent calculates none that looks back further than it has been running
    alarms = agent.alarms()
    return expected <= set(alarms) and all(alarms[key]["status"] not in ("UNINITIALIZED", "UNDEFINED") for key in expected
                                           if alarms[key].get("lookup_after", 0) >= -60)


tap.ok(tap.wait_for(settled, 120), "all that do not look back for minutes can be calculated", {key: a["status"] for key, a in agent.alarms().items()})
got = {key: {word: agent.alarms()[key][word] for word in ("class", "type", "component", "recipient", "info")} for key in expected}
tap.same(got, {key: {"class": w["class"], "type": w["type"], "component": w["component"], "recipient": w["to"], "info": w["info"]}
               for key in expected for w in [ALARMS[key[0]]]}, "all of their words are taken")
tap.same(len(re.findall("has unknown key 'summary'", agent.log())) % len(ALARMS), 0, "but the summary, of each alike")
tap.same(agent.complaints(), [], "nothing else of it is in the log as an error")


def pressure():
    return [alarm for (name, _), alarm in agent.alarms().items() if name == "qmem_pressure"]


with stall.Stall() as s:
    if s.reason:
        tap.skip("a real stall raises the alarm", s.reason)
    else:
        tap.ok(tap.wait_for(lambda: all(alarm["status"] == "CLEAR" for alarm in pressure()), 120), "before a stall there is no alarm",
               pressure())
        s.start()
        raised = tap.wait_for(lambda: [alarm for alarm in pressure() if alarm["status"] == "WARNING"], 60)
        share = s.share()
        if not raised and share < 0.15:
            tap.skip("a real stall raises the alarm", s.figures())
        else:
            tap.ok(raised, "a real stall raises the alarm", s.figures(), pressure())
        tap.diag(s.figures())
        s.stop()
        if raised:
            said = [line for line in agent.log().splitlines() if "qmem.plugin" in line and "WARNING: pressure" in line]
            tap.ok(said and "memory" in said[0], "one line of the log says what it was", said)
            over = tap.wait_for(lambda: all(alarm["status"] == "CLEAR" for alarm in pressure()), 60)
            tap.ok(over, "and it is over when it is over", pressure())

# ---- what ends, and comes back ----

if not why_not:
    tap.ok(tap.wait_for(lambda: not interface_charts(), 120), "an interface that goes loses its charts after a while", interface_charts())
    tap.ok(time.monotonic() - gone_since > 50, "but not at once")
    tap.ok("qmem.self_collections" in agent.charts(), "and the others stay")

pid = agent.plugin_pid()
os.kill(pid, signal.SIGTERM)
new = tap.wait_for(lambda: agent.plugin_pid() not in (None, pid) and agent.plugin_pid(), 60)
tap.ok(new, "a plugin that was ended is started again", agent.log()[-2000:])
restarted = int(time.time())
row = tap.wait_for(lambda: (agent.last("qmem.meminfo_usage") or {}).get("time", 0) > restarted + 2, 60)
tap.ok(row, "and its charts go on", agent.last("qmem.meminfo_usage"))

tap.same([line for line in agent.log().splitlines() if re.search("AddressSanitizer|runtime error|ThreadSanitizer", line)], [], "no sanitizer speaks")
tap.same(agent.end(), None, "the agent ends")
tap.ok(tap.wait_for(lambda: not agent.plugin_pid(), 10), "and the plugin with it")
netdata_daemon.reap(agent)
tap.done()
