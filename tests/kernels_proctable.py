#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/proctable.py on other kernels, each booted in qemu with two CPUs: every back end that the kernel can have.

    kernels_proctable.py [KERNEL...]        KERNEL: a name of kernels/fetch.py, or "all"

Without a name it takes those in $QMEM_KERNELS; none is a skip. The guest has this machine's Python and libbpf.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading

import tap

sys.path.insert(0, os.path.join(tap.SRC, "tests", "kernels"))
import fetch  # noqa: E402
import image  # noqa: E402

GUEST = 300
PYTHON = os.path.realpath(sys.executable)
STDLIB = sysconfig.get_path("stdlib")
LEFT_OUT = re.compile(r"^(test|idlelib|tkinter|ensurepip|lib2to3|config-.*|pydoc_data|dist-packages|site-packages|__pycache__)$")

# What a kernel must have. fds and files are everywhere.
BPF = {"5.10": ("iter",), "6.1": ("iter",), "6.12": ("bpf", "iter"), "newest": ("bpf", "iter")}

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
chmod 1777 /tmp
mount -t cgroup2 cgroup /sys/fs/cgroup
mkdir /sys/fs/cgroup/inner
echo $$ >/sys/fs/cgroup/inner/cgroup.procs
dmesg -n 1
export QMEM_SRCDIR=/src QMEM_BUILDDIR=/build QMEM_CHURN=1000 PYTHONDONTWRITEBYTECODE=1
%s /src/tests/proctable.py 2>&1
echo "@@done $?"
reboot -f
"""


def data(path):
    with open(path, "rb") as f:
        return f.read()


def program(name):
    """What libtool has linked, not its script."""
    path = os.path.join(tap.BUILD, "tests", name)
    real = os.path.join(tap.BUILD, "tests", ".libs", name)
    return real if os.path.exists(real) else path


def libraries(*programs):
    text = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    return sorted(set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", text, re.M)))


def libbpf():
    """As dlopen() finds it."""
    ldconfig = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    text = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=True).stdout if ldconfig else ""
    match = re.search(r"libbpf\.so\.1 .*=> (\S+)", text)
    return match[1] if match else None


def build_image(path):
    guest = image.Image()
    guest.device("dev/console", 5, 1)
    guest.file("bin/busybox", data(fetch.busybox()), 0o755)
    guest.file("init", (INIT % PYTHON).encode(), 0o755)
    guest.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    programs = [program("proctab"), program("crowd")]
    bpf = libbpf()
    for library in libraries(PYTHON, *programs, *([bpf] if bpf else [])) + ([bpf] if bpf else []):
        guest.file(library[1:], data(library), 0o755)
    guest.file(PYTHON[1:], data(PYTHON), 0o755)
    for top, directories, names in os.walk(STDLIB):
        directories[:] = [name for name in directories if not LEFT_OUT.match(name)]
        for name in names:
            guest.file(os.path.join(top, name)[1:], data(os.path.join(top, name)), 0o755)
    for name in ("tap.py", "proctable.py"):
        guest.file(f"src/tests/{name}", data(os.path.join(tap.SRC, "tests", name)))
    for name in ("proctab", "crowd"):
        guest.file(f"build/tests/{name}", data(program(name)), 0o755)
    guest.write(path)


def boot(directory, initrd):
    child = tap.start(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-M", "pc", "-m", "768", "-nodefaults",
                       "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
                       "-kernel", os.path.join(directory, "vmlinux"), "-initrd", initrd,
                       "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"],
                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    timer = threading.Timer(GUEST, child.kill)
    timer.start()
    console = child.stdout.read().decode("utf-8", "surrogateescape")
    child.wait()
    timer.cancel()
    return console.replace("\r", "")


def check(name, console):
    """The guest's tests are ours."""
    results = re.findall(r"^(not ok|ok) \d+ - (.*)\n((?:# .*\n)*)", console, re.M)
    counts = re.findall(r"^# (\w+ [\w ]+: [1-9]\d* comparisons)$", console, re.M)
    for result, what, details in results:
        what, _, reason = what.partition(" # SKIP ")
        if reason and what in BPF[name]:
            tap.ok(False, f"{name}: back end {what}", reason)
        elif reason:
            tap.diag(f"{name}: {what}: {reason}")
        else:
            tap.ok(result == "ok", f"{name}: {what}", details)
    for count in counts:
        tap.diag(f"{name}: {count}")
    for backend in (*BPF[name], "fds", "files"):
        tap.ok(f"{backend} rss" in "".join(counts), f"{name}: {backend} was compared")
    if not tap.ok("@@done 0" in console, f"{name}: the tests came to their end"):
        tap.diag(console[-2000:])


def main():
    names = sys.argv[1:] or os.environ.get("QMEM_KERNELS", "").split()
    if not names:
        tap.skip_all("no kernels are asked for: make check-kernels")
    if names == ["all"]:
        names = [kernel[0] for kernel in fetch.KERNELS]
    if not shutil.which("qemu-system-x86_64"):
        tap.skip_all("qemu-system-x86_64 is not installed (Debian: qemu-system-x86)")
    if not os.path.exists(program("proctab")):
        tap.skip_all("tests/proctab is not built: make check TESTS=")
    initrd = os.path.join(tap.directory(), "image.cpio")
    try:
        build_image(initrd)
        kernels = fetch.fetch(names)
    except (fetch.Missing, subprocess.CalledProcessError) as e:
        tap.skip_all(str(e))
    for name in names:
        if fetch.kept(name):
            check(name, boot(fetch.kept(name), initrd))
        else:
            tap.skip(name, kernels.get(name, "no such kernel"))
    tap.done()


if __name__ == "__main__":
    main()
