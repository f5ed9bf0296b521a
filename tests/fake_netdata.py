#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A strict reader of what a plugin writes to Netdata.

It refuses whatever a real agent refuses (and whatever ends a plugin, or the agent), what an agent takes but users would
curse, and words that the agent's version does not know. As a module:

    agent = fake_netdata.Netdata("1.37.1")
    agent.feed(data)                    # raises Refused
    agent.end()                         # at the end of the stream
    agent.charts["qmem.meminfo_usage"].rounds[-1].values["free"]

With the time at which an agent reads it, it also makes points of the values, as the agents do (rrdset_timed_next(),
rrdset_timed_done() and rrdset_done_interpolate() of 1.37.1 and 2.11.0, which are alike in this):

    agent.feed(data, now=time.time())
    agent.charts["qmem.vmstat_faults"].store.points     # [(second, {dimension: value or None})]

As a command: fake_netdata.py [--version V] [--update-every N] [FILE]; both versions unless one is named.
"""

import argparse
import re
import sys

VERSIONS = ("1.37.1", "2.6.3", "2.11.0")
LINE_MAX = 15360  # 1.37.1 reads with fgets(), and takes what is longer for two lines
WORDS_MAX = 20
ID_MAX = 200
FACTOR_MAX = 2**31 - 1

# Since which version an agent knows the word. Any other word ends the plugin.
SINCE = {
    "CHART": "1.0", "DIMENSION": "1.0", "BEGIN": "1.0", "SET": "1.0", "END": "1.0", "FLUSH": "1.0", "DISABLE": "1.0",
    "VARIABLE": "1.0", "CLABEL": "1.0", "CLABEL_COMMIT": "1.0", "LABEL": "1.0", "OVERWRITE": "1.0", "FUNCTION": "1.0",
    "FUNCTION_RESULT_BEGIN": "1.0",
    "EXIT": "1.39", "HOST_DEFINE": "1.39", "HOST_DEFINE_END": "1.39", "HOST_LABEL": "1.39", "HOST": "1.39",
    "FUNCTION_PROGRESS": "1.45", "CONFIG": "1.45",
    "TRUST_DURATIONS": "2.7", "PLUGIN_KEEPALIVE": "2.7",
    "FUNCTION_DEL": "2.11",
}
CHART_TYPES = ("line", "area", "stacked")
CHART_OPTIONS = {"obsolete", "hidden", "store_first"}
DIMENSION_OPTIONS = {"hidden", "obsolete", "noreset", "nooverflow"}
ALGORITHMS = ("absolute", "incremental", "percentage-of-absolute-row", "percentage-of-incremental-row")
IDENTIFIER = re.compile(r"[A-Za-z0-9_]+")
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


class Refused(Exception):
    def __init__(self, number, why, line=""):
        super().__init__(f"line {number}: {why}: {line[:200]!r}")
        self.number, self.why = number, why


def number_of(version):
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def split(line):
    """Words as the agent's splitter sees them: '=' is white space, and quotes count only where a word begins."""
    words, i, n = [], 0, len(line)
    blanks = " \t\r\n="
    while True:
        while i < n and line[i] in blanks:
            i += 1
        if i >= n:
            return words
        if line[i] in "'\"":
            end = line.find(line[i], i + 1)
            if end < 0:
                raise ValueError("quotes that are never closed")
            words.append(line[i + 1:end])
            i = end + 1
            if i < n and line[i] not in blanks:
                raise ValueError("text right after quotes")
        else:
            start = i
            while i < n and line[i] not in blanks:
                if line[i] in "'\"":
                    raise ValueError("quotes inside a word")
                i += 1
            words.append(line[start:i])


class Dimension:
    def __init__(self, algorithm, mult, div):
        self.algorithm, self.mult, self.div = algorithm, mult, div


class Round:
    def __init__(self, number, microseconds):
        self.number, self.microseconds, self.values = number, microseconds, {}


