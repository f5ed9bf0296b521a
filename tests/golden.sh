#!/bin/sh
# SPDX-License-Identifier: MIT
# What each host makes of every recorded root, compared with tests/expected: the tests' own host, the one for Netdata (which
# the strict reader must take as well), and the collectd plugin. TAP.
#	golden.sh [--update]
set -u

src=${QMEM_SRCDIR:-$(dirname "$0")/..}
build=${QMEM_BUILDDIR:-.}
mode=${1:-}
n=0
status=0

# The options with which the tests' own host plays a root, beside every Detail: each metric is in some transcript.
options='vmstat.RawGauge=nr_free_pages vmstat.RawCounter=pgfree vmstat.RawCounter=no_such_key netstat.Top=10 procio.Files=yes'

types=
for file in /usr/share/collectd/types.db /opt/collectd/share/collectd/types.db; do
	[ ! -f "$file" ] || types=$file
done

result() { # ok|not_ok name [difference]
	n=$((n + 1))
	if [ "$1" = ok ]; then
		echo "ok $n - $2"
		return
	fi
	echo "not ok $n - $2"
	printf '%s\n' "$3" | sed 's/^/# /'
	status=1
}

skip() { # name reason
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

compare() { # name expected text
	if [ "$mode" = --update ]; then
		mkdir -p "${2%/*}"
		printf '%s\n' "$3" >"$2"
	fi
	if difference=$(printf '%s\n' "$3" | diff -u "$2" - 2>&1); then
		result ok "$1"
	else
		result not_ok "$1" "$difference"
	fi
}

for root in "$src"/tests/roots/*/; do
	name=$(basename "$root")
	expected=$src/tests/expected/$name
	# shellcheck disable=SC2086 # a list of words
	if got=$("$build/tests/host" "$root" $options 2>&1); then
		compare "$name" "$expected.txt" "$got"
	else
		result not_ok "$name" "$got"
	fi
	if [ ! -x "$build/tests/host_netdata" ]; then
		skip "$name: Netdata" "built without Netdata"
	elif got=$("$build/tests/host_netdata" "$root" 2>&1); then
		compare "$name: Netdata" "$expected.netdata" "$got"
		if refused=$(printf '%s\n' "$got" | python3 "$src/tests/fake_netdata.py" 2>&1); then
			result ok "$name: the stream is sound"
		else
			result not_ok "$name: the stream is sound" "$refused"
		fi
	else
		result not_ok "$name: Netdata" "$got"
	fi
	if [ ! -x "$build/tests/host_collectd" ] || [ -z "$types" ]; then
		skip "$name: collectd" "built without collectd, or it has no types.db"
	elif got=$("$build/tests/host_collectd" "$build/.libs/qmem.so" "$types" "$root" 2>&1); then
		compare "$name: collectd" "$expected.collectd" "$got"
	else
		result not_ok "$name: collectd" "$got"
	fi
done
echo "1..$n"
[ "$mode" = --update ] || exit 0
exit "$status"
