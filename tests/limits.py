# SPDX-License-Identifier: MIT
"""
How many charts and series there are by default on a machine with very many of everything, and while others come to the top
of everything at each look: through the sinks of both hosts, on a root that is made here. README has the figures; `limits.py update`
writes them there.
"""

import collections
import fcntl
import glob
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import textwrap

import collectd_daemon
import fake_netdata
import services
import tap

CHARTS, SERIES = 300, 2000  # the most there may be
PROCIO = 60, 250  # of these, of procio
PROCESSES, KTHREADS, INTERFACES, CPUS, NODES = 5000, 200, 50, 256, 64
CACHES = 300
CONTROLLERS = 16
SWAPS = 32  # the most that the kernel has
ZRAMS = 20
# charts that a root of files does not tell: procstat.threads; four mounts and three files of shmem; states, Unix sockets, their age and
# three ports of sockstat
UNTOLD = 1 + 4 + 3 + 6
SEGMENTS = 300
STEADY, ROUNDS = 5, 10  # so many with the same ones at the top, and all
PAGE = os.sysconf("SC_PAGESIZE")
RRD = 149e3  # bytes of a value's file, as collectd_writers.py finds and collectd-qmem(5) says
PF_KTHREAD = 0x200000


def of_all_roots(name):
    """The lines of a file of all recorded kernels together: each key once."""
    found = {}
    for path in sorted(glob.glob(os.path.join(tap.SRC, "tests", "roots", "[0-9]*", "1", "proc", name))):
        for line in tap.read(path).splitlines():
            found.setdefault(re.split("[: ]", line)[0], line)
    return "".join(f"{line}\n" for line in found.values())


def swaps(n, great):
    lines = ["Filename Type Size Used Priority\n"]
    for i in range(SWAPS):
        used = 10**6 * n + int(10**5 * jitter(10 * i, n)) if i % 5 == great % 5 else 1000 + i
        lines.append(f"/dev/sd{i}p1 partition {10**8} {used} -{i + 2}\n")
    return "".join(lines)


def zram(put, n, great):
    for i in range(ZRAMS):
        used = 10**8 * n + int(10**7 * jitter(10 * i, n)) if i % 5 == great % 5 else 10**5 + i
        put(f"../sys/block/zram{i}/disksize", f"{10**10}\n")
        put(f"../sys/block/zram{i}/mm_stat", f"{3 * used} {2 * used} {used} 0 {used} 1 1 1 1\n")
        put(f"../sys/block/zram{i}/bd_stat", f"{n} {n} {n}\n")
        put(f"../sys/block/zram{i}/io_stat", f"{n} {n} 0 {n}\n")


def segments(n, great):
    lines = ["key shmid size cpid nattch cuid ctime rss swap\n"]
    for i in range(SEGMENTS):
        held = 10**8 * n + int(10**7 * jitter(10 * i, n)) if i % 5 == great % 5 else 4096 + i
        lines.append(f"0 {i} {2 * held} {i + 1000} {i % 3} 7 1 {held} 0\n")
    return "".join(lines)


def nodes(put):
    """Each with pools of as many sizes as an arm64 machine has."""
    put("../sys/devices/system/node/online", f"0-{NODES - 1}\n")
    numbers = {"nr": 100, "free": 50, "surplus": 0, "resv": 10, "nr_overcommit": 10}
    for size in (64, 2048, 32768, 1048576):
        for name, number in numbers.items():
            put(f"../sys/kernel/mm/hugepages/hugepages-{size}kB/{name}_hugepages", f"{number}\n")
    for i in range(NODES):
        node = f"../sys/devices/system/node/node{i}"
        put(f"{node}/meminfo", f"Node {i} MemTotal: {10**6 + i} kB\nNode {i} MemFree: 5000 kB\n")
        put(f"{node}/numastat", "numa_hit 1\nnuma_miss 2\nnuma_foreign 3\ninterleave_hit 4\nlocal_node 5\nother_node 6\n")
        put(f"{node}/cpulist", f"{i}\n")
        for size in (64, 2048):
            for name in ("nr", "free", "surplus"):
                put(f"{node}/hugepages/hugepages-{size}kB/{name}_hugepages", f"{numbers[name] + i}\n")


