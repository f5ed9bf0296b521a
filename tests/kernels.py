#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmem.plugin on other kernels: each is booted in qemu, two at a time, and what the guest tells is compared here.

    kernels.py [--record[=FILE]] [KERNEL...]        KERNEL: a name of kernels/fetch.py, or "all"

Without a name it takes those in $QMEM_KERNELS, which ./bootstrap check sets; none is a skip, for kernels are large to fetch.
--record also writes tests/roots/VERSION-x86_64 (idle) and tests/roots/VERSION-x86_64-load from each guest, or in those that are
there what FILE fits, one pattern or more: proc/meminfo. In CI fewer than two kernels that booted are a failure; elsewhere a
kernel that cannot be had is a skip with its reason.

The guest (kernels/guest) does things and reads files; nothing in it judges. It writes one tar for each step to its serial
line, as text with a checksum. What is expected stands here.
"""

import base64
import concurrent.futures
import fnmatch
import glob
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import typing

import services
import tap

HERE = os.path.join(tap.SRC, "tests", "kernels")
sys.path.insert(0, HERE)
import fetch  # noqa: E402
import image  # noqa: E402
import watch  # noqa: E402

# Seconds of processor time in which a guest has to say something. It needs 10 for all, 30 when recording.
GUEST = 120
MEMORY = 256

CONFIG = """\
[pressure]
	trigger = memory some 150ms 1s
	trigger = memory full 150ms 2s warning
	hold = 4s
