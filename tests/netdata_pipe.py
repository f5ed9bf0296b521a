#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmem.plugin over pipes, without an agent: what it writes in good and in bad times, and the program for people."""

import fcntl
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import time

import building
import capabilities
import fake_netdata
import services
import tap

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
SANITIZED = bool(os.environ.get("QMEM_SANITIZERS"))
DIR = tap.directory()
ROOT = os.path.join(tap.SRC, "tests", "roots")
NOBODY = 65534
STRICT = fake_netdata.VERSIONS


def environment(version="v1.37.1", **more):
    env = {key: value for key, value in os.environ.items() if not key.startswith("NETDATA_")}
    if version:
        env["NETDATA_VERSION"] = version
    env.update(NETDATA_USER_CONFIG_DIR=os.path.join(DIR, "none"), NETDATA_STOCK_CONFIG_DIR=os.path.join(DIR, "none"), LC_ALL="C")
    env.update(more)
    return env


class Plugin:
    """A running plugin. stdin stays open; stdout is read when asked for."""

    count = 0

    def __init__(self, *words, config=None, env=None, pipe_size=None, wrapper=(), stdin=subprocess.PIPE, program=PLUGIN, agent=None,
                 **more):
        self.agent = agent  # takes what is read, when it is read
        args = ["1", *words]
        if config is not None:
            path = os.path.join(DIR, f"test{Plugin.count}.conf")
            tap.write(path, config)
            args += ["--config", path]
        read_end, write_end = os.pipe()
        if pipe_size:
            fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, pipe_size)
        Plugin.count += 1
        self.err_path = os.path.join(DIR, f"stderr{Plugin.count}")
        with open(self.err_path, "wb") as err:
            self.child = tap.start([*wrapper, program, *args], stdin=stdin, stdout=write_end, stderr=err,
                                   env=env or environment(), **more)
        os.close(write_end)
        os.set_blocking(read_end, False)
        self.fd = read_end
        self.data = b""
        self.over = False

    def read(self):
        """What is there; False at the end."""
        while not self.over:
            try:
                piece = os.read(self.fd, 1 << 20)
            except BlockingIOError:
                break
            self.data += piece
            if self.agent:
                self.agent.feed(piece, time.time())
            self.over = not piece
        return not self.over

    def read_until(self, condition, seconds=30):
        """Reads until condition(data) or the end."""
        bound = tap.Bound(seconds)
        while True:
            self.read()
            value = condition(self.data)
            if value or self.over or not bound.left():
                return value
            select.select([self.fd], [], [], 0.2)

    def ticks(self):
        """How often the service that comes last has been put out, whole."""
        return len(re.findall(rb"^BEGIN qmem\.self_collections[ \n](?:.*\n)*?END\n", self.data, re.M))

    def wait_ticks(self, n, seconds=60):
        return self.read_until(lambda _: self.ticks() >= n, seconds)

    def stderr(self):
        return tap.read(self.err_path)

    def wait(self, seconds=30):
        """The exit status, or None."""
        bound = tap.Bound(seconds)
        while self.child.poll() is None and bound.left():
            self.read()
            time.sleep(0.01)
        self.read()
        return self.child.poll()

    def terminate(self):
        self.child.send_signal(signal.SIGTERM)
        return self.wait()

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self.child.stdin:
            self.child.stdin.close()
        os.close(self.fd)


def strict(data, name, every=1, versions=STRICT):
    """The stream passes the strict reader of these versions; the last agent."""
    agent = None
    for version in versions:
        try:
            agent = fake_netdata.check(data, version, every)
        except fake_netdata.Refused as e:
            tap.ok(False, name, f"{version}: {e}")
            return None
    tap.ok(agent.rounds > 0, name, "no values at all")
    return agent


