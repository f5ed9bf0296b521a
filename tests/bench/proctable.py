#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPU time of a walk over all processes: each back end, and a naive reader, in turns. For people: nothing here fails."""

import os
import re
import resource
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap  # noqa: E402

BUILD = os.path.join(tap.BUILD, "tests")
BACKENDS = ("bpf", "iter", "fds", "files")
ROUNDS, TURNS = 5, 4


class Reader:
    def __init__(self, name, argv, end):
        self.name, self.end, self.costs, self.why, self.flush = name, end, [], "", []
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.program = tap.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard)))
        if end:
            first = self.program.stdout.readline()
            self.program.stdout.readline()
            self.why = "" if first.startswith("on ") else first.strip()

    def run(self, rounds):
        self.program.stdin.write(f"bench {rounds}\n" if self.end else f"{rounds}\n")
        self.program.stdin.flush()
        match = re.search(r"processes=(\d+) ns=(\d+)", self.program.stdout.readline())
        if self.end:
            self.program.stdout.readline()
        self.processes = int(match[1])
        return int(match[2])

    def rss(self):
        status = tap.read(f"/proc/{self.program.pid}/status")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def close(self):
        self.program.communicate()


def main():
    # colder caches, as a walk a second finds them: so much memory is written in between
    cold = bytearray(96 << 20) if "cold" in sys.argv[1:] else None
    counts = [int(word) for word in sys.argv[1:] if word.isdigit()] or [500, 2000, 8000]
    print(f"{'N':>6} {'reader':>8} {'us/scan':>10} {'us/process':>11} {'naive/this':>11} {'RSS kB':>8}")
    for count in counts:
        crowd = tap.start([os.path.join(BUILD, "crowd"), "sleepers", str(count)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
        crowd.stdout.readline()
        readers = [Reader("naive", [os.path.join(BUILD, "bench/naive")], False)]
        readers += [Reader(b, [os.path.join(BUILD, "proctab"), f"Backend={b}", f"FdBudget={2 * count + 1000}"], True)
                    for b in BACKENDS]
        for reader in readers:
            if not reader.why:
                reader.run(3)
        for _ in range(TURNS):
            for reader in readers:
                if reader.why:
                    continue
                for _ in range(ROUNDS if cold else 1):
                    if cold:
                        cold[::64] = bytes(len(cold) // 64)
                    reader.costs.append(reader.run(1 if cold else ROUNDS))
        naive = sorted(readers[0].costs)[len(readers[0].costs) // 2]
        for reader in readers:
            if reader.why:
                print(f"{count:6} {reader.name:>8} {reader.why}")
                continue
            cost = sorted(reader.costs)[len(reader.costs) // 2]
            print(f"{reader.processes:6} {reader.name:>8} {cost / 1e3:10.1f} {cost / 1e3 / reader.processes:11.3f} "
                  f"{naive / cost:11.1f} {reader.rss():8}")
        for reader in readers:
            reader.close()
        crowd.communicate()


if __name__ == "__main__":
    main()