def machine(put):
    put("meminfo", of_all_roots("meminfo"))
    put("vmstat", of_all_roots("vmstat"))
    put("spl/kstat/zfs/arcstats", "13 1 0x01 3 1 1 1\nname type data\nsize 4 1000000\nc_min 4 1000\nc_max 4 2000000\n")
    for resource in ("memory", "io", "cpu", "irq"):
        lines = ["full"] if resource == "irq" else ["some", "full"]
        put(f"pressure/{resource}", "".join(f"{line} avg10=1.00 avg60=1.00 avg300=1.00 total=1000\n" for line in lines))
    zones = [f"Node {node}, zone {zone}" for node in range(NODES) for zone in ("DMA", "DMA32", "Normal", "Movable")]
    put("buddyinfo", "".join(zone + " 9" * 14 + "\n" for zone in zones))
    put("zoneinfo", "".join(f"{zone}\n pages free 9999\n min 1\n low 2\n high 3\n managed 99999\n protection: (0)\n" for zone in zones))
    nodes(put)
    for i in range(CONTROLLERS):
        mc = f"../sys/devices/system/edac/mc/mc{i}"
        for name in ("ce_count", "ue_count", "ce_noinfo_count", "ue_noinfo_count"):
            put(f"{mc}/{name}", "9\n")
        for k in range(8):
            put(f"{mc}/dimm{k}/dimm_ce_count", f"{i + k + 1}\n")
            put(f"{mc}/dimm{k}/dimm_ue_count", "0\n")
    put("1/net/sockstat", "sockets: used 900\nTCP: inuse 120 orphan 0 tw 15 alloc 131 mem 350\nUDP: inuse 20 mem 12\nRAW: inuse 0\n")
    put("1/net/netstat", "TcpExt: ListenOverflows ListenDrops SyncookiesSent\nTcpExt: 0 0 0\n")
    put("loadavg", "1.00 2.00 3.00 4/5000 6000\n")


