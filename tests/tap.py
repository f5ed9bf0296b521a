# SPDX-License-Identifier: MIT
"""What the tests with real agents share: TAP on stdout, private directories, waiting with a bound."""

import atexit
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SRC = os.path.abspath(os.environ.get("QMEM_SRCDIR", os.path.join(os.path.dirname(__file__), "..")))
BUILD = os.path.abspath(os.environ.get("QMEM_BUILDDIR", os.getcwd()))

_count = 0
_failed = 0
_children = []
_turn = None


def ok(condition, name, *details):
    """One test. Details are shown when it fails."""
    global _count, _failed
    _count += 1
    print(f"{'ok' if condition else 'not ok'} {_count} - {name}", flush=True)
    if not condition:
        _failed += 1
        for detail in details:
            diag(detail)
    return bool(condition)


def same(got, expected, name):
    return ok(got == expected, name, f"got:      {got!r}", f"expected: {expected!r}")


def skip(name, reason):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {reason}", flush=True)


def diag(text):
    for line in str(text).splitlines() or [""]:
        print(f"# {line}", flush=True)


def done():
    """Prints the plan. Call it last; a script that dies before has no plan, which is a failure."""
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def patience(seconds):
    """So many seconds on a machine that has nothing else to do; more where others want its processors, too."""
    loads = read("/proc/loadavg").split()
    wanted = max(float(loads[0]), int(loads[3].split("/")[0]))
    return seconds * max(1, wanted / os.cpu_count())


class Bound:
    """For what must come, so that a test does not hang when it does not. A bound, never a goal."""

    def __init__(self, seconds):
        self.began, self.seconds = time.monotonic(), seconds

    def left(self):
        """Seconds, as the machine is now; 0: it is over."""
        return max(0, self.began + patience(self.seconds) - time.monotonic())


def wait_for(condition, seconds=30, every=0.05):
    """The first true value of condition(), or its last one after `seconds`."""
    bound = Bound(seconds)
    while True:
        value = condition()
        if value or not bound.left():
            return value
        time.sleep(every)


def in_memory():
    """Where a root of thousands of files is made in a moment; None: there is no such place."""
    path = "/dev/shm"
    if os.access(path, os.W_OK | os.X_OK) and shutil.disk_usage(path).free >= 256 << 20:
        return path
    return None


def directory(where=None):
    """A private directory that others may enter, gone at exit (kept when QMEM_KEEP is set)."""
    path = tempfile.mkdtemp(prefix="qmem-test-", dir=where)
    os.chmod(path, 0o755)
    if not os.environ.get("QMEM_KEEP"):
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(argv, **kwargs):
    """A child that does not outlive the test."""
    child = subprocess.Popen(argv, **kwargs)
    _children.append(child)
    return child


@atexit.register
def _reap():
    for child in _children:
        if child.poll() is None:
            child.kill()
            child.wait()


def _take_turn(how):
    global _turn
    if not _turn:
        _turn = open(os.path.join(tempfile.gettempdir(), f"qmem-tests-{os.getuid()}.lock"), "w", encoding="utf-8")
    fcntl.flock(_turn, how)


def alone():
    """From now on this test makes very many processes: none that looks at those of the whole machine runs meanwhile."""
    _take_turn(fcntl.LOCK_EX)


def not_crowded():
    """From now on this test looks at all processes of the machine: none that makes very many of them runs meanwhile."""
    _take_turn(fcntl.LOCK_SH)


def descriptors(pid):
    """Of what a process has open: (how much is not of files of processes, pids of the rest)"""
    others, pids = 0, []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            m = re.match(r"/proc/(\d+)/", os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
        if m:
            pids.append(int(m[1]))
        else:
            others += 1
    return others, pids


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)
