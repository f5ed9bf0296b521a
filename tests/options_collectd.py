# SPDX-License-Identifier: MIT
"""options.txt through collectd's own lexer and our reader."""

import os

import collectd_daemon
import options
import tap

collectd_daemon.skip_without_collectd()
rows = options.rows()
tap.ok(len(rows) > 30, "the table has rows")


def block(row):
    text = f"\t\t{row.option} {row.written}\n"
    if row.block:
        text = f'\t\t<{row.block} "{row.name}">\n\t{text}\t\t</{row.block}>\n'
    if row.service:
        text = f'\t<Service "{row.service}">\n{text}\t</Service>\n'
    return text


calls = os.path.join(tap.directory(), "calls")
daemon = collectd_daemon.Collectd(plugin="qmem_options", environment={"QMEM_CALLS": calls},
                                  extra="".join(f"<Plugin qmem_options>\n{block(row)}</Plugin>\n" for row in rows))
tap.same(daemon.test(), 0, "collectd takes all of it")
made = [options.Call(*(field or None for field in line.split("\t")[:4]), line.split("\t")[4])
        for line in tap.read(calls).split("\n")[:-1]] if os.path.exists(calls) else []
tap.same(len(made), len(rows), "one call for each row")
for row, call in zip(rows, made):
    tap.ok(options.same(row, call), f"line {row.line}: {row.option} {row.written}".replace("#", "\\#"), call)
tap.same(daemon.warnings(), [], "no warning")
tap.done()
