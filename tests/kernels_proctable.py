#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of processes on other kernels, each booted in qemu with two CPUs and swap: proctable.py with every back end that the
kernel can have, what procmem.py does with the members of a group, and slabs, the page cache and sockets.

    kernels_proctable.py [KERNEL...]        KERNEL: a name of kernels/fetch.py, or "all"

Without a name it takes those in $QMEM_KERNELS; none is a skip. The guest has this machine's Python and libbpf.
"""

import _ctypes
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import sysconfig

import tap

sys.path.insert(0, os.path.join(tap.SRC, "tests", "kernels"))
import fetch  # noqa: E402
import image  # noqa: E402
import watch  # noqa: E402

# Seconds of processor time in which a guest has to say something.
GUEST = 300
PYTHON = os.path.realpath(sys.executable)
STDLIB = sysconfig.get_path("stdlib")
LEFT_OUT = re.compile(r"^(test|idlelib|tkinter|ensurepip|lib2to3|config-.*|pydoc_data|dist-packages|site-packages|__pycache__)$")

PROGRAMS = ("tests/proctable", "tests/crowd", "tests/ticks", "qmem.plugin")
TESTS = ("proctable.py", "procmem.py members", "slabinfo.py values", "pagecache.py values", "sockstat.py")
# What a kernel must have, the best first. fds and files are everywhere.
BPF = {"5.10": ("iter",), "6.1": ("iter",), "6.12": ("bpf", "iter"), "newest": ("bpf", "iter")}
# What the guest cannot do, other than back ends: regular expressions for the whole of TEST # SKIP REASON. It has neither a
# setpriv that drops capabilities nor ldconfig, and little memory.
SKIPS = (
    r"(bpf|iter|fds|files): frozen # SKIP no freezer of cgroup v1",
    r"hidepid # SKIP no such mount: .*",
    r"without libbpf # SKIP it cannot be found and hidden here",
    r"hugetlb memory # SKIP there are none",
    r"aliases # SKIP this kernel merges no caches",
    r"hits and misses # SKIP needs Linux 6.12",
    r".*: and those of ss # SKIP no ss",
    r"without CAP_SYS_ADMIN it has totals only # SKIP no setpriv",
)
# Which have an iterator of slab caches.
SLABS = ("newest",)
# Whose VmRSS is not exact: that must be said.
LAGS = ("5.10", "6.1")

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
rm /bin/setpriv
export PATH=/bin:/usr/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mkdir /files && mount -t ramfs files /files
chmod 1777 /tmp
mount -t cgroup2 cgroup /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/inner
echo $$ >/sys/fs/cgroup/inner/cgroup.procs
dmesg -n 1
for module in /modules/*.ko; do
	insmod $module
done
echo 128M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
export QMEM_SRCDIR=/src QMEM_BUILDDIR=/build QMEM_FILES=/files PYTHONDONTWRITEBYTECODE=1
export QMEM_CHURN=1000 QMEM_GROWTH=300 QMEM_THREADS=500 QMEM_PROCESSES=2000
for test in %s; do
	%s /src/tests/$test 2>&1
	echo "@@done $test $?"
done
reboot -f
"""


def data(path):
    with open(path, "rb") as f:
        return f.read()


def program(name):
    """What libtool has linked, not its script."""
    path = os.path.join(tap.BUILD, name)
    real = os.path.join(os.path.dirname(path), ".libs", os.path.basename(path))
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


def build_modules(directory, path):
    guest = image.Image()
    modules = os.path.join(directory, "modules")
    for module in sorted(os.listdir(modules)):
        guest.file(f"modules/{module}", data(os.path.join(modules, module)))
    guest.write(path)


def build_image(path):
    guest = image.Image()
    guest.device("dev/console", 5, 1)
    guest.file("bin/busybox", data(fetch.busybox()), 0o755)
    guest.file("init", (INIT % (" ".join(f"'{test}'" for test in TESTS), PYTHON)).encode(), 0o755)
    guest.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    bpf = libbpf()
    others = [_ctypes.__file__] + ([bpf] if bpf else [])
    for library in libraries(PYTHON, *map(program, PROGRAMS), *others) + others:
        guest.file(library[1:], data(library), 0o755)
    guest.file(PYTHON[1:], data(PYTHON), 0o755)
    for top, directories, names in os.walk(STDLIB):
        directories[:] = [name for name in directories if not LEFT_OUT.match(name)]
        for name in names:
            guest.file(os.path.join(top, name)[1:], data(os.path.join(top, name)), 0o755)
    for name in ("tap.py", "stream.py", "services.py", *(test.split()[0] for test in TESTS)):
        guest.file(f"src/tests/{name}", data(os.path.join(tap.SRC, "tests", name)))
    for name in PROGRAMS:
        guest.file(f"build/{name}", data(program(name)), 0o755)
    guest.write(path)