def jitter(i, n):
    """Up to a tenth, another one each time."""
    return (i // 10 * 37 + n * 59) % 11 / 100


def process(put, i, n, great):
    """One that is great has more memory, and uses more CPU time, than all others."""
    kthread = i <= KTHREADS
    pid, comm = (i + 2, f"kworker/{i}") if kthread else (i + 1000, f"p{i}")
    state = {0: "D", 1: "Z"}.get(i // 400 % 4, "S") if great and n > STEADY else "S"
    resident = 0 if kthread else int(100000 * (1 + jitter(i, n))) * (n if n > STEADY else 1) if great else i % 97 + 1
    used = 1000 * n + int(300 * jitter(i, n)) if great else i % 13
    put(f"{pid}/stat", f"{pid} ({comm}) {state} {2 if kthread else pid - 1 if state == 'Z' else 1} 1 1 0 -1 "
        f"{PF_KTHREAD if kthread else 0} {used} 0 {used} 0 {used} {used} 0 0 20 0 1 0 {pid} {resident * 2 * PAGE} {resident} 0\n")
    put(f"{pid}/statm", f"{resident * 2} {resident} {resident // 3} 1 0 {resident} 0\n")
    sizes = {"VmSize": resident * 2, "VmRSS": resident, "RssAnon": resident - resident // 3, "RssFile": resident // 3,
             "RssShmem": 0, "VmSwap": 1}
    memory = "".join(f"{key}:\t{pages * PAGE // 1024} kB\n" for key, pages in sizes.items())
    put(f"{pid}/status", f"Name:\t{comm}\nUid:\t7\t7\t7\t7\n{'' if kthread or state == 'Z' else memory}")
    if great:
        done = 10**6 * n + int(10**5 * jitter(i, n))
        put(f"{pid}/io", f"rchar: {done}\nwchar: {done}\nsyscr: {used}\nsyscw: {used}\nread_bytes: {done}\nwrite_bytes: {done}\ncancelled_write_bytes: 0\n")
        put(f"{pid}/limits", "Max open files            1024                 4096                 files     \n")
        put(f"{pid}/fd/0", "")
    if state == "D":
        put(f"{pid}/task/{pid}/wchan", f"wait_for_{comm}")


def tick(root, n):
    """The first is whole, the others have what has changed: at first the great ones by a little, then other ones are great."""
    def put(name, text):
        tap.write(os.path.join(root, str(n), "proc", name), text)

    def greats(n):
        return n if n > STEADY else 1

    if n == 1:
        machine(put)
    put("stat", "".join(f"cpu{i} {n}00 0 {n}00 {n}000 0 0 0 0 0 0\n" for i in [" ", *range(CPUS)])
        + f"ctxt {n}000\nbtime 1\nprocesses {n}00\nprocs_running 1\nprocs_blocked 0\n")
    for i in range(1, PROCESSES + 1):
        great = i % 400 == greats(n)
        if n == 1 or great or i % 400 == greats(n - 1):
            process(put, i, n, great)
    put("swaps", swaps(n, greats(n)))
    zram(put, n, greats(n))
    for name in ("run", "pages_shared", "pages_sharing", "pages_unshared", "pages_volatile", "ksm_zero_pages", "general_profit"):
        put(f"../sys/kernel/mm/ksm/{name}", "1\n")
    for name, text in (("enabled", "Y"), ("max_pool_percent", "20")):
        put(f"../sys/module/zswap/parameters/{name}", f"{text}\n")
    for name in ("stored_pages", "pool_total_size", "stored_incompressible_pages", "written_back_pages", "reject_compress_poor"):
        put(f"../sys/kernel/debug/zswap/{name}", "4096\n")
    put("sysvipc/shm", segments(n, greats(n)))
    lines = ["Inter-|   Receive  |  Transmit\n face |bytes packets errs\n"]
    for i in range(INTERFACES):
        used = 10**8 * n + int(10**8 * jitter(10 * i, n)) if i % 5 == greats(n) % 5 else 1000 * n + i
        lines.append(f"  eth{i}: {used} {used} 1 1 0 0 0 0 {used} {used} 1 1 0 0 0 0\n")
    put("1/net/dev", "".join(lines))
    put("slabinfo", "slabinfo - version: 2.1\n" + "".join(
        f"cache{i} {used} {used} 4096 1 1 : tunables 0 0 0 : slabdata {used} {used} 0\n"
        for i in range(CACHES)
        for used in [10**4 * n + int(10**4 * jitter(i, n)) if i % 20 == greats(n) % 20 else 100 + i]))


def netdata(root):
    if os.environ.get("QMEM_NETDATA") == "no":
        tap.skip("Netdata", "built without it")
        return None
    # by BPF it is on without being told
    done = subprocess.run([f"{tap.BUILD}/tests/host_netdata", root, "procio.Files=yes"], capture_output=True, check=False)
    if not tap.ok(done.returncode == 0, "Netdata: it runs", done.stderr.decode()):
        return None
    agent, live, ever, own = fake_netdata.Netdata(), [], [], []
    for part in re.split(b"(?m)^(?=BEGIN qmem.meminfo_usage)", done.stdout):
        agent.feed(part)
        live.append(sum(not chart.obsolete for chart in agent.charts.values()))
        its = [chart for chart in agent.charts.values() if chart.module == "procio" and not chart.obsolete]
        maps = [chart for chart in its if chart.context.endswith("_files")]
        own.append([len(its) + len(maps), sum(len(chart.dimensions) for chart in its + maps)])
        ever.append(len(agent.charts))
    agent.end()
    live, ever = live[1:], ever[1:]
    charts = [chart for chart in agent.charts.values() if not chart.obsolete]
    modules = collections.Counter(chart.module for chart in charts)
    series = sum(len(chart.dimensions) for chart in charts)
    tap.diag(f"Netdata: {len(charts)} charts, {series} dimensions: " + ", ".join(f"{k} {v}" for k, v in modules.items()))
    tap.diag(f"Netdata: charts after each round: {live}")
    tap.diag(f"Netdata: and ever made: {ever}")
    tap.same(len(live), ROUNDS, "Netdata: so many rounds")
    tap.same(sorted(modules), sorted([*services.asked(), "procio"]), "Netdata: all services have charts")
    # files have no maps, which have a chart for each that there is of files
    most = [max(one[i] for one in own) for i in range(2)]
    tap.ok(most[0] <= PROCIO[0] and most[1] <= PROCIO[1], f"Netdata: of procio {most[0]} charts and {most[1]} dimensions at most, with maps", own)
    tap.ok(max(live) + UNTOLD <= CHARTS, f"Netdata: {max(live)} charts at most, of {CHARTS} that there may be")
    # what is read from files of processes comes a round later
    tap.same(ever[STEADY - 1], ever[1], "Netdata: a tenth more or less makes no new chart")
    tap.ok(series <= SERIES, f"Netdata: {series} dimensions, of {SERIES} that there may be")
    others = [name for name in agent.charts if name.endswith("_other")]
    tap.ok(len(others) >= 10, "Netdata: the rest is there as a sum", others)
    maps = [chart for chart in charts if chart.context == "qmem.procio_files"]
    return len(charts) + len(maps), series + sum(len(chart.dimensions) for chart in maps)


def collectd(root):
    if os.environ.get("QMEM_COLLECTD") == "no" or not os.path.exists(collectd_daemon.TYPES_DB):
        tap.skip("collectd", "built without collectd, or it has no types.db")
        return None
    done = subprocess.run([f"{tap.BUILD}/tests/host_collectd", f"{tap.BUILD}/.libs/qmem.so", collectd_daemon.TYPES_DB, root],
                          capture_output=True, text=True, check=False)
    if not tap.ok(done.returncode == 0, "collectd: it runs", done.stderr):
        return None
    rounds, ever, made = [], {}, []
    for text in re.split(r"# read \d+\n", done.stdout)[1:]:
        lists = {line.split(" ")[0]: len(re.sub(" instance=.*", "", line).split(" ")) - 1 for line in text.splitlines()}
        rounds.append(lists)
        ever.update(lists)
        made.append(len(ever))
    plugins = collections.Counter(re.match("qmem_([a-z]+)", name)[1] for name in rounds[-1])
    series = [sum(lists.values()) for lists in rounds]
    tap.diag(f"collectd: {len(rounds[-1])} value lists, {series[-1]} values: " + ", ".join(f"{k} {v}" for k, v in plugins.items()))
    tap.diag(f"collectd: value lists in each round: {[len(lists) for lists in rounds]}")
    tap.diag(f"collectd: and ever made: {made}")
    tap.same(len(rounds), ROUNDS, "collectd: so many rounds")
    tap.ok(max(series) <= SERIES, f"collectd: {max(series)} values at most, of {SERIES} that there may be")
    tap.same(made[STEADY - 1], made[0], "collectd: a tenth more or less makes no new list")
    return series[-1]


def figures(shown, values):
    """What README says of it."""
    path, begin, end = os.path.join(tap.SRC, "README.md"), "<!-- counted by tests/limits.py -->\n", "<!-- counted -->\n"
    words = (f"However many processes, interfaces and CPUs a machine has, it is at most {CHARTS} charts and {SERIES} dimensions by default, "
             f"also while others come to the top of them. With {PROCESSES} processes it is {shown[0] + UNTOLD} charts and {shown[1]} "
             f"dimensions, and {values} values in collectd, which are {round(values * RRD / 1e6)} MB of RRD files.")
    wanted = textwrap.fill(words, 128) + "\n"
    before, has, rest = tap.read(path).partition(begin)
    there, ends, after = rest.partition(end)
    if not tap.ok(has and ends, "README has a place for the figures"):
        return
    if sys.argv[1:] == ["update"] and there != wanted:
        tap.write(path, before + begin + wanted + end + after)
        there = wanted
    tap.same(there, wanted, "README has these figures (make update-docs)")


# ---- all of it ----

# Those that were there before there was anything that is off by default.
OLD = ("meminfo", "vmstat", "pressure", "netstat", "proctable", "procmem", "heapmon", "cpuload", "procstat", "self")
SOCKETS = 10000


def everything():
    """Settings with which all services are on, and all that they can be told to show beside; details are for experts."""
    found = []
    for name in services.table():
        if name in services.UNASKED:
            continue
        found.append(f"{name}.Enabled=yes")
        said = subprocess.run([os.path.join(tap.BUILD, "qmemctl"), "describe", name], capture_output=True, text=True, check=True).stdout
        if name not in OLD:
            found += [f"{name}.{option}=yes" for option in re.findall(r"^  (\w+) +yes or no +no ", said, re.M)
                      if option not in ("Detail", "IgnoreSelected")]
    return found


def count(stream):
    """{service: (charts, dimensions)} that are there in the end."""
    agent = fake_netdata.Netdata()
    agent.feed(stream)
    agent.end()
    found = {}
    for chart in agent.charts.values():
        if not chart.obsolete:
            charts, series = found.get(chart.module, (0, 0))
            found[chart.module] = charts + 1, series + len(chart.dimensions)
    return found


def with_sockets(settings):
    """Prints what the plugin does in a network namespace that has very many sockets; runs in one."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], SOCKETS + 1000), max(limit[1], SOCKETS + 1000)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        # struct ifreq: SIOCSIFFLAGS, IFF_UP
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))
    held = []
    for port in range(500):
        listener = socket.create_server(("127.0.0.1", 20000 + port), backlog=16)
        held.append(listener)
        for _ in range(8):
            held.append(socket.create_connection(listener.getsockname()))
            held.append(listener.accept()[0])
    while len(held) < SOCKETS:
        held += socket.socketpair()
    path = os.path.join(tap.directory(), "qmem.conf")
    lines = "".join(f"[{setting.split('.')[0]}]\n{setting.split('.', 1)[1]}\n" for setting in settings)
    tap.write(path, lines + "[sockstat]\nNamespace = self\n")
    child = tap.start([os.path.join(tap.BUILD, "qmem.plugin"), "--config", path, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL)
    ticks = 0
    for line in child.stdout:
        sys.stdout.buffer.write(line)
        ticks += line.startswith(b"BEGIN qmem.self_worker ")
        if ticks == 8:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()


def all_on(root):
    """What files do not tell is counted on this machine, with many sockets: of each service the one that has more."""
    if os.environ.get("QMEM_NETDATA") == "no":
        tap.skip("all services on", "built without Netdata")
        return
    settings = everything()
    done = subprocess.run([f"{tap.BUILD}/tests/host_netdata", root, *settings], capture_output=True, check=False)
    if not tap.ok(done.returncode == 0, "all services on: it runs", done.stderr.decode()):
        return
    found = count(done.stdout)
    if os.geteuid() == 0 and shutil.which("unshare") and not os.environ.get("QMEM_SANITIZERS"):
        done = subprocess.run(["unshare", "--net", sys.executable, os.path.abspath(__file__), "sockets", *settings], capture_output=True, check=False)
        end = done.stdout.rfind(b"BEGIN qmem.self_worker ")
        if done.returncode:
            tap.skip(f"all services on, {SOCKETS} sockets", done.stderr.decode().strip()[-100:])
        else:
            for name, more in count(done.stdout[:end]).items():
                found[name] = max(found.get(name, (0, 0)), more)
            if "sockstat" in services.table():
                tap.ok(found.get("sockstat", (0, 0))[0] >= 8, "the sockets are seen", found)
    else:
        tap.skip(f"all services on, {SOCKETS} sockets", "needs root, unshare and a plugin without sanitizers")
    charts, series = (sum(one) for one in zip(*found.values()))
    tap.diag("all services on: " + ", ".join(f"{name} {one[0]}/{one[1]}" for name, one in found.items()))
    tap.same([name for name in services.asked() if name not in found], [], "all services on: all of them have charts")
    # jobs have told of mounts
    charts += UNTOLD - 4
    tap.ok(charts <= CHARTS, f"all services on: {charts} charts, of {CHARTS} that there may be")
    tap.ok(series <= SERIES, f"all services on: {series} dimensions, of {SERIES} that there may be")


def main():
    # thousands of files, and copies of them
    if tap.in_memory():
        os.environ["TMPDIR"] = tap.in_memory()
    root = tap.directory(tap.in_memory())
    for n in range(1, ROUNDS + 1):
        tick(root, n)
    shown, values = netdata(root), collectd(root)
    if shown and values:
        figures(shown, values)
    else:
        tap.skip("README has these figures", "not both hosts are built")
    if sys.argv[1:] != ["update"]:
        all_on(root)
    tap.done()


if sys.argv[1:2] == ["sockets"]:
    with_sockets(sys.argv[2:])
else:
    main()
