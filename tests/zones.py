#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
buddyinfo, numa and hugepages on this machine, against independent readers: of /proc and sysfs, the kernel's own indexes of
fragmentation in debugfs.
"""

import glob
import os
import re
import subprocess

import tap

PAGE = os.sysconf("SC_PAGESIZE")
TRIES = 200


def of_root(root):
    """What the first tick of all services says of a root: {name: value}"""
    done = subprocess.run([os.path.join(tap.BUILD, "tests/host"), root], capture_output=True, text=True, check=True,
                          errors="surrogateescape")
    first = done.stdout.split("# tick 2\n")[0]
    found = re.findall(r"(?m)^(\w+\.\w+\.\w+(?:\[.*\])?) (-|-?[0-9.]+) [\w-]+(?: total)?$", first)
    return {name: None if value == "-" else float(value) for name, value in found}


class Ticks:
    """One service on this machine, a tick at a time."""

    def __init__(self, service, *options):
        status = subprocess.run([os.path.join(tap.BUILD, "tests/ticks")], input="status\n", capture_output=True, text=True,
                                check=True).stdout
        self.states = dict(re.findall(r"(?m)^status (\w+) (.*)$", status))
        off = [f"{name}.Enabled=no" for name in self.states if name not in (service, "self")]
        self.program = tap.start([os.path.join(tap.BUILD, "tests/ticks"), *off, *(f"{service}.{option}" for option in options)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tick(self):
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        values = {}
        for line in self.program.stdout:
            found = re.match(r"(\w+\.\w+\.\w+(?:\[.*\])?) (-|-?[0-9.]+) [\w-]+( total)?$", line)
            if line == "end\n":
                return values
            if found:
                values[found[1]] = None if found[2] == "-" else float(found[2])
        raise RuntimeError("ticks has died")

    def close(self):
        self.program.stdin.close()
        self.program.wait()


def buddyinfo(text):
    """{zone: blocks by order}"""
    found = re.findall(r"(?m)^Node (\d+), zone +(\S+) +(.*)$", text)
    return {f"{node}_{zone}": [int(word) for word in blocks.split()] for node, zone, blocks in found}


def zoneinfo(text):
    """{zone: {word: pages}}"""
    zones = {}
    for part in re.split(r"(?m)^(?=Node )", text)[1:]:
        node, zone = re.match(r"Node (\d+), zone +(\S+)", part).groups()
        words = {word: int(number) for word, number in re.findall(r"(?m)^ +(min|low|high|managed) +(\d+)$", part)}
        words["reserve"] = max(int(number) for number in re.search(r"protection: \((.*)\)", part)[1].split(","))
        zones[f"{node}_{zone}"] = words
    return zones


def pages(blocks, order=0):
    return sum(n << i for i, n in enumerate(blocks) if i >= order)


def expected(buddy, zones):
    """What the files say, in words of the service."""
    values = {}
    above = {"kswapd": 0, "direct": 0}
    largest = -1
    for name, blocks in buddy.items():
        marks, free = zones[name], pages(blocks)
        distance = {"kswapd": max(0, free - marks["reserve"] - marks["low"]), "direct": max(0, free - marks["reserve"] - marks["min"])}
        for which, number in distance.items():
            values[f"buddyinfo.distance.{which}[{name}]"] = number * PAGE
            above[which] += number
        for word in ("min", "low", "high", "reserve"):
            values[f"buddyinfo.watermarks.{word}[{name}]"] = marks[word] * PAGE
        values[f"buddyinfo.watermarks.free[{name}]"] = free * PAGE
        for order, number in enumerate(blocks):
            values[f"buddyinfo.blocks.order{order}[{name}]"] = number
            if any(blocks[order:]) and free - ((1 << order) - 1) > marks["reserve"] + marks["min"]:
                largest = max(largest, order)
            if order:
                values[f"buddyinfo.fragmentation.order{order}[{name}]"] = (free - pages(blocks, order)) * 1000 // free / 10
                values[f"buddyinfo.extfrag.order{order}[{name}]"] = None if any(blocks[order:]) else \
                    max(0, 1000 - (1000 + free * 1000 // (1 << order)) // sum(blocks)) / 10
    sums = [sum(numbers) for numbers in zip(*buddy.values())]
    values |= {f"buddyinfo.orders.order{order}": (number << order) * PAGE for order, number in enumerate(sums)}
    values |= {f"buddyinfo.headroom.{which}": number * PAGE for which, number in above.items()}
    values["buddyinfo.largest.order"] = largest
    values["buddyinfo.unusable.costly"] = (pages(sums) - pages(sums, 3)) * 1000 // pages(sums) / 10
    return values


def check_files():
    """A copy, so that nothing moves: each number exactly."""
    root = tap.directory()
    texts = {name: tap.read(f"/proc/{name}") for name in ("buddyinfo", "zoneinfo")}
    for name, text in texts.items():
        tap.write(os.path.join(root, "1", "proc", name), text)
    values, wanted = of_root(root), expected(buddyinfo(texts["buddyinfo"]), zoneinfo(texts["zoneinfo"]))
    wrong = [f"{name}: {values.get(name)}, not {number}" for name, number in wanted.items() if values.get(name, -7) != number]
    tap.ok(not wrong and len(wanted) > 30, f"{len(wanted)} values of zones are what the files say", *wrong)
    shown = {name for name, value in values.items() if name.startswith("buddyinfo.") and value is not None}
    tap.same(sorted(shown - set(wanted) - {"buddyinfo.unusable.huge"}), [], "and there are no others")


def check_live():
    """The files themselves, between two readings that are alike, or by what has moved between them."""
    ticks, exact, still, wrong = Ticks("buddyinfo", "Detail=yes"), False, 0, []
    for _ in range(TRIES):
        before = tap.read("/proc/buddyinfo")
        values = ticks.tick()
        after = tap.read("/proc/buddyinfo")
        both = buddyinfo(before), buddyinfo(after)
        wrong = []
        for name, blocks in both[0].items():
            free = values.get(f"buddyinfo.watermarks.free[{name}]")
            moments = [pages(blocks) * PAGE, pages(both[1][name]) * PAGE]
            # others take and give memory meanwhile
            slack = max(moments) / 5 + (64 << 20)
            if free is None or not min(moments) - slack <= free <= max(moments) + slack:
                wrong.append(f"{name}: {free}, but {moments}")
        still += before == after
        exact = before == after and all(values[f"buddyinfo.blocks.order{order}[{name}]"] == number
                                        for name, blocks in both[0].items() for order, number in enumerate(blocks))
        if exact:
            break
    ticks.close()
    tap.ok(not wrong, "zones of this machine have the memory that they have", *wrong)
    if still:
        tap.ok(exact, "and exactly these blocks", f"not once of {still} times")
    else:
        tap.skip("and exactly these blocks", "its memory never stood still")


def index(text):
    """{zone: indexes by order}, as the kernel prints them: 0.123"""
    found = re.findall(r"(?m)^Node (\d+), zone +(\S+) +(.*)$", text)
    return {f"{node}_{zone}": [float(word) for word in words.split()] for node, zone, words in found}


def check_kernel():
    """The kernel's own indexes, where debugfs is to be had: between two readings of the blocks that are alike."""
    script = """
        [ -e /sys/kernel/debug/extfrag/unusable_index ] || mount -t debugfs debugfs /sys/kernel/debug || exit
        cd /sys/kernel/debug/extfrag || exit
        for try in $(seq 100); do
            before=$(cat /proc/buddyinfo) unusable=$(cat unusable_index) extfrag=$(cat extfrag_index) zoneinfo=$(cat /proc/zoneinfo)
            [ "$before" != "$(cat /proc/buddyinfo)" ] || break
        done
        [ "$before" = "$(cat /proc/buddyinfo)" ] || { echo "its memory never stood still"; exit; }
        printf '%s\\n@@%s\\n@@%s\\n@@%s\\n' "$before" "$unusable" "$extfrag" "$zoneinfo"
    """
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    parts = done.stdout.split("@@")
    if len(parts) != 4:
        tap.skip("the kernel's own indexes", (done.stdout or done.stderr or "no debugfs").strip().splitlines()[-1])
        return
    root = tap.directory()
    tap.write(os.path.join(root, "1", "proc", "buddyinfo"), parts[0])
    tap.write(os.path.join(root, "1", "proc", "zoneinfo"), parts[3])
    values = of_root(root)
    wrong, compared = [], 0
    for family, text, scale in (("fragmentation", parts[1], 100), ("extfrag", parts[2], 100)):
        for name, numbers in index(text).items():
            for order, number in enumerate(numbers):
                # it has -1 where there is a block
                wanted = None if family == "extfrag" and number == -1 else max(0, round(number * scale, 1))
                got = values.get(f"buddyinfo.{family}.order{order}[{name}]", -7)
                compared += order > 0
                if order and got != wanted:
                    wrong.append(f"{family} {name} {order}: {got}, but the kernel says {number}")
    tap.ok(not wrong and compared > 10, f"{compared} indexes are the kernel's own", *wrong)