def boot(name, directory, common):
    modules, initrd = (os.path.join(os.path.dirname(common), f"{name}-{part}.cpio") for part in ("modules", "whole"))
    build_modules(directory, modules)
    # one archive may follow another
    with open(initrd, "wb") as f:
        f.write(data(common) + data(modules))
    child = tap.start(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-M", "pc", "-m", "768", "-nodefaults",
                       "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
                       "-kernel", os.path.join(directory, "vmlinux"), "-initrd", initrd,
                       "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"],
                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return watch.console(child, GUEST).replace("\r", "")


def check(name, console):
    """The guest's tests are ours."""
    results = re.findall(r"^(not ok|ok) \d+ - (.*)\n((?:# .*\n)*)", console, re.M)
    counts = re.findall(r"^# (\w+ [\w ]+: [1-9]\d* comparisons)$", console, re.M)
    for result, what, details in results:
        what, _, reason = what.partition(" # SKIP ")
        if reason.startswith("back end"):
            backend = what.split(":")[0]
            if backend in (*BPF[name], "fds", "files"):
                tap.ok(False, f"{name}: back end {what}", reason)
            else:
                tap.diag(f"{name}: {what}: {reason}")
        elif reason:
            if any(re.fullmatch(skip, f"{what} # SKIP {reason}") for skip in SKIPS):
                tap.diag(f"{name}: {what}: {reason}")
            else:
                tap.ok(False, f"{name}: {what}: a skip that is not on the list", reason)
        else:
            tap.ok(result == "ok", f"{name}: {what}", details)
    for count in counts:
        tap.diag(f"{name}: {count}")
    for backend in (*BPF[name], "fds", "files"):
        for field in ("rss", "swap in use"):
            tap.ok(f"{backend} {field}:" in "".join(counts), f"{name}: {backend} was compared: {field}")
    chosen = re.search(r" - auto: (back end (\w+): .*)", console)
    tap.same(chosen and chosen[2], BPF[name][0], f"{name}: the back end that is chosen")
    tap.same("approximate" in (chosen[1] if chosen else ""), name in LAGS, f"{name}: whether RSS is said to be approximate")
    tap.ok(f"{'BPF and the file' if name in SLABS else 'the file'}: held and active" in console, f"{name}: how slabs are read")
    tap.ok(re.search(r"^# \w+: in swap: [1-9]", console, re.M), f"{name}: procmem saw memory in swap")
    for test in TESTS:
        if not tap.ok(f"@@done {test} 0" in console, f"{name}: {test} came to its end"):
            tap.diag(console[-2000:])


def main():
    names = sys.argv[1:] or os.environ.get("QMEM_KERNELS", "").split()
    if not names:
        tap.skip_all("no kernels are asked for: make check-kernels")
    if names == ["all"]:
        names = [kernel[0] for kernel in fetch.KERNELS]
    if not shutil.which("qemu-system-x86_64"):
        tap.skip_all("qemu-system-x86_64 is not installed (Debian: qemu-system-x86)")
    for name in PROGRAMS:
        if not os.path.exists(program(name)):
            tap.skip_all(f"{name} is not built: make check TESTS=")
    initrd = os.path.join(tap.directory(), "image.cpio")
    try:
        build_image(initrd)
        kernels = fetch.fetch(names)
    except (fetch.Missing, subprocess.CalledProcessError) as e:
        tap.skip_all(str(e))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        consoles = {name: pool.submit(boot, name, fetch.kept(name), initrd) for name in names if fetch.kept(name)}
        for name in names:
            if name in consoles:
                check(name, consoles[name].result())
            else:
                tap.skip(name, kernels[name])
    tap.done()


if __name__ == "__main__":
    main()
