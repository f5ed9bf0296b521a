#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The strict reader of Netdata's protocol takes what is good, and refuses what is bad: each rule broken once."""

import fake_netdata
import tap

CHART = "CHART qmem.a_b{} '' \"T's\" 'MiB' 'menu' 'qmem.a_b' 'line' 1800 1 '' 'qmem.plugin' 'a'\n"
ONE = CHART.format("")
OBSOLETE = ONE.replace("1 ''", "1 'obsolete'")
DIM = "DIMENSION 'x' '' absolute 1 1024\n"
DIMS = DIM + "DIMENSION 'y' '' absolute 1 1024\n"
LABEL = "CLABEL 'device' 'eth=0' 1\nCLABEL_COMMIT\n"
BEGIN = "BEGIN qmem.a_b\n"
ROUND = BEGIN + "SET x = 1\nEND\n"
LATER = "BEGIN qmem.a_b 1000000\nSET x = -9223372036854775807\nEND\n"
GOOD = ONE + DIM + ROUND + LATER

good = {
    "a chart": GOOD,
    "an empty line": GOOD + "\n",
    "nothing": "",
    "a gap": ONE + DIMS + BEGIN + "SET x = \nSET y = 2\nEND\n",
    "a label": ONE + DIM + LABEL + ROUND,
    "two instances": ONE + DIM + LABEL + CHART.format("_2") + DIM + LABEL.replace("eth=0", "eth 1"),
    "obsolete": GOOD + OBSOLETE,
    "obsolete and back": GOOD + OBSOLETE + GOOD,
    "declared again": GOOD + GOOD,
    "disabled": "DISABLE\n",
    "a function's answer": "FUNCTION GLOBAL 'top' 10 'help'\nFUNCTION_RESULT_BEGIN abc 200 application/json 1\n{\"a\": \"\\n\"}\n"
                           "FUNCTION_RESULT_END\n",
}

