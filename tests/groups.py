#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Groups of processes, and what the worker finds out for them, as qmem.plugin shows them: against /proc as read here."""

import collections
import os
import re
import select
import shutil
import subprocess
import sys
import unicodedata

import stream
import tap

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
CROWD = os.path.join(tap.BUILD, "tests/crowd")
ROOT = os.geteuid() == 0
NOBODY, STRANGER = 65534, 54321
PTRACE = 19
PAGE = os.sysconf("SC_PAGESIZE")
PF_KTHREAD = 0x200000
READS = 2000
RENAMERS, RENAMED_TICKS = 1500, 13
HOLDER = """
import mmap, sys, time
open("/proc/self/comm", "w").write(sys.argv[1])
size = int(sys.argv[2]) << 20
private = bytearray(size)
for i in range(0, size, 4096):
    private[i] = 1
# each of these is a mapping of its own
shared = [mmap.mmap(-1, 4096) for i in range(int(sys.argv[3]))]
print("ready", flush=True)
while sys.argv[4:] and not time.sleep(0.05):
    mmap.mmap(-1, 4096).close()
sys.stdin.read()
"""


# ---- the independent reader ----

Process = collections.namedtuple("Process", "pid comm exe uid cgroup units cmdline kthread anon")


def raw(path):
    with open(path, "rb") as f:
        return f.read()


def process(pid):
    comm = raw(f"/proc/{pid}/comm")[:-1]
    try:
        exe = os.readlink(f"/proc/{pid}/exe".encode())
    except OSError:
        exe = None
    status = raw(f"/proc/{pid}/status")
    lines = [line.split(":", 2) for line in os.fsdecode(raw(f"/proc/{pid}/cgroup")).splitlines()]
    paths = {name: path for number, names, path in lines for name in names.split(",") if name or number == "0"}
    units = [paths[name] for name in ("name=systemd", "", "memory", *paths) if paths.get(name, "/") != "/"] + ["/"]
    anon = re.search(rb"\nRssAnon:\s+(\d+) kB", status)
    stat = raw(f"/proc/{pid}/stat")
    return Process(int(pid), comm, exe and exe.removesuffix(b" (deleted)"), int(re.search(rb"\nUid:\s+(\d+)", status)[1]),
                   os.fsencode(paths.get("memory") or paths[""]), os.fsencode(units[0]), raw(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" "),
                   bool(int(stat[stat.rindex(b")") + 2:].split()[6]) & PF_KTHREAD), anon and int(anon[1]) * 1024)


def processes():
    """All but the kernel's."""
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                p = process(pid)
            except (OSError, TypeError):
                continue
            if not p.kthread:
                found.append(p)
    return found


def unit(cgroup):
    """The innermost one, behind what is around it but for the slices that units are in."""
    parts, found = [], None
    for part in filter(None, cgroup.split(b"/")):
        if re.fullmatch(rb"[\w:.@\\-]+\.(service|scope|socket|mount|swap)", part):
            while parts and parts[-1].endswith(b".slice"):
                parts.pop()
            parts.append(part)
            found = b"/".join(parts)
        else:
            parts.append(part)
    return found


def users():
    found = {}
    for line in raw("/etc/passwd").splitlines():
        words = line.split(b":")
        if len(words) > 2 and words[2].isdigit():
            found.setdefault(int(words[2]), words[0])
    return found


def label(name):
    """As a name is shown: what is not seen as itself is escaped, and so is a backslash that would read as such an escape."""
    name = re.sub(rb"\\(?=x(?:[01][0-9a-f]|5c|7f|[89a-f][0-9a-f]))", rb"\\x5c", name or b"?")
    return "".join("".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
                   if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c
                   for c in name.decode("utf-8", "surrogateescape"))


# ---- qmem.plugin ----