""" + "".join(f"[{name}]\n\tdetail = yes\n" for name, service in services.table().items()
               if service.detail and not services.sees_processes(name))
CONDITIONS = ("memory_some", "memory_full")

STEPS = ("machine", "zones", "users", "stall", "swap", "shared", "oom", "messages")


# ---- the guest ----


class Guest:
    """What one kernel has said."""

    def __init__(self, name):
        self.name = name
        self.steps = {}      # {step: {file: text}}
        self.roots = {}      # {step: tar}
        self.console = ""
        self.reason = None   # why there is nothing, or not all
        self.seconds = 0.0

    def parse(self):
        step, lines = None, []
        for line in self.console.replace("\r", "").splitlines():
            if line.startswith("@@begin "):
                step, lines = line.split()[1], []
            elif line.startswith("@@end ") and step:
                try:
                    data = base64.b64decode("".join(lines))
                except ValueError:
                    data = b""
                if hashlib.sha256(data).hexdigest() == line.split()[2]:
                    self._unpack(step, data)
                else:
                    self.reason = f"what step '{step}' has sent is damaged"
                step = None
            elif step:
                lines.append(line)
        if "@@done" not in self.console and not self.reason:
            began = re.findall(r"@@step (\S+)", self.console)
            self.reason = f"not done after {self.seconds:.0f} s, last step: {began[-1] if began else 'none, it did not boot'}"

    def _unpack(self, step, data):
        self.roots[step] = data
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            self.steps[step] = {
                member.name.split("/", 1)[1]: tar.extractfile(member).read().decode("utf-8", "surrogateescape")
                for member in tar.getmembers() if member.isfile()
            }


def boot(name, directory, record):
    guest = Guest(name)
    initrd = os.path.join(WORK, f"{name}.cpio")
    build_image(directory).write(initrd)
    # The guest's clock counts its instructions, and jumps when it sleeps: its waiting costs nothing, a busy machine does not
    # disturb it (without this the kernel fails to calibrate its timers there, and hangs), and each run is like the last.
    argv = ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=2,sleep=off", "-cpu", "qemu64", "-smp", "1",
            "-M", "microvm,rtc=on,pit=on,pic=on", "-m", str(MEMORY), "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", os.path.join(directory, "vmlinux"), "-initrd", initrd,
            "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr reboot=t" + (" qmem.record" if record else "")]
    began = time.monotonic()
    child = tap.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    guest.console = watch.console(child, GUEST)
    guest.seconds = time.monotonic() - began
    tap.write(os.path.join(WORK, f"{name}.console"), guest.console)
    guest.parse()
    return guest


def build_image(directory):
    def data(path):
        with open(path, "rb") as f:
            return f.read()

    guest = image.Image()
    # what the first process has as stdin, stdout and stderr
    guest.device("dev/console", 5, 1)
    guest.file("bin/busybox", data(fetch.busybox()), 0o755)
    guest.file("init", data(os.path.join(HERE, "init")), 0o755)
    guest.file("guest", data(os.path.join(HERE, "guest")))
    guest.file("files", "".join(f"{path}\n" for path in sorted({path for paths in SERVICES.values() for path in paths})).encode())
    guest.file("mkroot", data(os.path.join(tap.SRC, "tests", "mkroot")))
    guest.file("qmem.conf", CONFIG.encode())
    guest.file("qmem.plugin", data(PLUGIN), 0o755)
    guest.file("etc/passwd", b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    for program in ("as", "segment", "stall"):
        guest.file(program, data(os.path.join(WORK, program)), 0o755)
    modules = os.path.join(directory, "modules")
    for module in sorted(os.listdir(modules)):
        guest.file(f"modules/{module}", data(os.path.join(modules, module)))
    return guest


def compile_helpers():
    compiler = os.environ.get("CC", "cc").split()
    for program, source in (("as", os.path.join(HERE, "as.c")), ("segment", os.path.join(HERE, "segment.c")),
                            ("stall", os.path.join(tap.SRC, "tests", "stall.c"))):
        subprocess.run([*compiler, "-D_GNU_SOURCE", "-O1", "-static", "-o", os.path.join(WORK, program), source], check=True)


def make_plugin():
    plugin = os.environ.get("QMEM_STATIC_PLUGIN")
    if plugin:
        return plugin
    # not a part of the make that may have started us
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", tap.BUILD, "tests/kernels/qmem.plugin"], env=environment, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return None if done.returncode else os.path.join(tap.BUILD, "tests", "kernels", "qmem.plugin")


# ---- what the service says of itself ----


def describe():
    """{service.family.metric: Metric} of --describe."""
    text = subprocess.run([PLUGIN, "--describe", "--format", "markdown"], capture_output=True, text=True, check=True).stdout
    metrics, kind, unit = {}, None, None
    for line in text.splitlines():
        head = re.match(r"`[\w.]+`: .* \((gauge|counter), ([^,;)]+)", line)
        if head:
            kind, unit = head.groups()
        row = re.match(r"\| `(([\w.]+)\.[\w.]+)(\[\w+\])?` \|(?: `([^`]*)`)? \|", line)
        if row and kind:
            name, family, label, key = row.groups()
            metrics[name] = Metric(key, kind == "counter", unit, lookup_of(family.split(".")[0], label))
    return metrics


# ---- independent reading ----

NETDEV_RX = ("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast")
NETDEV_TX = ("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed")


def lookup_keys(files, key, _metric, _instance):
    """In bytes where the kernel says kB; a key of zones (allocstall_dma32, ...) is their sum."""
    zones = None
    for text in files.values():
        for line in text.splitlines():
            words = line.replace(":", " ").split()
            if len(words) < 2 or not words[1].isdigit():
                continue
            value = int(words[1]) * (1024 if words[2:] == ["kB"] else 1)
            if key in ("pgpgin", "pgpgout"):
                value *= 1024
            if words[0] == key:
                return value
            if re.fullmatch(re.escape(key) + "_(dma|dma32|normal|high|movable|device)", words[0]):
                zones = (zones or 0) + value
    return zones


def lookup_pages(files, key, metric, instance):
    """Keys in pages, of which the service makes bytes."""
    pages = lookup_keys(files, key, metric, instance)
    return None if pages is None else pages * 4096


def lookup_psi(files, key, _metric, instance):
    kind, name = key.split()
    for line in files.get(f"proc/pressure/{instance}", "").splitlines():
        words = line.split()
        if words[0] == kind:
            value = dict(word.split("=") for word in words[1:])[name]
            return float(value) / (1e6 if name == "total" else 1)
    return None


def lookup_netdev(files, key, metric, instance):
    for line in "\n".join(files.values()).splitlines()[2:]:
        device, _, numbers = line.rpartition(":")
        if device.strip() != instance:
            continue
        numbers = [int(word) for word in numbers.split()]
        rx, tx = dict(zip(NETDEV_RX, numbers[:8])), dict(zip(NETDEV_TX, numbers[8:]))
        side = tx if key not in rx or metric == "tx" else rx
        return side.get(key)
    return None


def lookup_swaps(files, key, _metric, instance):
    for line in files.get("proc/swaps", "").splitlines()[1:]:
        name, _, size, used, priority = line.split()
        if name == f"/dev/{instance}":
            numbers = {"Size": int(size) * 1024, "Used": int(used) * 1024, "Priority": int(priority)}
            stat = [int(word) for word in files.get(f"sys/class/block/{instance}/stat", "").split()]
            if stat:
                numbers |= {"sectors read": stat[2] * 512, "read ticks": stat[3] / 1000, "sectors written": stat[6] * 512,
                            "write ticks": stat[7] / 1000}
            return numbers.get(key)
    return None


ZRAM = {"mm_stat": ("orig_data_size", "compr_data_size", "mem_used_total", "mem_limit", "mem_used_max", "same_pages",
                    "pages_compacted", "huge_pages"),
        "bd_stat": ("bd_count", "bd_reads", "bd_writes"), "disksize": ("disksize",)}


def lookup_zram(files, key, _metric, instance):
    """In bytes but for pages_compacted; no limit is none; one without a size has nothing."""
    if int(files.get(f"sys/block/{instance}/disksize", "0")) == 0:
        return None
    for name, columns in ZRAM.items():
        numbers = dict(zip(columns, map(int, files.get(f"sys/block/{instance}/{name}", "").split())))
        if key in numbers:
            value = numbers[key] * (4096 if key in ("same_pages", "huge_pages") or key.startswith("bd_") else 1)
            return None if key == "mem_limit" and not value else value
    return None


def lookup_zones(files, key, _metric, instance):
    """A word of /proc/zoneinfo, in bytes; free memory by the other file, which knows the free blocks alone."""
    node, _, zone = instance.partition("_")
    if key == "free":
        found = re.search(rf"(?m)^Node {node}, zone +{zone} +(.*)$", files.get("proc/buddyinfo", ""))
        return found and 4096 * sum(int(word) << order for order, word in enumerate(found[1].split()))
    found = re.search(rf"(?ms)^Node {node}, zone +{zone}$.*?^ +{key} +(\d+)$", files.get("proc/zoneinfo", ""))
    return found and int(found[1]) * 4096


def lookup_hugepages(files, key, _metric, instance):
    """Of the only size that guests have; what meminfo has of the default one is left to it."""
    text = files.get(f"sys/kernel/mm/hugepages/hugepages-{instance}/{key}")
    return None if not text or key in ("surplus_hugepages", "resv_hugepages") else int(text) * int(instance.removesuffix("kB")) * 1024


def lookup_sockets(files, key, _metric, _instance):
    """Pairs of sockstat, columns of the tables by their names, limits; pages as bytes."""
    table, _, word = key.partition(" ")
    limit = re.fullmatch(r"(\w+)(?:\[(\d)\])?", key)
    text = files.get(f"proc/sys/net/ipv4/{limit[1]}") if limit else None
    if text:
        return int(text.split()[int(limit[2] or 0)]) * (4096 if limit[2] else 1)
    for name in ("sockstat", "sockstat6"):
        for line in files.get(f"proc/1/net/{name}", "").splitlines():
            if line.startswith(f"{table}:"):
                words = line.split()[1:]
                numbers = dict(zip(words[::2], map(int, words[1::2])))
                return numbers[word] * (4096 if word == "mem" else 1) if word in numbers else None
    for name in ("netstat", "snmp"):
        lines = [line.split()[1:] for line in files.get(f"proc/1/net/{name}", "").splitlines() if line.startswith(f"{table}: ")]
        if len(lines) >= 2 and word in lines[0]:
            return int(lines[1][lines[0].index(word)])
    return None


def lookup_slabs(files, key, _metric, instance):
    """Of one cache; those that the kernel spreads are together."""
    found = None
    for line in files.get("proc/slabinfo", "").splitlines()[2:]:
        head, _, tail = line.partition(" : tunables")
        name, active, objects, size, _, pages = head.rsplit(maxsplit=5)
        if re.sub(r"^kmalloc-rnd-\d+-", "kmalloc-", name.strip()) != instance:
            continue
        slabs = tail.partition(" : slabdata")[2].split()
        numbers = {"num_slabs": int(slabs[1]) * int(pages) * 4096, "num_objs": int(objects), "active_objs": int(active)}
        if key == "objsize":
            return int(size)
        found = (found or 0) + numbers[key] if key in numbers else None
    return found


# How a service's files are read that are not of keys, one a line.
LOOKUPS = {
    "buddyinfo": lookup_zones,
    "hugepages": lookup_hugepages,
    "netstat": lookup_netdev,
    "pressure": lookup_psi,
    "slabinfo": lookup_slabs,
    "sockstat": lookup_sockets,
    "swap": lookup_swaps,
    "zram": lookup_zram,
}


def lookup_of(service, label):
    """None: its values need only be there. What is made of processes is compared below, and in kernels_proctable.py."""
    if service in LOOKUPS:
        return LOOKUPS[service]
    if label or not SERVICES[service] or services.sees_processes(service):
        return None
    return lookup_pages if service == "pagecache" else lookup_keys


class Metric(typing.NamedTuple):
    key: str       # the kernel's word for it, or None
    counter: bool
    unit: str
    lookup: typing.Callable

# Levels that do not move by themselves: no tolerance.
CONSTANT = re.compile(r"Total$|^CommitLimit$|^Huge|^DirectMap|^Hardware|^Cma|^Unaccepted|^Swap|^Zswap|^Bounce|^NFS|^Mlocked|"
                      r"^WritebackTmp|^nr_unevictable")


def near(value, low, high, key):
    """A level between two readings, or next to them: reading takes memory, too."""
    if CONSTANT.search(key):
        slack = 0
    elif key.split()[-1].startswith("avg"):
        slack = 2
    else:
        slack = min(4 << 20, max(256 << 10, high / 8))
    return low - slack <= value <= high + slack


# Half the largest threshold of a CPU's share: so much too high a counter may have been read.
OVERSTEP = 62


# ---- comparisons ----


def parse_print(text):
    """{(service.family.metric, instance): (value or None, unit)}"""
    values = {}
    for line in text.splitlines():
        name, value, unit = line.split("\t")
        match = re.fullmatch(r"([\w.]+)(?:\[(.*)\])?", name)
        values[match.group(1), match.group(2)] = (None if value == "-" else float(value), unit)
    return values


def reading(files, moment, paths):
    return {path: files[f"{moment}/{path}"] for path in paths if f"{moment}/{path}" in files}


def compare_print(files, who):
    """What is wrong with --print: it against the readings before and after. And how many values were compared."""
    wrong, compared = [], 0
    values = parse_print(files[f"{who}.print"])
    for (name, instance), (value, _) in values.items():
        service, _, metric = name.split(".")
        if name not in METRICS:
            wrong.append(f"{name} is not in --describe")
            continue
        key, counter, _, lookup = METRICS[name]
        if not key or not lookup or instance == "other":
            continue
        before, during, after = (lookup(reading(files, f"{who}.{moment}", SERVICES[service]), key, metric, instance)
                                 for moment in ("before", "during", "after"))
        label = f"{name}[{instance}] ({key})"
        if before is None or after is None:
            if value is not None:
                wrong.append(f"{label}: {value}, but the kernel does not report it")
            continue
        compared += 1
        if value is None:
            wrong.append(f"{label}: absent, but the kernel says {after}")
        elif counter:
            # a rate over a second or a little more, within all that moved
            if not 0 <= value <= (after - before) * 1.1 + 1e-3:
                wrong.append(f"{label}: {value}/s, but it only moved from {before} to {after}")
        elif not near(value, min(before, during, after), max(before, during, after), key):
            wrong.append(f"{label}: {value}, but {before} before, {during} meanwhile, {after} after")
    for service in services.asked():
        if is_there(files, who, service) and not waits(files, who, service) and not any(name.startswith(f"{service}.") for name, _ in values):
            wrong.append(f"{service}: no value at all")
    return wrong, compared


# Whose file only root may read; the guest has no libbpf to do without. Whether CAP_DAC_OVERRIDE is kept is another service's matter.
ROOTS = ("slabinfo",)
# Without which a service is off, whatever else it reads.
NEEDED = {"zswap": ("sys/module/zswap/parameters/enabled",)}


def is_there(files, who, service):
    """This kernel has what the service reads, and it may be read; a kernel has processes."""
    if service in ROOTS and not who.endswith("root"):
        return False
    needed = NEEDED.get(service, SERVICES[service])
    return not needed or bool(reading(files, f"{who}.before", needed))


def waits(files, who, service):
    """It has nothing to show yet, as it says itself."""
    return bool(re.search(rf"^{service}\ton\t{services.NONE}", files[f"{who}.check"], re.M))


class Processes:
    """All that there were at one moment."""

    def __init__(self, files, moment):
        stats = [line.rpartition(")")[2].split() for line in files[f"{moment}/stats"].splitlines()]
        self.numbers = {f"procstat.states.{name}": sum(stat[0] == letter for stat in stats) for letter, name in STATES.items()}
        self.numbers["procstat.tasks.processes"] = self.numbers["procmem.processes.count"] = len(stats)
        self.numbers["procstat.tasks.kthreads"] = sum(bool(int(stat[6]) & 0x200000) for stat in stats)
        self.numbers["procstat.tasks.threads"] = sum(int(stat[17]) for stat in stats)
        self.numbers["procmem.rss"] = 4096 * sum(int(line.split()[1]) for line in files[f"{moment}/statms"].splitlines())
        self.numbers["procmem.swap.used"] = 1024 * sum(int(line.split()[1]) for line in files[f"{moment}/swapped"].splitlines())
        loads = files[f"{moment}/proc/loadavg"].split()
        self.numbers |= {f"cpuload.load.{name}": float(load) for name, load in zip(("shortterm", "midterm", "longterm"), loads)}
        lines = {words[0]: words[1:] for words in map(str.split, files[f"{moment}/proc/stat"].splitlines())}
        ticks = dict(zip(CPU_MODES, map(int, lines["cpu"])))
        self.counts = {f"cpuload.cpu.{name}": n / 100 for name, n in ticks.items()}
        self.counts["cpuload.context.switches"] = int(lines["ctxt"][0])
        self.counts["procstat.started.forks"] = int(lines["processes"][0])


STATES = {"R": "running", "S": "sleeping", "D": "blocked", "T": "stopped", "t": "traced", "Z": "zombie", "X": "dying",
          "P": "parked", "I": "idle"}
CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest")


def compare_processes(files, who):
    """Likewise, what is made of all processes: the sums over all groups, the states, the CPU."""
    values, wrong = {}, []
    for (name, _), (value, _) in parse_print(files[f"{who}.print"]).items():
        for sum_of in (name, "procmem.rss" if name.startswith("procmem.rss.") else None):
            values[sum_of] = values.get(sum_of, 0) + (value or 0)
    before, during, after = (Processes(files, f"{who}.{moment}") for moment in ("before", "during", "after"))
    for name in before.numbers:
        moments = [moment.numbers[name] for moment in (before, during, after)]
        # the shell, what it runs, and a kernel thread or two are not the same ones at each moment
        slack = 3 << 20 if name in ("procmem.rss", "procmem.swap.used") else 0.5 if "load" in name else 3
        if not min(moments) - slack <= values.get(name, -100) <= max(moments) + slack:
            wrong.append(f"{name}: {values.get(name)}, but {moments}")
    for name, count in before.counts.items():
        # a rate over a second or a little more, within all that moved; the kernel counts ticks
        if not 0 <= values.get(name, -1) <= (after.counts[name] - count) * 1.1 + 0.05:
            wrong.append(f"{name}: {values.get(name)}/s, but it only moved from {count} to {after.counts[name]}")
    busy = sum(values.get(f"cpuload.cpu.{name}", 0) for name in CPU_MODES)
    if not 0.8 <= busy <= 1.2:
        wrong.append(f"the modes of one CPU are {busy} seconds a second")
    return wrong


def partition(files, who, family):
    """The parts of meminfo.usage or accounting, and the total they must add up to."""
    values = parse_print(files[f"{who}.print"])
    parts = [value for (name, _), (value, _) in values.items() if name.startswith(f"meminfo.{family}.")]
    return sum(value for value in parts if value is not None), values["meminfo.available.total", None][0]


class Stream:
    """What the plugin has said as Netdata's: {(chart, dimension): [numbers]}, by tick."""

    def __init__(self, text):
        self.series, self.algorithms, self.ticks = {}, {}, 0
        chart = None
        for line in text.splitlines():
            words = re.findall(r"'[^']*'|\"[^\"]*\"|\S+", line)
            words = [word.strip("'\"") for word in words]
            if line.startswith(("CHART ", "BEGIN ")):
                chart = words[1]
                self.ticks += line.startswith("BEGIN qmem.meminfo_usage")
            elif line.startswith("DIMENSION "):
                self.algorithms[chart, words[1]] = words[3]
            elif line.startswith("SET "):
                number = words[3] if len(words) > 3 else None
                self.series.setdefault((chart, words[1]), []).append(None if number is None else int(number))

    def get(self, name):
        service, family, metric = name.split(".")
        return self.series.get((f"qmem.{service}_{family}", metric), [])

    def instances(self, service, family, metric):
        prefix = f"qmem.{service}_{family}_"
        return {chart[len(prefix):]: numbers for (chart, dimension), numbers in self.series.items()
                if chart.startswith(prefix) and dimension == metric}


