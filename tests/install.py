# SPDX-License-Identifier: MIT
"""make install and make uninstall of this build, below a DESTDIR."""

import os

import building
import tap

CHANGED = "# mine\n"

root = tap.directory()
wanted, own = building.expected(tap.BUILD)


def make(word):
    status, text = building.make(tap.BUILD, word, f"DESTDIR={root}")
    return tap.same(status, 0, f"make {word}") or tap.diag(text), text


_, said = make("install")
tap.same(building.files(root), sorted(wanted), "what is installed")
tap.same({path: building.mode(root + path) for path in wanted if os.path.exists(root + path)}, wanted, "with these rights")
if building.variables(tap.BUILD, "enable_netdata")["enable_netdata"] == "yes":
    tap.ok("setcap cap_" in said and "=p " in said, "what is left to root is told, not done", said)
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

make("uninstall")
tap.same(building.files(root), [own] if own else [], "only the user's configuration is left")

if own:
    os.unlink(root + own)
make("install")
make("uninstall")
tap.same(building.entries(root), [], "nothing is left, no directory either")
tap.done()