bad = {
    "an unknown word": "FROBNICATE\n",
    "a word in small letters": "begin x\n",
    "a word of streaming": "BEGIN2 qmem.a_b 1 1 1\n",
    "BEGIN of an undeclared chart": BEGIN,
    "SET of an undeclared dimension": ONE + DIM + BEGIN + "SET z = 1\nEND\n",
    "SET outside BEGIN": ONE + DIM + "SET x = 1\n",
    "SET twice": ONE + DIM + BEGIN + "SET x = 1\nSET x = 1\nEND\n",
    "SET out of order": ONE + DIMS + BEGIN + "SET y = 1\nSET x = 1\nEND\n",
    "a dimension without SET": ONE + DIMS + BEGIN + "SET x = 1\nEND\n",
    "a fraction": ONE + DIM + BEGIN + "SET x = 1.5\nEND\n",
    "an octal number": ONE + DIM + BEGIN + "SET x = 010\nEND\n",
    "more than 64 bits": ONE + DIM + BEGIN + "SET x = 9223372036854775808\nEND\n",
    "a sign": ONE + DIM + BEGIN + "SET x = +1\nEND\n",
    "only gaps": ONE + DIM + BEGIN + "SET x = \nEND\n",
    "no values": ONE + DIM + BEGIN + "END\n",
    "END without BEGIN": ONE + DIM + "END\n",
    "BEGIN in BEGIN": ONE + DIM + BEGIN + BEGIN,
    "CHART in BEGIN": ONE + DIM + BEGIN + ONE,
    "the end inside BEGIN": ONE + DIM + BEGIN,
    "an unfinished line": GOOD + "BEGIN qmem",
    "microseconds in the first BEGIN": ONE + DIM + "BEGIN qmem.a_b 1000000\nSET x = 1\nEND\n",
    "no microseconds in the second": ONE + DIM + ROUND + ROUND,
    "0 microseconds": ONE + DIM + ROUND + LATER.replace(" 1000000", " 0"),
    "microseconds after declaring again": GOOD + ONE + DIM + LATER,
    "a chart without dimensions": ONE + CHART.format("_2") + DIM,
    "a chart without dimensions, collected": ONE + BEGIN + "END\n",
    "a chart sent again without dimensions": GOOD + ONE + ROUND,
    "a dimension without a chart": DIM,
    "a dimension after BEGIN": GOOD + DIM,
    "a dimension twice": ONE + DIM + DIM,
    "a dimension with a dot": ONE + DIM.replace("'x'", "'x.y'"),
    "a divisor of 0": ONE + DIM.replace("1024", "0"),
    "a divisor over 32 bits": ONE + DIM.replace("1024", "4294967296"),
    "an unknown algorithm": ONE + DIM.replace("absolute", "relative"),
    "CLABEL without source": ONE + DIM + "CLABEL 'a' 'b'\nCLABEL_COMMIT\n",
    "CLABEL without a chart": "CLABEL 'a' 'b' 1\n",
    "CLABEL with source 3": ONE + DIM + "CLABEL 'a' 'b' 3\nCLABEL_COMMIT\n",
    "CLABEL without a value": ONE + DIM + "CLABEL 'a' '' 1\nCLABEL_COMMIT\n",
    "CLABEL without CLABEL_COMMIT": ONE + DIM + "CLABEL 'a' 'b' 1\n" + ROUND,
    "CLABEL_COMMIT without CLABEL": ONE + DIM + "CLABEL_COMMIT\n",
    "two units in one context": ONE + DIM + CHART.format("_2").replace("MiB", "KiB") + DIM,
    "two kinds of instances in one context": ONE + DIM + LABEL + CHART.format("_2") + DIM + LABEL.replace("device", "slab"),
    "instances and none in one context": ONE + DIM + CHART.format("_2") + DIM + LABEL,
    "two sets of dimensions in one context": ONE + DIM + CHART.format("_2") + DIMS,
    "two divisors in one context": ONE + DIM + CHART.format("_2") + DIM.replace("1024", "1"),
    "two contexts under one id": GOOD + ONE.replace("'qmem.a_b'", "'qmem.a_c'") + DIM,
    "an obsolete chart collected": GOOD + OBSOLETE + LATER,
    "another update_every": GOOD + GOOD.replace("1800 1", "1800 5"),
    "obsolete twice": GOOD + OBSOLETE + OBSOLETE,
    "obsolete and unknown": OBSOLETE,
    "an id with a blank": ONE.replace("qmem.a_b ''", "'qmem.a b' ''") + DIM,
    "an id with two dots": ONE.replace("qmem.a_b ''", "qmem.a.b ''") + DIM,
    "an id of 201 characters": CHART.format("x" * 193) + DIM,
    "an id without a type": ONE.replace("qmem.a_b ''", "a_b ''") + DIM,
    "somebody else's type": ONE.replace("qmem.a_b ''", "mem.a_b ''") + DIM,
    "an unknown chart type": ONE.replace("'line'", "'pie'") + DIM,
    "a priority that is no number": ONE.replace("1800", "high") + DIM,
    "an unknown chart option": ONE.replace("1 ''", "1 'shiny'") + DIM,
    "CHART cut short": "CHART qmem.a_b '' 'T' 'MiB'\n" + DIM,
    "a quote that is never closed": ONE.replace("'menu'", "'menu") + DIM,
    "a quote inside a word": ONE.replace("'menu'", "me'nu") + DIM,
    "a backslash": ONE.replace("menu", "me\\nu") + DIM,
    "a control character": ONE.replace("menu", "me\x01nu") + DIM,
    "bytes that are no UTF-8": ONE.replace("menu", "me\udcffnu") + DIM,
    "21 words": ONE.replace("\n", " 1 2 3 4 5 6 7 8\n") + DIM,
    "a line of 15360 bytes": ONE.replace("menu", "m" * 15360) + DIM,
    "text after DISABLE": "DISABLE\n" + GOOD,
    "FUNCTION in BEGIN": ONE + DIM + BEGIN + "FUNCTION GLOBAL 'top' 10 'help'\n",
    "an answer without an end": "FUNCTION_RESULT_BEGIN abc 200 application/json 1\n{}\n",
}