def run(*args, env=None, **more):
    return subprocess.run([PLUGIN, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=tap.patience(120), check=False,
                          env=env or environment(None), **more)


# ---- what takes a minute runs beside all the rest ----

ONLY_NETSTAT = "".join(f"[{name}]\nEnabled = no\n" for name in services.table() if name != "netstat")
HEAD = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n"
ODD = 'a"b=c'
moving = os.path.join(DIR, "moving")


def interfaces(*names):
    """In place: the plugin keeps the file open."""
    path = os.path.join(moving, "proc/1/net/dev")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text = HEAD + "".join(f"  {name}: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n" for name in names)
    with open(path, "r+" if os.path.exists(path) else "w", encoding="ascii") as f:
        f.write(text)
        f.truncate()


interfaces("lo", ODD)
leaving = Plugin(config=f"HostRoot = {moving}\n" + ONLY_NETSTAT, pipe_size=1 << 20)
silent = Plugin(config="".join(f"[{name}]\nInterval = 1h\n" for name in services.table()),
                pipe_size=1 << 20)


def device(agent, name):
    return [chart for chart in agent.charts.values() if chart.context == "qmem.netstat_bytes" and chart.labels["device"] == name]


def replay(data):
    """An agent that has read all lines so far, whole or not."""
    agent = fake_netdata.Netdata()
    agent.feed(data)
    return agent


tap.ok(leaving.read_until(lambda data: data.count(b"BEGIN qmem.netstat_bytes_lo ") >= 2), "an interface file of our own is read",
       leaving.stderr())
interfaces("lo")
left_at = time.monotonic()

# ---- in good times ----

p = Plugin()
tap.ok(p.wait_ticks(3), "values come every second", p.stderr())
tap.same(p.terminate(), 0, "SIGTERM ends it with status 0")
agent = strict(p.data, "the stream passes the strict reader of both versions")
if agent:
    tap.ok(len(agent.live()) < 300, f"there are fewer than 300 charts: {len(agent.live())}")
    usage = agent.charts["qmem.meminfo_usage"]
    total = int(re.search(r"MemTotal:\s+(\d+) kB", tap.read("/proc/meminfo"))[1]) * 1024
    tap.same([sum(v for v in r.values.values() if v is not None) for r in usage.rounds], [total] * len(usage.rounds),
             "memory by use sums up to MemTotal, every time")
    modules = {c.module for c in agent.charts.values()}
    lasting = services.lasting()
    tap.ok(modules >= lasting, "all services are there", lasting - modules)
    named = [c for c in agent.charts.values() if c.context == "qmem.netstat_bytes"]
    tap.ok(named and all(c.labels.get("device") for c in named), "interfaces are labels", named)
    intervals = [r.microseconds for r in usage.rounds[1:]]
    tap.ok(intervals and all(0 < us < 60e6 for us in intervals), "microseconds are told", intervals)
tap.ok(re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: qmem\.plugin INFO  : MAIN : ", p.stderr(), re.M),
       "log lines look like those of Netdata 1.37.1", p.stderr())
p.close()

p = Plugin(env=environment("v2.10.4", NETDATA_INVOCATION_ID="x", NETDATA_LOG_METHOD="stderr"))
tap.ok(p.wait_ticks(1), "values come under Netdata 2.x", p.stderr())
p.child.stdin.write(b"FUNCTION abc 10 \"top\"\nNONSENSE\n\n")
p.child.stdin.flush()
ticks = p.ticks()
tap.ok(p.wait_ticks(ticks + 2), "unknown words are ignored")
p.child.stdin.write(b"QUIT")
p.child.stdin.flush()
tap.same(p.wait(), 0, "QUIT without a newline ends it with status 0")
tap.ok(re.search(r"^time=\S+ comm=qmem\.plugin source=collector level=info msg=\"", p.stderr(), re.M),
       "log lines look like those of Netdata 2.x", p.stderr())
strict(p.data, "and the stream of 2.x passes that of 2.x", versions=["2.11.0"])
tap.same(p.data.count(b"TRUST_DURATIONS"), 1, "an agent that can is asked to trust our times, once")
p.close()

p = Plugin()
p.wait_ticks(1)
p.child.stdin.close()
p.child.stdin = None
tap.same(p.wait(), 0, "the end of stdin ends it with status 0")
p.close()

p = Plugin(stdin=subprocess.DEVNULL)
tap.ok(p.wait_ticks(2), "/dev/null is no stdin, and no end", p.stderr())
p.child.send_signal(signal.SIGINT)
tap.same(p.wait(), 0, "SIGINT ends it")
p.close()

p = Plugin(wrapper=("/bin/sh", "-c", 'exec "$@" <&- 2>&-', "sh"), stdin=None)
tap.ok(p.wait_ticks(2), "closed descriptors do not disturb it", p.stderr())
tap.same(p.terminate(), 0, "nor its end")
strict(p.data, "and nothing strange is written")
p.close()

p = Plugin(config="[meminfo]\nInterval = 3s\n[vmstat]\nInterval = 1500ms\n")
p.wait_ticks(4)
p.terminate()
agent = strict(p.data, "services have intervals of their own")
if agent:
    tap.same([agent.charts["qmem.meminfo_usage"].update_every, agent.charts["qmem.vmstat_faults"].update_every,
              agent.charts["qmem.self_collections"].update_every], [3, 2, 1], "they are the charts' update_every")
p.close()

p = Plugin(env=environment("v2.11.0", NETDATA_INVOCATION_ID="x", NETDATA_LOG_METHOD="journal"), config="[nosuch]\nx = 1\n")
tap.ok(p.wait_ticks(1), "values come where the journal is wanted", p.stderr())
p.terminate()
tap.ok(re.search(r"^<6>qmem\.plugin: version ", p.stderr(), re.M) and re.search(r"^<[34]>qmem\.plugin: .*nosuch", p.stderr(), re.M),
       "its log lines have the journal's level, and no other", p.stderr())
tap.same([line for line in p.stderr().splitlines() if not re.match(r"<[3-7]>qmem\.plugin: (?!error|warning|notice|info)", line)], [],
         "all of them, and none twice")
p.close()

# ---- stdout that blocks, and that closes ----


def skipped(p):
    """Of each time that the agent has read again."""
    return [int(number) for number in re.findall(r"reads again: (\d+) ticks were skipped", p.stderr())]


def stall(p):
    """Stdout is not read for some seconds, and then it is. On a machine with much to do it may have been late before."""
    began = len(skipped(p))
    tap.ok(tap.wait_for(lambda: p.stderr().count("does not read") > began, 60), "a stdout that is not read is complained about", p.stderr())
    skips_from = time.monotonic()
    tap.wait_for(lambda: time.monotonic() - skips_from > 4, 10)
    tap.same(p.child.poll(), None, "it goes on meanwhile")
    p.read_until(lambda _: len(skipped(p)) > began)
    tap.ok(skipped(p)[began:] and max(skipped(p)[began:]) >= 2, "the skipped ticks are counted", p.stderr())
    p.wait_ticks(p.ticks() + 4)


def astray(agent):
    """Charts that have just had a round, and whose time in the agent is another."""
    return [(chart.id, round(chart.store.collected / 10**6 - agent.now / 10**6, 2)) for chart in agent.live().values()
            if agent.now - chart.store.read < 10**6 and len(chart.rounds) > 2 and abs(chart.store.collected - agent.now) > 2 * 10**6]


agent = fake_netdata.Netdata("2.11.0")
p = Plugin(pipe_size=4096, env=environment("v2.11.0", NETDATA_INVOCATION_ID="x"), agent=agent)
stall(p)
tap.same(astray(agent), [], "an agent that is late for the first ticks has the right times all the same")
stall(p)
tap.same(astray(agent), [], "and one that was stalled later")
tap.same(p.terminate(), 0, "and it can still be ended")
agent = strict(p.data, "what was written are whole ticks, in order", versions=["2.11.0"])
if agent:
    lost = [r.values["lost"] for r in agent.charts["qmem.self_collections"].rounds] if "qmem.self_collections" in agent.charts else []
    tap.ok(lost and lost[-1] == sum(skipped(p)), "and the skipped ones are in a chart", lost, p.stderr())
    widest = max(r.microseconds or 0 for r in agent.charts["qmem.meminfo_usage"].rounds)
    tap.ok(widest >= 3000000, "the first BEGIN after them knows how long it was", widest)
p.close()

p = Plugin(pipe_size=4096)
tap.wait_for(lambda: "does not read" in p.stderr(), 60)
p.child.send_signal(signal.SIGTERM)
tap.ok(tap.wait_for(lambda: p.child.poll() is not None, 30), "SIGTERM ends it while stdout is blocked")
tap.same(p.child.poll(), 0, "with status 0")
p.close()

p = Plugin()
p.wait_ticks(1)
os.close(p.fd)
tap.ok(tap.wait_for(lambda: p.child.poll() is not None, 30), "a closed stdout ends it")
tap.same(p.child.poll(), 0, "with status 0")
p.fd = os.open("/dev/null", os.O_RDONLY)
p.close()

# ---- configuration ----

WRONG = [
    ("[meminfo]\nEnabled = maybe\n", "meminfo", "Enabled", "maybe"),
    ("[meminfo]\nInterval = soon\n", "meminfo", "Interval", "soon"),
    ("[meminfo]\nLevelLow = 101\n", "meminfo", "LevelLow", "101"),
    ("[meminfo]\nLevelLow = -1\n", "meminfo", "LevelLow", "-1"),
    ("[meminfo]\nDetail = perhaps\n", "meminfo", "Detail", "perhaps"),
    ("[vmstat]\nRawGauge = a b\n", "vmstat", "RawGauge", "a b"),
    ("[pressure]\nTrigger = memory some 3s 2s\n", "pressure", "Trigger", "memory some 3s 2s"),
    ("[pressure]\nHold = 0.1s\n", "pressure", "Hold", "0.1s"),
    ("[netstat]\nNamespace = other\n", "netstat", "Namespace", "other"),
    ("[netstat]\nInterface = /[/\n", "netstat", "Interface", "/[/"),
    ("[netstat]\nTop = 99999999999999999999\n", "netstat", "Top", "99999999999999999999"),
]
for text, service, option, value in WRONG:
    path = os.path.join(DIR, "wrong.conf")
    tap.write(path, text)
    got = run("--config", path, "--check")
    last = got.stdout.splitlines()[-1] if got.stdout else ""
    tap.ok(got.returncode == 1 and last.startswith(f"{path}:2: {service}: {option} '{value}' "),
           f"wrong: {service}.{option} = {value}", got)
everything_wrong = "".join(text for text, *_ in WRONG) + "[nosuch]\nx = 1\n[meminfo]\nnosuch = 1\nLevelHigh = 5\n"
p = Plugin(config=everything_wrong)
tap.ok(p.wait_ticks(2), "with all of that wrong it runs on its defaults", p.stderr())
p.terminate()
told = p.stderr()
missing = [row for row in WRONG if f"{row[1]}: {row[2]} '{row[3]}'" not in told]
tap.same(missing, [], "and has named every service, option and value")
tap.ok("no service 'nosuch'" in told and "no option 'nosuch'" in told, "unknown names are named", told)
strict(p.data, "the stream is what it always is")
p.close()

tap.write(os.path.join(DIR, "huge.conf"), "[meminfo]\nLevelLow = " + "9" * 3000000 + "\n# " + "x" * 3000000 + "\nDetail = yes\n")
got = run("--config", os.path.join(DIR, "huge.conf"), "--check")
tap.ok(got.returncode == 1 and "LevelLow" in got.stdout, "a huge line is a wrong value like any other", got.stdout[-300:])
tap.ok("line 3" not in got.stdout and got.stdout.count("huge.conf") == 1, "and the lines behind it count")
got = run("--config", os.path.join(DIR, "nosuch.conf"), "--check")
tap.ok(got.returncode == 1 and "nosuch.conf" in got.stdout and "No such file" in got.stdout, "a file that is missing is named", got)
p = Plugin("--config", os.path.join(DIR, "nosuch.conf"))
tap.ok(p.wait_ticks(1) and "nosuch.conf" in p.stderr(), "and the plugin runs on its defaults", p.stderr())
p.terminate()
p.close()

user = os.path.join(DIR, "user")
tap.write(os.path.join(user, "qmem.conf"), "[meminfo]\nEnabled = no\n")
stock = os.path.join(DIR, "stock")
tap.write(os.path.join(stock, "qmem.conf"), "[vmstat]\nEnabled = no\n")
both = environment(None, NETDATA_USER_CONFIG_DIR=user, NETDATA_STOCK_CONFIG_DIR=stock)
got = run("--check", env=both)
tap.ok("meminfo\toff\t" in got.stdout and "vmstat\ton\t" in got.stdout, "the user's qmem.conf goes before the stock one", got)
got = run("--check", env=environment(None, NETDATA_STOCK_CONFIG_DIR=stock))
tap.ok("meminfo\ton\t" in got.stdout and "vmstat\toff\t" in got.stdout, "which is read if there is none of the user's", got)
if os.geteuid() == 0:
    os.chmod(os.path.join(user, "qmem.conf"), 0o600)
    got = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", PLUGIN, "--check"],
                         capture_output=True, text=True, env=both, timeout=tap.patience(60), check=False)
    tap.ok(got.returncode == 1 and "Permission denied" in got.stdout and "vmstat\ton\t" in got.stdout,
           "a file that cannot be read is named, and no other takes its place", got)
