# SPDX-License-Identifier: MIT
"""The plugin in a real collectd: values, options, rights, life and death."""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess

import collectd_daemon
import services
import tap
from collectd_daemon import SLOW, STOP, Collectd

collectd_daemon.skip_without_collectd()
# not what another test may switch on and off
SERVICES = [name for name in services.charted() if name != "ksm"]
ROOT = os.geteuid() == 0


def clean(daemon, name):
    """Ends a daemon that had no reason to complain."""
    status, seconds = daemon.stop()
    tap.ok(status == 0, f"{name}: exit status 0", status, daemon.text()[-2000:], daemon.text("err")[-2000:])
    tap.ok(seconds < STOP, f"{name}: it stops within {STOP} s", f"{seconds:.1f} s")
    tap.same(daemon.reports(), "", f"{name}: no report of a sanitizer")


def has(daemon, service):
    return any(re.match(rf"qmem_{service}[-/]", name) for name in daemon.identifiers())


def all_have_come(daemon, names=()):
    return tap.wait_for(lambda: all(has(daemon, name) for name in names or SERVICES), SLOW)


def of(user, folder):
    """Those that have values without more rights than this user has, as qmemctl says; the user may not be let into the build."""
    real = os.path.join(tap.BUILD, ".libs", "qmemctl")
    program = shutil.copy(real if os.path.exists(real) else os.path.join(tap.BUILD, "qmemctl"), folder)
    said = subprocess.run([*user, program, "check"], capture_output=True, text=True, check=False).stdout
    return [name for name in SERVICES if re.search(rf"(?m)^{name}\ton\t", said)]


# ---- values against an independent reader ----

def meminfo(key):
    return int(re.search(rf"^{re.escape(key)}:\s+(\d+)", tap.read("/proc/meminfo"), re.M).group(1)) * 1024


def vmstat(key):
    return int(re.search(rf"^{key} (\d+)$", tap.read("/proc/vmstat"), re.M).group(1))


def interface(name, column):
    line = re.search(rf"^\s*{re.escape(name)}:(.*)$", tap.read("/proc/1/net/dev"), re.M).group(1)
    return int(line.split()[column])


def pressure(resource):
    return int(re.search(r"^some .*total=(\d+)", tap.read(f"/proc/pressure/{resource}"), re.M).group(1)) // 1000


def between(daemon, identifier, column, read):
    """Waits until a written value lies between what was read before and after it was collected."""
    tried = []

    def is_right():
        written = len(daemon.written(identifier))
        before = read()
        # the row after the next one has surely been collected after that
        if not tap.wait_for(lambda: len(daemon.written(identifier)) >= written + 2, SLOW):
            return False
        row = daemon.written(identifier)[written + 1]
        after = read()
        tried.append((before, row[1 + column], after))
        return min(before, after) <= row[1 + column] <= max(before, after)

    right = tap.wait_for(is_right, SLOW)
    tap.ok(right, f"{identifier}[{column}] lies between what was read before and after", tried[-5:])


def use_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x" * 1000, ("127.0.0.1", 9))