# word: refused by 1.37.1
newer = {
    "PLUGIN_KEEPALIVE": "PLUGIN_KEEPALIVE\n",
    "TRUST_DURATIONS": "TRUST_DURATIONS 1\n",
    "CONFIG": "CONFIG a create\n",
    "EXIT": "EXIT\n",
}


def refused(text, version):
    try:
        fake_netdata.check(text.encode("utf-8", "surrogateescape"), version)
    except fake_netdata.Refused as e:
        return str(e)
    return None


for version in fake_netdata.VERSIONS:
    for name, text in good.items():
        why = refused(text, version)
        tap.ok(why is None, f"{version}: {name} is taken", why)
    for name, text in bad.items():
        tap.ok(refused(text, version), f"{version}: {name} is refused")
for name, text in newer.items():
    why = refused(text, "1.37.1")
    tap.ok(why and "a word of" in why, f"1.37.1: {name} is refused", why)
tap.ok("out of range" in (refused(ONE.replace("1800 1", "1800 0") + DIM, "1.37.1") or ""), "update_every 0 is refused")

TRUST = "TRUST_DURATIONS 1\n"
for name, text, why in (("trust, and no microseconds", TRUST + ONE + DIM + ROUND + ROUND, None),
                        ("trust twice", TRUST + TRUST, "told before"), ("some trust", TRUST.replace("1", "2"), "neither"),
                        ("no microseconds after no trust", TRUST + ONE + DIM + ROUND + "TRUST_DURATIONS 0\n" + ROUND, "no micro"),
                        ("trust within BEGIN", ONE + DIM + BEGIN + TRUST, "between BEGIN")):
    told = refused(text, "2.11.0")
    tap.ok(told is None if why is None else why in (told or ""), f"2.11.0: {name}", told)

# ---- the points it makes ----


def stalled(version, first, at):
    """The rates of a counter that grows by 100 a second, from an agent that stops reading at second `at` for 25 s. The plugin writes
    two more rounds into the pipe, skips those for which there is no room, and goes on."""
    agent = fake_netdata.Netdata(version)
    agent.feed((first + ONE + DIM.replace("absolute", "incremental").replace("1024", "1")).encode())
    last, resumed = None, at + 25
    for second in range(1000, 1060):
        if at + 2 < second < resumed:
            continue
        since = f" {(second - last) * 10**6}" if last else ""
        read = resumed if at < second < resumed else second
        agent.feed(f"BEGIN qmem.a_b{since}\nSET x = {second * 100}\nEND\n".encode(), read + 0.02)
        last = second
    return {second: point["x"] for second, point in agent.charts["qmem.a_b"].store.points}, agent.charts["qmem.a_b"].store


for version, first, right in (("1.37.1", "", False), ("2.6.3", "", False), ("2.11.0", "", False), ("2.11.0", TRUST, True)):
    points, store = stalled(version, first, 1010)
    rates = [value for value in points.values() if value is not None]
    spike = max(rates) > 150
    tap.ok(spike != right, f"{version}, {'trusting' if first else 'by itself'}: a stall is {'no' if right else 'a'} spike", points)
    if right:
        tap.ok(min(rates[1:]) > 99, "every rate is what it was", points)
        tap.ok([s for s, value in points.items() if value is None and s > 1012], "and the gap stays a gap", points)
        tap.ok(abs(store.collected / 10**6 - 1059) < 1, "its time is the clock's", store.collected)
points, store = stalled("2.11.0", TRUST, 1000)
tap.ok(store.collected / 10**6 > 1080, "one that was set in a stall is ahead for ever, if it is trusted", store.collected)

agent = fake_netdata.Netdata()
for byte in GOOD.encode():
    agent.feed(bytes([byte]))
agent.end()
chart = agent.charts["qmem.a_b"]
tap.same([r.values["x"] for r in chart.rounds], [1, -9223372036854775807], "byte by byte, values are what was sent")
tap.same(chart.rounds[1].microseconds, 1000000, "and so are microseconds")
tap.same(fake_netdata.split("SET a = 'b=c' \"d'e\" f=g"), ["SET", "a", "b=c", "d'e", "f", "g"], "words as the agent splits them")
tap.done()