else:
    tap.skip("a file that cannot be read", "needs root")

# ---- the program for people ----

got = run("--version")
tap.ok(got.returncode == 0 and re.fullmatch(r"qmem\.plugin \S+\n", got.stdout), "--version", got)
got = run("--help")
tap.ok(got.returncode == 0 and "Usage:" in got.stdout and "--print" in got.stdout and "--check" in got.stdout, "--help", got)
for words in (["--nonsense"], ["nonsense"], ["0"], ["1", "2"], ["-1"], ["1x"], ["--config"], ["--print", "nosuch"],
              ["--check", "x"], ["--print", "--check"], ["--describe", "nosuch"]):
    got = run(*words)
    tap.ok(got.returncode == 2 and not got.stdout and got.stderr, f"wrong arguments: {' '.join(words)}", got)
got = run("--describe")
tap.ok(got.returncode == 0 and "meminfo.usage.free" in got.stdout and "LevelLow" in got.stdout, "--describe", got)

got = run("--check")
lines = [line.split("\t") for line in got.stdout.splitlines() if not line.startswith("capability ")]
tap.ok(got.returncode == 0 and lines and all(len(line) == 3 and line[1] in ("on", "off") and line[2] for line in lines),
       "--check: name, on or off, why", got)
tap.write(os.path.join(DIR, "check.conf"), f"HostRoot = {DIR}\n[meminfo]\nEnabled = yes\n")
got = run("--check", "--config", os.path.join(DIR, "check.conf"))
tap.ok(got.returncode == 1 and "meminfo\toff\t" in got.stdout, "--check: a service set to yes that cannot run is a failure", got)

