#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kernels to boot, out of Debian's archive: found by search, unpacked into a cache, never installed.

    fetch.py [--again] [KERNEL...]      KERNEL: a name of KERNELS below

The cache is $QMEM_KERNEL_CACHE, or ~/.cache/qmem/kernels; what is in it is used without asking the archive again, until
--again. For each kernel it holds vmlinux, the modules a guest needs in the order in which they are loaded, and the name of
the package. The mirror is the machine's own, with the names of the suites exchanged; apt checks the signatures.
"""

import functools
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

# name, what the version begins with (None: the newest there is), suites
KERNELS = (
    ("5.10", "5.10.", ("bullseye", "bullseye-security")),
    ("6.1", "6.1.", ("bookworm", "bookworm-security")),
    ("6.12", "6.12.", ("bookworm-security", "bookworm-backports", "trixie", "trixie-security")),
    ("newest", None, ("trixie-backports",)),
)
# Those whose suites a stable machine has anyway: their absence is a failure of the test, not of the archive.
STABLE = ("6.1", "6.12")

MODULES = ("lzo", "lzo-rle", "lz4", "zstd", "zram", "dummy", "inet_diag", "tcp_diag", "udp_diag", "raw_diag", "unix_diag",
           "netlink_diag", "af_packet_diag", "af_packet")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGE = re.compile(r"linux-(?:image|binary-unsigned|image-unsigned)-(\d+\.\d+[\w.+~-]*?)-cloud-amd64(?:-unsigned)?$")
# Changes when what is kept of a package does: then it is unpacked again.
FORM = "1 " + " ".join(MODULES)


class Missing(Exception):
    """A kernel that cannot be had, and why."""


def cache():
    default = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "qmem", "kernels")
    return os.environ.get("QMEM_KERNEL_CACHE") or default


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


# ---- apt, in directories of its own ----


def own_archive():
    """(address of the archive, address of its security updates) as this machine has them."""
    form = "$(REPO_URI) $(RELEASE)"
    try:
        text = subprocess.run(["apt-get", "indextargets", "--format", form], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as e:
        raise Missing("apt-get is needed to find Debian's kernels") from e
    suites = ("bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable")
    main = security = None
    for line in text.splitlines():
        address, _, suite = line.partition(" ")
        name, _, kind = suite.partition("-")
        if name.split("/")[0] not in suites:
            continue
        if kind == "security" or suite.endswith("/updates"):
            security = security or address
        elif kind in ("", "updates", "backports"):
            main = main or address
    if not main:
        raise Missing("this machine's apt has no archive of Debian")
    # beside each other on every mirror that has both
    if not security:
        security = re.sub(r"/debian/?$", "/debian-security/", main)
    return main, security


class Apt:
    """apt with the suites of these kernels, and nothing of the machine's but its mirror and proxy."""

    def __init__(self, suites):
        self.directory = os.path.join(cache(), "apt")
        for name in ("lists/partial", "archives/partial", "parts"):
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)
        open(os.path.join(self.directory, "status"), "a", encoding="ascii").close()
        main, security = own_archive()
        if not os.path.exists(KEYRING):
            raise Missing(f"{KEYRING} is missing (Debian: apt-get install debian-archive-keyring)")
        with open(os.path.join(self.directory, "sources.list"), "w", encoding="ascii") as f:
            for suite in suites:
                address = security if suite.endswith("-security") else main
                print(f"deb [arch=amd64 signed-by={KEYRING}] {address} {suite} main", file=f)
        self.options = [
            f"Dir::Etc::sourcelist={self.directory}/sources.list",
            f"Dir::Etc::sourceparts={self.directory}/parts",
            f"Dir::State={self.directory}",
            f"Dir::State::lists={self.directory}/lists",
            f"Dir::State::status={self.directory}/status",
            f"Dir::Cache={self.directory}",
            "APT::Sandbox::User=root",
            "APT::Architecture=amd64",
            "APT::Architectures::=amd64",
            "APT::Update::Post-Invoke-Success=",
            "APT::Update::Post-Invoke=",
            "Acquire::Languages=none",
            "Acquire::Retries=2",
            "Acquire::Check-Valid-Until=false",  # the oldest suite is not signed again any more
        ]
        self.run("apt-get", "update", "-q", check=False)

    def run(self, program, *words, cwd=None, check=True):
        options = [word for option in self.options for word in ("-o", option)]
        done = subprocess.run([program, *options, *words], cwd=cwd, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise Missing((done.stderr.strip().splitlines() or [f"{program} failed"])[-1])
        return done.stdout

    def kernels(self):
        """(version, package), the newest first."""
        lines = self.run("apt-cache", "search", "--names-only", "^linux-.*-cloud-amd64").splitlines()
        names = [line.split(" ")[0] for line in lines]
        rows = self.run("apt-cache", "madison", *filter(PACKAGE.match, names)).splitlines()
        found = {(row.split("|")[1].strip(), row.split("|")[0].strip()) for row in rows if row.count("|") > 1}
        return sorted(found, key=functools.cmp_to_key(compare), reverse=True)

    def download(self, package, version, where):
        self.run("apt-get", "download", "-q", f"{package}={version}", cwd=where)
        names = [name for name in os.listdir(where) if name.startswith(f"{package}_")]
        if not names:
            raise Missing(f"'{package}' was not downloaded")
        return os.path.join(where, names[0])


@functools.lru_cache(maxsize=None)
def older(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0


def compare(a, b):
    if a[0] != b[0]:
        return -1 if older(a[0], b[0]) else 1
    # the same version twice: as built before as signed, which comes in a small package without the kernel's modules
    rank = [(kernel[1].endswith("-unsigned"), kernel[1]) for kernel in (a, b)]
    return (rank[0] > rank[1]) - (rank[0] < rank[1])


# ---- what is in a package ----


def unpack(deb, where):
    os.makedirs(where, exist_ok=True)
    subprocess.run(["dpkg-deb", "-x", deb, where], check=True)


def files(where):
    return [os.path.join(top, name) for top, _, names in os.walk(where) for name in names]


def filter_through(argv, data):
    try:
        done = subprocess.run(argv, input=data, capture_output=True, check=False)
    except FileNotFoundError as e:
        raise Missing(f"{argv[0]} is needed to unpack the kernel") from e
    # what follows the payload makes some of them complain at the end
    return done.stdout


def vmlinux_of(vmlinuz):
    """The ELF file that a bzImage unpacks when it boots (Documentation/arch/x86/boot.rst: payload_offset, payload_length)."""
    with open(vmlinuz, "rb") as f:
        image = f.read()
    if image[0x202:0x206] != b"HdrS":
        raise Missing(f"'{os.path.basename(vmlinuz)}' is not a bzImage")

    def number(at):
        return int.from_bytes(image[at:at + 4], "little")

    start = ((image[0x1f1] or 4) + 1) * 512 + number(0x248)
    payload = image[start:start + number(0x24c)]
    if payload[:4] == b"\x02\x21\x4c\x18":
        data = filter_through(["lz4", "-dc"], payload[:-4])
    elif payload[:4] == b"\x28\xb5\x2f\xfd":
        data = filter_through(["zstd", "-dcq"], payload[:-4])
    elif payload[:6] == b"\xfd7zXZ\x00":
        data = lzma.LZMADecompressor().decompress(payload)
    elif payload[:2] == b"\x1f\x8b":
        data = zlib.decompressobj(31).decompress(payload)
    elif payload[:4] == b"\x7fELF":
        data = payload
    else:
        raise Missing(f"'{os.path.basename(vmlinuz)}' is compressed in an unknown way")
    if data[:4] != b"\x7fELF":
        raise Missing(f"'{os.path.basename(vmlinuz)}' cannot be unpacked")
    return data


def module_data(path):
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".zst"):
        return filter_through(["zstd", "-dcq"], data)
    if path.endswith(".gz"):
        return zlib.decompress(data, 31)
    return data


def modules_of(tree):
    """(name, contents) of MODULES and of what they need, in the order of loading. What is built in is not there."""
    paths = {}
    for path in files(tree):
        match = re.match(r"([\w-]+)\.ko(\.\w+)?$", os.path.basename(path))
        if match:
            paths[match.group(1).replace("-", "_")] = path
    order = {}

    def need(name):
        name = name.replace("-", "_")
        if name in order or name not in paths:
            return
        data = module_data(paths[name])
        for words in re.findall(rb"\0(?:depends|softdep)=([^\0]*)\0", b"\0" + data):
            for word in words.decode().removeprefix("pre: ").replace(",", " ").split():
                need(word)
        order[name] = data

    for name in MODULES:
        need(name)
    return list(order.items())


def keep(apt, package, version, name):
    """Puts one package into the cache."""
    with tempfile.TemporaryDirectory(dir=cache(), prefix="unpack-") as scratch:
        tree, new = os.path.join(scratch, "tree"), os.path.join(scratch, "new")
        unpack(apt.download(package, version, scratch), tree)
        # since 7: the modules are in a package of their own
        if not any(".ko" in path for path in files(tree)):
            release = PACKAGE.match(package).group(1)
            for other in (f"linux-modules-{release}-cloud-amd64", f"linux-image-{release}-cloud-amd64-unsigned"):
                try:
                    unpack(apt.download(other, version, scratch), tree)
                    break
                except Missing:
                    continue
        images = [path for path in files(tree) if re.match(r"vmlinuz", os.path.basename(path))]
        if not images:
            raise Missing(f"'{package}' has no vmlinuz")
        os.makedirs(os.path.join(new, "modules"))
        with open(os.path.join(new, "vmlinux"), "wb") as f:
            f.write(vmlinux_of(images[0]))
        for i, (module, data) in enumerate(modules_of(tree)):
            with open(os.path.join(new, "modules", f"{i:02}-{module}.ko"), "wb") as f:
                f.write(data)
        with open(os.path.join(new, "package"), "w", encoding="ascii") as f:
            f.write(f"{package} {version}\n")
        with open(os.path.join(new, "form"), "w", encoding="ascii") as f:
            f.write(FORM)
        final = os.path.join(cache(), name)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(new, final)


def kept(name):
    """The directory of a kernel that is in the cache, or None."""
    where = os.path.join(cache(), name)
    try:
        with open(os.path.join(where, "form"), encoding="ascii") as f:
            return where if f.read() == FORM else None
    except OSError:
        return None


def busybox():
    """A static busybox: the machine's own if it is one, else the package's."""
    mine = os.path.join(cache(), "busybox")
    for path in (mine, "/bin/busybox", "/usr/bin/busybox"):
        try:
            with open(path, "rb") as f:
                data = f.read()
        except OSError:
            continue
        if b"/ld-linux" not in data[:4096]:
            return path
    os.makedirs(cache(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="unpack-") as scratch:
        try:
            subprocess.run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", "busybox-static"], cwd=scratch,
                           capture_output=True, check=True)
            unpack(os.path.join(scratch, os.listdir(scratch)[0]), os.path.join(scratch, "tree"))
        except (OSError, subprocess.CalledProcessError, IndexError) as e:
            raise Missing("no static busybox (Debian: apt-get install busybox-static)") from e
        found = [path for path in files(os.path.join(scratch, "tree")) if path.endswith("bin/busybox")]
        os.replace(found[0], mine)
    return mine


def fetch(names, again=False):
    """{name: directory, or the reason why there is none}"""
    result = {}
    unknown = set(names) - {kernel[0] for kernel in KERNELS}
    if unknown:
        sys.exit(f"no such kernel: {' '.join(sorted(unknown))}; there are {' '.join(kernel[0] for kernel in KERNELS)}")
    os.makedirs(cache(), exist_ok=True)
    wanted = [kernel for kernel in KERNELS if kernel[0] in names]
    missing = [kernel for kernel in wanted if again or not kept(kernel[0])]
    found, reason = [], None
    if missing:
        say("looking for kernels " + ", ".join(kernel[0] for kernel in missing))
        try:
            apt = Apt(dict.fromkeys(suite for kernel in missing for suite in kernel[2]))
            found = apt.kernels()
        except Missing as e:
            reason = str(e)
    for name, prefix, _ in missing:
        newest = [package for package in found if not re.match(r"(4|5|6\.1|6\.12)\.", package[0])]
        of_series = [package for package in found if package[0].startswith(prefix)] if prefix else newest
        why = reason or f"no package of it in the archive's suites {' '.join(dict((k[0], k[2]) for k in KERNELS)[name])}"
        # versions rotate: an index may name what the mirror no longer has
        for version, package in of_series[:4]:
            say(f"{name}: {package} {version}")
            try:
                keep(apt, package, version, name)
                break
            except (Missing, OSError, subprocess.CalledProcessError) as e:
                why = f"{package}: {e}"
                say(why)
        else:
            result[name] = why
    for name, _, _ in wanted:
        if kept(name):
            result[name] = kept(name)
    return result


def main():
    words = sys.argv[1:]
    again = "--again" in words
    names = [word for word in words if word != "--again"] or [kernel[0] for kernel in KERNELS]
    result = fetch(names, again)
    for name in names:
        print(f"{name}\t{result[name]}")
    return 0 if all(kept(name) for name in names) else 1


if __name__ == "__main__":
    sys.exit(main())
