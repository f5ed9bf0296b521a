# SPDX-License-Identifier: MIT
"""Other ways to configure: each host alone, into directories of one's own, and what is said when something is missing."""

import grp
import os
import shutil
import subprocess

import building
import tap

work = tap.directory()
quick = [f"--cache-file={work}/cache", "CFLAGS=-O0"]


def below(prefix):
    return [f"--prefix={prefix}", f"--with-collectd-plugindir={prefix}/lib/collectd", f"--with-collectd-confdir={prefix}/etc/collectd",
            f"--with-netdata-plugindir={prefix}/plugins.d", f"--with-netdata-confdir={prefix}/conf.d",
            f"--with-systemd-unitdir={prefix}/systemd"]


def without_libbpf(plugin):
    """It says why it has neither of the two back ends that need it, and reads files."""
    for backend in ("bpf", "iter"):
        tap.write(f"{work}/{backend}.conf", f"[proctable]\nBackend = {backend}\n")
        said = building.run([plugin, "--config", f"{work}/{backend}.conf", "--check"], work)[1]
        tap.ok(f"\nproctable\toff\tback end '{backend}': qmem was built without libbpf" in "\n" + said,
               f"without libbpf there is no back end {backend}, which is said", said)
    said = building.run([plugin, "--config", "/dev/null", "--check"], work)[1]
    tap.ok("\nproctable\ton\tback end fds: " in "\n" + said and said.count("qmem was built without libbpf") >= 1,
           "and files are read instead", said)


def asked(qmemctl, host):
    """Whoever has one host only can ask."""
    status, said = building.run([qmemctl, "describe", "meminfo"], work)
    tap.ok(not status and "meminfo.usage.free" in said, f"{host} alone: qmemctl describe", said)
    status, said = building.run([qmemctl, "print", "meminfo"], work)
    tap.ok(not status and "meminfo.available.total\t" in said, f"{host} alone: qmemctl print", said)
    user = "" if host == "collectd" else "/nonexistent"
    status, said = building.run([qmemctl, "check"], work, NETDATA_USER_CONFIG_DIR=user, NETDATA_STOCK_CONFIG_DIR="")
    tap.ok(not status and "meminfo\ton\t" in said, f"{host} alone: qmemctl check", said)
    if host == "collectd":
        tap.ok("configuration: none" in said, "which looks for no configuration of Netdata's", said)
        tap.ok("capability 1\t" in said, "and which capabilities are lacking without libcap, too", said)
    else:
        tap.ok(f"configuration: '{work}/netdata-prefix/conf.d/qmem.conf'" in said,
               "which finds the configuration of Netdata's plugin", said)


def alone(host, other, *options):
    build, prefix = f"{work}/{host}", f"{work}/{host}-prefix"
    status, configured = building.configure(build, *quick, f"--disable-{other}", f"--enable-{host}", *options, *below(prefix))
    if not tap.same(status, 0, f"configure with {host} alone"):
        tap.diag(configured)
        return
    status, text = building.make(build, "-j2")
    if not tap.same(status, 0, f"{host} alone builds"):
        tap.diag(text)
        return
    wanted, _ = building.expected(build)
    tap.same([path for path in wanted if other in path or (other == "netdata" and "qmem.plugin" in path)], [],
             f"{host} alone installs nothing of {other}")
    status, text = building.make(build, "install")
    tap.same(status, 0, f"{host} alone is installed where it belongs, without DESTDIR") or tap.diag(text)
    tap.same([prefix + path for path in building.files(prefix)], sorted(wanted), f"{host} alone: what is installed")
    if "--without-libbpf" in options:
        tap.ok("BPF                  no: --without-libbpf" in configured, "without libbpf, as configure says", configured)
        tap.ok(not any(path.endswith((".bpf.o", ".skel.h")) for path in building.files(build)), "and without the BPF programs")
        without_libbpf(f"{build}/qmem.plugin")
    asked(f"{prefix}/bin/qmemctl", host)
    if host == "netdata":
        rights(f"{prefix}/plugins.d/qmem.plugin", text)
    status, text = building.make(build, "uninstall")
    tap.same(status, 0, f"{host} alone is uninstalled") or tap.diag(text)
    tap.same(building.entries(prefix), [], f"{host} alone: nothing is left")
    status, text = building.make(build, "distclean")
    tap.same(status, 0, f"{host} alone: make distclean") or tap.diag(text)
    tap.same(building.files(build), [], f"{host} alone: distclean leaves nothing")


