# SPDX-License-Identifier: MIT
"""options.txt, for the tests of both readers."""

import collections
import os
import re

import tap

Row = collections.namedtuple("Row", "line service block name option written value")
Call = collections.namedtuple("Call", "service block name option value")


def rows():
    """Empty fields are None, but for the two values."""
    found = []
    for number, line in enumerate(tap.read(os.path.join(tap.SRC, "tests", "options.txt")).split("\n"), 1):
        if line and not line.startswith("#"):
            # a regular expression may have a '|'
            service, block, name, option, rest = line.split("|", 4)
            written, value = _halves(rest)
            found.append(Row(number, service or None, block or None, name or None, option, written, value))
    return found


def _halves(text):
    """What is quoted ends with its quote, all else at the first '|'."""
    quoted = re.match(r'("(?:[^"\\]|\\.)*")\|(.*)$', text)
    return quoted.groups() if quoted else text.split("|", 1)


def _name(text):
    return re.sub(r"[\s_-]", "", text).lower() if text else text


def _value(text):
    if text.lower() in ("yes", "true", "on"):
        return True
    if text.lower() in ("no", "false", "off"):
        return False
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
        return float(text)
    return text


def same(row, call):
    """Is this call what the row asks for?"""
    return (_name(row.service) == _name(call.service) and _name(row.block) == _name(call.block)
            and (row.name or "") == (call.name or "") and _name(row.option) == _name(call.option)
            and _value(row.value) == _value(call.value) and type(_value(row.value)) is type(_value(call.value)))
