# SPDX-License-Identifier: MIT
"""A running qmem.plugin without an agent: what it has measured, tick by tick, in base units."""

import os
import re
import select
import shlex
import subprocess
import time

import tap

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
LAST = "qmem.self_worker"   # the chart that a tick ends with, but for what needs a walk that takes longer than that
LAST_OF_WALK = "qmem.procstat_wait"


class Stream:
    """
    tick(): {"procmem.rss": {group or None: {dimension: number}}}, the values that are not absent; None at the end, or when
    none came in time. `last` is the chart that it ends with: values of one walk are in one tick where it is LAST_OF_WALK.
    """

    def __init__(self, config, directory, every=1, last=LAST):
        self.last = last
        self.path = os.path.join(directory, f"stream{time.monotonic_ns()}")
        tap.write(self.path, config)
        with open(self.path + ".err", "wb") as err:
            self.child = tap.start([PLUGIN, "--config", self.path, str(every)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=err)
        self.rest, self.lines = b"", []
        self.instances = {}      # chart -> (family, group)
        self.chart = None

    def tick(self, seconds=60):
        values, bound = {}, tap.Bound(seconds)
        while True:
            while self.lines:
                words = shlex.split(self.lines.pop(0).decode(errors="replace"))
                if self._take(words, values):
                    return values
            if not select.select([self.child.stdout], [], [], 1)[0]:
                if not bound.left():
                    return None
                continue
            piece = os.read(self.child.stdout.fileno(), 1 << 20)
            if not piece:
                return None
            *self.lines, self.rest = (self.rest + piece).split(b"\n")

    def _take(self, words, values):
        """True: the tick is over."""
        if not words:
            return False
        if words[0] == "CHART":
            self.chart = words[1]
            self.instances[self.chart] = (re.sub(r"^qmem\.([a-z]+)_", r"\1.", words[6]), None)
        elif words[0] == "CLABEL":
            self.instances[self.chart] = (self.instances[self.chart][0], words[2])
        elif words[0] == "BEGIN":
            self.chart = words[1]
        elif words[0] == "SET" and len(words) == 4:
            family, instance = self.instances[self.chart]
            values.setdefault(family, {}).setdefault(instance, {})[words[1]] = int(words[3])
        return words[0] == "END" and self.chart == self.last

    def until(self, condition, seconds=60):
        """The first tick for which condition(values) holds; None."""
        bound = tap.Bound(seconds)
        while bound.left():
            values = self.tick(seconds)
            if values is None or condition(values):
                return values
        return None

    def forget(self):
        """What has been measured until now: tick() is of later then."""
        bound = tap.Bound(60)
        while (self.lines or select.select([self.child.stdout], [], [], 0)[0]) and bound.left():
            if self.tick() is None:
                return
        self.tick()

    def stderr(self):
        return tap.read(self.path + ".err")

    def stop(self, seconds=60):
        """SIGTERM, and the seconds it took; None: it had to be killed."""
        began = time.monotonic()
        self.child.terminate()
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return None
        finally:
            self.child.stdin.close()
            self.child.stdout.close()
        return time.monotonic() - began