def in_place():
    """Configured where its sources are, which is how packages are built: they must be found again as they were."""
    source = f"{work}/source"
    shutil.copytree(tap.SRC, source, symlinks=True, ignore=shutil.ignore_patterns(
        "build*", "autom4te.cache", ".git", "roots", "expected", "__pycache__", "qmem-*", "*.skel.h", "SHIPPED"))
    os.symlink(f"{tap.SRC}/build-aux", f"{source}/build-aux")
    skeletons, shipped = ["src/bpf/dump.skel.h", "src/bpf/walk.skel.h"], f"{source}/src/bpf/SHIPPED"
    before = building.files(source)
    status, text = building.configure(source, f"--cache-file={work}/in-place-cache", "CFLAGS=-O0", *below(f"{work}/p"), source=source)
    if not tap.same(status, 0, "configure in place"):
        tap.diag(text)
        return
    if "made by" not in text:
        tap.skip("in place: make distclean", "no BPF programs can be made here")
        return
    status, text = building.make(source, *skeletons)
    tap.ok(not status and all(os.path.exists(f"{source}/{name}") for name in skeletons), "in place: BPF programs are made", text)
    status, text = building.make(source, "distclean")
    tap.same(status, 0, "in place: make distclean") or tap.diag(text)
    tap.same(building.files(source), before, "in place: distclean leaves nothing")

    # a tarball's, unpacked by one that does not keep times
    tap.write(shipped, "\n")
    for name in skeletons:
        tap.write(f"{source}/{name}", "/* as it came */\n")
        os.utime(f"{source}/{name}", (1, 1))
    before = building.files(source)
    status, text = building.configure(source, f"--cache-file={work}/in-place-cache", "CFLAGS=-O0", "CLANG=/nonexistent",
                                      *below(f"{work}/p"), source=source)
    tap.ok(not status and "those of the tarball" in text, "of a tarball: its BPF programs are taken", text)
    building.make(source, *skeletons)
    building.make(source, "distclean")
    tap.same(building.files(source), before, "of a tarball: they stay")
    tap.same({tap.read(f"{source}/{name}") for name in skeletons}, {"/* as it came */\n"}, "and are what they were")


def rights(plugin, said):
    """Given by root if it can; told otherwise. Never more than a hint."""
    getcap = shutil.which("getcap", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    try:
        group = grp.getgrnam("netdata").gr_gid
    except KeyError:
        group = None
    run = subprocess.run([plugin, "--version"], capture_output=True, text=True, check=False)
    tap.same(run.returncode, 0, "the installed qmem.plugin runs")
    if os.getuid() or group is None or not getcap or "setcap cap_" in said:
        tap.ok("setcap cap_" in said, "what root is to do is told", said)
        return
    caps = subprocess.run([getcap, plugin], capture_output=True, text=True, check=False).stdout
    wanted = building.variables(f"{work}/netdata", "PLUGIN_CAPS")["PLUGIN_CAPS"]
    tap.ok(caps.strip().endswith("=p") and set(wanted[:-2].split(",")) == set(caps.split()[-1][:-2].split(",")),
           "capabilities are permitted, not effective", caps, wanted)
    tap.same((building.mode(plugin), os.stat(plugin).st_gid), (0o750, group), "and only the group netdata may use them")


alone("netdata", "collectd", "--without-libbpf")
in_place()
alone("collectd", "netdata", f"--cache-file={work}/without-libcap", "PKG_CONFIG_LIBDIR=/nonexistent")

# Missing headers: a word, and the other host.
status, output = building.configure(f"{work}/1", *quick, "--with-collectd-includedir=/nonexistent", *below(f"{work}/p"),
                                    "--with-netdata-confdir=/opt/netdata/usr/lib/netdata/conf.d")
tap.ok(status == 0 and "the collectd plugin is not built" in output and "/nonexistent" in output,
       "without collectd's headers the Netdata plugin is still built", output)
tap.same(building.variables(f"{work}/1", "enable_collectd", "enable_netdata"), {"enable_collectd": "no", "enable_netdata": "yes"},
         "and configured so")
tap.same(building.variables(f"{work}/1", "NETDATA_USER_CONFDIR"), {"NETDATA_USER_CONFDIR": "/opt/netdata/etc/netdata"},
         "a Netdata in /opt has the user's configuration there")
status, output = building.configure(f"{work}/2", *quick, "--enable-collectd", "--with-collectd-includedir=/nonexistent")
tap.ok(status and "collectd-dev" in output, "unless collectd was asked for", output)
status, output = building.configure(f"{work}/3", "--disable-collectd", PKG_CONFIG_LIBDIR="/nonexistent")
tap.ok(status and "libcap" in output and "nothing to build" in output, "neither host is an error with its reasons", output)
status, output = building.configure(f"{work}/4", *quick, "--with-netdata-plugindir=plugins.d")
tap.ok(status and "'plugins.d'" in output, "a directory that is none is an error", output)
tap.done()