def sizes(name):
    """{size: the number in this file of its pool, in bytes}"""
    found = {}
    for path in glob.glob(f"/sys/kernel/mm/hugepages/hugepages-*kB/{name}"):
        size = path.split("/")[-2].removeprefix("hugepages-")
        found[size] = int(tap.read(path)) * int(size.removesuffix("kB")) * 1024
    return found


def check_hugepages():
    ticks = Ticks("hugepages")
    default = re.search(r"(?m)^Hugepagesize: +(\d+ kB)$", tap.read("/proc/meminfo"))
    default = default and default[1].replace(" ", "")
    for _ in range(TRIES):
        before = {name: sizes(name) for name in ("nr_hugepages", "nr_overcommit_hugepages", "free_hugepages")}
        values = ticks.tick()
        if before == {name: sizes(name) for name in before}:
            break
    ticks.close()
    wrong = []
    for size, total in before["nr_hugepages"].items():
        overcommit, free = before["nr_overcommit_hugepages"][size], before["free_hugepages"][size]
        shown = total or overcommit
        wanted = {f"hugepages.limits.total[{size}]": total, f"hugepages.limits.overcommit[{size}]": overcommit}
        if size != default:
            wanted[f"hugepages.pool.used[{size}]"] = total - free
        wrong += [f"{name}: {values.get(name)}, not {number}" for name, number in wanted.items()
                  if values.get(name) != (number if shown else None)]
    tap.ok(not wrong, f"pools of {len(before['nr_hugepages'])} sizes are what sysfs says", *wrong)


