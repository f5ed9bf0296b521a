# SPDX-License-Identifier: MIT
"""A task that is really stuck in state D is a notification of a real collectd and an alarm of a real Netdata; so is its end."""

import os
import pwd
import re
import subprocess

import collectd_daemon
import netdata_daemon
import tap
from collectd_daemon import SLOW, Collectd

# what an alarm of Netdata takes: its `every`, and what it looks at is a moment old
ALARM = 120


MOB = 30


class Mob:
    """Many processes in state D, with names of their own; of another user than root."""

    def __init__(self):
        self.child = tap.start([os.path.join(tap.BUILD, "tests", "crowd"), "mob", str(MOB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pids = self.child.stdout.readline().split()

    def end(self):
        self.child.stdin.close()
        self.child.wait()


class Blocked:
    """A process in state D: the parent of a vfork() whose child does not go on."""

    def __init__(self):
        self.child = tap.start([os.path.join(tap.BUILD, "tests", "crowd"), "blocked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
        self.pid = int(self.child.stdout.readline())
        tap.ok(tap.wait_for(lambda: tap.read(f"/proc/{self.pid}/stat").rpartition(")")[2].split()[0] == "D"), "a task is in state D")
        # where it waits is told a moment later than that it does, or not at all
        tap.wait_for(lambda: tap.read(f"/proc/{self.pid}/wchan") not in ("", "0"), 5)
        wchan = tap.read(f"/proc/{self.pid}/wchan")
        self.wchan = "unknown" if wchan in ("", "0") else re.split(r"[.+]", wchan)[0]

        self.instance = f"crowd:{self.wchan}" + (f":{os.getuid()}" if os.getuid() else "")

    def end(self):
        self.child.stdin.close()
        self.child.wait()


def test_collectd():
    if os.environ.get("QMEM_COLLECTD") == "no" or not collectd_daemon.PROGRAM:
        tap.skip("collectd", "none is installed, or built without it")
        return
    # collectd starts no program as root
    execs = "nobody:nogroup" if os.geteuid() == 0 else None
    daemon = Collectd('<Service "procstat">\nStuckAfter 2s\n</Service>', execs=execs)
    if not tap.ok(daemon.start(), "collectd: it starts", daemon.text(), daemon.text("err")):
        return
    # those that are there at its first look are usual
    tap.wait_for(lambda: daemon.written("qmem_procstat/count-census_stuck"), SLOW)
    mob = Mob()

    def notified():
        return [line for line in daemon.text().splitlines() if "Notification:" in line and "severity = WARNING," in line]

    # they have been stuck for a while when another user's task comes
    tap.ok(tap.wait_for(lambda: any("plugin_instance = other," in line for line in notified()), SLOW), "collectd: many tasks of a user are summed up",
           notified())
    task = Blocked()

    def of(severity):
        return [line for line in daemon.text().splitlines() if "Notification:" in line and f"severity = {severity}," in line
                and f"plugin_instance = {task.instance}," in line]

    tap.ok(tap.wait_for(lambda: of("WARNING"), SLOW), "collectd: it is a notification", daemon.text())
    line = (of("WARNING") or [""])[0]
    tap.diag(line)
    crowd = [l for l in notified() if "plugin_instance = mob-" in l]
    tap.same(len(crowd), 2, "collectd: that other user has two of his own")
    line_of_others = next((l for l in notified() if "plugin_instance = other," in l), "")
    tap.ok(f" of user {'nobody' if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name})" in line_of_others, "collectd: whose the others are is said",
           line_of_others)
    tap.ok(f"task is stuck in state D: 'crowd' (pid {task.pid}), user {pwd.getpwuid(os.getuid()).pw_name}, cgroup " in line and f", in {task.wchan};" in line,
           "collectd: that names the process and where it waits", line, task.wchan)
    if execs:
        def got(severity):
            return [n for n in daemon.notifications()
                    if n.get("Severity") == severity and n.get("PluginInstance") == task.instance]

        tap.ok(tap.wait_for(lambda: got("WARNING"), SLOW), "collectd: a program gets it", daemon.notifications())
        fields = (got("WARNING") or [{}])[0]
        expected = {"Host": "testhost", "Plugin": "qmem_procstat", "Type": "stuck", "pid": str(task.pid), "tid": str(task.pid), "comm": "crowd",
                    "wchan": task.wchan, "uid": str(os.getuid()), "user": pwd.getpwuid(os.getuid()).pw_name}
        tap.same({key: fields.get(key) for key in expected}, expected, "collectd: with its fields")
    stuck = daemon.value("qmem_procstat/count-census_stuck")
    tap.ok(stuck and stuck["value"] >= 1, "collectd: it is counted", stuck)
    task.end()
    mob.end()
    tap.ok(tap.wait_for(lambda: of("OKAY"), SLOW), "collectd: its end is another one", daemon.text())
    tap.ok("is no longer stuck" in (of("OKAY") or [""])[0], "collectd: that says so", of("OKAY"))
    tap.same(len(of("WARNING")), 1, "collectd: it was said once")
    status, _ = daemon.stop()
    tap.same((status, daemon.warnings(), daemon.reports()), (0, [], ""), "collectd: a clean end")


def test_netdata():
    if os.environ.get("QMEM_NETDATA") == "no" or not netdata_daemon.program():
        tap.skip("Netdata", "none is installed, or built without it")
        return
    agent = netdata_daemon.Netdata("[procstat]\nStuckAfter = 2s\n")

    def alarm(name="qmem_stuck_tasks", chart="qmem.procstat_census"):
        return agent.alarms().get((name, chart), {})

    tap.ok(tap.wait_for(lambda: alarm().get("status") == "CLEAR", ALARM), "Netdata: the alarm is there, and clear", agent.alarms(),
           agent.log()[-3000:])
    tap.ok(alarm("qmem_zombies", "qmem.procstat_states"), "Netdata: that of zombies, too", list(agent.alarms()))
    task = Blocked()
    tap.ok(tap.wait_for(lambda: alarm().get("status") == "WARNING", ALARM), "Netdata: a stuck task raises it", alarm(),
           agent.rows("qmem.procstat_census"))
    tap.ok(tap.wait_for(lambda: f"procstat.stuck[{task.instance}]" in agent.log(), SLOW), "Netdata: the log has its name",
           agent.log()[-3000:])
    task.end()
    tap.ok(tap.wait_for(lambda: f"OKAY: procstat.stuck[{task.instance}]" in agent.log(), SLOW), "Netdata: and says when it is over",
           agent.log()[-3000:])
    # the notification of that is put off on purpose; the state is not
    tap.ok(tap.wait_for(lambda: alarm().get("status") == "CLEAR", ALARM), "Netdata: the alarm is clear again", alarm())
    tap.same(agent.complaints(), [], "Netdata: nothing is wrong with the configuration of alarms")
    tap.same(agent.end(), None, "Netdata: it ends")
    netdata_daemon.reap(agent)


test_collectd()
test_netdata()
tap.done()