before = tap.read("/proc/meminfo")
got = run("--print")
after = tap.read("/proc/meminfo")
values = {}
shaped = []
for line in got.stdout.splitlines():
    if re.fullmatch(r"[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+(\[[^\t]*\])?\t(-|-?\d+(\.\d*[1-9])?)\t[a-z/-]+", line):
        name, value, unit = line.split("\t")
        values[name] = (value, unit)
    else:
        shaped.append(line)
tap.ok(got.returncode == 0 and len(values) > 50 and not shaped, "--print: name, value, unit", shaped[:5], got.stderr)
tap.same(values.get("meminfo.available.total"), (str(total), "bytes"), "a constant is exact")


def between(name, pattern):
    first, last = (int(re.search(pattern, text)[1]) * 1024 for text in (before, after))
    value = int(values[name][0])
    slack = 64 << 20  # between the two readings it may have been higher and lower
    return tap.ok(min(first, last) - slack <= value <= max(first, last) + slack, f"{name} is what others read", first, value, last)


between("meminfo.available.available", r"MemAvailable:\s+(\d+)")
between("meminfo.usage.free", r"MemFree:\s+(\d+)")
tap.ok(values["vmstat.faults.minflt"][1] == "faults/s" and float(values["vmstat.faults.minflt"][0]) > 0, "counters are rates",
       values["vmstat.faults.minflt"])
