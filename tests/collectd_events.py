# SPDX-License-Identifier: MIT
"""A real memory stall arrives as a notification of a real collectd, and so does its end."""

import os

import collectd_daemon
import stall
import tap
from collectd_daemon import SLOW, STOP, Collectd

collectd_daemon.skip_without_collectd()

# 5 % of the time, where the stall takes some 50 %
THRESHOLD = 0.05
CONFIG = """
<Service "pressure">
	Trigger memory some 100ms 2s
	Hold 1s
	NotifyInterval 2s
</Service>
<Service "meminfo">
	LevelLow 100
	LevelMedium 100
	LevelHysteresis 0
</Service>
"""
INSTANCE = "memory_some"
# collectd starts no program as root
EXECS = "nobody:nogroup" if os.geteuid() == 0 else None


def of(daemon, kind, severity):
    """Notifications of that type, as the program got them, or as they are in the log."""
    if EXECS:
        return [n for n in daemon.notifications() if n.get("Type") == kind and n.get("Severity") == severity]
    return [line for line in daemon.text().splitlines()
            if "Notification:" in line and f"type = {kind}," in line and f"severity = {severity}," in line]


def test_level(daemon):
    """A level below 100 % of available memory is there from the first reading."""
    tap.ok(tap.wait_for(lambda: of(daemon, "level", "WARNING"), SLOW), "the level is a notification", daemon.text())
    tap.ok("Notification:" in daemon.text() and "type = level" in daemon.text(), "collectd logs it", daemon.text())
    if EXECS:
        got = of(daemon, "level", "WARNING")[0]
        expected = {"Host": "testhost", "Plugin": "qmem_meminfo", "PluginInstance": None, "Type": "level", "TypeInstance": None}
        tap.same({key: got.get(key) for key in expected}, expected, "it says where it is from")
        tap.ok("available" in got[None] and len(got[None]) < 256, "its message is for a human", got)


def stalled(s, condition):
    """Makes the stall until it is seen. None: there was no stall to be had."""
    s.start()
    seen = tap.wait_for(condition, 60)
    share, figures = s.share(), s.figures()
    tap.diag(figures)
    if not seen and share < 3 * THRESHOLD:
        s.stop()
        return None
    return seen


def test_pressure(daemon, s):
    if stalled(s, lambda: of(daemon, "pressure", "WARNING")) is None:
        tap.skip("a stall is a notification", f"no stall to be had: {s.figures()}")
        return False
    found = of(daemon, "pressure", "WARNING")
    if not tap.ok(found, "a stall is a notification", s.figures(), daemon.text()):
        return False
    if EXECS:
        got = found[0]
        expected = {"Host": "testhost", "Plugin": "qmem_pressure", "PluginInstance": INSTANCE, "Type": "pressure",
                    "TypeInstance": None}
        tap.same({key: got.get(key) for key in expected}, expected, "it says where it is from")
        tap.ok("memory" in got[None] and "%" in got[None] and len(got[None]) < 256, "its message is for a human", got)
        own = set(got) - set(expected) - {None, "Severity", "Time"}
        tap.ok(len(own) >= 4, "it has meta data", got)
        tap.diag(got)
    tap.ok(tap.wait_for(lambda: len(of(daemon, "pressure", "WARNING")) >= 2, SLOW), "a stall that lasts is repeated")
    s.stop()
    tap.ok(tap.wait_for(lambda: of(daemon, "pressure", "OKAY"), SLOW), "its end is a notification", daemon.text())
    return True


def test_stop_while_firing(daemon, s):
    before = len(of(daemon, "pressure", "WARNING"))
    if not stalled(s, lambda: len(of(daemon, "pressure", "WARNING")) > before):
        tap.skip("a stop while a trigger is firing", f"no stall to be had: {s.figures()}")
        return
    status, seconds = daemon.stop()
    tap.ok(s.alive(), "the stall goes on", s.figures())
    tap.ok(status == 0, "a stop while a trigger is firing: exit status 0", status, daemon.text())
    tap.ok(seconds < STOP, f"a stop while a trigger is firing: within {STOP} s", f"{seconds:.1f} s")
    tap.diag(f"stopped after {1000 * seconds:.0f} ms")
    s.stop()


def test_read_only(s):
    """Where no trigger can be written, the totals are polled."""
    bind = "(unset LD_PRELOAD; mount --bind /proc/pressure /proc/pressure && mount -o remount,bind,ro /proc/pressure)"
    if os.geteuid() or os.system(f"unshare -m sh -c '{bind}' >/dev/null 2>&1"):
        tap.skip("a read-only /proc/pressure", "needs root, unshare and a bind mount")
        return
    daemon = Collectd(CONFIG, wrapper=["unshare", "-m", "sh", "-c", bind + ' && exec "$@"', "sh"])
    if not tap.ok(daemon.start(), "a read-only /proc/pressure: it starts", daemon.text(), daemon.text("err")):
        return
    tap.ok(tap.wait_for(lambda: daemon.written("qmem_pressure-memory/total_time_in_ms-stall_some"), SLOW),
           "a read-only /proc/pressure: values")
    seen = stalled(s, lambda: "type = pressure" in daemon.text())
    if seen is None:
        tap.skip("a read-only /proc/pressure: a stall is a notification", f"no stall to be had: {s.figures()}")
    else:
        tap.ok(seen, "a read-only /proc/pressure: a stall is a notification", s.figures(), daemon.text())
    s.stop()
    status, seconds = daemon.stop()
    tap.ok(status == 0 and seconds < STOP, "a read-only /proc/pressure: a clean stop", status, seconds)


daemon = Collectd(CONFIG, execs=EXECS)
if not tap.ok(daemon.start(), "it starts", daemon.text(), daemon.text("err")):
    tap.done()
test_level(daemon)
with stall.Stall() as s:
    if s.reason or not os.path.exists("/proc/pressure/memory"):
        tap.skip("a stall is a notification", s.reason or "no /proc/pressure here")
    elif test_pressure(daemon, s):
        test_stop_while_firing(daemon, s)
        test_read_only(s)
status, seconds = daemon.stop()
tap.ok(status == 0 and seconds < STOP, "a clean stop", status, seconds)
tap.same(daemon.warnings(), [], "no warning")
tap.same(daemon.reports(), "", "no report of a sanitizer")
tap.done()