def compare_stream(files, stream):
    """Every number of every counter of a stream lies between the readings before and after, and never falls."""
    wrong, compared = [], 0
    for name, (key, counter, unit, lookup) in METRICS.items():
        if lookup is not lookup_keys or not key or not counter:
            continue
        paths = SERVICES[name.split(".")[0]]
        before, after = (lookup_keys(reading(files, moment, paths), key, None, None) for moment in ("before", "after"))
        numbers = [number for number in stream.get(name) if number is not None]
        if before is None:
            if numbers:
                wrong.append(f"{name}: {numbers[0]}, but the kernel does not report {key}")
            continue
        compared += len(numbers)
        if not numbers:
            wrong.append(f"{name}: never there, but the kernel reports {key}")
        # the kernel lets some fall by a few pages, qmem none
        elif sorted(numbers) != numbers or numbers[0] < before or numbers[-1] > after + OVERSTEP:
            wrong.append(f"{name} ({key}, {unit}): {numbers}, but {before} before and {after} after")
    return wrong, compared


def share(files):
    """How much of the time of the stall was really stalled, in percent."""
    total = [lookup_psi({"proc/pressure/memory": files[f"pressure.{moment}"]}, "some total", None, "memory")
             for moment in ("before", "after")]
    uptime = [float(files[f"uptime.{moment}"].split()[0]) for moment in ("before", "after")]
    return 100 * (total[1] - total[0]) / max(uptime[1] - uptime[0], 0.01)