tap.ok(any(value == "-" for value, _ in values.values()), "what is absent is '-'")
got = run("--print", "netstat", "MEM-info")
printed = {line.split(".")[0] for line in got.stdout.splitlines()}
tap.same(printed, {"meminfo", "netstat"}, "--print of some services")
tap.write(os.path.join(DIR, "slow.conf"), "[meminfo]\nInterval = 1h\n[vmstat]\nEnabled = no\n")
got = run("--print", "--config", os.path.join(DIR, "slow.conf"))
printed = {line.split(".")[0] for line in got.stdout.splitlines()}
tap.ok("meminfo" in printed and "vmstat" not in printed, "--print of all that is enabled, whatever its interval", printed)
got = run("--print", "vmstat", "--config", os.path.join(DIR, "slow.conf"))
tap.ok(got.returncode == 1 and "vmstat is off: Enabled is no" in got.stderr and not got.stdout, "--print of what is off says so", got)
with open("/dev/full", "wb") as full:
    got = subprocess.run([PLUGIN, "--print", "meminfo"], stdout=full, stderr=subprocess.PIPE, env=environment(None), check=False)
tap.same(got.returncode, 1, "--print fails if it cannot write")

# ---- other roots, users, rights ----

roots = sorted(os.listdir(ROOT)) if os.path.isdir(ROOT) else []
for name in roots:
    root = os.path.join(ROOT, name, "1")
    if not os.path.isdir(root):
        continue
    p = Plugin(env=environment(NETDATA_HOST_PREFIX=root))
    p.wait_ticks(2, 20)
    status = p.terminate()
    agent = strict(p.data, f"{name} as NETDATA_HOST_PREFIX: the stream passes")
    tap.same(status, 0, f"{name}: it ends well")
    match = re.search(r"MemTotal:\s+(\d+) kB", tap.read(os.path.join(root, "proc/meminfo"))) if agent and os.path.exists(f"{root}/proc/meminfo") else None
    if match and "qmem.meminfo_available" in agent.charts and len(match[1]) < 16:
        tap.same(agent.charts["qmem.meminfo_available"].rounds[-1].values["total"], int(match[1]) * 1024, f"{name}: its own MemTotal")
    p.close()
