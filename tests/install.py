# SPDX-License-Identifier: MIT
"""make install and make uninstall of this build, below a DESTDIR."""

import os
import re

import building
import collectd_daemon
import tap

CHANGED = "# mine\nLoadPlugin qmem\n"

root = tap.directory()
wanted, own = building.expected(tap.BUILD)


def make(word):
    status, text = building.make(tap.BUILD, word, f"DESTDIR={root}")
    return tap.same(status, 0, f"make {word}") or tap.diag(text), text


def starts(when):
    """An agent that reads what is below the directory of its configuration, as Debian's does."""
    if not collectd_daemon.PROGRAM:
        tap.skip(f"{when} collectd starts", "it is not installed")
        return
    where = root + os.path.dirname(own)
    conf = os.path.join(tap.directory(), "collectd.conf")
    tap.write(conf, f'BaseDir "{os.path.dirname(conf)}"\nPIDFile "{conf}.pid"\nTypesDB "{collectd_daemon.TYPES_DB}"\n'
                    f'PluginDir "{collectd_daemon.directory_of_plugins()}"\nLoadPlugin uptime\n'
                    f'<Include "{where}">\n\tFilter "*.conf"\n</Include>\n')
    status, text = building.run([collectd_daemon.PROGRAM, "-T", "-C", conf], where)
    tap.same(status, 0, f"{when} collectd starts") or tap.diag(text)


_, said = make("install")
tap.same(building.files(root), sorted(wanted), "what is installed")
tap.same({path: building.mode(root + path) for path in wanted if os.path.exists(root + path)}, wanted, "with these rights")
if building.variables(tap.BUILD, "enable_netdata")["enable_netdata"] == "yes":
    tap.ok("setcap cap_" in said and "=p " in said, "what is left to root is told, not done", said)
docs = building.variables(tap.BUILD, "docdir")["docdir"]
links = {(page, link) for page in wanted if page.startswith(docs) and page.endswith(".md")
         for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", tap.read(root + page))}
tap.same([(page, link) for page, link in sorted(links) if not os.path.exists(os.path.join(root + os.path.dirname(page), link))], [],
         f"each of {len(links)} links and pictures of the pages is installed, too")
make("install")
tap.same(building.files(root), sorted(wanted), "a second time changes nothing")

if own:
    tap.write(root + own, CHANGED)
stock = next((path for path in wanted if path.endswith("/conf.d/qmem.conf")), None)
if stock:
    tap.write(root + stock, CHANGED)
make("install")
if own:
    tap.same(tap.read(root + own), CHANGED, "the user's configuration stays")
if stock:
    tap.ok(tap.read(root + stock) != CHANGED, "Netdata's stock configuration is ours")

_, said = make("uninstall")
kept = [f"{own}.disabled"] if own else []
tap.same(building.files(root), kept, "only the user's configuration is left")
if own:
    tap.ok(f"{own}.disabled" in said, "under another name, which is told", said)
    tap.same(tap.read(root + kept[0]), CHANGED, "as it was")
    starts("after uninstall")
    _, said = make("install")
    tap.ok(f"{own}.disabled has what you had changed" in said, "where it is, is told when qmem comes back", said)
    tap.write(root + own, CHANGED * 2)
    make("uninstall")
    kept.append(f"{own}.disabled.1")
    tap.same(building.files(root), kept, "a second one takes nothing away from the first")
    tap.same([tap.read(root + path) for path in kept], [CHANGED, CHANGED * 2], "both are there")

for path in kept:
    os.unlink(root + path)
make("install")
make("uninstall")
tap.same(building.entries(root), [], "nothing is left, no directory either")
tap.done()