def check_numa():
    online = tap.read("/sys/devices/system/node/online").strip() if os.path.exists("/sys/devices/system/node/online") else "0"
    if online == "0":
        tap.skip("nodes of this machine", "it has one node")
        return
    ticks = Ticks("numa", "Top=1000")
    values = ticks.tick()
    ticks.close()
    wrong = []
    for path in glob.glob("/sys/devices/system/node/node*/meminfo"):
        node, total = re.search(r"(?m)^Node (\d+) MemTotal: +(\d+) kB$", tap.read(path)).groups()
        hits = int(re.search(r"(?m)^numa_hit (\d+)$", tap.read(path.replace("meminfo", "numastat")))[1])
        if int(total) and values.get(f"numa.memory.total[{node}]") != int(total) * 1024:
            wrong.append(f"node {node}: {values.get(f'numa.memory.total[{node}]')}, not {total} kB")
        if (values.get(f"numa.allocations.hit[{node}]") or 0) > hits:
            wrong.append(f"node {node}: more hits than {hits}")
    tap.ok(not wrong, "nodes of this machine", *wrong)


if os.path.exists("/proc/buddyinfo"):
    check_files()
    check_live()
    check_kernel()
else:
    tap.skip("zones", "no /proc/buddyinfo here")
check_hugepages()
check_numa()
tap.done()