class Print:
    """A --print that runs."""

    def __init__(self, config, *services, wrapper=()):
        Print.count = getattr(Print, "count", 0) + 1
        path = os.path.join(DIR, f"{Print.count}.conf")
        tap.write(path, config)
        self.child = tap.start([*wrapper, PLUGIN, "--config", path, "--print", *services], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def values(self):
        """By name, those of one name summed up; None: absent."""
        out, err = self.child.communicate(timeout=tap.patience(120))
        self.said = err.decode(errors="replace")
        found = {}
        for line in out.decode().splitlines():
            name, value, _ = line.split("\t")
            found[name] = None if value == "-" else float(value) + (found.get(name) or 0)
        return found


def group(name, **rules):
    return f"[procmem.group \"{name}\"]\n" + "".join(f"{option} = {rule}\n" for option, rule in rules.items())


# ---- processes to be looked at ----

def start(name, *words, uid=None, of="sleep", **more):
    """A program of this name, which no other process is."""
    path = os.path.join(os.fsencode(DIR), name)
    if not os.path.exists(path):
        shutil.copy(shutil.which(of), path)
        os.chmod(path, 0o755)
    if uid is not None:
        more.update(user=uid, group=uid, extra_groups=[])
    child = tap.start([path, *(words or ["1000"])], **more)
    # the child is there before its program
    tap.wait_for(lambda: process(child.pid).exe == path)
    return child


def holder(*words):
    child = tap.start([sys.executable, "-c", HOLDER, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    return child


def hierarchies():
    """Where those are mounted that /proc/PID/cgroup has, by controller; "": v2."""
    found = {}
    for line in tap.read("/proc/self/mounts").splitlines():
        _, where, kind, options = line.split()[:4]
        names = [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        found.update((name, where) for name in names if f":{name}:" in re.sub(r"[,:]", ":", tap.read("/proc/self/cgroup")))
    return found


def make(root, *path):
    """A cgroup, and those around it, as they are to be removed: the innermost first."""
    made = [os.path.join(root, *path[:n]) for n in range(len(path), 0, -1)]
    for directory in reversed(made):
        if not os.path.isdir(directory):
            os.mkdir(directory)
    return made


def put(directory, *pids):
    for pid in pids:
        tap.write(f"{directory}/cgroup.procs", str(pid))


def clear(directories):
    for directory in directories:
        # a process leaves its cgroup a moment after it has been waited for
        tap.wait_for(lambda d=directory: not os.path.exists(d) or remove(d), 10)


def cage(pids):
    """They get a cgroup of a unit, where memory is accounted. Its directories; or why not."""
    mounted, made = hierarchies(), []
    root = mounted.get("memory" if any("memory" in line for line in tap.read("/proc/self/cgroup").splitlines()) else "")
    if not root:
        return [], "the hierarchy is not mounted"
    try:
        made = make(root, f"qmem-test-{os.getpid()}", "caged.service")
        put(made[0], *pids)
    except OSError as e:
        return made, str(e)
    return made, None


# ---- the tests ----

def compare(what, printed, key, ours, seen):
    """The groups that our processes are in; those that others are in as well have at least ours."""
    values = printed.values()
    members = collections.defaultdict(dict)
    for p in seen:
        members[label(key(p))][p.pid] = p
    members = {name: group for name, group in members.items() if ours & set(group)}
    alone = {name: group for name, group in members.items() if set(group) <= ours}
    count = {name: values.get(f"procmem.processes.count[{name}]") for name in members}
    wrong = [(name, count[name], len(group)) for name, group in alone.items() if count[name] != len(group)]
    wrong += [(name, count[name], len(ours & set(group))) for name, group in members.items() if (count[name] or 0) < len(ours & set(group))]
    tap.ok(alone and not wrong, f"{what}: {len(members)} groups, {len(alone)} of them ours alone", wrong, printed.said)
    wrong = []
    for name, group in alone.items():
        got = values.get(f"procmem.rss.anon[{name}]")
        expected = sum(p.anon or 0 for p in group.values())
        # before 6.2 each thread keeps up to 64 pages to itself
        if got is None or abs(got - expected) > 64 * PAGE * len(group):
            wrong.append((name, got, expected))
    tap.ok(alone and not wrong, f"{what}: their memory is the sum of their members'", wrong)
    return values


def by_all(ours):
    """What a group is, five ways at once."""
    known = users()
    crowded = len(processes()) > READS
    keys = {"comm": lambda p: p.comm, "exe": lambda p: p.exe or p.comm, "user": lambda p: known.get(p.uid, b"%d" % p.uid),
            "cgroup": lambda p: p.cgroup, "unit": lambda p: unit(p.units) or p.comm}
    for by in ("cgroup", "unit"):
        if crowded:
            tap.skip(f"GroupBy {by}", f"more than {READS} processes: their cgroups are not read in one round")
            del keys[by]
    before = processes()
    running = {by: Print(f"[procmem]\nGroupBy = {by}\nTop = 10000\n", "procmem") for by in keys}
    for printed in running.values():
        tap.wait_for(lambda child=printed.child: select.select([child.stdout], [], [], 1)[0])
    seen = before + processes()
    return {by: compare(f"GroupBy {by}", printed, keys[by], ours, seen) for by, printed in running.items()}


def own_groups(caged, marked, strangers):
    """All options of a group must match; the first group counts, and the others get what is left."""
    printed = Print("[procmem]\nTop = 10000\n" +
                    group("marked", Cmdline="/--qmem-mark [0-9]+$/") +
                    group("both", Comm="alpha", User=STRANGER) +
                    group("stranger", User=STRANGER) +
                    group("caged", Cgroup=f"/^.qmem-test-{os.getpid()}/") +
                    group("hostile", Comm="/^a[)] S/") +
                    group("nobody has it", Comm="alpha", Cmdline="/--qmem-mark/"), "procmem")
    values = printed.values()

    def members(name, expected, what):
        tap.same(values.get(f"procmem.processes.count[{name}]"), float(expected), f"a group of its own: {what}") or tap.diag(printed.said)

    members("marked", len(marked), "by command line")
    members("hostile", 1, "by a hostile name")
    members("nobody has it", 0, "what only half of it matches is not in it")
    if strangers:
        members("both", 1, "by name and user")
        members("stranger", len(strangers) - 1, "by user, what an earlier group has left")
    else:
        tap.skip("a group of its own: by user", "needs root")
    if caged:
        members("caged", len(caged), "by cgroup")


def proportional():
    """PSS and mappings, which take the worker: they are there in time."""
    child = holder("qmemholder", "48", "100")
    # what it shares with others moves with them
    printed = Print("[procmem]\nPssBudget = 1s\n" + group("held", Comm="qmemholder") + "[heapmon]\nGroup = held\nSmapsBudget = 1s\n",
                    "procmem", "heapmon")
    values = printed.values()
    rollup = tap.read(f"/proc/{child.pid}/smaps_rollup")
    pss = int(re.search(r"\nPss:\s+(\d+)", rollup)[1]) * 1024
    uss = sum(int(kb) for kb in re.findall(r"\nPrivate_(?:Clean|Dirty|Hugetlb):\s+(\d+)", rollup)) * 1024
    for name, expected in (("pss", pss), ("uss", uss)):
        got = values.get(f"procmem.pss.{name}[held]")
        tap.ok(got and abs(got - expected) < expected / 10, f"--print: {name} of smaps_rollup", got, expected, printed.said)
    smaps = re.findall(r"(?m)^[0-9a-f]+-[0-9a-f]+ .*\[heap\]\n(?:[A-Z].*\n)*?Rss:\s+(\d+)", tap.read(f"/proc/{child.pid}/smaps"))
    tap.same(values.get("heapmon.rss.heap[held]"), sum(int(kb) for kb in smaps) * 1024.0, "--print: the heap of smaps")
    tap.ok((values.get("heapmon.pss.anon[held]") or 0) >= 48 << 20, "--print: other anonymous memory", values.get("heapmon.pss.anon[held]"))
    child.kill()


def rights(ours):
    """What may not be read is said, and groups are what can be known."""
    if not ROOT or not shutil.which("setpriv"):
        tap.skip("rights", "needs root and setpriv")
        return
    config = "[procmem]\nGroupBy = exe\nTop = 10000\nPssBudget = 1s\n"
    smaps = "[heapmon]\nGroup = alpha\nSmapsBudget = 1s\n"
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    before = processes()
    without = Print(config + smaps, "procmem", "heapmon", wrapper=(*user, "--inh-caps=-all"))
    own = len([p for p in processes() if p.uid == 0 and p.comm == b"alpha"])
    path = label(os.path.join(os.fsencode(DIR), b"alpha"))
    values = without.values()
    tap.ok(values.get("procmem.processes.count[alpha]", 0) >= own, "exe that may not be read: a group by name", values, own)
    tap.ok(f"procmem.processes.count[{path}]" not in values, "and none by exe")
    tap.ok(without.said.count("no exe of other users' processes: needs CAP_SYS_PTRACE") == 1, "which is said once", without.said)
    # those with a member that has been there all the time, with memory that nobody may read
    seen = {p.pid: p for p in processes()}
    names = {label(p.comm) for p in before if p.uid != NOBODY and p.anon and p == seen.get(p.pid)}
    got = {name: value for group in names for name in (f"procmem.pss.pss[{group}]", f"procmem.pss.uss[{group}]")
           if (value := values.get(name)) is not None}
    tap.ok("alpha" in names and not got, f"no PSS of {len(names)} groups of other users' processes", got)
    tap.same(without.said.count("no PSS of other users' processes: needs CAP_SYS_PTRACE"), 1, "which is said once") or tap.diag(without.said)
    got = {name: value for name, value in values.items() if name.startswith("heapmon.") and value is not None}
    tap.ok(not got, "nor their mappings", got)
    tap.same(without.said.count("smaps of other users' processes needs CAP_SYS_PTRACE"), 1, "which is said once, too") or \
        tap.diag(without.said)
    bounding = int(re.search(r"CapBnd:\s+(\w+)", tap.read("/proc/self/status"))[1], 16)
    if not bounding >> PTRACE & 1:
        tap.skip("exe with CAP_SYS_PTRACE", "not in the bounding set")
        return
    able = Print(config, "procmem", wrapper=(*user, "--inh-caps=-all,+sys_ptrace", "--ambient-caps=-all,+sys_ptrace"))
    values = able.values()
    tap.same(values.get(f"procmem.processes.count[{path}]"), float(len([p for p in processes() if p.exe == os.path.join(os.fsencode(DIR), b"alpha")])),
             "with CAP_SYS_PTRACE they are read") or tap.diag(able.said)
    tap.ok("CAP_SYS_PTRACE" not in able.said, "and nothing is said", able.said)


def execs():
    """A program becomes another one of the same name."""
    for backend in (None, "fds", "files"):
        what, paths = f"an exec to the same name, {backend or 'by default'}", []
        for number, program in enumerate(("sh", "sleep")):
            directory = os.path.join(DIR, f"exec {backend} {number}")
            os.mkdir(directory)
            paths.append(os.path.join(directory, "qmemsame"))
            shutil.copy(shutil.which(program), paths[-1])
        child = tap.start([paths[0], "-c", 'read x; exec "$0" 1000', paths[1]], stdin=subprocess.PIPE)
        running = stream.Stream((f"[proctable]\nBackend = {backend}\n" if backend else "") +
                                "[procmem]\nGroupBy = exe\nTop = 10000\n", DIR)

        def member_of(path, values):
            return values.get("procmem.processes", {}).get(path, {}).get("count") == 1

        tap.ok(running.until(lambda values, path=paths[0]: member_of(path, values)), f"{what}: before", running.stderr())
        child.stdin.write(b"\n")
        child.stdin.close()
        tap.ok(running.until(lambda values, path=paths[1]: member_of(path, values)), f"{what}: afterwards", running.stderr())
        running.stop()
        child.kill()


def units():
    """In the hierarchy that systemd keeps them in: units of one name of two users, and a process that moves from one to the other."""
    mounted, name, made, children = hierarchies(), f"qmem-test-{os.getpid()}", [], []
    root = mounted.get("name=systemd") or mounted.get("")
    try:
        if not root:
            raise OSError("the hierarchy is not mounted")
        for user in ("1", "2"):
            made = make(root, name, f"user@{user}.service", "app.slice", "same.service") + made
            children.append(holder("qmemunit", "1", "1", "moves"))
            put(made[0], children[-1].pid)
        made = make(root, name, r"machine-qemu\x2d1.scope") + made
        children.append(holder("qmemunit", "1", "1"))
        put(made[0], children[-1].pid)
        running = stream.Stream("[procmem]\nGroupBy = unit\nTop = 10000\n", DIR)

        def count(values, unit_):
            return values.get("procmem.processes", {}).get(f"{name}/{unit_}", {}).get("count", 0)

        shown = {"user@1.service/same.service": 1, "user@2.service/same.service": 1, "machine-qemu-1.scope": 1}
        tap.ok(running.until(lambda values: all(count(values, unit_) == n for unit_, n in shown.items())),
               "units of two users, and of a machine", running.stderr())
        put(os.path.join(root, name, "user@1.service/app.slice/same.service"), children[1].pid)
        tap.ok(running.until(lambda values: count(values, "user@1.service/same.service") == 2 and
                             not count(values, "user@2.service/same.service")), "a move from one to the other", running.stderr())
        running.stop()
    except OSError as e:
        tap.skip("units of our own", e)
    finally:
        for child in children:
            child.kill()
            child.wait()
        clear(sorted(set(made), key=len, reverse=True))


def schedstat(pid, tid):
    return int(tap.read(f"/proc/{pid}/task/{tid}/schedstat").split()[0])


def cost():
    """What the worker uses is a cost of the service that has given it the job: all of them cost more than the first thread."""
    child = holder("qmembusy", "1", "3000", "moves")
    path = os.path.join(DIR, "cost.conf")
    tap.write(path, group("busy", Comm="qmembusy") + "[heapmon]\nGroup = busy\nSmapsBudget = 1s\nSmapsCeiling = 10s\n[self]\nTop = 100\n")
    plugin = tap.start([PLUGIN, "--config", path, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    costs, chart, rest = {}, "", b""
    worker = first = told = 0
    bound = tap.Bound(60)
    while bound.left():
        tids = [int(tid) for tid in os.listdir(f"/proc/{plugin.pid}/task") if int(tid) != plugin.pid]
        told = sum(costs.values())
        first = schedstat(plugin.pid, plugin.pid)
        worker = max([schedstat(plugin.pid, tid) for tid in tids], default=0)
        # what was told before cannot be more than this without the worker
        if told > first:
            break
        if not select.select([plugin.stdout], [], [], 1)[0]:
            continue
        *lines, rest = (rest + os.read(plugin.stdout.fileno(), 1 << 20)).split(b"\n")
        for line in lines:
            words = line.decode().split()
            if words[:1] == ["BEGIN"]:
                chart = words[1]
            elif words[:1] == ["SET"] and chart.startswith("qmem.self_cost_"):
                costs[chart] = int(words[3])
    tap.ok(told > first and worker, "what the worker uses is a cost", costs, f"first thread {first} ns, worker {worker} ns")
    tap.ok(0 < costs.get("qmem.self_cost_heapmon", 0) <= worker + first, "of the service that has asked", costs)
    plugin.terminate()
    child.kill()


def renamed():
    """A user's processes give themselves new names again and again: what is remembered of it is bounded, and so is what is said."""
    tap.alone()
    wrapper = ["setpriv", f"--reuid={NOBODY}", "--clear-groups"] if ROOT else []
    grown, charts = {}, {}
    for kind in ("quiet", "renamers"):
        crowd = tap.start([*wrapper, CROWD, kind, str(RENAMERS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        crowd.stdout.readline()
        running = stream.Stream("[proctable]\nBudget = 0\n[procmem]\nBudget = 0\n[cpuload]\nBudget = 0\n", DIR, last=stream.LAST_OF_WALK)
        seen, ticks, first = set(), 0, 0
        while ticks < RENAMED_TICKS:
            values = running.tick()
            if values is None:
                break
            ticks += 1
            seen |= set(values.get("procmem.processes", {}))
            # tables have their size when all have been there for two rounds
            first = first or (ticks == 3 and memory(running.child.pid))
        tap.same(ticks, RENAMED_TICKS, f"{kind}: so many ticks")
        grown[kind], charts[kind] = memory(running.child.pid) - first, len(seen)
        running.stop()
        crowd.communicate()
    tap.diag(f"{grown} bytes more in {RENAMED_TICKS - 3} ticks, {charts} groups with a name")
    tap.ok(grown["renamers"] < grown["quiet"] + (4 << 20), f"{RENAMERS} processes that rename themselves take no memory", grown)
    # there are ten places, which are kept for a minute; the kernel, and all others
    tap.ok(charts["renamers"] <= charts["quiet"] + 10, "and no charts", charts)


def memory(pid):
    return int(re.search(rb"\nRssAnon:\s+(\d+) kB", raw(f"/proc/{pid}/status"))[1]) * 1024


def main():
    tap.alone()     # what another run of this test makes has the same names
    exes = [start(b"alpha"), start(b"alpha"), start(b"be ta (x)"), start(b"gone"), start(b"gone"), start(b"c\nd`\xff")]
    os.unlink(os.path.join(DIR, "gone"))
    tap.ok(all(os.readlink(f"/proc/{child.pid}/exe").endswith(" (deleted)") for child in exes[3:5]), "a program that is deleted")
    strangers = [start(b"alpha", uid=STRANGER), start(b"be ta (x)", uid=STRANGER)] if ROOT else []
    marked = [start(b"shell", "-c", "read x", *words, "--qmem-mark", "17", of="sh", stdin=subprocess.PIPE)
              for words in (["sh"], [b"a\nb\tc\"\xff"], ["x" * 1000])]
    crowd = tap.start([CROWD, "names"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    hostile = [int(pid) for pid in crowd.stdout.readline().split()]
    ours = {child.pid for child in exes + strangers + marked} | set(hostile)
    caged = [child.pid for child in exes[1:3]]
    directories, why_not = cage(caged)
    try:
        values = by_all(ours)
        path = os.path.join(DIR, "gone")
        tap.same(values["exe"].get(f"procmem.processes.count[{path}]"), 2.0, "a deleted program is the one it was")
        if ROOT:
            tap.same(values["user"].get(f"procmem.processes.count[{STRANGER}]"), 2.0, "a user without a name has a number")
        else:
            tap.skip("a user without a name has a number", "needs root")
        if why_not or "cgroup" not in values:
            tap.skip("a cgroup of our own", why_not or "too many processes")
        else:
            tap.same(values["cgroup"].get(f"procmem.processes.count[/qmem-test-{os.getpid()}/caged.service]"), 2.0, "a cgroup of our own")
            tap.same(values["unit"].get(f"procmem.processes.count[qmem-test-{os.getpid()}/caged.service]"), 2.0, "and its unit")
        own_groups([] if why_not or "cgroup" not in values else caged, marked, strangers)
        rights(ours)
    finally:
        for child in exes:
            child.kill()
            child.wait()
        clear(directories)
    units()
    proportional()
    execs()
    cost()
    renamed()
    tap.done()


def remove(directory):
    try:
        os.rmdir(directory)
    except OSError:
        return False
    return True


if not os.access(PLUGIN, os.X_OK):
    tap.skip_all("qmem.plugin is not built")
DIR = tap.directory()
main()
