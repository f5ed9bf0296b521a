# SPDX-License-Identifier: MIT
"""
One table of capabilities, by four witnesses: what --check prints of the services' rows, what make install gives, the drop-ins of
conf/systemd, and the units that Debian installs. Nothing is installed.
"""

import os
import re
import shutil
import subprocess

import building
import capabilities
import tap
from collectd_daemon import PROGRAM, Collectd

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
QMEMCTL = os.path.join(tap.BUILD, "qmemctl")
UNITS = os.path.join(tap.SRC, "conf", "systemd")
NOBODY = 65534


def settings(path, key):
    """The words of a unit's lines of that key."""
    return [word for value in re.findall(rf"^{key}=(.*)$", tap.read(path), re.M) for word in value.split()]


def check(*words, program=QMEMCTL, wrapper=()):
    """The lines of services, and the rows of the table."""
    said = subprocess.run([*wrapper, program, "--check" if program == PLUGIN else "check", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=tap.patience(60), check=False,
                          env=dict(os.environ, NETDATA_USER_CONFIG_DIR="/nonexistent", NETDATA_STOCK_CONFIG_DIR="/nonexistent"))
    lines = [line for line in said.stdout.splitlines() if line.startswith("capability ")]
    rows = capabilities.rows(said.stdout)
    if len(rows) != len(lines) or not rows:
        tap.ok(False, "the table can be read", said.stdout, said.stderr)
    return said.stdout, rows


def table():
    said, rows = check()
    tap.same([int(row[0]) for row in rows], list(range(1, len(rows) + 1)), "the lines are numbered")
    page = [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in tap.read(os.path.join(tap.SRC, "docs", "security.md")).splitlines()
            if re.match(r"\| \d+ \|", line)]
    tap.same([(line[0], line[1], line[2], line[4], line[5]) for line in page], [(row[0], row[2], row[3], row[5], row[6]) for row in rows],
             "docs/security.md has the same lines")
    for row in rows:
        # as the service's own row says it
        service = next((line for line in said.splitlines() if line.startswith(row[3] + "\t")), None)
        tap.ok(service, f"line {row[0]}: {row[3]} is a service", said)
    installed = {row[2].lower() for row in rows if row[5].startswith("installed")}
    caps = building.variables(tap.BUILD, "PLUGIN_CAPS")["PLUGIN_CAPS"]
    tap.same(set(caps[:-len("=p")].split(",")), installed, "make install gives what the table calls installed")
    return rows


def drop_ins(rows):
    path = f"{UNITS}/netdata.service.d/qmem.conf"
    tap.same(set(settings(path, "CapabilityBoundingSet")), {row[2] for row in rows if row[5].startswith("installed")},
             "Netdata's drop-in lets through what is installed")
    path = f"{UNITS}/collectd.service.d/qmem.conf"
    wanted = {row[2] for row in rows if row[6] == "drop-in"}
    for key in ("CapabilityBoundingSet", "AmbientCapabilities"):
        tap.same(set(settings(path, key)), wanted, f"collectd's drop-in: {key}")
    tap.ok(not {cap.lower() for cap in wanted} & capabilities.WIDE, "and none of these opens every file", wanted)
    for name in ("netdata", "collectd"):
        by_hand = {row[2] for row in rows if row[5 if name == "netdata" else 6].startswith("by hand")}
        tap.same({word for word in settings(f"{UNITS}/{name}.service.d/qmem.conf", "#CapabilityBoundingSet")}, by_hand,
                 f"{name}'s: what is not given stands there as a comment")


def debian(rows):
    """Of the units as they are installed here: what they keep away, and whether systemd takes both together."""
    found = [f"{where}/{name}.service" for name in ("netdata", "collectd") for where in ("/lib/systemd/system", "/usr/lib/systemd/system")
             if os.path.exists(f"{where}/{name}.service")]
    netdata = next((path for path in found if "netdata" in path), None)
    if netdata:
        has = set(settings(netdata, "CapabilityBoundingSet"))
        tap.same({row[2] for row in rows if "drop-in" in row[5]}, {row[2] for row in rows} - has, "the drop-in is for what Debian's Netdata lacks")
    else:
        tap.skip("the drop-in is for what Debian's Netdata lacks", "no unit of it here")
    if not found or not shutil.which("systemd-analyze"):
        tap.skip("systemd takes the drop-ins", "no units, or no systemd-analyze here")
        return
    where = tap.directory()
    for path in {os.path.basename(one): one for one in found}.values():
        name = os.path.basename(path)
        shutil.copy(path, where)
        shutil.copytree(f"{UNITS}/{name}.d", f"{where}/{name}.d")
        said = subprocess.run(["systemd-analyze", "verify", f"{where}/{name}"], capture_output=True, text=True, check=False,
                              env=dict(os.environ, SYSTEMD_LOG_LEVEL="warning"))
        ours = [line for line in said.stderr.splitlines() if f"{name}.d" in line or "apability" in line]
        tap.ok(said.returncode == 0 and not ours, f"systemd takes the drop-in of {name}", said.stderr)
        tap.write(f"{where}/{name}.d/qmem.conf", "[Service]\nNoSuchThing=true\n")
        said = subprocess.run(["systemd-analyze", "verify", f"{where}/{name}"], capture_output=True, text=True, check=False)
        tap.ok("NoSuchThing" in said.stderr, "and would not be silent about a wrong one", said.stderr)


def lacking(rows):
    """Of each service that lacks one, --check says which line; and why."""
    as_nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
    program = (QMEMCTL, PLUGIN) if os.path.exists(PLUGIN) else (QMEMCTL,)
    for one in program:
        name = os.path.basename(one)
        said, found = check("-o" if one == QMEMCTL else "--config", "procmem.GroupBy=exe" if one == QMEMCTL else config("[procmem]\nGroupBy=exe\n"),
                            program=one, wrapper=as_nobody)
        tap.ok(not [row for row in found if row[1] == "there"], f"{name} as nobody has none", said)
        wrong = []
        for number, state, cap, service, words, *_ in found:
            line = next((line for line in said.splitlines() if line.startswith(service + "\t")), "")
            told = f"capability {number})" in line or f"see capability {number}" in line
            if told != (state == "lacking") and not (cap == "CAP_DAC_OVERRIDE" and not told):
                wrong.append((line, number))
            if state == "lacking" and "CapabilityBoundingSet" not in words:
                wrong.append((words, number))
        tap.same(wrong, [], f"{name}: each service says which line it lacks, and the line what keeps it away")
    said, found = check("-o", "procmem.Enabled=no", "-o", "procstat.Enabled=no", "-o", "cpuload.Enabled=no", "-o", "heapmon.Enabled=no")
    tap.same({row[1] for row in found if row[3] in ("procmem", "procstat")}, {"unused"}, "what is off needs none")
    said, found = check("-o", f"HostRoot={os.path.join(tap.SRC, 'tests', 'roots', '6.12-x86_64', '1')}")
    tap.ok(not [row for row in found if row[1] == "there"], "nor is any lent to a recorded root", said)


def config(text):
    path = os.path.join(tap.directory(), "qmem.conf")
    tap.write(path, text)
    return path


def collectd_log(rows):
    """A collectd that is not root: with what the drop-in gives it lacks what is by hand, and without all that is used."""
    caps = [word.lower() for word in settings(f"{UNITS}/collectd.service.d/qmem.conf", "AmbientCapabilities")]
    given = [cap[4:] for cap in capabilities.bounded(caps)]
    for name, some in (("with the drop-in", given), ("without", [])):
        add = ",".join(f"+{cap}" for cap in some)
        rights = (f"--inh-caps=-all,{add}", f"--ambient-caps=-all,{add}") if some else ("--inh-caps=-all",)
        daemon = Collectd("", wrapper=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *rights, "--no-new-privs"])
        os.chmod(daemon.directory, 0o777)
        daemon.give_to(NOBODY, NOBODY)
        if not tap.ok(daemon.start(), f"collectd {name}: it starts", daemon.text(), daemon.text("err")):
            continue
        told = {(line.group(1), line.group(2), line.group(3)) for line in
                re.finditer(r"(\w+): lacks (CAP_\w+) for .*: capability (\d+) in docs/security\.md, ", daemon.text())}
        daemon.stop()
        known = {(row[3], row[2], row[0]) for row in rows}
        tap.ok(told <= known, f"collectd {name}: what its log says is of the table", told - known)
        told = {(service, cap) for service, cap, _ in told}
        wanted = {(row[3], row[2]) for row in rows if row[1] != "unused" and row[6] == "drop-in" and row[2].lower()[4:] not in some}
        tap.same({one for one in told if one[1].lower() not in capabilities.WIDE}, wanted, f"collectd {name}: its log tells what it lacks") or tap.diag(daemon.text())


def main():
    rows = table()
    drop_ins(rows)
    debian(rows)
    if os.geteuid() == 0 and shutil.which("setpriv") and not os.environ.get("QMEM_SANITIZERS"):
        lacking(rows)
        if PROGRAM and os.environ.get("QMEM_COLLECTD") != "no":
            collectd_log(rows)
    else:
        tap.skip("what others lack", "needs root, setpriv and programs without sanitizers")
    tap.done()


main()
