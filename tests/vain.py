# SPDX-License-Identifier: MIT
"""
Configurations that are in vain, through both readers: each is told in the same words, with the line where there are lines, and
--check fails; neither agent is stopped by it.
"""

import collections
import os
import re
import subprocess

import collectd_daemon
import tap

PLUGIN, QMEMCTL = (os.path.join(tap.BUILD, name) for name in ("qmem.plugin", "qmemctl"))
DIR = tap.directory()
# option None: the block or the service alone
Case = collections.namedtuple("Case", "service block option value message", defaults=(None,))


def group(name, option, value, message):
    return Case("procmem", name, option, value, message)


# What a reader hears at once: all of these may stand in one file.
AT_ONCE = [
    group("long", "Comm", "averyverylongname", "procmem: Group 'long': Comm 'averyverylongname' is longer than the 15 bytes that the "
          "kernel keeps of a name: 'averyverylongna' would match"),
    group("half", "Comm", "/usr/sbin/nginx", "procmem: Group 'half': Comm '/usr/sbin/nginx' begins with '/': an expression stands"),
    group("relative", "Cgroup", "system.slice", "procmem: Group 'relative': Cgroup 'system.slice' does not begin with '/'"),
    group("mounted", "Cgroup", "/sys/fs/cgroup/a", "procmem: Group 'mounted': Cgroup '/sys/fs/cgroup/a' begins with /sys/fs/cgroup"),
    group("digits", "Comm", r"/^a\d+/", r"procmem: Group 'digits': Comm '/^a\d+/' has '\d', which POSIX has not: write [0-9]"),
    group("words", "Cmdline", r"/\w+/", r"procmem: Group 'words': Cmdline '/\w+/' has '\w', which POSIX has not"),
    group("perl", "Comm", "/(?:x)/", "procmem: Group 'perl': Comm '/(?:x)/' has '(?', which POSIX has not"),
    group("other", "Comm", "x", "procmem: Group 'other' is the name of a built-in group"),
    group("kernel", "Comm", "x", "procmem: Group 'kernel' is the name of a built-in group"),
    group("x" * 180, "Comm", "x", " is longer than 176 bytes"),
    group("near", "Comn", "x", "procmem: Group 'near': no option 'Comn'; did you mean 'Comm'?"),
    Case("netstat", None, "Interface", "eth0 eth1", "netstat: Interface 'eth0 eth1' has a blank: give each interface by an option of its own"),
    Case("netstat", None, "Interface", "eth0,eth1", "netstat: Interface 'eth0,eth1' has a comma"),
    Case("netstat", None, "Interface", "eth*", "netstat: Interface 'eth*' has a '*': write an expression between slashes, such as /^eth/"),
    Case("netstat", None, "Interface", "averyverylongname", "netstat: Interface 'averyverylongname' is longer than the 15 bytes"),
    Case("netstat", None, "Interface", "/eth0", "netstat: Interface '/eth0' begins with '/'"),
    Case("meminfo", None, "LevelMedium", "10M", "meminfo: LevelMedium '10M' is a size, not a percentage such as 10, 10%, 0.5%"),
    Case("meminfo", None, "LevelHigh", "0.001%", "meminfo: LevelHigh '0.001%' "),
    Case("meminfo", None, "LevelHygh", "3", "meminfo: no option 'LevelHygh'; did you mean 'LevelHigh'?"),
    Case("nosuch", None, "x", "1", "no service 'nosuch'"),
    Case("procmen", None, None, None, "no service 'procmen'; did you mean 'procmem'?"),
    Case("memifno", None, "Enabled", "no", "no service 'memifno'; did you mean 'meminfo'?"),
    Case("pressure", None, "Trigger", "cpu full 100ms 2s", "pressure: Trigger 'cpu full 100ms 2s' never fires: cpu full is always 0"),
    Case("pressure", None, "Trigger", "memory some 5s 2s", "pressure: Trigger 'memory some 5s 2s' has a stall of 5s, which is longer than"),
    Case("procmem", None, "PssBudget", "5", "procmem: PssBudget '5' must be from 0 to 1s: it is read as 5s; ms are milliseconds"),
    Case("procmem", None, "Top", "100000", "procmem: Top '100000' must be from 0 to 10000"),
    Case("procmem", None, "LevelLow", "4", "procmem: no option 'LevelLow'; there is one in meminfo"),
    Case("procmem", None, "Comm", "x", "procmem: no option 'Comm'; it is one of a block 'Group'"),
    Case("procmem", None, "HostRoot", "/", "procmem: no option 'HostRoot'; it is one of qmem as a whole"),
    Case("procmem", None, "SortBy", "rsss", "procmem: SortBy 'rsss' must be one of rss, anon, swap, faults, processes"),
    Case("procmem", None, "TopBy", "rss", "procmem: no option 'TopBy': it is 'SortBy' now"),
    Case(None, None, "Interval", "5", "no option 'Interval'; each service has one of its own"),
    Case(None, None, "Overlapp", "no", "no option 'Overlapp'; did you mean 'Overlap'?"),
]

