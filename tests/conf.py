# SPDX-License-Identifier: MIT
"""Our own configuration of each host, as it is installed and with all that is commented out: nothing in it is wrong."""

import os
import re
import subprocess

import collectd_daemon
import tap

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")


def collectd():
    if os.environ.get("QMEM_COLLECTD") == "no" or not collectd_daemon.PROGRAM:
        tap.skip("qmem.conf of collectd", "none is installed, or built without it")
        return
    text = tap.read(os.path.join(tap.SRC, "conf", "collectd", "qmem.conf"))
    inner = text.split("<Plugin qmem>\n")[1].split("</Plugin>")[0]
    tap.ok("\nLoadPlugin qmem\n" in text, "qmem.conf of collectd loads the plugin")
    for name, config in (("as it is", inner), ("with all options", re.sub(r"^#(?=\t)", "", inner, flags=re.M))):
        daemon = collectd_daemon.Collectd(config)
        tap.same(daemon.test(), 0, f"qmem.conf of collectd {name}: it is read") or tap.diag(daemon.text())
        tap.same(daemon.warnings(), [], f"qmem.conf of collectd {name}: no warning")


def netdata():
    if not os.access(PLUGIN, os.X_OK):
        tap.skip("qmem.conf of Netdata", "built without Netdata")
        return
    stock = tap.read(os.path.join(tap.SRC, "conf", "netdata", "qmem.conf"))
    path = os.path.join(tap.directory(), "qmem.conf")
    for name, config in (("as it is", stock), ("with all options", re.sub(r"(?m)^#(?=\w+ = |\[)", "", stock))):
        tap.write(path, config)
        got = subprocess.run([PLUGIN, "--config", path, "--check"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        tap.same((got.returncode, got.stderr), (0, ""), f"qmem.conf of Netdata {name}: it is read") or tap.diag(got.stdout)
    described = subprocess.run([PLUGIN, "--describe"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
    wanted = set(re.findall(r"(?m)^  ([A-Z][A-Za-z]+)  ", described))
    # a block has a section of its own
    there = set(re.findall(r"(?m)^#(\w+) = ", stock)) | {name.capitalize() for name in re.findall(r"(?m)^#\[\w+\.(\w+) ", stock)}
    tap.ok(wanted and wanted <= there, "qmem.conf of Netdata has every option there is", wanted)


collectd()
netdata()
tap.done()