empty = os.path.join(DIR, "empty")
os.makedirs(empty, exist_ok=True)
p = Plugin(env=environment(NETDATA_HOST_PREFIX=empty), config="[self]\nEnabled = no\n")
tap.same(p.wait(), 1, "an empty root leaves nothing to do")
tap.same(p.data, b"DISABLE\n", "the agent is told not to try again")
p.close()
p = Plugin(env=environment(NETDATA_HOST_PREFIX="/nosuch"), config="")
tap.same((p.wait(), p.data), (1, b"DISABLE\n"), "of a root that is not there nothing is measured, least of all another one")
tap.ok("'/nosuch' cannot be found" in p.stderr(), "which is said", p.stderr())
p.close()
p = Plugin(env=environment(NETDATA_HOST_PREFIX=empty), config="HostRoot = /\n")
tap.ok(p.wait_ticks(1), "HostRoot goes before NETDATA_HOST_PREFIX", p.stderr())
p.terminate()
p.close()


def as_user(name, *setpriv):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        tap.skip(name, "needs root and setpriv")
        return
    p = Plugin(wrapper=("setpriv", *setpriv))
    tap.ok(p.wait_ticks(2), f"{name}: values come", p.stderr())
    tap.same(p.terminate(), 0, f"{name}: it ends well")
    agent = strict(p.data, f"{name}: the stream passes")
    if agent:
        said = subprocess.run(["setpriv", *setpriv, PLUGIN, "--check"], capture_output=True, text=True, env=environment(None), check=False).stdout
        # a service may need a right that this user has not, and says so
        lacking = set(re.findall(r"(?m)^(\w+)\toff\t.*(?:lacks CAP_|not read by BPF)", said))
        missing = services.lasting() - lacking - {c.module for c in agent.charts.values()}
        tap.ok(len(lacking) < 4 and not missing, f"{name}: all services are there", lacking, missing)
    p.close()


