# SPDX-License-Identifier: MIT
"""Both demos: values come, Ctrl-C ends them, and nothing is left."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import tap

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


class Demo:
    """The demo with its output in a file, and a TMPDIR of its own to look into."""

    def __init__(self, host):
        self.directory = tap.directory()
        self.tmp = os.path.join(self.directory, "tmp")
        os.mkdir(self.tmp)
        self.out = os.path.join(self.directory, "out")
        environment = dict(os.environ, TMPDIR=self.tmp, QMEM_BUILDDIR=tap.BUILD)
        with open(self.out, "wb") as out:
            self.child = tap.start([sys.executable, "-B", os.path.join(tap.SRC, "tests", "demo"), host],
                                   env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def text(self):
        return tap.read(self.out)

    def waits_for(self, pattern):
        tap.wait_for(lambda: re.search(pattern, self.text(), re.M) or self.child.poll() is not None, 90)
        return re.search(pattern, self.text(), re.M)

    def processes(self):
        """Whoever works in its directory, or was started with a path in it."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                cwd = os.readlink(f"/proc/{pid}/cwd")
                command = tap.read(f"/proc/{pid}/cmdline").split("\0")
            except OSError:
                continue
            if cwd.startswith(self.tmp) or any(self.tmp in word for word in command):
                found.append((int(pid), command))
        return found

    def interrupt(self):
        self.child.send_signal(signal.SIGINT)
        try:
            return self.child.wait(60)
        except subprocess.TimeoutExpired:
            return None


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def listens_elsewhere(port):
    """Is there a listener on this port whose address is not 127.0.0.1?"""
    for path, home in (("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", None)):
        for line in tap.read(path).splitlines()[1:] if os.path.exists(path) else []:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A" and address != home:
                return True
    return False


def check(host, program, artefact, pattern, more):
    if not shutil.which(program, path=PATH):
        tap.skip(f"the demo with {host}", f"{program} is not installed")
        return
    if not os.path.exists(os.path.join(tap.BUILD, artefact)):
        tap.skip(f"the demo with {host}", "built without this host")
        return
    demo = Demo(host)
    tap.ok(demo.waits_for(pattern), f"{host}: values come", demo.text())
    more(demo)
    tap.ok(len(demo.processes()) > 0, f"{host}: the agent runs in its own directory", demo.processes())
    tap.same(demo.interrupt(), 0, f"{host}: Ctrl-C ends it")
    tap.ok(tap.wait_for(lambda: not demo.processes(), 10), f"{host}: no process is left", demo.processes())
    tap.same(os.listdir(demo.tmp), [], f"{host}: no file is left")


def dashboard(demo):
    found = demo.waits_for(r"http://127\.0\.0\.1:(\d+)/")
    port = int(found.group(1)) if found else 0
    tap.ok(found and listening(port), "netdata: the address that is printed answers", demo.text())
    tap.ok(found and not listens_elsewhere(port), "netdata: on 127.0.0.1 only")
    tap.ok(re.search(r"^  meminfo_\S+ .* [\d.,]+ \S+$", demo.text(), re.M), "netdata: memory is among the values", demo.text())


check("netdata", "netdata", "qmem.plugin", r"Ctrl-C ends it", dashboard)
check("collectd", "collectd", ".libs/qmem.so", r"meminfo/\S+ +[\d.,]+$", lambda demo: None)
tap.done()
