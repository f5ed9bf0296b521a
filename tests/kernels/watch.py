# SPDX-License-Identifier: MIT
"""A guest's console, and when to give up on it: by what it does, not by the time that goes by on a machine with much to do."""

import os
import select
import time


def used(child):
    """(seconds of processor time, does a thread of it want to run)"""
    ticks, runs = 0, False
    for tid in os.listdir(f"/proc/{child.pid}/task"):
        try:
            with open(f"/proc/{child.pid}/task/{tid}/stat", encoding="ascii", errors="replace") as f:
                words = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(words[11]) + int(words[12])
        runs |= words[0] in "RD"
    return ticks / os.sysconf("SC_CLK_TCK"), runs


def console(child, patience):
    """
    All that it says until it ends. It is killed when it has said nothing while it used `patience` seconds of processor time,
    or slept for so long.
    """
    said, spent = [], 0.0
    before, at = used(child)[0], time.monotonic()
    while spent < patience:
        if select.select([child.stdout], [], [], 1)[0]:
            piece = os.read(child.stdout.fileno(), 1 << 16)
            if not piece:
                break
            said.append(piece)
            spent = 0.0
        try:
            now, runs = used(child)
        except OSError:
            continue
        spent += now - before if now > before or runs else time.monotonic() - at
        before, at = now, time.monotonic()
    if child.poll() is None and spent >= patience:
        child.kill()
    child.wait()
    return b"".join(said).decode("utf-8", "surrogateescape")