def test_defaults():
    daemon = Collectd(interval=0.2)
    if not tap.ok(daemon.start(), "without configuration: it starts", daemon.text(), daemon.text("err")):
        return
    tap.ok(all_have_come(daemon), "without configuration: values of every service", daemon.identifiers())
    names, types = daemon.identifiers(), collectd_daemon.types()
    names = [name for name in names if name.startswith("qmem")]
    tap.same(len({name.replace("/", "_").lower() for name in names}), len(names), "identifiers are unique")
    strange = [name for name in names if re.split("[-/]", name.split("/")[1])[0] not in types]
    tap.same(strange, [], "all types are in types.db")
    odd = [name for name in names if not re.fullmatch(r"qmem_[a-z]+(-[A-Za-z0-9_.:@-]+)?/[a-z_]+-[a-z0-9_]+", name)]
    tap.same(odd, [], "identifiers look like qmem_service-instance/type-family_metric")
    tap.same(daemon.value("qmem_meminfo/memory-available_total"), {"value": float(f"{meminfo('MemTotal'):e}")}, "GETVAL")

    use_loopback()
    for metric, key in (("available_total", "MemTotal"), ("commit_limit", "CommitLimit"),
                        ("available_available", "MemAvailable"), ("usage_free", "MemFree"),
                        ("usage_buffers", "Buffers"), ("lru_active_file", "Active(file)"),
                        ("kernel_page_tables", "PageTables"), ("processes_anon", "AnonPages")):
        between(daemon, f"qmem_meminfo/memory-{metric}", 0, lambda key=key: meminfo(key))
    between(daemon, "qmem_vmstat/vmpage_action-alloc_free", 0, lambda: vmstat("pgfree"))
    between(daemon, "qmem_vmstat/vmpage_faults-faults", 0, lambda: vmstat("pgfault") - vmstat("pgmajfault"))
    between(daemon, "qmem_vmstat/vmpage_faults-faults", 1, lambda: vmstat("pgmajfault"))
    between(daemon, "qmem_vmstat/total_bytes-io_in", 0, lambda: vmstat("pgpgin") * 1024)
    between(daemon, "qmem_vmstat/total_events-oom_kill", 0, lambda: vmstat("oom_kill"))
    if any(name.startswith("qmem_netstat-lo/") for name in names):
        for family, columns in (("if_octets-bytes", (0, 8)), ("if_packets-packets", (1, 9))):
            for i, column in enumerate(columns):
                between(daemon, f"qmem_netstat-lo/{family}", i, lambda column=column: interface("lo", column))
    else:
        tap.skip("netstat: the loopback", "this machine has none")
    for resource in ("memory", "io", "cpu"):
        name = f"qmem_pressure-{resource}/total_time_in_ms-stall_some"
        if "pressure" in SERVICES:
            between(daemon, name, 0, lambda resource=resource: pressure(resource))
        else:
            tap.skip(name, "no /proc/pressure here")
    tap.same(daemon.warnings(), [], "without configuration: no warning")
    tap.ok(not daemon.logged("Value too old"), "no value is too old", daemon.text())
    clean(daemon, "without configuration")

    os.remove(daemon.log)
    tap.ok(daemon.start() and all_have_come(daemon), "it starts again", daemon.text(), daemon.text("err"))
    daemon.child.kill()
    daemon.child.wait()
    os.remove(daemon.log)
    tap.ok(daemon.start() and all_have_come(daemon), "killed, it starts again", daemon.text(), daemon.text("err"))
    clean(daemon, "started again")


