# SPDX-License-Identifier: MIT
"""A real memory stall, made in a small memory cgroup of its own.

    with stall.Stall() as s:
        if s.reason:
            tap.skip("...", s.reason)
        else:
            s.start()
            tap.wait_for(the_event_has_arrived, 60)
            tap.diag(s.figures())
            s.stop()

Making the object sets everything up; `reason` says why this machine cannot stall, or is None. start() and stop() may be
called again and again. While it runs, /proc/pressure/memory moves by `some` for a large part of the time: in a v1 cgroup by
readers of a mapped file that does not fit, page by page; in a v2 cgroup by hogs above memory.high. share() is what was
really seen in total= since start(): a test whose trigger does not fire asks it whether there was a stall at all.

No process, file or cgroup is left behind, whichever way the test ends.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tap

MIB = 1 << 20
LIMIT = 24 * MIB
FILE_SIZE = 200 * MIB
READERS = 4
PRESSURE = "/proc/pressure/memory"


def total(line="some", path=PRESSURE):
    """Microseconds stalled since boot."""
    for text in tap.read(path).splitlines():
        word, *pairs = text.split()
        if word == line:
            return int(dict(pair.split("=") for pair in pairs)["total"])
    raise ValueError(f"no '{line}' in {path}")


def _mounts():
    for line in tap.read("/proc/self/mounts").splitlines():
        _, where, kind, options, *_ = line.split(" ")
        yield where, kind, options.split(",")


# so that atexit sees a SIGTERM too
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Stall:
    def __init__(self, readers=READERS):
        self.reason = None
        self.readers = readers
        self.children = []
        self.group = None
        self.directory = None
        self.began = self.began_total = self.ended = self.ended_total = None
        self._subtree = None
        atexit.register(self.close)
        try:
            total()
        except (OSError, ValueError) as e:
            self.reason = f"no memory pressure here: {e}"
            return
        try:
            self._make_group()
            if not self.reason:
                self._make_program()
            if not self.reason and self.version == 1:
                self._make_file()
        except OSError as e:
            self.reason = f"no memory cgroup of our own: {e}"
        if self.reason:
            self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _make_group(self):
        name = f"qmem-stall-{os.getpid()}-{id(self):x}"
        for where, kind, options in _mounts():
            if kind == "cgroup" and "memory" in options:
                self.version = 1
                self.group = os.path.join(where, name)
                os.mkdir(self.group)
                self._set("memory.limit_in_bytes", LIMIT)
                return
        for where, kind, _ in _mounts():
            if kind == "cgroup2" and "memory" in tap.read(f"{where}/cgroup.controllers").split():
                self.version = 2
                if "memory" not in tap.read(f"{where}/cgroup.subtree_control").split():
                    self._write(f"{where}/cgroup.subtree_control", "+memory")
                    self._subtree = f"{where}/cgroup.subtree_control"
                self.group = os.path.join(where, name)
                os.mkdir(self.group)
                self._set("memory.high", LIMIT)
                return
        self.reason = "no memory controller, neither v1 nor v2"

    @staticmethod
    def _write(path, text):
        with open(path, "w", encoding="ascii") as f:
            f.write(str(text))

    def _set(self, name, value):
        self._write(os.path.join(self.group, name), value)

    def _make_program(self):
        self.directory = tempfile.mkdtemp(prefix="qmem-stall-", dir=self._disk())
        self.program = os.path.join(tap.BUILD, "tests", "stall")
        if os.access(self.program, os.X_OK):
            return
        self.program = os.path.join(self.directory, "stall")
        source = os.path.join(tap.SRC, "tests", "stall.c")
        compiler = os.environ.get("CC", "cc").split()
        if subprocess.run([*compiler, "-D_GNU_SOURCE", "-O1", "-o", self.program, source], check=False).returncode:
            self.reason = "tests/stall.c does not compile"

    @staticmethod
    def _disk():
        """A directory on a real file system: pages of tmpfs are nothing to read from a disk."""
        for path in (tap.BUILD, "/var/tmp", "/tmp"):
            best = max((m for m in _mounts() if (path + "/").startswith(m[0].rstrip("/") + "/")), key=lambda m: len(m[0]))
            if best[1] not in ("tmpfs", "ramfs") and os.access(path, os.W_OK):
                return path
        return None

    def _make_file(self):
        self.file = os.path.join(self.directory, "pages")
        if shutil.disk_usage(self.directory).free < 2 * FILE_SIZE:
            self.reason = f"too little room in {self.directory}"
            return
        with open(self.file, "wb") as f:
            block = os.urandom(MIB)
            for _ in range(FILE_SIZE // MIB):
                f.write(block)

    def _drop(self):
        """Pages stay charged to whoever touched them first: without this the readers would never be short of memory."""
        with open(self.file, "rb") as f:
            os.fdatasync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def start(self):
        assert not self.reason and not self.children
        if self.version == 1:
            self._drop()
            what = ["read", self.file]
        else:
            what = ["hog", str(2 * LIMIT)]
        self.began, self.began_total, self.ended = time.monotonic(), total(), None
        for _ in range(self.readers):
            self.children.append(subprocess.Popen([self.program, os.path.join(self.group, "cgroup.procs"), *what],
                                                  stdin=subprocess.DEVNULL))

    def stop(self):
        for child in self.children:
            child.send_signal(signal.SIGKILL)
        for child in self.children:
            child.wait()
        if self.children:
            self.ended, self.ended_total = time.monotonic(), total()
        self.children = []

    def alive(self):
        return bool(self.children) and all(child.poll() is None for child in self.children)

    def share(self):
        """The part of the time since start() in which some task was stalled, 0..1."""
        if self.began is None:
            return 0.0
        now, stalled = (time.monotonic(), total()) if self.ended is None else (self.ended, self.ended_total)
        return (stalled - self.began_total) / 1e6 / max(now - self.began, 0.001)

    def figures(self):
        if self.began is None:
            return "never started"
        end = self.ended or time.monotonic()
        return (f"{self.readers} processes in a v{self.version} cgroup of {LIMIT // MIB} MiB, {end - self.began:.1f} s, "
                f"{100 * self.share():.1f} % of it stalled, {'killed' if self.ended else 'alive' if self.alive() else 'DEAD'}")

    def close(self):
        self.stop()
        if self.group and os.path.isdir(self.group):
            def gone():
                try:
                    os.rmdir(self.group)
                except OSError:
                    return False
                return True
            tap.wait_for(gone, 10)
        self.group = None
        if self._subtree:
            try:
                self._write(self._subtree, "-memory")
            except OSError:
                pass
            self._subtree = None
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None
        atexit.unregister(self.close)


if __name__ == "__main__":
    with Stall() as s:
        print(s.reason or "possible")
        if not s.reason:
            s.start()
            for _ in range(10):
                time.sleep(1)
                print(s.figures())
            s.stop()
