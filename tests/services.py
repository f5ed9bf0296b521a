# SPDX-License-Identifier: MIT
"""The services, from the table that is built in: no test has a list of its own."""

import functools
import itertools
import os
import re
import subprocess
import typing

import tap


class Service(typing.NamedTuple):
    needs: str     # the service that is collected before it, "-" if none
    charted: bool  # it has families that are on by default
    detail: bool   # it has others
    files: tuple   # those that do not belong to one process, without the first '/': "proc/meminfo"
    on: bool       # it runs on this machine, by default
    reason: str    # why or by what


def files_of(source):
    """'/proc/pressure/{memory,io}' are two; /proc/PID/stat is none; a device is the one that guests have."""
    found = []
    source = source.replace("/DEVICE/", "/zram0/").replace("/zramN/", "/zram0/").replace("/SIZE/", "/hugepages-2048kB/")
    # what a machine needs to have any of it: a second node, a memory controller
    source = source.replace("/nodeN/", "/node1/").replace("/mcN/", "/mc0/")
    for path in re.findall(r"/((?:proc|sys)(?:/(?:[\w.:-]|\{[^}]*\})+)+)", source):
        parts = [part.strip("{}").split(",") for part in re.findall(r"\{[^}]*\}|[^{]+", path)]
        found += ["".join(words) for words in itertools.product(*parts)]
    return tuple(path for path in found if "/PID/" not in path)


@functools.cache
def table():
    """{name: Service}, in the table's order."""
    done = subprocess.run([os.path.join(tap.BUILD, "tests/ticks")], input="table\nstatus\n", capture_output=True, text=True,
                          check=True)
    lines = done.stdout.splitlines()
    states = {name: (state == "on", "".join(reason))
              for _, name, state, *reason in (line.split(" ", 3) for line in lines if line.startswith("status "))}
    return {name: Service(needs, "charts" in has, "detail" in has, files_of(source), *states[name])
            for _, name, needs, has, source in (line.split(" ", 4) for line in lines if line.startswith("service "))}


def sees_processes(name):
    """It is made of the table of processes, or is that itself."""
    return name == "proctable" or name != "-" and sees_processes(table()[name].needs)


# Off until they are told of whom; or, where no BPF reads processes, to read more files.
UNASKED = ("heapmon", "procio")

# What a service says that is on, and has nothing to show yet.
NONE = "none so far"


def waits(reason):
    return reason.startswith(NONE)


def asked():
    """Those that have values by default, on a machine that has all that there is."""
    return [name for name, service in table().items() if service.charted and name not in UNASKED]


def charted():
    """Those that must show something on this machine."""
    return [name for name, service in table().items() if service.charted and service.on and not waits(service.reason)]


def lasting():
    """
    Those of charted() that are so still since the table was first asked for: what the machine begins or ends meanwhile, as to
    merge pages, may be there or not.
    """
    first = charted()
    table.cache_clear()
    now = charted()
    return {name for name in first if name in now}