def test_background():
    """The daemon forks between configuration and init."""
    daemon = Collectd()
    started = subprocess.run([collectd_daemon.PROGRAM, "-C", daemon.conf], env=daemon.environment, check=False,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    tap.same(started, 0, "in the background: it starts")
    if not tap.wait_for(lambda: daemon.text("pid").strip(), SLOW):
        tap.ok(False, "in the background: it has a pid", daemon.text())
        return
    pid = int(daemon.text("pid"))
    atexit.register(kill, pid, daemon.conf)
    tap.wait_for(daemon.listens, SLOW)
    tap.ok(all_have_come(daemon), "in the background: values of every service", daemon.text())
    os.kill(pid, signal.SIGTERM)
    tap.ok(tap.wait_for(lambda: not os.path.exists(f"/proc/{pid}") or "Z" in state(pid), STOP),
           f"in the background: it stops within {STOP} s")
    tap.same(daemon.reports(), "", "in the background: no report of a sanitizer")


def state(pid):
    try:
        return tap.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def kill(pid, conf):
    """If it is still ours."""
    try:
        if conf in tap.read(f"/proc/{pid}/cmdline"):
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def test_descriptors():
    """With too few of them something may be off, but the agent lives."""
    for n in (12, 14, 16, 18, 20, 22, 24, 26, 28, 32):
        # collectd's threads end by pthread_exit(), which aborts if it cannot open libgcc_s
        daemon = Collectd(wrapper=["sh", "-c", f'LD_PRELOAD="$LD_PRELOAD libgcc_s.so.1"; export LD_PRELOAD; ulimit -n {n}; exec "$@"',
                                   "sh"])
        # with none left its log says nothing more, not even that it reads
        if not daemon.start(5):
            # collectd itself needs some
            tap.ok(daemon.child.returncode == 1, f"{n} descriptors: collectd gives up", daemon.child.returncode, daemon.text())
            continue
        tap.wait_for(lambda: daemon.written("qmem_self/total_operations-collections_collections"), 3)
        status, seconds = daemon.stop()
        tap.ok(status in (0, 1) and seconds < STOP, f"{n} descriptors: it runs, and stops", status, seconds, daemon.text())
        tap.same(daemon.reports(), "", f"{n} descriptors: no report of a sanitizer")


# ---- options ----

def test_options():
    wrong = [
        ('NoSuchOption 1', "NoSuchOption"),
        ('<Service "nosuch">\nInterval 1\n</Service>', "nosuch"),
        ('<Service>\nInterval 1\n</Service>', "Service"),
        ('<Service "meminfo">\nNoSuch 1\n</Service>', "NoSuch"),
        ('<Service "meminfo">\nInterval soon\n</Service>', "'soon'"),
        ('<Service "meminfo">\nInterval -1\n</Service>', "'-1'"),
        ('<Service "meminfo">\nInterval 0.5s\n</Service>', None),
        ('<Service "meminfo">\nEnabled perhaps\n</Service>', "'perhaps'"),
        ('<Service "meminfo">\nLevelLow 101\n</Service>', "'101'"),
        ('<Service "meminfo">\n<NoSuch "block">\na 1\n</NoSuch>\n</Service>', "NoSuch"),
        ('<Service "vmstat">\nRawGauge "no such key"\n</Service>', "no such key"),
        ('<Service "pressure">\nTrigger "memory some 3s 2s"\n</Service>', "3s 2s"),
        ('<Service "netstat">\nInterface "/[/"\n</Service>', "/[/"),
        ('<Service "procmem">\nGroups 7\n</Service>', "'Top' now"),
        ('<Service "netstat">\nNamespace elsewhere\n</Service>', "'elsewhere'"),
        ('<Service "self">\nBudget 2s\n</Service>', "'2s'"),
        ('<Service "no\u2028 such">\nInterval 1\n</Service>', r"'no\xe2\x80\xa8 such'"),
        ('<Service "procmem">\n<Group "web frontend">\nComm "a"\n</Group>\n<Group "web_frontend">\nComm "b"\n</Group>\n</Service>',
         "'web frontend' and 'web_frontend' are one"),
    ]
    for config, words in wrong:
        name = config.replace("\n", " ").replace("#", "\\#")
        daemon = Collectd(config)
        if not tap.ok(daemon.start() and all_have_come(daemon, ["meminfo", "self"]), f"it runs with: {name}", daemon.text(),
                      daemon.text("err")):
            continue
        warnings = daemon.warnings()
        if words:
            tap.ok(len(warnings) == 1 and words in warnings[0], f"one warning names {words}".replace("#", "\\#"), warnings)
        else:
            tap.same(warnings, [], "no warning: a value of several words needs no quotes")
        if "web frontend" in config:
            tap.ok(tap.wait_for(lambda d=daemon: any(n.startswith("qmem_procmem-web_frontend/") for n in d.identifiers()), SLOW),
                   "a blank in a group's name is '_', and nothing is added", daemon.identifiers())
        clean(daemon, name)


def test_merged():
    daemon = Collectd('<Service "meminfo">\nEnabled no\n</Service>\n<Service "vmstat">\nRawGauge nr_free_pages\n</Service>',
                      extra='<Plugin qmem>\n<Service "vmstat">\nRawGauge nr_zone_active_file\n</Service>\n'
                            '<Service "netstat">\nEnabled false\n</Service>\n</Plugin>\n')
    tap.ok(daemon.start() and all_have_come(daemon, ["vmstat", "self"]), "two <Plugin> blocks: it starts", daemon.text())
    names = daemon.identifiers()
    for key in ("nr_free_pages", "nr_zone_active_file"):
        tap.ok(any(name.startswith(f"qmem_vmstat-{key}/") for name in names), f"two <Plugin> blocks: {key}", names)
    tap.ok(not has(daemon, "meminfo") and not has(daemon, "netstat"), "two <Plugin> blocks: two services are off", names)
    tap.same(daemon.warnings(), [], "two <Plugin> blocks: no warning")
    clean(daemon, "two <Plugin> blocks")


# ---- rights and surroundings ----

def test_nobody():
    if not ROOT or not shutil.which("setpriv"):
        tap.skip("as nobody", "needs root and setpriv")
        return
    # nobody may not be let into the directory of the build
    plugins = tap.directory()
    shutil.copy(os.path.join(tap.BUILD, ".libs", "qmem.so"), plugins)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    os.chmod(plugins, 0o755)
    there = of(user, plugins)
    daemon = Collectd(plugins=plugins, wrapper=user)
    daemon.give_to(65534, 65534)
    tap.ok(len(there) > len(SERVICES) / 2 and daemon.start() and all_have_come(daemon, there), "as nobody: values of every service", daemon.text(), daemon.text("err"))
    tap.same(tap.read(f"/proc/{daemon.child.pid}/status").split("Uid:")[1].split()[0], "65534", "as nobody: it is nobody")
    status, seconds = daemon.stop()
    tap.ok(status == 0 and seconds < STOP, "as nobody: a clean stop", status, seconds)


def test_hostile_interface():
    """In a network namespace of its own, with a name that means something in most formats."""
    name = 'a"b=c'
    # what is preloaded for collectd is not for ip
    setup = f"""(unset LD_PRELOAD; ip link add '{name}' type veth peer name 'x{{y}}$z' && ip link add a.1 type veth peer name a_1)"""
    why = "needs root, unshare and veth"
    if not ROOT or os.system(f"unshare -n sh -c {_quoted(setup)} >/dev/null 2>&1"):
        tap.skip("hostile interface names", why)
        return
    daemon = Collectd('<Service "netstat">\nNamespace self\nTop 100\n</Service>',
                      wrapper=["unshare", "-n", "sh", "-c", setup + ' && exec "$@"', "sh"])
    tap.ok(daemon.start() and all_have_come(daemon, ["netstat"]), "hostile interface names: it runs", daemon.text(),
           daemon.text("err"))
    names = {re.match("qmem_netstat-(.*)/", n).group(1) for n in daemon.identifiers() if n.startswith("qmem_netstat-")}
    for start in ("a_b_c_", "x_y__z_"):
        tap.ok(any(re.fullmatch(start + "[0-9a-f]{8}", n) for n in names), f"hostile interface names: {start}...", names)
    tap.ok({"a.1", "a_1"} <= names, "hostile interface names: those that are almost the same stay two", names)
    tap.same(daemon.warnings(), [], "hostile interface names: no warning")
    status, seconds = daemon.stop()
    tap.ok(status == 0 and seconds < STOP, "hostile interface names: a clean stop", status, seconds)


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def test_nothing_to_read():
    root = tap.directory()
    daemon = Collectd(f'HostRoot "{root}"')
    tap.ok(daemon.start(), "an empty HostRoot: it starts all the same", daemon.text(), daemon.text("err"))
    tap.ok(tap.wait_for(lambda: has(daemon, "self"), SLOW), "an empty HostRoot: self is there", daemon.identifiers())
    tap.ok(not has(daemon, "meminfo"), "an empty HostRoot: meminfo is not")
    clean(daemon, "an empty HostRoot")


def test_no_root():
    daemon = Collectd('HostRoot "/no such place"')
    daemon.start()
    tap.ok(tap.wait_for(lambda: daemon.logged("nothing can be measured here"), SLOW), "no HostRoot: nothing is measured", daemon.text())
    tap.ok("HostRoot '/no such place' cannot be found" in daemon.text(), "no HostRoot: which is said", daemon.text())
    tap.ok(not daemon.identifiers(), "no HostRoot: least of all the machine's own", daemon.identifiers())
    daemon.stop()


test_defaults()
test_background()
test_descriptors()
test_options()
test_merged()
test_nobody()
test_hostile_interface()
test_nothing_to_read()
test_no_root()
tap.done()
