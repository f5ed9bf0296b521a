# SPDX-License-Identifier: MIT
"""options.txt through the reader of qmem.conf."""

import os
import subprocess

import options
import tap

rows = options.rows()
tap.ok(len(rows) > 30, "the table has rows")


def section(row):
    name = row.service or "global"
    if row.block:
        name += f'.{row.block} "{row.name}"'
    return f"[{name}]\n{row.option} = {row.written}\n"


conf = os.path.join(tap.directory(), "qmem.conf")
tap.write(conf, "".join(section(row) for row in rows))
environment = {key: value for key, value in os.environ.items() if not key.startswith("NETDATA_")}
got = subprocess.run([os.path.join(tap.BUILD, "tests", "options_netdata"), conf], capture_output=True, text=True, check=False,
                     env=environment)
tap.ok(got.returncode == 0 and not got.stderr, "no complaint", got.stderr)
made = [options.Call(*(field or None for field in line.split("\t")[:4]), line.split("\t")[4]) for line in got.stdout.split("\n")[:-1]]
tap.same(len(made), len(rows), "one call for each row")
for row, call in zip(rows, made):
    tap.ok(options.same(row, call), f"line {row.line}: {row.option} {row.written}".replace("#", "\\#"), call)
tap.done()
