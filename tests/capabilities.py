# SPDX-License-Identifier: MIT
"""Which capabilities a process has, and which it should, by what --check says of the services' rows."""

import re

import tap

NUMBERS = {"cap_dac_override": 1, "cap_dac_read_search": 2, "cap_net_admin": 12, "cap_net_raw": 13, "cap_sys_ptrace": 19, "cap_sys_admin": 21,
           "cap_sys_resource": 24, "cap_perfmon": 38, "cap_bpf": 39}
WIDE = {"cap_dac_override", "cap_dac_read_search", "cap_sys_admin"}    # effective for one call at a time
ROW = re.compile(r"capability (\d+)\t(there|lacking|unused)\t(CAP_[A-Z_]+) for (\w+): (.*); qmem\.plugin: ([a-z, -]+); "
                 r"collectd that is not root: ([a-z, -]+)")


def rows(said):
    """[(line, state, capability, service, words, of qmem.plugin, of collectd)]"""
    return [found.groups() for found in map(ROW.fullmatch, said.splitlines()) if found]


def mask(names):
    return sum(1 << NUMBERS[name] for name in names)


def of(path):
    """{"Prm": mask, ...} by a file status of /proc."""
    return {key: int(value, 16) for key, value in re.findall(r"Cap(\w+):\s+([0-9a-f]+)", tap.read(path))}


def bounded(names):
    """Those of them that may be had here."""
    bound = of("/proc/self/status")["Bnd"]
    return [name for name in names if bound >> NUMBERS[name] & 1]


def kept(said, given):
    """(permitted, effective) of a plugin that was permitted `given`, and said this: those of services that have started."""
    started = {line.split("\t")[0] for line in said.splitlines() if re.match(r"\w+\t(on\t|off\tEnabled is no, but others need it)", line)}
    names = {cap.lower() for _, state, cap, service, *_ in rows(said) if state == "there" and service in started and cap.lower() in given}
    names.discard("cap_dac_override")    # only until then
    return mask(names), mask(names - WIDE)