# ---- what is expected of a guest ----


def check_states(guest, files, who, name):
    """--check: a line a service, on where the kernel has what it reads, and exit status 0."""
    lines = dict(line.split("\t", 1) for line in files[f"{who}.check"].splitlines() if line.count("\t") > 1)
    states = {service: "off" if service in services.UNASKED or not is_there(files, who, service) else "on" for service in SERVICES}
    wrong = [f"{service}: {lines.get(service)}" for service, state in states.items()
             if (service not in ROOTS or who != "override") and not lines.get(service, "").startswith(f"{state}\t")]
    tap.ok(not wrong and files[f"{who}.check.status"].strip() == "0", f"{guest.name}: --check as {name}", *wrong,
           files[f"{who}.check"], files[f"{who}.check.err"])
    return lines


def check_values(guest, files, who, name):
    wrong, compared = compare_print(files, who)
    tap.ok(not wrong and compared > 100 and files[f"{who}.print.status"].strip() == "0",
           f"{guest.name}: --print as {name}: {compared} values are what the kernel says", *wrong, files[f"{who}.print.err"])
    # whom nobody is shown, nobody can count
    if who != "hidden":
        wrong = compare_processes(files, who)
        tap.ok(not wrong, f"{guest.name}: --print as {name}: processes, their states, groups and CPU time", *wrong)
    for family in ("usage", "accounting"):
        parts, total = partition(files, who, family)
        tap.same(parts, total, f"{guest.name}: as {name}, meminfo.{family} adds up to all memory")


