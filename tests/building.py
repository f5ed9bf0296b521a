# SPDX-License-Identifier: MIT
"""For the tests that configure, build and install."""

import os
import subprocess

import tap


def environment(**more):
    """Without what the make that runs the tests hands down."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
    return {**kept, "LC_ALL": "C", **more}


def run(argv, cwd, **more):
    """Exit status and everything it said."""
    done = subprocess.run(argv, cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def make(build, *words, **more):
    return run(["make", "--no-print-directory", *words], build, **more)


def variables(build, *names):
    """What the Makefile makes of these."""
    lines = " ".join(f"'$({name})'" for name in names)
    status, text = make(build, "-s", f"--eval=print-these: ; @printf '%s\\n' {lines}", "print-these")
    if status:
        raise RuntimeError(text)
    return dict(zip(names, text.splitlines()))


def files(root):
    """All that is below, but directories, as /path."""
    found = []
    for where, _, names in os.walk(root):
        found += [os.path.join(where, name)[len(root):] for name in names]
    return sorted(found)


def entries(root):
    """All that is below, directories too."""
    found = []
    for where, directories, names in os.walk(root):
        found += [os.path.join(where, name)[len(root):] for name in directories + names]
    return sorted(found)


def expected(build):
    """What `make install` is to install: {path: mode}, and the user's own file."""
    v = variables(build, "collectdexecdir", "COLLECTD_CONFDIR", "netdataexecdir", "netdataconfdir", "systemddir", "docdir", "man5dir",
                  "man8dir", "bindir", "enable_collectd", "enable_netdata", "SYSTEMD_UNITDIR")
    found = {f"{v['docdir']}/{name}": 0o644 for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE")}
    for page in (name for name in os.listdir(os.path.join(tap.SRC, "docs")) if name.endswith((".md", ".png"))):
        found[f"{v['docdir']}/docs/{page}"] = 0o644
    found[f"{v['man5dir']}/qmem.conf.5"] = 0o644
    found[f"{v['man8dir']}/qmemctl.8"] = 0o644
    found[f"{v['bindir']}/qmemctl"] = 0o755
    own = None
    if v["enable_collectd"] == "yes":
        own = f"{v['COLLECTD_CONFDIR']}/qmem.conf"
        found[own] = 0o644
        found[f"{v['man5dir']}/collectd-qmem.5"] = 0o644
        found[f"{v['collectdexecdir']}/qmem.so"] = 0o755
        found[f"{v['docdir']}/examples/collectd.service.d/qmem.conf"] = 0o644
    if v["enable_netdata"] == "yes":
        found[f"{v['netdataexecdir']}/qmem.plugin"] = 0o755
        found[f"{v['man8dir']}/qmem.plugin.8"] = 0o644
        found[f"{v['docdir']}/examples/netdata.service.d/qmem.conf"] = 0o644
        found[f"{v['netdataconfdir']}/qmem.conf"] = 0o644
        found[f"{v['netdataconfdir']}/health.d/qmem.conf"] = 0o644
        if v["SYSTEMD_UNITDIR"]:
            found[f"{v['systemddir']}/qmem.conf.example"] = 0o644
    return found, own


def mode(path):
    return os.stat(path).st_mode & 0o7777


def configure(build, *options, source=tap.SRC, **more):
    os.makedirs(build, exist_ok=True)
    return run([os.path.join(source, "configure"), *options], build, **more)
