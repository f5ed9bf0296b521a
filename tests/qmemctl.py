#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmemctl: it says what qmem.plugin says, by its own name, and refuses what it does not know."""

import os
import re
import signal
import subprocess
import time

import tap

PROGRAM = os.path.join(tap.BUILD, "qmemctl")
PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
DIR = tap.directory()
NOBODY = 65534
ROOT = os.path.join(tap.SRC, "tests", "roots", "6.12-x86_64", "1")
FILES = ("meminfo", "vmstat", "netstat", "pressure")  # whose values are all in the root, which does not change
CONFIG = os.path.join(DIR, "qmem.conf")
tap.write(CONFIG, f"HostRoot = {ROOT}\n[meminfo]\nDetail = yes\n[heapmon]\nEnabled = no\n")


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NETDATA_")}
    nowhere = os.path.join(DIR, "none")
    return {**kept, "NETDATA_USER_CONFIG_DIR": nowhere, "NETDATA_STOCK_CONFIG_DIR": nowhere, "LC_ALL": "C", **more}


def run(*words, program=PROGRAM, wrapper=(), env=None, **more):
    return subprocess.run([*wrapper, program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=120, check=False, env=env or environment(), **more)


# ---- the same as qmem.plugin says ----

if os.path.exists(PLUGIN):
    for words in ((), ("meminfo",), ("MEM-info", "vmstat"), ("--format", "markdown"), ("--format=man", "procmem")):
        got, other = run("describe", *words), run("--describe", *words, program=PLUGIN)
        tap.ok(got.returncode == other.returncode == 0 and got.stdout == other.stdout and len(got.stdout) > 100,
               f"describe {' '.join(words)}: what qmem.plugin describes", got.stderr, other.stderr)
    got, other = run("print", *FILES, "-c", CONFIG), run("--print", *FILES, "-c", CONFIG, program=PLUGIN)
    tap.ok(got.returncode == other.returncode == 0 and got.stdout == other.stdout, "print: what qmem.plugin prints", got, other)
    got, other = run("check", "-c", CONFIG), run("--check", "-c", CONFIG, program=PLUGIN)
    tap.ok(got.returncode == other.returncode == 0 and got.stdout == other.stdout, "check: what qmem.plugin says", got, other)
    tap.same(other.stderr, "", "which is apart from nobody, and has no notes")
    for words in (("--print", "nosuch"), ("--describe", "--format", "pdf"), ("1", "2")):
        tap.ok(run(*words, program=PLUGIN).stderr.startswith("qmem.plugin: "), f"{' '.join(words)}: by its own name", words)

# ---- each command by itself ----

got = run("print", *FILES, "-c", CONFIG)
lines = got.stdout.splitlines()
wrong = [line for line in lines
         if not re.fullmatch(r"[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+(\[[^\t]*\])?\t(-|-?\d+(\.\d*[1-9])?)\t[a-z/-]+", line)]
tap.ok(got.returncode == 0 and not got.stderr and len(lines) > 50 and not wrong, "print: name, value, unit", wrong[:5], got.stderr)
total = int(re.search(r"MemTotal: *(\d+)", tap.read(f"{ROOT}/proc/meminfo"))[1]) * 1024
tap.ok(f"meminfo.available.total\t{total}\tbytes" in lines, "and the value is the file's", total)
tap.same({line.split(".")[0] for line in lines}, set(FILES), "of the services that were asked for")

got = run("check", "-c", CONFIG)
lines = [line.split("\t") for line in got.stdout.splitlines() if not line.startswith("capability ")]
tap.ok(got.returncode == 0 and all(len(line) == 3 and line[1] in ("on", "off") and line[2] for line in lines),
       "check: name, on or off, why", got)
services = [line[0] for line in lines]
tap.ok(set(FILES) < set(services), "of every service", services)
tap.ok(["heapmon", "off", "Enabled is no"] in lines, "as it is configured", got)
tap.ok(f"configuration: '{CONFIG}'" in got.stderr and f"user {os.geteuid()}" in got.stderr,
       "and whose configuration and whose rights that is", got.stderr)
tap.ok(all(line.startswith("qmemctl: ") for line in got.stderr.splitlines()), "by its own name", got.stderr)
got = run("check", "-o", f"HostRoot={ROOT}")
tap.ok(got.returncode == 0 and "configuration: none" in got.stderr and "--config FILE" in got.stderr and "collectd.conf" in got.stderr,
       "without a configuration it says so, and how to give one", got)
got = run("check", env=environment(NETDATA_USER_CONFIG_DIR=DIR))
tap.ok(f"configuration: '{CONFIG}'" in got.stderr and "heapmon\toff\tEnabled is no" in got.stdout, "Netdata's is found where it is", got)
got = run("check", "-o", f"HostRoot={DIR}", "-o", "meminfo.Enabled=yes")
tap.ok(got.returncode == 1 and "meminfo\toff\t" in got.stdout, "a service set to yes that cannot run is a failure", got)
if os.geteuid() == 0:
    os.chmod(CONFIG, 0o600)
    as_nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    got = run("check", "-c", CONFIG, wrapper=as_nobody)
    tap.ok(got.returncode == 1 and f"cannot read '{CONFIG}': Permission denied" in got.stdout and f"user {NOBODY}" in got.stderr,
           "check as nobody: the file that it may not read, and who it is", got)
    got = run("check", wrapper=as_nobody)
    tap.ok(got.returncode == 0 and "; lacks CAP_SYS_PTRACE" in got.stdout, "and what it lacks", got)
    os.chmod(CONFIG, 0o644)
else:
    tap.ok("; lacks CAP_SYS_PTRACE" in run("check").stdout, "check: what it lacks")

tap.write(f"{DIR}/wrong.conf", "[meminfo]\nDetail = perhaps\n[nosuch]\nx = 1\n")
got = run("check", "-c", f"{DIR}/wrong.conf", "-o", f"HostRoot={ROOT}")
tap.ok(got.returncode == 1 and got.stdout.count("wrong.conf:") == 2 and "Detail 'perhaps'" in got.stdout, "check: errors in the file", got)
for path, why in ((f"{DIR}/nosuch.conf", "No such file"), (DIR, "Is a directory")):
    got = run("check", "-c", path)
    tap.ok(got.returncode == 1 and f"cannot read '{path}': {why}" in got.stdout, f"check: {why}", got)
    got = run("print", "meminfo", "-c", path)
    tap.ok(got.returncode == 1 and f"qmemctl: error: cannot read '{path}': {why}" in got.stderr and not got.stdout,
           f"print: {why}, and nothing is printed that was not asked for", got)

# ---- what changes ----

ROOTS = os.path.join(DIR, "root")
MEMINFO = "MemTotal: 4000000 kB\nMemFree: {} kB\nCached: 100 kB\nBuffers: 0 kB\nDirty: {} kB\n"
SWAPS = "Filename Type Size Used Priority\n"


def put(free, dirty, swaps=""):
    tap.write(f"{ROOTS}/proc/meminfo", MEMINFO.format(free, dirty))
    tap.write(f"{ROOTS}/proc/swaps", SWAPS + swaps)


def compare(*words, change=None, signal_after=None, program=PROGRAM, verb="diff"):
    """What it says of the root, which changes once it has had a first look."""
    put(1000000, 0)
    child = tap.start([program, verb, "-c", f"{DIR}/diff.conf", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True, env=environment())
    # the files that are open for long are read for the first time at once, for the second a second later, which is the snapshot
    tap.wait_for(lambda: child.poll() is not None or any(link.endswith("/proc/meminfo") for link in links(child.pid)), 10)
    time.sleep(1.6)
    if change:
        change()
    if signal_after is not None:
        time.sleep(signal_after)
        child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    return child.returncode, out, err


def links(pid):
    try:
        return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


tap.write(f"{DIR}/diff.conf", f"HostRoot = {ROOTS}\n")
HALF = (1000000 - 512 * 1024, 1536, "/dev/sda2 partition 2097152 1048576 -2\n")
for name, words in (("qmemctl diff", {}), ("qmem.plugin --diff", {"program": PLUGIN, "verb": "--diff"})):
    if words and not os.path.exists(PLUGIN):
        continue
    status, out, err = compare("--for", "4s", "meminfo", "swap", change=lambda: put(*HALF), **words)
    lines = [re.split(r" {2,}", line.strip()) for line in out.splitlines()]
    tap.ok(status == 0 and not err and re.fullmatch(r"\d+ of \d+ values have changed within 4\.\d s", lines[0][0])
           and lines[1][:4] == ["Name", "Before", "After", "Change"], f"{name}: how many, and their heads", status, out, err)
    tap.ok(["swap.space.free[sda2]", "-", "1.0 GiB", "+1.0 GiB", "new"] in lines and ["meminfo.usage.free", "976.5 MiB",
           "464.5 MiB", "-512.0 MiB"] in lines and ["meminfo.writeback.dirty", "0 B", "1.5 MiB", "+1.5 MiB"] in lines,
           f"{name}: before, after, change, and what is new", out)
    tap.ok(out.index("sda2") < out.index("usage.free") < out.index("dirty"), f"{name}: the largest first", out)
status, out, err = compare("--for", "1h", "meminfo.wr*.dirty", change=lambda: put(*HALF), signal_after=0.1)
tap.ok(status == 0 and not err and "1 of 1 values" in out and "meminfo.writeback.dirty  0 B     1.5 MiB  +1.5 MiB" in out,
       "diff: interrupted, what has changed so far; only what is asked for", status, out, err)
status, out, err = compare("--for", "1s", "meminfo.writeback.dirty")
tap.ok(status == 0 and out.startswith("0 of 1 values have changed"), "diff: nothing has", status, out, err)
status, out, err = compare("--for", "1s", "swap")
tap.ok(status == 1 and not out and "no value of 'swap' now: none so far: nothing is swapped to" in err,
       "diff: of nothing, and why", status, out, err)
status, out, err = compare("--for", "1s", "meminfo", "netstat")
tap.ok(status == 1 and "netstat is off:" in err, "diff: of what is off", status, out, err)
got = run("diff", "--for", "1s", "vmstat", "-c", CONFIG, "-o", f"HostRoot={ROOT}")
tap.ok(got.returncode == 0 and re.match(r"0 of \d+ values", got.stdout), "diff: of a root that does not change", got)
for words, why in ((("--for", "x"), "--for 'x' is not a duration"), (("--for", "10ms"), "--for '10ms' must be from 1s"),
                   (("--for",), "argument"), (("nosuch",), "no service 'nosuch'"), (("memifno",), "did you mean 'meminfo'?"),
                   (("meminfo.usgae",), "meminfo has no value that is called 'meminfo.usgae'"), (("",), "no service ''"),
                   (("x" * 100000,), "no service"), (("--format", "man"), "'--format'")):
    got = run("diff", *words)
    tap.ok(got.returncode == 2 and not got.stdout and why in got.stderr, f"diff {' '.join(words)[:40]}: {why}", got.returncode,
           got.stdout[:300], got.stderr[:300])
with open("/dev/full", "wb") as full:
    got = subprocess.run([PROGRAM, "diff", "--for", "1s", "meminfo", "-c", CONFIG], stdout=full, stderr=subprocess.PIPE, text=True,
                         env=environment(), check=False)
tap.ok(got.returncode == 1 and got.stderr.endswith("qmemctl: cannot write: No space left on device\n"), "diff: a full disk", got)
got = run("diff", "--for", "1s", "-c", CONFIG, wrapper=("sh", "-c", "trap '' PIPE; \"$0\" \"$@\" | true; :"))
tap.ok(got.returncode == 0 and (not got.stderr or "cannot write: Broken pipe" in got.stderr), "diff: nobody reads it", got)

# ---- options on the command line ----

got = run("--option=meminfo.Enabled=no", "check", "--option", "HEAP-mon . enabled=auto", "-c", CONFIG)
tap.ok(got.returncode == 0 and "heapmon\toff\tno Group is named" in got.stdout and "meminfo\toff\tEnabled is no" in got.stdout,
       "options go before those of the file", got)
got = run("print", "-c", CONFIG, "-o", "vmstat.Enabled=no", "vmstat")
tap.ok(got.returncode == 1 and "qmemctl: error: vmstat is off: Enabled is no" in got.stderr and not got.stdout,
       "print of what is off says so", got)
got = run("check", *(["-o", "meminfo.Detail=yes"] * 2000), "-c", CONFIG)
tap.same(got.returncode, 0, "two thousand of them")

# ---- help ----

told = run("help")
tap.ok(told.returncode == 0 and told.stdout == run("--help").stdout and not told.stderr, "help, and --help", told)
commands = re.findall(r"(?m)^  ([a-z]+)(?: \[.*?\]\S*)?  ", told.stdout.split("Options")[0])
tap.ok({"print", "check", "describe", "help"} <= set(commands), "names the commands", commands)
page = tap.read(os.path.join(tap.SRC, "man", "qmemctl.8"))
for command in commands:
    got, other = run("help", command), run(command, "--help")
    tap.ok(got.returncode == 0 and got.stdout == other.stdout and got.stdout.startswith(f"Usage: qmemctl {command}") and
           max(map(len, got.stdout.split("\n\n")[1].splitlines())) <= 80, f"help {command}, and {command} --help", got)
    tap.ok(f"\n.B qmemctl {command}\n" in page, f"the man page has {command} in its synopsis")
examples = [line.replace("\\-", "-").split() for line in re.search(r'(?s)EXAMPLES\n\.EX\n(.*?)\.EE', page)[1].splitlines()]
for program, *words in examples:
    got = run(*words)
    tap.ok(program == "qmemctl" and got.returncode == 0 and got.stdout, f"an example of the man page: {' '.join(words)}", got)
got = run("--version")
tap.ok(got.returncode == 0 and re.fullmatch(r"qmemctl \d\S*\n", got.stdout), "--version", got)

# ---- what is wrong ----

for word, meant in (("memifno", "did you mean 'meminfo'?"), ("swap_cache", "it is a family of 'vmstat'"),
                    ("meminfo.usgae", "did you mean 'meminfo', for its family 'usage'?")):
    got = run("print", word)
    tap.ok(got.returncode == 2 and meant in got.stderr and not got.stdout, f"print {word}: {meant}", got)

LONG = "x" * 100000
WRONG = [
    ((), "no command"), (("nosuch",), "'nosuch'"), (("--nosuch",), "--nosuch"), (("-Z",), "Z"), (("",), "no command ''"),
    (("print", "nosuch"), "no service 'nosuch'"), (("print", ""), "no service ''"), (("print", "meminfo", "a\tb\n"), "no service"),
    (("print", "mem\udcffinfo"), "no service"), ((LONG,), "no command"), (("print", LONG), "no service"),
    (("describe", "nosuch"), "no service 'nosuch'"), (("describe", "-f", "pdf"), "no format 'pdf'"), (("describe", "-f"), "argument"),
    (("describe", "-f", ""), "no format ''"), (("describe", "-c", CONFIG), "describe takes no option '--config'"),
    (("check", "meminfo"), "'meminfo'"), (("check", "-c"), "argument"), (("check", "--format", "man"), "'--format'"),
    (("check", "-o"), "argument"), (("check", "-o", "x"), "option 'x'"), (("check", "-o", "=x"), "option '=x'"),
    (("check", "-o", "nosuch.Enabled=no"), "no service 'nosuch'"), (("check", "-o", "meminfo.nosuch=1"), "no option 'nosuch'"),
    (("check", "-o", "meminfo.Detail=perhaps"), "Detail 'perhaps'"), (("print", "-o", "HostRoot.x=/"), "HostRoot"),
    (("check", "-o", f"meminfo.Detail={LONG}"), "Detail"), (("check", "-o", f"{LONG}=1"), "option"),
    (("help", "nosuch"), "no command 'nosuch'"), (("help", "print", "check"), "'check'"), (("--help=x",), "help"),
    (("help", "-c", CONFIG), "'--config'"), (("--", "--help"), "no command '--help'"), (("check", "--", "-c"), "'-c'"),
]
for words, why in WRONG:
    got = run(*words)
    name = re.sub(r"[^ -~]", "?", " ".join(words)).replace("#", "?")[:60].replace(DIR, "")
    tap.ok(got.returncode == 2 and not got.stdout and got.stderr.startswith("qmemctl: ") and why in got.stderr, f"wrong: {name}",
           got.returncode, got.stdout[:300], got.stderr[:300])
got = run("--nosuch", wrapper=("sh", "-c", "exec \"$0\" \"$@\""))
tap.ok(got.stderr.startswith("qmemctl: "), "whatever path it was called by", got)

# ---- standard output and the like ----

COMMANDS = (("print", "meminfo", "-c", CONFIG), ("check", "-c", CONFIG), ("describe",), ("help",), ("help", "print"), ("--version",))
for words in COMMANDS:
    with open("/dev/full", "wb") as full:
        got = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False)
    tap.ok(got.returncode == 1 and got.stderr.endswith("qmemctl: cannot write: No space left on device\n"),
           f"a full disk: {' '.join(words[:2])}", got)
    got = run(*words, wrapper=("sh", "-c", "exec \"$0\" \"$@\" >&-"))
    tap.ok(got.returncode == 1 and got.stderr.endswith("qmemctl: cannot write: Bad file descriptor\n"),
           f"a closed output: {' '.join(words[:2])}", got)
    got = run(*words, wrapper=("sh", "-c", "exec \"$0\" \"$@\" <&- 2>&-"))
    tap.ok(got.returncode == 0 and got.stdout and not got.stderr, f"closed input and errors: {' '.join(words[:2])}", got)

tap.done()