def check_users(guest):
    files = guest.steps["users"]
    # since 6.1.42 and 6.4, when windows of 2 s became everyone's; 0444 before
    open_to_all = bool(re.search(r"-rw-rw-rw-.* memory$", guest.steps["machine"]["pressure"], re.M))
    tap.diag(f"{guest.name}: triggers for {'everyone' if open_to_all else 'root'}")
    expected = {
        "root": "2 triggers of the kernel",
        "nobody": "1 trigger of the kernel" if open_to_all else "memory_some_150ms_1s polled: cannot write",
        "resource": "2 triggers of the kernel" if open_to_all else "memory_some_150ms_1s polled: cannot write",
        "override": "2 triggers of the kernel",
        "hidden": "1 trigger of the kernel" if open_to_all else "memory_some_150ms_1s polled: cannot write",
    }
    names = {"root": "root", "nobody": "nobody", "resource": "nobody with CAP_SYS_RESOURCE",
             "override": "nobody with CAP_DAC_OVERRIDE, too", "hidden": "nobody with hidepid=2"}
    for who, name in names.items():
        lines = check_states(guest, files, who, name)
        said = lines.get("pressure", "")
        tap.ok(expected[who] in said, f"{guest.name}: pressure as {name}: {expected[who]}", said)
        lacks = "CAP_SYS_RESOURCE" in said
        tap.ok(lacks == (who in ("nobody", "hidden")), f"{guest.name}: as {name}, --check tells what is lacking", said)
        check_values(guest, files, who, name)
    said = files["nobody.check"]
    why = "a window of 1s needs CAP_SYS_RESOURCE" if open_to_all else "takes CAP_DAC_OVERRIDE before Linux 6.1.42"
    tap.ok(why in said, f"{guest.name}: nobody is told why the other is polled", said)
    tap.ok("netstat\ton\tthe agent's own namespace" in files["hidden.check"],
           f"{guest.name}: with hidepid=2 another namespace than process 1's is read, and --check tells", files["hidden.check"])


