# SPDX-License-Identifier: MIT
"""
What --describe calls each metric in both hosts, compared with what the hosts' own sinks have written for every recorded root: no
name there that is not described, and none described otherwise. The types of collectd are read from its types.db as well.
"""

import collections
import glob
import os
import re
import subprocess

import collectd_daemon
import tap

EXPECTED = os.path.join(tap.SRC, "tests", "expected")


class Described:
    def __init__(self):
        self.collectd = collections.defaultdict(list)  # {identifier: data sources in the table's order; None: its only one}
        self.charts = collections.defaultdict(list)    # {chart: dimensions}
        self.contexts = {}                             # {chart: context}
        self.kinds = {}                                # {identifier: "gauge" or "counter"}
        self.types = {}                                # {identifier: type}
        text = subprocess.run([os.path.join(tap.BUILD, "qmemctl"), "describe", "--format", "markdown"], capture_output=True,
                              text=True, check=True).stdout
        for line in text.splitlines():
            head = re.match(r"`[\w.]+`: .* \((gauge|counter), .*; collectd type `(\w+)`; Netdata context `([\w.]+)`\)$", line)
            if head:
                kind, kind_type, context = head.groups()
            row = re.match(r"\| `[\w.]+(?:\[\w+\])?` \|(?: `.*`)? \| `([^` ]+)(?: (\w+))?` \| `([^` ]+) (\w+)` \| ", line)
            if row:
                identifier, source, chart, dimension = row.groups()
                self.collectd[identifier].append(source)
                self.kinds[identifier], self.types[identifier] = kind, kind_type
                self.charts[chart].append(dimension)
                self.contexts[chart] = context


def pattern(names):
    """Which described name a real one is: those without an instance first, since no instance makes one of them."""
    plain = [name for name in names if "<" not in name]
    others = sorted((name for name in names if "<" in name), key=len, reverse=True)
    compiled = [(name, re.compile(re.sub("<.*?>", ".+", re.escape(name).replace(r"\<", "<").replace(r"\>", ">")))) for name in others]

    def find(real):
        return real if real in plain else next((name for name, p in compiled if p.fullmatch(real)), None)
    return find


def collectd(described, path, seen):
    find, wrong = pattern(described.collectd), []
    for read in re.split(r"# read \d+\n", tap.read(path))[1:]:
        identifiers = []
        for line in read.splitlines():
            identifier, *values = re.sub(" instance=.*", "", line).split(" ")
            name = find(identifier)
            identifiers.append(identifier.replace("/", "_").lower())
            if name is None or len(values) != len(described.collectd[name]):
                wrong.append(line)
            seen.add(name)
        wrong += [f"{name} is there twice" for name, n in collections.Counter(identifiers).items() if n > 1]
    tap.same(wrong, [], f"{os.path.basename(path)}: names are those described, each once")


def netdata(described, path, seen):
    find, wrong, name = pattern(described.charts), [], None
    for line in tap.read(path).splitlines():
        chart = re.match(r"CHART (\S+) '' \"[^\"]*\" '[^']*' '[^']*' '([^']*)'", line)
        dimension = re.match(r"DIMENSION '([^']*)'", line)
        if chart:
            name = find(chart[1])
            if name is None or described.contexts[name] != chart[2]:
                wrong.append(line)
        elif dimension and (name is None or dimension[1] not in described.charts[name]):
            wrong.append(f"{name}: {line}")
        if dimension:
            seen.add((name, dimension[1]))
    tap.same(wrong, [], f"{os.path.basename(path)}: names are those described")


def types_of_collectd():
    """{type: ({source: its kind})}"""
    found = {}
    for line in tap.read(collectd_daemon.TYPES_DB).splitlines():
        name, *sources = line.replace(",", " ").split("#")[0].split() or [""]
        found[name] = dict(source.split(":")[:2] for source in sources)
    return found


def check_types(described):
    if not os.path.exists(collectd_daemon.TYPES_DB):
        tap.skip("types are as types.db has them", "there is no types.db")
        return
    known, wrong = types_of_collectd(), []
    for identifier, sources in described.collectd.items():
        kind, name = described.kinds[identifier], described.types[identifier]
        of_type = known.get(name, {})
        joined = sources != [None]
        if (set(of_type) != set(sources) if joined else len(of_type) != 1) or any(
                (word == "GAUGE") != (kind == "gauge") for word in of_type.values()):
            wrong.append((identifier, sources, name, of_type))
    tap.same(wrong, [], "types are as types.db has them")


described = Described()
tap.ok(len(described.collectd) > 150 and len(described.charts) > 60, "names are described", len(described.collectd), len(described.charts))
check_types(described)
for suffix, check, names in (("collectd", collectd, {name for name in described.collectd}),
                             ("netdata", netdata, {(chart, d) for chart, ds in described.charts.items() for d in ds})):
    seen = set()
    for path in sorted(glob.glob(os.path.join(EXPECTED, f"*.{suffix}"))):
        check(described, path, seen)
    tap.diag(f"{suffix}: {len(names - seen)} of {len(names)} names are in no transcript: they are details, or take more than a root")
    tap.ok(len(seen & names) > len(names) / 3, f"{suffix}: most of what is described is in some transcript", len(seen), len(names))
tap.done()