OF_SECTION = re.compile("no service|built-in group|176 bytes")

# What only a whole tells, each by itself: settings, the message, and the option where it stands.
WHOLES = {
    "levels upside down": ([Case("meminfo", None, "LevelLow", "5")], "meminfo: LevelLow '5' is below LevelMedium, which is 7%"),
    "a group without rules": ([Case("procmem", "empty", None, None)], "procmem: Group 'empty'"),
    "a group that is not there": ([Case("heapmon", None, "Group", "nosuch")], "heapmon: Group 'nosuch'"),
}


def ini(cases):
    """The text, and on which line each case stands."""
    lines, at = [], []
    for case in sorted(cases, key=lambda c: c.service is not None):
        if case.service:
            lines.append(f'[{case.service}.group "{case.block}"]' if case.block else f"[{case.service}]")
        if case.option:
            lines.append(f"{case.option} = {case.value}")
        at.append((case, len(lines)))
    return "\n".join(lines) + "\n", at


def oconfig(cases):
    lines = []
    for case in cases:
        value = '"{}"'.format(case.value.replace("\\", "\\\\").replace('"', '\\"')) if case.option else ""
        inner = [f"{case.option} {value}"] if case.option else []
        if case.block:
            inner = [f'<Group "{case.block}">', *inner, "</Group>"]
        lines += [f'<Service "{case.service}">', *inner, "</Service>"] if case.service else inner
    return "\n".join(lines) + "\n"