def check_stall(guest):
    files = guest.steps["stall"]
    stalled = share(files)
    tap.ok(stalled >= 15, f"{guest.name}: there was a real stall", f"{stalled:.1f} %", files.get("hog.err", ""))
    tap.diag(f"{guest.name}: stalled {stalled:.1f} %")
    for who in ("root", "nobody"):
        err = files[f"{who}.err"]
        stream = Stream(files[f"{who}.stream"])
        for condition in CONDITIONS:
            who_stalled = "all" if condition.endswith("full") else "some"
            pattern = rf"WARNING: pressure\.pressure\[{condition}\]: memory pressure: {who_stalled} tasks stalled [\d.]+ % of the last"
            tap.ok(re.search(pattern, err), f"{guest.name}: {condition} as {who}: the event", err, f"stalled {stalled:.1f} %")
            tap.ok(re.search(rf"OKAY: pressure\.pressure\[{condition}\]: memory pressure is over", err),
                   f"{guest.name}: {condition} as {who}: its end", err)
            counts = stream.instances("pressure", "events", "events").get(condition, [])
            tap.ok(counts and counts[0] == 0 and counts[-1] > 0, f"{guest.name}: {condition} as {who}: counted", counts)
            states = stream.instances("pressure", "trigger", "state").get(condition, [])
            tap.ok(states and states[0] == 0 and 2 in states and states[-1] < 2,
                   f"{guest.name}: {condition} as {who}: active, then over", states)
        wrong, compared = compare_stream(files, stream)
        tap.ok(not wrong and compared > 100, f"{guest.name}: as {who}, {compared} counts in the stream are the kernel's", *wrong)
        totals = [number for number in stream.instances("pressure", "stall", "some").get("memory", [])]
        moments = [lookup_psi(reading(files, moment, ["proc/pressure/memory"]), "some total", None, "memory") * 1e6
                   for moment in ("before", "after")]
        tap.ok(totals and sorted(totals) == totals and moments[0] <= totals[0] and totals[-1] <= moments[1] + 0.5
               and totals[-1] - totals[0] > 1e5, f"{guest.name}: as {who}, the stall's total is the kernel's", totals, moments)
        tap.same(files[f"{who}.status"].strip(), "0", f"{guest.name}: as {who}, a clean end")


def check_zones(guest):
    files = guest.steps["zones"]
    if files["buddyinfo"] != files["again"]:
        tap.skip(f"{guest.name}: the kernel's own indexes", "its memory never stood still")
        return
    values, wrong, compared = parse_print(files["print"]), [], 0
    for family, index in (("fragmentation", "unusable"), ("extfrag", "extfrag")):
        for node, zone, numbers in re.findall(r"(?m)^Node (\d+), zone +(\S+) +(.*)$", files[index]):
            for order, number in list(enumerate(map(float, numbers.split())))[1:]:
                # it has -1 where there is a block
                wanted = None if index == "extfrag" and number == -1 else max(0, round(number * 100, 1))
                got, _ = values.get((f"buddyinfo.{family}.order{order}", f"{node}_{zone}"), (-1, None))
                compared += 1
                if got != wanted:
                    wrong.append(f"{family} {node} {zone} {order}: {got}, but the kernel says {number}")
    tap.ok(not wrong and compared > 20, f"{guest.name}: {compared} indexes of fragmentation are the kernel's own", *wrong, files["print.err"])