as_user("nobody", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all")
as_user("no_new_privs", "--no-new-privs", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
as_user("Debian's bounding set",
        "--bounding-set=-all,+dac_read_search,+sys_ptrace,+setgid,+setuid,+net_raw,+audit_write",
        f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")



def file_capabilities(installed, given, lacks):
    """As a unit runs it whose bounding set lacks one of them. They are a thread's own: all threads must have them."""
    name = "the file's capabilities, " + ("all of them" if not lacks else lacks if lacks == "no_new_privs" else f"without {lacks}")
    words = ["--no-new-privs"] if lacks == "no_new_privs" else [f"--bounding-set=-{lacks[4:]}"] if lacks else []
    there = [] if lacks == "no_new_privs" else [cap for cap in capabilities.bounded(given) if cap != lacks]
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words,
            # setpriv itself keeps capabilities over the change of user, a shell does not
            "/bin/sh", "-c", 'exec "$@"', "sh")
    path = os.path.join(DIR, "capabilities.conf")
    tap.write(path, "[procmem]\nGroupBy = exe\n")
    said = subprocess.run([*user, installed, "--check", "--config", path], capture_output=True, text=True, env=environment(None),
                          timeout=tap.patience(60), check=False).stdout
    p = Plugin("--config", path, wrapper=user, program=installed)
    tap.ok(p.wait_ticks(3), f"{name}: it runs", p.stderr())
    threads = [capabilities.of(f"/proc/{p.child.pid}/task/{tid}/status") for tid in os.listdir(f"/proc/{p.child.pid}/task")]
    # it has that one, too, and slabs and devices are read by it
    permitted, effective = capabilities.kept(said, there + (["cap_dac_read_search"] if lacks != "no_new_privs" else []))
    tap.ok(len(threads) > 1, f"{name}: the worker is there", threads)
    tap.same([(caps["Eff"], caps["Prm"]) for caps in threads], [(effective, permitted)] * len(threads),
             f"{name}: each thread has what it uses, and no more")
    tap.same("no exe of other users" in p.stderr(), "cap_sys_ptrace" not in there, f"{name}: one is told of what it cannot read")
    p.terminate()
    p.close()
    for cap in given:
        # a service's reason names two, of which one alone is lacking: the table does not
        told = f"\tlacking\t{cap.upper()} for " in said
        used = re.search(rf"^capability \d+\t(there|lacking)\t{cap.upper()} for ", said, re.M)
        tap.same(told, cap not in there and bool(used), f"{name}: --check, {cap.upper()}") or tap.diag(said)


if os.geteuid() == 0 and shutil.which("setcap") and shutil.which("setpriv") and not SANITIZED:
    installed = os.path.join(DIR, "qmem.plugin")
    shutil.copy(PLUGIN if not os.path.exists(os.path.join(tap.BUILD, ".libs", "qmem.plugin")) else
                os.path.join(tap.BUILD, ".libs", "qmem.plugin"), installed)
    os.chmod(installed, 0o755)
    given = building.variables(tap.BUILD, "PLUGIN_CAPS")["PLUGIN_CAPS"][:-len("=p")].split(",")
    # two more, which an administrator may give
    done = subprocess.run(["setcap", ",".join([*given, "cap_dac_read_search", "cap_dac_override"]) + "=p", installed], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        tap.skip("capabilities of the file", f"setcap: {done.stderr.strip()}")
    else:
        for cap in (None, "no_new_privs", *given):
            file_capabilities(installed, given, cap)
else:
    tap.skip("capabilities of the file", "needs root, setcap and a plugin without sanitizers")

unshare = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
           'mount --bind /proc/pressure /proc/pressure && mount -o remount,bind,ro /proc/pressure && exec "$@"', "sh"]
probe = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
if probe.returncode:
    tap.skip("a read-only /proc/pressure", f"no mount namespace: {probe.stderr.strip()}")
else:
    p = Plugin(wrapper=unshare)
    tap.ok(p.wait_ticks(3), "a read-only /proc/pressure: values come", p.stderr())
    p.terminate()
    agent = strict(p.data, "a read-only /proc/pressure: the stream passes")
    if agent:
        tap.ok("qmem.pressure_trigger" in agent.contexts, "a read-only /proc/pressure: triggers are polled", list(agent.contexts))
    p.close()
    got = subprocess.run([*unshare, PLUGIN, "--check"], capture_output=True, text=True, env=environment(None), check=False)
    tap.ok(re.search(r"(?m)^pressure\ton\t.*poll", got.stdout), "a read-only /proc/pressure: --check says that they are", got)

for limit in (4, 5, 6, 8, 10, 12):
    p = Plugin(preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
    p.read_until(lambda data: p.ticks() >= 1 or p.child.poll() is not None, 20)
    if p.child.poll() is None:
        p.terminate()
    agent = None
    if p.data and p.data != b"DISABLE\n":
        agent = strict(p.data, f"{limit} descriptors at most: the stream passes")
    tap.ok(p.child.poll() in (0, 1, -signal.SIGTERM), f"{limit} descriptors at most: it ends well", p.child.poll(), p.stderr())
    p.close()

# ---- what has taken a minute meanwhile ----

gone = leaving.read_until(lambda data: b"'obsolete'" in data, 120)
tap.ok(gone and time.monotonic() - left_at > 50, "an interface that goes becomes obsolete, but not at once", leaving.stderr())
agent = replay(leaving.data)
odd = [chart for chart in agent.charts.values() if chart.obsolete]
tap.ok(odd and all("a_b_c" in chart.id for chart in odd), "it and no other", [chart.id for chart in odd])
tap.ok(device(agent, "lo") and not device(agent, "lo")[0].obsolete, "lo stays")
tap.same([chart.labels.get("device") for chart in odd], ["a_b=c"] * len(odd), "its label is its name, made harmless")
interfaces("lo", ODD)
again = leaving.read_until(lambda data: any(chart.declarations == 2 for chart in replay(data[:data.rfind(b"END\n") + 4]).charts.values()), 30)
tap.ok(again, "it comes back, declared again")
leaving.terminate()
strict(leaving.data, "the whole stream of it passes")
leaving.close()

# on a slow machine more than a minute has gone by since
alive = silent.read_until(lambda data: re.search(rb"END\n\n+$", data), 120)
tap.ok(alive, "a plugin that has nothing to say sends an empty line every minute", silent.data[-200:], silent.stderr())
silent.terminate()
strict(silent.data, "which disturbs no one")
silent.close()

# ---- what it costs ----

if SANITIZED:
    tap.skip("steady state", "not with sanitizers")
elif not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True).returncode:
    tap.skip("steady state", "no strace")
else:
    trace = os.path.join(DIR, "trace")
    # with processes of its own: those of others make the table grow
    steady_root = os.path.join(DIR, "steady")
    shutil.copytree(os.path.join(ROOT, "6.12-x86_64", "1"), steady_root)
    tap.write(f"{steady_root}/proc/1/mountinfo", "1 0 254:0 / / rw - ext4 /dev/vda rw\n")
    for pid in range(1, 20):
        tap.write(f"{steady_root}/proc/{pid}/stat", f"{pid} (p{pid}) S 0 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 {pid} 4096000 100 0\n")
        tap.write(f"{steady_root}/proc/{pid}/statm", "1000 300 100 1 0 200 0\n")
        tap.write(f"{steady_root}/proc/{pid}/schedstat", "1000000 1000 10\n")
        tap.write(f"{steady_root}/proc/{pid}/status", f"Name:\tp{pid}\nUid:\t7\t7\t7\t7\nVmRSS:\t1200 kB\n")
    p = Plugin(wrapper=("strace", "-f", "-o", trace), env=environment(NETDATA_HOST_PREFIX=steady_root))
    p.wait_ticks(22)
    p.child.terminate()
    for line in tap.read(f"/proc/{p.child.pid}/task/{p.child.pid}/children").split():
        os.kill(int(line), signal.SIGTERM)
    p.wait()
    calls = [line.split(None, 1)[1] for line in tap.read(trace).splitlines() if re.match(r"\d+\s+\w+\(", line)]
    waits = [i for i, call in enumerate(calls) if call.startswith("write(1, ")]
    # Where the machine has much to do, the table is complete after some rounds more. The status of each process is read every
    # 64th round.
    bad, steady = None, []
    for first in range(8, len(waits) - 7):
        steady = calls[waits[first]:waits[first + 7]]
        bad = [call for call in steady if re.match(r"open|creat|brk|mmap|mremap|munmap|socket|clone|fork|execve", call)
               and not re.match(r'openat2?\(\d+, "proc/\d+/status"', call)]
        if not bad:
            break
    tap.ok(any(call.startswith("pread64(") or call.startswith("read(") for call in steady), "strace has seen seven ticks", len(waits))
    tap.same(bad, [], "in a steady tick nothing is opened and no memory asked for")
    tap.same(len([call for call in steady if call.startswith("write(1, ")]), 7, "and a tick is written at once")
    p.close()

if SANITIZED:
    tap.skip("valgrind", "not with sanitizers")
elif not shutil.which("valgrind"):
    tap.skip("valgrind", "is not there")
else:
    program = os.path.join(tap.BUILD, ".libs", "qmem.plugin")
    report = os.path.join(DIR, "valgrind")
    p = Plugin(wrapper=("valgrind", "-q", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect,possible",
                        "--error-exitcode=99", f"--suppressions={tap.SRC}/tests/valgrind.supp", f"--log-file={report}"),
               config="[procmem]\nGroupBy = exe\nPssBudget = 100ms\n[procmem.group \"python\"]\nComm = /python/\n[heapmon]\nGroup = python\n"
               "[vmstat]\nDetail = yes\nRawGauge = nr_free_pages\n[netstat]\nDetail = yes\nInterface = /./\n[meminfo]\nNonsense\n")
    p.wait_ticks(4, 120)
    tap.same(p.terminate(), 0, "valgrind finds nothing in the plugin")
    tap.diag(tap.read(report)[:4000])
    strict(p.data, "whose stream passes")
    p.close()

tap.done()
