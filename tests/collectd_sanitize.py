# SPDX-License-Identifier: MIT
"""
The plugin under ThreadSanitizer, in the fake daemon and in a real one, and under valgrind in a real one. (Address and
undefined behaviour are looked at by all tests, in a build with --enable-sanitizers.)
"""

import glob
import os
import re
import shutil
import subprocess

import collectd_daemon
import stall
import tap
from collectd_daemon import SLOW, Collectd

collectd_daemon.skip_without_collectd()
if collectd_daemon.PRELOAD:
    tap.skip_all("this build has sanitizers of its own")
CC = os.environ.get("CC", "gcc").split()
CPPFLAGS = os.environ.get("QMEM_COLLECTD_CPPFLAGS", "-DHAVE_CONFIG_H -isystem /usr/include/collectd").split()
# a notification at once, and one with a stall; files of processes, which the worker reads; all targets but exec, whose own
# races would be reported
CONFIG = """
<Service "procmem">
	PssBudget 20ms
	# valgrind's word for whom it runs
	<Group "agent">
		Comm "/^(collectd|memcheck)/"
	</Group>
</Service>
<Service "heapmon">
	Group agent
	SmapsBudget 20ms
</Service>
<Service "meminfo">
	LevelLow 100
</Service>
<Service "pressure">
	Trigger memory some 100ms 2s
	Trigger memory some 100ms 1s
	Hold 1s
</Service>
"""
# what only the worker can know
WORK = ["/memory-pss_pss", "qmem_heapmon-"]


def sources(*patterns):
    return sorted(name for pattern in patterns for name in glob.glob(os.path.join(tap.SRC, pattern), recursive=True))


def build(directory, name, files, *flags):
    include = [f"-I{os.path.join(tap.SRC, part)}" for part in ("src", "collectd", "tests")] + [f"-I{tap.BUILD}/src"]
    command = [*CC, "-std=gnu11", "-D_GNU_SOURCE", '-DQMEM_VERSION="tsan"', *CPPFLAGS, *include, "-O1", "-g", "-fPIC",
               "-fvisibility=default", "-fsanitize=thread", "-pthread", *flags, "-o", os.path.join(directory, name), *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        tap.diag(result.stderr[-4000:])
    return result.returncode == 0


def library(name):
    found = subprocess.run([*CC, f"-print-file-name={name}"], capture_output=True, text=True, check=False).stdout.strip()
    return os.path.realpath(found) if os.path.isabs(found) and os.path.exists(found) else None


def use(daemon, name, with_stall):
    """Values, and notifications."""
    tap.wait_for(lambda: any(n.startswith("qmem_self/") for n in daemon.identifiers()), SLOW)
    tap.wait_for(lambda: len(daemon.written("qmem_meminfo/memory-available_total")) >= 5, SLOW)
    tap.wait_for(lambda: "type = level" in daemon.text(), SLOW)
    worker = tap.wait_for(lambda: all(any(name in line for line in daemon.identifiers()) for name in WORK), 3 * SLOW)
    tap.ok(worker, f"{name}: the worker has read what it shall", daemon.identifiers(), daemon.warnings())
    with stall.Stall() as s:
        if with_stall and not s.reason:
            s.start()
            tap.wait_for(lambda: "type = pressure" in daemon.text(), SLOW)
            tap.diag(s.figures())


def test_threads():
    runtime = library("libtsan.so")
    if not runtime:
        tap.skip("ThreadSanitizer", f"{' '.join(CC)} has no libtsan.so")
        return
    directory = tap.directory()
    # as the build has it
    bpf = os.path.exists(os.path.join(tap.BUILD, "src/process/backend/libqmem_la-bpf.lo"))
    other = r"_none\.c$" if bpf else r"/backend/bpf\.c$|/src/bpf/|/slabinfo_(iter|who)\.c$|/pagecache_hits_load\.c$"
    core = [name for name in sources("src/**/*.c") if not re.search(rf"\.bpf\.c$|/program/|/qmemctl/|{other}", name)]
    host = sources("collectd/*.c", "src/program/clock.c", "src/program/worker.c")
    engine = [name for name in core if re.search(r"/src/(engine|util)/|/control/privilege\.c$", name)]
    made = (build(directory, "qmem.so", core + host, "-shared")
            and build(directory, "qmem_test.so", engine + host + sources("tests/service_test.c"), "-shared")
            and build(directory, "fake_collectd", sources("tests/fake_collectd.c", "tests/fake_daemon.c"), "-rdynamic", "-ldl",
                      "-lm"))
    if not tap.ok(made, "ThreadSanitizer: it compiles"):
        return
    environment = dict(os.environ, TSAN_OPTIONS=f"log_path={directory}/sanitizer:exitcode=66:second_deadlock_stack=1")
    fake = subprocess.run([f"{directory}/fake_collectd", f"{directory}/qmem.so", f"{directory}/qmem_test.so",
                           collectd_daemon.TYPES_DB], env=environment, capture_output=True, text=True, check=False)
    reports = "".join(tap.read(name) for name in glob.glob(f"{directory}/sanitizer*"))
    tap.ok(fake.returncode == 0 and "\nok " in fake.stdout, "ThreadSanitizer: the fake daemon's tests pass", fake.stdout)
    tap.same(reports, "", "ThreadSanitizer: nothing to report of the fake daemon")

    daemon = Collectd(CONFIG, interval=0.2, plugins=directory, preload=runtime)
    tap.ok(daemon.start(), "ThreadSanitizer: collectd starts", daemon.text(), daemon.text("err"))
    use(daemon, "ThreadSanitizer", with_stall=True)
    tap.ok("type = level" in daemon.text(), "ThreadSanitizer: a notification", daemon.text())
    tap.ok(daemon.written("qmem_meminfo/memory-available_total"), "ThreadSanitizer: values")
    status, _ = daemon.stop()
    tap.same(status, 0, "ThreadSanitizer: collectd ends with 0")
    tap.same(daemon.reports(), "", "ThreadSanitizer: nothing to report of collectd")


def test_valgrind():
    program = shutil.which("valgrind")
    if not program:
        tap.skip("valgrind", "there is none")
        return
    log = os.path.join(tap.directory(), "valgrind")
    daemon = Collectd(CONFIG, wrapper=[program, "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=77",
                                       f"--suppressions={tap.SRC}/tests/valgrind.supp", f"--log-file={log}"])
    tap.ok(daemon.start(), "valgrind: collectd starts", daemon.text(), daemon.text("err"))
    use(daemon, "valgrind", with_stall=False)
    tap.ok("type = level" in daemon.text(), "valgrind: a notification", daemon.text())
    tap.ok(daemon.written("qmem_meminfo/memory-available_total"), "valgrind: values")
    status, _ = daemon.stop()
    tap.ok(status == 0, "valgrind: no error, and nothing lost", status, tap.read(log))
    tap.ok("ERROR SUMMARY: 0 errors" in tap.read(log), "valgrind: it has looked", tap.read(log))


test_threads()
test_valgrind()
tap.done()