def check_swap(guest):
    if "swap" not in guest.steps or "swaps" not in guest.steps["swap"]:
        tap.skip(f"{guest.name}: swap", "its zram module does not load")
        return
    files = guest.steps["swap"]
    stream = Stream(files["root.stream"])
    wrong, compared = compare_stream(files, stream)
    tap.ok(not wrong and compared > 50, f"{guest.name}: swapping: {compared} counts in the stream are the kernel's", *wrong)
    out, back = stream.get("vmstat.swapping.out"), stream.get("vmstat.swapping.in")
    tap.ok(out and out[-1] - out[0] >= 3000 and back[-1] > back[0], f"{guest.name}: pages went to swap and came back",
           out, back)
    check_values(guest, files, "root", "root while swap is in use")
    values = parse_print(files["root.print"])
    used, cached, free = (values[f"meminfo.swap.{name}", None][0] for name in ("used", "cached", "free"))
    of_processes = sum(value for (name, _), (value, _) in values.items() if name == "procmem.swap.used")
    tap.ok(of_processes > 16 << 20, f"{guest.name}: procmem tells whose it is", of_processes)
    device = values["swap.space.used", "zram0"][0] + values["swap.space.free", "zram0"][0]
    tap.ok(device == used + cached + free, f"{guest.name}: swap tells of the device what meminfo tells of all", device)
    stored, cost = (values[f"zram.total.{name}", None][0] for name in ("stored", "cost"))
    tap.ok(16 << 20 < stored <= values["swap.space.used", "zram0"][0] + (1 << 20) and 0 < cost < stored,
           f"{guest.name}: zram tells what that costs", stored, cost, values["swap.space.used", "zram0"])
    before, after = (lookup_keys(reading(files, f"root.{moment}", ["proc/meminfo"]), "SwapTotal", None, None)
                     for moment in ("before", "after"))
    tap.ok(before == after and used + cached + free == before and used > 16 << 20,
           f"{guest.name}: swap adds up, and much of it is used", used, cached, free, before)


def check_shared(guest):
    """df of busybox and the kernel's own table are the other readers."""
    files = guest.steps["shared"]
    values = {key: value for key, (value, _) in parse_print(files["root.print"]).items()}
    orphan = {key: value for key, (value, _) in parse_print(files["orphan.print"]).items()}
    for place, bytes_ in (("/tmp/small", 3 << 20), ("/dev/shm", 2 << 20)):
        line = re.search(rf"(\d+) +(\d+) +\d+ +\d+% {place}$", files["df"], re.M)
        df = tuple(int(number) * 1024 for number in line.groups())
        got = tuple(values.get((f"shmem.mount.{name}", place)) for name in ("size", "used"))
        tap.ok(got == df and df[1] == bytes_, f"{guest.name}: {place} is as df says", got, df)
    tap.same(values.get(("shmem.file.held", "file")), 2 << 20, f"{guest.name}: the file of /dev/shm is known")
    shmid = files["segment"].strip()
    columns, row = (line.split() for line in files["shm"].splitlines()[:2])
    segment = dict(zip(columns, row))
    got = [values.get((f"shmem.segment.{name}", f"segment:{shmid}")) for name in ("size", "rss", "swap")]
    tap.ok(got == [int(segment[name]) for name in ("size", "rss", "swap")] and sum(got[1:]) == 2 << 20,
           f"{guest.name}: the segment is as the kernel says, by who made it", got, segment)
    tap.same((values["shmem.orphaned.sysv", None], orphan["shmem.orphaned.sysv", None]), (0, 2 << 20),
             f"{guest.name}: it is an orphan when its process has ended")
    huge = re.search(r"^Hugetlb: +(\d+) kB$", files["meminfo"], re.M)
    tap.same(values["meminfo.accounting.huge", None], int(huge[1]) * 1024, f"{guest.name}: huge pages are a part")
    parts = sum(value or 0 for (name, _), value in values.items() if name.startswith("meminfo.accounting."))
    tap.same(parts, values["meminfo.available.total", None], f"{guest.name}: and the parts are all memory")


def check_oom(guest):
    files = guest.steps["oom"]
    stream = Stream(files["root.stream"])
    before, after = (lookup_keys(reading(files, moment, ["proc/vmstat"]), "oom_kill", None, None) for moment in ("before", "after"))
    numbers = stream.get("vmstat.oom.kill")
    tap.ok(after > before and numbers and numbers[0] == before and numbers[-1] == after,
           f"{guest.name}: out of memory: the kill is counted", f"{before} {after} {numbers}")
    tap.ok("(stall)" in files["killed"] and "(qmem.plugin)" not in files["killed"],
           f"{guest.name}: out of memory: it was the hog", files["killed"])
    went_on = numbers.count(numbers[-1]) if numbers else 0
    tap.ok(went_on >= 2, f"{guest.name}: out of memory: the plugin goes on", f"{numbers}", files["root.err"])
    tap.same(files["root.status"].strip(), "0", f"{guest.name}: out of memory: a clean end")
    wrong, compared = compare_stream(files, stream)
    tap.ok(not wrong and compared > 50, f"{guest.name}: out of memory: {compared} counts in the stream are the kernel's", *wrong)