class Store:
    """What an agent makes of the rounds of a chart. Times are microseconds of its clock."""

    ENTRIES = 600
    GAP = 3  # "gap when lost iterations above", and two

    def __init__(self):
        self.sync = True     # the next duration is not taken
        self.reset()
        self.points = []

    def reset(self):
        self.collected = self.updated = self.done = self.duration = 0
        self.read = 0        # the last round
        self.last, self.seen, self.rest = {}, {}, {}

    def begin(self, now, every, microseconds, trust):
        if not self.done:
            return
        if trust and microseconds and not self.sync:
            self.duration = microseconds
            return
        if self.sync:
            self.sync, microseconds = False, None
        behind = now - self.collected
        if not microseconds:
            self.duration = abs(behind)
        elif behind < 0:
            self.duration = 0
        elif behind > 5 * every:
            self.duration = behind
        else:
            self.duration = microseconds

    def _calculated(self, dimensions, values):
        grown = {name: value - self.last.get(name, value) for name, value in values.items() if value is not None}
        whole = sum(grown.values())
        result = {}
        for name, dimension in dimensions.items():
            value = values.get(name)
            if value is None or (dimension.algorithm != "absolute" and not self.seen.get(name)):
                result[name] = 0
            elif dimension.algorithm == "absolute":
                result[name] = value * dimension.mult / dimension.div
            elif dimension.algorithm == "incremental":
                result[name] = max(0, grown[name]) * dimension.mult / dimension.div
            else:
                result[name] = 100 * grown[name] / whole if whole else 0
        return result

    def end(self, now, every, dimensions, values):
        store = first = False
        self.read = now
        if self.duration > max(self.ENTRIES, 60) * every:
            self.reset()
        if not self.collected:
            self.collected = now // every * every + 500000
            before, first = self.collected - every, True
        else:
            before, store = self.collected, True
            self.collected += self.duration
        if not self.done:
            self.updated, store = self.collected // every * every, False
        self.done += 1
        due, rounds = self.updated + every, (self.collected - self.updated) // every
        calculated = self._calculated(dimensions, values)
        left = dict(calculated)
        while due <= self.collected:
            point = {}
            for name, dimension in dimensions.items():
                if dimension.algorithm == "incremental":
                    part = left[name] * (due - before) / (self.collected - before)
                    left[name] -= part
                    value = (part + self.rest.pop(name, 0)) / (every / 10**6)
                elif rounds == 1:
                    value = calculated[name]
                else:
                    was = self.rest.get(name, 0)
                    value = was + (calculated[name] - was) * (due - before) / (self.collected - before)
                taken = store and values.get(name) is not None and self.seen.get(name) and rounds < self.GAP
                point[name] = value if taken else None
            self.points.append((due // 10**6, point))
            self.updated = before = due
            due, rounds = due + every, rounds - 1
        for name, dimension in dimensions.items():
            if values.get(name) is None:
                continue
            if dimension.algorithm != "incremental":
                self.rest[name] = calculated[name]
            elif not first:
                self.rest[name] = self.rest.get(name, 0) + left[name]
            self.last[name] = values[name]
            self.seen[name] = True


class Chart:
    def __init__(self, ident):
        self.id = ident
        self.title = self.units = self.family = self.context = self.type = self.plugin = self.module = ""
        self.priority = self.update_every = 0
        self.obsolete = False
        self.declarations = 0
        self.dimensions = {}
        self.labels = {}       # committed
        self.new_labels = {}
        self.fresh = True      # no BEGIN since it was declared
        self.store = Store()
        self.rounds = []

    def shape(self):
        """What all charts of one context share."""
        return {
            "units": self.units,
            "type": self.type,
            "kind of instance": tuple(self.labels)[:1],
            "dimensions": {name: (d.algorithm, d.mult, d.div) for name, d in self.dimensions.items()},
        }


class Netdata:
    def __init__(self, version="1.37.1", update_every=1, plugin="qmem.plugin", type_="qmem"):
        self.version, self.update_every, self.plugin, self.type = version, update_every, plugin, type_
        self.new = number_of(version) >= (2, 0)
        self.charts = {}
        self.contexts = {}
        self.functions = {}
        self.results = []
        self.disabled = False
        self.lines = 0
        self.rounds = 0
        self.empty_lines = 0
        self.trust = False
        self.now = None         # microseconds of the agent's clock
        self._rest = b""
        self._line = ""
        self._chart = None      # what DIMENSION and CLABEL belong to
        self._round = None      # between BEGIN and END
        self._result = None     # between FUNCTION_RESULT_BEGIN and _END

    # ---- the stream ----

    def feed(self, data, now=None):
        self.now = None if now is None else int(now * 10**6)
        self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self.lines += 1
            self._take(line)
        if len(self._rest) >= LINE_MAX and self._result is None:
            self._refuse("a line too long")

    def end(self):
        """The stream is over."""
        if self._rest:
            self._refuse("an unfinished line at the end")
        if self._round:
            self._refuse("the end inside BEGIN")
        if self._result is not None:
            self._refuse("the end inside FUNCTION_RESULT_BEGIN")
        self._settle()

    def whole(self):
        """Has the stream just come to the end of a line and a chart?"""
        return not self._rest and not self._round and self._result is None

    def _refuse(self, why):
        raise Refused(self.lines, why, self._line)

    def _take(self, raw):
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            self._line = repr(raw)
            self._refuse("no UTF-8")
        self._line = line
        if self._result is not None:
            if line == "FUNCTION_RESULT_END":
                self.results.append(self._result)
                self._result = None
            else:
                self._result[-1].append(line)
            return
        if len(raw) + 1 >= LINE_MAX:
            self._refuse("a line too long")
        if any(ord(c) < 32 or ord(c) == 127 for c in line):
            self._refuse("a control character")
        if "\\" in line:
            self._refuse("a backslash: it escapes nothing, and hides the next quote")
        if self.disabled:
            self._refuse("text after DISABLE")
        if not line:
            self.empty_lines += 1
            return
        try:
            words = split(line)
        except ValueError as e:
            self._refuse(str(e))
        if not words:
            self._refuse("no word")
        if len(words) > WORDS_MAX:
            self._refuse(f"{len(words)} words")
        word, *rest = words
        if word not in SINCE:
            self._refuse("an unknown word")
        if number_of(self.version) < number_of(SINCE[word]):
            self._refuse(f"a word of {SINCE[word]} for an agent {self.version}")
        handler = getattr(self, "take_" + word.lower(), None)
        if not handler:
            self._refuse("a word that we do not use")
        handler(rest)

    def _outside(self, what):
        if self._round:
            self._refuse(f"{what} between BEGIN and END")

    def _integer(self, text, what, least=None, most=None):
        if not INTEGER.fullmatch(text):
            self._refuse(f"{what} is no plain integer")
        value = int(text)
        if (least is not None and value < least) or (most is not None and value > most):
            self._refuse(f"{what} is out of range")
        return value

    # ---- charts ----

    def _settle(self):
        """The declaration of the current chart is over: it must be complete, and like its kin."""
        chart, self._chart = self._chart, None
        if not chart:
            return
        if chart.new_labels:
            self._refuse(f"CLABEL of '{chart.id}' without CLABEL_COMMIT")
        if chart.obsolete:
            return
        if not chart.dimensions:
            self._refuse(f"chart '{chart.id}' without a dimension")
        kin = self.contexts.setdefault(chart.context, chart)
        for what, value in chart.shape().items():
            if kin.shape()[what] != value:
                self._refuse(f"charts '{kin.id}' and '{chart.id}' of context '{chart.context}' differ in {what}: "
                             f"{kin.shape()[what]} and {value}")

    def take_chart(self, words):
        self._outside("CHART")
        self._settle()
        if len(words) != 12:
            self._refuse("CHART without all of its words")
        ident, name, title, units, family, context, kind, priority, every, options, plugin, module = words
        if len(ident) > ID_MAX:
            self._refuse("a chart's id too long")
        type_, dot, rest = ident.partition(".")
        if not dot or not IDENTIFIER.fullmatch(type_) or not IDENTIFIER.fullmatch(rest):
            self._refuse("no sound type.id")
        if type_ != self.type:
            self._refuse(f"not of type '{self.type}'")
        if name or not title or not units or not family:
            self._refuse("a name, or no title, units or family")
        if not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", context) or context.split(".")[0] != self.type:
            self._refuse("no sound context")
        if kind not in CHART_TYPES:
            self._refuse("no such chart type")
        priority = self._integer(priority, "priority", 1, 10**6)
        every = self._integer(every, "update_every", self.update_every)
        if every % self.update_every:
            self._refuse("update_every is no multiple of the plugin's")
        if set(options.split()) - CHART_OPTIONS:
            self._refuse("no such option")
        if plugin != self.plugin or not IDENTIFIER.fullmatch(module):
            self._refuse("no plugin or module")
        obsolete = "obsolete" in options.split()
        chart = self.charts.get(ident)
        if not chart:
            if obsolete:
                self._refuse("an unknown chart becomes obsolete")
            chart = self.charts[ident] = Chart(ident)
        elif (chart.context, chart.units, chart.module) != (context, units, module):
            self._refuse("another chart had this id")
        elif obsolete and chart.obsolete:
            self._refuse("obsolete twice")
        elif chart.update_every != every and not obsolete:
            self._refuse("another update_every: in ram its history is thrown away")
        chart.title, chart.units, chart.family, chart.context, chart.type = title, units, family, context, kind
        chart.priority, chart.update_every, chart.plugin, chart.module = priority, every, plugin, module
        chart.obsolete = obsolete
        chart.fresh = True
        chart.new_labels = {}
        if not obsolete:
            # sent again, all of it is sent again: the agent may have freed it meanwhile
            chart.dimensions, chart.labels = {}, {}
            chart.declarations += 1
        self._chart = chart

    def _current(self, what):
        self._outside(what)
        if not self._chart:
            self._refuse(f"{what} outside a chart's declaration")
        if self._chart.obsolete:
            self._refuse(f"{what} of an obsolete chart")
        return self._chart

    def take_dimension(self, words):
        chart = self._current("DIMENSION")
        if not 5 <= len(words) <= 6:
            self._refuse("DIMENSION without all of its words")
        ident, _, algorithm, mult, div, *options = words
        if not IDENTIFIER.fullmatch(ident):
            self._refuse("no sound id")
        if ident in chart.dimensions:
            self._refuse("a dimension twice")
        if algorithm not in ALGORITHMS:
            self._refuse("no such algorithm")
        mult = self._integer(mult, "multiplier", -FACTOR_MAX, FACTOR_MAX)
        div = self._integer(div, "divisor", 1, FACTOR_MAX)
        if not mult:
            self._refuse("multiplier is 0")
        for option in " ".join(options).split():
            typed = option.startswith("type=") and number_of(self.version) >= (2, 10)
            if option not in DIMENSION_OPTIONS and not typed:
                self._refuse("no such option")
        chart.dimensions[ident] = Dimension(algorithm, mult, div)

    def take_clabel(self, words):
        if len(words) != 3:
            self._refuse("CLABEL without its source: that ends the agent")
        chart = self._current("CLABEL")
        name, value, source = words
        if not IDENTIFIER.fullmatch(name) or not value:
            self._refuse("no sound label")
        if source not in ("1", "2", "4"):
            self._refuse("no such source")
        if name in chart.new_labels:
            self._refuse("a label twice")
        chart.new_labels[name] = value

    def take_clabel_commit(self, words):
        chart = self._current("CLABEL_COMMIT")
        if words or not chart.new_labels:
            self._refuse("CLABEL_COMMIT without a CLABEL")
        chart.labels, chart.new_labels = chart.new_labels, {}

    # ---- values ----

    def take_begin(self, words):
        self._outside("BEGIN")
        self._settle()
        if not 1 <= len(words) <= 2:
            self._refuse("BEGIN without a chart, or with too much")
        chart = self.charts.get(words[0])
        if not chart:
            self._refuse("BEGIN of an undeclared chart")
        if chart.obsolete:
            self._refuse("BEGIN of an obsolete chart")
        microseconds = None
        if len(words) == 2:
            if chart.fresh:
                self._refuse("microseconds in the first BEGIN")
            microseconds = self._integer(words[1], "microseconds", 1)
        elif not chart.fresh and not self.trust:
            self._refuse("no microseconds")
        chart.fresh = False
        if self.now is not None:
            chart.store.begin(self.now, chart.update_every * 10**6, microseconds, self.trust)
        self._round = (chart, Round(self.rounds, microseconds))

    def take_set(self, words):
        if not self._round:
            self._refuse("SET outside BEGIN and END")
        chart, current = self._round
        if not 1 <= len(words) <= 2 or not re.fullmatch(r"SET \S+ = ?\S*", self._line):
            self._refuse("no SET x = value")
        if words[0] not in chart.dimensions:
            self._refuse("SET of an undeclared dimension")
        if words[0] in current.values:
            self._refuse("SET twice")
        value = self._integer(words[1], "the value", -2**63, 2**63 - 1) if len(words) == 2 else None
        current.values[words[0]] = value

    def take_end(self, words):
        if not self._round:
            self._refuse("END without BEGIN")
        chart, current = self._round
        if words:
            self._refuse("END with words")
        if list(current.values) != list(chart.dimensions):
            self._refuse("values that are not those declared, in their order")
        if all(value is None for value in current.values.values()):
            self._refuse("a round without a value")
        if self.now is not None:
            chart.store.end(self.now, chart.update_every * 10**6, chart.dimensions, current.values)
        chart.rounds.append(current)
        self.rounds += 1
        self._round = None

    def take_flush(self, words):
        if words or not self._round:
            self._refuse("FLUSH without BEGIN")
        self._round = None

    def take_trust_durations(self, words):
        self._outside("TRUST_DURATIONS")
        self._settle()
        if words not in (["0"], ["1"]):
            self._refuse("neither 0 nor 1")
        if (words == ["1"]) == self.trust:
            self._refuse("what it has been told before")
        self.trust = words == ["1"]

    def take_disable(self, words):
        self._outside("DISABLE")
        self._settle()
        if words:
            self._refuse("DISABLE with words")
        self.disabled = True

    def take_variable(self, words):
        self._outside("VARIABLE")
        if words and words[0] in ("GLOBAL", "HOST", "LOCAL", "CHART"):
            words = words[1:]
        if len(words) != 2 or not IDENTIFIER.fullmatch(words[0]) or not re.fullmatch(r"-?\d+(\.\d+)?", words[1]):
            self._refuse("no VARIABLE name = number")

    # ---- functions ----

    def take_function(self, words):
        self._outside("FUNCTION")
        self._settle()
        if words[:1] != ["GLOBAL"] or not 4 <= len(words) <= 8:
            self._refuse("no FUNCTION GLOBAL name timeout help")
        if not IDENTIFIER.fullmatch(words[1].replace("-", "_")):
            self._refuse("no sound name")
        self._integer(words[2], "timeout", 1)
        self.functions[words[1]] = words[2:]

    def take_function_result_begin(self, words):
        self._outside("FUNCTION_RESULT_BEGIN")
        self._settle()
        if len(words) != 4:
            self._refuse("no transaction, code, type and expiry")
        self._integer(words[1], "code", 100, 599)
        self._integer(words[3], "expiry", 0)
        self._result = (words[0], int(words[1]), words[2], [])

    # ---- for tests ----

    def live(self):
        return {ident: chart for ident, chart in self.charts.items() if not chart.obsolete}

    def summary(self):
        return (f"{self.version}: {len(self.live())} charts, {sum(len(c.dimensions) for c in self.live().values())} dimensions, "
                f"{len(self.contexts)} contexts, {self.rounds} rounds, {self.lines} lines")


def check(data, version="1.37.1", update_every=1, **more):
    """The agent after the whole stream, or Refused."""
    agent = Netdata(version, update_every, **more)
    agent.feed(data)
    agent.end()
    return agent


def main():
    parser = argparse.ArgumentParser(description="Check a stream of Netdata's plugin protocol.")
    parser.add_argument("--version", choices=VERSIONS)
    parser.add_argument("--update-every", type=int, default=1)
    parser.add_argument("file", nargs="?")
    args = parser.parse_args()
    if args.file:
        with open(args.file, "rb") as f:
            data = f.read()
    else:
        data = sys.stdin.buffer.read()
    for version in [args.version] if args.version else VERSIONS:
        try:
            print(check(data, version, args.update_every).summary())
        except Refused as e:
            print(f"{version}: refused: {e}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