def check(text, program=PLUGIN):
    path = os.path.join(DIR, "qmem.conf")
    tap.write(path, text)
    words = ["check", "--config"] if program == QMEMCTL else ["--check", "--config"]
    return subprocess.run([program, *words, path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def by_ini():
    text, at = ini(AT_ONCE)
    for program in (PLUGIN, QMEMCTL):
        name, got = os.path.basename(program), check(text, program)
        tap.same(got.returncode, 1, f"{name}: it fails")
        for case, line in at:
            line -= bool(case.option and OF_SECTION.search(case.message))
            found = [said for said in got.stdout.splitlines() if f"qmem.conf:{line}: " in said]
            tap.ok(len(found) == 1 and case.message in found[0], f"{name}: line {line}: {case.message}", found)
        if program == QMEMCTL:
            tap.ok("collectd.conf is not read" in got.stderr, f"{name}: and says what it does not read", got.stderr)
    for name, (cases, message) in WHOLES.items():
        text, at = ini(cases)
        got = check(text)
        tap.ok(got.returncode == 1 and f"qmem.conf:{at[-1][1]}: {message}" in got.stdout, f"{name}: {message}", got.stdout, got.stderr)


def collectd(name, cases, messages):
    """All of it is in the log, once each, and the daemon goes on."""
    daemon = collectd_daemon.Collectd(oconfig(cases))
    status = daemon.test()
    tap.same(status, 0, f"collectd: {name}: the daemon is not stopped by it") or tap.diag(daemon.text()[-2000:])
    lines = daemon.warnings()
    for message in messages:
        tap.same(sum(message in line for line in lines), 1, f"collectd: {name}: {message}") or tap.diag("\n".join(lines))
    # a group whose only rule is refused has none
    tap.same([line for line in lines if not any(message in line for message in messages) and "has no rule that says" not in line], [],
             f"collectd: {name}: and nothing else")


def by_collectd():
    if os.environ.get("QMEM_COLLECTD") == "no" or not collectd_daemon.PROGRAM:
        tap.skip("collectd", "none is installed, or built without it")
        return
    collectd("all at once", AT_ONCE, [case.message for case in AT_ONCE])
    for name, (cases, message) in WHOLES.items():
        collectd(name, cases, [message])


def of_one_reader():
    """What only one of them can be told, and what looks different in each."""
    got = check("[procmem.group]\n")
    tap.ok(got.returncode == 1 and got.stdout.endswith(":1: procmem: block 'Group' has no name\n"), "a block without a name", got.stdout)
    got = subprocess.run([QMEMCTL, "check", "-o", "procmem.group.my.web.Comn=x"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         check=False)
    tap.ok(got.returncode == 2 and "procmem: Group 'my.web': no option 'Comn'; did you mean 'Comm'?" in got.stderr,
           "qmemctl -o sets what is in a block", got)
    if os.environ.get("QMEM_COLLECTD") == "no" or not collectd_daemon.PROGRAM:
        return
    daemon = collectd_daemon.Collectd(
        '<Service "procmem">\n<Group>\nComm "x"\n</Group>\n<Group "a" "b">\nComm "x"\n</Group>\n</Service>\n'
        '<Service "netstat">\nInterface "eth0" "eth1"\n</Service>\n<Service "pressure">\nTrigger memory some 200ms 2s\n</Service>\n')
    tap.same(daemon.test(), 0, "collectd: several values: the daemon is not stopped by it") or tap.diag(daemon.text()[-2000:])
    tap.same([line.split("qmem plugin: ")[-1] for line in daemon.warnings()],
             ["procmem: block 'Group' has no name", "procmem: Group: has several names: write one in quotes",
              "netstat: Interface: has several values: write one in quotes, and the option once for each"],
             "collectd: a block without a name, and several values where there is one")


def off():
    """What is needed and is off, and all of it off."""
    got = check("[proctable]\nEnabled = no\n")
    states = dict(line.split("\t")[:2] for line in got.stdout.splitlines() if line.count("\t") > 1)
    tap.same({name: states.get(name) for name in ("proctable", "procmem", "cpuload", "procstat", "meminfo")},
             {"proctable": "off", "procmem": "off", "cpuload": "off", "procstat": "off", "meminfo": "on"},
             "what needs a service that is off is off") or tap.diag(got.stdout)
    tap.ok(re.search(r"(?m)^procmem\toff\tit needs proctable, and Enabled of that is no$", got.stdout), "and says why", got.stdout)
    services = [name for name in states if name]
    got = check("".join(f"[{name}]\nEnabled = no\n" for name in services))
    tap.ok(got.returncode == 1 and got.stdout.endswith("\nnothing is measured: no service is on\n"),
           "all services off: --check fails, and says so", got)
    if os.environ.get("QMEM_COLLECTD") != "no" and collectd_daemon.PROGRAM:
        daemon = collectd_daemon.Collectd("".join(f'<Service "{name}">\nEnabled no\n</Service>\n' for name in services))
        tap.same(daemon.test(), 0, "all services off: collectd goes on") or tap.diag(daemon.text())
        tap.ok(daemon.logged("nothing is measured: no service is on"), "and the log says so", daemon.text())


def unread():
    for path, why in ((f"{DIR}/nosuch.conf", "No such file"), (DIR, "Is a directory")):
        got = subprocess.run([PLUGIN, "--print", "--config", path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        tap.ok(got.returncode == 1 and why in got.stderr, f"--print: {why}", got)


if not os.access(PLUGIN, os.X_OK):
    tap.skip_all("qmem.plugin is not built")
by_ini()
by_collectd()
of_one_reader()
off()
unread()
tap.done()