def check_machine(guest):
    files = guest.steps["machine"]
    tap.diag(f"{guest.name}: {files['uname'].strip()}, {guest.seconds:.1f} s")
    tap.ok("memory" in files["controllers"].split(), f"{guest.name}: cgroup v2 has its memory controller", files["controllers"])
    messages = guest.steps.get("messages", {}).get("dmesg", "")
    bad = [line for line in messages.splitlines() if re.search(r"qmem\.plugin.*(segfault|general protection|trap )", line)]
    tap.ok(messages and not bad, f"{guest.name}: nothing of the plugin's has crashed", *bad)


def check_guest(guest):
    if not guest.steps:
        tap.ok(False, f"{guest.name}: boots", guest.reason, guest.console[-2000:])
        return
    tap.ok(not guest.reason, f"{guest.name}: boots, and does all its steps", guest.reason, guest.console[-2000:])
    checks = {"machine": check_machine, "zones": check_zones, "users": check_users, "stall": check_stall, "swap": check_swap,
              "shared": check_shared, "oom": check_oom}
    for step, check in checks.items():
        if step not in guest.steps and step != "swap":
            tap.ok(False, f"{guest.name}: step {step}", "the guest did not come so far")
            continue
        try:
            check(guest)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as e:
            tap.ok(False, f"{guest.name}: step {step} can be understood", repr(e))


def record(guest, only):
    """All files anew, or those that one of these patterns fits."""
    def wanted(name):
        return not only or any(fnmatch.fnmatchcase(name, pattern) for pattern in only.split())

    version = ".".join(guest.steps["machine"]["uname"].split()[2].split(".")[:2])
    for step, suffix in (("idle", ""), ("load", "-load")):
        if step not in guest.steps:
            tap.diag(f"{guest.name}: no root was recorded from step {step}")
            continue
        where = os.path.join(tap.SRC, "tests", "roots", f"{version}-x86_64{suffix}")
        if only and not os.path.isdir(where):
            tap.diag(f"{where}: there is no such root")
            continue
        if not only:
            shutil.rmtree(where, ignore_errors=True)
        for old in glob.glob(f"{where}/[12]/**", recursive=True) if only else ():
            if os.path.isfile(old) and wanted(os.path.relpath(old, where)[2:]):
                os.remove(old)
        for name, text in guest.steps[step].items():
            found = re.fullmatch(r"root/(\d+/(.*))", name)
            if found and wanted(found[2]):
                tap.write(os.path.join(where, found[1]), text)
        tap.diag(f"{where}: {guest.steps['machine']['uname'].strip()}")


# ---- all of it ----


def skip(reason):
    """Nothing can be booted: a failure where it must be."""
    if not os.environ.get("CI"):
        tap.skip_all(reason)
    tap.ok(False, "two kernels are there to be booted", reason)
    tap.done()


def main():
    global WORK, PLUGIN, SERVICES, METRICS
    words = sys.argv[1:]
    recording = [word.partition("=")[2] for word in words if re.fullmatch("--record(=.*)?", word)]
    names = [word for word in words if not word.startswith("--record")] or os.environ.get("QMEM_KERNELS", "").split()
    if not names:
        tap.skip_all("no kernels are asked for: make check-kernels")
    if names == ["all"]:
        names = [kernel[0] for kernel in fetch.KERNELS]
    WORK = tap.directory()
    PLUGIN = make_plugin()
    if not PLUGIN:
        skip("qmem.plugin cannot be linked statically: it needs the static libraries of libc and libcap")
    if not shutil.which("qemu-system-x86_64"):
        skip("qemu-system-x86_64 is not installed (Debian: qemu-system-x86)")
    SERVICES = {name: service.files for name, service in services.table().items()}
    METRICS = describe()
    try:
        fetch.busybox()
        compile_helpers()
        kernels = fetch.fetch(names)
    except fetch.Missing as e:
        skip(str(e))
    except subprocess.CalledProcessError as e:
        skip(f"the guest's helpers do not compile statically: {e}")

    booted = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        jobs = {name: pool.submit(boot, name, kernels[name], recording) for name in names if fetch.kept(name)}
        for name in names:
            if name not in jobs:
                tap.skip(f"{name}", kernels[name])
                continue
            guest = jobs[name].result()
            booted += "machine" in guest.steps
            check_guest(guest)
            if recording and guest.steps:
                record(guest, recording[-1])
    if os.environ.get("CI"):
        tap.ok(booted >= min(2, len(names)), "two kernels or more have booted", f"{booted} of {' '.join(names)}")
    tap.done()


if __name__ == "__main__":
    main()
